package device_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
)

func named(entries ...device.Name) *device.Names { return device.NewNames(slices.Values(entries)) }

// show renders a record that a profile has cut, with names.
func show(t *testing.T, k device.Kind, p *device.Profile, record string, names *device.Names) []byte {
	t.Helper()
	out, err := device.AppendNormalized(nil, device.View{
		Source: "a", Kind: k, ID: 7, Record: cut(t, p, k, []byte(record)), Profile: p, State: "present", Names: names, DuplicateOf: []string{},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestIdsGetNamesWhereTheRecordHasNone(t *testing.T) {
	names := named(
		device.Name{List: device.Departments, ID: 3, Text: "Verwaltung"}, device.Name{List: device.Buildings, ID: 3, Text: "Neubau"},
		device.Name{List: device.Sites, ID: 3, Text: "Süd"}, device.Name{List: device.Departments, ID: 4, Text: "N/A"},
	)
	full := builtin(t, "full")
	for _, c := range []struct {
		kind   device.Kind
		record string
		names  *device.Names
		field  string
		want   any
	}{
		{"computer", `{"id":"7","userAndLocation":{"departmentId":"3"}}`, names, "user.department.name", "Verwaltung"},
		{"computer", `{"id":"7","userAndLocation":{"departmentId":3}}`, names, "user.department.name", "Verwaltung"},
		{"computer", `{"id":"7","userAndLocation":{"buildingId":"3"}}`, names, "user.building.name", "Neubau"},
		{"computer", `{"id":"7","userAndLocation":{"departmentId":"3"}}`, nil, "user.department.name", nil},
		{"computer", `{"id":"7","userAndLocation":{"departmentId":"33"}}`, names, "user.department.name", nil},
		{"computer", `{"id":"7","userAndLocation":{"departmentId":"03"}}`, names, "user.department.name", nil},
		{"computer", `{"id":"7","userAndLocation":{"departmentId":"4"}}`, names, "user.department.name", nil},
		{"computer", `{"id":"7","userAndLocation":{"departmentId":"-1"}}`, names, "user.department", nil},
		{"computer", `{"id":"7","general":{"site":{"id":"3","name":"Nord"}}}`, names, "site.name", "Nord"},
		{"mobile", `{"mobileDeviceId":"7","deviceType":"iOS","general":{"siteId":"3"}}`, names, "site.name", "Süd"},
		{"mobile", `{"mobileDeviceId":"7","deviceType":"iOS","general":{"siteId":"-1"}}`, names, "site", nil},
		{"mobile", `{"mobileDeviceId":"7","deviceType":"iOS","userAndLocation":{"departmentId":"3","department":"IT"}}`, names, "user.department.name", "IT"},
	} {
		if got := at(t, show(t, c.kind, full, c.record, c.names), c.field); got != c.want {
			t.Errorf("%s %s: %s is %v, want %v", c.kind, c.record, c.field, got, c.want)
		}
	}
}

func TestAProfileAsksForTheNamesOfTheIdsItKeepsAndNoOthers(t *testing.T) {
	own := func(base *device.Profile, fields ...string) *device.Profile {
		p, err := device.NewProfile("own", base, fields)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	minimal := builtin(t, "minimal")
	for name, c := range map[string]struct {
		profile          *device.Profile
		computer, mobile []device.NameList
	}{
		"minimal":            {minimal, nil, nil},
		"full":               {builtin(t, "full"), []device.NameList{device.Buildings, device.Departments}, []device.NameList{device.Sites}},
		"department":         {own(minimal, "user.department"), []device.NameList{device.Departments}, nil},
		"building of mobile": {own(minimal, "mobile:userAndLocation.buildingId"), nil, nil},
		"site":               {own(minimal, "site"), nil, []device.NameList{device.Sites}},
		"user name":          {own(minimal, "user.username"), nil, nil},
	} {
		if diff := cmp.Diff(c.computer, c.profile.NameLists(device.Computer)); diff != "" {
			t.Errorf("%s, computers (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(c.mobile, c.profile.NameLists(device.Mobile)); diff != "" {
			t.Errorf("%s, mobile devices (-want +got):\n%s", name, diff)
		}
	}
}

// Whatever lists and ids meet: a name is the one of this id in this list, or there is none.
func TestANameIsNeverThatOfAnotherID(t *testing.T) {
	full := builtin(t, "full")
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		lists := []device.NameList{device.Departments, device.Buildings, device.Sites}
		want := map[device.NameList]map[int64]string{}
		var names *device.Names
		for range 1 + r.IntN(4) { // lists are replaced, as syncs do
			list := lists[r.IntN(3)]
			want[list] = map[int64]string{}
			for range r.IntN(6) {
				id := 1 + r.Int64N(9)
				want[list][id] = fmt.Sprintf("%s %d of %d", list, id, r.IntN(100))
			}
			names = names.Replace(list, want[list])
		}
		department, building, site := r.Int64N(12)-1, r.Int64N(12)-1, r.Int64N(12)-1
		mac := show(t, device.Computer, full, fmt.Sprintf(`{"id":"7","userAndLocation":{"departmentId":"%d","buildingId":"%d"}}`, department, building), names)
		pad := show(t, device.Mobile, full, fmt.Sprintf(`{"mobileDeviceId":"7","deviceType":"iOS","general":{"siteId":"%d"}}`, site), names)
		for _, c := range []struct {
			body  []byte
			field string
			list  device.NameList
			id    int64
		}{{mac, "user.department", device.Departments, department}, {mac, "user.building", device.Buildings, building}, {pad, "site", device.Sites, site}} {
			var expect any
			if text, ok := want[c.list][c.id]; ok && c.id > 0 {
				expect = text
			}
			got := at(t, c.body, c.field)
			if o, ok := got.(map[string]any); ok {
				got = o["name"]
			}
			if got != expect {
				t.Fatalf("seed %d: %s %d is called %v, want %v", seed, c.field, c.id, got, expect)
			}
		}
	}
}

func TestTheDigestOfNamesTellsThemApart(t *testing.T) {
	a := named(device.Name{List: device.Departments, ID: 1, Text: "A"}, device.Name{List: device.Departments, ID: 2, Text: "B"})
	seen := map[string]bool{}
	for _, n := range []*device.Names{
		nil, a,
		a.Replace(device.Departments, map[int64]string{1: "B", 2: "A"}),
		a.Replace(device.Departments, map[int64]string{1: "A"}),
		a.Replace(device.Buildings, map[int64]string{1: "A"}),
		named(device.Name{List: device.Buildings, ID: 1, Text: "A"}, device.Name{List: device.Buildings, ID: 2, Text: "B"}),
	} {
		if seen[n.Digest()] {
			t.Errorf("digest %q twice: %v", n.Digest(), slices.Collect(n.All()))
		}
		seen[n.Digest()] = true
	}
	again := a.Replace(device.Sites, map[int64]string{9: "S"}).Only(device.Departments)
	if again.Digest() != a.Digest() {
		t.Error("the same names have another digest")
	}
	if got := a.Replace(device.Departments, nil); got != nil {
		t.Errorf("no names are %v", maps.Collect(maps.All(got.Counts())))
	}
	if got := named(device.Name{List: device.Sites, ID: 0, Text: "x"}, device.Name{List: device.Sites, ID: 1}); got != nil {
		t.Errorf("entries without id or name are kept: %v", got.Counts())
	}
}
