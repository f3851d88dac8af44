package server_test

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/gateway/server"
)

// clientRate gives one client a rate.
func clientRate(client string, perSecond float64) option {
	return func(o *server.Options) {
		for i := range o.Clients {
			if o.Clients[i].ID == client {
				o.Clients[i].RequestsPerSecond = perSecond
			}
		}
	}
}

func TestWhoAsksTooOftenIsRefusedInTheShapeOfThePathAndNobodyElseIs(t *testing.T) {
	w := newWorld(t, clientRate("only-a", 0.1)) // the clock of the world stands: there is never a second turn
	w.publishAll(2)
	slow, others := w.token("only-a"), w.token("only-b")
	for path, kind := range map[string]string{
		"/v1/devices": "application/problem+json", "/jamf/schule-a/api/v1/computers-inventory": "application/json", "/v1/nothing": "application/problem+json",
	} {
		r := w.do(http.MethodGet, w.base+path, "", "Authorization", "Bearer "+slow)
		w.want(r, http.StatusTooManyRequests, "rate_limited")
		if got := r.header.Get("Content-Type"); got != kind {
			t.Errorf("%s: %s", path, got)
		}
		if wait, err := strconv.Atoi(r.header.Get("Retry-After")); err != nil || wait != 10 {
			t.Errorf("%s: Retry-After %q", path, r.header.Get("Retry-After"))
		}
	}
	form := url.Values{"client_id": {"only-a"}, "client_secret": {secretOf("only-a")}, "grant_type": {"client_credentials"}}
	for _, path := range []string{"/oauth/token", "/api/oauth/token", "/api/v1/oauth/token"} {
		r := w.do(http.MethodPost, w.base+path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		w.want(r, http.StatusTooManyRequests, "rate_limited")
		if r.header.Get("Retry-After") == "" {
			t.Errorf("%s says not how long", path)
		}
	}
	form.Set("client_secret", "wrong")
	w.want(w.do(http.MethodPost, w.base+"/oauth/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded"), http.StatusUnauthorized, "invalid_client")
	for range 20 {
		if r := w.do(http.MethodGet, w.base+"/v1/devices", "", "Authorization", "Bearer "+others); r.status != http.StatusOK {
			t.Fatalf("another client: %s", r)
		}
	}
}

func TestSixtyFourAtOnceWaitForTheirTurnAndAreNotRefused(t *testing.T) {
	const perSecond, asked = 400, 700
	w := newWorld(t, clientRate("all", perSecond), func(o *server.Options) { o.Now = time.Now })
	w.publishAll(2)
	w.http.Transport.(*http.Transport).MaxIdleConnsPerHost = 64
	token, begun := w.token("all"), time.Now()
	var group sync.WaitGroup
	var left, refused atomic.Int64
	left.Store(asked)
	for range 64 {
		group.Go(func() {
			for left.Add(-1) >= 0 {
				if status, _ := w.ask("/v1/sources", token, false); status != http.StatusOK {
					refused.Add(1)
				}
			}
		})
	}
	group.Wait()
	if refused.Load() > 0 {
		t.Errorf("%d of %d were refused", refused.Load(), asked)
	}
	if took := time.Since(begun); took < (asked-perSecond-1)*time.Second/perSecond*9/10 {
		t.Errorf("%d requests at %d a second took %v", asked, perSecond, took)
	}
}

// Guesses are held, from an address that has guessed too often; who has the right secret at the same address is not.
func TestGuessesAreHeldAndTheRightfulClientIsNot(t *testing.T) {
	const patience = 300 * time.Millisecond
	w := newWorld(t, func(o *server.Options) { o.Patience = patience; o.Now = time.Now })
	w.publishAll(1)
	w.http.Transport.(*http.Transport).MaxIdleConnsPerHost = 64
	guess := func(id string) (int, time.Duration) {
		form := url.Values{"client_id": {id}, "client_secret": {"wrong"}, "grant_type": {"client_credentials"}}
		begun := time.Now()
		r := w.do(http.MethodPost, w.base+"/oauth/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		return r.status, time.Since(begun)
	}
	first := time.Hour // the shortest of some: other tests have the processor too
	for range 5 {
		_, took := guess("all")
		first = min(first, took)
	}
	if first >= patience {
		t.Errorf("each of the first mistakes was held, for %v at least", first)
	}
	token := w.token("all")
	const workers = 32
	begun := time.Now()
	end := begun.Add(4 * patience)
	var group sync.WaitGroup
	var guesses, held atomic.Int64
	for i := range workers {
		group.Go(func() {
			for n := 0; time.Now().Before(end); n++ {
				status, took := guess([]string{"all", "nobody"}[(i+n)%2])
				if status != http.StatusUnauthorized {
					t.Errorf("a guess: %d", status)
					return
				}
				guesses.Add(1)
				if took >= patience {
					held.Add(1)
				}
			}
		})
	}
	slow := 0 // other tests have the processor too
	for range 40 {
		before := time.Now()
		if fresh := w.token("all"); fresh == "" {
			t.Error("no token")
		}
		if status, _ := w.ask("/v1/devices", token, false); status != http.StatusOK {
			t.Errorf("the rightful client: %d", status)
		}
		if time.Since(before) >= patience {
			slow++
		}
	}
	if slow > 10 {
		t.Errorf("the rightful client waited %d times of 40", slow)
	}
	group.Wait()
	took := time.Since(begun)
	most := server.AddressBurst + server.AddressRefusals*took.Seconds() + workers*(took.Seconds()/patience.Seconds()+1)
	if n := float64(guesses.Load()); n > most || held.Load() < workers {
		t.Errorf("%v guesses in %v, %d of them held; want %v at most", n, took, held.Load(), most)
	}
	t.Logf("%d guesses, %d held, in %v", guesses.Load(), held.Load(), took)
}

// The more refusals are held the longer each is, so that connections opened for one guess each cost a bounded part of the processor.
func TestRefusalsAreHeldTheLongerTheMoreThereAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refuse := server.HoldRefusals(time.Second)
		for _, step := range []struct {
			n    int
			most time.Duration
		}{{server.AddressBurst, 0}, {100, time.Second}, {1500, 3 * time.Second}, {6000, 8 * time.Second}, {server.AddressBurst + 50, time.Second}} {
			if got := slices.Max(refuse(step.n)); got != step.most {
				t.Errorf("of %d at once the last is held for %v, want %v", step.n, got, step.most)
			}
		}
	})
}
