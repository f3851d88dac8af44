#!/usr/bin/env bash
# Reads, publishes and serves a million simulated devices, and prints what it took. Needs curl, jq, 8 GB of disk and memory
# for both processes. Another size: COMPUTERS=60000 MOBILES=40000 RATE=5 PAGE=200 test/bench/million.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

computers=${COMPUTERS:-600000} mobiles=${MOBILES:-400000}
rate=${RATE:-50}       # requests_per_second; the default of the gateway, 5, spares Jamf and would decide the time
page=${PAGE:-1000}     # page_size
work=$(mktemp -d "${TMPDIR:-/tmp}/million.XXXXXX")
pids=()
end() {
	for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done
	wait || true
	[[ -n ${KEEP:-} ]] || rm -rf "$work"
}
trap end EXIT

CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$work/jamf-gateway" ./cmd/jamf-gateway
CGO_ENABLED=0 go build -trimpath -o "$work/load" ./test/bench/load
fake=127.0.0.1:28081 door=127.0.0.1:28080 admin=127.0.0.1:29480
hash=$(printf %s bench-secret | sha256sum | cut -d' ' -f1)
cat > "$work/gateway.yaml" <<YAML
listen: $door
admin_listen: $admin
data_dir: data
sources:
  - {name: a, url: "http://$fake/api", client_id: demo, client_secret: demo-secret, allow_insecure_loopback: true, sync: {page_size: $page}, limits: {connections: 2, requests_per_second: $rate}}
clients:
  - {id: bench, secrets: ["sha256:$hash"], requests_per_second: 100000}
YAML
chmod 600 "$work/gateway.yaml"

now() { date +%s.%N; }
since() { echo "$(now) $1" | awk '{ printf "%.1f s", $1 - $2 }'; }
peak() { awk '/VmHWM/ { printf "%.0f MiB", $2 / 1024 }' "/proc/$1/status"; }
serve() {
	"$work/jamf-gateway" serve --config "$work/gateway.yaml" >> "$work/gateway.log" 2>&1 &
	gateway=$!
	pids+=("$gateway")
}

"$work/jamf-gateway" fakejamf --listen "$fake" --computers "$computers" --mobiles "$mobiles" > "$work/fake.log" 2>&1 &
pids+=($!)
jamf=$!
began=$(now)
serve
echo "$computers computers, $mobiles mobile devices, $rate requests/s at most, pages up to $page rows, 2 connections"
until [[ $(grep -c '"sync done"' "$work/gateway.log") -ge 2 ]]; do
	kill -0 "$gateway" && kill -0 "$jamf"
	if grep -q '"sync failed' "$work/gateway.log"; then
		cat "$work/gateway.log" >&2
		exit 1
	fi
	sleep 1
done
echo "start to both kinds published and warmed: $(since "$began"); peak resident memory $(peak "$gateway") (simulated Jamf $(peak "$jamf"))"
grep '"sync done"' "$work/gateway.log" | jq -r '"  \(.kind): \(.count) devices in \(.took)"'
find "$work/data" -name '*.sqlite' -printf '  %P: %s bytes\n'

kill "$gateway"
wait "$gateway" || true
began=$(now)
serve
until curl -fsS -o /dev/null "http://$door/readyz" 2>/dev/null; do sleep 0.02; done
echo "restart to ready: $(since "$began")"
sleep 10 # warming
"$work/load" -url "http://$door" -client bench -secret bench-secret
echo "peak resident memory after that: $(peak "$gateway")"
