package server_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/server"
)

func TestAnOperatorsReloadIsAuditedAndSaysWhatIsWrong(t *testing.T) {
	a := newAudited(t)
	want := `{"status":"taken","added":["neu"],"changed":[],"restart":["listen"]}`
	if r := a.post("/v1/admin/reload?by=erika"); r.status != http.StatusOK || string(r.body) != want {
		t.Errorf("a reload: %s", r)
	}
	a.house.syncErr = &server.SettingsError{
		Why: server.Warning{EN: "gateway.yaml:3: listen: bad", DE: "gateway.yaml:3: listen: schlecht"}, Outcome: "guarded", Err: errors.New("bad"),
	}
	r := a.post("/v1/admin/reload")
	a.want(r, http.StatusConflict, "settings_refused")
	if !strings.Contains(string(r.body), `"refused":{"en":"gateway.yaml:3: listen: bad","de":"gateway.yaml:3: listen: schlecht"}`) {
		t.Errorf("the problem is lost: %s", r)
	}
	a.want(a.post("/v1/admin/reload?force=1"), http.StatusBadRequest, "unknown_parameter")
	a.want(a.do(http.MethodPost, a.admin+"/v1/admin/reload", "", "Authorization", ""), http.StatusUnauthorized, "admin_token")
	a.want(a.do(http.MethodPost, a.admin+"/v1/admin/reload", "", "Host", "evil.example"), http.StatusForbidden, "forbidden_origin")
	a.full.Store(true)
	a.want(a.post("/v1/admin/reload"), http.StatusServiceUnavailable, "audit_failed")
	a.full.Store(false)
	if !slices.Equal(a.house.acts, []string{"reload", "reload"}) {
		t.Errorf("done: %q", a.house.acts)
	}
	if diff := cmp.Diff([]string{
		"settings.reload admin erika admin asked", "settings.reload admin erika admin ok", "settings.reload admin admin asked", "settings.reload admin admin guarded",
		"admin.refused forbidden_origin x1",
	}, inOrder(a.told(), 4)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheAdminDoorRemovesASourceThatIsNamedTwice(t *testing.T) {
	a := newAudited(t)
	path := "/v1/admin/sources/schule-a/remove?confirm=schule-a"
	want := `{"source":"schule-a","status":"removed","devices":12,"clients":["all","only-a"],"added":[],"changed":["schule-b"],"restart":[]}`
	if r := a.post(path + "&by=erika"); r.status != http.StatusOK || string(r.body) != want {
		t.Errorf("a removal: %s", r)
	}
	for path, code := range map[string]string{
		"schule-a/remove": "bad_request", "schule-a/remove?confirm=schule-b": "bad_request", "schule-a/remove?confirm=schule-a&force=1": "unknown_parameter",
	} {
		a.want(a.post("/v1/admin/sources/"+path), http.StatusBadRequest, code)
	}
	a.want(a.post("/v1/admin/sources/A/remove?confirm=A"), http.StatusNotFound, "unknown_source")
	a.house.syncErr = server.ErrUnknownSource
	a.want(a.post(path), http.StatusNotFound, "unknown_source")
	a.house.syncErr = &server.SettingsError{Why: server.Warning{EN: "schule-a still stands there", DE: "schule-a steht noch da"}, Outcome: "refused", Err: errors.New("no")}
	r := a.post(path)
	a.want(r, http.StatusConflict, "settings_refused")
	if !strings.Contains(string(r.body), `"refused":{"en":"schule-a still stands there","de":"schule-a steht noch da"}`) {
		t.Errorf("the refusal says nothing: %s", r)
	}
	a.want(a.do(http.MethodPost, a.admin+path, "", "Authorization", ""), http.StatusUnauthorized, "admin_token")
	a.want(a.do(http.MethodPost, a.admin+path, "", "Host", "evil.example"), http.StatusForbidden, "forbidden_origin")
	a.full.Store(true)
	a.want(a.post(path), http.StatusServiceUnavailable, "audit_failed")
	a.full.Store(false)
	if !slices.Equal(a.house.acts, []string{"remove schule-a", "remove schule-a", "remove schule-a"}) {
		t.Errorf("done: %q", a.house.acts)
	}
	if diff := cmp.Diff([]string{
		"admin.remove admin erika schule-a schule-a asked", "admin.remove admin erika schule-a schule-a ok",
		"admin.remove admin schule-a schule-a asked", "admin.remove admin schule-a schule-a unknown_source",
		"admin.remove admin schule-a schule-a asked", "admin.remove admin schule-a schule-a refused",
		"admin.refused forbidden_origin x1",
	}, inOrder(a.told(), 6)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhoGuessesTheAdminTokenReloadsAndRemovesNothing(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/v1/admin/reload", "/v1/admin/sources/schule-a/remove?confirm=schule-a"} {
		address := w.admin + path
		w.want(w.do(http.MethodPost, address, "", "Content-Encoding", "gzip"), http.StatusUnsupportedMediaType, "content_encoding")
		for range server.AdminTries {
			w.do(http.MethodPost, address, "", "Authorization", "Bearer jga_guess")
		}
		w.want(w.do(http.MethodPost, address, "", "Authorization", "Bearer jga_guess"), http.StatusTooManyRequests, "too_many_attempts")
	}
	if len(w.house.acts) != 0 {
		t.Errorf("done: %q", w.house.acts)
	}
}
