package fakejamf_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/test/fakejamf"
)

func TestEachRateFaultStrikesAloneAndIsCounted(t *testing.T) {
	tests := map[string]struct {
		faults fakejamf.Faults
		status int
		kind   string
	}{
		"refused token": {fakejamf.Faults{RefuseToken: 1}, 401, "application/json"},
		"server error":  {fakejamf.Faults{ServerError: 1}, 500, "application/json"},
		"bad gateway":   {fakejamf.Faults{BadGateway: 1}, 502, "text/html;charset=utf-8"},
		"html page":     {fakejamf.Faults{HTMLPage: 1}, 200, "text/html;charset=utf-8"},
		"throttle":      {fakejamf.Faults{Throttle: 1, RetryAfter: 7 * time.Second}, 429, "application/json"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := fakejamf.New(fakejamf.Options{})
			c := newClient(t, s)
			s.SetFaults(tt.faults)
			for _, path := range []string{byID, detailByID, "/api/v2/mobile-devices"} {
				res := c.get(path)
				if res.Code != tt.status || res.Header().Get("Content-Type") != tt.kind {
					t.Errorf("%s: %d %s", path, res.Code, res.Header().Get("Content-Type"))
				}
				if tt.status == 429 && res.Header().Get("Retry-After") != "7" {
					t.Errorf("Retry-After %q", res.Header().Get("Retry-After"))
				}
			}
			if got := s.Stats().Faults; len(got) != 1 || got[name] != 3 {
				t.Errorf("counted %v", got)
			}
			s.SetFaults(fakejamf.Calm())
			if got := c.status(byID); got != 200 {
				t.Errorf("calm again: %d", got)
			}
		})
	}
}

func TestHostileRatesAreAsDocumented(t *testing.T) {
	f := fakejamf.Hostile()
	f.MaxLatency = 0
	s := fakejamf.New(fakejamf.Options{Computers: 3, Seed: 5, Faults: f})
	c := &client{t: t, server: s}
	c.renewHostile()
	const n = 5000
	for range n {
		c.get("/api/v4/computers-inventory?page-size=1")
	}
	got := s.Stats().Faults
	within := func(name string, low, high float64) {
		if share := float64(got[name]) / n; share < low || share > high {
			t.Errorf("%s: %.4f of requests, want %.3f to %.3f", name, share, low, high)
		}
	}
	within("refused token", 0.04, 0.06)
	within("throttle", 0.002, 0.009)
	pages := float64(got["server error"]+got["bad gateway"]+got["html page"]) / n
	if pages < 0.013 || pages > 0.027 {
		t.Errorf("broken pages: %.4f, want about 0.02", pages)
	}
}

func TestPoisonedComputerBreaksEverythingBeyondGeneral(t *testing.T) {
	s := fakejamf.New(fakejamf.Options{Computers: 100, Seed: 1, Faults: fakejamf.Faults{PoisonComputers: 1}})
	c := newClient(t, s)
	poisoned := s.Poisoned()
	if len(poisoned) != 1 {
		t.Fatalf("poisoned %v", poisoned)
	}
	id := poisoned[0]
	broken := 0
	for page := range 10 {
		path := fmt.Sprintf("%s&page-size=10&page=%d", byID, page)
		if got := c.status(path); got != 200 {
			t.Errorf("GENERAL alone, page %d: %d", page, got)
		}
		if c.status(path+"&section=GENERAL&section=HARDWARE") == 500 {
			broken++
		}
	}
	if broken != 1 {
		t.Errorf("%d of 10 pages are broken, want 1", broken)
	}
	for path, want := range map[string]int{
		fmt.Sprintf("/api/v4/computers-inventory/%d", id):                 200,
		fmt.Sprintf("/api/v4/computers-inventory/%d?section=STORAGE", id): 500,
		fmt.Sprintf("/api/v1/computers-inventory-detail/%d", id):          500,
	} {
		if got := c.status(path); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}

func TestBrokenMobileDeviceIs500UnderStrictAndNullUnderLenient(t *testing.T) {
	s := fakejamf.New(fakejamf.Options{Mobiles: 100, Seed: 1, Faults: fakejamf.Faults{BrokenMobiles: 1}})
	c := newClient(t, s)
	if len(s.Broken()) != 1 {
		t.Fatalf("broken %v", s.Broken())
	}
	id := s.Broken()[0]
	const sections = "&section=GENERAL&section=HARDWARE"
	res := c.get(detailByID + sections)
	if res.Code != 500 || !strings.Contains(res.Body.String(), fmt.Sprintf("id %d", id)) {
		t.Errorf("STRICT: %d %s", res.Code, res.Body)
	}
	if got := c.status(detailByID); got != 200 {
		t.Errorf("STRICT without HARDWARE: %d", got)
	}
	l := c.list(detailByID + sections + "&exception-handling=LENIENT")
	if len(l.Results) != 100 {
		t.Errorf("LENIENT: %d rows", len(l.Results))
	}
	for _, r := range l.Results {
		if null := r["hardware"] == nil; null != (r.id(t) == id) {
			t.Errorf("LENIENT: hardware of %d is null: %t", r.id(t), null)
		}
	}
}

func TestMutationsSpareThePoisonedAndTheBroken(t *testing.T) {
	s := fakejamf.New(fakejamf.Options{
		Computers: 12, Mobiles: 12, Seed: 3, Mutate: true, MutateRate: 50,
		Faults: fakejamf.Faults{PoisonComputers: 2, BrokenMobiles: 2},
	})
	c := newClient(t, s)
	for range 20 {
		c.list(byID)
		c.list(detailByID)
	}
	for _, id := range s.Poisoned() {
		if !slices.Contains(s.Ledger().Alive(fakejamf.Computer), id) {
			t.Errorf("poisoned computer %d is gone", id)
		}
	}
	for _, id := range s.Broken() {
		if !slices.Contains(s.Ledger().Alive(fakejamf.Mobile), id) {
			t.Errorf("broken mobile device %d is gone", id)
		}
	}
}

func TestUnsortedListsAreShuffledButWholeOnAHostileDay(t *testing.T) {
	s := fakejamf.New(fakejamf.Options{Computers: 97, Seed: 1, Faults: fakejamf.Faults{ShuffleUnsorted: true}})
	c := newClient(t, s)
	one, two := c.list("/api/v4/computers-inventory").ids(t), c.list("/api/v4/computers-inventory").ids(t)
	if slices.Equal(one, two) {
		t.Error("two requests came in one order")
	}
	slices.Sort(one)
	if want := s.Ledger().Alive(fakejamf.Computer); !slices.Equal(one, want) {
		t.Errorf("%d rows, want each of %d once", len(one), len(want))
	}
	if ids := c.list(byID).ids(t); !slices.IsSorted(ids) {
		t.Error("a sort that was asked for is not kept")
	}
}

func TestCountsAndListsLieOnDemand(t *testing.T) {
	s := fakejamf.New(fakejamf.Options{Computers: 10, Mobiles: 10})
	c := newClient(t, s)
	s.BreakTotalCount(-3)
	if l := c.list(byID); l.Total != 7 || len(l.Results) != 10 {
		t.Errorf("%d of %d", len(l.Results), l.Total)
	}
	s.BreakTotalCount(0)
	s.SetFaults(fakejamf.Faults{FalseEmpty: true})
	if l := c.list(detailByID); l.Total != 0 || l.Results == nil || len(l.Results) != 0 {
		t.Errorf("false empty: %+v", l)
	}
	if got := len(s.Ledger().Alive(fakejamf.Mobile)); got != 10 {
		t.Errorf("%d devices live, want 10", got)
	}
}

func TestDownInstanceAnswersHTMLEverywhere(t *testing.T) {
	s := fakejamf.New(fakejamf.Options{})
	c := newClient(t, s)
	s.Down(true)
	for _, path := range []string{byID, "/api/v1/auth", "/healthCheck.html"} {
		res := c.get(path)
		if res.Code != http.StatusServiceUnavailable || json.Valid(res.Body.Bytes()) {
			t.Errorf("%s: %d %s", path, res.Code, res.Body)
		}
	}
	if got := c.post("/api/v1/oauth/token", form("demo", "demo-secret")).Code; got != 503 {
		t.Errorf("token: %d", got)
	}
	s.Down(false)
	if got := c.status(byID); got != 200 {
		t.Errorf("up again: %d", got)
	}
}

func TestLatencyIsSpentAndBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakejamf.New(fakejamf.Options{Computers: 100, ServerMillisPerRow: 26})
		c := newClient(t, s)
		begin := time.Now()
		c.list(byID)
		if got := time.Since(begin); got != 2600*time.Millisecond {
			t.Errorf("100 rows took %v, want 2.6 s", got)
		}
		s.SetFaults(fakejamf.Faults{MaxLatency: 300 * time.Millisecond})
		var longest time.Duration
		for range 50 {
			begin = time.Now()
			c.get("/api/v1/auth")
			longest = max(longest, time.Since(begin))
		}
		if longest < 200*time.Millisecond || longest > 300*time.Millisecond {
			t.Errorf("the longest of 50 waits is %v", longest)
		}
	})
}

func TestStatsAndRequestsTellWhatWasAsked(t *testing.T) {
	s := fakejamf.New(fakejamf.Options{Computers: 30})
	c := newClient(t, s)
	c.list(byID + "&page-size=20")
	c.get(fmt.Sprintf("/api/v4/computers-inventory/%d", s.Ledger().Alive(fakejamf.Computer)[0]))
	got := s.Stats()
	if got.Requests["GET /api/v4/computers-inventory"] != 1 || got.Requests["GET /api/v4/computers-inventory/{id}"] != 1 ||
		got.TokensIssued != 1 || got.RowsServed != 20 || got.PagesServed != 1 || got.PeakConcurrency != 1 || got.Statuses[200] != 3 {
		t.Errorf("stats %+v", got)
	}
	if !strings.HasPrefix(got.LastCookieSet, "jpro-ingress=") || !strings.HasPrefix(got.LastCookieSet, got.LastCookieSent) || got.LastCookieSent == "" {
		t.Errorf("cookies set %q, sent %q", got.LastCookieSet, got.LastCookieSent)
	}
	asked := s.Requests()
	if len(asked) != 3 || asked[1].Query != "sort=id:asc&page-size=20" || asked[1].Status != 200 {
		t.Errorf("requests %+v", asked)
	}
}

func TestParseFaultsKnowsTwoWords(t *testing.T) {
	for word, want := range map[string]fakejamf.Faults{"calm": {}, "": {}, "Hostile": fakejamf.Hostile()} {
		if got, err := fakejamf.ParseFaults(word); err != nil || got != want {
			t.Errorf("%q: %+v, %v", word, got, err)
		}
	}
	if _, err := fakejamf.ParseFaults("angry"); err == nil || !strings.Contains(err.Error(), "angry") {
		t.Errorf("error %v", err)
	}
}
