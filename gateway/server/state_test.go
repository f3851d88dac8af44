package server_test

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/catalogue"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// answers is one row of the table of states.
type answers struct {
	list, facade, known, unknown int
	listCode, unknownCode        string
	state, reason                string
	complete, stale              bool
}

func (w *world) checkState(name string, want answers) {
	w.t.Helper()
	l := w.get("only-a", "/v1/devices?kind=computer")
	if l.status != want.list || l.status != http.StatusOK && l.code(w.t) != want.listCode {
		w.t.Errorf("%s: the list is %s", name, l)
	}
	if l.status == http.StatusOK {
		var got list
		l.decode(w.t, &got)
		reason := ""
		if got.Sources[0].Reason != nil {
			reason = *got.Sources[0].Reason
		}
		if got.Complete != want.complete || got.Stale != want.stale || got.Sources[0].State != want.state || reason != want.reason {
			w.t.Errorf("%s: the list says complete %v, stale %v, %s because of %q", name, got.Complete, got.Stale, got.Sources[0].State, reason)
		}
	}
	for path, want := range map[string][2]any{
		"/api/v1/computers-inventory":                  {want.facade, want.listCode},
		"/v1/devices/schule-a:computer:1":              {want.known, want.listCode},
		"/v1/devices/schule-a:computer:77":             {want.unknown, want.unknownCode},
		"/jamf/schule-a/api/v4/computers-inventory/1":  {want.known, want.listCode},
		"/jamf/schule-a/api/v4/computers-inventory/77": {want.unknown, want.unknownCode},
	} {
		r := w.get("only-a", path)
		if r.status != want[0] || r.status != http.StatusOK && r.code(w.t) != want[1] {
			w.t.Errorf("%s: %s is %s", name, path, r)
		}
		if r.status == http.StatusServiceUnavailable {
			if n, err := strconv.Atoi(r.header.Get("Retry-After")); err != nil || n < 10 || n > 900 {
				w.t.Errorf("%s: %s has Retry-After %q", name, path, r.header.Get("Retry-After"))
			}
		}
	}
}

func TestEveryStateIsAnsweredAsTheTableSays(t *testing.T) {
	w := newWorld(t)
	never := answers{list: 503, facade: 503, known: 503, unknown: 503, listCode: "never_synced", unknownCode: "never_synced"}
	w.checkState("never synced", never)
	w.house.state("schule-a", device.Computer, "never_synced", "auth_failed")
	w.checkState("never synced, credentials refused", never)
	w.publish("schule-a", device.Computer, computers("AC", 1, 3))
	w.checkState("fresh", answers{list: 200, facade: 200, known: 200, unknown: 404, unknownCode: "unknown_device", state: "fresh", complete: true})
	w.house.state("schule-a", device.Computer, "stale", "auth_failed")
	w.checkState("stale", answers{
		list: 200, facade: 200, known: 200, unknown: 503, unknownCode: "unknown_device_stale", state: "stale", reason: "auth_failed", complete: true, stale: true,
	})
	w.house.state("schule-a", device.Computer, "never_synced", "")
	w.checkState("a generation that the house does not know of", answers{
		list: 200, facade: 200, known: 200, unknown: 503, unknownCode: "unknown_device_stale", state: "stale", complete: true, stale: true,
	})
	w.house.source("schule-a", func(s *server.SourceStatus) { s.Disabled = true })
	w.house.state("schule-a", device.Computer, "disabled", "")
	w.checkState("disabled", answers{
		list: 200, facade: 200, known: 200, unknown: 503, unknownCode: "unknown_device_stale", state: "disabled", reason: "source_disabled",
		complete: true, stale: true,
	})
	limit := answers{list: 503, facade: 503, known: 503, unknown: 503, listCode: "stale_limit", unknownCode: "stale_limit"}
	w.clock.Add(30*24*time.Hour + time.Second)
	w.checkState("disabled for too long", limit)
	w.house.source("schule-a", func(s *server.SourceStatus) { s.Disabled = false })
	w.house.state("schule-a", device.Computer, "stale", "jamf_unavailable")
	w.checkState("stale for too long", limit)
}

func TestStaleListIsServedWhileJamfIsDownAndSaysHowOldItIs(t *testing.T) {
	w := newWorld(t)
	w.publish("schule-a", device.Computer, computers("AC", 1, 3))
	before := w.get("all", "/api/v1/computers-inventory")
	w.house.state("schule-a", device.Computer, "stale", "jamf_unavailable")
	w.clock.Add(48 * time.Hour)
	after := w.get("all", "/api/v1/computers-inventory")
	if !bytes.Equal(before.body, after.body) || before.header.Get("ETag") != after.header.Get("ETag") {
		t.Errorf("the body changed: %s", after)
	}
	if before.header.Get("Age") != "0" || after.header.Get("Age") != "172800" || after.header.Get("X-Jamf-Gateway-State") != "stale; reason=jamf_unavailable" {
		t.Errorf("headers before %v, after %v", before.header, after.header)
	}
	native := w.get("all", "/v1/devices?kind=computer&source=schule-a")
	if native.header.Get("Age") != "172800" || bytes.Contains(native.body, []byte("2026-11-25")) {
		t.Errorf("the native list: %s, Age %s", native, native.header.Get("Age"))
	}
}

func TestAReallyEmptyKindIsAnEmptyListThatSaysSo(t *testing.T) {
	w := newWorld(t)
	w.publish("schule-a", device.Computer, computers("AC", 1, 1))
	w.publish("schule-a", device.Mobile, fleet{})
	l := w.devices("only-a", "?kind=mobile")
	if len(l.Items) != 0 || !l.ConfirmedEmpty || !l.Complete || l.NextCursor != nil {
		t.Errorf("%+v", l)
	}
	if l := w.devices("only-a", ""); l.ConfirmedEmpty || len(l.Items) != 1 {
		t.Errorf("with a computer: %+v", l)
	}
	r := w.get("only-a", "/api/v2/mobile-devices")
	if string(r.body) != `{"totalCount":0,"results":[]}` {
		t.Errorf("façade: %s", r)
	}
	w.want(w.get("only-a", "/api/v2/mobile-devices/1"), http.StatusNotFound, "unknown_device")
}

func TestAMergedListHoldsTheLastGoodOfTheTroubledSourceAndTellsEachState(t *testing.T) {
	w := newWorld(t)
	w.publish("schule-a", device.Computer, computers("AC", 1, 2))
	w.publish("schule-a", device.Mobile, mobiles("AM", 1, 2))
	states := func(l list) string {
		out := ""
		for _, s := range l.Sources {
			out += s.Name + "/" + s.Kind + "=" + s.State + " "
		}
		return out
	}
	w.house.state("schule-b", device.Mobile, "never_synced", "auth_failed")
	r := w.get("all", "/v1/devices")
	w.want(r, http.StatusServiceUnavailable, "never_synced")
	for _, word := range []string{"schule-b mobile", "auth_failed", "source="} {
		if !bytes.Contains(r.body, []byte(word)) {
			t.Errorf("the refusal does not say %s: %s", word, r)
		}
	}
	w.house.source("schule-b", func(s *server.SourceStatus) { s.Disabled = true })
	l := w.devices("all", "")
	if !l.Complete || len(l.Items) != 4 || l.Sources[3].Count == nil || *l.Sources[3].Count != 0 ||
		states(l) != "schule-a/computer=fresh schule-a/mobile=fresh schule-b/computer=disabled schule-b/mobile=disabled " {
		t.Errorf("a disabled source without data: %+v", l)
	}
	w.house.source("schule-b", func(s *server.SourceStatus) { s.Disabled = false })
	w.want(w.get("all", "/v1/devices?source=schule-b"), http.StatusServiceUnavailable, "never_synced")

	w.publish("schule-b", device.Computer, computers("BC", 1, 2))
	w.publish("schule-b", device.Mobile, mobiles("BM", 1, 2))
	if l := w.devices("all", "?require=fresh"); !l.Complete || l.Stale || len(l.Items) != 8 {
		t.Errorf("all fresh: %+v", l)
	}
	w.house.state("schule-b", device.Mobile, "stale", "timeout")
	l = w.devices("all", "")
	if !l.Complete || !l.Stale || len(l.Items) != 8 || l.Sources[3].Reason == nil || *l.Sources[3].Reason != "timeout" {
		t.Errorf("one kind is stale: %+v", l)
	}
	w.want(w.get("all", "/v1/devices?require=fresh"), http.StatusServiceUnavailable, "not_fresh")
	if l := w.devices("all", "?require=fresh&source=schule-a"); len(l.Items) != 4 {
		t.Errorf("the fresh source alone: %+v", l)
	}

	w.clock.Add(31 * 24 * time.Hour)
	w.publish("schule-a", device.Computer, computers("AC", 1, 2))
	w.publish("schule-a", device.Mobile, mobiles("AM", 1, 2))
	l = w.devices("all", "")
	if len(l.Items) != 8 || !l.Stale || l.Sources[3].Reason == nil || *l.Sources[3].Reason != "stale_limit" {
		t.Errorf("one source is beyond max_stale: %+v", l)
	}
	w.want(w.get("all", "/v1/devices?source=schule-b"), http.StatusServiceUnavailable, "stale_limit")
}

// Whoever is refused for want of data learns why there is none, and what is to be done about that: of one source as of several.
func TestARefusalForWantOfDataSaysWhyThereIsNone(t *testing.T) {
	w := newWorld(t)
	w.house.source("schule-a", func(s *server.SourceStatus) { s.JamfVersion = "" })
	paths := []string{
		"/v1/devices?kind=computer", "/v1/devices", "/v1/devices/schule-a:computer:1", "/api/v1/computers-inventory", "/api/v4/computers-inventory/7",
		"/jamf/schule-a/api/v2/computers-inventory", "/api/v1/jamf-pro-version",
	}
	for _, reason := range []string{"", "never_synced", "auth_failed", "invalid_client", "dns_failed", "count_mismatch", "store_lost"} {
		w.house.state("schule-a", device.Computer, "never_synced", reason)
		e, _ := catalogue.Lookup(cmp.Or(reason, "never_synced"))
		known := reason != "" && reason != "never_synced"
		for _, path := range paths {
			r := w.get("only-a", path)
			w.want(r, http.StatusServiceUnavailable, "never_synced")
			if text := string(r.body); !strings.Contains(text, e.Action.EN) || strings.Contains(text, "("+reason+")") != known && !strings.HasSuffix(path, "/devices") {
				t.Errorf("%s because of %q: %s", path, reason, r)
			}
			if strings.HasPrefix(path, "/v1/") {
				var p struct{ Reason string }
				want := map[bool]string{true: reason}[known]
				if r.decode(t, &p); p.Reason != want {
					t.Errorf("%s because of %q has the reason %q", path, reason, p.Reason)
				}
			}
		}
	}
}

func TestRetryAfterPointsAtTheNextSync(t *testing.T) {
	w := newWorld(t)
	for next, want := range map[time.Duration]string{5 * time.Minute: "300", time.Second: "10", 20 * time.Hour: "900", -time.Hour: "10"} {
		w.house.source("schule-a", func(s *server.SourceStatus) { s.Kinds[0].NextSync = start.Add(next) })
		if got := w.get("all", "/api/v1/computers-inventory").header.Get("Retry-After"); got != want {
			t.Errorf("next sync in %v: %s", next, got)
		}
	}
}

func TestReadyMeansThatEveryActiveSourceCanBeServedOrWasTried(t *testing.T) {
	w := newWorld(t)
	ready := func(want int) {
		t.Helper()
		body := map[int]string{http.StatusOK: `{"status":"ready"}`, http.StatusServiceUnavailable: `{"status":"not ready"}`}[want]
		if r := w.do(http.MethodGet, w.base+"/readyz", ""); r.status != want || string(r.body) != body {
			t.Errorf("want %d %s: %s", want, body, r)
		}
	}
	ready(http.StatusServiceUnavailable)
	var why struct {
		Sources []struct{ Name, Status string }
	}
	w.get("all", "/v1/health").decode(t, &why)
	if got := fmt.Sprint(why.Sources); got != "[{schule-a waiting} {schule-b waiting}]" {
		t.Errorf("health does not tell what is waited for: %s", got)
	}
	w.publishOnly("schule-a", device.Computer, computers("AC", 1, 1))
	w.house.source("schule-a", func(s *server.SourceStatus) { s.Kinds[1].Tried = true })
	ready(http.StatusServiceUnavailable)
	w.house.source("schule-b", func(s *server.SourceStatus) { s.Disabled = true })
	ready(http.StatusOK)
	w.house.state("schule-a", device.Computer, "stale", "dns_failed")
	ready(http.StatusOK)
	if r := w.do(http.MethodGet, w.base+"/livez", ""); r.status != http.StatusOK {
		t.Error(r)
	}
}

func TestADisabledSourceSaysSoWhereNothingCanBeReadOfIt(t *testing.T) {
	w := newWorld(t)
	w.house.source("schule-a", func(s *server.SourceStatus) { s.Disabled, s.JamfVersion = true, "" })
	for _, path := range []string{
		"/v1/devices", "/v1/devices?kind=computer", "/v1/devices/schule-a:computer:1", "/api/v4/computers-inventory",
		"/api/v2/mobile-devices/1", "/api/v1/auth", "/api/v1/jamf-pro-version",
	} {
		r := w.get("only-a", path)
		w.want(r, http.StatusServiceUnavailable, "source_disabled")
		if r.header.Get("Retry-After") != "900" {
			t.Errorf("%s: Retry-After %q", path, r.header.Get("Retry-After"))
		}
	}
	w.publish("schule-a", device.Computer, computers("AC", 1, 2))
	r := w.get("only-a", "/v1/devices?kind=computer")
	if r.status != http.StatusOK || !bytes.Contains(r.body, []byte(`"sourceState":"disabled"`)) {
		t.Errorf("frozen: %s", r)
	}
	w.want(w.get("only-a", "/api/v1/auth"), http.StatusServiceUnavailable, "source_disabled")
	if r := w.get("only-a", "/api/v1/jamf-pro-version"); r.status != http.StatusOK {
		t.Errorf("the version that the data came from: %s", r)
	}
	if r := w.get("only-b", "/v1/devices"); bytes.Contains(r.body, []byte("source_disabled")) {
		t.Errorf("the other source: %s", r)
	}
}

func TestHealthWaitsForTheFirstSyncBeforeItFails(t *testing.T) {
	w := newWorld(t)
	word := func(want string) {
		t.Helper()
		var h struct{ Status string }
		w.get("only-a", "/v1/health").decode(t, &h)
		if h.Status != want {
			t.Errorf("%s, want %s", h.Status, want)
		}
	}
	word("waiting")
	w.house.source("schule-a", func(s *server.SourceStatus) { s.Kinds[0].Syncing = true })
	word("syncing")
	w.house.source("schule-a", func(s *server.SourceStatus) { s.Kinds[0].Syncing, s.Kinds[0].Tried = false, true })
	word("failing")
	w.publish("schule-a", device.Computer, computers("AC", 1, 1))
	word("waiting")
	w.house.state("schule-a", device.Computer, "stale", "timeout")
	word("degraded")
	w.house.state("schule-a", device.Mobile, "never_synced", "store_lost")
	word("failing")
}

func TestAQuarantinedDeviceIsNamedWhereOneSourceIsAskedFor(t *testing.T) {
	w := newWorld(t)
	flags := []cache.Quarantine{{ID: 2, Reason: "unreadable", Kept: "previous"}, {Reason: "unreadable"}}
	for id := int64(1000); len(flags) < 120; id++ {
		flags = append(flags, cache.Quarantine{ID: id, Reason: "not_listed", Kept: "previous"})
	}
	w.publish("schule-a", device.Computer, computers("AC", 1, 3), flags...)
	var one struct {
		Kinds []struct {
			Quarantined        *int
			QuarantinedDevices []struct {
				UID          *string
				Reason, Kept string
			}
		}
	}
	w.get("only-a", "/v1/sources/schule-a").decode(t, &one)
	k := one.Kinds[0]
	if *k.Quarantined != 120 || len(k.QuarantinedDevices) != 100 || one.Kinds[1].QuarantinedDevices != nil {
		t.Fatalf("%d are counted, %d named", *k.Quarantined, len(k.QuarantinedDevices))
	}
	named := map[string]string{}
	for _, d := range k.QuarantinedDevices {
		if d.UID == nil {
			named["unknown"] = d.Reason
		} else {
			named[*d.UID] = d.Reason + " " + d.Kept
		}
	}
	if named["schule-a:computer:2"] != "unreadable previous" || named["unknown"] != "unreadable" {
		t.Errorf("named are %v", named)
	}
	if r := w.get("only-a", "/v1/sources"); bytes.Contains(r.body, []byte("quarantinedDevices")) {
		t.Errorf("in the list of sources: %s", r)
	}
}

func TestAClientThatTakesOnlyFreshDataIsRefusedTheRest(t *testing.T) {
	w := newWorld(t, func(o *server.Options) {
		o.Clients = append(o.Clients, server.ClientOptions{ID: "strict", Secrets: [][32]byte{sum("strict")}, OnlyFresh: true})
	})
	w.publishAll(2)
	paths := []string{
		"/v1/devices", "/v1/devices/schule-a:computer:1", "/jamf/schule-a/api/v1/computers-inventory", "/jamf/schule-a/api/v1/computers-inventory-detail/1",
	}
	for _, path := range paths {
		if r := w.get("strict", path); r.status != http.StatusOK {
			t.Errorf("fresh: %s: %s", path, r)
		}
	}
	if r := w.get("strict", "/jamf/schule-a/api/v1/computers-inventory-detail/99"); r.status != http.StatusNotFound {
		t.Errorf("fresh, no such device: %s", r)
	}
	for name, change := range map[string]func(){
		"stale":    func() { w.house.state("schule-a", device.Computer, "stale", "timeout") },
		"held":     w.holding,
		"disabled": func() { w.house.source("schule-a", func(s *server.SourceStatus) { s.Disabled = true }) },
	} {
		change()
		for _, path := range paths {
			r := w.get("strict", path)
			if r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" || !strings.Contains(string(r.body), "not_fresh") {
				t.Errorf("%s: %s: %s", name, path, r)
			}
		}
		if r := w.get("strict", "/v1/devices?source=schule-b"); r.status != http.StatusOK {
			t.Errorf("%s: another source: %s", name, r)
		}
	}
}

// What a request of one source costs does not depend on how many there are: nobody is asked for the state of the others.
func TestARequestOfOneSourceAsksForTheStateOfThatSourceAlone(t *testing.T) {
	w := newWorld(t)
	w.publishAll(3)
	w.page("/api/v1/computers-inventory") // token and run
	cursor := *w.devices("all", "?source=schule-a&kind=computer&limit=1").NextCursor
	for path, want := range map[string]int{
		"/v1/devices?source=schule-a": 1, "/v1/devices?source=schule-a&kind=computer&limit=1&cursor=" + cursor: 1, "/v1/devices/schule-a:computer:1": 1,
		"/v1/devices/schule-a:computer:77": 1, "/api/v1/computers-inventory": 1, "/jamf/schule-b/api/v2/mobile-devices/1": 1, "/api/v1/auth": 1,
		"/api/v1/jamf-pro-version": 1, "/v1/sources/schule-a": 1, "/v1/sources/schule-a/health": 1, "/v1/sources/nowhere": 0, "/v1/devices": 2, "/v1/sources": 2,
	} {
		before := w.house.statusesTold()
		w.get("all", path)
		if told := w.house.statusesTold() - before; told != want {
			t.Errorf("%s: %d states were made, want %d", path, told, want)
		}
	}
}
