package jamf_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/gateway/jamf"
)

func TestTheSemaphoreBoundsWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, _ int) {
			time.Sleep(10 * time.Second)
			givePage(w, 1)
		}}
		r := connect(t, u, jamf.Limits{RequestsPerSecond: 1000, Burst: 1000}, nil)
		other, err := jamf.NewSource(r.host, jamf.SourceOptions{ // another source on the same host
			Name: "schule-b", URL: "http://127.0.0.1/api", ClientSecret: func() string { return secretCanary }, AllowInsecureLoopback: true,
			Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("dead") },
		})
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if _, err := page(t, r.src.NewWalk(), jamf.MobilePlain); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(5 * time.Second)
		if got := other.Status().InFlight; got != 2 {
			t.Errorf("%d requests under way on the host, want 2", got)
		}
		wg.Wait()
		if _, calls, peak := u.counts(); peak != 2 || calls != 10 {
			t.Errorf("%d at a time of %d, want 2 of 10", peak, calls)
		}
	})
}

func TestConnectionsBeyondJamfsAdviceAreNotOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, _ int) {
			time.Sleep(time.Second)
			givePage(w, 1)
		}}
		r := connect(t, u, jamf.Limits{Connections: 50, RequestsPerSecond: 1000, Burst: 1000}, nil)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { _, _ = page(t, r.src.NewWalk(), jamf.MobilePlain) })
		}
		wg.Wait()
		if _, _, peak := u.counts(); peak != 5 {
			t.Errorf("%d at a time, want 5", peak)
		}
	})
}

func TestTheLimiterPacesAllCallersOfAHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		r := connect(t, u, jamf.Limits{Connections: 5}, nil) // 5 a second, burst 5
		began := time.Now()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				w := r.src.NewWalk()
				for range 10 {
					if _, err := page(t, w, jamf.MobilePlain); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		// 1 token call and 40 pages: 5 at once, 36 at 5 a second.
		if took := time.Since(began); took < 7200*time.Millisecond || took > 7500*time.Millisecond {
			t.Errorf("41 requests took %v, want 7.2 s", took)
		}
		all := u.requests()
		for i := 10; i < len(all); i++ {
			if d := all[i].at.Sub(all[i-10].at); d < 999*time.Millisecond {
				t.Errorf("requests %d to %d within %v", i-10, i, d)
			}
		}
	})
}

// persist asks for pages until the time is over, whatever comes.
func persist(t *testing.T, r *rig, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	for ctx.Err() == nil {
		_, _ = r.src.NewWalk().Page(ctx, jamf.MobilePlain, nil, 0, 1)
	}
}

func TestTheBreakerOpensAfterFiveFailuresAndItsPauseGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{
			token: func(w http.ResponseWriter, _ *http.Request, n int) { giveToken(w, n, 7200) },
			api:   func(w http.ResponseWriter, _ *http.Request, _ int) { giveHTML(w, 503) },
		}
		r := connect(t, u, fast, nil)
		persist(t, r, 40*time.Minute)
		at := u.apiTimes()
		if len(at) < 12 {
			t.Fatalf("%d requests in 40 min: the breaker never lets a probe through", len(at))
		}
		wants := []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 5 * time.Minute, 5 * time.Minute}
		for i, want := range wants {
			// Backoff of the retrying page may come on top.
			if got := at[5+i].Sub(at[4+i]); got < want || got > want+time.Minute {
				t.Errorf("pause %d is %v, want %v", i+1, got, want)
			}
		}
		st := r.src.Status()
		if st.Breaker != "open" || !st.NotBefore.After(time.Now()) {
			t.Errorf("status %+v", st)
		}
	})
}

func TestTheBreakerClosesWhenJamfIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, n int) {
			if n <= 5 {
				giveHTML(w, 502)
				return
			}
			givePage(w, 1)
		}}
		r := connect(t, u, fast, nil)
		var err error
		for range 2 {
			_, err = page(t, r.src.NewWalk(), jamf.MobilePlain) // the second page waits for the breaker
		}
		if err != nil {
			t.Fatal(err)
		}
		if st := r.src.Status(); st.Breaker != "closed" || !st.NotBefore.IsZero() {
			t.Errorf("status %+v", st)
		}
		at := u.apiTimes()
		if got := at[5].Sub(at[4]); got < 30*time.Second {
			t.Errorf("the probe came after %v", got)
		}
	})
}

func TestAHostThatFlapsIsLeftAloneLongerEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, n int) {
			if n%6 == 0 { // every probe is well, what follows it is not
				givePage(w, 1)
				return
			}
			giveHTML(w, 503)
		}}
		r := connect(t, u, fast, nil)
		persist(t, r, 2*time.Hour)
		if got := len(u.apiTimes()); got > 6*26 {
			t.Errorf("%d calls in two hours", got)
		}
	})
}

func TestHalfOfTheCallsFailingOpensTheBreakerToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, n int) {
			if n%2 == 1 { // with the token call: three of six
				giveHTML(w, 503)
				return
			}
			givePage(w, 1)
		}}
		r := connect(t, u, jamf.Limits{Connections: 1, RequestsPerSecond: 1000, Burst: 1000}, nil)
		persist(t, r, 25*time.Second)
		if st := r.src.Status(); st.Breaker != "open" || len(u.apiTimes()) != 5 {
			t.Errorf("breaker %s after %d calls of which half failed, want open after 5", st.Breaker, len(u.apiTimes()))
		}
	})
}

func TestOldFailuresAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, n int) {
			if n%3 != 0 { // two of three fail, but never six calls in five minutes
				giveHTML(w, 503)
				return
			}
			givePage(w, 1)
		}}
		r := connect(t, u, fast, nil)
		for i := range 10 {
			began := time.Now()
			if _, err := page(t, r.src.NewWalk(), jamf.MobilePlain); err != nil || time.Since(began) >= 30*time.Second {
				t.Fatalf("page %d: %v after %v: the breaker opened", i, err, time.Since(began))
			}
			time.Sleep(6 * time.Minute)
		}
	})
}

func TestTheBreakersWindowRolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, n int) {
			if n%3 != 0 {
				giveHTML(w, 503)
				return
			}
			givePage(w, 1)
		}}
		r := connect(t, u, fast, nil)
		took := func() time.Duration {
			began := time.Now()
			if _, err := page(t, r.src.NewWalk(), jamf.MobilePlain); err != nil {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		time.Sleep(4*time.Minute + 40*time.Second)
		if d := took(); d >= 30*time.Second {
			t.Errorf("the breaker opened at two failures of four calls: %v", d)
		}
		time.Sleep(30 * time.Second) // into what would be the next window if windows were fixed
		if d := took(); d < 30*time.Second {
			t.Errorf("four failures of six calls within a minute did not open the breaker: %v", d)
		}
	})
}

func TestWhatIsNoFailureOfJamfNeverOpensTheBreaker(t *testing.T) {
	for name, give := range map[string]func(w http.ResponseWriter){
		"403":                      func(w http.ResponseWriter) { giveEnvelope(w, 403) },
		"404":                      func(w http.ResponseWriter) { giveEnvelope(w, 404) },
		"400":                      func(w http.ResponseWriter) { giveEnvelope(w, 400) },
		"500 with Jamf's envelope": func(w http.ResponseWriter) { giveEnvelope(w, 500) },
		"429":                      func(w http.ResponseWriter) { w.Header().Set("Retry-After", "1"); giveEnvelope(w, 429) },
		"a caller who gives up":    func(w http.ResponseWriter) { time.Sleep(time.Minute); givePage(w, 1) },
		"redirect": func(w http.ResponseWriter) {
			w.Header().Set("Location", "https://elsewhere.example/")
			w.WriteHeader(302)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, _ int) { give(w) }}
				r := connect(t, u, fast, nil)
				for range 30 {
					ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
					_, err := r.src.NewWalk().Page(ctx, jamf.MobilePlain, nil, 0, 1)
					cancel()
					if err == nil || errors.Is(err, jamf.ErrBreakerOpen) {
						t.Fatalf("error %v", err)
					}
				}
				if st := r.src.Status(); st.Breaker != "closed" {
					t.Errorf("breaker %s", st.Breaker)
				}
			})
		})
	}
}

func TestAnOpenBreakerIsWaitedForFifteenMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		r := connect(t, u, fast, nil)
		if _, err := page(t, r.src.NewWalk(), jamf.MobilePlain); err != nil {
			t.Fatal(err)
		}
		r.host.PauseUntil(time.Now().Add(14 * time.Minute))
		began := time.Now()
		if _, err := page(t, r.src.NewWalk(), jamf.MobilePlain); err != nil || time.Since(began) < 14*time.Minute {
			t.Errorf("page = %v after %v", err, time.Since(began))
		}
		r.host.PauseUntil(time.Now().Add(time.Hour))
		began = time.Now()
		_, err := page(t, r.src.NewWalk(), jamf.MobilePlain)
		must(t, err, jamf.ErrBreakerOpen, "breaker_open")
		if took := time.Since(began); took != 15*time.Minute {
			t.Errorf("gave up after %v", took)
		}
	})
}

func TestTheFirstQuestionsOfAWalkFailAtOnceWhileTheBreakerIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		r := connect(t, u, fast, nil)
		if _, err := page(t, r.src.NewWalk(), jamf.MobilePlain); err != nil {
			t.Fatal(err)
		}
		asked := len(u.apiTimes())
		r.host.PauseUntil(time.Now().Add(time.Minute))
		began := time.Now()
		_, err := r.src.NewWalk().Rights(t.Context())
		must(t, err, jamf.ErrBreakerOpen, "breaker_open")
		_, err = r.src.NewWalk().Version(t.Context())
		must(t, err, jamf.ErrBreakerOpen, "breaker_open")
		if took := time.Since(began); took != 0 || len(u.apiTimes()) != asked {
			t.Errorf("failed after %v and %d requests", took, len(u.apiTimes())-asked)
		}
		r.host.PauseUntil(time.Now().Add(3 * time.Second)) // as long as somebody else's probe
		began = time.Now()
		_, err = r.src.NewWalk().Rights(t.Context())
		if took := time.Since(began); errors.Is(err, jamf.ErrBreakerOpen) || took < 3*time.Second || len(u.apiTimes()) == asked {
			t.Errorf("%v after %v", err, took)
		}
	})
}

func TestA429KeepsAllCallersOfTheHostAway(t *testing.T) {
	for name, c := range map[string]struct {
		header, value string
		low, high     time.Duration
	}{
		"seconds":           {"Retry-After", "120", 120 * time.Second, 122 * time.Second},
		"ten years":         {"Retry-After", "315360000", 15 * time.Minute, 15*time.Minute + 2*time.Second},
		"x-ratelimit-reset": {"X-RateLimit-Reset", "946684830", 30 * time.Second, 32 * time.Second}, // bubbles begin at 946684800
		"in the past":       {"Retry-After", "Sat, 01 Jan 1999 00:00:00 GMT", time.Second, 2 * time.Second},
		"garbage":           {"Retry-After", "soon", time.Second, 5 * time.Second},
		"nothing":           {"X-Nothing", "", time.Second, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, n int) {
					if n == 1 {
						w.Header().Set(c.header, c.value)
						giveHTML(w, 429)
						return
					}
					givePage(w, 1)
				}}
				r := connect(t, u, fast, nil)
				var wg sync.WaitGroup
				for i := range 5 {
					wg.Go(func() {
						time.Sleep(time.Duration(i) * 100 * time.Millisecond)
						if _, err := page(t, r.src.NewWalk(), jamf.MobilePlain); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
				at := u.apiTimes()
				if len(at) != 6 {
					t.Fatalf("%d requests, want 6", len(at))
				}
				for _, next := range at[1:] {
					if d := next.Sub(at[0]); d < c.low || d > c.high {
						t.Errorf("the next request came after %v, want %v to %v", d, c.low, c.high)
					}
				}
			})
		})
	}
}

func TestA503WithRetryAfterIsObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, n int) {
			if n == 1 {
				w.Header().Set("Retry-After", "90")
				giveHTML(w, 503)
				return
			}
			givePage(w, 1)
		}}
		r := connect(t, u, fast, nil)
		if _, err := page(t, r.src.NewWalk(), jamf.MobilePlain); err != nil {
			t.Fatal(err)
		}
		if at := u.apiTimes(); at[1].Sub(at[0]) < 90*time.Second {
			t.Errorf("came back after %v", at[1].Sub(at[0]))
		}
	})
}

func TestACallerWhoseDeadlineIsNearerThanTheNextTokenIsToldSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, &upstream{}, jamf.Limits{RequestsPerSecond: 0.1, Burst: 2}, nil)
		if _, err := page(t, r.src.NewWalk(), jamf.MobilePlain); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := r.src.NewWalk().Page(ctx, jamf.MobilePlain, nil, 0, 1)
		must(t, err, context.DeadlineExceeded, "canceled")
		if st := r.src.Status(); st.LastError != nil {
			t.Errorf("the end of a caller is remembered as an error of Jamf: %v", st.LastError)
		}
	})
}
