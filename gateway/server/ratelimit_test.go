package server_test

import (
	"fmt"
	"net/http"
	"testing"

	"jamf-gateway/gateway/server"
)

// wantLimitReached holds a refusal against the limit that it stands on.
func (w *world) wantLimitReached(r reply) {
	w.t.Helper()
	w.want(r, http.StatusServiceUnavailable, "busy")
	policy := fmt.Sprintf(`"in-flight";q=%d;qu="concurrent-requests"`, server.ClientRequests)
	if got := r.header.Get("RateLimit-Policy"); got != policy {
		w.t.Errorf("RateLimit-Policy %s, want %s", got, policy)
	}
	limit := `"in-flight";r=0;t=` + r.header.Get("Retry-After")
	if got := r.header.Get("RateLimit"); got != limit {
		w.t.Errorf("RateLimit %s, want %s", got, limit)
	}
}

func TestWhoIsKnownIsToldTheLimitAndNobodyWhatIsLeftOfIt(t *testing.T) {
	w := newWorld(t)
	w.publishAll(2)
	policy := fmt.Sprintf(`"in-flight";q=%d;qu="concurrent-requests"`, server.ClientRequests)
	token := "Bearer " + w.token("all")
	for name, tc := range map[string]struct {
		method, target, authorization, want string
		status                              int
	}{
		"list":             {http.MethodGet, "/v1/devices", token, policy, http.StatusOK},
		"only the header":  {http.MethodHead, "/v1/devices", token, policy, http.StatusOK},
		"options":          {http.MethodOptions, "/v1/devices", token, policy, http.StatusNoContent},
		"of Jamf":          {http.MethodGet, "/jamf/schule-a/api/v1/computers-inventory", token, policy, http.StatusOK},
		"mistake":          {http.MethodGet, "/v1/devices?colour=red", token, policy, http.StatusBadRequest},
		"unknown path":     {http.MethodGet, "/v1/nothing", token, policy, http.StatusNotFound},
		"unknown token":    {http.MethodGet, "/v1/devices", "Bearer x", "", http.StatusUnauthorized},
		"without a token":  {http.MethodGet, "/v1/devices", "", "", http.StatusUnauthorized},
		"open to everyone": {http.MethodGet, "/livez", token, "", http.StatusOK},
	} {
		var header []string
		if tc.authorization != "" {
			header = []string{"Authorization", tc.authorization}
		}
		r := w.do(tc.method, w.base+tc.target, "", header...)
		if got := r.header.Get("RateLimit-Policy"); r.status != tc.status || got != tc.want {
			t.Errorf("%s: %d, RateLimit-Policy %q; want %d, %q", name, r.status, got, tc.status, tc.want)
		}
		if got := r.header.Get("RateLimit"); got != "" {
			t.Errorf("%s: RateLimit %q", name, got)
		}
	}
}
