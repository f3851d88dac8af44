package device_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
)

// factsOf reads every column that the profile has of a record cut to it, by name.
func factsOf(t testing.TB, k device.Kind, p *device.Profile, record []byte) map[string]any {
	t.Helper()
	columns := device.FactColumns(k, p.Paths(k))
	values, err := device.Facts(k, columns, cut(t, p, k, record))
	if err != nil {
		t.Fatal(err)
	}
	facts := map[string]any{}
	for i, c := range columns {
		if _, twice := facts[c.Name]; twice {
			t.Fatalf("two columns %s", c.Name)
		}
		if values[i] != nil && !fits(c.Type, values[i]) {
			t.Errorf("%s is of type %d and has the value %T", c.Name, c.Type, values[i])
		}
		facts[c.Name] = values[i]
	}
	return facts
}

func fits(c device.ColumnType, value any) bool {
	switch v := value.(type) {
	case string:
		return c == device.TextColumn && v != "" && v == device.Fold(v)
	case float64:
		return c == device.NumberColumn
	case int64:
		return c == device.TimeColumn || c == device.BoolColumn && (v == 0 || v == 1)
	case []string:
		return c == device.ManyColumn && len(v) > 0 && !slices.Contains(v, "")
	default:
		return false
	}
}

func TestFactsMatchTheGoldenFiles(t *testing.T) {
	for name, record := range ownRecords(t) {
		b, err := json.Marshal(factsOf(t, kindOf(name), builtin(t, "full"), record))
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name+".full.facts", b)
	}
}

// expected is the fact that a value of a rendered device is, written without the code under test.
func expected(t testing.TB, typ string, values []string) any {
	t.Helper()
	var many []string
	for _, v := range values {
		text := v
		if strings.HasPrefix(v, `"`) {
			if err := json.Unmarshal([]byte(v), &text); err != nil {
				t.Fatal(err)
			}
		} else if v == "null" {
			continue
		}
		if text != "" {
			many = append(many, text)
		}
	}
	if len(many) == 0 {
		return nil
	}
	one := many[0]
	switch typ {
	case "many":
		var folded []string
		for _, text := range many {
			if text = device.Fold(text); !slices.Contains(folded, text) {
				folded = append(folded, text)
			}
		}
		return folded
	case "number":
		if n, err := strconv.ParseFloat(one, 64); err == nil {
			return n
		}
		return nil
	case "boolean":
		return map[string]any{"true": int64(1), "false": int64(0)}[one]
	case "time", "date":
		for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
			if at, err := time.Parse(layout, one); err == nil {
				return at.UnixMilli()
			}
		}
		return nil
	case "version":
		var parts []string
		for p := range strings.SplitSeq(one, ".") {
			n, _ := strconv.Atoi(p)
			parts = append(parts, fmt.Sprintf("%010d", n))
		}
		return strings.Join(parts, ".")
	default:
		return device.Fold(one)
	}
}

func TestFactsAreWhatTheDeviceShows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	profiles := []*device.Profile{builtin(t, "full"), builtin(t, "minimal")}
	for range 20 {
		p, _ := randomProfile(t, r)
		profiles = append(profiles, p)
	}
	records := ownRecords(t)
	for _, deviceType := range []string{"iOS", "tvOS", "watchOS", "visionOS", "homeOS", "Unknown"} {
		records["mobile-every-"+deviceType] = plainRecord(t, device.Mobile, deviceType)
	}
	records["computer-every"] = plainRecord(t, device.Computer, "")
	shapes := map[string]device.Shape{
		"1": device.ComputerV1, "2": device.ComputerV2, "3": device.ComputerV3, "4": device.ComputerV4,
		"d": device.MobileDetail, "l": device.MobileSummary,
	}
	compared := 0
	for recordName, record := range records {
		k := kindOf(recordName)
		for _, p := range profiles {
			facts := factsOf(t, k, p, record)
			shown := map[string]map[string][]string{}
			for letter, s := range shapes {
				if s.Kind() == k {
					shown[letter] = flatten(t, jamf(t, s, p, cut(t, p, k, record)))
				}
			}
			device := flatten(t, normalized(t, p, k, cut(t, p, k, record)))
			shown["c"], shown["m"] = unlisted(device), unlisted(device)
			for _, n := range selectorLines(t) {
				got, has := facts[n.column()]
				if n.kind() != k || n.from == "-" || !has {
					continue
				}
				path := n.from
				if n.in == "l" || n.normalized() {
					path = n.selector
				}
				if n.from == "general.lastReportedIp" && n.in == "4" {
					continue // Jamf names it for v4 too, where it shows none
				}
				if n.in == "l" && strings.HasPrefix(recordName, "mobile-every-") {
					continue // The list shows a key that no device of the type has; the fact goes by what its detail shows.
				}
				compared++
				if diff := cmp.Diff(expected(t, n.typ, shown[n.in][path]), got); diff != "" {
					t.Errorf("%s: %s %s of profile %.200s (-shown +fact):\n%s", recordName, n.in, n.selector, p.Name(), diff)
				}
			}
		}
	}
	if compared < 10000 {
		t.Errorf("%d comparisons witness little", compared)
	}
}

// unlisted names the members of a list's elements as selectors do.
func unlisted(flat map[string][]string) map[string][]string {
	out := maps.Clone(flat)
	for path, values := range flat {
		out[strings.ReplaceAll(path, "[]", "")] = values
	}
	return out
}

// TestFactsAreMadeOfTheFieldsTheyName takes all other fields away: the fact must stay.
func TestFactsAreMadeOfTheFieldsTheyName(t *testing.T) {
	for _, k := range []device.Kind{device.Computer, device.Mobile} {
		deps := map[string][]string{}
		for _, l := range linesOf(t, k) {
			for _, c := range device.FactColumns(k, []string{l.path}) {
				deps[c.Name] = append(deps[c.Name], string(k)+":"+l.path)
			}
		}
		for recordName, record := range ownRecords(t) {
			if kindOf(recordName) != k {
				continue
			}
			all := factsOf(t, k, builtin(t, "full"), record)
			if len(all) != len(deps) {
				t.Fatalf("%d columns of all fields, %d of one", len(all), len(deps))
			}
			for name, fields := range deps {
				p, err := device.NewProfile("dependencies", nil, fields)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(all[name], factsOf(t, k, p, record)[name]); diff != "" {
					t.Errorf("%s: %s (-of the record +of %v alone):\n%s", recordName, name, fields, diff)
				}
			}
		}
	}
}

func TestFactsOfOddValues(t *testing.T) {
	for _, c := range []struct {
		kind   device.Kind
		record string // without the id
		column string
		want   any
	}{
		{"computer", `"general":{"name":""}`, "jamf:general.name", nil},
		{"computer", `"general":{"name":"None"}`, "jamf:general.name", "none"},
		{"computer", `"general":{"name":"None"}`, "name", nil},
		{"computer", `"general":{"name":" Ä\u00df "}`, "jamf:general.name", " äß "},
		{"computer", `"general":{"name":4711}`, "jamf:general.name", "4711"},
		{"computer", `"general":{"name":{"a":1}}`, "jamf:general.name", nil},
		{"computer", `"general":{"supervised":"true"}`, "jamf:general.supervised", int64(1)},
		{"computer", `"general":{"supervised":"yes"}`, "jamf:general.supervised", nil},
		{"computer", `"general":{"reportDate":"1970-01-01T00:00:00Z"}`, "jamf:general.reportDate", int64(0)},
		{"computer", `"general":{"reportDate":"1970-01-01T00:00:00Z"}`, "lastInventoryAt", nil},
		{"computer", `"general":{"reportDate":"2026-01-02T03:04:05.123456789+01:00"}`, "jamf:general.reportDate", int64(1767319445123)},
		{"computer", `"general":{"reportDate":"1969-12-31T23:59:59.9999Z"}`, "jamf:general.reportDate", int64(-1)},
		{"computer", `"general":{"reportDate":"soon"}`, "jamf:general.reportDate", nil},
		{"computer", `"purchasing":{"warrantyDate":"2028-02-29"}`, "jamf:purchasing.warrantyDate", int64(1835395200000)},
		{"mobile", `"deviceType":"iOS","purchasing":{"warrantyExpiresDate":"2027-01-01T00:30:00+02:00"}`, "purchasing.warrantyExpires", int64(1798761600000)},
		{"mobile", `"deviceType":"iOS","purchasing":{"warrantyExpiresDate":"2027-01-01T00:30:00+02:00"}`, "jamf:purchasing.warrantyExpiresDate", int64(1798756200000)},
		{"computer", `"purchasing":{"lifeExpectancy":"5"}`, "jamf:purchasing.lifeExpectancy", 5.0},
		{"computer", `"purchasing":{"lifeExpectancy":0}`, "jamf:purchasing.lifeExpectancy", 0.0},
		{"computer", `"purchasing":{"lifeExpectancy":0}`, "purchasing.lifeExpectancyYears", nil},
		{"computer", `"purchasing":{"lifeExpectancy":1e999}`, "jamf:purchasing.lifeExpectancy", nil},
		{"computer", `"purchasing":{"lifeExpectancy":" 5"}`, "jamf:purchasing.lifeExpectancy", nil},
		{"computer", `"general":{"lastContact":null,"lastCheckIn":"2026-01-02T03:04:05Z"}`, "jamf:general.lastContactTime", int64(1767323045000)},
		{"computer", `"general":{"lastContact":null,"lastCheckIn":"2026-01-02T03:04:05Z"}`, "jamf:general.lastContact", nil},
		{"computer", `"general":{"lastReportedIpV4":"10.0.0.1"}`, "jamf:general.lastReportedIp", "10.0.0.1"},
		{"computer", `"operatingSystem":{"version":"9.10"}`, "os.versionNormalized", "0000000009.0000000010.0000000000"},
		{"computer", `"operatingSystem":{"version":"4294967295"}`, "os.versionNormalized", "4294967295.0000000000.0000000000"},
		{"mobile", `"deviceType":"tvOS","general":{"residentUsers":3}`, "jamf:general.residentUsers", nil},
		{"mobile", `"deviceType":"iOS","general":{"residentUsers":3}`, "jamf:general.residentUsers", 3.0},
		{"mobile", `"deviceType":"iOS","groups":[{"groupId":"1","groupName":"A"},null,{"groupId":"1","groupName":"B"},{"groupName":""}]`, "jamf:groups[].groupName", []string{"a", "b"}},
		{"mobile", `"deviceType":"iOS","groups":[{"groupId":"1","groupName":"A"},null,{"groupId":"1","groupName":"B"},{"groupName":""}]`, "groups.name", []string{"a", "b"}},
		{"mobile", `"deviceType":"iOS","groups":[]`, "jamf:groups[].groupName", nil},
	} {
		id := map[device.Kind]string{"computer": `{"id":"5",`, "mobile": `{"mobileDeviceId":"5",`}[c.kind]
		got := factsOf(t, c.kind, builtin(t, "full"), []byte(id+c.record+"}"))[c.column]
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s of %s (-want +got):\n%s", c.column, c.record, diff)
		}
	}
}

func TestFactsRefuseWhatIsNoRecordOrNoColumn(t *testing.T) {
	name := []device.Column{{Name: "name", Type: device.TextColumn}}
	for _, c := range []struct {
		kind    device.Kind
		columns []device.Column
		record  string
		reason  string
	}{
		{device.Computer, name, `{"id":`, "syntax"},
		{device.Computer, name, `[]`, "not an object"},
		{device.Computer, []device.Column{{Name: "id", Type: device.IDColumn}}, `{"id":"1"}`, "unknown column"},
		{device.Computer, []device.Column{{Name: "jamf:network.imei", Type: device.TextColumn}}, `{"id":"1"}`, "unknown column"},
		{"fridge", name, `{"id":"1"}`, "kind"},
	} {
		_, err := device.Facts(c.kind, c.columns, []byte(c.record))
		if e, ok := errors.AsType[*device.RecordError](err); !ok || e.Reason != c.reason {
			t.Errorf("Facts(%s, %v, %s) = %v, want %s", c.kind, c.columns, c.record, err, c.reason)
		}
	}
	if c := device.FactColumns("fridge", []string{"general.name"}); c != nil {
		t.Errorf("columns of a fridge: %v", c)
	}
}

func TestFactColumnsKeepTheirOrder(t *testing.T) {
	for _, k := range []device.Kind{device.Computer, device.Mobile} {
		paths := builtin(t, "full").Paths(k)
		forward := device.FactColumns(k, paths)
		slices.Reverse(paths)
		if diff := cmp.Diff(forward, device.FactColumns(k, paths)); diff != "" {
			t.Errorf("%s: the order of the paths shows:\n%s", k, diff)
		}
		var kept []device.Column
		for _, c := range forward {
			if slices.Contains(device.FactColumns(k, builtin(t, "minimal").Paths(k)), c) {
				kept = append(kept, c)
			}
		}
		if diff := cmp.Diff(kept, device.FactColumns(k, builtin(t, "minimal").Paths(k))); diff != "" {
			t.Errorf("%s: a smaller profile has another order:\n%s", k, diff)
		}
	}
}

func FuzzFacts(f *testing.F) {
	for name, record := range ownRecords(f) {
		f.Add(kindOf(name) == device.Computer, record)
	}
	f.Fuzz(func(t *testing.T, computer bool, record []byte) {
		k := device.Mobile
		if computer {
			k = device.Computer
		}
		columns := device.FactColumns(k, builtin(t, "full").Paths(k))
		before := bytes.Clone(record)
		values, err := device.Facts(k, columns, record)
		if !bytes.Equal(before, record) {
			t.Fatal("the record was written to")
		}
		if err != nil {
			if _, ok := errors.AsType[*device.RecordError](err); !ok {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		for i, c := range columns {
			if values[i] != nil && !fits(c.Type, values[i]) {
				t.Errorf("%s: %#v", c.Name, values[i])
			}
		}
	})
}
