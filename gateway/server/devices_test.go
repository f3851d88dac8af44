package server_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// walk reads all pages of a query.
func (w *world) walk(client, query string) (uids []string, pages int) {
	w.t.Helper()
	next := ""
	for {
		q := query
		if next != "" {
			q += "&cursor=" + next
		}
		l := w.devices(client, q)
		uids = append(uids, l.uids()...)
		pages++
		if l.NextCursor == nil {
			return uids, pages
		}
		if len(l.Items) == 0 {
			w.t.Fatalf("page %d of %s is empty and has a next one", pages, query)
		}
		next = *l.NextCursor
	}
}

// expected are the uids of both sources with n devices of each kind, in order.
func expected(n int, sources ...string) []string {
	var out []string
	for _, source := range sources {
		for _, k := range []device.Kind{device.Computer, device.Mobile} {
			for id := 1; id <= n; id++ {
				out = append(out, device.UID(source, k, int64(id)))
			}
		}
	}
	return out
}

func TestAWalkOverAllPagesShowsEveryDeviceOnceAndInOrder(t *testing.T) {
	w := newWorld(t)
	w.publishAll(12)
	want := expected(12, "schule-a", "schule-b")
	for _, limit := range []int{1, 5, 12, 24, 47, 48, 49, 1000} {
		got, pages := w.walk("all", fmt.Sprintf("?limit=%d", limit))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("limit %d:\n%s", limit, diff)
		}
		if least := (48 + limit - 1) / limit; pages != least {
			t.Errorf("limit %d: %d pages, want %d", limit, pages, least)
		}
	}
	got, _ := w.walk("only-b", "?limit=7")
	if diff := cmp.Diff(expected(12, "schule-b"), got); diff != "" {
		t.Errorf("only-b:\n%s", diff)
	}
}

func TestFiltersSelectAndNothingElse(t *testing.T) {
	w := newWorld(t)
	w.publishAll(12)
	for query, want := range map[string][]string{
		"?serialNumber=ac0007":                         {"schule-a:computer:7"},
		"?serialNumber=%20AC0007%20":                   {"schule-a:computer:7"},
		"?udid=udid-3&source=schule-b":                 {"schule-b:computer:3"},
		"?name=ipad%202":                               {"schule-a:mobile:2", "schule-b:mobile:2"},
		"?name=Ipad%202":                               {"schule-a:mobile:2", "schule-b:mobile:2"},
		"?source=schule-b&kind=mobile&limit=2":         {"schule-b:mobile:1", "schule-b:mobile:2"},
		"?platform=ipados&source=schule-a&limit=1":     {"schule-a:mobile:1"},
		"?platform=macos&kind=mobile":                  {},
		"?serialNumber=AC0007&kind=mobile":             {},
		"?serialNumber=AC0007&require=fresh&limit=100": {"schule-a:computer:7"},
	} {
		if diff := cmp.Diff(want, w.devices("all", query).uids()); diff != "" {
			t.Errorf("%s:\n%s", query, diff)
		}
	}
}

func TestAListSaysWhatItIs(t *testing.T) {
	w := newWorld(t)
	w.publish("schule-a", device.Computer, computers("AC", 1, 2))
	w.clock.Add(time.Hour)
	w.publish("schule-a", device.Mobile, mobiles("AM", 1, 1))
	r := w.get("only-a", "/v1/devices")
	head, _, _ := bytes.Cut(r.body, []byte(`"items"`))
	want := `{"complete":true,"stale":false,"asOf":"2026-11-23T04:12:09.000Z","sources":[` +
		`{"name":"schule-a","kind":"computer","state":"fresh","reason":null,"asOf":"2026-11-23T04:12:09.000Z","generation":1,"count":2,"quarantined":0,"held":null},` +
		`{"name":"schule-a","kind":"mobile","state":"fresh","reason":null,"asOf":"2026-11-23T05:12:09.000Z","generation":1,"count":1,"quarantined":0,"held":null}],`
	if diff := cmp.Diff(want, string(head)); diff != "" {
		t.Error(diff)
	}
	if !bytes.HasSuffix(r.body, []byte(`],"nextCursor":null}`)) {
		t.Errorf("it ends with %s", r.body[len(r.body)-40:])
	}
	for name, want := range map[string]string{
		"Age": "3600", "Vary": "Accept-Encoding", "Content-Type": "application/json", "Cache-Control": "private, no-cache", "X-Jamf-Gateway-State": "",
	} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestOneDeviceIsAnItemAlone(t *testing.T) {
	w := newWorld(t)
	w.publishAll(3)
	one := w.get("all", "/v1/devices/schule-b:computer:2")
	page := w.get("all", "/v1/devices?serialNumber=BC0002")
	if one.status != http.StatusOK || !bytes.Contains(page.body, []byte(`"items":[`+string(one.body)+`]`)) {
		t.Errorf("alone %s, in a list %s", one, page)
	}
	if encoded := w.get("all", "/v1/devices/schule-b%3Acomputer%3A2"); !bytes.Equal(encoded.body, one.body) {
		t.Errorf("with encoded colons: %s", encoded)
	}
	for _, uid := range []string{
		"schule-b:computer:9", "schule-b:printer:2", "schule-x:computer:2", "x", "schule-b:computer:02", "schule-b:computer:99999999999999999999",
	} {
		w.want(w.get("all", "/v1/devices/"+uid), http.StatusNotFound, "unknown_device")
	}
	w.want(w.get("only-a", "/v1/devices/schule-b:computer:2"), http.StatusNotFound, "unknown_device")
	w.want(w.get("all", "/v1/devices/schule-b:computer:2?expand=1"), http.StatusBadRequest, "unknown_parameter")
}

func TestValidatorsAndEncodingsAgree(t *testing.T) {
	w := newWorld(t)
	w.publishAll(20)
	for _, path := range []string{"/v1/devices?source=schule-a", "/v1/devices/schule-a:computer:1", "/api/v1/computers-inventory", "/api/v2/mobile-devices/1"} {
		plain, zipped := w.get("all", path), w.get("all", path, "Accept-Encoding", "gzip")
		if plain.header.Get("Content-Encoding") != "" || zipped.header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: encodings %q and %q", path, plain.header.Get("Content-Encoding"), zipped.header.Get("Content-Encoding"))
		}
		z, err := gzip.NewReader(bytes.NewReader(zipped.body))
		if err != nil {
			t.Fatal(err)
		}
		if inflated, err := io.ReadAll(z); err != nil || !bytes.Equal(inflated, plain.body) {
			t.Errorf("%s: inflated it is another body (%v)", path, err)
		}
		a, b := plain.header.Get("ETag"), zipped.header.Get("ETag")
		if a == b || !strings.HasPrefix(a, `"`) || !strings.HasPrefix(b, `"`) {
			t.Errorf("%s: ETags %s and %s", path, a, b)
		}
		for _, validator := range []string{a, "W/" + a, `"x", ` + a, "*"} {
			r := w.get("all", path, "If-None-Match", validator)
			if r.status != http.StatusNotModified || len(r.body) != 0 || r.header.Get("Content-Length") != "" || r.header.Get("ETag") != a ||
				r.header.Get("Age") == "" || r.header.Get("Vary") == "" {
				t.Errorf("%s with %s: %s %v", path, validator, r, r.header)
			}
		}
		if r := w.get("all", path, "If-None-Match", b); r.status != http.StatusOK {
			t.Errorf("%s: the validator of the other encoding: %s", path, r)
		}
		head := w.do(http.MethodHead, w.base+path, "", "Authorization", "Bearer "+w.token("all"))
		if head.status != http.StatusOK || len(head.body) != 0 || head.header.Get("ETag") != a || head.header.Get("Content-Length") != fmt.Sprint(len(plain.body)) {
			t.Errorf("HEAD %s: %s %v", path, head, head.header)
		}
		w.store.Flush()
		if again := w.get("all", path); !bytes.Equal(again.body, plain.body) || again.header.Get("ETag") != a {
			t.Errorf("%s: another answer after the cache was emptied", path)
		}
	}
}

func TestDuplicatesAreFoundInTheCallersViewOnly(t *testing.T) {
	w := newWorld(t, func(o *server.Options) {
		blind, err := device.NewProfile("blind", nil, []string{"name", "identity.jamfId"})
		if err != nil {
			t.Fatal(err)
		}
		o.Clients = append(o.Clients, server.ClientOptions{ID: "blind", Secrets: o.Clients[0].Secrets[:0:0], Profile: blind})
		o.Clients[len(o.Clients)-1].Secrets = [][32]byte{sum("blind")}
	})
	w.publish("schule-a", device.Computer, fleet{1: computer(1, "SAME", "a1"), 2: computer(2, "UNIQUE", "a2")})
	w.publish("schule-a", device.Mobile, fleet{})
	w.publish("schule-b", device.Computer, fleet{5: computer(5, "same ", "b5")})
	w.publish("schule-b", device.Mobile, fleet{9: mobile(9, "SAME", "m9")})
	twins := func(client, query string) map[string][]string {
		out := map[string][]string{}
		for _, it := range w.devices(client, query).Items {
			if it.Sync.DuplicateOf == nil {
				t.Fatalf("%s of %s has no duplicateOf", it.UID, client)
			}
			slices.Sort(*it.Sync.DuplicateOf)
			out[it.UID] = *it.Sync.DuplicateOf
		}
		return out
	}
	none := []string{}
	for name, tc := range map[string]struct {
		client, query string
		want          map[string][]string
	}{
		"all": {"all", "", map[string][]string{
			"schule-a:computer:1": {"schule-b:computer:5", "schule-b:mobile:9"}, "schule-a:computer:2": none,
			"schule-b:computer:5": {"schule-a:computer:1", "schule-b:mobile:9"}, "schule-b:mobile:9": {"schule-a:computer:1", "schule-b:computer:5"},
		}},
		"all, one source asked for": {"all", "?source=schule-a", map[string][]string{
			"schule-a:computer:1": {"schule-b:computer:5", "schule-b:mobile:9"}, "schule-a:computer:2": none,
		}},
		"only-a": {"only-a", "", map[string][]string{"schule-a:computer:1": none, "schule-a:computer:2": none}},
		"only-b": {"only-b", "", map[string][]string{"schule-b:computer:5": {"schule-b:mobile:9"}, "schule-b:mobile:9": {"schule-b:computer:5"}}},
	} {
		if diff := cmp.Diff(tc.want, twins(tc.client, tc.query)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	if r := w.get("all", "/v1/devices/schule-b:mobile:9"); !bytes.Contains(r.body, []byte(`"duplicateOf":["schule-a:computer:1","schule-b:computer:5"]`)) {
		t.Errorf("one device: %s", r)
	}
	for _, r := range []reply{w.get("blind", "/v1/devices"), w.get("blind", "/v1/devices/schule-b:mobile:9")} {
		if r.status != http.StatusOK || bytes.Contains(r.body, []byte("SAME")) || bytes.Contains(r.body, []byte(`"duplicateOf":["`)) {
			t.Errorf("a client that sees no serial numbers is told which are equal: %s", r)
		}
	}
}

func TestDuplicatesFollowTheOtherSource(t *testing.T) {
	w := newWorld(t)
	w.publish("schule-a", device.Computer, fleet{1: computer(1, "SAME", "a1")})
	w.publish("schule-b", device.Computer, fleet{5: computer(5, "SAME", "b5")})
	for _, path := range []string{"/v1/devices?source=schule-a&kind=computer", "/v1/devices/schule-a:computer:1"} {
		if r := w.get("all", path); !bytes.Contains(r.body, []byte(`"duplicateOf":["schule-b:computer:5"]`)) {
			t.Errorf("%s: %s", path, r)
		}
	}
	w.publish("schule-b", device.Computer, fleet{5: computer(5, "OTHER", "b5")})
	w.clock.Add(6 * time.Minute)
	for _, path := range []string{"/v1/devices?source=schule-a&kind=computer", "/v1/devices/schule-a:computer:1"} {
		if r := w.get("all", path); r.status != http.StatusOK || !bytes.Contains(r.body, []byte(`"duplicateOf":[]`)) {
			t.Errorf("%s, after the other source was read again: %s", path, r)
		}
	}
}

func TestAFilterOnAHiddenFieldIsRefusedAndNamesIt(t *testing.T) {
	w := newWorld(t, func(o *server.Options) {
		p, err := device.NewProfile("names", nil, []string{"name"})
		if err != nil {
			t.Fatal(err)
		}
		o.Clients = append(o.Clients, server.ClientOptions{ID: "names", Secrets: [][32]byte{sum("names")}, Profile: p})
	})
	w.publishAll(3)
	for param, field := range map[string]string{"serialNumber": "identity.serialNumber", "udid": "identity.udid", "platform": "os.platform"} {
		value := "x"
		if param == "platform" {
			value = "macos"
		}
		r := w.get("names", "/v1/devices?"+param+"="+value)
		w.want(r, http.StatusBadRequest, "hidden_field")
		if !bytes.Contains(r.body, []byte(field)) {
			t.Errorf("%s: %s", param, r)
		}
	}
	if l := w.devices("names", "?name=mac%201&source=schule-a"); len(l.Items) != 1 {
		t.Errorf("by the field that is shown: %v", l.uids())
	}
	if r := w.get("names", "/v1/devices"); bytes.Contains(r.body, []byte("AC0001")) || bytes.Contains(r.body, []byte("example.org")) {
		t.Errorf("fields outside of the profile: %s", r)
	}
}

func TestAskingForWhatIsNotThereIsNoEmptyList(t *testing.T) {
	w := newWorld(t, func(o *server.Options) {
		o.Sources[1].Kinds = []device.Kind{device.Computer}
		o.Clients = append(o.Clients, server.ClientOptions{ID: "nothing", Secrets: [][32]byte{sum("nothing")}, Sources: []string{}})
	})
	w.publish("schule-a", device.Computer, computers("AC", 1, 2))
	w.publish("schule-b", device.Computer, computers("BC", 1, 2))
	w.want(w.get("all", "/v1/devices?source=schule-x"), http.StatusNotFound, "unknown_source")
	w.want(w.get("only-a", "/v1/devices?source=schule-b"), http.StatusNotFound, "unknown_source")
	w.want(w.get("all", "/v1/devices?source=schule-b&kind=mobile"), http.StatusForbidden, "kind_disabled")
	w.want(w.get("only-b", "/v1/devices?kind=mobile"), http.StatusForbidden, "kind_disabled")
	w.want(w.get("nothing", "/v1/devices"), http.StatusForbidden, "kind_disabled")
	w.want(w.get("all", "/jamf/schule-b/api/v2/mobile-devices"), http.StatusForbidden, "kind_disabled")
	w.want(w.get("all", "/v1/devices?cursor=nonsense"), http.StatusBadRequest, "cursor_invalid")
}
