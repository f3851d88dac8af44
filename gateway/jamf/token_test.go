package jamf_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/gateway/jamf"
)

func TestTheTokenCallIsAFormAndTheTokenGoesIntoTheHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		r := connect(t, u, fast, nil)
		if _, err := page(t, r.src.NewWalk(), jamf.MobilePlain); err != nil {
			t.Fatal(err)
		}
		got := u.requests()
		if len(got) != 2 || got[0].path != "/api/v1/oauth/token" || got[0].method != http.MethodPost || got[0].query != "" {
			t.Fatalf("requests: %+v", got)
		}
		form, err := url.ParseQuery(got[0].form)
		if err != nil || form.Get("client_id") != "client-1" || form.Get("client_secret") != secretCanary || form.Get("grant_type") != "client_credentials" || len(form) != 3 {
			t.Errorf("form %q", got[0].form)
		}
		if ct := got[0].header.Get("Content-Type"); ct != "application/x-www-form-urlencoded" {
			t.Errorf("content type %q", ct)
		}
		if got[0].authorization != "" || got[0].header.Get("Cookie") != "" || got[1].authorization != "Bearer "+tokenCanary+"1" {
			t.Errorf("authorization %q, %q", got[0].authorization, got[1].authorization)
		}
		for _, s := range got {
			if s.header.Get("User-Agent") != "jamf-gateway/test" || s.header.Get("Accept-Encoding") != "gzip" || s.header.Get("Traceparent") != "" {
				t.Errorf("headers of %s: %v", s.path, s.header)
			}
		}
		st := r.src.Status()
		if st.Token != "valid" || time.Until(st.TokenExpires) != 10*time.Minute || st.LastSuccessAt.IsZero() {
			t.Errorf("status %+v", st)
		}
	})
}

func TestTheOldTokenPathIsFoundOnceAndRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{token: func(w http.ResponseWriter, r *http.Request, n int) {
			if r.URL.Path == "/api/v1/oauth/token" {
				giveEnvelope(w, 404)
				return
			}
			giveToken(w, n, 60)
		}}
		r := connect(t, u, fast, nil)
		w := r.src.NewWalk()
		for range 3 {
			if _, err := page(t, w, jamf.MobilePlain); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Minute)
		}
		var newPath, oldPath int
		for _, s := range u.requests() {
			switch s.path {
			case "/api/v1/oauth/token":
				newPath++
			case "/api/oauth/token":
				oldPath++
			}
		}
		if newPath != 1 || oldPath != 3 {
			t.Errorf("%d calls of the new path, %d of the old one, want 1 and 3", newPath, oldPath)
		}
	})
}

func TestNoTokenEndpointAtAllIsNoMissingDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{token: func(w http.ResponseWriter, _ *http.Request, _ int) { giveEnvelope(w, 404) }}
		r := connect(t, u, fast, nil)
		_, err := r.src.NewWalk().Record(t.Context(), jamf.MobilePlain, nil, 7)
		e := must(t, err, jamf.ErrUnavailable, "not_found")
		if errors.Is(err, jamf.ErrNotFound) || !strings.Contains(e.Detail, "ending in /api") {
			t.Errorf("error %v", err)
		}
	})
}

func TestOneFlightServesAllAndEachWaitsNoLongerThanItsOwnContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{token: func(w http.ResponseWriter, _ *http.Request, n int) {
			time.Sleep(20 * time.Second)
			giveToken(w, n, 600)
		}}
		r := connect(t, u, fast, nil)
		began := time.Now()
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				ctx := t.Context()
				if i < 10 { // the first ones give up; the renewal that they began goes on for the others
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, time.Second)
					defer cancel()
				} else {
					time.Sleep(100 * time.Millisecond)
				}
				_, err := r.src.NewWalk().Page(ctx, jamf.MobilePlain, nil, 0, 1)
				took := time.Since(began)
				if i < 10 && (!errors.Is(err, context.DeadlineExceeded) || took != time.Second) {
					t.Errorf("impatient caller: %v after %v", err, took)
				}
				if i >= 10 && err != nil {
					t.Errorf("patient caller: %v", err)
				}
			})
		}
		wg.Wait()
		if tokens, _, _ := u.counts(); tokens != 1 {
			t.Errorf("%d token calls, want 1", tokens)
		}
	})
}

// A source that is removed asks its Jamf for no token that nobody waits for: whoever gives up ends the call, and whoever waits on is served.
func TestARetiredSourceFetchesNoTokenForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan time.Duration, 10)
		u := &upstream{token: func(w http.ResponseWriter, r *http.Request, n int) {
			began := time.Now()
			defer func() { ended <- time.Since(began) }()
			select {
			case <-r.Context().Done():
			case <-time.After(20 * time.Second):
				giveToken(w, n, 600)
			}
		}}
		r := connect(t, u, fast, nil)
		ask := func(patience time.Duration) chan error {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			out := make(chan error, 1)
			go func() {
				defer cancel()
				_, err := r.src.NewWalk().Page(ctx, jamf.MobilePlain, nil, 0, 1)
				out <- err
			}()
			synctest.Wait()
			return out
		}
		alone := ask(time.Second)
		if err := <-alone; !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		time.Sleep(time.Second)
		r.src.Retire() // nobody waits for what goes on
		if took := <-ended; took != 2*time.Second {
			t.Errorf("the call that nobody waits for ended after %v", took)
		}
		first, second := ask(time.Second), ask(2*time.Second)
		if err := errors.Join(<-first, <-second); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if took := <-ended; took != 2*time.Second {
			t.Errorf("the call that two gave up ended after %v", took)
		}
		impatient, patient := ask(time.Second), ask(time.Minute)
		if err := <-impatient; !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if err := <-patient; err != nil {
			t.Errorf("who waits on: %v", err)
		}
		if took := <-ended; took != 20*time.Second {
			t.Errorf("the call that one waits for ended after %v", took)
		}
	})
}

func TestATokenIsRenewedAheadWithoutHoldingUpCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{token: func(w http.ResponseWriter, _ *http.Request, n int) {
			if n > 1 {
				time.Sleep(5 * time.Second)
			}
			giveToken(w, n, 60) // renewed 15 s before its end
		}}
		r := connect(t, u, fast, nil)
		w := r.src.NewWalk()
		ask := func(want string) {
			t.Helper()
			began := time.Now()
			if _, err := page(t, w, jamf.MobilePlain); err != nil || time.Since(began) != 0 {
				t.Fatalf("%v after %v", err, time.Since(began))
			}
			all := u.requests()
			for _, a := range slices.Backward(all) {
				if a.authorization != "" {
					if a.authorization != "Bearer "+tokenCanary+want {
						t.Errorf("sent %q, want token %s", a.authorization, want)
					}
					return
				}
			}
		}
		ask("1")
		time.Sleep(44 * time.Second)
		ask("1")
		synctest.Wait()
		if tokens, _, _ := u.counts(); tokens != 1 {
			t.Errorf("renewed at 44 s of 60: %d calls", tokens)
		}
		time.Sleep(time.Second)
		ask("1") // begins the renewal
		time.Sleep(6 * time.Second)
		ask("2")
		if tokens, _, _ := u.counts(); tokens != 2 {
			t.Errorf("%d token calls, want 2", tokens)
		}
	})
}

func TestAValidTokenOutlivesAFailedRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{token: func(w http.ResponseWriter, _ *http.Request, n int) {
			if n > 1 {
				giveHTML(w, 503)
				return
			}
			giveToken(w, n, 120)
		}}
		r := connect(t, u, fast, nil)
		w := r.src.NewWalk()
		for elapsed := time.Duration(0); elapsed < 115*time.Second; elapsed += 500 * time.Millisecond {
			if _, err := page(t, w, jamf.MobilePlain); err != nil {
				t.Fatalf("after %v: %v", elapsed, err)
			}
			time.Sleep(500 * time.Millisecond)
		}
		if tokens, _, _ := u.counts(); tokens < 3 || tokens > 7 {
			t.Errorf("%d token calls in the 25 s before the end, want one every 5 s", tokens)
		}
		if !strings.Contains(r.logs.String(), "the old one is still used") {
			t.Errorf("the failed renewal was swallowed: %s", r.logs)
		}
	})
}

func TestExactlyTheTokenThatGotA401IsDroppedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{api: func(w http.ResponseWriter, r *http.Request, n int) {
			time.Sleep(time.Duration(n) * time.Second) // the last refusals come when the new token is long in use
			if r.Header.Get("Authorization") == "Bearer "+tokenCanary+"1" {
				giveEnvelope(w, 401)
				return
			}
			givePage(w, 1)
		}}
		r := connect(t, u, fast, nil)
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if _, err := page(t, r.src.NewWalk(), jamf.MobilePlain); err != nil {
					t.Errorf("page: %v", err)
				}
			})
		}
		wg.Wait()
		if tokens, calls, _ := u.counts(); tokens != 2 || calls != 10 {
			t.Errorf("%d token calls and %d pages, want 2 and 10", tokens, calls)
		}
	})
}

func TestASecond401EndsThePage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, _ int) { giveEnvelope(w, 401) }}
		r := connect(t, u, fast, nil)
		_, err := page(t, r.src.NewWalk(), jamf.MobilePlain)
		must(t, err, jamf.ErrUnauthorized, "token_refused")
		if tokens, calls, _ := u.counts(); tokens != 2 || calls != 2 {
			t.Errorf("%d token calls and %d pages, want 2 and 2", tokens, calls)
		}
	})
}

func TestRefusedCredentialsAreTriedThreeTimesInAQuarterOfAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{token: func(w http.ResponseWriter, _ *http.Request, _ int) {
			giveJSON(w, 401, `{"error":"invalid_client","error_description":"`+secretCanary+`"}`)
		}}
		r := connect(t, u, fast, nil)
		w := r.src.NewWalk()
		began := time.Now()
		for time.Since(began) < 2*time.Hour {
			_, err := page(t, w, jamf.MobilePlain)
			must(t, err, jamf.ErrAuthFailed, "auth_failed")
			time.Sleep(10 * time.Second)
		}
		if got := r.src.Status().Token; got != "auth_failed" {
			t.Errorf("token state %q", got)
		}
		all := u.requests()
		if len(all) < 20 {
			t.Errorf("%d attempts in two hours: it never tries again", len(all))
		}
		for i := 3; i < len(all); i++ {
			if d := all[i].at.Sub(all[i-3].at); d < 15*time.Minute {
				t.Errorf("attempts %d to %d lie within %v", i-3, i, d)
			}
		}
	})
}

func TestFreshTokensThatAreRefusedCountAsRefusedCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, _ int) { giveEnvelope(w, 401) }}
		r := connect(t, u, fast, nil)
		w := r.src.NewWalk()
		_, err := page(t, w, jamf.MobilePlain)
		must(t, err, jamf.ErrUnauthorized, "token_refused")
		if got := r.src.Status().Token; got == "auth_failed" {
			t.Errorf("auth_failed after two refusals")
		}
		_, err = page(t, w, jamf.MobilePlain)
		must(t, err, jamf.ErrAuthFailed, "auth_failed")
		if tokens, _, _ := u.counts(); tokens != 3 || r.src.Status().Token != "auth_failed" {
			t.Errorf("%d token calls, state %q", tokens, r.src.Status().Token)
		}
	})
}

func TestNowAndThenA401OnAGoodTokenIsNoAuthFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, n int) {
			if n%10 == 0 {
				giveEnvelope(w, 401)
				return
			}
			givePage(w, 1)
		}}
		r := connect(t, u, fast, nil)
		w := r.src.NewWalk()
		for i := range 100 {
			if _, err := page(t, w, jamf.MobilePlain); err != nil {
				t.Fatalf("page %d: %v", i, err)
			}
		}
	})
}

func TestAnOldTokenThatIsRefusedIsNoRefusalOfTheCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refuse := true
		u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, _ int) {
			if refuse {
				giveEnvelope(w, 401)
				return
			}
			givePage(w, 1)
		}}
		r := connect(t, u, fast, nil)
		refuse = false
		w := r.src.NewWalk()
		if _, err := page(t, w, jamf.MobilePlain); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		refuse = true
		_, err := page(t, w, jamf.MobilePlain) // the old token, then a fresh one: one refusal
		must(t, err, jamf.ErrUnauthorized, "token_refused")
		_, err = page(t, w, jamf.MobilePlain) // two fresh ones: the third refusal
		must(t, err, jamf.ErrUnauthorized, "token_refused")
		if got := r.src.Status().Token; got != "auth_failed" {
			t.Errorf("state %q after three refusals", got)
		}
	})
}

func TestRefusalsOfTheTokenEndpointAreToldApart(t *testing.T) {
	for name, c := range map[string]struct {
		give   func(w http.ResponseWriter)
		kind   error
		code   string
		tokens int
	}{
		"RFC 6749, 400":     {func(w http.ResponseWriter) { giveJSON(w, 400, `{"error":"invalid_client"}`) }, jamf.ErrAuthFailed, "auth_failed", 1},
		"RFC 6749, 401":     {func(w http.ResponseWriter) { giveJSON(w, 401, `{"error":"unauthorized_client"}`) }, jamf.ErrAuthFailed, "auth_failed", 1},
		"RFC 6749, 200":     {func(w http.ResponseWriter) { giveJSON(w, 200, `{"error":"invalid_client"}`) }, jamf.ErrAuthFailed, "auth_failed", 1},
		"Jamf's envelope":   {func(w http.ResponseWriter) { giveEnvelope(w, 401) }, jamf.ErrAuthFailed, "auth_failed", 1},
		"HTML, 403":         {func(w http.ResponseWriter) { giveHTML(w, 403) }, jamf.ErrUnavailable, "html_instead_of_json", 1},
		"HTML, 401":         {func(w http.ResponseWriter) { giveHTML(w, 401) }, jamf.ErrUnavailable, "html_instead_of_json", 1},
		"empty, 401":        {func(w http.ResponseWriter) { w.WriteHeader(401) }, jamf.ErrUnavailable, "unexpected_answer", 1},
		"HTML, 200":         {func(w http.ResponseWriter) { giveHTML(w, 200) }, jamf.ErrUnavailable, "html_instead_of_json", 3},
		"HTML as JSON, 200": {func(w http.ResponseWriter) { giveJSON(w, 200, "<html>") }, jamf.ErrUnavailable, "html_instead_of_json", 3},
		"empty, 200":        {func(w http.ResponseWriter) { giveJSON(w, 200, "") }, jamf.ErrUnavailable, "unexpected_answer", 3},
		"no token, 200":     {func(w http.ResponseWriter) { giveJSON(w, 200, `{"token_type":"Bearer","expires_in":599}`) }, jamf.ErrUnavailable, "unexpected_answer", 3},
		"HTML, 503":         {func(w http.ResponseWriter) { giveHTML(w, 503) }, jamf.ErrUnavailable, "jamf_unavailable", 3},
		"envelope, 500":     {func(w http.ResponseWriter) { giveEnvelope(w, 500) }, jamf.ErrUnavailable, "jamf_cannot_render", 3},
		"edge, 504":         {func(w http.ResponseWriter) { giveHTML(w, 504) }, jamf.ErrUnavailable, "timeout", 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{token: func(w http.ResponseWriter, _ *http.Request, _ int) { c.give(w) }}
				r := connect(t, u, fast, nil)
				_, err := page(t, r.src.NewWalk(), jamf.MobilePlain)
				must(t, err, c.kind, c.code)
				if tokens, calls, _ := u.counts(); tokens != c.tokens || calls != 0 {
					t.Errorf("%d token calls and %d pages, want %d and 0", tokens, calls, c.tokens)
				}
				if got := r.src.Status(); got.Token != "failed" || got.LastError == nil || got.LastError.Code != c.code {
					t.Errorf("status %+v", got)
				}
			})
		})
	}
}

func TestLifetimesOfAnySenseAreRead(t *testing.T) {
	for in, want := range map[string]time.Duration{
		`599`: 599 * time.Second, `60`: time.Minute, `"299"`: 299 * time.Second, `599.0`: 599 * time.Second,
		`0`: time.Minute, `-1`: time.Minute, `null`: time.Minute, `"soon"`: time.Minute, `{}`: time.Minute,
		`1e300`: 24 * time.Hour, `99999999999`: 24 * time.Hour, `5`: 5 * time.Second,
	} {
		_, got, err := jamf.ReadToken([]byte(`{"access_token":"a","expires_in":` + in + `}`))
		if err != nil || got != want {
			t.Errorf("expires_in %s: %v, %v, want %v", in, got, err, want)
		}
	}
	if _, got, err := jamf.ReadToken([]byte(`{"access_token":"a"}`)); err != nil || got != time.Minute {
		t.Errorf("no expires_in: %v, %v", got, err)
	}
}

func FuzzToken(f *testing.F) {
	for _, s := range []string{
		`{"access_token":"a","expires_in":599,"token_type":"Bearer"}`, `{"error":"invalid_client"}`, ``, `<html>`,
		`{"access_token":"a\r\nX: y"}`, `{"access_token":null}`, `{"access_token":"a","expires_in":"1e9"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		value, life, err := jamf.ReadToken(b)
		if err != nil {
			if _, ok := errors.AsType[*jamf.Error](err); !ok {
				t.Fatal(err)
			}
			return
		}
		if life < time.Second || life > 24*time.Hour || value == "" || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			t.Errorf("%q: token %q for %v", b, value, life)
		}
	})
}
