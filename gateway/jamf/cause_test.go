package jamf_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/gateway/jamf"
)

// What a person reads as the error is what was wrong with Jamf, never that we paused for it.
func TestACallThatTheBreakerKeepsBackNamesTheFailureThatOpenedIt(t *testing.T) {
	for name, c := range map[string]struct {
		give func(w http.ResponseWriter, r *http.Request)
		kind error
		code string
	}{
		"503":  {func(w http.ResponseWriter, _ *http.Request) { giveHTML(w, 503) }, jamf.ErrUnavailable, "jamf_unavailable"},
		"HTML": {func(w http.ResponseWriter, _ *http.Request) { giveHTML(w, 200) }, jamf.ErrSchema, "html_instead_of_json"},
		"slow": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, jamf.ErrTimeout, "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{api: func(w http.ResponseWriter, r *http.Request, _ int) { c.give(w, r) }}
				r := connect(t, u, fast, nil)
				for r.src.Status().Breaker == "closed" {
					_ = r.src.Beat(t.Context(), jamf.MobilePlain)
				}
				failed, sent := time.Now(), len(u.apiTimes())
				time.Sleep(3 * time.Second)
				_, err := r.src.NewWalk().Version(t.Context())
				e := must(t, err, jamf.ErrBreakerOpen, "breaker_open")
				if e.RetryAfter < 20*time.Second || len(u.apiTimes()) != sent {
					t.Errorf("Retry-After %v, %d calls to a Jamf that is left alone", e.RetryAfter, len(u.apiTimes())-sent)
				}
				cause, ok := errors.AsType[*jamf.CauseError](err)
				if !ok || cause.Failed.Code != c.code || !cause.At.Equal(failed) || e.Reason() != cause.Failed {
					t.Errorf("cause %+v, reason %+v, want %s at %v", cause, e.Reason(), c.code, failed)
				}
				if errors.Is(err, c.kind) {
					t.Errorf("a call that was not sent is of the kind %v: what asks for kinds would treat it as answered", c.kind)
				}
				if b := r.src.Beat(t.Context(), jamf.MobilePlain); b.Health() != jamf.Down || b.Err.Reason().Code != c.code {
					t.Errorf("heartbeat: %s, %+v", b.Health(), b.Err)
				}
				if st := r.src.Status(); st.LastError == nil || st.LastError.Code != c.code || !st.LastErrorAt.Equal(failed) {
					t.Errorf("last error %+v at %v, want %s at %v", st.LastError, st.LastErrorAt, c.code, failed)
				}
			})
		})
	}
}

func TestAPauseForNoKnownReasonIsNoErrorOfJamf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, &upstream{}, fast, nil)
		if b := r.src.Beat(t.Context(), jamf.MobilePlain); b.Health() != jamf.Up {
			t.Fatalf("heartbeat: %s, %+v", b.Health(), b.Err)
		}
		r.host.PauseUntil(time.Now().Add(time.Minute))
		b := r.src.Beat(t.Context(), jamf.MobilePlain)
		if b.Health() != jamf.Unasked || b.Err.Reason() != b.Err || b.Err.Code != "breaker_open" {
			t.Errorf("heartbeat: %s, %+v", b.Health(), b.Err)
		}
		_, err := r.src.NewWalk().Version(t.Context())
		must(t, err, jamf.ErrBreakerOpen, "breaker_open")
		if st := r.src.Status(); st.LastError != nil {
			t.Errorf("our own pause is shown as an error of Jamf: %+v", st.LastError)
		}
	})
}

// A record that Jamf cannot render is no reason to pause, and so it explains no pause.
func TestOnlyWhatTheBreakerCountsIsTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{api: func(w http.ResponseWriter, r *http.Request, _ int) {
			if strings.Contains(r.URL.Path, "/auth") {
				giveHTML(w, 503)
				return
			}
			giveEnvelope(w, 500)
		}}
		r := connect(t, u, fast, nil)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { _ = r.src.Beat(t.Context()) })
		}
		all.Wait()
		_, err := page(t, r.src.NewWalk(), jamf.MobilePlain)
		must(t, err, jamf.ErrServerError, "jamf_cannot_render")
		r.host.PauseUntil(time.Now().Add(time.Minute))
		if b := r.src.Beat(t.Context()); b.Health() != jamf.Down || b.Err.Reason().Code != "jamf_unavailable" {
			t.Errorf("heartbeat: %s, %+v", b.Health(), b.Err)
		}
	})
}

func TestCallsFailFromTheFirstOneAfterTheLastAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, _ int) {
			time.Sleep(time.Second)
			if down.Load() {
				giveHTML(w, 503)
				return
			}
			givePage(w, 1)
		}, token: func(w http.ResponseWriter, _ *http.Request, n int) { giveToken(w, n, 30) }}
		r := connect(t, u, fast, nil)
		if b := r.src.Beat(t.Context(), jamf.MobilePlain); !b.Since.IsZero() {
			t.Errorf("calls fail since %v although Jamf answers", b.Since)
		}
		down.Store(true)
		time.Sleep(time.Minute) // the token ends: its renewal is answered, and is no sign of the API
		failed := time.Now()
		_, _ = r.src.NewWalk().Version(t.Context())
		time.Sleep(time.Minute)
		if b := r.src.Beat(t.Context(), jamf.MobilePlain); !b.Since.Equal(failed) {
			t.Errorf("calls fail since %v, want %v", b.Since, failed)
		}
		down.Store(false)
		time.Sleep(time.Minute)
		if b := r.src.Beat(t.Context(), jamf.MobilePlain); b.Health() != jamf.Up || !b.Since.IsZero() {
			t.Errorf("%s, calls fail since %v", b.Health(), b.Since)
		}
	})
}
