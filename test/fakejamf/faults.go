package fakejamf

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Faults is what goes wrong. The zero value is calm. Rates are probabilities from 0 to 1.
type Faults struct {
	RefuseToken     float64       // valid tokens answered with 401 INVALID_TOKEN
	ServerError     float64       // list pages answered with 500 in Jamf's envelope
	BadGateway      float64       // list pages answered with 502 and HTML
	HTMLPage        float64       // list pages answered with 200 and HTML
	Throttle        float64       // requests answered with 429 and Retry-After
	RetryAfter      time.Duration // told with 429, whole seconds; 0 = 1 s
	MaxLatency      time.Duration // each request waits between 0 and this
	PoisonComputers int           // computers that break every page and record with more than GENERAL
	BrokenMobiles   int           // mobile devices that break a STRICT detail page that asks for HARDWARE
	ShuffleUnsorted bool          // a list without sort comes in another order each time
	FalseEmpty      bool          // lists answer totalCount 0 and no rows although devices live
}

// Calm is no fault at all.
func Calm() Faults { return Faults{} }

// Hostile is a bad day: refused tokens, broken and foreign pages, latency, throttling, records that never render.
func Hostile() Faults {
	return Faults{
		RefuseToken: 0.05, ServerError: 0.007, BadGateway: 0.007, HTMLPage: 0.006, Throttle: 0.005, RetryAfter: time.Second,
		MaxLatency: 300 * time.Millisecond, PoisonComputers: 1, BrokenMobiles: 1, ShuffleUnsorted: true,
	}
}

// ParseFaults reads the word that a command line gives: calm or hostile.
func ParseFaults(word string) (Faults, error) {
	switch strings.ToLower(word) {
	case "", "calm":
		return Calm(), nil
	case "hostile":
		return Hostile(), nil
	}
	return Faults{}, fmt.Errorf("read faults %q: want calm or hostile", word)
}

func (s *Server) setFaultsLocked(f Faults) {
	s.faults = f
	s.poisoned = s.choose(Computer, f.PoisonComputers, func(int64) bool { return true })
	s.broken = s.choose(Mobile, f.BrokenMobiles, func(id int64) bool {
		return s.shapes.world.mobile(row{id: id}).deviceType == typeIOS
	})
}

// choose picks n of the first devices of a kind by seed: the same ones each time.
func (s *Server) choose(k Kind, n int, fit func(int64) bool) map[int64]bool {
	ids, chosen := s.kinds[k].initial, map[int64]bool{}
	d := roll(s.o.Seed, k.number(), saltFaults)
	for tries := 0; len(chosen) < min(n, len(ids)) && tries < 50*n+50; tries++ {
		if id := ids[d.n(len(ids))]; fit(id) {
			chosen[id] = true
		}
	}
	return chosen
}

// chanceLocked throws for one fault and counts it.
func (s *Server) chanceLocked(name string, p float64) bool {
	if !s.dice.chance(p) {
		return false
	}
	s.stats.Faults[name]++
	return true
}

// disturb delays a request and may answer it in Jamf's stead; true when it did.
func (s *Server) disturb(w http.ResponseWriter, r *http.Request, page bool) bool {
	s.mu.Lock()
	var wait time.Duration
	if s.faults.MaxLatency > 0 {
		wait = time.Duration(s.dice.n(int(s.faults.MaxLatency)))
	}
	var answer func()
	switch {
	case s.chanceLocked("throttle", s.faults.Throttle):
		after := max(time.Second, s.faults.RetryAfter.Round(time.Second))
		answer = func() {
			w.Header().Set("Retry-After", fmt.Sprint(int(after.Seconds())))
			s.refuse(w, r, http.StatusTooManyRequests, "TOO_MANY_REQUESTS", "Too many requests")
		}
	case !page:
	case s.chanceLocked("server error", s.faults.ServerError):
		answer = func() { s.refuse(w, r, http.StatusInternalServerError, "", "") }
	case s.chanceLocked("bad gateway", s.faults.BadGateway):
		answer = func() { html(w, http.StatusBadGateway, "502 Bad Gateway") }
	case s.chanceLocked("html page", s.faults.HTMLPage):
		answer = func() { html(w, http.StatusOK, "Jamf Pro Login") }
	}
	s.mu.Unlock()
	if !sleep(r.Context(), wait) {
		return true
	}
	if answer != nil {
		answer()
	}
	return answer != nil
}

// sleep waits, or returns false when the client has gone.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
