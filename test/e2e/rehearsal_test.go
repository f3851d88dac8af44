package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
	"jamf-gateway/test/fakejamf"
)

// calendar is a clock that runs and can be put forward: for the gateway and for Jamf, whose tokens end by it.
type calendar struct{ ahead atomic.Int64 }

func (c *calendar) now() time.Time         { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *calendar) pass(day time.Duration) { c.ahead.Add(int64(day)) }

// namesIn is what lives in Jamf now: the name of each device by id.
func namesIn(t *testing.T, jamf *fakejamf.Server, kind fakejamf.Kind) map[string]string {
	t.Helper()
	names := map[string]string{}
	for _, id := range jamf.Ledger().Alive(kind) {
		var record struct {
			General struct{ Name, DisplayName string }
		}
		if err := json.Unmarshal(jamf.Record(kind, id), &record); err != nil {
			t.Fatal(err)
		}
		names[strconv.FormatInt(id, 10)] = record.General.Name + record.General.DisplayName // a kind has one of them
	}
	return names
}

// stir deletes and renames a device in ten of each kind, and adds seven.
func (h *house) stir(mark string) {
	h.t.Helper()
	for _, kind := range []fakejamf.Kind{fakejamf.Computer, fakejamf.Mobile} {
		for i, id := range h.jamf.Ledger().Alive(kind) {
			switch i % 10 {
			case 3:
				h.jamf.Delete(kind, id)
			case 6:
				h.jamf.Rename(kind, id, fmt.Sprintf("%s %d", mark, id))
			}
		}
		for range 7 {
			h.jamf.Add(kind)
		}
	}
}

// synced reads a kind and holds it against what it should be.
func (v *inventory360) synced(b books, want map[string]string, state string, meanwhile func()) {
	v.h.t.Helper()
	names, states, err := v.sync(b, meanwhile)
	if err != nil {
		v.h.t.Fatalf("sync of %v: %v", b.kind, err)
	}
	if !maps.Equal(names, want) {
		v.h.t.Errorf("sync of %v: %d devices, other ones or other names than the %d that lived", b.kind, len(names), len(want))
	}
	if slices.ContainsFunc(states, func(s string) bool { return s != state }) {
		v.h.t.Errorf("sync of %v: the pages say %q, want %q", b.kind, states, state)
	}
}

// What Inventory360's administrator lives through: the connection test, a sync while everything changes, the next day, a secret
// that was rotated in Jamf, and its repair.
func TestInventory360FromItsConnectionTestToARotatedSecret(t *testing.T) {
	t.Parallel()
	days := &calendar{}
	h := newHouse(t, fakejamf.Options{Computers: 120, Mobiles: 110, Seed: 12, Now: days.now}, nil)
	h.now = days.now
	h.start()
	h.waitSynced()
	v := h.inventory360(h.base + "/api")

	if mobiles, err := v.testConnection(); err != nil || mobiles != 110 {
		t.Fatalf("connection test: %d mobile devices, %v", mobiles, err)
	}
	// A tenth of the devices goes every time: more in a week than is published unasked, so that it is announced.
	announced := h.call(http.MethodPost, h.admin+"/v1/admin/sources/schule-a/expect-removals?count=200&until="+
		days.now().Add(7*24*time.Hour).UTC().Format(time.RFC3339), nil)
	if announced.status != http.StatusOK {
		t.Fatalf("expect removals: %d %s", announced.status, announced.body)
	}
	first := map[fakejamf.Kind]map[string]string{fakejamf.Computer: namesIn(t, h.jamf, fakejamf.Computer), fakejamf.Mobile: namesIn(t, h.jamf, fakejamf.Mobile)}
	for _, b := range []books{computerBooks(), mobileBooks()} {
		began := days.now()
		v.pause = func() { days.pass(31 * time.Minute / time.Duration(len(first[b.kind]))) } // a device takes it some 15 s
		v.synced(b, first[b.kind], "", func() {
			h.stir("neu")
			h.syncNow()
		})
		if took := days.now().Sub(began); took < 30*time.Minute {
			t.Errorf("the sync of %v took it %v", b.kind, took)
		}
	}
	v.pause = nil
	for _, kind := range []device.Kind{device.Computer, device.Mobile} {
		if n := h.generation(kind).Number; n != 3 {
			t.Errorf("the syncs were to be met by 2 new generations of %s, the newest is %d", kind, n)
		}
	}

	days.pass(24 * time.Hour)
	h.syncNow()
	second := map[fakejamf.Kind]map[string]string{fakejamf.Computer: namesIn(t, h.jamf, fakejamf.Computer), fakejamf.Mobile: namesIn(t, h.jamf, fakejamf.Mobile)}
	v.synced(computerBooks(), second[fakejamf.Computer], "", nil)
	v.synced(mobileBooks(), second[fakejamf.Mobile], "", nil)

	const rotated = "canary-rotated-secret-41d0"
	h.jamf.RotateSecret(rotated)
	h.stir("später")
	days.pass(24 * time.Hour)
	h.syncNow()
	h.showsRefusedCredentials(v)
	v.synced(computerBooks(), second[fakejamf.Computer], "stale; reason=auth_failed", nil)
	v.synced(mobileBooks(), second[fakejamf.Mobile], "stale; reason=auth_failed", nil)

	h.stop()
	h.settings.Sources[0].ClientSecret = config.NewSecret(rotated)
	h.start()
	days.pass(24 * time.Hour)
	h.syncNow()
	v.url = h.base + "/api" // the port is another one
	if mobiles, err := v.testConnection(); err != nil || mobiles != len(h.jamf.Ledger().Alive(fakejamf.Mobile)) {
		t.Errorf("connection test with the new secret: %d mobile devices, %v", mobiles, err)
	}
	v.synced(computerBooks(), namesIn(t, h.jamf, fakejamf.Computer), "", nil)
	v.synced(mobileBooks(), namesIn(t, h.jamf, fakejamf.Mobile), "", nil)
	if strings.Contains(h.logs.String(), rotated) {
		t.Error("the new secret stands in the log")
	}
}

// showsRefusedCredentials: both syncs failed for the secret, health says what to do, and the connection test does not lie.
func (h *house) showsRefusedCredentials(v *inventory360) {
	h.t.Helper()
	var health struct {
		Status string
		Kinds  []struct {
			LastError *struct{ Code, Action string }
		}
	}
	h.get("/v1/sources/schule-a/health").decode(h.t, &health)
	if health.Status != "degraded" || len(health.Kinds) != 2 {
		h.t.Errorf("health is %q with %d kinds", health.Status, len(health.Kinds))
	}
	for _, k := range health.Kinds {
		if e := k.LastError; e == nil || e.Code != "auth_failed" || !strings.Contains(e.Action, "put its current client_id and client_secret into the settings") {
			h.t.Errorf("health of a kind: %+v", e)
		}
	}
	r, err := v.ask("/v1/auth")
	if err != nil || r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" || !strings.Contains(string(r.body), "[auth_failed]") {
		h.t.Errorf("v1/auth: %d %q %.300s, %v", r.status, r.header.Get("Retry-After"), r.body, err)
	}
}

// A client that cannot use a path is given the root of a host name: token, rights, lists and devices are those of its source,
// although another one is the default.
func TestInventory360ReadsASourceThroughItsHostName(t *testing.T) {
	t.Parallel()
	jamf := fakejamf.New(fakejamf.Options{Computers: 120, Mobiles: 30, Seed: 13, ClientID: "gw", ClientSecret: jamfSecret})
	upstream := httptest.NewServer(jamf)
	t.Cleanup(upstream.Close)
	h := newHouse(t, fakejamf.Options{Computers: 40, Mobiles: 20, Seed: 12}, func(c *config.Config) {
		c.PublicURL = "https://gateway.example.com"
		b := c.Sources[0]
		b.Name, b.URL, b.Default, b.Hosts = "schule-b", upstream.URL+"/api", false, []string{"jamf-b.example.com"}
		c.Sources = append(c.Sources, b)
	})
	h.start()
	h.waitSynced()
	h.waitFor("the first sync of the other source", func() bool {
		k := h.gateway.Status()[1].Kinds
		return k[0].LastResult == "ok" && k[1].LastResult == "ok"
	})
	v := h.inventory360("http://JAMF-B.example.com.:8443/api") // capitals, the dot and the port of a name do not matter
	if mobiles, err := v.testConnection(); err != nil || mobiles != 30 {
		t.Errorf("connection test: %d mobile devices, %v", mobiles, err)
	}
	v.synced(computerBooks(), namesIn(t, jamf, fakejamf.Computer), "", nil)
	v.synced(mobileBooks(), namesIn(t, jamf, fakejamf.Mobile), "", nil)

	all := h.inventory360("http://gateway.example.com/api")
	all.synced(mobileBooks(), namesIn(t, h.jamf, fakejamf.Mobile), "", nil)

	stranger := h.inventory360("http://jamf-c.example.com/api")
	if r, err := stranger.send(http.MethodGet, "/v1/auth", nil, h.token()); err != nil || r.status != http.StatusMisdirectedRequest || !strings.Contains(string(r.body), "misdirected") {
		t.Errorf("a name that is nobody's: %d %.300s, %v", r.status, r.body, err)
	}
}
