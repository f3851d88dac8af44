package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"testing"
	"time"

	"jamf-gateway/gateway/server"
)

const form = "application/x-www-form-urlencoded"

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

func TestTokenEndpointsAnswerInTheShapeOfJamf(t *testing.T) {
	w := newWorld(t)
	body := "grant_type=client_credentials&client_secret=" + secretOf("all") + "&client_id=all"
	for _, path := range []string{
		"/oauth/token", "/api/oauth/token", "/api/v1/oauth/token", "/jamf/schule-a/api/oauth/token", "/jamf/schule-b/api/v1/oauth/token",
	} {
		r := w.do(http.MethodPost, w.base+path, body, "Content-Type", form)
		var answer map[string]any
		r.decode(t, &answer)
		if r.status != http.StatusOK || answer["scope"] != "api-role:1" || answer["token_type"] != "Bearer" || answer["expires_in"] != 7199.0 || len(answer) != 4 {
			t.Errorf("%s: %s", path, r)
		}
		if r.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control %q", path, r.header.Get("Cache-Control"))
		}
		token, _ := answer["access_token"].(string)
		if got := w.do(http.MethodGet, w.base+"/v1/sources", "", "Authorization", "bearer "+token); got.status != http.StatusOK {
			t.Errorf("%s: its token: %s", path, got)
		}
	}
}

func TestTokenRequestsAreReadAsClientsSendThem(t *testing.T) {
	odd := "a+b&c=d%e"
	w := newWorld(t, func(o *server.Options) {
		o.Clients = append(o.Clients, server.ClientOptions{ID: "odd", Secrets: [][32]byte{sha256.Sum256([]byte(odd))}})
	})
	secret := secretOf("all")
	for name, tc := range map[string]struct {
		path, body    string
		header        []string
		status        int
		code          string
		authenticates string
	}{
		"grant type in the query": {path: "/api/oauth/token?grant_type=client_credentials", body: "client_id=all&client_secret=" + secret, status: 200},
		"Basic":                   {body: "grant_type=client_credentials", header: []string{"Authorization", basic("all", secret)}, status: 200},
		"Basic without a body":    {path: "/oauth/token?grant_type=client_credentials", header: []string{"Authorization", basic("all", secret)}, status: 200},
		"Basic, form-encoded":     {body: "grant_type=client_credentials", header: []string{"Authorization", basic("odd", url.QueryEscape(odd))}, status: 200},
		"Basic, as it is":         {body: "grant_type=client_credentials", header: []string{"Authorization", basic("odd", odd)}, status: 200},
		"a stale Bearer along":    {body: "grant_type=client_credentials&client_id=all&client_secret=" + secret, header: []string{"Authorization", "Bearer old"}, status: 200},
		"a scope is ignored":      {body: "grant_type=client_credentials&scope=api-role%3A7&client_id=all&client_secret=" + secret, status: 200},
		"wrong secret":            {body: "grant_type=client_credentials&client_id=all&client_secret=wrong", status: 401, code: "invalid_client", authenticates: "Bearer"},
		"unknown client":          {body: "grant_type=client_credentials&client_id=nobody&client_secret=" + secret, status: 401, code: "invalid_client", authenticates: "Bearer"},
		"wrong secret by Basic":   {body: "grant_type=client_credentials", header: []string{"Authorization", basic("all", "wrong")}, status: 401, code: "invalid_client", authenticates: "Basic"},
		"broken Basic":            {body: "grant_type=client_credentials", header: []string{"Authorization", "Basic ???"}, status: 400, code: "invalid_request"},
		"Basic and body":          {body: "grant_type=client_credentials&client_secret=" + secret, header: []string{"Authorization", basic("all", secret)}, status: 400, code: "invalid_request"},
		"no grant type":           {body: "client_id=all&client_secret=" + secret, status: 400, code: "invalid_request"},
		"another grant type":      {body: "grant_type=password&client_id=all&client_secret=" + secret, status: 400, code: "unsupported_grant_type"},
		"no client":               {body: "grant_type=client_credentials&client_secret=" + secret, status: 400, code: "invalid_request"},
		"no secret":               {body: "grant_type=client_credentials&client_id=all", status: 400, code: "invalid_request"},
		"two clients":             {body: "grant_type=client_credentials&client_id=all&client_id=only-a&client_secret=" + secret, status: 400, code: "invalid_request"},
		"secret in the query":     {path: "/oauth/token?client_secret=" + secret, body: "grant_type=client_credentials&client_id=all&client_secret=" + secret, status: 400, code: "invalid_request"},
		"all in the query":        {path: "/oauth/token?grant_type=client_credentials&client_id=all&client_secret=" + secret, status: 400, code: "invalid_request"},
		"JSON":                    {body: `{"grant_type":"client_credentials"}`, header: []string{"Content-Type", "application/json"}, status: 400, code: "invalid_request"},
		"broken form":             {body: "grant_type=%zz", status: 400, code: "invalid_request"},
		"not his source":          {path: "/jamf/schule-b/api/oauth/token", body: "grant_type=client_credentials&client_id=only-a&client_secret=" + secretOf("only-a"), status: 401, code: "invalid_client", authenticates: "Bearer"},
		"no such source":          {path: "/jamf/schule-x/api/oauth/token", body: "grant_type=client_credentials&client_id=all&client_secret=" + secret, status: 401, code: "invalid_client", authenticates: "Bearer"},
	} {
		path := tc.path
		if path == "" {
			path = "/oauth/token"
		}
		header := tc.header
		if len(header) == 0 || header[0] != "Content-Type" {
			header = append(header, "Content-Type", form)
		}
		r := w.do(http.MethodPost, w.base+path, tc.body, header...)
		if r.status != tc.status || tc.code != "" && r.code(t) != tc.code {
			t.Errorf("%s: %s", name, r)
		}
		if got, want := r.header.Get("WWW-Authenticate"), tc.authenticates; want != "" && got != want+` realm="jamf-gateway"` {
			t.Errorf("%s: WWW-Authenticate %q", name, got)
		}
	}
}

func TestUnknownClientAndWrongSecretCannotBeToldApart(t *testing.T) {
	w := newWorld(t)
	ask := func(id string) reply {
		return w.do(http.MethodPost, w.base+"/oauth/token", "grant_type=client_credentials&client_id="+id+"&client_secret=wrong", "Content-Type", form)
	}
	known, unknown := ask("all"), ask("nobody")
	if string(known.body) != string(unknown.body) || known.status != unknown.status {
		t.Errorf("known %s, unknown %s", known, unknown)
	}
}

func TestEverythingButTheOpenDoorsNeedsAToken(t *testing.T) {
	w := newWorld(t)
	for path, status := range map[string]int{
		"/livez": 200, "/": 200, "/healthCheck.html": 200, "/api/v1/health-check": 204, "/api/startup-status": 200,
		"/jamf/schule-a": 200, "/jamf/schule-a/healthCheck.html": 200, "/jamf/schule-a/api/v1/health-check": 204, "/jamf/nowhere/api/startup-status": 200,
		"/v1/devices": 401, "/v1/devices/x": 401, "/v1/sources": 401, "/v1/health": 401, "/nothing": 401, "/v1/nothing": 401, "/metrics": 401,
		"/v1/admin/sources": 401, "/api": 401, "/api/": 401, "/api/v1/auth": 401, "/api/nothing": 401, "/JSSResource/computers": 401,
		"/jamf/schule-a/api/v1/computers-inventory": 401, "/jamf/nowhere/api/v1/computers-inventory": 401, "/jamf": 401, "/LIVEZ": 401, "/livez/": 401,
	} {
		for _, authorization := range []string{"", "Bearer", "Bearer ", "Bearer nonsense", "Basic YTpi", "nonsense"} {
			header := []string{"Authorization", authorization}
			if authorization == "" {
				header = nil
			}
			r := w.do(http.MethodGet, w.base+path, "", header...)
			if r.status != status {
				t.Errorf("%s with %q: %s, want %d", path, authorization, r, status)
			}
			if status == http.StatusUnauthorized && r.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s with %q: no WWW-Authenticate", path, authorization)
			}
		}
	}
	token := w.token("all")
	if r := w.do(http.MethodGet, w.base+"/v1/nothing", "", "Authorization", "Bearer "+token); r.status != http.StatusNotFound {
		t.Errorf("an unknown path with a token: %s", r)
	}
	w.clock.Add(2 * time.Hour)
	r := w.do(http.MethodGet, w.base+"/v1/sources", "", "Authorization", "Bearer "+token)
	w.want(r, http.StatusUnauthorized, "invalid_token")
}
