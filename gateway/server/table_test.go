package server_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// tableRow is one row of DESIGN's table of states: what every endpoint answers. 200 has no code.
type tableRow struct {
	list, known, unknown int
	code, unknownCode    string // of the refusals
	state                string // in a normalized list
	empty                bool
	fresh                int // with require=fresh, and to a client with on_stale: fail
	merged, mergedFresh  int // a list over this source and one that is fresh
	prepare              func(w *world)
}

// tableStates prepare schule-a, both kinds; schule-b is fresh.
func tableStates() map[string]tableRow {
	both := func(w *world, state, reason string) {
		for _, k := range []device.Kind{device.Computer, device.Mobile} {
			w.house.state("schule-a", k, state, reason)
		}
	}
	filled := func(w *world) {
		w.publish("schule-a", device.Computer, computers("AC", 1, 3))
		w.publish("schule-a", device.Mobile, mobiles("AM", 1, 3))
	}
	is := func(state, reason string) func(w *world) {
		return func(w *world) {
			filled(w)
			both(w, state, reason)
		}
	}
	disabled := func(w *world) {
		filled(w)
		w.house.source("schule-a", func(s *server.SourceStatus) { s.Disabled = true })
		both(w, "disabled", "")
	}
	held := func(w *world) {
		is("stale", "held")(w)
		w.house.source("schule-a", func(s *server.SourceStatus) {
			for i := range s.Kinds {
				s.Kinds[i].Hold = &server.Hold{Digest: "0123456789abcdef01234567", Since: start, Generation: 9, Findings: []server.Finding{{Guard: "empty", Count: 3, Of: 3}}}
			}
		})
	}
	// aged lets what schule-a has grow old, and reads schule-b anew.
	aged := func(before func(w *world), age time.Duration) func(w *world) {
		return func(w *world) {
			before(w)
			w.clock.Add(age)
			w.publish("schule-b", device.Computer, computers("BC", 1, 2))
			w.publish("schule-b", device.Mobile, mobiles("BM", 1, 2))
		}
	}
	const month = 30*24*time.Hour + time.Second
	stale := tableRow{list: 200, known: 200, unknown: 503, unknownCode: "unknown_device_stale", state: "stale", fresh: 503, merged: 200, mergedFresh: 503}
	limit := tableRow{list: 503, known: 503, unknown: 503, code: "stale_limit", unknownCode: "stale_limit", fresh: 503, merged: 200, mergedFresh: 503}
	never := tableRow{list: 503, known: 503, unknown: 503, code: "never_synced", unknownCode: "never_synced", fresh: 503, merged: 503, mergedFresh: 503}
	with := func(r tableRow, prepare func(w *world)) tableRow { r.prepare = prepare; return r }
	rows := map[string]tableRow{
		"fresh": {list: 200, known: 200, unknown: 404, unknownCode: "unknown_device", state: "fresh", fresh: 200, merged: 200, mergedFresh: 200, prepare: filled},
		"really empty": {list: 200, known: 404, unknown: 404, unknownCode: "unknown_device", state: "fresh", empty: true, fresh: 200, merged: 200, mergedFresh: 200, prepare: func(w *world) {
			w.publish("schule-a", device.Computer, fleet{})
			w.publish("schule-a", device.Mobile, fleet{})
		}},
		"held":                            with(stale, held),
		"held for longer than max_stale":  with(stale, aged(held, 2*month)),
		"damaged, the one before serves":  with(stale, is("stale", "store_corrupt")),
		"just inside max_stale":           with(stale, aged(is("stale", "timeout"), month-2*time.Second)),
		"older than max_stale":            with(limit, aged(is("stale", "timeout"), month)),
		"disabled for longer than that":   with(limit, aged(disabled, month)),
		"never synced":                    with(never, func(*world) {}),
		"never synced, lost":              with(never, func(w *world) { both(w, "never_synced", "store_lost") }),
		"never synced, held after a loss": with(never, func(w *world) { both(w, "never_synced", "held") }),
	}
	for _, reason := range []string{"jamf_unavailable", "timeout", "throttled", "auth_failed", "right_missing", "breaker_open", "overdue", "store_full"} {
		rows["stale, "+reason] = with(stale, is("stale", reason))
	}
	frozen := with(stale, disabled)
	frozen.state = "disabled"
	rows["disabled"] = frozen
	return rows
}

// tableEndpoints is every endpoint that shows devices: path of a list, of a device that is there, of one that is not.
func tableEndpoints() []struct{ list, known, unknown string } {
	out := []struct{ list, known, unknown string }{
		{"/v1/devices?source=schule-a&kind=computer", "/v1/devices/schule-a:computer:1", "/v1/devices/schule-a:computer:77"},
		{"/v1/devices?source=schule-a&kind=mobile", "/v1/devices/schule-a:mobile:1", "/v1/devices/schule-a:mobile:77"},
	}
	for _, base := range []string{"/api", "/jamf/schule-a/api"} {
		for v := 1; v <= 4; v++ {
			list := fmt.Sprintf("%s/v%d/computers-inventory", base, v)
			out = append(out, struct{ list, known, unknown string }{list, list + "/1", list + "/77"},
				struct{ list, known, unknown string }{"", list + "-detail/1", list + "-detail/77"})
		}
		list := base + "/v2/mobile-devices"
		out = append(out, struct{ list, known, unknown string }{list, list + "/1", list + "/77"},
			struct{ list, known, unknown string }{list + "/detail", list + "/1/detail", list + "/77/detail"})
	}
	return out
}

// Every row of the table of states, at every endpoint that shows devices, for one source and for several, with require=fresh and for a
// client that takes only fresh data.
func TestEveryEndpointAnswersEveryStateAsTheTableSays(t *testing.T) {
	states := tableStates()
	for i, name := range slices.Sorted(maps.Keys(states)) {
		if raceEnabled && i%4 != 0 { // one request after the other: a share is enough there
			continue
		}
		row := states[name]
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(o *server.Options) {
				o.Clients = append(o.Clients, server.ClientOptions{ID: "strict", Secrets: [][32]byte{sum("strict")}, OnlyFresh: true})
			})
			w.publish("schule-b", device.Computer, computers("BC", 1, 2))
			w.publish("schule-b", device.Mobile, mobiles("BM", 1, 2))
			row.prepare(w)
			for _, e := range tableEndpoints() {
				for _, ask := range []struct {
					path, code string
					status     int
				}{{e.list, row.code, row.list}, {e.known, cond(row.known == 404, "unknown_device", row.code), row.known}, {e.unknown, row.unknownCode, row.unknown}} {
					if ask.path == "" {
						continue
					}
					w.answers(w.get("all", ask.path), ask.path, ask.status, ask.code)
					if r := w.get("strict", ask.path); row.fresh == http.StatusOK != (r.status == ask.status && r.status != http.StatusServiceUnavailable) || row.fresh != 200 && r.status != row.fresh {
						t.Errorf("only fresh: %s: %s", ask.path, r)
					}
				}
				if e.list != "" && row.list == http.StatusOK {
					w.listSays(row, e.list)
				}
			}
			w.askFresh(row)
			w.askMerged(row)
		})
	}
}

func cond(is bool, a, b string) string {
	if is {
		return a
	}
	return b
}

// answers holds status, code and Retry-After of one answer.
func (w *world) answers(r reply, path string, status int, code string) {
	w.t.Helper()
	if r.status != status || status != http.StatusOK && r.code(w.t) != code {
		w.t.Errorf("%s: %s; want %d %s", path, r, status, code)
	}
	if status == http.StatusServiceUnavailable {
		if n, err := strconv.Atoi(r.header.Get("Retry-After")); err != nil || n < 10 || n > 900 {
			w.t.Errorf("%s has Retry-After %q", path, r.header.Get("Retry-After"))
		}
		if strings.Contains(string(r.body), "totalCount") {
			w.t.Errorf("%s: a refusal that looks like a list: %s", path, r)
		}
	}
}

// listSays holds what a list of one kind says of itself.
func (w *world) listSays(row tableRow, path string) {
	w.t.Helper()
	r := w.get("all", path)
	count := 3
	if row.empty {
		count = 0
	}
	if strings.HasPrefix(path, "/v1/") {
		var got list
		r.decode(w.t, &got)
		if len(got.Items) != count || !got.Complete || got.Stale != (row.state != "fresh") || got.Sources[0].State != row.state || got.ConfirmedEmpty != row.empty {
			w.t.Errorf("%s says %s", path, r)
		}
		return
	}
	var got struct {
		TotalCount *int
		Results    []any
	}
	r.decode(w.t, &got)
	if got.TotalCount == nil || *got.TotalCount != count || got.Results == nil || len(got.Results) != count || r.header.Get("Age") == "" || r.header.Get("Cache-Status") == "" {
		w.t.Errorf("%s says %s", path, r)
	}
	if state, _, _ := strings.Cut(r.header.Get("X-Jamf-Gateway-State"), ";"); row.state != "fresh" && state != row.state {
		w.t.Errorf("%s has the state %q", path, r.header.Get("X-Jamf-Gateway-State"))
	}
}

func (w *world) askFresh(row tableRow) {
	w.t.Helper()
	for _, path := range []string{"/v1/devices?source=schule-a&require=fresh", "/v1/devices?source=schule-a&kind=mobile&require=fresh", "/v1/devices/schule-a:computer:1?require=fresh"} {
		want := row.fresh
		if want == http.StatusOK && strings.Contains(path, ":1") {
			want = row.known
		}
		if r := w.get("all", path); r.status != want {
			w.t.Errorf("%s: %s; want %d", path, r, want)
		}
	}
}

func (w *world) askMerged(row tableRow) {
	w.t.Helper()
	for path, want := range map[string]int{"/v1/devices": row.merged, "/v1/devices?kind=computer": row.merged, "/v1/devices?require=fresh": row.mergedFresh} {
		r := w.get("all", path)
		if r.status != want {
			w.t.Errorf("%s: %s; want %d", path, r, want)
			continue
		}
		if want != http.StatusOK {
			continue
		}
		var got list
		r.decode(w.t, &got)
		kinds := 2
		if strings.Contains(path, "kind=") {
			kinds = 1
		}
		count := 5 * kinds // also of a source beyond max_stale: its last good ones
		if row.empty {
			count = 2 * kinds
		}
		if len(got.Items) != count || !got.Complete || len(got.Sources) != 2*kinds || got.Sources[2*kinds-1].State != "fresh" || got.Stale == (row.fresh == 200) {
			w.t.Errorf("%s says %s", path, r)
		}
	}
	if r := w.get("all", "/v1/devices?source=schule-b&require=fresh"); r.status != http.StatusOK {
		w.t.Errorf("the other source alone: %s", r)
	}
}
