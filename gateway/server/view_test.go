package server_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// northern are the devices of the site North: the even ids.
var northern = device.Filter{Sites: []string{"North"}}

// sited gives each record the site North or South, by its id.
func sited(f fleet) fleet {
	for id, record := range f {
		site := `"general":{"site":{"id":"2","name":"South"},"siteId":"2",`
		if id%2 == 0 {
			site = `"general":{"site":{"id":"1","name":"North"},"siteId":"1",`
		}
		f[id] = strings.Replace(record, `"general":{`, site, 1)
	}
	return f
}

// schools is a world in which the client "north" sees the devices of one site, of both kinds.
func schools(t *testing.T, f device.Filter) *world {
	t.Helper()
	w := newWorld(t, func(o *server.Options) {
		o.Clients = append(o.Clients, server.ClientOptions{ID: "north", Secrets: [][32]byte{sum("north")}, Sources: []string{"schule-a"}, Filter: f})
	})
	w.terms = f.Terms()
	w.publish("schule-a", device.Computer, sited(computers("AC", 1, 20)), cache.Quarantine{ID: 3, Reason: "x", Kept: "previous"}, cache.Quarantine{ID: 4, Reason: "x", Kept: "previous"})
	w.publish("schule-a", device.Mobile, sited(mobiles("AM", 1, 10)))
	return w
}

func TestAClientSeesItsViewAndNothingBesideItInEveryAnswer(t *testing.T) {
	t.Parallel()
	w := schools(t, device.Filter{Sites: []string{"1"}})
	var uids []string
	for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
		var p list
		path := "/v1/devices?limit=3"
		if cursor != "" {
			path += "&cursor=" + cursor
		}
		w.get("north", path).decode(t, &p)
		for _, item := range p.Items {
			uids = append(uids, item.UID)
		}
		for i, want := range []int{10, 5} {
			if got := *p.Sources[i].Count; got != want {
				t.Errorf("count of kind %d: %d, want %d", i, got, want)
			}
		}
		if q := *p.Sources[0].Quarantined; q != 1 {
			t.Errorf("%d quarantined devices, want 1", q)
		}
		cursor = ""
		if p.NextCursor != nil {
			cursor = *p.NextCursor
		}
	}
	var want []string
	for id := 2; id <= 20; id += 2 {
		want = append(want, fmt.Sprintf("schule-a:computer:%d", id))
	}
	for id := 2; id <= 10; id += 2 {
		want = append(want, fmt.Sprintf("schule-a:mobile:%d", id))
	}
	if diff := cmp.Diff(want, uids); diff != "" {
		t.Error(diff)
	}
	for path, n := range map[string]int{
		"/jamf/schule-a/api/v1/computers-inventory?page-size=100": 10, "/jamf/schule-a/api/v4/computers-inventory?page-size=3&sort=general.name:desc": 10,
		"/jamf/schule-a/api/v3/computers-inventory?filter=general.name==%22mac*%22": 10, "/jamf/schule-a/api/v1/computers-inventory?filter=id==3": 0,
		"/jamf/schule-a/api/v1/computers-inventory?filter=id!=3": 10, "/jamf/schule-a/api/v1/computers-inventory?filter=hardware.serialNumber==AC0003": 0,
		"/jamf/schule-a/api/v2/mobile-devices": 5, "/jamf/schule-a/api/v2/mobile-devices/detail?filter=serialNumber==AM0003": 0, "/jamf/schule-a/api/v2/mobile-devices?page=7": 5,
	} {
		var p jamfPage
		r := w.get("north", path)
		r.decode(t, &p)
		if r.status != http.StatusOK || p.TotalCount == nil || *p.TotalCount != n {
			t.Errorf("%s: %s, want totalCount %d", path, r, n)
		}
		for _, id := range append(ids(p, "id"), ids(p, "mobileDeviceId")...) {
			if id != "" && !strings.HasSuffix(id, "0") && !slices.Contains([]string{"2", "4", "6", "8"}, id[len(id)-1:]) {
				t.Errorf("%s shows %s", path, id)
			}
		}
	}
	for _, path := range []string{
		"/v1/devices/schule-a:computer:3", "/v1/devices/schule-a:computer:3/applications", "/v1/devices/schule-a:mobile:3", "/jamf/schule-a/api/v1/computers-inventory/3",
		"/jamf/schule-a/api/v1/computers-inventory-detail/3", "/jamf/schule-a/api/v2/mobile-devices/3", "/jamf/schule-a/api/v2/mobile-devices/3/detail",
	} {
		w.want(w.get("north", path), http.StatusNotFound, "unknown_device")
		w.want(w.get("north", strings.Replace(path, "3", "333", 1)), http.StatusNotFound, "unknown_device")
		if r := w.get("north", strings.Replace(path, ":3", ":4", 1)); strings.Contains(path, ":3") && r.status != http.StatusOK {
			t.Errorf("its own: %s", r)
		}
		if r := w.get("only-a", path); r.status != http.StatusOK {
			t.Errorf("another client: %s", r)
		}
	}
	var p list
	w.get("north", "/v1/devices?serialNumber=AC0003").decode(t, &p)
	if len(p.Items) != 0 || *p.Sources[0].Count != 10 {
		t.Errorf("by serial number: %v", p.Items)
	}
}

func TestADuplicateOutsideOfTheViewIsNone(t *testing.T) {
	t.Parallel()
	w := schools(t, northern)
	f := sited(computers("AC", 1, 6))
	f[2], f[3] = sited(fleet{2: computer(2, "SAME", "two")})[2], sited(fleet{3: computer(3, "SAME", "three")})[3]
	w.publish("schule-a", device.Computer, f)
	for client, want := range map[string]string{"north": `"duplicateOf":[]`, "only-a": `"duplicateOf":["schule-a:computer:3"]`} {
		if r := w.get(client, "/v1/devices/schule-a:computer:2"); !strings.Contains(string(r.body), want) {
			t.Errorf("%s: no %s in %s", client, want, r)
		}
	}
}

func TestTheStatusCountsWhatAViewLeavesOut(t *testing.T) {
	t.Parallel()
	w := schools(t, device.Filter{Sites: []string{"1"}, NamePrefixes: []string{"mac", "ipad 1"}})
	type kind struct {
		Kind    string
		Count   *int
		LeftOut map[string]int
		Devices []struct{ UID string } `json:"quarantinedDevices"`
	}
	var own struct{ Kinds []kind }
	w.get("north", "/v1/sources/schule-a").decode(t, &own)
	if diff := cmp.Diff([]map[string]int{{"other_site": 10}, {"other_site": 5, "other_name": 4}}, []map[string]int{own.Kinds[0].LeftOut, own.Kinds[1].LeftOut}); diff != "" {
		t.Error(diff)
	}
	if *own.Kinds[0].Count != 10 || *own.Kinds[1].Count != 1 || len(own.Kinds[0].Devices) != 1 || own.Kinds[0].Devices[0].UID != "schule-a:computer:4" {
		t.Errorf("%+v", own)
	}
	for _, path := range []string{"/v1/sources", "/v1/health", "/v1/sources/schule-a/health"} {
		if r := w.get("north", path); !strings.Contains(string(r.body), `"leftOut":{"other_site":10}`) {
			t.Errorf("%s: %s", path, r)
		}
		if r := w.get("only-a", path); strings.Contains(string(r.body), "leftOut") || strings.Contains(string(r.body), "views") {
			t.Errorf("%s of a client that sees all: %s", path, r)
		}
	}
	r := w.do(http.MethodGet, w.admin+"/v1/admin/sources", "")
	if want := `"views":[{"kind":"computer","client":"north","count":10,"leftOut":{"other_site":10}},{"kind":"mobile","client":"north","count":1,"leftOut":{"other_name":4,"other_site":5}}]`; !strings.Contains(string(r.body), want) {
		t.Errorf("no %s in %s", want, r.body)
	}
}

func TestAViewThatTheDataDoesNotKnowIsRefusedAndNeverEmpty(t *testing.T) {
	t.Parallel()
	w := schools(t, device.Filter{})
	again := w.restart(t, func(o *server.Options) {
		o.Clients = slices.Clone(o.Clients)
		for i := range o.Clients {
			if o.Clients[i].ID == "north" {
				o.Clients[i].Filter = device.Filter{Sites: []string{"South"}}
			}
		}
	})
	for _, path := range []string{
		"/v1/devices", "/v1/devices/schule-a:computer:2", "/jamf/schule-a/api/v1/computers-inventory", "/jamf/schule-a/api/v2/mobile-devices/2",
	} {
		again.want(again.get("north", path), http.StatusServiceUnavailable, "view_not_ready")
		if r := again.get("only-a", path); r.status != http.StatusOK {
			t.Errorf("%s of another client: %s", path, r)
		}
	}
	if r := again.get("north", "/v1/sources/schule-a"); !strings.Contains(string(r.body), `"view_not_ready"`) {
		t.Errorf("the status does not say so: %s", r)
	}
	w.terms = device.Filter{Sites: []string{"South"}}.Terms()
	w.publish("schule-a", device.Computer, sited(computers("AC", 1, 20)))
	w.publish("schule-a", device.Mobile, sited(mobiles("AM", 1, 10)))
	if r := again.get("north", "/jamf/schule-a/api/v1/computers-inventory"); r.status != http.StatusOK || !strings.Contains(string(r.body), `"totalCount":10`) {
		t.Errorf("after the next sync: %s", r)
	}
}

func TestAnswersOfTwoViewsAreNeverMixed(t *testing.T) {
	t.Parallel()
	w := schools(t, northern)
	for range 3 { // from the generation, then from memory
		for _, path := range []string{"/v1/devices?source=schule-a&kind=computer", "/jamf/schule-a/api/v1/computers-inventory", "/jamf/schule-a/api/v1/computers-inventory?sort=id:desc", "/jamf/schule-a/api/v1/computers-inventory/3"} {
			all, part := w.get("only-a", path), w.get("north", path)
			if string(all.body) == string(part.body) || all.header.Get("ETag") == part.header.Get("ETag") {
				t.Errorf("%s is the same for both", path)
			}
			if r := w.get("north", path, "If-None-Match", all.header.Get("ETag")); r.status == http.StatusNotModified {
				t.Errorf("%s: the validator of another view holds", path)
			}
		}
	}
	cursorOf := func(client string) string {
		var p list
		w.get(client, "/v1/devices?source=schule-a&limit=2").decode(t, &p)
		return *p.NextCursor
	}
	w.want(w.get("north", "/v1/devices?source=schule-a&limit=2&cursor="+cursorOf("only-a")), http.StatusGone, "cursor_expired")
}

func TestWhatTheViewOfAnotherClientLosesIsNotTold(t *testing.T) {
	t.Parallel()
	w := schools(t, northern)
	w.house.source("schule-a", func(s *server.SourceStatus) {
		s.Kinds[0].Hold = &server.Hold{Digest: "0123456789abcdef01234567", Since: start, Generation: 9, Findings: []server.Finding{
			{Guard: "empty", Count: 5, Of: 5, Client: "north"}, {Guard: "empty", Count: 7, Of: 7, Client: "east"}, {Guard: "removed", Count: 30, Of: 60, Limit: 25},
		}}
	})
	for _, path := range []string{"/v1/sources/schule-a", "/v1/sources/schule-a/health"} {
		north, other := string(w.get("north", path).body), string(w.get("only-a", path).body)
		if strings.Contains(north, "east") || !strings.Contains(north, `"client":"north"`) || strings.Contains(other, "client") || !strings.Contains(other, `"removed"`) {
			t.Errorf("%s:\n%s\n%s", path, north, other)
		}
	}
	if all := string(w.do(http.MethodGet, w.admin+"/v1/admin/sources", "").body); !strings.Contains(all, `"client":"east"`) {
		t.Errorf("the operator is not told: %s", all)
	}
}

func TestAPolicyHoldsInEveryAnswerAndNoFilterAsksAroundIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *server.Options) {
		o.Clients = append(o.Clients, server.ClientOptions{
			ID: "pseudonyms", Secrets: [][32]byte{sum("pseudonyms")}, Sources: []string{"schule-a"},
			Policy: device.Policy{Names: device.NamesSerial, Users: device.Pseudonyms, Key: [32]byte{7}},
		})
	})
	w.publishAll(3)
	const facade = "/jamf/schule-a/api"
	for _, path := range []string{
		"/v1/devices", "/v1/devices/schule-a:computer:2", "/v1/devices/schule-a:mobile:2", facade + "/v2/mobile-devices", facade + "/v2/mobile-devices/2", facade + "/v2/mobile-devices/2/detail",
		facade + "/v2/mobile-devices/detail?section=USER_AND_LOCATION,GENERAL", facade + "/v1/computers-inventory?section=USER_AND_LOCATION,GENERAL", facade + "/v4/computers-inventory-detail/2",
	} {
		for range 2 {
			open, body := string(w.get("all", path).body), string(w.get("pseudonyms", path).body)
			for _, personal := range []string{"mac 2", "ipad 2", "user2", "kid2"} {
				if strings.Contains(body, personal) {
					t.Errorf("%s shows %s", path, personal)
				}
			}
			if !strings.Contains(open, "mac 2") && !strings.Contains(open, "ipad 2") || !strings.Contains(body, "M0002") && !strings.Contains(body, "C0002") {
				t.Errorf("%s:\n%s\n%s", path, open, body)
			}
		}
	}
	for _, path := range []string{
		"/v1/devices?name=mac%202", "/v1/devices?filter=name==mac*", "/v1/devices?sort=name", "/v1/devices?filter=user.username==user2", "/v1/devices?kind=mobile&filter=user.email==k*",
		facade + "/v1/computers-inventory?filter=general.name==mac*", facade + "/v1/computers-inventory?sort=general.name", facade + "/v4/computers-inventory?filter=userAndLocation.username==user2",
		facade + "/v2/mobile-devices?sort=username", facade + "/v2/mobile-devices/detail?filter=username==kid2", facade + "/v2/mobile-devices/detail?sort=displayName",
	} {
		w.want(w.get("pseudonyms", path), http.StatusBadRequest, "hidden_field")
	}
}

// The rows of a list stand on other pages under another filter: a walk that was begun under the one before ends over a restart, and begins
// anew.
func TestAWalkIsNotContinuedUnderAnotherView(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "runs.json")
	shown := func(f device.Filter) option {
		return func(o *server.Options) {
			o.RunsFile = file
			o.Clients = append(slices.DeleteFunc(slices.Clone(o.Clients), func(c server.ClientOptions) bool { return c.ID == "north" }),
				server.ClientOptions{ID: "north", Secrets: [][32]byte{sum("north")}, Sources: []string{"schule-a"}, Filter: f})
		}
	}
	southern := device.Filter{Sites: []string{"South"}}
	w := newWorld(t, shown(northern))
	w.terms = slices.Concat(northern.Terms(), southern.Terms())
	w.publish("schule-a", device.Computer, sited(computers("AC", 1, 20)))
	page := func(n, status int, code string) {
		t.Helper()
		r := w.get("north", fmt.Sprintf("/jamf/schule-a/api/v1/computers-inventory?page=%d&page-size=4", n))
		if r.status != status || !strings.Contains(string(r.body), code) {
			t.Errorf("page %d: %s", n, r)
		}
	}
	page(0, http.StatusOK, "")
	page(1, http.StatusOK, "")
	w = w.restart(t, shown(northern))
	page(2, http.StatusOK, "")
	w = w.restart(t, shown(southern))
	page(2, http.StatusServiceUnavailable, "list_expired")
	page(0, http.StatusOK, "")
	page(1, http.StatusOK, "")
	w = w.restart(t, shown(device.Filter{}))
	page(2, http.StatusServiceUnavailable, "list_expired")
	page(0, http.StatusOK, "")
	page(4, http.StatusOK, "")
}
