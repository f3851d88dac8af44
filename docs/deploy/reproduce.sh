#!/usr/bin/env bash
# Builds the binary of this tree in two directories, the second time without anything built before, and compares the bytes; then asks
# whether it is static, names no directory of this machine, and runs with nothing beside it. Called by `make reproduce`.
#
# WARM=1  the second build may use what was built before: seconds instead of minutes, and less of a proof
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'chmod -R u+w "$work" && rm -rf "$work"' EXIT
version=${VERSION:-reproduce}
for side in one two/deeper; do
  tree=$work/$side/src cache=$(go env GOCACHE)
  if [ "$side" != one ] && [ -z "${WARM:-}" ]; then cache=$work/cache; fi
  mkdir -p "$tree"
  git ls-files -z | tar -c --null --files-from=- | tar -x -C "$tree"
  (cd "$tree" && GOCACHE=$cache CGO_ENABLED=0 GOFLAGS="-buildvcs=false ${GOFLAGS:-}" \
    go build -trimpath -tags timetzdata -ldflags "-s -w -buildid= -X main.version=$version" -o "$work/$side/jamf-gateway" ./cmd/jamf-gateway)
done
sha256sum "$work/one/jamf-gateway" "$work/two/deeper/jamf-gateway" | sed "s|$work/||"
cmp "$work/one/jamf-gateway" "$work/two/deeper/jamf-gateway"

# A static binary names no loader and no library.
if readelf --wide --program-headers "$work/one/jamf-gateway" | grep -qE 'INTERP|DYNAMIC'; then
  echo "the binary is not static" >&2
  exit 1
fi
if grep -qF -e "$work" -e "$HOME/" "$work/one/jamf-gateway"; then
  echo "the binary names a directory of this machine" >&2
  exit 1
fi
# Nothing but the binary, a user of no name, a root that cannot be written: as in the container.
if [ "$(id -u)" = 0 ] && command -v unshare >/dev/null; then
  mkdir -p "$work/root" && cp "$work/one/jamf-gateway" "$work/root/" && chmod 0555 "$work/root" && chmod 0755 "$work"
  unshare --mount sh -c 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && exec chroot --userspec=65532:65532 "$1" /jamf-gateway version' sh "$work/root" ||
    { echo "the binary does not run alone as 65532" >&2; exit 1; }
fi
echo "two builds, one binary"
