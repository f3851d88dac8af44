package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// mixed publishes computers and mobile devices whose order by name is not that of their ids.
func mixed(w *world) {
	w.t.Helper()
	w.publish("schule-a", device.Computer, fleet{
		1: computer(1, "AC1", "zebra"), 2: computer(2, "AC2", "Äpfel"), 3: computer(3, "AC3", "mac lab"), 10: computer(10, "AC10", "Mac Lab"), 11: computer(11, "AC11", ""),
	})
	w.publish("schule-a", device.Mobile, fleet{1: mobile(1, "AM1", "ipad b"), 2: mobile(2, "AM2", "iPad A"), 3: mobile(3, "AM3", "kiosk")})
	w.publish("schule-b", device.Computer, computers("BC", 1, 2))
	w.publish("schule-b", device.Mobile, mobiles("BM", 1, 2))
}

func TestFacadeListsAreFilteredAndSortedAsJamfWould(t *testing.T) {
	w := newWorld(t)
	mixed(w)
	for query, want := range map[string][]string{
		"/api/v4/computers-inventory?":                                                         {"11", "3", "10", "1", "2"}, // by name; what has none is first, ä after z
		"/api/v4/computers-inventory?sort=id:asc":                                              {"1", "2", "3", "10", "11"},
		"/api/v1/computers-inventory?sort=id:desc":                                             {"11", "10", "3", "2", "1"},
		"/api/v4/computers-inventory?sort=general.name:desc,id:desc":                           {"2", "1", "10", "3", "11"},
		"/api/v4/computers-inventory?sort=general.assetTag&sort=id":                            {"1", "10", "11", "2", "3"},
		"/api/v4/computers-inventory?filter=general.name==%22mac%20lab%22":                     {"3", "10"},
		"/api/v4/computers-inventory?filter=general.name==%22*LAB%22;id=gt=3":                  {"10"}, // a bare semicolon
		"/api/v1/computers-inventory?filter=general.name!=%22*a*%22&sort=id":                   {"2", "11"},
		"/api/v4/computers-inventory?filter=id=in=(1,10,77)&sort=id":                           {"1", "10"},
		"/api/v4/computers-inventory?filter=hardware.serialNumber==ac2%20or%20id==1&sort=id":   {"1", "2"},
		"/api/v4/computers-inventory?filter=general.reportDate%3E=%222026-11-20T09:00:00.000Z": nil, // not closed
		"/api/v1/computers-inventory?filter=general.lastContactTime==2026-11-20T10:00:00Z":     {"11", "3", "10", "1", "2"},
		"/api/v4/computers-inventory?filter=general.name==nothing":                             {},
		"/api/v4/computers-inventory?page=1&page-size=2":                                       {"10", "1"},
		"/api/v4/computers-inventory?page=3&page-size=2":                                       {},
		"/jamf/schule-a/api/v2/mobile-devices/detail?":                                         {"2", "1", "3"},
		"/api/v2/mobile-devices/detail?filter=displayName==%22*ipad*%22,serialNumber==AM3":     {"2", "1", "3"},
		"/api/v2/mobile-devices/detail?filter=managed==true;displayName==kiosk":                {"3"},
		"/api/v2/mobile-devices?":                                                              {"1", "2", "3"},
		"/api/v2/mobile-devices?sort=name:desc":                                                {"3", "1", "2"},
		"/api/v2/mobile-devices?filter=name==%22*ipad*%22,udid==x":                             {"1", "2", "3"}, // Jamf knows no filter here
	} {
		if want == nil {
			w.want(w.get("all", query), http.StatusBadRequest, "filter_not_supported")
			continue
		}
		p := w.page(query)
		field := "id"
		if strings.Contains(query, "detail") {
			field = "mobileDeviceId"
		}
		if diff := cmp.Diff(want, ids(p, field)); diff != "" {
			t.Errorf("%s\n%s", query, diff)
		}
		if !strings.Contains(query, "page=") && *p.TotalCount != len(want) {
			t.Errorf("%s: totalCount %d", query, *p.TotalCount)
		}
	}
}

// Every page of every size of a filtered and sorted list, also while a new generation is published, is one list.
func TestPagesOfASortedListAreOneList(t *testing.T) {
	w := newWorld(t)
	f := fleet{}
	for id := 1; id <= 60; id++ {
		f[id] = computer(id, fmt.Sprintf("S%d", id), fmt.Sprintf("name %d", id*7%11))
	}
	w.publish("schule-a", device.Computer, f)
	for _, size := range []int{1, 7, 10, 60, 100} {
		var got []string
		for page := 0; ; page++ {
			if page == 1 {
				w.publish("schule-a", device.Computer, computers("N", 1, 5)) // the walk stays on its generation
			}
			p := w.page(fmt.Sprintf("/api/v4/computers-inventory?page=%d&page-size=%d&sort=general.name:desc&filter=id=gt=2", page, size))
			if len(p.Results) == 0 {
				break
			}
			if *p.TotalCount != 58 {
				t.Fatalf("totalCount %d", *p.TotalCount)
			}
			got = append(got, ids(p, "id")...)
		}
		slices.Sort(got)
		if len(slices.Compact(got)) != 58 {
			t.Errorf("by %d: %d devices", size, len(got))
		}
		w.clock.Add(6 * 60 * 1e9) // the run ends
		w.publish("schule-a", device.Computer, f)
	}
}

// narrow is a profile of the normalized fields and the Jamf paths given.
func narrow(t testing.TB, fields ...string) *device.Profile {
	t.Helper()
	p, err := device.NewProfile("narrow", nil, fields)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNoFilterAndNoSortAnswersAQuestionAboutAHiddenField(t *testing.T) {
	w := newWorld(t, func(o *server.Options) {
		for i := range o.Clients {
			if o.Clients[i].ID == "only-a" {
				o.Clients[i].Profile = narrow(t, "identity.serialNumber", "os.version")
			}
		}
	})
	mixed(w)
	for _, path := range []string{
		"/api/v4/computers-inventory?filter=general.name==x", "/api/v4/computers-inventory?sort=general.name:asc", "/api/v1/computers-inventory?filter=id==1,userAndLocation.email==x",
		"/api/v2/mobile-devices/detail?filter=displayName==x", "/api/v2/mobile-devices?sort=name", "/v1/devices?filter=name==x", "/v1/devices?sort=user.email",
		"/v1/devices?filter=identity.serialNumber==x;(os.version==1,user.username==y)",
	} {
		w.want(w.get("only-a", path), http.StatusBadRequest, "hidden_field")
	}
	if got := ids(w.pageOf("only-a", "/api/v4/computers-inventory"), "id"); cmp.Diff([]string{"1", "2", "3", "10", "11"}, got) != "" {
		t.Errorf("the usual order tells of hidden names: %v", got)
	}
	if got := ids(w.pageOf("only-a", "/api/v4/computers-inventory?filter=hardware.serialNumber==ac2"), "id"); cmp.Diff([]string{"2"}, got) != "" {
		t.Errorf("%v", got)
	}
}

func (w *world) pageOf(client, path string) jamfPage {
	w.t.Helper()
	var p jamfPage
	w.get(client, path).decode(w.t, &p)
	return p
}

func TestWhatCannotBeFilteredOrSortedByIsRefusedWithItsNameAndPlace(t *testing.T) {
	w := newWorld(t)
	mixed(w)
	long := "/v1/devices?filter=name==" + strings.Repeat("x", 9000)
	for path, words := range map[string][]string{
		"/api/v4/computers-inventory?filter=id==1;general.nam==x":                    {"filter_not_supported", "At character 7", "general.name"},
		"/api/v4/computers-inventory?filter=general.mdmCertificateExpiration==x":     {"filter_not_supported", "general.mdmCertificateExpiration"},
		"/api/v4/computers-inventory?filter=general.lastContactTime==x":              {"filter_not_supported", "general.lastContactTime"},
		"/api/v1/computers-inventory?filter=general.lastContactTime==x":              {"filter_not_supported", "time"},
		"/api/v4/computers-inventory?filter=general.remoteManagement.managed==maybe": {"filter_not_supported", "true or false"},
		"/api/v4/computers-inventory?filter=(id==1":                                  {"filter_not_supported", "At character"},
		"/api/v4/computers-inventory?sort=hardware.serialNumber":                     {"sort_not_supported", "hardware.serialNumber"},
		"/api/v4/computers-inventory?sort=id:down":                                   {"sort_not_supported", "asc or desc"},
		"/api/v2/mobile-devices/detail?filter=airPlayPassword==x":                    {"filter_not_supported", "airPlayPassword"},
		"/v1/devices?filter=os.versionn==1":                                          {"filter_not_supported", "os.version", "character 1"},
		long:                                                                         {"bad_request", "8192"},
		"/v1/devices?sort=nam":                                                       {"sort_not_supported", "name"},
		"/v1/devices?fields=os.versoin":                                              {"bad_request", "os.version"},
	} {
		r := w.get("all", path)
		w.want(r, http.StatusBadRequest, words[0])
		for _, word := range words[1:] {
			if !strings.Contains(string(r.body), word) {
				t.Errorf("%s does not say %q: %s", clip(path), word, r.body)
			}
		}
	}
}

func TestNormalizedDevicesAreFilteredAndSortedOverAllSources(t *testing.T) {
	w := newWorld(t)
	mixed(w)
	ask := func(pairs ...string) string {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return "?" + v.Encode()
	}
	for query, want := range map[string][]string{
		ask("filter", "name==*lab*"):                                                               {"schule-a:computer:3", "schule-a:computer:10"},
		ask("filter", "identity.serialNumber=in=(am3,bc0001)"):                                     {"schule-a:mobile:3", "schule-b:computer:1"},
		ask("filter", "os.versionNormalized=lt=18;management.managed==true", "source", "schule-b"): {"schule-b:computer:1", "schule-b:computer:2"},
		ask("sort", "name:desc", "kind", "mobile"): {
			"schule-a:mobile:3", "schule-a:mobile:1", "schule-a:mobile:2", "schule-b:mobile:2", "schule-b:mobile:1",
		},
		ask("filter", "name!=mac*", "sort", "os.platform,name"): {
			"schule-b:mobile:1", "schule-b:mobile:2", "schule-a:mobile:2", "schule-a:mobile:1", "schule-a:mobile:3",
			"schule-a:computer:11", "schule-a:computer:1", "schule-a:computer:2",
		},
		ask("serialNumber", "ac2"):                       {"schule-a:computer:2"},
		ask("serialNumber", "ac2", "filter", "name==x*"): {},
		ask("name", "MAC LAB"):                           {"schule-a:computer:3", "schule-a:computer:10"},
		ask("filter", "cellular.imei==x,name==kiosk"):    {"schule-a:mobile:3"}, // computers have no such thing
	} {
		got := w.devices("all", query)
		if diff := cmp.Diff(want, append([]string{}, got.uids()...)); diff != "" {
			t.Errorf("%s\n%s", query, diff)
		}
		var paged []string
		for cursor := ""; ; {
			page := w.devices("all", query+"&limit=2"+cursor)
			paged = append(paged, page.uids()...)
			if page.NextCursor == nil {
				break
			}
			cursor = "&cursor=" + *page.NextCursor
		}
		if diff := cmp.Diff(want, append([]string{}, paged...)); diff != "" {
			t.Errorf("%s by pages of 2\n%s", query, diff)
		}
	}
	first := w.devices("all", "?sort=name&limit=2")
	w.want(w.get("all", "/v1/devices?sort=name:desc&limit=2&cursor="+*first.NextCursor), http.StatusBadRequest, "cursor_invalid")
	w.want(w.get("all", "/v1/devices?limit=2&cursor="+*first.NextCursor), http.StatusBadRequest, "cursor_invalid")
}

func TestFieldsShowAPartOfADevice(t *testing.T) {
	w := newWorld(t)
	mixed(w)
	var one map[string]any
	w.get("all", "/v1/devices/schule-a:computer:3?fields=name,os.version").decode(t, &one)
	want := map[string]any{"uid": "schule-a:computer:3", "source": "schule-a", "kind": "computer", "name": "mac lab", "os": map[string]any{"version": "15.5"}}
	if diff := cmp.Diff(want, one); diff != "" {
		t.Error(diff)
	}
	var some struct{ Items []map[string]any }
	w.get("all", "/v1/devices?fields=identity.serialNumber&source=schule-b&kind=computer").decode(t, &some)
	if len(some.Items) != 2 || len(some.Items[0]) != 4 || cmp.Diff(map[string]any{"serialNumber": "BC0001"}, some.Items[0]["identity"]) != "" {
		t.Errorf("%v", some.Items)
	}
	first := w.devices("all", "?limit=1&fields=name")
	if second := w.devices("all", "?limit=1&fields=os&cursor="+*first.NextCursor); len(second.Items) != 1 {
		t.Errorf("other fields on the next page: %v", second)
	}
}

func TestApplicationsAreAListOfTheirOwn(t *testing.T) {
	w := newWorld(t, func(o *server.Options) {
		for i := range o.Clients {
			if o.Clients[i].ID == "only-a" {
				o.Clients[i].Profile = narrow(t, "name")
			}
		}
	})
	withApps := strings.TrimSuffix(computer(1, "AC1", "mac"), "}") + `,"applications":[{"name":"Pages","version":"14.4","bundleId":"com.apple.Pages"}]}`
	w.publish("schule-a", device.Computer, fleet{1: withApps})
	w.publish("schule-a", device.Mobile, mobiles("AM", 1, 1))
	path := "/v1/devices/schule-a:computer:1/applications"
	r := w.get("all", path)
	if !strings.Contains(string(r.body), `"items":[{"name":"Pages","bundleId":"com.apple.Pages","version":"14.4"`) {
		t.Errorf("%s", r)
	}
	if again := w.get("all", path, "If-None-Match", r.header.Get("ETag")); again.status != http.StatusNotModified {
		t.Errorf("%s", again)
	}
	if empty := w.get("all", "/v1/devices/schule-a:mobile:1/applications"); !strings.Contains(string(empty.body), `"items":null`) {
		t.Errorf("%s", empty)
	}
	w.want(w.get("only-a", path), http.StatusBadRequest, "hidden_field")
	w.want(w.get("all", "/v1/devices/schule-a:computer:9/applications"), http.StatusNotFound, "unknown_device")
	w.want(w.get("all", path+"?fields=name"), http.StatusBadRequest, "unknown_parameter")
	w.want(w.get("all", path, "Accept-Encoding", "identity;q=0"), http.StatusNotAcceptable, "not_acceptable")
}

// A generation of an older program has no columns: its lists come by id, and a filter waits for the next sync.
func TestDataOfAnOlderReleaseIsListedByIdAndCannotBeFilteredYet(t *testing.T) {
	w := newWorld(t)
	w.publishOlder("schule-a", device.Computer, fleet{1: computer(1, "AC1", "z"), 2: computer(2, "AC2", "a")})
	w.publish("schule-a", device.Mobile, mobiles("AM", 1, 1))
	if got := ids(w.page("/api/v4/computers-inventory"), "id"); cmp.Diff([]string{"1", "2"}, got) != "" {
		t.Errorf("%v", got)
	}
	for _, path := range []string{"/api/v4/computers-inventory?sort=udid", "/api/v4/computers-inventory?filter=id==1", "/v1/devices?source=schule-a&filter=name==a"} {
		w.want(w.get("all", path), http.StatusServiceUnavailable, "columns_missing")
	}
}

// publishOlder publishes without saying what the profile keeps, as releases before facts did.
func (w *world) publishOlder(source string, k device.Kind, f fleet) {
	w.t.Helper()
	w.older = true
	defer func() { w.older = false }()
	w.publish(source, k, f)
}

// While a new release maps the kept data again, everything is served but what it filters and sorts by, and no run keeps a
// client from the mapped data afterwards.
func TestDataOfAnotherMappingIsListedAndFilteredAsSoonAsItIsMapped(t *testing.T) {
	w := newWorld(t)
	f := fleet{1: computer(1, "AC1", "z"), 2: computer(2, "AC2", "a"), 3: computer(3, "AC3", "b")}
	w.mapped = device.MappingVersion - 1
	w.publish("schule-a", device.Computer, f)
	list, filtered := "/api/v4/computers-inventory?page-size=2&page=", "/api/v4/computers-inventory?filter=id=gt=1&page="
	if got := ids(w.pageOf("only-a", list+"0"), "id"); cmp.Diff([]string{"2", "3"}, got) != "" {
		t.Errorf("the list: %v", got)
	}
	before := w.get("only-a", "/v1/devices?kind=computer&limit=1").header.Get("ETag")
	for _, path := range []string{filtered + "0", "/api/v4/computers-inventory?sort=udid", "/v1/devices?kind=computer&filter=name==a", "/v1/devices?kind=computer&name=a"} {
		r := w.get("only-a", path)
		w.want(r, http.StatusServiceUnavailable, "remapping")
		if r.header.Get("Retry-After") != "10" {
			t.Errorf("%s: Retry-After %q", path, r.header.Get("Retry-After"))
		}
	}
	w.want(w.get("only-a", filtered+"1"), http.StatusServiceUnavailable, "list_expired")
	w.mapped = 0
	w.publish("schule-a", device.Computer, f)
	if got := ids(w.pageOf("only-a", list+"1"), "id"); cmp.Diff([]string{"1"}, got) != "" {
		t.Errorf("the rest of the list: %v", got)
	}
	if got := ids(w.pageOf("only-a", filtered+"0"), "id"); cmp.Diff([]string{"2", "3"}, got) != "" {
		t.Errorf("the filter after the mapping: %v", got)
	}
	if l := w.devices("only-a", "?kind=computer&name=a"); len(l.Items) != 1 {
		t.Errorf("the short form after the mapping: %v", l.uids())
	}
	if before == "" {
		t.Error("the normalized list was not served")
	}
}
