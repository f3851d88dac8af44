package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// jamfPage is a façade list.
type jamfPage struct {
	TotalCount *int             `json:"totalCount"`
	Results    []map[string]any `json:"results"`
}

func (w *world) page(path string) jamfPage {
	w.t.Helper()
	r := w.get("all", path)
	if r.status != http.StatusOK {
		w.t.Fatalf("%s: %s", path, r)
	}
	var p jamfPage
	r.decode(w.t, &p)
	if p.TotalCount == nil || p.Results == nil {
		w.t.Fatalf("%s: no totalCount or no results: %s", path, r)
	}
	return p
}

func ids(p jamfPage, field string) []string {
	out := []string{}
	for _, r := range p.Results {
		id, _ := r[field].(string)
		out = append(out, id)
	}
	return out
}

func TestFacadeListsAreWalkedWholeWithAnyPageSizeAndSpelling(t *testing.T) {
	w := newWorld(t)
	w.publish("schule-a", device.Computer, computers("AC", 1, 23))
	w.publish("schule-a", device.Mobile, mobiles("AM", 1, 23))
	var want []string
	for id := 1; id <= 23; id++ {
		want = append(want, fmt.Sprint(id))
	}
	for path, field := range map[string]string{
		"/api/v1/computers-inventory": "id", "/api/v4/computers-inventory": "id", "/jamf/schule-a/api/v4/computers-inventory": "id",
		"/api/v2/mobile-devices": "id", "/api/v2/mobile-devices/detail": "mobileDeviceId",
	} {
		for size, spelling := range map[int]string{1: "page-size", 7: "pagesize", 10: "size", 23: "page-size", 5000: "page-size"} {
			var got []string
			for page := 0; ; page++ {
				p := w.page(fmt.Sprintf("%s?page=%d&%s=%d&sort=%s%%3Aasc", path, page, spelling, size, field))
				if *p.TotalCount != 23 {
					t.Fatalf("%s: totalCount %d", path, *p.TotalCount)
				}
				if len(p.Results) == 0 {
					break
				}
				got = append(got, ids(p, field)...)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s by %d:\n%s", path, size, diff)
			}
		}
	}
	if p := w.page("/api/v1/computers-inventory?page=2147483647&page-size=2147483647"); len(p.Results) != 0 || *p.TotalCount != 23 {
		t.Errorf("far beyond the end: %+v", p)
	}
}

func TestAPageThatWouldLeaveRowsOutIsRefused(t *testing.T) {
	w := newWorld(t, func(o *server.Options) { o.MaxPageSize = 10 })
	w.publish("schule-a", device.Computer, computers("AC", 1, 15))
	w.want(w.get("all", "/api/v1/computers-inventory?page-size=15"), http.StatusBadRequest, "page_size_too_large")
	w.want(w.get("all", "/api/v1/computers-inventory"), http.StatusBadRequest, "page_size_too_large")
	if p := w.page("/api/v1/computers-inventory?page=1&page-size=11"); len(p.Results) != 4 {
		t.Errorf("nothing is left out of this one: %v", ids(p, "id"))
	}
	if p := w.page("/api/v1/computers-inventory?page=0&page-size=10"); len(p.Results) != 10 {
		t.Errorf("%v", ids(p, "id"))
	}
}

func TestSectionsAreShownAsAskedForAndTheOthersAreNull(t *testing.T) {
	w := newWorld(t)
	w.publishAll(1)
	filled := func(path string) []string {
		out := []string{}
		record := w.page(path).Results[0]
		for _, name := range slices.Sorted(maps.Keys(record)) {
			if v := record[name]; v != nil && name != "id" && name != "udid" && name != "mobileDeviceId" && name != "deviceType" {
				out = append(out, name)
			}
		}
		if _, there := record["hardware"]; !there {
			t.Errorf("%s: the key hardware is absent", path)
		}
		return out
	}
	for path, want := range map[string][]string{
		"/api/v1/computers-inventory":                                               {"general"},
		"/api/v4/computers-inventory?section=HARDWARE&section=OPERATING_SYSTEM":     {"hardware", "operatingSystem"},
		"/api/v1/computers-inventory?section=general,Hardware":                      {"general", "hardware"},
		"/api/v4/computers-inventory?section=GENERAL%2CHARDWARE&section=general":    {"general", "hardware"},
		"/api/v2/mobile-devices/detail":                                             {"general"},
		"/api/v2/mobile-devices/detail?section=HARDWARE&exception-handling=LENIENT": {"hardware"},
		"/api/v2/mobile-devices/detail?section=user_and_location&section=HARDWARE":  {"hardware", "userAndLocation"},
	} {
		if diff := cmp.Diff(want, filled(path)); diff != "" {
			t.Errorf("%s:\n%s", path, diff)
		}
	}
	for _, path := range []string{
		"/api/v1/computers-inventory?section=SHOES", "/api/v4/computers-inventory?section=FONTS", "/api/v1/computers-inventory/1?section=SHOES",
		"/api/v2/mobile-devices/detail?section=DISK_ENCRYPTION",
	} {
		w.want(w.get("all", path), http.StatusBadRequest, "bad_request")
	}
}

func TestOneRecordByEachOfItsWays(t *testing.T) {
	w := newWorld(t)
	w.publishAll(3)
	get := func(path string) map[string]any {
		r := w.get("all", path)
		var record map[string]any
		r.decode(t, &record)
		if r.status != http.StatusOK {
			t.Errorf("%s: %s", path, r)
		}
		return record
	}
	one := get("/api/v1/computers-inventory/2")
	if one["id"] != "2" || one["general"] == nil || one["hardware"] != nil {
		t.Errorf("by id on the list path: %v", one)
	}
	if hw := get("/api/v4/computers-inventory/2?section=HARDWARE"); hw["general"] != nil || hw["hardware"] == nil {
		t.Errorf("with a section: %v", hw)
	}
	detail := get("/api/v4/computers-inventory-detail/2")
	if detail["hardware"] == nil || detail["general"] == nil || detail["operatingSystem"] == nil {
		t.Errorf("detail: %v", detail)
	}
	v1, v4 := get("/api/v1/computers-inventory-detail/2"), detail
	if _, there := v1["fonts"]; !there {
		t.Error("v1 has no fonts")
	}
	if _, there := v4["fonts"]; there {
		t.Error("v4 has fonts")
	}
	if general, _ := v1["general"].(map[string]any); general["lastContactTime"] == nil {
		t.Errorf("v1 has no lastContactTime: %v", general)
	}
	phone := get("/api/v2/mobile-devices/3")
	if len(phone) != 12 || phone["id"] != "3" || phone["type"] != "ios" {
		t.Errorf("mobile device: %d keys, %v", len(phone), phone)
	}
	if p := w.page("/api/v2/mobile-devices"); len(p.Results[2]) != 12 || cmp.Diff(p.Results[2], phone) != "" {
		t.Errorf("the list shows it otherwise: %v", p.Results[2])
	}
	for path, want := range map[string]struct {
		status int
		code   string
	}{
		"/api/v1/computers-inventory/77":                   {404, "unknown_device"},
		"/api/v1/computers-inventory/9999999999999999999":  {404, "unknown_device"},
		"/api/v1/computers-inventory/99999999999999999999": {400, "bad_request"},
		"/api/v1/computers-inventory/-1":                   {400, "bad_request"},
		"/api/v1/computers-inventory/2%20":                 {400, "request_malformed"},
		"/api/v1/computers-inventory/abc":                  {400, "bad_request"},
		"/api/v2/mobile-devices/abc":                       {400, "bad_request"},
		"/api/v2/mobile-devices/77":                        {404, "unknown_device"},
		"/api/v5/computers-inventory":                      {404, "not_found"},
		"/api/v0/computers-inventory/2":                    {404, "not_found"},
		"/api/v1/computers-inventory/2/filevault":          {404, "not_found"},
		"/api/v1/computers-inventory/":                     {404, "not_found"},
		"/api/V1/computers-inventory":                      {404, "not_found"},
		"/api/v2/mobile-devices/77/detail":                 {404, "unknown_device"},
	} {
		w.want(w.get("all", path), want.status, want.code)
	}
}

func TestNothingBelowAJamfBaseCanBeWritten(t *testing.T) {
	w := newWorld(t)
	w.publishAll(1)
	token := w.token("all")
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		for _, path := range []string{
			"/api/v1/computers-inventory", "/api/v4/computers-inventory/1", "/api/v1/computers-inventory-detail/1", "/api/v2/mobile-devices/1",
			"/api/v4/computers-inventory/1/erase", "/jamf/schule-a/api/v1/departments", "/api/v1/auth",
		} {
			r := w.do(method, w.base+path, `{}`, "Authorization", "Bearer "+token)
			w.want(r, http.StatusMethodNotAllowed, "method_not_allowed")
			if got := r.header.Get("Allow"); got != "GET, HEAD, OPTIONS" {
				t.Errorf("%s %s: Allow %q", method, path, got)
			}
		}
		if r := w.do(method, w.base+"/JSSResource/computers/id/1", `<x/>`, "Authorization", "Bearer "+token); r.status != http.StatusMethodNotAllowed {
			t.Errorf("%s on the Classic API: %s", method, r)
		}
	}
	if r := w.do(http.MethodGet, w.base+"/api/oauth/token", "", "Authorization", "Bearer "+token); r.status != http.StatusMethodNotAllowed || r.header.Get("Allow") != "POST, OPTIONS" {
		t.Errorf("GET of the token endpoint: %s %v", r, r.header)
	}
}

func TestATokenIsGoodBelowItsOwnSourcesOnly(t *testing.T) {
	w := newWorld(t)
	w.publishAll(1)
	for _, path := range []string{"/v1/computers-inventory", "/v4/computers-inventory/1", "/v2/mobile-devices", "/v1/auth", "/v1/jamf-pro-version"} {
		for _, base := range []string{"/jamf/schule-a/api", "/jamf/nowhere/api", "/api"} {
			r := w.get("only-b", base+path)
			w.want(r, http.StatusUnauthorized, "INVALID_TOKEN")
		}
		if r := w.get("only-b", "/jamf/schule-b/api"+path); r.status != http.StatusOK {
			t.Errorf("his own source: %s", r)
		}
	}
}

func TestAcceptIsIgnoredAndABodyOfAGetToo(t *testing.T) {
	w := newWorld(t)
	w.publishAll(1)
	r := w.do(http.MethodGet, w.base+"/api/v1/computers-inventory", "null", "Authorization", "Bearer "+w.token("all"),
		"Accept", "application/x-x509-ca-cert;q=0.95,application/xml;q=0.65,application/json;q=0.5")
	if r.status != http.StatusOK || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %v", r, r.header)
	}
}

func TestTheAccountShowsTheRightsLastProvedAndNoOthers(t *testing.T) {
	w := newWorld(t, func(o *server.Options) { o.Sources[1].Kinds = []device.Kind{device.Computer} })
	privileges := func(path string) []string {
		t.Helper()
		r := w.get("all", path)
		var a struct {
			Account struct {
				PrivilegesBySite map[string][]string `json:"privilegesBySite"`
			} `json:"account"`
			AuthenticationType string `json:"authenticationType"`
		}
		r.decode(t, &a)
		if r.status != http.StatusOK || len(a.Account.PrivilegesBySite) != 1 || a.AuthenticationType != "CLIENT_CREDENTIALS" {
			t.Errorf("%s: %s", path, r)
		}
		return a.Account.PrivilegesBySite["-1"]
	}
	for _, path := range []string{"/api/v1/auth", "/api/auth", "/jamf/schule-a/api/v1/auth"} {
		if diff := cmp.Diff([]string{"Read Computers", "Read Mobile Devices"}, privileges(path)); diff != "" {
			t.Errorf("%s:\n%s", path, diff)
		}
	}
	if diff := cmp.Diff([]string{"Read Computers"}, privileges("/jamf/schule-b/api/v1/auth")); diff != "" {
		t.Errorf("a kind that is switched off:\n%s", diff)
	}
	w.house.source("schule-a", func(s *server.SourceStatus) { s.Rights = []string{"Read Mobile Devices", "Delete Computers"} })
	if diff := cmp.Diff([]string{"Read Mobile Devices"}, privileges("/api/v1/auth")); diff != "" {
		t.Errorf("one right is missing, another surplus:\n%s", diff)
	}
	w.house.source("schule-a", func(s *server.SourceStatus) { s.Rights = []string{} })
	if got := privileges("/api/v1/auth"); len(got) != 0 {
		t.Errorf("no right: %v", got)
	}
	w.house.source("schule-a", func(s *server.SourceStatus) { s.Rights = nil })
	w.want(w.get("all", "/api/v1/auth"), http.StatusServiceUnavailable, "rights_unknown")
	w.publish("schule-a", device.Computer, computers("AC", 1, 1))
	w.house.source("schule-a", func(s *server.SourceStatus) { s.CredentialsRefused = true })
	w.want(w.get("all", "/api/v1/auth"), http.StatusServiceUnavailable, "auth_failed")
	if p := w.page("/api/v1/computers-inventory"); len(p.Results) != 1 {
		t.Errorf("the lists do not keep serving: %+v", p)
	}
}

func TestTheVersionIsTheOneReadUpstream(t *testing.T) {
	w := newWorld(t)
	if r := w.get("all", "/api/v1/jamf-pro-version"); string(r.body) != `{"version":"11.30.2-t1"}` {
		t.Error(r)
	}
	w.house.source("schule-a", func(s *server.SourceStatus) { s.JamfVersion = "" })
	w.want(w.get("all", "/api/v1/jamf-pro-version"), http.StatusServiceUnavailable, "never_synced")
	w.publish("schule-a", device.Mobile, mobiles("AM", 1, 1))
	if r := w.get("all", "/api/v1/jamf-pro-version"); string(r.body) != `{"version":"11.30.2-t1"}` {
		t.Errorf("after a restart, from the generation: %s", r)
	}
}

func TestWithoutADefaultSourceTheRootServesNoJamfAPI(t *testing.T) {
	w := newWorld(t, func(o *server.Options) { o.Sources[0].Default = false })
	w.publishAll(1)
	w.want(w.get("all", "/api/v1/computers-inventory"), http.StatusNotFound, "not_found")
	if r := w.get("all", "/jamf/schule-a/api/v1/computers-inventory"); r.status != http.StatusOK {
		t.Error(r)
	}
}

func TestTheClientsProfileCutsTheFacadeToo(t *testing.T) {
	w := newWorld(t, func(o *server.Options) {
		p, ok := device.BuiltinProfile("minimal")
		if !ok {
			t.Fatal("there is no profile minimal")
		}
		o.Clients = append(o.Clients, server.ClientOptions{ID: "minimal", Secrets: [][32]byte{sum("minimal")}, Profile: p})
	})
	w.publishAll(2)
	for _, path := range []string{
		"/api/v1/computers-inventory?section=USER_AND_LOCATION&section=HARDWARE", "/api/v4/computers-inventory-detail/1", "/api/v2/mobile-devices",
		"/api/v2/mobile-devices/detail?section=USER_AND_LOCATION,HARDWARE", "/v1/devices", "/v1/devices/schule-a:mobile:1",
	} {
		cut, whole := w.get("minimal", path), w.get("all", path)
		if cut.status != http.StatusOK || bytes.Contains(cut.body, []byte("example.org")) || bytes.Contains(cut.body, []byte(`"kid1"`)) || bytes.Contains(cut.body, []byte(`"user1"`)) {
			t.Errorf("%s shows a user: %s", path, cut)
		}
		if !bytes.Contains(whole.body, []byte("kid1")) && !bytes.Contains(whole.body, []byte("user1")) {
			t.Errorf("%s: the test would not see a user: %s", path, whole)
		}
		if !strings.Contains(string(cut.body), "0001") {
			t.Errorf("%s does not show the serial number: %s", path, cut)
		}
	}
}

// TestBodiesAreJSON keeps a body that two writers spoil from passing unseen.
func TestBodiesAreJSON(t *testing.T) {
	w := newWorld(t)
	w.publishAll(3)
	for _, path := range []string{
		"/v1/devices", "/v1/sources", "/v1/sources/schule-a", "/v1/sources/schule-a/health", "/v1/health", "/api/v1/auth", "/api/startup-status",
		"/livez", "/readyz", "/healthCheck.html", "/api/v1/computers-inventory", "/api/v2/mobile-devices/detail",
	} {
		if r := w.get("all", path); !json.Valid(r.body) {
			t.Errorf("%s: %s", path, r)
		}
	}
}
