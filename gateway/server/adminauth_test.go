package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/server"
)

func TestTheAdminDoorOpensForItsTokenAlone(t *testing.T) {
	w := newWorld(t)
	for name, tc := range map[string]struct {
		authorization string
		reads, acts   bool
	}{
		"the token":                      {"Bearer " + adminToken, true, true},
		"the scheme in small letters":    {"bearer " + adminToken, true, true},
		"as a password":                  {basic("admin", adminToken), true, false},
		"as a password without a name":   {basic("", adminToken), true, false},
		"as a name":                      {basic(adminToken, ""), false, false},
		"nothing":                        {"", false, false},
		"no token":                       {"Bearer ", false, false},
		"another one":                    {"Bearer jga_another", false, false},
		"one that begins like it":        {"Bearer " + adminToken[:len(adminToken)-1], false, false},
		"one that is longer":             {"Bearer " + adminToken + "x", false, false},
		"in other letters":               {"Bearer " + strings.ToUpper(adminToken), false, false},
		"the token of a client":          {"Bearer " + w.token("all"), false, false},
		"id and secret of a client":      {basic("all", secretOf("all")), false, false},
		"another scheme":                 {"Digest " + adminToken, false, false},
		"a password that is no base64":   {"Basic " + adminToken, false, false},
		"the token without its scheme":   {adminToken, false, false},
		"the token with a foreign start": {"Bearer x " + adminToken, false, false},
	} {
		for method, good := range map[string]bool{http.MethodGet: tc.reads, http.MethodPost: tc.acts} {
			path := map[string]string{http.MethodGet: "/v1/admin/sources", http.MethodPost: "/v1/admin/sources/schule-a/sync"}[method]
			r := w.do(method, w.admin+path, "", "Authorization", tc.authorization)
			if !good {
				w.want(r, http.StatusUnauthorized, "admin_token")
			} else if r.status >= http.StatusBadRequest {
				t.Errorf("%s: %s: %s", name, method, r)
			}
		}
		w.clock.Add(time.Hour) // what was wrong is not counted together here
	}
	if len(w.house.syncs) != 2 {
		t.Errorf("%d syncs were begun, 2 had the right to", len(w.house.syncs))
	}
}

func TestABrowserIsAskedForTheAdminTokenWhereItReads(t *testing.T) {
	w := newWorld(t)
	read := w.do(http.MethodGet, w.admin+"/v1/admin/sources", "", "Authorization", "").header.Values("WWW-Authenticate")
	const bearer = `Bearer realm="jamf-gateway admin"`
	if diff := cmp.Diff([]string{`Basic realm="jamf-gateway admin: any name, and the admin token as password", charset="UTF-8", ` + bearer}, read); diff != "" {
		t.Error(diff)
	}
	act := w.do(http.MethodPost, w.admin+"/v1/admin/sources/schule-a/sync", "", "Authorization", "").header.Values("WWW-Authenticate")
	if diff := cmp.Diff([]string{bearer}, act); diff != "" {
		t.Error(diff)
	}
}

func TestWrongAdminTokensAreLimitedAndNeverLockTheRightOneOut(t *testing.T) {
	w := newWorld(t)
	try := func() reply {
		t.Helper()
		r := w.do(http.MethodGet, w.admin+"/v1/admin/sources", "", "Authorization", "Bearer jga_guess")
		if right := w.do(http.MethodGet, w.admin+"/v1/admin/sources", ""); right.status != http.StatusOK {
			t.Fatalf("the right one: %s", right)
		}
		return r
	}
	for range server.AdminTries {
		w.want(try(), http.StatusUnauthorized, "admin_token")
	}
	r := try()
	w.want(r, http.StatusTooManyRequests, "too_many_attempts")
	if r.header.Get("Retry-After") != "10" {
		t.Error(r.header)
	}
	// Who brings none is no guess.
	w.want(w.do(http.MethodGet, w.admin+"/v1/admin/sources", "", "Authorization", ""), http.StatusUnauthorized, "admin_token")
	for _, path := range []string{"/v1/admin/usage", "/v1/admin/clients/all/usage"} {
		w.want(w.do(http.MethodGet, w.admin+path, "", "Authorization", ""), http.StatusUnauthorized, "admin_token")
		w.want(w.do(http.MethodGet, w.admin+path, "", "Authorization", "Bearer jga_guess"), http.StatusTooManyRequests, "too_many_attempts")
	}
	w.clock.Add(server.AdminTriesEvery)
	w.want(try(), http.StatusUnauthorized, "admin_token")
	w.want(try(), http.StatusTooManyRequests, "too_many_attempts")
}

func TestWithoutATokenNobodyIsLetIn(t *testing.T) {
	for name, token := range map[string]func() string{"none": nil, "an empty one": func() string { return "" }} {
		w := newWorld(t, func(o *server.Options) { o.AdminToken = token })
		for _, authorization := range []string{"", "Bearer ", "Bearer x", basic("", "")} {
			if r := w.do(http.MethodGet, w.admin+"/v1/admin/sources", "", "Authorization", authorization); r.status != http.StatusUnauthorized {
				t.Errorf("%s: %q: %s", name, authorization, r)
			}
		}
	}
}
