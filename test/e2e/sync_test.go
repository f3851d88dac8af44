package e2e_test

import (
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"jamf-gateway/test/fakejamf"
)

// The oracle: what lived during the whole walk is served exactly once, and nothing that never lived is.
func (h *house) agreesWithLedger(kind fakejamf.Kind, ids []string, from, to fakejamf.Mark) {
	h.t.Helper()
	seen := map[int64]int{}
	for _, s := range ids {
		id, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			h.t.Fatal(err)
		}
		seen[id]++
		if seen[id] > 1 {
			h.t.Errorf("%v %d is served %d times", kind, id, seen[id])
		}
		if !h.jamf.Ledger().AliveDuring(kind, id, from, to) {
			h.t.Errorf("%v %d is served and did not live then", kind, id)
		}
	}
	lost := 0
	for _, id := range h.jamf.Ledger().AliveThroughout(kind, from, to) {
		if seen[id] == 0 {
			lost++
		}
	}
	if lost != 0 {
		h.t.Errorf("%d of %v are lost", lost, kind)
	}
}

func TestHostileChangingJamfIsReadCompletely(t *testing.T) {
	t.Parallel()
	seeds := uint64(2)
	if n, err := strconv.ParseUint(os.Getenv("E2E_SEEDS"), 10, 64); err == nil {
		seeds = n // a longer run by hand
	}
	for seed := range seeds {
		h := newHouse(t, gentle(fakejamf.Options{Computers: 500, Mobiles: 400, Seed: seed}), nil)
		from := h.jamf.Mark()
		h.start()
		h.waitSynced()
		to := h.jamf.Mark()
		h.agreesWithLedger(fakejamf.Computer, h.walk("/api/v4/computers-inventory", "id", 100), from, to)
		h.agreesWithLedger(fakejamf.Mobile, h.walk("/jamf/schule-a/api/v2/mobile-devices/detail", "mobileDeviceId", 77), from, to)
		h.agreesWithLedger(fakejamf.Mobile, h.walk("/api/v2/mobile-devices", "id", 100), from, to)
		st := h.jamf.Stats()
		if st.PeakConcurrency > 2 {
			t.Errorf("seed %d: %d requests at once, 2 are allowed", seed, st.PeakConcurrency)
		}
		h.stop()
	}
}

func TestPoisonedComputerCostsOnlyItself(t *testing.T) {
	t.Parallel()
	f := rough()
	f.PoisonComputers = 1
	h := newHouse(t, fakejamf.Options{Computers: 300, Mobiles: 50, Seed: 4, Faults: f}, nil)
	h.start()
	h.waitSynced()
	ids := h.walk("/api/v4/computers-inventory", "id", 100)
	if len(ids) != len(h.jamf.Ledger().Alive(fakejamf.Computer)) {
		t.Fatalf("%d computers are served, %d live", len(ids), len(h.jamf.Ledger().Alive(fakejamf.Computer)))
	}
	poisoned := strconv.FormatInt(h.jamf.Poisoned()[0], 10)
	if !slices.Contains(ids, poisoned) {
		t.Fatal("the record that does not render is missing")
	}
	var one struct {
		Sync struct{ State string }
		Name string
	}
	h.get("/v1/devices/schule-a:computer:"+poisoned).decode(t, &one)
	if one.Sync.State != "quarantined" || one.Name == "" {
		t.Errorf("the record that does not render is served as %+v", one)
	}
}

func TestLastGenerationIsServedAfterARestartWithJamfGone(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 120, Mobiles: 80, Seed: 5}, nil)
	h.start()
	h.waitSynced()
	token := h.token()
	list := h.get("/api/v1/computers-inventory?section=GENERAL&page-size=1000")
	h.stop()

	h.upstream.Close() // Jamf is gone
	h.start()
	again := h.call(http.MethodGet, "/api/v1/computers-inventory?section=GENERAL&page-size=1000", nil, "Authorization", "Bearer "+token)
	if again.status != http.StatusOK || string(again.body) != string(list.body) {
		t.Errorf("after the restart: %d, %d bytes, before %d bytes", again.status, len(again.body), len(list.body))
	}
	if again.header.Get("ETag") != list.header.Get("ETag") {
		t.Errorf("ETag %s, before %s", again.header.Get("ETag"), list.header.Get("ETag"))
	}
	if r := h.call(http.MethodGet, "/readyz", nil); r.status != http.StatusOK {
		t.Errorf("readyz: %d", r.status)
	}
}

func TestNeverSyncedIsAnErrorAndNoEmptyList(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 10, Mobiles: 10}, nil)
	h.jamf.Down(true)
	h.start()
	for _, path := range []string{"/api/v4/computers-inventory", "/api/v2/mobile-devices", "/api/v2/mobile-devices/detail", "/v1/devices", "/v1/devices/schule-a:computer:1"} {
		r := h.get(path)
		if r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" || !strings.Contains(string(r.body), "never_synced") {
			t.Errorf("%s: %d %q %s", path, r.status, r.header.Get("Retry-After"), r.body)
		}
	}
}

func TestRightMissingForComputersDoesNotStopMobileDevices(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 60, Mobiles: 70, Privileges: []string{"Read Mobile Devices"}}, nil)
	h.start()
	h.waitFor("both first syncs", func() bool {
		k := h.gateway.Status()[0].Kinds
		return k[0].Tried && k[1].Tried
	})
	if n := len(h.walk("/api/v2/mobile-devices", "id", 100)); n != 70 {
		t.Errorf("%d mobile devices", n)
	}
	if r := h.get("/api/v4/computers-inventory"); r.status != http.StatusServiceUnavailable {
		t.Errorf("computers: %d", r.status)
	}
	var health struct {
		Kinds []struct {
			Kind      string
			State     string
			LastError *struct{ Code, Action string }
		}
	}
	h.get("/v1/sources/schule-a/health").decode(t, &health)
	if c := health.Kinds[0]; c.LastError == nil || c.LastError.Code != "right_missing" || c.LastError.Action == "" {
		t.Errorf("health of computers: %+v", c)
	}
	var auth struct {
		Account struct {
			PrivilegesBySite map[string][]string
		}
	}
	h.get("/api/v1/auth").decode(t, &auth)
	if got := auth.Account.PrivilegesBySite["-1"]; !slices.Equal(got, []string{"Read Mobile Devices"}) {
		t.Errorf("v1/auth shows %v", got)
	}
}

func TestRotatedSecretIsToldAndDataStays(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 30, Mobiles: 30}, nil)
	h.start()
	h.waitSynced()
	h.jamf.RotateSecret("another")
	h.jamf.RevokeTokens()
	h.syncNow()
	if r := h.get("/api/v2/mobile-devices"); r.status != http.StatusOK {
		t.Errorf("the list: %d", r.status)
	}
	if r := h.get("/api/v1/auth"); r.status != http.StatusServiceUnavailable {
		t.Errorf("v1/auth: %d %s", r.status, r.body)
	}
	var health struct {
		Kinds []struct {
			LastError *struct{ Code string }
		}
	}
	h.get("/v1/sources/schule-a/health").decode(t, &health)
	if k := health.Kinds[0]; k.LastError == nil || k.LastError.Code != "auth_failed" {
		t.Errorf("health: %+v", k.LastError)
	}
}

func TestEmptyListAfterDevicesIsNeverPublished(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 40, Mobiles: 40}, nil)
	h.start()
	h.waitSynced()
	h.jamf.SetFaults(fakejamf.Faults{FalseEmpty: true})
	h.syncNow()
	if n := len(h.walk("/api/v2/mobile-devices", "id", 100)); n != 40 {
		t.Errorf("%d mobile devices are served", n)
	}
	if st := h.gateway.Status()[0].Kinds[0]; st.LastResult != "failed" || st.ErrorCode != "empty_unconfirmed" {
		t.Errorf("computers: %+v", st)
	}
}

func TestWrongTotalCountIsRejected(t *testing.T) {
	t.Parallel()
	for _, delta := range []int{+3, -3} {
		h := newHouse(t, fakejamf.Options{Computers: 130, Mobiles: 60}, nil)
		h.jamf.BreakTotalCount(delta)
		h.start()
		h.waitFor("the first tries", func() bool {
			k := h.gateway.Status()[0].Kinds
			return k[0].Tried && k[1].Tried
		})
		if st := h.gateway.Status()[0].Kinds[0]; st.ErrorCode != "count_mismatch" || st.State != "never_synced" {
			t.Errorf("totalCount off by %d: %+v", delta, st)
		}
		h.stop()
	}
}

func TestOldJamfWithoutV4IsReadThroughV1(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 70, Mobiles: 10, MaxAPIVersion: "v1", OldTokenPathOnly: true}, nil)
	h.start()
	h.waitSynced()
	r := h.get("/api/v4/computers-inventory?section=GENERAL&page-size=100")
	var out struct {
		Total   int `json:"totalCount"`
		Results []struct{ General map[string]any }
	}
	r.decode(t, &out)
	if out.Total != 70 {
		t.Fatalf("totalCount %d", out.Total)
	}
	contacts := 0
	for _, d := range out.Results {
		if _, old := d.General["lastContactTime"]; old {
			t.Fatal("v4 shows lastContactTime")
		}
		if d.General["lastContact"] != nil {
			contacts++
		}
	}
	if contacts == 0 {
		t.Error("no lastContact was made of lastContactTime")
	}
	if h.jamf.Stats().Requests["GET /api/v1/computers-inventory"] == 0 && !anyKey(h.jamf.Stats().Requests, "/v1/computers-inventory") {
		t.Errorf("v1 was never asked: %v", h.jamf.Stats().Requests)
	}
}

func anyKey(m map[string]int, part string) bool {
	for k := range m {
		if strings.Contains(k, part) {
			return true
		}
	}
	return false
}

func TestOnlyTheProfilesSectionsAreAskedAndNothingElseIsKept(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 80, Mobiles: 80, Seed: 6}, nil)
	h.start()
	h.waitSynced()
	for _, r := range h.jamf.Requests() {
		if strings.Contains(r.Path, "computers-inventory") || strings.Contains(r.Path, "mobile-devices/detail") {
			q, err := url.ParseQuery(r.Query)
			if err != nil {
				t.Fatal(err)
			}
			for _, section := range q["section"] {
				if slices.Contains([]string{"USER_AND_LOCATION", "APPLICATIONS", "EXTENSION_ATTRIBUTES", "SECURITY", "NETWORK", "LOCAL_USER_ACCOUNTS"}, section) {
					t.Errorf("minimal asks for %s: %s", section, r.Path)
				}
			}
		}
	}
	r := h.get("/api/v4/computers-inventory?section=GENERAL&section=USER_AND_LOCATION&section=APPLICATIONS&page-size=1000")
	var out struct {
		Results []struct {
			UserAndLocation map[string]any `json:"userAndLocation"`
			Applications    []any          `json:"applications"`
			General         map[string]any `json:"general"`
		} `json:"results"`
	}
	r.decode(t, &out)
	for _, d := range out.Results {
		for k, v := range d.UserAndLocation {
			if list, ok := v.([]any); v != nil && (!ok || len(list) > 0) {
				t.Fatalf("userAndLocation.%s = %v is shown", k, v)
			}
		}
		if len(d.Applications) != 0 || d.General["lastIpAddress"] != nil {
			t.Fatalf("applications or addresses are shown: %v", d)
		}
	}
}

func TestClientTrafficNeverReachesJamf(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 50, Mobiles: 50}, nil)
	h.start()
	h.waitSynced()
	before := len(h.jamf.Requests())
	token := h.token()
	for i := range 300 {
		for _, path := range []string{"/v1/devices?limit=10", "/api/v2/mobile-devices", "/v1/health", "/api/v1/auth", "/v1/devices/schule-a:computer:" + strconv.Itoa(i)} {
			if r := h.call(http.MethodGet, path, nil, "Authorization", "Bearer "+token); r.status != http.StatusOK && r.status != http.StatusNotFound {
				t.Fatalf("%s: %d", path, r.status)
			}
		}
	}
	if after := len(h.jamf.Requests()); after != before {
		t.Errorf("%d calls of clients became calls to Jamf", after-before)
	}
}

func TestOneClientRunSeesOneGeneration(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 200, Mobiles: 20}, nil)
	h.start()
	h.waitSynced()
	first := h.get("/api/v4/computers-inventory?page=0&page-size=100")
	for _, id := range h.jamf.Ledger().Alive(fakejamf.Computer)[:20] {
		h.jamf.Delete(fakejamf.Computer, id)
	}
	h.syncNow()
	var a, b struct {
		Total   int `json:"totalCount"`
		Results []struct{ ID string }
	}
	first.decode(t, &a)
	h.get("/api/v4/computers-inventory?page=1&page-size=100").decode(t, &b)
	if b.Total != a.Total || len(b.Results) != a.Total-100 {
		t.Errorf("page 1 shows %d of %d, page 0 said %d", len(b.Results), b.Total, a.Total)
	}
	seen := map[string]bool{}
	for _, d := range append(a.Results, b.Results...) {
		if seen[d.ID] {
			t.Errorf("%s is shown twice", d.ID)
		}
		seen[d.ID] = true
	}
}

func TestConnectionTestNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 15, Mobiles: 25, Privileges: []string{"Read Mobile Devices", "Update Computers"}}, nil)
	h.start()
	r := h.call(http.MethodPost, "/v1/sources/schule-a/test", nil, "Authorization", "Bearer "+h.token())
	var out struct {
		OK                           bool
		RightsMissing, RightsSurplus []string
		MobileDevices                *int
		Steps                        []struct{ Name, Result, Code, Action string }
	}
	r.decode(t, &out)
	if out.OK || !slices.Equal(out.RightsMissing, []string{"Read Computers"}) || !slices.Equal(out.RightsSurplus, []string{"Update Computers"}) {
		t.Errorf("%s", r.body)
	}
	if out.MobileDevices == nil || *out.MobileDevices != 25 {
		t.Errorf("mobile devices: %s", r.body)
	}
	names := []string{}
	for _, s := range out.Steps {
		names = append(names, s.Name)
		if s.Result == "failed" && s.Action == "" {
			t.Errorf("step %s failed and says nothing about what to do", s.Name)
		}
	}
	if want := []string{"url", "dns", "tcp", "tls", "token", "rights", "mobile_devices", "computers", "version"}; !slices.Equal(names, want) {
		t.Errorf("steps %v", names)
	}
}
