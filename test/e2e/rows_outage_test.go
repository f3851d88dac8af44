package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/test/fakejamf"
)

func small() fakejamf.Options { return fakejamf.Options{Computers: 120, Mobiles: 60} }

func availabilityRows() map[string]play {
	return map[string]play{
		"A1": {simulated: rowAnHourWithoutJamf},
		"A2": {simulated: rowNeverSynced},
		"A3": {simulated: rowDaysWithoutJamf},
		"A9": {simulated: rowForeignPages},
	}
}

// address is where the Jamf of a house listens.
func (h *house) address() string { return strings.TrimPrefix(h.upstream.URL, "http://") }

// attempts is how often the gateway asked its Jamf for anything, answered or not.
func (h *house) attempts() (n int) {
	for _, spans := range h.recorders {
		for _, s := range spans.Ended() {
			if _, attempt := resent(s); attempt {
				n++
			}
		}
	}
	return n
}

func rowAnHourWithoutJamf(b *board) {
	most := 0
	pace := time.Second
	for name, down := range map[string]func(*house, bool){
		"refused": func(h *house, down bool) {
			if down {
				b.net.breakTo(h.address(), refuse)
			} else {
				b.net.breakTo(h.address(), nil)
			}
		},
		"503": func(h *house, down bool) { h.jamf.Down(down) },
	} {
		h := b.open(small(), nil)
		b.sleep(55 * time.Minute) // a sync falls due in the outage
		before, reads := h.attempts(), b.score.Reads
		b.every.Store(int64(pace))
		down(h, true)
		h.upstream.CloseClientConnections()
		b.sleep(time.Hour)
		b.every.Store(0)
		calls := h.attempts() - before
		if most = max(most, calls); calls > 120 {
			b.wrong("%s: an hour cost %d calls, 120 are allowed", name, calls)
		}
		if calls == 0 || b.score.Reads-reads < int(time.Hour/pace)*9/10 || b.score.StaleOK == 0 {
			b.wrong("%s: %d calls, %d reads, %d stale ones: nothing was tried", name, calls, b.score.Reads-reads, b.score.StaleOK)
		}
		down(h, false)
		b.healed()
		b.recovered(h, 16*time.Minute) // a retry is brought forward by the first good heartbeat
		b.judge(h)
		b.unwatch()
		pace = 5 * time.Second
	}
	b.note("at most %d calls in the hour", most)
}

func rowNeverSynced(b *board) {
	b.failures = true
	h := b.prepare(small(), nil)
	b.net.breakTo(h.address(), refuse)
	h.start()
	for range 10 {
		for _, path := range []string{"/v1/devices", "/api/v4/computers-inventory", "/api/v2/mobile-devices", "/v1/devices/schule-a:computer:1"} {
			r := h.get(path)
			if r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" || !strings.Contains(string(r.body), "never_synced") {
				b.wrong("%s: %d %q %.200s", path, r.status, r.header.Get("Retry-After"), r.body)
			}
		}
		if r := h.call(http.MethodGet, "/livez", nil); r.status != http.StatusOK {
			b.wrong("livez: %d", r.status)
		}
		b.sleep(time.Minute)
	}
	b.net.breakTo(h.address(), nil)
	b.healed()
	b.recovered(h, 21*time.Minute)
	b.judge(h)
}

func rowDaysWithoutJamf(b *board) {
	h := b.open(small(), func(c *config.Config) { c.MaxStale = 5 * 24 * time.Hour })
	b.every.Store(int64(10 * time.Minute))
	h.jamf.Down(true)
	b.sleep(72 * time.Hour)
	var list struct {
		Stale   bool
		Sources []struct{ State, Reason string }
	}
	if h.get("/v1/devices").decode(b.T, &list); !list.Stale || list.Sources[0].Reason != "jamf_unavailable" {
		b.wrong("after three days: %+v", list)
	}
	calls := h.attempts()
	b.failures = true
	b.sleep(49 * time.Hour)
	for _, path := range []string{"/v1/devices", "/api/v4/computers-inventory", "/api/v2/mobile-devices"} {
		r := h.get(path)
		if r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" || !strings.Contains(string(r.body), "stale_limit") {
			b.wrong("%s beyond max_stale: %d %.200s", path, r.status, r.body)
		}
	}
	h.jamf.Down(false)
	b.healed()
	b.recovered(h, time.Hour)
	b.judge(h)
	b.note("%d calls in three days", calls)
}

func rowForeignPages(b *board) {
	h := b.open(small(), nil)
	before := h.generation("computer").Number
	for _, f := range []fakejamf.Faults{{ServerError: 1}, {BadGateway: 1}, {HTMLPage: 1}} {
		h.jamf.SetFaults(f)
		b.nextSync(h)
		b.failed(h, fmt.Sprintf("%+v", f), "jamf_unavailable", "html_instead_of_json", "jamf_cannot_render")
		if n := h.generation("computer").Number; n != before {
			b.wrong("%+v: generation %d was published", f, n)
		}
	}
	h.jamf.SetFaults(rough())
	b.healed()
	b.recovered(h, 61*time.Minute) // the third failure in a row waits 30 minutes, and more
	b.judge(h)
}
