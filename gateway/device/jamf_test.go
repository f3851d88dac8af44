package device_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
)

func jamf(t testing.TB, s device.Shape, p *device.Profile, record []byte) []byte {
	t.Helper()
	return jamfSections(t, s, device.AllSections(s), p, record)
}

func jamfSections(t testing.TB, s device.Shape, sec device.Sections, p *device.Profile, record []byte) []byte {
	t.Helper()
	b, err := device.AppendJamf(nil, s, sec, p, record)
	if err != nil {
		t.Fatal(err)
	}
	if !jsontext.Value(b).IsValid() {
		t.Fatalf("not JSON: %s", b)
	}
	return b
}

func shapesOf(k device.Kind) map[string]device.Shape {
	if k == device.Mobile {
		return map[string]device.Shape{"detail": device.MobileDetail, "summary": device.MobileSummary}
	}
	return map[string]device.Shape{"v1": device.ComputerV1, "v2": device.ComputerV2, "v3": device.ComputerV3, "v4": device.ComputerV4}
}

// letter is the table's sign for a shape.
func letter(s device.Shape, deviceType string) string {
	if s != device.MobileDetail {
		return string(rune('0' + s))
	}
	return map[string]string{"iOS": "i", "tvOS": "t", "watchOS": "w", "visionOS": "v", "Unknown": "u", "homeOS": "o"}[deviceType]
}

// keysBelow lists, from the table, the keys of the object at each path that a shape has, in order.
func keysBelow(t testing.TB, k device.Kind, shape string) map[string][]string {
	t.Helper()
	keys := map[string][]string{}
	for _, l := range linesOf(t, k) {
		if !strings.Contains(l.shapes, shape) {
			continue
		}
		above := ""
		for key := range strings.SplitSeq(l.path, ".") {
			name := strings.TrimSuffix(key, "[]")
			if !slices.Contains(keys[above], name) {
				keys[above] = append(keys[above], name)
			}
			above = strings.TrimPrefix(above+"."+key, ".")
		}
	}
	return keys
}

// checkSkeleton compares the keys of every object in a rendered record with the table's.
func checkSkeleton(t *testing.T, keys map[string][]string, rendered []byte) {
	t.Helper()
	dec := jsontext.NewDecoder(bytes.NewReader(rendered))
	var object func(path string)
	var value func(path string)
	object = func(path string) {
		var got []string
		for dec.PeekKind() != '}' {
			token, err := dec.ReadToken()
			if err != nil {
				t.Fatal(err)
			}
			name := token.String()
			got = append(got, name)
			value(strings.TrimPrefix(path+"."+name, "."))
		}
		_, _ = dec.ReadToken()
		if diff := cmp.Diff(keys[path], got); diff != "" {
			t.Fatalf("keys of %q (-table +rendered):\n%s", path, diff)
		}
	}
	value = func(path string) {
		token, err := dec.ReadToken()
		if err != nil {
			t.Fatal(err)
		}
		switch token.Kind() {
		case '{':
			object(path)
		case '[':
			for dec.PeekKind() != ']' {
				value(path + "[]")
			}
			_, _ = dec.ReadToken()
		}
	}
	value("")
}

func TestJamfShapesHaveTheKeysOfTheTableWhateverTheRecordHas(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 2))
		p, kept := randomProfile(t, r)
		for _, k := range []device.Kind{device.Computer, device.Mobile} {
			for _, deviceType := range []string{"iOS", "tvOS", "watchOS", "visionOS", "Unknown", "homeOS"} {
				if k == device.Computer && deviceType != "iOS" {
					continue
				}
				canary := 0
				record := render(nil, mess(r, everyField(t, k, func(l line) any {
					if l.path == "deviceType" {
						return jsontext.Value(fmt.Sprintf("%q", deviceType))
					}
					return []any{jsontext.Value(`"x"`), jsontext.Value("null"), []any{}}[r.IntN(3)]
				}), &canary))
				if k == device.Mobile { // the mess may have hit the type itself
					record = bytes.Replace(record, []byte(`"mobileDeviceId"`), []byte(fmt.Sprintf(`"deviceType":%q,"mobileDeviceId"`, deviceType)), 1)
					record = dropSecond(t, record, "deviceType")
				}
				for name, s := range shapesOf(k) {
					if s == device.MobileSummary {
						continue
					}
					rendered := jamf(t, s, p, record)
					checkSkeleton(t, keysBelow(t, k, letter(s, deviceType)), rendered)
					for path, values := range flatten(t, rendered) {
						for _, v := range values {
							if v != "null" && !kept[string(k)+":"+path] && !aliased(kept, path) {
								t.Fatalf("seed %d: %s shows %s = %s", seed, name, path, v)
							}
						}
					}
				}
			}
		}
	}
}

// aliased tells whether another kept field may speak for the one at path.
func aliased(kept map[string]bool, path string) bool {
	for _, other := range map[string][]string{
		"general.lastContactTime": {"lastContact", "lastCheckIn"},
		"general.lastContact":     {"lastContactTime"},
		"general.lastReportedIp":  {"lastReportedIpV4"},
	}[path] {
		if kept["computer:general."+other] {
			return true
		}
	}
	return false
}

// dropSecond removes the second top-level member of a name.
func dropSecond(t *testing.T, record []byte, name string) []byte {
	t.Helper()
	dec := jsontext.NewDecoder(bytes.NewReader(record), jsontext.AllowDuplicateNames(true))
	object := &tree{}
	_, _ = dec.ReadToken()
	for dec.PeekKind() != '}' {
		token, err := dec.ReadToken()
		if err != nil {
			t.Fatal(err)
		}
		key := token.String()
		v, err := dec.ReadValue()
		if err != nil {
			t.Fatal(err)
		}
		if _, has := object.values[key]; !has || key != name {
			object.set(key, v.Clone())
		}
	}
	return render(nil, object)
}

func TestSectionsNotAskedForAreNullAndDroppedArraysAreEmpty(t *testing.T) {
	record := ownRecords(t)["computer-v4"]
	p := builtin(t, "minimal")
	sec, err := device.ParseSections(device.ComputerV4, []string{"general,applications", "PURCHASING", "security"})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(jamfSections(t, device.ComputerV4, sec, p, cut(t, p, device.Computer, record)), &got); err != nil {
		t.Fatal(err)
	}
	for key, v := range got {
		asked := slices.Contains([]string{"id", "udid", "general", "applications", "purchasing", "security"}, key)
		if !asked && v != nil {
			t.Errorf("%s was not asked for and is %v", key, v)
		}
		if asked && v == nil {
			t.Errorf("%s was asked for and is null", key)
		}
	}
	if diff := cmp.Diff([]any{}, got["applications"]); diff != "" {
		t.Errorf("applications: %s", diff)
	}
	for key, v := range got["purchasing"].(map[string]any) {
		if key != "extensionAttributes" && v != nil {
			t.Errorf("purchasing.%s is %v under minimal", key, v)
		}
	}
	// A section that Jamf could not deliver stays null, asked for or not.
	null := jamf(t, device.ComputerV4, p, []byte(`{"id":"1","storage":null,"hardware":{"make":null}}`))
	if !bytes.Contains(null, []byte(`"storage":null`)) || !bytes.Contains(null, []byte(`"general":{"name":null`)) {
		t.Errorf("%s", null)
	}
}

func TestVersionDifferencesAreBridgedWhicheverVersionWasRead(t *testing.T) {
	full := builtin(t, "full")
	for _, c := range []struct {
		general string
		shape   device.Shape
		want    map[string]any
	}{
		{`{"lastContact":"C","lastCheckIn":"I"}`, device.ComputerV1, map[string]any{"lastContactTime": "C"}},
		{`{"lastCheckIn":"I","lastContact":null}`, device.ComputerV2, map[string]any{"lastContactTime": "I"}},
		{`{"lastContactTime":"T","lastContact":"C"}`, device.ComputerV3, map[string]any{"lastContactTime": "T"}},
		{`{"lastContactTime":"T"}`, device.ComputerV4, map[string]any{"lastContact": "T", "lastCheckIn": nil}},
		{`{"lastReportedIpV4":"4"}`, device.ComputerV1, map[string]any{"lastReportedIp": "4", "lastReportedIpV4": "4"}},
		{`{"lastReportedIp":"R","lastReportedIpV4":"4"}`, device.ComputerV3, map[string]any{"lastReportedIp": "R", "lastReportedIpV4": "4"}},
		{`{}`, device.ComputerV1, map[string]any{"lastContactTime": nil, "lastReportedIp": nil}},
	} {
		var got struct{ General map[string]any }
		if err := json.Unmarshal(jamf(t, c.shape, full, []byte(`{"id":"1","general":`+c.general+`}`)), &got); err != nil {
			t.Fatal(err)
		}
		for key, want := range c.want {
			if v, has := got.General[key]; !has || v != want {
				t.Errorf("%s as v%d: %s is %v, want %v", c.general, c.shape, key, v, want)
			}
		}
		_, time := got.General["lastContactTime"]
		_, contact := got.General["lastContact"]
		if v4 := c.shape == device.ComputerV4; time == v4 || contact != v4 {
			t.Errorf("v%d: lastContactTime %v, lastContact %v", c.shape, time, contact)
		}
	}
	// What the profile drops does not come back under another name.
	p, err := device.NewProfile("own", nil, []string{"computer:general.lastCheckIn"})
	if err != nil {
		t.Fatal(err)
	}
	if b := jamf(t, device.ComputerV1, p, []byte(`{"id":"1","general":{"lastContact":"LEAK","lastContactTime":"LEAK","lastCheckIn":null}}`)); bytes.Contains(b, []byte("LEAK")) {
		t.Errorf("%s", b)
	}
}

func TestApplicationVersionKeysExistFromV3On(t *testing.T) {
	for s := device.ComputerV1; s <= device.ComputerV4; s++ {
		b := jamf(t, s, builtin(t, "full"), ownRecords(t)["computer-v4"])
		if got := bytes.Contains(b, []byte(`"cfBundleVersion":`)); got != (s >= device.ComputerV3) {
			t.Errorf("v%d has cfBundleVersion: %v", s, got)
		}
		if got := bytes.Contains(b, []byte(`"plugins":[]`)) && bytes.Contains(b, []byte(`"fonts":[]`)); got != (s == device.ComputerV1) {
			t.Errorf("v%d has plugins and fonts: %v", s, got)
		}
	}
}

func TestMobileShapesFollowTheDeviceType(t *testing.T) {
	records := ownRecords(t)
	for name, absent := range map[string][]string{
		"mobile-ipad":    nil,
		"mobile-tv":      {"security", "network", "ebooks"},
		"mobile-watch":   {"purchasing", "network", "userProfiles"},
		"mobile-vision":  {"userProfiles", "sharedUsers"},
		"mobile-unknown": {"general", "security", "network", "purchasing"},
	} {
		var got map[string]json.RawMessage
		if err := json.Unmarshal(jamf(t, device.MobileDetail, builtin(t, "minimal"), records[name]), &got); err != nil {
			t.Fatal(err)
		}
		for _, key := range absent {
			if _, has := got[key]; has {
				t.Errorf("%s has %s", name, key)
			}
		}
		if _, has := got["general"]; has == slices.Contains(absent, "general") {
			t.Errorf("%s: general %v", name, has)
		}
	}
}

func TestSummaryHasExactlyTheTwelveFields(t *testing.T) {
	want := `{"id":"8","name":"iPad 7b-03","serialNumber":"dmpx0001","wifiMacAddress":"C4:84:66:92:78:00","udid":"00008030-0011",` +
		`"phoneNumber":"+49 30 1","model":"iPad (9th generation)","modelIdentifier":"iPad12,1","username":"s-1","type":"ios",` +
		`"managementId":"00000000-0000-4000-8000-0000000000bb","softwareUpdateDeviceId":"J181AP"}`
	if got := jamf(t, device.MobileSummary, builtin(t, "full"), ownRecords(t)["mobile-ipad"]); string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for name, deviceType := range map[string]string{"mobile-tv": "tvos", "mobile-watch": "watchos", "mobile-vision": "visionos", "mobile-unknown": "unknown"} {
		got := jamf(t, device.MobileSummary, builtin(t, "minimal"), ownRecords(t)[name])
		if !bytes.Contains(got, []byte(`"username":null,"type":"`+deviceType+`"`)) || len(flatten(t, got)) != 12 {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestSectionsAreReadAsClientsWriteThem(t *testing.T) {
	parse := func(s device.Shape, values ...string) device.Sections {
		t.Helper()
		sec, err := device.ParseSections(s, values)
		if err != nil {
			t.Fatal(err)
		}
		return sec
	}
	if a, b := parse(device.ComputerV4), parse(device.ComputerV4, "general"); a != b || a == 0 {
		t.Errorf("default %b, GENERAL %b", a, b)
	}
	if a, b := parse(device.ComputerV1, "HARDWARE", "fonts"), parse(device.ComputerV1, " fonts,,Hardware "); a != b {
		t.Errorf("%b, %b", a, b)
	}
	if a := parse(device.MobileSummary, "nonsense"); a != 0 {
		t.Errorf("the plain list has sections: %b", a)
	}
	for s, names := range map[device.Shape][]string{
		device.ComputerV4: builtin(t, "full").Sections(device.Computer), device.MobileDetail: builtin(t, "full").Sections(device.Mobile),
	} {
		if parse(s, names...) != device.AllSections(s) {
			t.Errorf("%v are not all sections", names)
		}
	}
	for _, c := range []struct {
		s     device.Shape
		value string
	}{{device.ComputerV4, "FONTS"}, {device.ComputerV2, "plugins"}, {device.MobileDetail, "STORAGE"}, {device.ComputerV1, "GENERAL,NONSENSE"}} {
		_, err := device.ParseSections(c.s, []string{c.value})
		var unknown *device.UnknownSectionError
		if !errors.As(err, &unknown) || !strings.HasSuffix(c.value, unknown.Section) {
			t.Errorf("%s: %v", c.value, err)
		}
	}
}

func TestJamfShapesMatchTheGoldenFiles(t *testing.T) {
	for name, record := range ownRecords(t) {
		for shapeName, s := range shapesOf(kindOf(name)) {
			for _, profile := range []string{"minimal", "full"} {
				if profile == "minimal" && s != device.ComputerV4 && s != device.MobileDetail {
					continue
				}
				p := builtin(t, profile)
				golden(t, name+"."+profile+"."+shapeName, jamf(t, s, p, cut(t, p, kindOf(name), record)))
			}
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	got = indent(t, got)
	file := filepath.Join("testdata", "golden", name+".json")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// openAPI is as much of Jamf's document as the comparison of keys needs.
type openAPI struct {
	Components struct{ Schemas map[string]*apiSchema }
}

type apiSchema struct {
	Ref        string                `json:"$ref"`
	Type       string                `json:"type"`
	Properties map[string]*apiSchema `json:"properties"`
	AllOf      []*apiSchema          `json:"allOf"`
	OneOf      []*apiSchema          `json:"oneOf"`
	Items      *apiSchema            `json:"items"`
}

func (d *openAPI) resolve(s *apiSchema) *apiSchema {
	for s.Ref != "" {
		s = d.Components.Schemas[s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]]
	}
	return s
}

func (d *openAPI) properties(s *apiSchema) map[string]*apiSchema {
	s = d.resolve(s)
	all := map[string]*apiSchema{}
	for _, part := range s.AllOf {
		maps.Copy(all, d.properties(part))
	}
	maps.Copy(all, s.Properties)
	return all
}

// since1132 are the keys that Jamf Pro 11.32 added to schemas of the 11.30.2 document.
func since1132(path string) bool {
	last := path[strings.LastIndexByte(path, '.')+1:]
	return slices.Contains([]string{"appleEnrollmentType", "awaitingConfiguration", "lockdownModeEnabled", "returnToServiceEnabled", "systemHealth"}, last)
}

func (d *openAPI) check(t *testing.T, path string, s *apiSchema, v any) {
	t.Helper()
	s = d.resolve(s)
	switch v := v.(type) {
	case nil:
	case map[string]any:
		properties := d.properties(s)
		if len(properties) == 0 {
			return // v1 plugins: the document names no keys
		}
		for key, member := range v {
			at := path + "." + key
			if p := properties[key]; p != nil {
				d.check(t, at, p, member)
			} else if !since1132(at) {
				t.Errorf("%s is not in Jamf's schema", at)
			}
		}
		for key := range properties {
			if _, has := v[key]; !has {
				t.Errorf("%s.%s is missing", path, key)
			}
		}
	case []any:
		if s.Type != "array" {
			t.Errorf("%s is an array, Jamf says %s", path, s.Type)
			return
		}
		for _, element := range v {
			d.check(t, path+"[]", s.Items, element)
		}
	default:
		if s.Type == "array" || s.Type == "object" || len(d.properties(s)) > 0 {
			t.Errorf("%s is %v, Jamf says %s", path, v, s.Type)
		}
	}
}

func TestJamfShapesConformToJamfsOpenAPIDocument(t *testing.T) {
	var document openAPI
	if err := json.Unmarshal(shared(t, "jamf-openapi", "jamf-pro-11.30.2-inventory-subset.json"), &document); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		schema     string
		shape      device.Shape
		deviceType string
	}{
		{"ComputerInventory", device.ComputerV1, ""},
		{"ComputerInventoryV2", device.ComputerV2, ""},
		{"ComputerInventoryV3", device.ComputerV3, ""},
		{"ComputerInventoryV4", device.ComputerV4, ""},
		{"MobileDeviceIosInventory", device.MobileDetail, "iOS"},
		{"MobileDeviceTvOsInventory", device.MobileDetail, "tvOS"},
		{"MobileDeviceWatchOsInventory", device.MobileDetail, "watchOS"},
		{"MobileDeviceVisionOsInventory", device.MobileDetail, "visionOS"},
		{"MobileDeviceInventory", device.MobileDetail, "Unknown"},
		{"MobileDeviceV2", device.MobileSummary, "iOS"},
		{"MobileDeviceDetailsGetV2", device.MobileByID, "iOS"},
		{"MobileDeviceDetailsGetV2", device.MobileByID, "tvOS"},
		{"MobileDeviceDetailsGetV2", device.MobileByID, "watchOS"},
		{"MobileDeviceDetailsGetV2", device.MobileByID, "visionOS"},
		{"MobileDeviceDetailsGetV2", device.MobileByID, "Unknown"},
	} {
		k := c.shape.Kind()
		for _, profile := range []string{"minimal", "full"} {
			p := builtin(t, profile)
			for _, record := range [][]byte{plainRecord(t, k, c.deviceType), fmt.Appendf(nil, `{"deviceType":%q}`, c.deviceType)} {
				var v any
				if err := json.Unmarshal(jamf(t, c.shape, p, cut(t, p, k, record)), &v); err != nil {
					t.Fatal(err)
				}
				document.check(t, c.schema, document.Components.Schemas[c.schema], v)
			}
		}
	}
}

func FuzzAppendJamf(f *testing.F) {
	for name, record := range ownRecords(f) {
		f.Add(uint8(len(name))%8, uint64(1<<63-1), record)
	}
	f.Fuzz(func(t *testing.T, shape uint8, sections uint64, record []byte) {
		s := device.Shape(shape)
		b, err := device.AppendJamf(nil, s, device.Sections(sections), builtin(t, "full"), record)
		if err != nil {
			if len(b) > 0 {
				t.Fatalf("bytes and an error: %v", err)
			}
			return
		}
		if !jsontext.Value(b).IsValid() {
			t.Fatalf("not strict JSON: %q -> %q", record, b)
		}
	})
}
