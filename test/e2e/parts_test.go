package e2e_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
	"jamf-gateway/test/fakejamf"
)

// Each of these fails when the part that it names is taken out.

func TestSemaphoreBoundsConnectionsOverAllSourcesOfAHost(t *testing.T) {
	t.Parallel()
	// Slow and nothing else: four walks must stand before two connections all the time, and a pause after an error would let one go.
	o := fakejamf.Options{Computers: 150, Mobiles: 150, Faults: fakejamf.Faults{MaxLatency: 30 * time.Millisecond}}
	h := newHouse(t, o, func(c *config.Config) {
		c.Sources[0].Sync.PageSize = 50
		second := c.Sources[0]
		second.Name, second.Default = "schule-b", false
		c.Sources = append(c.Sources, second)
	})
	h.start()
	h.waitSynced()
	h.waitFor("the other source", func() bool {
		k := h.gateway.Status()[1].Kinds
		return k[0].LastResult == "ok" && k[1].LastResult == "ok"
	})
	if peak := h.jamf.Stats().PeakConcurrency; peak != 2 {
		t.Errorf("%d requests at once; four walks with 2 connections should reach exactly 2", peak)
	}
}

func TestLimiterPacesTheWalk(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 400, Mobiles: 5}, func(c *config.Config) {
		c.Sources[0].Sync.PageSize = 50
		c.Sources[0].Limits.RequestsPerSecond = 8
	})
	began := time.Now()
	h.start()
	h.waitSynced()
	took := time.Since(began)
	requests := len(h.jamf.Requests())
	// The burst of 5 is free, the rest takes an eighth of a second each.
	if least := time.Duration(requests-5) * time.Second / 8 * 9 / 10; took < least {
		t.Errorf("%d requests in %v, at 8 a second they take %v", requests, took, least)
	}
}

func TestBreakerSparesAJamfThatIsDown(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 20, Mobiles: 20}, nil)
	h.jamf.Down(true)
	h.start()
	h.waitFor("an open breaker", func() bool {
		var health struct{ Breaker string }
		h.get("/v1/sources/schule-a/health").decode(t, &health)
		return health.Breaker == "open"
	})
	before := len(h.jamf.Requests())
	time.Sleep(2 * time.Second)
	if more := len(h.jamf.Requests()) - before; more > 0 {
		t.Errorf("%d calls to a Jamf whose breaker is open", more)
	}
	if before > 12 {
		t.Errorf("%d calls before the breaker opened", before)
	}
}

func TestRistrettoServesHitsAndMayForgetEverything(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 100, Mobiles: 100}, nil)
	h.start()
	h.waitSynced()
	h.waitFor("a warm cache", func() bool { return h.metric("cache_warmed_devices", nil) == 200 })
	token := h.token()
	ask := func() reply {
		return h.call(http.MethodGet, "/v1/devices?limit=150", nil, "Authorization", "Bearer "+token)
	}
	first := ask()
	if hits := h.metric("cache_hits_total", map[string]string{"cache.entry": "device"}); hits < 150 {
		t.Errorf("%v devices came from the warm cache, 150 were asked for", hits)
	}
	h.waitFor("a hit", func() bool {
		ask()
		return h.metric("cache_hits_total", map[string]string{"cache.entry": "answer"}) > 0
	})
	h.gateway.Store().Flush()
	again := ask()
	if string(again.body) != string(first.body) || again.header.Get("ETag") != first.header.Get("ETag") {
		t.Error("the answer changed when the cache forgot")
	}
}

func TestOverlapWalkLosesNoDeviceThatADeletionMovedPastTheReadingPoint(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 300, Mobiles: -1, Seed: 2}, func(c *config.Config) { c.Sources[0].Kinds = []string{"computer"} })
	var once sync.Once
	h.upstream.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.jamf.ServeHTTP(w, r)
		if q := r.URL.Query(); strings.HasSuffix(r.URL.Path, "/computers-inventory") && q.Get("page") == "0" && q.Get("page-size") != "1" {
			once.Do(func() { // behind the reading point: the rows after it move up, and the counts stay equal
				for _, id := range h.jamf.Ledger().Alive(fakejamf.Computer)[:3] {
					h.jamf.Delete(fakejamf.Computer, id)
				}
			})
		}
	})
	from := h.jamf.Mark()
	h.start()
	h.waitSynced()
	if n := len(h.jamf.Ledger().Alive(fakejamf.Computer)); n != 297 {
		t.Fatalf("%d computers live: nothing was deleted, this test proves nothing", n)
	}
	h.agreesWithLedger(fakejamf.Computer, h.walk("/api/v4/computers-inventory", "id", 100), from, h.jamf.Mark())
}

func TestNarrowedProfileRemovesTheRestFromDisk(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 40, Mobiles: 5, Seed: 11}, func(c *config.Config) { c.Sources[0].Profile = "full" })
	h.start()
	h.waitSynced()
	var user struct{ User struct{ Email string } }
	uid := ""
	for _, id := range h.walk("/api/v4/computers-inventory", "id", 100) {
		h.get("/v1/devices/schule-a:computer:"+id).decode(t, &user)
		if user.User.Email != "" {
			uid = "schule-a:computer:" + id
			break
		}
	}
	if uid == "" {
		t.Fatal("no computer with a user: this test proves nothing")
	}
	h.stop()
	h.settings.Sources[0].Profile = "minimal"
	h.jamf.Down(true)
	h.start()
	user.User.Email = ""
	h.get("/v1/devices/"+uid).decode(t, &user)
	if user.User.Email != "" {
		t.Errorf("%s still shows %s", uid, user.User.Email)
	}
	g, err := h.gateway.Store().Acquire(cache.Series{Source: "schule-a", Kind: device.Computer})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Release()
	if kept := h.gateway.Store().Kept(cache.Series{Source: "schule-a", Kind: device.Computer}); len(kept) != 1 {
		t.Errorf("%d generations are kept, the wide ones should be gone", len(kept))
	}
}

func TestTwoClientsSeeOnlyTheirSources(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 20, Mobiles: 20}, func(c *config.Config) {
		second := c.Sources[0]
		second.Name, second.Default = "schule-b", false
		c.Sources = append(c.Sources, second)
		c.Clients[0].Sources = []string{"schule-b"}
	})
	h.start()
	h.waitSynced()
	h.waitFor("the other source", func() bool { return h.gateway.Status()[1].Kinds[1].LastResult == "ok" })
	r := h.get("/v1/devices?limit=1000")
	if strings.Contains(string(r.body), "schule-a") {
		t.Error("a device of a foreign source is shown")
	}
	for _, path := range []string{"/v1/devices/schule-a:computer:1", "/v1/sources/schule-a", "/api/v2/mobile-devices", "/jamf/schule-a/api/v2/mobile-devices"} {
		if r := h.get(path); r.status < 400 || r.status >= 500 {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	if r := h.get("/jamf/schule-b/api/v2/mobile-devices"); r.status != http.StatusOK {
		t.Errorf("the own source: %d", r.status)
	}
}
