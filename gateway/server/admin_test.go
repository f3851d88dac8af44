package server_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

func TestTheAdminDoorAsksForASyncAndSaysWhyNot(t *testing.T) {
	w := newWorld(t)
	r := w.do(http.MethodPost, w.admin+"/v1/admin/sources/schule-a/sync", "")
	if r.status != http.StatusAccepted || string(r.body) != `{"source":"schule-a","status":"accepted"}` {
		t.Error(r)
	}
	for err, want := range map[error]struct {
		status int
		code   string
	}{
		server.ErrUnknownSource:       {404, "unknown_source"},
		server.ErrDisabled:            {409, "source_disabled"},
		server.ErrSyncRunning:         {409, "sync_running"},
		errors.New("something broke"): {500, "internal"},
	} {
		w.house.mu.Lock()
		w.house.syncErr = err
		w.house.mu.Unlock()
		w.want(w.do(http.MethodPost, w.admin+"/v1/admin/sources/schule-a/sync", ""), want.status, want.code)
	}
	if diff := cmp.Diff([]string{"schule-a", "schule-a", "schule-a", "schule-a", "schule-a"}, w.house.syncs); diff != "" {
		t.Error(diff)
	}
}

func TestTheAdminDoorSyncsOneKind(t *testing.T) {
	w := newWorld(t)
	post := func(query string) reply {
		return w.do(http.MethodPost, w.admin+"/v1/admin/sources/schule-a/sync"+query, "")
	}
	if r := post("?kind=mobile"); r.status != http.StatusAccepted {
		t.Error(r)
	}
	w.want(post("?kind=tablet"), http.StatusBadRequest, "bad_request")
	w.want(post("?kinds=mobile"), http.StatusBadRequest, "unknown_parameter")
	w.house.source("schule-a", func(s *server.SourceStatus) { s.Kinds = s.Kinds[:1] })
	w.want(post("?kind=mobile"), http.StatusForbidden, "kind_disabled")
	if diff := cmp.Diff([]string{"schule-a mobile"}, w.house.syncs); diff != "" {
		t.Error(diff)
	}
}

func TestTheAdminDoorServesNothingElse(t *testing.T) {
	w := newWorld(t)
	for path, status := range map[string]int{
		"/metrics": 200, "/v1/admin/sources": 200, "/": 404, "/v1/devices": 404, "/debug/pprof/": 404, "/v1/admin/sources/schule-a/sync": 405,
		"/oauth/token": 404, "/livez": 404,
	} {
		if r := w.do(http.MethodGet, w.admin+path, ""); r.status != status {
			t.Errorf("%s: %s", path, r)
		}
		if r := w.do(http.MethodGet, w.admin+path, "", "Authorization", ""); path != "/metrics" && r.status != http.StatusUnauthorized {
			t.Errorf("%s without a token: %s", path, r)
		}
	}
	if r := w.do(http.MethodGet, w.admin+"/metrics", ""); !strings.Contains(string(r.body), "up 1") {
		t.Error(r)
	}
	if r := w.get("all", "/v1/admin/sources"); r.status != http.StatusNotFound {
		t.Errorf("on the public door: %s", r)
	}
}

func TestTheAdminDoorRefusesWhatAWebPageCouldSend(t *testing.T) {
	w := newWorld(t, func(o *server.Options) { o.AdminHosts = []string{"admin.example.com", "192.0.2.8"} })
	own := strings.TrimPrefix(w.admin, "http://")
	for name, tc := range map[string]struct {
		host, origin string
		good         bool
	}{
		"a name of the settings":         {"admin.example.com", "", true},
		"it with a port":                 {"Admin.Example.com:9480", "", true},
		"it behind a proxy with TLS":     {"admin.example.com", "https://admin.example.com", true},
		"a name below it":                {"x.admin.example.com", "", false},
		"a name that ends in it":         {"evil-admin.example.com", "", false},
		"its name, and a foreign origin": {"admin.example.com", "https://evil.example", false},
		"an address of the settings":     {"192.0.2.8:9480", "", true},
		"its own address":                {own, "", true},
		"localhost":                      {"localhost:9480", "", true},
		"loopback of version 6":          {"[::1]:9480", "", true},
		"loopback without a port":        {"127.0.0.1", "", true},
		"a name that points here":        {"evil.example", "", false},
		"a name with its port":           {"evil.example:9480", "", false},
		"another address":                {"192.0.2.7:9480", "", false},
		"a name like localhost":          {"localhost.evil.example", "", false},
		"its own origin":                 {own, "http://" + own, true},
		"a foreign origin":               {own, "https://evil.example", false},
		"an opaque origin":               {own, "null", false},
		"another port of this host":      {own, "http://127.0.0.1:1", false},
		"the other scheme":               {own, "https://" + own, false},
	} {
		header := []string{"Host", tc.host}
		if tc.origin != "" {
			header = append(header, "Origin", tc.origin)
		}
		r := w.do(http.MethodPost, w.admin+"/v1/admin/sources/schule-a/sync", "", header...)
		if (r.status == http.StatusAccepted) != tc.good {
			t.Errorf("%s: %s", name, r)
		}
		if !tc.good {
			w.want(r, http.StatusForbidden, "forbidden_origin")
		}
	}
}

func TestWhatABrowserSendsForAnotherSiteIsRefused(t *testing.T) {
	w := newWorld(t)
	for _, tc := range []struct {
		method, site, mode string
		good               bool
	}{
		{http.MethodPost, "", "", true},
		{http.MethodPost, "same-origin", "cors", true},
		{http.MethodPost, "none", "navigate", true},
		{http.MethodPost, "cross-site", "navigate", false}, // a form of another page
		{http.MethodPost, "cross-site", "no-cors", false},
		{http.MethodPost, "same-site", "cors", false},
		{http.MethodPost, "anything", "cors", false},
		{http.MethodGet, "cross-site", "navigate", true}, // a person follows a link
		{http.MethodGet, "cross-site", "no-cors", false},
		{http.MethodGet, "same-site", "cors", false},
		{http.MethodGet, "same-origin", "cors", true},
	} {
		path := map[string]string{http.MethodGet: "/v1/admin/sources", http.MethodPost: "/v1/admin/sources/schule-a/sync"}[tc.method]
		r := w.do(tc.method, w.admin+path, "", "Sec-Fetch-Site", tc.site, "Sec-Fetch-Mode", tc.mode)
		if (r.status < http.StatusBadRequest) != tc.good || !tc.good && r.code(t) != "forbidden_origin" {
			t.Errorf("%s %s %s: %s", tc.method, tc.site, tc.mode, r)
		}
	}
}

func TestProfilesAreThereOnlyWhereTheyAreWantedAndBehindTheToken(t *testing.T) {
	paths := []string{"heap", "goroutine", "allocs", "block", "mutex", "threadcreate", "profile?seconds=1"}
	without, with := newWorld(t), newWorld(t, func(o *server.Options) { o.Profiles = true })
	for _, path := range paths {
		path = "/debug/pprof/" + path
		without.want(without.do(http.MethodGet, without.admin+path, ""), http.StatusNotFound, "not_found")
		with.want(with.do(http.MethodGet, with.admin+path, "", "Authorization", ""), http.StatusUnauthorized, "admin_token")
		if r := with.do(http.MethodGet, with.admin+path, ""); r.status != http.StatusOK || !strings.HasPrefix(string(r.body), "\x1f\x8b") {
			t.Errorf("%s: %s", path, r)
		}
		if r := with.get("all", path); r.status != http.StatusNotFound && r.status != http.StatusBadRequest {
			t.Errorf("%s at the public door: %s", path, r)
		}
	}
	for _, path := range []string{"/debug/pprof/", "/debug/pprof", "/debug/pprof/cmdline", "/debug/pprof/symbol", "/debug/vars"} {
		with.want(with.do(http.MethodGet, with.admin+path, ""), http.StatusNotFound, "not_found")
	}
	with.want(with.do(http.MethodGet, with.admin+"/debug/pprof/profile?seconds=31", ""), http.StatusBadRequest, "bad_request")
	with.want(with.do(http.MethodGet, with.admin+"/debug/pprof/heap?debug=2", ""), http.StatusBadRequest, "unknown_parameter")
}

func TestHealthTellsTheStateAndWhatToDo(t *testing.T) {
	w := newWorld(t)
	w.publish("schule-a", device.Computer, computers("AC", 1, 2))
	w.house.source("schule-a", func(s *server.SourceStatus) {
		s.Kinds[0].NextSync, s.Kinds[0].LastSuccess, s.Kinds[0].LastResult = start.Add(24*time.Hour), start, "ok"
		s.Kinds[1].LastErrorCode, s.Kinds[1].LastErrorDetail, s.Kinds[1].LastErrorAt = "timeout", "no answer", start.Add(-time.Minute)
		s.Kinds[1].Syncing, s.Kinds[1].Held, s.Kinds[1].Total = true, 40, 800
		s.LastErrorCode, s.LastErrorAt = "auth_failed", start
		s.Heartbeat = server.HeartbeatStatus{
			Every: 5 * time.Minute, At: start, State: "down", Code: "timeout", DownSince: start.Add(-time.Hour), Next: start.Add(5 * time.Minute),
		}
	})
	r := w.get("only-a", "/v1/sources/schule-a/health")
	golden(t, "source-health.json", r.body)
	golden(t, "source.json", w.get("only-a", "/v1/sources/schule-a").body)
	word := func(want string) {
		t.Helper()
		var h struct {
			Status  string `json:"status"`
			Sources []struct {
				Name string `json:"name"`
			} `json:"sources"`
		}
		w.get("only-a", "/v1/health").decode(t, &h)
		if h.Status != want || len(h.Sources) != 1 || h.Sources[0].Name != "schule-a" {
			t.Errorf("want %s: %+v", want, h)
		}
	}
	word("syncing")
	w.publish("schule-a", device.Mobile, mobiles("AM", 1, 2))
	word("ok")
	w.house.state("schule-a", device.Mobile, "stale", "timeout")
	word("degraded")
	w.want(w.get("only-a", "/v1/sources/schule-b/health"), http.StatusNotFound, "unknown_source")
	w.want(w.get("only-a", "/v1/sources/schule-b"), http.StatusNotFound, "unknown_source")
	if r := w.get("only-a", "/v1/sources"); strings.Contains(string(r.body), "schule-b") {
		t.Errorf("a foreign source: %s", r)
	}
}

func TestAConnectionTestIsReportedAsItIs(t *testing.T) {
	w := newWorld(t)
	n, version := 12, "11.30.2"
	w.house.report = server.TestReport{
		OK: false, Source: "schule-a", StartedAt: start, Steps: []server.TestStep{{Name: "dns", Result: "failed", Code: "dns_failed", Action: "Check the name.", LatencyMS: 1.5}},
		RightsPresent: []string{}, RightsMissing: []string{"Read Computers"}, RightsSurplus: []string{}, Computers: &n, JamfVersion: &version,
	}
	post := func(client, path string) reply {
		return w.do(http.MethodPost, w.base+path, "", "Authorization", "Bearer "+w.token(client))
	}
	golden(t, "test-report.json", post("only-a", "/v1/sources/schule-a/test").body)
	w.want(post("only-a", "/v1/sources/schule-b/test"), http.StatusNotFound, "unknown_source")
	w.house.testErr = server.ErrDisabled
	w.want(post("only-a", "/v1/sources/schule-a/test"), http.StatusConflict, "source_disabled")
	w.house.testErr = context.DeadlineExceeded
	w.want(post("only-a", "/v1/sources/schule-a/test"), http.StatusServiceUnavailable, "busy")
	w.want(w.get("only-a", "/v1/sources/schule-a/test"), http.StatusMethodNotAllowed, "method_not_allowed")
}

func TestTheMetricsDoorServesMetricsAndNothingElse(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	ln := listen(t)
	done := make(chan error, 1)
	go func() { done <- w.server.ServeMetrics(ctx, ln) }()
	w.http.Transport.(*http.Transport).DialContext = nil
	base := "http://" + ln.Addr().String()
	if r := w.do(http.MethodGet, base+"/metrics", "", "Host", "prometheus.example"); r.status != http.StatusOK || !strings.Contains(string(r.body), "up 1") {
		t.Error(r)
	}
	if r := w.do(http.MethodPost, base+"/v1/admin/sources/schule-a/sync", ""); r.status != http.StatusNotFound {
		t.Error(r)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestOperatorsSeeTheAPIClientsAndTheWarningsAndClientsDoNot(t *testing.T) {
	w := newWorld(t, func(o *server.Options) {
		o.Warnings = func() []server.Warning { return []server.Warning{{EN: "ends", DE: "endet"}} }
	})
	w.house.source("schule-a", func(s *server.SourceStatus) {
		s.Logins = []server.LoginStatus{{ID: "jamf-one", Refused: start}, {ID: "jamf-two", InUse: true, Proved: start}}
	})
	r := w.do(http.MethodGet, w.admin+"/v1/admin/sources", "")
	at := start.UTC().Format("2006-01-02T15:04:05.000Z")
	for _, want := range []string{
		`"apiClients":[{"clientId":"jamf-one","inUse":false,"refusedSince":"` + at + `","provedAt":null},{"clientId":"jamf-two","inUse":true,"refusedSince":null,"provedAt":"` + at + `"}]`,
		`"apiClients":[]`, `"warnings":[{"en":"ends","de":"endet"}]`,
	} {
		if !strings.Contains(string(r.body), want) {
			t.Errorf("no %s in\n%s", want, r.body)
		}
	}
	for _, path := range []string{"/v1/sources", "/v1/sources/schule-a", "/v1/sources/schule-a/health"} {
		if r := w.get("all", path); r.status != http.StatusOK || strings.Contains(string(r.body), "jamf-one") {
			t.Errorf("%s: %s", path, r)
		}
	}
}
