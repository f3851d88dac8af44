package jamf_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/jamf"
)

func TestEachListIsAskedForAsJamfDocumentsIt(t *testing.T) {
	for l, want := range map[jamf.List]struct {
		path    string
		version string
		query   url.Values
	}{
		jamf.Computers: {"/api/v4/computers-inventory", "v4", url.Values{
			"section": {"GENERAL", "HARDWARE"}, "page": {"3"}, "page-size": {"200"}, "sort": {"id:asc"},
		}},
		jamf.MobileDetail: {"/api/v2/mobile-devices/detail", "v2", url.Values{
			"section": {"GENERAL", "HARDWARE"}, "page": {"3"}, "page-size": {"200"}, "sort": {"mobileDeviceId:asc"}, "exception-handling": {"LENIENT"},
		}},
		jamf.MobilePlain: {"/api/v2/mobile-devices", "v2", url.Values{"page": {"3"}, "page-size": {"200"}, "sort": {"id:asc"}}},
	} {
		synctest.Test(t, func(t *testing.T) {
			u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, _ int) {
				time.Sleep(2 * time.Second)
				givePage(w, 2)
			}}
			r := connect(t, u, fast, nil)
			p, err := r.src.NewWalk().Page(t.Context(), l, []string{"GENERAL", "HARDWARE"}, 3, 200)
			if err != nil {
				t.Fatal(err)
			}
			got := u.requests()[1]
			query, _ := url.ParseQuery(got.query)
			if got.path != want.path || got.method != http.MethodGet {
				t.Errorf("%s %s", got.method, got.path)
			}
			if diff := cmp.Diff(want.query, query); diff != "" {
				t.Error(diff)
			}
			if p.Version != want.version || p.Total != 2 || len(p.Rows) != 2 || p.Elapsed != 2*time.Second || p.Bytes != 92 {
				t.Errorf("page %+v", p)
			}
		})
	}
}

func TestNeitherVersionOfAListIsNotFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, _ int) { giveEnvelope(w, 404) }}
		r := connect(t, u, fast, nil)
		_, err := page(t, r.src.NewWalk(), jamf.Computers)
		must(t, err, jamf.ErrNotFound, "not_found")
	})
}

func TestAnswersAreClassedAndRepeatedAsOftenAsTheyDeserve(t *testing.T) {
	for name, c := range map[string]struct {
		give     func(w http.ResponseWriter)
		kind     error
		code     string
		attempts int
	}{
		"502 HTML":         {func(w http.ResponseWriter) { giveHTML(w, 502) }, jamf.ErrUnavailable, "jamf_unavailable", 3},
		"503 envelope":     {func(w http.ResponseWriter) { giveEnvelope(w, 503) }, jamf.ErrUnavailable, "jamf_unavailable", 3},
		"500 HTML":         {func(w http.ResponseWriter) { giveHTML(w, 500) }, jamf.ErrUnavailable, "jamf_unavailable", 3},
		"500 envelope":     {func(w http.ResponseWriter) { giveEnvelope(w, 500) }, jamf.ErrServerError, "jamf_cannot_render", 1},
		"504 of the edge":  {func(w http.ResponseWriter) { giveHTML(w, 504) }, jamf.ErrTimeout, "timeout", 1},
		"429":              {func(w http.ResponseWriter) { giveEnvelope(w, 429) }, jamf.ErrThrottled, "throttled", 3},
		"403":              {func(w http.ResponseWriter) { giveEnvelope(w, 403) }, jamf.ErrForbidden, "right_missing", 2},
		"403 HTML":         {func(w http.ResponseWriter) { giveHTML(w, 403) }, jamf.ErrUnavailable, "html_instead_of_json", 1},
		"400":              {func(w http.ResponseWriter) { giveEnvelope(w, 400) }, jamf.ErrBadRequest, "bad_request", 1},
		"415":              {func(w http.ResponseWriter) { giveEnvelope(w, 415) }, jamf.ErrBadRequest, "bad_request", 1},
		"404":              {func(w http.ResponseWriter) { giveEnvelope(w, 404) }, jamf.ErrNotFound, "not_found", 1},
		"204":              {func(w http.ResponseWriter) { w.WriteHeader(204) }, jamf.ErrSchema, "unexpected_answer", 3},
		"206":              {func(w http.ResponseWriter) { giveJSON(w, 206, `{"totalCount":0,"results":[]}`) }, jamf.ErrSchema, "unexpected_answer", 3},
		"200 HTML":         {func(w http.ResponseWriter) { giveHTML(w, 200) }, jamf.ErrSchema, "html_instead_of_json", 3},
		"200 HTML, empty":  {func(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/html") }, jamf.ErrSchema, "html_instead_of_json", 3},
		"200 HTML as JSON": {func(w http.ResponseWriter) { giveJSON(w, 200, "<html>") }, jamf.ErrSchema, "html_instead_of_json", 3},
		"200 HTML as text": {func(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/plain"); fmt.Fprint(w, " <html>") }, jamf.ErrSchema, "html_instead_of_json", 3},
		"200 JSON as text": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/plain")
			fmt.Fprint(w, `{"totalCount":0,"results":[]}`)
		}, jamf.ErrSchema, "unexpected_answer", 3},
		"200 without a type": {func(w http.ResponseWriter) {
			w.Header()["Content-Type"] = nil
			fmt.Fprint(w, `{"totalCount":0,"results":[]}`)
		}, jamf.ErrSchema, "unexpected_answer", 3},
		"200 {}":                  {func(w http.ResponseWriter) { giveJSON(w, 200, `{}`) }, jamf.ErrSchema, "unexpected_answer", 3},
		"200 null":                {func(w http.ResponseWriter) { giveJSON(w, 200, `null`) }, jamf.ErrSchema, "unexpected_answer", 3},
		"200 in another encoding": {func(w http.ResponseWriter) { w.Header().Set("Content-Encoding", "br"); giveJSON(w, 200, `{}`) }, jamf.ErrSchema, "unexpected_answer", 3},
		"200 said to be gzip": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			giveJSON(w, 200, `{"totalCount":0,"results":[]}`)
		}, jamf.ErrSchema, "unexpected_answer", 3},
		"302 without a target": {func(w http.ResponseWriter) { w.WriteHeader(302) }, jamf.ErrRedirect, "redirect_refused", 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, _ int) { c.give(w) }}
				r := connect(t, u, fast, nil)
				began := time.Now()
				_, err := page(t, r.src.NewWalk(), jamf.MobilePlain)
				e := must(t, err, c.kind, c.code)
				at := u.apiTimes()
				if len(at) != c.attempts {
					t.Errorf("%d attempts, want %d", len(at), c.attempts)
				}
				if c.attempts == 3 && (time.Since(began) < 2*time.Second || time.Since(began) > 2*time.Minute) {
					t.Errorf("three attempts within %v", time.Since(began))
				}
				if st := r.src.Status(); !errors.Is(e, jamf.ErrNotFound) && (st.LastError == nil || st.LastError.Code != c.code || st.LastErrorAt.IsZero()) {
					t.Errorf("status %+v", st)
				}
			})
		})
	}
}

func TestAPageThatTimesOutIsNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{api: func(_ http.ResponseWriter, r *http.Request, _ int) {
			select {
			case <-time.After(10 * time.Minute):
			case <-r.Context().Done():
			}
		}}
		r := connect(t, u, fast, nil)
		began := time.Now()
		_, err := page(t, r.src.NewWalk(), jamf.MobilePlain)
		must(t, err, jamf.ErrTimeout, "timeout")
		if errors.Is(err, context.DeadlineExceeded) {
			t.Error("a page deadline looks like the end of the caller's context")
		}
		if _, calls, _ := u.counts(); calls != 1 || time.Since(began) != 100*time.Second {
			t.Errorf("%d calls, ended after %v", calls, time.Since(began))
		}
	})
}

func TestASlowDripEndsAtThePageDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{api: func(w http.ResponseWriter, r *http.Request, _ int) {
			w.Header().Set("Content-Type", "application/json")
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte(" "))
				_ = http.NewResponseController(w).Flush()
				time.Sleep(time.Second)
			}
		}}
		r := connect(t, u, fast, func(o *jamf.SourceOptions) { o.PageTimeout = 40 * time.Second })
		began := time.Now()
		_, err := page(t, r.src.NewWalk(), jamf.MobilePlain)
		must(t, err, jamf.ErrTimeout, "timeout")
		if took := time.Since(began); took != 40*time.Second {
			t.Errorf("ended after %v", took)
		}
	})
}

func TestRetriesOfAWalkAreBudgeted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, n int) {
			if n%4 == 3 { // a quarter fails: too little for the breaker
				giveHTML(w, 503)
				return
			}
			givePage(w, 1)
		}}
		r := connect(t, u, fast, nil)
		w := r.src.NewWalk()
		began := time.Now()
		pages, failed := 400, 0
		for range pages {
			if _, err := page(t, w, jamf.MobilePlain); err != nil {
				must(t, err, jamf.ErrUnavailable, "jamf_unavailable")
				failed++
			}
		}
		_, calls, _ := u.counts()
		retries := calls - pages
		if allowed := max(3, calls/10) + int(time.Since(began)/(10*time.Second)); retries > allowed || failed == 0 {
			t.Errorf("%d retries in %d requests and %v (allowed %d), %d pages failed", retries, calls, time.Since(began), allowed, failed)
		}
		if retries < 20 {
			t.Errorf("only %d retries", retries)
		}
	})
}

func TestAPageIsSentThreeTimesAtMostWhateverItMeets(t *testing.T) {
	for status, code := range map[int]string{401: "token_refused", 403: "right_missing", 503: "jamf_unavailable"} {
		synctest.Test(t, func(t *testing.T) {
			u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, n int) {
				switch {
				case n < 3:
					giveHTML(w, 503)
				case n == 3:
					giveEnvelope(w, status)
				default:
					givePage(w, 1)
				}
			}}
			_, err := page(t, connect(t, u, fast, nil).src.NewWalk(), jamf.MobilePlain)
			var e *jamf.Error
			if !errors.As(err, &e) || e.Reason().Code != code {
				t.Errorf("%d after two that failed: %v", status, err)
			}
			if _, calls, _ := u.counts(); calls != 3 {
				t.Errorf("%d after two that failed: sent %d times", status, calls)
			}
		})
	}
}

func TestA403IsAnsweredWithANewTokenOncePerWalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{api: func(w http.ResponseWriter, r *http.Request, _ int) {
			if r.Header.Get("Authorization") == "Bearer "+tokenCanary+"1" || strings.Contains(r.URL.Path, "computers") {
				giveEnvelope(w, 403)
				return
			}
			givePage(w, 1)
		}}
		r := connect(t, u, fast, nil)
		w := r.src.NewWalk()
		if _, err := page(t, w, jamf.MobilePlain); err != nil {
			t.Fatalf("rights granted meanwhile are not seen: %v", err)
		}
		_, err := page(t, w, jamf.Computers)
		must(t, err, jamf.ErrForbidden, "right_missing")
		if tokens, calls, _ := u.counts(); tokens != 2 || calls != 3 {
			t.Errorf("%d token calls and %d pages, want 2 and 3", tokens, calls)
		}
		if st := r.src.Status(); st.Token != "valid" {
			t.Errorf("token %s", st.Token)
		}
	})
}

func TestEachWalkHasACookieJarOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{
			token: func(w http.ResponseWriter, _ *http.Request, n int) {
				http.SetCookie(w, &http.Cookie{Name: "TOKENJAR", Value: "x", Path: "/"})
				giveToken(w, n, 600)
			},
			api: func(w http.ResponseWriter, _ *http.Request, n int) {
				http.SetCookie(w, &http.Cookie{Name: "jpro-ingress", Value: fmt.Sprint(n), Path: "/"})
				givePage(w, 1)
			},
		}
		r := connect(t, u, fast, nil)
		one, two := r.src.NewWalk(), r.src.NewWalk()
		for _, w := range []*jamf.Walk{one, one, two, one} {
			if _, err := page(t, w, jamf.MobilePlain); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for _, s := range u.requests() {
			got = append(got, s.header.Get("Cookie"))
		}
		if diff := cmp.Diff([]string{"", "", "jpro-ingress=1", "", "jpro-ingress=2"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestATokenThatRunsOutInTheQueueIsReplacedBeforeItIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{
			token: func(w http.ResponseWriter, _ *http.Request, n int) { giveToken(w, n, 60) },
			api: func(w http.ResponseWriter, _ *http.Request, n int) {
				if n == 1 {
					w.Header().Set("Retry-After", "600")
					giveEnvelope(w, 429)
					return
				}
				givePage(w, 1)
			},
		}
		r := connect(t, u, fast, nil)
		if _, err := page(t, r.src.NewWalk(), jamf.MobilePlain); err != nil {
			t.Fatal(err)
		}
		all := u.requests()
		if last := all[len(all)-1]; last.authorization != "Bearer "+tokenCanary+"2" || len(all) != 4 {
			t.Errorf("%d requests, the last with %q", len(all), last.authorization)
		}
	})
}

func TestNonsenseIsNotSentToJamf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		w := connect(t, u, fast, nil).src.NewWalk()
		for _, ask := range []func() error{
			func() error { _, err := w.Page(t.Context(), jamf.Computers, nil, -1, 100); return err },
			func() error { _, err := w.Page(t.Context(), jamf.Computers, nil, 0, 0); return err },
			func() error { _, err := w.Page(t.Context(), jamf.List(9), nil, 0, 1); return err },
			func() error { _, err := w.Record(t.Context(), jamf.Computers, nil, 0); return err },
			func() error { _, err := w.Record(t.Context(), 0, nil, 1); return err },
		} {
			must(t, ask(), jamf.ErrBadRequest, "bad_request")
		}
		if got := u.requests(); len(got) != 0 {
			t.Errorf("sent %+v", got)
		}
	})
}

func TestAClosedSourceAsksNothingMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{token: func(w http.ResponseWriter, _ *http.Request, n int) { time.Sleep(20 * time.Second); giveToken(w, n, 60) }}
		r := connect(t, u, fast, nil)
		ended := make(chan error)
		go func() { _, err := r.src.NewWalk().Version(t.Context()); ended <- err }()
		time.Sleep(time.Second)
		began := time.Now()
		r.src.Close()
		if err := <-ended; !errors.Is(err, context.Canceled) || time.Since(began) != 0 {
			t.Errorf("a call in the middle: %v after %v", err, time.Since(began))
		}
		_, err := r.src.NewWalk().Version(t.Context())
		must(t, err, context.Canceled, "canceled")
	})
}
