package server_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
	"jamf-gateway/gateway/usage"
)

// record is what is recorded of a client.
func (w *world) record(client string) usage.Record {
	w.t.Helper()
	r, ok := w.o.Usage.Of(client)
	if !ok {
		w.t.Fatalf("there is no record of %s", client)
	}
	return r
}

// lines are the routes of a record, in one line each: "GET /x page,size: 200x3 404x1 [code/parameter]".
func lines(r usage.Record) []string {
	var out []string
	for _, l := range r.Routes {
		text := l.Method + " " + l.Route
		if !l.Served {
			text += " (not served)"
		}
		if len(l.Parameters) > 0 {
			text += " " + strings.Join(l.Parameters, ",")
		}
		text += ":"
		for _, s := range l.Statuses {
			text += fmt.Sprintf(" %dx%d", s.Value, s.Count)
		}
		for _, f := range l.Refusals {
			text += " [" + strings.TrimSuffix(f.Code+"/"+f.Parameter, "/") + "]"
		}
		out = append(out, text)
	}
	return out
}

func counts(list []usage.Counted[string]) string {
	var out []string
	for _, one := range list {
		out = append(out, fmt.Sprintf("%s x%d", one.Value, one.Count))
	}
	return strings.Join(out, "; ")
}

// What real clients sent shows in their record: paths that are not here, refusals, sections, sizes, and nothing that is a value.
func TestTheRecordTellsWhatRealClientsAskFor(t *testing.T) {
	w := newWorld(t)
	w.publishAll(10)
	for _, rq := range recordedRequests() {
		header := rq.header
		if rq.method != http.MethodPost {
			header = append([]string{"Authorization", "Bearer " + w.token("all")}, header...)
		}
		w.do(rq.method, w.base+strings.ReplaceAll(rq.target, `"`, "%22"), rq.body, header...)
	}
	r := w.record("all")
	golden(t, "recorded-clients.txt", []byte(strings.Join(lines(r), "\n")+"\n"))
	for _, line := range r.Routes {
		if line.Route == "/api/v4/computers-inventory" && slices.Equal(line.Parameters, []string{"page", "page-size", "section", "sort"}) {
			if got := counts(line.Sections) + ", " + counts(line.Sorts) + fmt.Sprint(line.PageSizes); got != "GENERAL x1; HARDWARE x1; OPERATING_SYSTEM x1; USER_AND_LOCATION x1, id asc x1[{200 1}]" {
				t.Errorf("the Go SDK's list: %s", got)
			}
		}
	}
	if got := counts(r.UserAgents); !strings.Contains(got, "JamfProSDK/0.8a1") || !strings.Contains(got, "go-sdk-jamfpro-v2/0.9.0") {
		t.Errorf("user agents: %s", got)
	}
	if got := counts(r.Tokens.PerRequests); !strings.HasPrefix(got, "1 x") {
		t.Errorf("tokens: %s", got)
	}
	nobody := lines(w.o.Usage.Nobody())
	if !slices.ContainsFunc(nobody, func(l string) bool { return strings.HasPrefix(l, "POST /auth/token (not served): 401") }) {
		t.Errorf("of nobody: %q", nobody)
	}
}

// canaries are values that no record may hold.
func canaries(w *world) []string {
	return []string{
		w.token("all"), secretOf("all"), "C02XL0GTJGH5", "AC0001", "mac 1", "user1", "user1@example.org", "iPad-von-Max", "maxmuster", "UDID-1", "canary",
		"00:11:22:33:44:55", "4711",
	}
}

func TestNoValueGetsIntoARecord(t *testing.T) {
	w := newWorld(t)
	w.publishAll(3)
	values := canaries(w)
	token := w.token("all")
	for _, value := range values {
		escaped := strings.NewReplacer(" ", "%20", "@", "%40").Replace(value)
		for _, target := range []string{
			"/api/v1/computers-inventory/" + escaped, "/api/v1/computers-inventory-detail/" + escaped + "/x", "/JSSResource/computers/name/" + escaped,
			"/JSSResource/users/name/" + escaped + "/subset/" + escaped, "/v1/devices/" + escaped, "/jamf/" + escaped + "/api/v1/auth",
			"/api/v1/computers-inventory?section=" + escaped, "/api/v1/computers-inventory?page=" + escaped, "/api/v1/computers-inventory?sort=" + escaped + ":" + escaped,
			"/api/v1/computers-inventory?filter=hardware.serialNumber==%22" + escaped + "%22", "/api/v1/computers-inventory?filter=general.name=in=(%22" + escaped + "%22)",
			"/v1/devices?serialNumber=" + escaped, "/v1/devices?name=" + escaped, "/v1/devices?cursor=" + escaped, "/v1/devices?fields=" + escaped,
			"/v1/devices?filter=name==%22" + escaped + "%22", "/oauth/token?client_secret=" + escaped, "/api/v1/auth?x=" + escaped,
		} {
			w.do(http.MethodGet, w.base+target, "", "Authorization", "Bearer "+token, "Accept", "application/"+strings.ReplaceAll(value, ":", ""), "User-Agent", value, "Referer", "http://x/"+escaped)
			w.do(http.MethodGet, w.base+target, "", "User-Agent", value, "Accept-Encoding", "identity, "+strings.ReplaceAll(value, ":", ""))
		}
		w.do(http.MethodPost, w.base+"/oauth/token", "grant_type="+escaped+"&client_id=all&client_secret="+escaped, "Content-Type", "application/x-www-form-urlencoded")
		w.do(http.MethodPost, w.base+"/oauth/token", "grant_type=client_credentials&client_id="+escaped+"&client_secret="+escaped, "Content-Type", "application/x-www-form-urlencoded")
	}
	recorded, err := json.Marshal([]any{w.o.Usage.All(), w.o.Usage.Nobody()})
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range values {
		if strings.Contains(string(recorded), value) {
			at := strings.Index(string(recorded), value)
			t.Errorf("%q is recorded: %s", value, recorded[max(0, at-200):min(len(recorded), at+100)])
		}
	}
	if r := w.record("all"); r.Requests < 200 || r.Tokens.Refused == 0 {
		t.Errorf("%d requests, %d refused", r.Requests, r.Tokens.Refused)
	}
}

func TestTheRecordTellsHowTokensAreGot(t *testing.T) {
	w := newWorld(t)
	w.publishAll(1)
	basic := func(secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte("only-a:"+secret))
	}
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	token := w.token("only-a")
	w.do(http.MethodPost, w.base+"/api/oauth/token", "grant_type=client_credentials", append(form, "Authorization", basic(secretOf("only-a")))...)
	w.do(http.MethodPost, w.base+"/api/v1/auth/token", "", "Authorization", basic(secretOf("only-a")))
	w.do(http.MethodPost, w.base+"/api/v1/auth/keep-alive", "", "Authorization", "Bearer "+token)
	for _, secret := range []string{"wrong", "wronger"} {
		w.do(http.MethodPost, w.base+"/api/v1/auth/token", "", "Authorization", basic(secret))
	}
	w.do(http.MethodPost, w.base+"/oauth/token", "grant_type=password&client_id=only-a&username=x", form...)
	w.do(http.MethodPost, w.base+"/oauth/token", "grant_type=client_credentials&client_id=stranger&client_secret=x", form...)
	for range 3 {
		w.do(http.MethodGet, w.base+"/api/v1/auth", "", "Authorization", "Bearer "+token)
	}
	r := w.record("only-a")
	if got := counts(r.Tokens.Issued); got != "basic x1; body x1; renewed x1; user x1" {
		t.Errorf("issued: %s", got)
	}
	if got := counts(r.Tokens.PerRequests); got != "2-9 x1" || r.Tokens.Refused != 3 || !r.Tokens.LastRefused.Equal(start) {
		t.Errorf("used: %s, %d refused at %v", got, r.Tokens.Refused, r.Tokens.LastRefused)
	}
	if len(r.Hours) != 1 || r.Hours[0].Tokens != 4 || r.Hours[0].Requests != 3 {
		t.Errorf("hours: %+v", r.Hours)
	}
	if got := w.o.Usage.Nobody().Requests; got != 4 {
		t.Errorf("nobody sent %d requests", got)
	}
}

func TestTheRecordTellsWalksOfBothAPIs(t *testing.T) {
	w := newWorld(t)
	w.publishAll(25)
	for page := range 3 {
		w.page(fmt.Sprintf("/api/v1/computers-inventory?page-size=10&page=%d", page))
	}
	w.page("/api/v2/mobile-devices?page-size=10&page=0")
	cursor := ""
	for range 4 {
		l := w.devices("all", "?limit=30"+cursor)
		if l.NextCursor != nil {
			cursor = "&cursor=" + *l.NextCursor
		}
	}
	w.devices("all", "?limit=30&platform=macos")
	var got []string
	for _, walk := range w.record("all").Walks {
		rows := "?"
		if walk.Rows != nil {
			rows = fmt.Sprint(*walk.Rows)
		}
		got = append(got, fmt.Sprintf("%s %q %d of %s: %d begun, %d complete, %d open, %v", walk.Route, walk.Source, walk.PageSize, rows, walk.Begun, walk.Complete, walk.Unfinished, walk.Lengths))
	}
	want := []string{
		`/api/v1/computers-inventory "schule-a" 10 of 25: 1 begun, 1 complete, 0 open, [{3 1}]`,
		`/api/v2/mobile-devices "schule-a" 10 of 25: 1 begun, 0 complete, 1 open, []`,
		`/v1/devices "" 30 of 100: 1 begun, 1 complete, 0 open, [{4 1}]`,
		`/v1/devices "" 30 of ?: 1 begun, 0 complete, 1 open, []`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheRecordTellsNamesOfFiltersThatWereRefused(t *testing.T) {
	hides := func(o *server.Options) {
		p, err := device.NewProfile("own", nil, []string{"name"})
		if err != nil {
			t.Fatal(err)
		}
		for i := range o.Clients {
			o.Clients[i].Profile = p
		}
	}
	w := newWorld(t, hides)
	w.publishAll(2)
	for _, target := range []string{
		"/api/v1/computers-inventory?filter=hardware.serialNumber==AC0001,general.name!=x", "/api/v1/computers-inventory?sort=nonsense:desc", "/api/v1/computers-inventory?page-size=0",
		"/api/v1/computers-inventory?section=NONSENSE", "/v1/devices?filter=identity.serialNumber==AC0001", "/v1/devices?colour=red",
	} {
		if r := w.get("all", target); r.status != http.StatusBadRequest {
			t.Errorf("%s: %s", target, r)
		}
	}
	r := w.record("all")
	want := []string{
		"POST /api/oauth/token: 200x6",
		"GET /api/v1/computers-inventory filter: 400x1 [hidden_field/filter]", "GET /api/v1/computers-inventory page-size: 400x1 [bad_request/page-size]",
		"GET /api/v1/computers-inventory section: 400x1 [bad_request/section]", "GET /api/v1/computers-inventory sort: 400x1 [sort_not_supported/sort]",
		"GET /v1/devices colour: 400x1 [unknown_parameter/colour]", "GET /v1/devices filter: 400x1 [hidden_field/filter]",
	}
	if diff := cmp.Diff(want, lines(r)); diff != "" {
		t.Error(diff)
	}
	if got := counts(r.Routes[1].Filters); got != "general.name != x1; hardware.serialNumber == x1" {
		t.Errorf("filters: %s", got)
	}
	if got := counts(r.Routes[4].Sorts); got != "other desc x1" {
		t.Errorf("sorts: %s", got)
	}
}

func TestTheRecordTellsHowManyRequestsWereUnderWayAtOnce(t *testing.T) {
	w := newWorld(t)
	token := "Bearer " + w.token("all")
	begun, mayEnd := make(chan struct{}, 5), make(chan struct{})
	w.house.hold = func() {
		begun <- struct{}{}
		<-mayEnd
	}
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() { w.do(http.MethodPost, w.base+"/v1/sources/schule-a/test", "", "Authorization", token) })
	}
	for range 5 {
		<-begun
	}
	close(mayEnd)
	group.Wait()
	if got := w.record("all").MostAtOnce; got != 5 {
		t.Errorf("%d at once, want 5", got)
	}
}

func TestProbesAndTheAdminDoorAreNotRecorded(t *testing.T) {
	w := newWorld(t)
	for _, address := range []string{w.base + "/livez", w.base + "/readyz", w.admin + "/v1/admin/sources", w.admin + "/metrics"} {
		w.do(http.MethodGet, address, "")
	}
	if got := w.o.Usage.Nobody().Requests; got != 0 {
		t.Errorf("%d requests", got)
	}
	again := w.restart(t, func(o *server.Options) { o.Usage = nil })
	if r := again.get("all", "/api/v1/auth"); r.status != http.StatusOK {
		t.Errorf("without a record: %s", r)
	}
}

// usageOf is the answer of the admin door about a client.
func (w *world) usageOf(client string) (u struct {
	Client        *string
	Requests      uint64
	DroppedFields []usage.Dropped
},
) {
	w.t.Helper()
	r := w.do(http.MethodGet, w.admin+"/v1/admin/clients/"+client+"/usage", "")
	if r.status != http.StatusOK {
		w.t.Fatal(r)
	}
	r.decode(w.t, &u)
	return u
}

func TestTheAdminDoorTellsHowClientsCall(t *testing.T) {
	minimal, _ := device.BuiltinProfile("minimal")
	w := newWorld(t, func(o *server.Options) {
		for i := range o.Clients {
			if o.Clients[i].ID == "all" {
				o.Clients[i].Profile = minimal
			}
		}
	})
	w.publishAll(3)
	for _, target := range []string{
		"/jamf/schule-b/api/v1/computers-inventory?section=GENERAL&section=USER_AND_LOCATION&page=0", "/api/v2/mobile-devices", "/v1/devices?fields=name,user.email,os", "/api/v1/nothing",
		"/api/v1/computers-inventory-detail/99", "/v1/devices/schule-a:computer:1?fields=purchasing", "/api/v1/computers-inventory?filter=general.name==%22mac%201%22&sort=general.name",
	} {
		w.get("all", target)
	}
	w.do(http.MethodGet, w.base+"/api/v1/auth", "")
	u := w.usageOf("all")
	fields := map[string][]string{}
	for _, d := range u.DroppedFields {
		fields[d.API+" "+d.Kind] = d.Fields
	}
	if u.Client == nil || *u.Client != "all" || u.Requests != 14 || len(fields) != 4 {
		t.Errorf("%v, %d requests, dropped %v", u.Client, u.Requests, fields)
	}
	if got := fields["jamf computer"]; !slices.Contains(got, "userAndLocation.email") || slices.Contains(got, "general.name") || slices.Contains(got, "purchasing.vendor") {
		t.Errorf("dropped of computers: %v", got)
	}
	if diff := cmp.Diff([]string{"network.phoneNumber", "userAndLocation.username"}, intersection(fields["jamf mobile"], "network.phoneNumber", "userAndLocation.username", "general.displayName")); diff != "" {
		t.Error(diff)
	}
	for _, kind := range []string{"computer", "mobile"} {
		if diff := cmp.Diff([]string{"purchasing", "user.email"}, fields["normalized "+kind]); diff != "" {
			t.Error(diff)
		}
	}
	if other := w.usageOf("only%2Da"); *other.Client != "only-a" || other.Requests != 0 || len(other.DroppedFields) != 0 {
		t.Errorf("%+v", other)
	}
	var all struct {
		Version      string
		Clients      []struct{ Client string }
		Unidentified struct {
			Client   *string
			Requests int
		}
	}
	w.do(http.MethodGet, w.admin+"/v1/admin/usage", "").decode(t, &all)
	if all.Version != "1.2.3" || len(all.Clients) != 3 || all.Clients[0].Client != "all" || all.Unidentified.Requests != 1 || all.Unidentified.Client != nil {
		t.Errorf("%+v", all)
	}
	for _, path := range []string{"/v1/admin/usage", "/v1/admin/clients/all/usage"} {
		w.want(w.do(http.MethodGet, w.admin+path+"?x=1", ""), http.StatusBadRequest, "unknown_parameter")
		w.want(w.do(http.MethodGet, w.admin+path, "", "Host", "evil.example"), http.StatusForbidden, "forbidden_origin")
		w.want(w.do(http.MethodGet, w.admin+path, "", "Content-Encoding", "gzip"), http.StatusUnsupportedMediaType, "content_encoding")
		w.want(w.get("all", path), http.StatusNotFound, "not_found")
	}
	w.want(w.do(http.MethodGet, w.admin+"/v1/admin/clients/stranger/usage", ""), http.StatusNotFound, "not_found")
}

func intersection(list []string, of ...string) []string {
	return slices.DeleteFunc(of, func(s string) bool { return !slices.Contains(list, s) })
}
