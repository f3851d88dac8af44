package fakejamf_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/test/fakejamf"
)

func TestZeroOptionsMakeACalmInstance(t *testing.T) {
	s := fakejamf.New(fakejamf.Options{})
	c := newClient(t, s)
	if got := len(c.walk(byID, 50)); got != 120 {
		t.Errorf("%d computers, want 120", got)
	}
	if got := len(c.walk(detailByID, 50)); got != 80 {
		t.Errorf("%d mobile devices, want 80", got)
	}
	if got := s.Faults(); got != fakejamf.Calm() {
		t.Errorf("faults %+v", got)
	}
	none := newClient(t, fakejamf.New(fakejamf.Options{Computers: -1, Mobiles: -1}))
	if l := none.list(byID); l.Total != 0 || l.Results == nil || len(l.Results) != 0 {
		t.Errorf("an empty instance answers %+v", l)
	}
}

func TestTokenEndpointSpeaksRFC6749(t *testing.T) {
	c := newClient(t, fakejamf.New(fakejamf.Options{TokenLifetime: 60 * time.Second}))
	for _, path := range []string{"/api/v1/oauth/token", "/api/oauth/token"} {
		var ok map[string]any
		decode(t, c.post(path, form("demo", "demo-secret")), &ok)
		if ok["expires_in"] != float64(59) || ok["token_type"] != "Bearer" || ok["scope"] == "" || strings.Count(fmt.Sprint(ok["access_token"]), ".") != 2 {
			t.Errorf("%s: %v", path, ok)
		}
	}
	tests := map[string]struct {
		change func(url.Values)
		status int
		code   string
	}{
		"wrong secret":   {func(v url.Values) { v.Set("client_secret", "x") }, 401, "invalid_client"},
		"unknown client": {func(v url.Values) { v.Set("client_id", "x") }, 401, "invalid_client"},
		"no grant":       {func(v url.Values) { v.Del("grant_type") }, 400, "invalid_request"},
		"other grant":    {func(v url.Values) { v.Set("grant_type", "password") }, 400, "unsupported_grant_type"},
		"other scope":    {func(v url.Values) { v.Set("scope", "api-role:9") }, 400, "invalid_scope"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := form("demo", "demo-secret")
			tt.change(v)
			res := c.post("/api/v1/oauth/token", v)
			var body map[string]any
			decode(t, res, &body)
			if res.Code != tt.status || body["error"] != tt.code || body["httpStatus"] != nil {
				t.Errorf("%d %v", res.Code, body)
			}
		})
	}
	r := httptest.NewRequest(http.MethodPost, "/api/v1/oauth/token", strings.NewReader(`{}`))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	c.server.ServeHTTP(w, r)
	if w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("a JSON body is answered %d, want 415", w.Code)
	}
}

func TestTokensDieAtTheirTime(t *testing.T) {
	now := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	c := newClient(t, fakejamf.New(fakejamf.Options{TokenLifetime: time.Minute, Now: func() time.Time { return now }}))
	now = now.Add(59 * time.Second)
	if got := c.status("/api/v1/auth"); got != 200 {
		t.Errorf("after 59 s: %d", got)
	}
	now = now.Add(time.Second)
	if got := c.status("/api/v1/auth"); got != 401 {
		t.Errorf("after 60 s: %d", got)
	}
}

func TestRotatedSecretLeavesLiveTokensAlone(t *testing.T) {
	s := fakejamf.New(fakejamf.Options{})
	c := newClient(t, s)
	s.RotateSecret("next")
	if got := c.status("/api/v1/auth"); got != 200 {
		t.Errorf("old token: %d", got)
	}
	if got := c.post("/api/oauth/token", form("demo", "demo-secret")).Code; got != 401 {
		t.Errorf("old secret: %d", got)
	}
	if got := c.post("/api/oauth/token", form("demo", "next")).Code; got != 200 {
		t.Errorf("new secret: %d", got)
	}
	s.RevokeTokens()
	if got := c.status("/api/v1/auth"); got != 401 {
		t.Errorf("revoked token: %d", got)
	}
}

func TestPrivilegesAreAskedForEachPath(t *testing.T) {
	s := fakejamf.New(fakejamf.Options{})
	c := newClient(t, s)
	paths := map[string]string{
		"/api/v1/computers-inventory": "Read Computers", "/api/v4/computers-inventory-detail/1": "Read Computers",
		"/api/v2/mobile-devices": "Read Mobile Devices", "/api/v2/mobile-devices/detail": "Read Mobile Devices",
		"/api/v1/departments": "Read Departments", "/api/v1/buildings": "Read Buildings", "/api/v1/sites": "Read Sites",
	}
	for path, privilege := range paths {
		s.SetPrivileges()
		res := c.get(path)
		if res.Code != 403 || !strings.Contains(res.Body.String(), "INVALID_PRIVILEGE") {
			t.Errorf("%s without rights: %d %s", path, res.Code, res.Body)
		}
		s.SetPrivileges(privilege)
		if got := c.status(path); got != 200 {
			t.Errorf("%s with %s: %d", path, privilege, got)
		}
	}
	s.SetPrivileges("Read Computers", "Something Else")
	var who struct {
		Account struct {
			BySite map[string][]string `json:"privilegesBySite"`
		} `json:"account"`
	}
	decode(t, c.get("/api/auth"), &who)
	if diff := cmp.Diff(map[string][]string{"-1": {"Read Computers", "Something Else"}}, who.Account.BySite); diff != "" {
		t.Error(diff)
	}
}

func TestPageSizeIsClampedSilentlyAt2000(t *testing.T) {
	c := newClient(t, fakejamf.New(fakejamf.Options{Computers: 2100}))
	l := c.list(byID + "&page-size=20000")
	if len(l.Results) != 2000 || l.Total != 2100 {
		t.Errorf("%d rows of %d", len(l.Results), l.Total)
	}
	if l := c.list(byID + "&page-size=20000&page=1"); len(l.Results) != 100 {
		t.Errorf("page 1 has %d rows, want the 100 after 2000", len(l.Results))
	}
	if l := c.list(byID + "&page=21"); len(l.Results) != 0 || l.Total != 2100 {
		t.Errorf("beyond the end: %d rows of %d", len(l.Results), l.Total)
	}
	if l := c.list(byID + "&page=9223372036854775807"); len(l.Results) != 0 {
		t.Errorf("far beyond the end: %d rows", len(l.Results))
	}
	if l := c.list(byID); len(l.Results) != 100 {
		t.Errorf("default page has %d rows, want 100", len(l.Results))
	}
}

func TestBadQueriesAre400InJamfsEnvelope(t *testing.T) {
	c := newClient(t, fakejamf.New(fakejamf.Options{}))
	for _, q := range []string{
		"v4/computers-inventory?page=-1", "v4/computers-inventory?page=x", "v4/computers-inventory?page-size=0", "v4/computers-inventory?sort=nope",
		"v4/computers-inventory?sort=id:up", "v4/computers-inventory?sort=general.lastContactTime", "v1/computers-inventory?sort=general.lastContact",
		"v4/computers-inventory?section=NOPE", "v2/computers-inventory?section=FONTS", "v4/computers-inventory?sort=hardware.serialNumber",
		"v4/computers-inventory?filter=nope==1", "v4/computers-inventory?filter=id==", "v4/computers-inventory?filter=(id==1", "v4/computers-inventory?filter=id%3D%3D%221",
		"v4/computers-inventory/abc", "v4/computers-inventory/0", "v2/mobile-devices/detail?sort=id:asc", "v2/mobile-devices/detail?exception-handling=X", "v2/mobile-devices?sort=x",
	} {
		res := c.get("/api/" + q)
		var body struct {
			Status int `json:"httpStatus"`
			Errors []struct {
				Code string `json:"code"`
			} `json:"errors"`
		}
		decode(t, res, &body)
		if res.Code != 400 || body.Status != 400 || len(body.Errors) != 1 || body.Errors[0].Code == "" {
			t.Errorf("%s: %d %s", q, res.Code, res.Body)
		}
	}
}

func TestSectionsNotAskedForArePresentAndNull(t *testing.T) {
	c := newClient(t, fakejamf.New(fakejamf.Options{Computers: 30, Mobiles: 30, Seed: 2}))
	for _, q := range []string{"?section=HARDWARE&section=STORAGE", "?section=hardware,storage"} {
		for _, r := range c.list("/api/v4/computers-inventory" + q).Results {
			for k, v := range r {
				asked := k == "hardware" || k == "storage"
				if top := k == "id" || k == "udid" || k == fakejamf.UnknownField; !top && (v != nil) != asked {
					t.Errorf("%s: %s is %v", q, k, v)
				}
			}
			if _, ok := r["general"]; !ok {
				t.Errorf("%s: general is not there at all", q)
			}
		}
	}
	for _, r := range c.list("/api/v2/mobile-devices/detail").Results {
		if r["deviceType"] != "Unknown" && r["general"] == nil || r["hardware"] != nil {
			t.Errorf("default section: general %v, hardware %v", r["general"], r["hardware"])
		}
		if _, ok := r["hardware"]; !ok {
			t.Error("hardware is not there at all")
		}
	}
}

func TestVersionsOfComputersInventoryDifferAsDocumented(t *testing.T) {
	c := newClient(t, fakejamf.New(fakejamf.Options{Computers: 5, Seed: 4}))
	for v := 1; v <= 4; v++ {
		path := fmt.Sprintf("/api/v%d/computers-inventory-detail/1", v)
		res := c.get(path)
		var r record
		decode(t, res, &r)
		has := func(m record, k string) bool { _, ok := m[k]; return ok }
		general := r.section("general")
		app, _ := r["applications"].([]any)[0].(map[string]any)
		for k, want := range map[string]bool{
			"lastContactTime": v < 4, "lastReportedIp": v < 4, "lastContact": v == 4, "lastCheckIn": v == 4, "lastReportedIpV4": true,
		} {
			if has(general, k) != want {
				t.Errorf("v%d general.%s: %t", v, k, !want)
			}
		}
		if has(r, "plugins") != (v == 1) || has(r, "fonts") != (v == 1) {
			t.Errorf("v%d: plugins %t, fonts %t", v, has(r, "plugins"), has(r, "fonts"))
		}
		if has(app, "cfBundleVersion") != (v >= 3) {
			t.Errorf("v%d: cfBundleVersion %t", v, has(app, "cfBundleVersion"))
		}
		if got := res.Header().Get("Deprecation") != ""; got != (v < 4) {
			t.Errorf("v%d: deprecation header %t", v, got)
		}
	}
}

func TestOldServerHasNoV4AndNoVersionedTokenPath(t *testing.T) {
	s := fakejamf.New(fakejamf.Options{MaxAPIVersion: "v1", OldTokenPathOnly: true})
	c := &client{t: t, server: s}
	if got := c.post("/api/v1/oauth/token", form("demo", "demo-secret")).Code; got != 404 {
		t.Errorf("v1 token path: %d", got)
	}
	var tok map[string]any
	decode(t, c.post("/api/oauth/token", form("demo", "demo-secret")), &tok)
	c.token = fmt.Sprint(tok["access_token"])
	if got := c.status("/api/v4/computers-inventory"); got != 404 {
		t.Errorf("v4: %d", got)
	}
	if got := c.status("/api/v1/computers-inventory"); got != 200 {
		t.Errorf("v1: %d", got)
	}
	s.Upgrade("11.28.1", "v3")
	for v, want := range map[string]int{"v1": 200, "v2": 200, "v3": 200, "v4": 404} {
		if got := c.status("/api/" + v + "/computers-inventory"); got != want {
			t.Errorf("%s after the upgrade: %d, want %d", v, got, want)
		}
	}
	var said map[string]string
	decode(t, c.get("/api/v1/jamf-pro-version"), &said)
	if said["version"] != "11.28.1" {
		t.Errorf("version %v after the upgrade", said)
	}
}

func TestTheFilterByTheReportedAddressOutlivedItsField(t *testing.T) {
	c := newClient(t, fakejamf.New(fakejamf.Options{Computers: 20}))
	general := c.list("/api/v4/computers-inventory?section=GENERAL").Results[0].section("general")
	address, _ := general["lastReportedIpV4"].(string)
	for v := 1; v <= 4; v++ {
		path := fmt.Sprintf("/api/v%d/computers-inventory?filter=%s", v, url.QueryEscape(`general.lastReportedIp=="`+address+`"`))
		if got := len(c.list(path).Results); got == 0 {
			t.Errorf("v%d finds nothing by its reported address %s", v, address)
		}
	}
}

func TestPlainMobileListHasExactlyTwelveFieldsAndIgnoresAFilter(t *testing.T) {
	c := newClient(t, fakejamf.New(fakejamf.Options{Mobiles: 50}))
	l := c.list("/api/v2/mobile-devices?filter=" + url.QueryEscape(`name=="nobody"`))
	if l.Total != 50 {
		t.Errorf("%d devices, want all", l.Total)
	}
	want := strings.Fields("id managementId model modelIdentifier name phoneNumber serialNumber softwareUpdateDeviceId type udid username wifiMacAddress")
	for _, r := range l.Results {
		if got := slices.Sorted(maps.Keys(r)); !slices.Equal(got, want) {
			t.Fatalf("fields %v", got)
		}
	}
	if ids := l.ids(t); !slices.IsSorted(ids) {
		t.Error("the default order is not by numeric id")
	}
}

func TestSortsFollowTheirField(t *testing.T) {
	c := newClient(t, fakejamf.New(fakejamf.Options{Computers: 150, Seed: 9}))
	ids := c.list("/api/v4/computers-inventory?page-size=150&sort=id:desc").ids(t)
	slices.Reverse(ids)
	if !slices.IsSorted(ids) || len(ids) != 150 {
		t.Errorf("id:desc gives %v", ids)
	}
	var names, models []string
	for _, r := range c.list("/api/v4/computers-inventory?page-size=150").Results {
		n, _ := r.section("general")["name"].(string)
		names = append(names, strings.ToLower(n))
	}
	for _, r := range c.list("/api/v4/computers-inventory?page-size=150&section=HARDWARE&sort=hardware.model:asc,id:desc").Results {
		m, _ := r.section("hardware")["model"].(string)
		models = append(models, fmt.Sprintf("%s %09d", strings.ToLower(m), 1_000_000-r.id(t)))
	}
	var levels []int
	for _, r := range newClient(t, fakejamf.New(fakejamf.Options{Mobiles: 400, Seed: 9})).list("/api/v2/mobile-devices/detail?page-size=400&section=HARDWARE&sort=batteryLevel:asc").Results {
		n, _ := r.section("hardware")["batteryLevel"].(float64)
		levels = append(levels, int(n))
	}
	if !slices.IsSorted(levels) || levels[0] != -1 || levels[399] < 90 {
		t.Errorf("batteryLevel:asc runs from %d to %d", levels[0], levels[len(levels)-1])
	}
	if !slices.IsSorted(names) {
		t.Error("the default sort is not by name")
	}
	if !slices.IsSorted(models) {
		t.Error("hardware.model:asc,id:desc is not sorted")
	}
}

func TestTiesOfASortHaveNoStableOrder(t *testing.T) {
	c := newClient(t, fakejamf.New(fakejamf.Options{Computers: 300, Seed: 1}))
	first := c.list("/api/v4/computers-inventory?page-size=300&sort=general.platform:asc").ids(t)
	for range 5 {
		if next := c.list("/api/v4/computers-inventory?page-size=300&sort=general.platform:asc").ids(t); !slices.Equal(first, next) {
			slices.Sort(first)
			slices.Sort(next)
			if !slices.Equal(first, next) {
				t.Fatal("the rows themselves differ")
			}
			return
		}
	}
	t.Error("six requests came in one order")
}

func TestFiltersSelect(t *testing.T) {
	s := fakejamf.New(fakejamf.Options{Computers: 200, Mobiles: 200, Seed: 1})
	c := newClient(t, s)
	id := s.Ledger().Alive(fakejamf.Computer)[17]
	s.Rename(fakejamf.Computer, id, `Müllers "Mac", (neu); 7`)
	m := s.Mark()
	v := s.Ledger().VersionsIn(fakejamf.Computer, id, m, m)[0]
	q := func(list, filter string) []int64 {
		return c.list("/api/" + list + "?page-size=2000&filter=" + url.QueryEscape(filter)).ids(t)
	}
	const computers = "v4/computers-inventory"
	for _, filter := range []string{
		fmt.Sprintf("id==%d", id), fmt.Sprintf(`id=="%d"`, id), fmt.Sprintf("id=in=(%d,999999)", id), `general.name=="müllers*\"mac\"*7"`,
		fmt.Sprintf("id>=%d;id<=%d", id, id), fmt.Sprintf("udid==%s and hardware.serialNumber==%s", v.UDID, v.SerialNumber),
		fmt.Sprintf("(id==%d or id==999999) and id!=999999", id), fmt.Sprintf("id=out=(999999);id==%d", id),
		fmt.Sprintf("general.managementId==%s,general.name==nobody", v.ManagementID),
	} {
		if got := q(computers, filter); !slices.Equal(got, []int64{id}) {
			t.Errorf("%s finds %v, want %d", filter, got, id)
		}
	}
	managed, unmanaged := q(computers, "general.remoteManagement.managed==true"), q(computers, "general.remoteManagement.managed==false")
	if len(managed)+len(unmanaged) != 200 || len(unmanaged) == 0 {
		t.Errorf("%d managed and %d unmanaged of 200", len(managed), len(unmanaged))
	}
	newest := q(computers, `general.reportDate>="2026-11-19T00:00:00Z"`)
	if len(newest) == 0 || len(newest) == 200 {
		t.Errorf("%d reports are newer than a day in the middle", len(newest))
	}
	mobile := s.Ledger().Alive(fakejamf.Mobile)[3]
	if got := q("v2/mobile-devices/detail", fmt.Sprintf("mobileDeviceId==%d", mobile)); !slices.Equal(got, []int64{mobile}) {
		t.Errorf("mobileDeviceId finds %v", got)
	}
	if got := q("v2/mobile-devices/detail", `mobileDeviceId=="888888"`); len(got) != 0 {
		t.Errorf("an unknown id finds %v", got)
	}
}

func TestRequestsWithoutATokenAre401AndWritesAre405(t *testing.T) {
	c := newClient(t, fakejamf.New(fakejamf.Options{}))
	for path, want := range map[string]int{"/healthCheck.html": 200, "/api/v1/health-check": 204, "/api/startup-status": 200, "/": 200, "/api/v4/computers-inventory": 401, "/api/unknown": 401} {
		w := httptest.NewRecorder()
		c.server.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want {
			t.Errorf("%s without a token: %d, want %d", path, w.Code, want)
		}
	}
	r := httptest.NewRequest(http.MethodDelete, "/api/v4/computers-inventory/1", nil)
	r.Header.Set("Authorization", "Bearer "+c.token)
	w := httptest.NewRecorder()
	c.server.ServeHTTP(w, r)
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: %d", w.Code)
	}
}

func TestGzipIsServedOnRequestOnly(t *testing.T) {
	s := fakejamf.New(fakejamf.Options{})
	c := newClient(t, s)
	plain := c.get(byID).Body.Bytes()
	r := httptest.NewRequest(http.MethodGet, byID, nil)
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Accept-Encoding", "br, gzip;q=0.5")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("headers %v", w.Header())
	}
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(z)
	if err != nil || !bytes.Equal(got, plain) {
		t.Errorf("%d bytes, want %d: %v", len(got), len(plain), err)
	}
}

func TestEqualSeedsMakeEqualFleetsAndOthersDiffer(t *testing.T) {
	body := func(seed uint64) string {
		c := newClient(t, fakejamf.New(fakejamf.Options{Computers: 60, Mobiles: 60, Seed: seed}))
		return c.get(byID+"&"+allOf(computerSections)).Body.String() + c.get(detailByID+"&"+allOf(mobileSections)).Body.String()
	}
	one := body(1)
	if one != body(1) {
		t.Error("one seed made two fleets")
	}
	if one == body(2) {
		t.Error("two seeds made one fleet")
	}
}

func TestASectionReadsTheSameWhateverElseIsAskedFor(t *testing.T) {
	c := newClient(t, fakejamf.New(fakejamf.Options{Computers: 40, Seed: 8}))
	alone, all := c.list(byID+"&section=HARDWARE").Results, c.list(byID+"&"+allOf(computerSections)).Results
	for i := range alone {
		if diff := cmp.Diff(alone[i]["hardware"], all[i]["hardware"]); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestFleetHoldsEveryOddityThatAReaderMustSurvive(t *testing.T) {
	s := fakejamf.New(fakejamf.Options{Computers: 2000, Mobiles: 2000, Seed: 1})
	c := newClient(t, s)
	seen, serials := map[string]int{}, map[string]int{}
	note := func(what string, is bool) {
		if is {
			seen[what]++
		}
	}
	for _, r := range c.list(byID + "&page-size=2000&section=GENERAL,HARDWARE,STORAGE").Results {
		general, hardware := r.section("general"), r.section("hardware")
		serial, isText := hardware["serialNumber"].(string)
		serials[serial]++
		name, _ := general["name"].(string)
		note("null serial", !isText)
		note("empty serial", isText && serial == "")
		note("sentinel serial", serial == "Not Available")
		note("null udid", r["udid"] == nil)
		note("never inventoried", general["reportDate"] == nil)
		note("no contact", general["lastContact"] == nil)
		note("arabic name", strings.ContainsRune(name, 'ح'))
		note("emoji name", strings.ContainsRune(name, '📚'))
		note("quoted name", strings.ContainsRune(name, '"'))
		note("control character", strings.ContainsRune(name, '\a'))
		note("umlaut", strings.ContainsRune(name, 'ü'))
		note("empty name", general["name"] == "")
		note("null name", general["name"] == nil)
		note("unknown enum", hardware["batteryHealth"] == fakejamf.UnknownEnum)
		note("unknown field", r[fakejamf.UnknownField] != nil)
		note("intel", hardware["processorArchitecture"] == "x86_64")
		note("apple silicon", hardware["appleSilicon"] == true)
		date, _ := general["reportDate"].(string)
		note("date of "+fmt.Sprint(len(date))+" characters", date != "")
		disks, _ := r.section("storage")["disks"].([]any)
		note("synthesized disk", len(disks) > 1)
	}
	for serial, n := range serials {
		note("duplicate serial", n > 1 && len(serial) >= 10 && serial != "Not Available")
	}
	for _, r := range c.list(detailByID + "&page-size=2000&section=GENERAL,HARDWARE").Results {
		general := r.section("general")
		note(fmt.Sprint(r["deviceType"]), true)
		note("shared iPad", general["sharedIpad"] == true)
		note("user enrolled without serial", general["deviceOwnershipType"] == "UserEnrollment" && r.section("hardware")["serialNumber"] == nil && general["udid"] == nil)
		if _, ok := r["general"]; !ok {
			note("no general key", true)
		}
		note("planted secret", strings.HasPrefix(fmt.Sprint(general["airPlayPassword"]), fakejamf.SecretMarker))
	}
	ids := s.Ledger().Alive(fakejamf.Computer)
	note("gap in ids", ids[len(ids)-1] > int64(len(ids)))
	for _, what := range []string{
		"null serial", "empty serial", "sentinel serial", "null udid", "never inventoried", "no contact", "arabic name", "emoji name", "quoted name", "control character",
		"umlaut", "empty name", "null name", "unknown enum", "unknown field", "intel", "apple silicon", "synthesized disk", "duplicate serial",
		"date of 20 characters", "date of 22 characters", "date of 23 characters", "date of 24 characters",
		"iOS", "tvOS", "watchOS", "visionOS", "Unknown", "shared iPad", "user enrolled without serial", "no general key", "planted secret", "gap in ids",
	} {
		if seen[what] == 0 {
			t.Errorf("nobody has: %s", what)
		}
	}
}

func TestSizesOfRecordsAreRealistic(t *testing.T) {
	c := newClient(t, fakejamf.New(fakejamf.Options{Computers: 200, Mobiles: 200}))
	size := func(path string) int { return c.get(path+"&page-size=200").Body.Len() / 200 }
	if got := size(byID + "&section=GENERAL,HARDWARE,OPERATING_SYSTEM,STORAGE"); got < 3000 || got > 7000 {
		t.Errorf("a narrow record has %d bytes", got)
	}
	if got := size(byID + "&" + allOf(computerSections)); got < 20_000 || got > 40_000 {
		t.Errorf("a whole record has %d bytes", got)
	}
}

var update = flag.Bool("update", false, "write golden files anew")

// The contract of shapes stands in the repository: it holds where Jamf's document does not lie beside the checkout.
func TestShapesAreThoseOfTheContractFile(t *testing.T) {
	if raceEnabled {
		t.Skip("one goroutine, and slow under the race detector")
	}
	c := newClient(t, fakejamf.New(fakejamf.Options{Computers: 200, Mobiles: 700, Seed: 5}))
	got := map[string][]string{}
	for v := 1; v <= 4; v++ {
		sections := computerSections
		if v == 1 {
			sections += " PLUGINS FONTS"
		}
		for _, r := range elements(t, c.get(fmt.Sprintf("/api/v%d/computers-inventory?sort=id:asc&page-size=200&%s", v, allOf(sections))).Body.Bytes()) {
			keys(t, r, fmt.Sprintf("computer v%d ", v), got)
		}
	}
	for i, r := range elements(t, c.get(detailByID+"&page-size=700&"+allOf(mobileSections)).Body.Bytes()) {
		var head struct {
			Type string `json:"deviceType"`
			ID   string `json:"mobileDeviceId"`
		}
		if err := json.Unmarshal(r, &head); err != nil {
			t.Fatal(err)
		}
		keys(t, r, "mobile detail "+head.Type+" ", got)
		if i%4 > 0 && head.Type == "iOS" {
			continue
		}
		keys(t, c.get("/api/v2/mobile-devices/"+head.ID).Body.Bytes(), "mobile plain ", got)
		keys(t, c.get("/api/v2/mobile-devices/"+head.ID+"/detail").Body.Bytes(), "mobile by id ", got)
	}
	var b strings.Builder
	for _, at := range slices.Sorted(maps.Keys(got)) {
		fmt.Fprintf(&b, "%s: %s\n", at, strings.Join(got[at], " "))
	}
	path := filepath.Join("testdata", "shapes.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestConcurrentHostileUseIsSafe(t *testing.T) {
	s := fakejamf.New(fakejamf.Options{Computers: 300, Mobiles: 300, Seed: 11}.Hostile())
	f := s.Faults()
	f.MaxLatency = time.Millisecond
	s.SetFaults(f)
	c := &client{t: t, server: s}
	c.renewHostile()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			mine := &client{t: t, server: s, token: c.token}
			for page := range 12 {
				mine.get(fmt.Sprintf("%s&page=%d&page-size=25", byID, page))
				mine.get(fmt.Sprintf("%s&page=%d&page-size=25&section=HARDWARE", detailByID, page))
				mine.get("/api/v4/computers-inventory?page-size=10")
				s.Ledger().AliveThroughout(fakejamf.Computer, s.Mark(), s.Mark())
				if i == 0 {
					s.Add(fakejamf.Mobile)
				}
			}
		})
	}
	wg.Wait()
	got := s.Stats()
	if got.InFlight != 0 || got.PeakConcurrency < 2 || got.Mutations == 0 || got.Faults["refused token"] == 0 {
		t.Errorf("stats %+v", got)
	}
}

// renewHostile takes a token where the server may refuse to be asked.
func (c *client) renewHostile() {
	c.t.Helper()
	for range 20 {
		res := c.post("/api/v1/oauth/token", form("demo", "demo-secret"))
		if res.Code == 200 {
			var tok map[string]any
			decode(c.t, res, &tok)
			c.token = fmt.Sprint(tok["access_token"])
			return
		}
	}
	c.t.Fatal("no token in 20 attempts")
}
