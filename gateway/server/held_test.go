package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/server"
)

// holding is a hold over the computers of schule-a.
func (w *world) holding() {
	w.house.source("schule-a", func(s *server.SourceStatus) {
		for i := range s.Kinds {
			if s.Kinds[i].Kind != "computer" {
				continue
			}
			s.Kinds[i].State, s.Kinds[i].Reason, s.Kinds[i].LastResult, s.Kinds[i].LastErrorCode = "stale", "held", "held", "held"
			s.Kinds[i].Hold = &server.Hold{
				Digest: "0123456789abcdef01234567", Since: start, Generation: 9, Count: 3, Removed: 2, First: []int64{1, 999_999},
				Findings: []server.Finding{{Guard: "removed", Count: 40, Of: 100, Limit: 25}, {Guard: "blanked", Count: 60, Of: 60, Limit: 30, Names: []string{"general.assetTag"}}},
			}
		}
	})
}

func TestAHoldIsSaidEverywhereAndTheDataBeforeIsServed(t *testing.T) {
	w := newWorld(t)
	w.publishAll(3)
	before := w.get("all", "/v1/devices?source=schule-a&kind=computer")
	w.holding()
	r := w.get("all", "/v1/devices?source=schule-a&kind=computer")
	var list struct {
		Stale   bool
		Items   []json.RawMessage
		Sources []struct {
			State, Reason string
			Held          *string
		}
	}
	if err := json.Unmarshal(r.body, &list); err != nil || r.status != http.StatusOK {
		t.Fatal(err, r)
	}
	if s := list.Sources[0]; !list.Stale || s.State != "stale" || s.Reason != "held" || s.Held == nil || *s.Held != "0123456789abcdef01234567" {
		t.Errorf("the list says %+v", list.Sources)
	}
	if len(list.Items) == 0 || r.header.Get("ETag") == before.header.Get("ETag") {
		t.Error("the list is empty, or looks like the one before the hold")
	}
	for _, path := range []string{"/v1/sources/schule-a", "/v1/sources/schule-a/health"} {
		var v struct {
			Kinds []struct {
				Held *string
				Hold *struct {
					Digest                     string
					Generation, Count, Removed int
					Guards                     []server.Finding
				}
			}
		}
		if err := json.Unmarshal(w.get("all", path).body, &v); err != nil {
			t.Fatal(err)
		}
		h := v.Kinds[0].Hold
		if h == nil || h.Digest != *v.Kinds[0].Held || h.Generation != 9 || h.Count != 3 || h.Removed != 2 || len(h.Guards) != 2 || h.Guards[0].Limit != 25 || v.Kinds[1].Hold != nil {
			t.Errorf("%s: %+v", path, h)
		}
	}
	if body := string(w.get("all", "/v1/sources").body); strings.Contains(body, `"hold"`) {
		t.Error("the numbers stand in the list of sources as well")
	}
}

// Whatever its age, what is held is for a person to decide, and not an error.
func TestAHoldNeverBecomesAnErrorByItsAge(t *testing.T) {
	w := newWorld(t)
	w.publishAll(3)
	w.clock.Add(31 * 24 * time.Hour)
	for name, path := range map[string]string{"normalized": "/v1/devices?source=schule-a&kind=computer", "façade": "/jamf/schule-a/api/v1/computers-inventory"} {
		if r := w.get("all", path); r.status != http.StatusServiceUnavailable {
			t.Errorf("%s without a hold: %s", name, r)
		}
	}
	w.holding()
	for name, path := range map[string]string{"normalized": "/v1/devices?source=schule-a&kind=computer", "façade": "/jamf/schule-a/api/v1/computers-inventory"} {
		if r := w.get("all", path); r.status != http.StatusOK {
			t.Errorf("%s with a hold: %s", name, r)
		}
	}
	if r := w.get("all", "/v1/devices?source=schule-a&kind=mobile"); r.status != http.StatusServiceUnavailable {
		t.Errorf("the other kind: %s", r)
	}
}

func TestTheAdminDoorNamesWhatWouldGo(t *testing.T) {
	w := newWorld(t)
	w.publishAll(3)
	if r := w.do(http.MethodGet, w.admin+"/v1/admin/sources/schule-a/held", ""); string(r.body) != `{"source":"schule-a","items":[]}` {
		t.Error(r)
	}
	w.holding()
	r := w.do(http.MethodGet, w.admin+"/v1/admin/sources/schule-a/held", "")
	var v struct {
		Items []struct {
			Kind, Digest string
			Removed      int
			Guards       []server.Finding
			Devices      []struct{ UID, Name, SerialNumber string }
		}
	}
	if err := json.Unmarshal(r.body, &v); err != nil || len(v.Items) != 1 {
		t.Fatal(err, r)
	}
	at := v.Items[0]
	if at.Kind != "computer" || at.Digest != "0123456789abcdef01234567" || at.Removed != 2 || len(at.Guards) != 2 || len(at.Devices) != 2 {
		t.Fatalf("%+v", at)
	}
	if d := at.Devices[0]; d.UID != "schule-a:computer:1" || d.Name == "" || d.SerialNumber == "" {
		t.Errorf("%+v", d)
	}
	if d := at.Devices[1]; d.UID != "schule-a:computer:999999" || d.Name != "" {
		t.Errorf("a device that is not served: %+v", d)
	}
	w.want(w.do(http.MethodGet, w.admin+"/v1/admin/sources/nope/held", ""), http.StatusNotFound, "unknown_source")
	w.want(w.do(http.MethodGet, w.admin+"/v1/admin/sources/schule-a/held?x=1", ""), http.StatusBadRequest, "unknown_parameter")
}

func TestTheAdminDoorApprovesAndExpects(t *testing.T) {
	w := newWorld(t)
	post := func(path string) reply { return w.do(http.MethodPost, w.admin+"/v1/admin/sources/"+path, "") }
	until := start.Add(48 * time.Hour).Format(time.RFC3339)
	for path, body := range map[string]string{
		"schule-a/approve?digest=abc&by=anna":              `{"source":"schule-a","digest":"abc","status":"approved"}`,
		"schule-a/expect-removals?count=30&until=" + until: `{"source":"schule-a","count":30,"until":"2026-11-25T04:12:09.000Z"}`,
		"schule-a/expect-removals?count=0":                 `{"source":"schule-a","count":0,"until":null}`,
	} {
		if r := post(path); r.status != http.StatusOK || string(r.body) != body {
			t.Errorf("%s: %s", path, r)
		}
	}
	for path, code := range map[string]string{
		"schule-a/approve":                                                 "bad_request",
		"schule-a/approve?digest=":                                         "bad_request",
		"schule-a/approve?digest=a&digest=b":                               "bad_request",
		"schule-a/approve?digest=" + strings.Repeat("a", 65):               "bad_request",
		"schule-a/approve?digest=a&force=true":                             "unknown_parameter",
		"schule-a/expect-removals?until=" + until:                          "bad_request",
		"schule-a/expect-removals?count=-1&until=" + until:                 "bad_request",
		"schule-a/expect-removals?count=5":                                 "bad_request",
		"schule-a/expect-removals?count=5&until=tomorrow":                  "bad_request",
		"schule-a/expect-removals?count=5&until=2026-11-22T00:00:00Z":      "bad_request",
		"schule-a/expect-removals?count=5&until=2029-11-22T00:00:00Z":      "bad_request",
		"schule-a/expect-removals?count=5000001&until=" + until:            "bad_request",
		"schule-a/expect-removals?count=5&until=" + until + "&kind=mobile": "unknown_parameter",
	} {
		w.want(post(path), http.StatusBadRequest, code)
	}
	w.house.mu.Lock()
	acts := len(w.house.acts)
	w.house.mu.Unlock()
	if acts != 3 {
		t.Errorf("%d acts: what was refused was done", acts)
	}
	for err, want := range map[error]string{server.ErrNotHeld: "409 not_held", server.ErrUnknownSource: "404 unknown_source", server.ErrSyncRunning: "409 sync_running"} {
		w.house.mu.Lock()
		w.house.syncErr = err
		w.house.mu.Unlock()
		r := post("schule-a/approve?digest=abc")
		var p struct{ Code string }
		_ = json.Unmarshal(r.body, &p)
		if got := fmt.Sprint(r.status, " ", p.Code); got != want {
			t.Errorf("%v is %s, want %s", err, got, want)
		}
	}
	w.house.mu.Lock()
	defer w.house.mu.Unlock()
	if diff := cmp.Diff(`approve schule-a abc by "anna"`, find(w.house.acts, "anna")); diff != "" {
		t.Error(diff)
	}
}

// find is the first text that has a part.
func find(all []string, part string) string {
	for _, s := range all {
		if strings.Contains(s, part) {
			return s
		}
	}
	return ""
}

// After a loss of the store nothing is kept that could be shown: the hold says its numbers, and an approval reads Jamf again.
func TestAHoldAfterALossNamesNoDeviceAndIsReadAgain(t *testing.T) {
	w := newWorld(t)
	digest := "0123456789abcdef01234567"
	w.house.source("schule-a", func(s *server.SourceStatus) {
		s.Kinds[0].State, s.Kinds[0].Reason = "never_synced", "held"
		s.Kinds[0].Hold = &server.Hold{Digest: digest, Since: start, Count: 140, Removed: 60, Findings: []server.Finding{{Guard: "lost", Count: 60, Of: 200, Limit: 30}}}
	})
	r := w.do(http.MethodGet, w.admin+"/v1/admin/sources/schule-a/held", "")
	for _, want := range []string{`"generation":0,"count":140,"removed":60,"guards":[{"guard":"lost","count":60,"of":200,"limit":30}]`, `"devices":[]`} {
		if r.status != http.StatusOK || !strings.Contains(string(r.body), want) {
			t.Errorf("no %s in %s", want, r)
		}
	}
	if r := w.get("all", "/v1/sources/schule-a"); !strings.Contains(string(r.body), `"guard":"lost"`) {
		t.Errorf("the source does not say it: %s", r)
	}
	w.want(w.get("all", "/v1/devices?source=schule-a&kind=computer"), http.StatusServiceUnavailable, "never_synced")
	if r := w.do(http.MethodPost, w.admin+"/v1/admin/sources/schule-a/approve?digest="+digest, ""); !strings.Contains(string(r.body), `"status":"reading"`) {
		t.Errorf("approved: %s", r)
	}
}
