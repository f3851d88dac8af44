#!/usr/bin/env bash
# Installs, starts, upgrades, removes and purges the .deb in a Debian of its own: a fresh bookworm (debootstrap) that is
# booted with systemd in a container (systemd-nspawn), with the simulated Jamf Pro inside. Called by `make deb-test`.
# Needs root and the Debian packages debootstrap and systemd-container, which it installs where they are missing.
# BASE is where the fresh Debian is kept between runs.
set -euo pipefail
cd "$(dirname "$0")/../../.."

base=${BASE:-/var/tmp/jamf-gateway-deb-test}
work=$(mktemp -d)
root=$work/root
container=

say() { printf -- '-- %s (%ss)\n' "$*" "$SECONDS"; }
die() {
  echo "FAILED: $*" >&2
  [ -n "$container" ] && inside journalctl --no-pager -n 40 -u jamf-gateway >&2
  exit 1
}
end() {
  if [ -n "$container" ]; then
    kill -KILL "$container" 2>/dev/null || true # all processes of the container go with its first
    wait "$nspawn" 2>/dev/null || true
  fi
  rm -rf --one-file-system "$work"
}
trap end EXIT

[ "$(id -u)" = 0 ] || { echo "deb-test needs root" >&2; exit 1; }
command -v debootstrap >/dev/null && command -v systemd-nspawn >/dev/null || {
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap systemd-container >/dev/null
}

say "build two versions"
version_1=v0.0.1 version_2=v0.0.2
for v in "$version_1" "$version_2"; do
  VERSION=$v docs/deploy/dist.sh >/dev/null
  mv dist/jamf-gateway_"${v#v}"_amd64.deb "$work/"
done

if [ ! -e "$base/complete" ]; then
  say "fetch a fresh Debian"
  rm -rf "$base"
  mkdir -p "$base"
  debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,adduser,ca-certificates,curl bookworm "$base/root" >"$base/log" 2>&1 ||
    die "debootstrap: $(tail -n 3 "$base/log")"
  touch "$base/complete"
fi
cp -a "$base/root" "$root"
mkdir "$root/deb"
mv "$work"/*.deb "$root/deb/"

say "boot it"
systemd-nspawn --quiet --directory="$root" --boot --private-network --register=no --keep-unit </dev/null >"$work/console" 2>&1 &
nspawn=$!
for _ in $(seq 300); do
  container=$(pgrep -P "$nspawn" | head -n 1) || true
  [ -n "$container" ] && nsenter -t "$container" -a test -S /run/systemd/private 2>/dev/null && break
  sleep 0.2
done
inside() { nsenter -t "$container" -a env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"; }
inside test -S /run/systemd/private || { cat "$work/console"; die "systemd did not start"; }
inside ip link set lo up 2>/dev/null || true

ready() {
  for _ in $(seq 300); do
    inside curl -fsS -o /dev/null http://127.0.0.1:8080/readyz 2>/dev/null && return 0
    sleep 0.2
  done
  return 1
}
token() {
  inside curl -fsS http://127.0.0.1:8080/oauth/token -d grant_type=client_credentials -d client_id=inventory360 -d client_secret="$secret" |
    sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p'
}
devices() { inside curl -fsS -H "Authorization: Bearer $(token)" "http://127.0.0.1:8080/api/v1/computers-inventory?page-size=1" | grep -o '"totalCount":[0-9]*'; }

say "install"
inside dpkg -i /deb/jamf-gateway_0.0.1_amd64.deb >/dev/null
inside systemctl is-enabled --quiet jamf-gateway || die "the service is not enabled"
inside systemctl is-active --quiet jamf-gateway && die "the service runs without settings"
inside id jamf-gateway >/dev/null || die "there is no user jamf-gateway"
[ "$(inside stat -c '%U %a' /var/lib/jamf-gateway)" = "jamf-gateway 700" ] || die "the data directory is not its own"
[ "$(inside stat -c '%U %a' /etc/jamf-gateway)" = "jamf-gateway 750" ] || die "the settings' directory is not its own"

say "start"
inside systemd-run --quiet --unit=fakejamf --uid=nobody /usr/bin/jamf-gateway fakejamf --listen 127.0.0.1:8081 \
  --computers 120 --mobiles 80 --client-id cid --client-secret jamf-secret
for _ in $(seq 300); do # systemd-run does not wait until it listens
  inside curl -fsS -o /dev/null http://127.0.0.1:8081/healthCheck.html 2>/dev/null && break
  sleep 0.2
done
secret=$(inside runuser -u jamf-gateway -- env JAMF_CLIENT_SECRET=jamf-secret jamf-gateway init --config /etc/jamf-gateway/gateway.yaml \
  --data-dir /var/lib/jamf-gateway --url http://127.0.0.1:8081 --allow-insecure-loopback --name schule --client-id cid </dev/null |
  sed -n 's/.*Client Secret[^:]*: *//p')
[ -n "$secret" ] || die "init shows no secret"
inside runuser -u jamf-gateway -- jamf-gateway check --config /etc/jamf-gateway/gateway.yaml >"$work/check" || { cat "$work/check"; die "check finds the settings wanting"; }
inside systemctl start jamf-gateway
ready || die "the service is not ready"
for _ in $(seq 300); do
  [ "$(devices 2>/dev/null)" = '"totalCount":120' ] && break
  sleep 0.2
done
[ "$(devices)" = '"totalCount":120' ] || die "it does not serve the 120 computers"
inside systemd-analyze security --no-pager --threshold=20 jamf-gateway >"$work/security" || { cat "$work/security"; die "the unit is exposed"; }
tail -n 1 "$work/security"

say "reload"
pid=$(inside systemctl show -P MainPID jamf-gateway)
inside systemctl reload jamf-gateway || die "the service cannot be reloaded"
reloaded() { inside journalctl --no-pager -u jamf-gateway | grep 'other settings are in force' | grep -q 'why=SIGHUP\|"why":"SIGHUP"'; }
for _ in $(seq 50); do
  reloaded && break
  sleep 0.2
done
reloaded || die "it does not read its settings anew"
[ "$(inside systemctl show -P MainPID jamf-gateway)" = "$pid" ] || die "a reload restarts it"

say "upgrade, with Jamf gone"
inside systemctl stop fakejamf
inside dpkg -i /deb/jamf-gateway_0.0.2_amd64.deb >/dev/null
[ "$(inside jamf-gateway version)" = "jamf-gateway v0.0.2" ] || die "the version is not the new one"
inside systemctl is-active --quiet jamf-gateway || die "the service does not run after the upgrade"
[ "$(inside readlink "/proc/$(inside systemctl show -P MainPID jamf-gateway)/exe")" = /usr/bin/jamf-gateway ] || die "the old program still runs"
ready || die "the service is not ready after the upgrade"
[ "$(devices)" = '"totalCount":120' ] || die "the kept devices are not served after the upgrade"

say "remove"
inside dpkg -r jamf-gateway >/dev/null
inside systemctl is-active --quiet jamf-gateway && die "the service still runs"
inside test -e /etc/jamf-gateway/gateway.yaml || die "removing took the settings"
inside test -d /var/lib/jamf-gateway/data/schule || die "removing took the data"

say "install again, purge"
inside dpkg -i /deb/jamf-gateway_0.0.2_amd64.deb >/dev/null
inside systemctl start jamf-gateway
ready || die "the service is not ready after it was installed again"
[ "$(devices)" = '"totalCount":120' ] || die "the kept devices are not served after it was installed again"
inside dpkg --purge jamf-gateway >/dev/null
inside test -e /etc/jamf-gateway && die "purging left settings"
inside test -e /var/lib/jamf-gateway && die "purging left data"
say "installed, started, upgraded, removed, purged: good"
