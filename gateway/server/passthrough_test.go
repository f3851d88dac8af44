package server_test

import (
	"context"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// passing is a Passthrough that says what a test wants.
type passing struct {
	mu    sync.Mutex
	body  string
	err   error
	asked []string
	gate  chan struct{} // when set: waits for it

	waiting atomic.Int32 // so many have waited
}

func (p *passing) Fetch(ctx context.Context, source, template string, id int64, query url.Values) ([]byte, error) {
	if p.gate != nil {
		p.waiting.Add(1)
		select {
		case <-p.gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	path := strings.Replace(template, "{id}", string(rune('0'+id)), 1)
	p.asked = append(p.asked, source+path+"?"+query.Encode())
	return []byte(p.body), p.err
}

func (p *passing) say(body string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.body, p.err = body, err
}

func (p *passing) calls() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.asked...)
}

// further tells the paths that a source of the tests may pass on.
func further(path string) bool {
	return path == "/api/v1/departments" || strings.HasPrefix(path, "/api/v1/computer-groups/")
}

// passes lets the client "all" ask for two paths of schule-a.
func passes(p *passing) option {
	return func(o *server.Options) {
		o.Passthrough = p
		o.Sources[0].Passthrough = []server.PassPath{{Template: "/v1/computer-groups/{id}", TTL: time.Hour}, {Template: "/v1/departments", TTL: time.Hour}}
		for i := range o.Clients {
			o.Clients[i].Passthrough = o.Clients[i].ID != "only-a"
		}
	}
}

func TestFurtherPathsAreForThoseWhoMayAskAndForNothingElse(t *testing.T) {
	p := &passing{body: `[{"id":"1"}]`}
	w := newWorld(t, passes(p))
	for _, path := range []string{"/api/v1/departments", "/jamf/schule-a/api/v1/departments", "/api/v1/computer-groups/7"} {
		r := w.get("all", path)
		if r.status != http.StatusOK || string(r.body) != p.body || r.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	if got := strings.Join(p.calls(), " "); got != "schule-a/v1/departments? schule-a/v1/computer-groups/7?" {
		t.Errorf("asked %s", got)
	}
	for _, c := range [][2]string{
		{"only-a", "/api/v1/departments"},                       // has no leave
		{"only-b", "/api/v1/departments"},                       // not his source
		{"all", "/jamf/schule-b/api/v1/departments"},            // not listed there
		{"all", "/api/v1/departments/1"},                        // no prefixes
		{"all", "/api/v1/departments/"},                         // nor other spellings
		{"all", "/api/v1/Departments"},                          //
		{"all", "/api/v1/buildings"},                            // not listed
		{"all", "/api/v1/computer-groups/0"},                    // ids are positive
		{"all", "/api/v1/computer-groups/07"},                   // and decimal
		{"all", "/api/v1/computer-groups/-7"},                   //
		{"all", "/api/v1/computer-groups/7%20"},                 //
		{"all", "/api/v1/computer-groups/7/filevault"},          //
		{"all", "/api/v1/computer-groups/99999999999999999999"}, //
	} {
		if r := w.get(c[0], c[1]); r.status != http.StatusNotFound && r.status != http.StatusBadRequest {
			t.Errorf("%s %s: %d %s", c[0], c[1], r.status, r.body)
		}
	}
	if r := w.do(http.MethodPost, w.base+"/api/v1/departments", "", "Authorization", "Bearer "+w.token("all")); r.status != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", r.status)
	}
	if n := len(p.calls()); n != 2 {
		t.Errorf("%d calls", n)
	}
}

func TestOnlyKnownParametersArePassedOnInOneSpelling(t *testing.T) {
	p := &passing{body: `[]`}
	w := newWorld(t, passes(p))
	for _, q := range []string{"?page-size=50&page=01", "?page=1&page-size=50"} {
		if r := w.get("all", "/api/v1/departments"+q); r.status != http.StatusOK {
			t.Errorf("%s: %d %s", q, r.status, r.body)
		}
	}
	if got := strings.Join(p.calls(), " "); got != "schule-a/v1/departments?page=1&page-size=50" {
		t.Errorf("asked %s", got)
	}
	for q, code := range map[string]string{
		"?platform=mac": "unknown_parameter", "?page-size=2001": "page_size_too_large", "?page=-1": "bad_request", "?page-size=0": "bad_request",
		"?filter=a==1&filter=b==1": "bad_request",
	} {
		w.want(w.get("all", "/api/v1/departments"+q), http.StatusBadRequest, code)
	}
}

func TestAPassedAnswerSaysHowOldItIsAndWhyItIsNotNewer(t *testing.T) {
	p := &passing{body: `[1]`}
	w := newWorld(t, passes(p))
	ask := func(status int, body, cacheStatus, state, age string) {
		t.Helper()
		r := w.get("all", "/api/v1/departments")
		if r.status != status || body != "" && string(r.body) != body || r.header.Get("Cache-Status") != cacheStatus ||
			r.header.Get("X-Jamf-Gateway-State") != state || r.header.Get("Age") != age {
			t.Errorf("%d %s %v", r.status, r.body, r.header)
		}
	}
	ask(200, "[1]", "jamf-gateway; fwd=miss; stored", "", "0")
	w.clock.Add(10 * time.Minute)
	p.say("", &server.PassError{Code: "jamf_unavailable"})
	ask(200, "[1]", "jamf-gateway; hit; ttl=3000", "", "600")
	w.clock.Add(time.Hour)
	ask(200, "[1]", "jamf-gateway; hit; ttl=-600; detail=jamf_unavailable", "stale; reason=jamf_unavailable", "4200")
	w.clock.Add(24 * time.Hour)
	ask(502, "", "", "", "")
	if n := len(p.calls()); n != 3 {
		t.Errorf("%d calls", n)
	}
}

func TestNoRefusalOfJamfIsPassedOnButThatOfThePath(t *testing.T) {
	for name, c := range map[string]struct {
		err    *server.PassError
		status int
		code   string
	}{
		"not there":   {&server.PassError{Status: 404, Code: "not_found"}, 404, "not_found"},
		"bad filter":  {&server.PassError{Status: 400, Code: "bad_request"}, 400, "bad_request"},
		"no right":    {&server.PassError{Code: "right_missing"}, 502, "passthrough_failed"},
		"bad token":   {&server.PassError{Code: "token_refused"}, 502, "passthrough_failed"},
		"breaker":     {&server.PassError{Code: "breaker_open", Unsent: true, RetryAfter: 42 * time.Second}, 503, "passthrough_paused"},
		"own timeout": {&server.PassError{Code: "busy", Unsent: true}, 503, "passthrough_paused"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &passing{err: c.err}
			r := newWorld(t, passes(p)).get("all", "/api/v1/departments")
			if r.status != c.status || !strings.Contains(string(r.body), "["+c.code+"]") || !strings.HasPrefix(string(r.body), `{"httpStatus":`) {
				t.Errorf("%d %s", r.status, r.body)
			}
			if c.err.RetryAfter > 0 && r.header.Get("Retry-After") != "42" {
				t.Errorf("Retry-After %q", r.header.Get("Retry-After"))
			}
		})
	}
}

func TestSixtyWhoAskAtOnceAreOneCallOfJamf(t *testing.T) {
	p := &passing{body: `[1]`, gate: make(chan struct{})}
	w := newWorld(t, passes(p), func(o *server.Options) { o.Sources[0].Kinds = []device.Kind{device.Computer} })
	tokens := []string{w.token("all"), w.token("all")}
	var wg sync.WaitGroup
	for i := range 60 { // one client has 64 requests at once
		wg.Go(func() {
			r := w.do(http.MethodGet, w.base+"/api/v1/departments", "", "Authorization", "Bearer "+tokens[i%2], "Accept-Encoding", []string{"gzip", "identity"}[i%2])
			if r.status != http.StatusOK {
				t.Errorf("%d %s", r.status, r.body)
			}
		})
	}
	close(p.gate)
	wg.Wait()
	if n := len(p.calls()); n != 1 {
		t.Errorf("%d calls", n)
	}
}

// Who must not see old data is not given old answers of Jamf's either.
func TestAClientThatTakesNothingOldGetsNoLateAnswer(t *testing.T) {
	p := &passing{body: `[1]`}
	w := newWorld(t, passes(p), func(o *server.Options) {
		o.Clients = append(o.Clients, server.ClientOptions{ID: "strict", Secrets: [][32]byte{sum("strict")}, Passthrough: true, OnlyFresh: true})
	})
	if r := w.get("strict", "/api/v1/departments"); r.status != http.StatusOK {
		t.Fatalf("while Jamf answers: %s", r)
	}
	w.clock.Add(2 * time.Hour)
	p.say("", &server.PassError{Code: "jamf_unavailable"})
	if r := w.get("all", "/api/v1/departments"); r.status != http.StatusOK {
		t.Errorf("to the others: %s", r)
	}
	r := w.get("strict", "/api/v1/departments")
	w.want(r, http.StatusServiceUnavailable, "not_fresh")
	if r.header.Get("Retry-After") == "" {
		t.Error("without Retry-After")
	}
}

// TestWhatOneJamfSaidIsNotGivenForAnother: other settings point the source at another Jamf, while an answer of the first is kept and another is under way.
func TestWhatOneJamfSaidIsNotGivenForAnother(t *testing.T) {
	first, other := &passing{body: `["of the first"]`}, &passing{body: `["of the other"]`}
	w := newWorld(t, passes(first), func(o *server.Options) { o.Sources[0].Jamf = "first" })
	said := func(path, body string) {
		t.Helper()
		if r := w.get("all", path); r.status != http.StatusOK || string(r.body) != body {
			t.Errorf("%s: %s", path, r)
		}
	}
	said("/api/v1/departments", first.body)
	first.gate = make(chan struct{})
	late := make(chan reply)
	header := "Bearer " + w.token("all")
	go func() {
		late <- w.do(http.MethodGet, w.base+"/api/v1/computer-groups/7", "", "Authorization", header)
	}()
	for first.waiting.Load() == 0 {
		runtime.Gosched()
	}
	err := w.server.Apply(w.settings(func(s *server.Settings) {
		s.Passthrough, s.Sources = other, slices.Clone(s.Sources)
		s.Sources[0].Jamf = "other"
	}))
	if err != nil {
		t.Fatal(err)
	}
	close(first.gate)
	if r := <-late; string(r.body) != first.body {
		t.Errorf("what had been asked before: %s", r)
	}
	said("/api/v1/departments", other.body)
	said("/api/v1/computer-groups/7", other.body)
	other.say("", &server.PassError{Code: "timeout"})
	w.clock.Add(2 * time.Hour)
	said("/api/v1/departments", `["of the other"]`)
}
