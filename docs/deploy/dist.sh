#!/usr/bin/env bash
# Builds what is released into dist/: for linux amd64 and arm64 a .deb and a .tar.gz, an SBOM (CycloneDX) for each
# binary, and SHA256SUMS. Called by `make dist`. Two runs over the same commit make the same bytes.
#
# VERSION  what `jamf-gateway version` prints; default: git describe
set -euo pipefail
cd "$(dirname "$0")/../.."

version=${VERSION:-$(git describe --tags --always --dirty)}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH # nFPM takes the times in the package from it

# A Debian version begins with a digit: a tag v1.2.3 is 1.2.3; anything else sorts before every tag, by date.
case "$version" in
v[0-9]*) DEB_VERSION=${version#v} ;;
[0-9]*.[0-9]*) DEB_VERSION=$version ;;
*) DEB_VERSION=0~$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d.%H%M%S).$version ;;
esac
DEB_VERSION=${DEB_VERSION//-/+}
export DEB_VERSION

pack() { go tool -modfile=docs/deploy/pack.mod "$@"; }

out=dist
rm -rf "$out"
mkdir -p "$out/build"
gzip -9n <CHANGELOG.md >"$out/build/changelog.gz"

for ARCH in amd64 arm64; do
  name=jamf-gateway_${DEB_VERSION}_linux_$ARCH
  tree=$out/build/$name
  mkdir -p "$tree"
  CGO_ENABLED=0 GOOS=linux GOARCH=$ARCH GOFLAGS=-buildvcs=false \
    go build -trimpath -tags timetzdata -ldflags "-s -w -buildid= -X main.version=$version" -o "$tree/jamf-gateway" ./cmd/jamf-gateway
  cp LICENSE README.md CHANGELOG.md gateway.example.yaml docs/deploy/deb/jamf-gateway.service "$tree/"
  chmod 0644 "$tree"/*
  chmod 0755 "$tree/jamf-gateway"
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -C "$out/build" -c "$name" | gzip -9n >"$out/$name.tar.gz"
  ln -sfn "$name" "$out/build/package"
  ARCH=$ARCH pack nfpm package --config docs/deploy/deb/nfpm.yaml --packager deb --target "$out/jamf-gateway_${DEB_VERSION}_$ARCH.deb"
  pack cyclonedx-gomod bin -json -noserial -std -version "$version" \
    -output "$out/$name.cdx.json" "$tree/jamf-gateway"
  # Its only clock is that of the commit, so that two builds agree.
  sed -i "s/\"timestamp\": \"[^\"]*\"/\"timestamp\": \"$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)\"/" "$out/$name.cdx.json"
done
rm -rf "$out/build"
(cd "$out" && sha256sum -- * >SHA256SUMS)
ls -l "$out"
