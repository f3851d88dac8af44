package device_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"jamf-gateway/gateway/device"
)

func TestCutKeepsValuesAndKeyOrderByteForByte(t *testing.T) {
	record := ` { "hardware" : { "totalRamMegabytes" : 9007199254740993 , "make":"\u00c4\/pple", "serialNumber" : 1.50E+2 },
		"id":"1", "invented":{"a":[1,{"b":2}]}, "general" : { "name" : "\ud83e\udd8a \"x\"", "supervised":true , "reportDate":null } } `
	want := `{"hardware":{"totalRamMegabytes":9007199254740993,"make":"\u00c4\/pple","serialNumber":1.50E+2},"id":"1",` +
		`"general":{"name":"\ud83e\udd8a \"x\"","supervised":true,"reportDate":null}}`
	got, err := builtin(t, "minimal").Cut(device.Computer, []byte("before"), []byte(record))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != "before"+want {
		t.Errorf("got  %s\nwant before%s", got, want)
	}
}

func TestCutReplacesWrongTypesByNullAndKeepsNull(t *testing.T) {
	full := builtin(t, "full")
	for record, want := range map[string]string{
		`{"id":"1","general":{"name":{"first":"x"}}}`:                                    `{"id":"1","general":{"name":null}}`,
		`{"id":"1","general":{"name":["x"]}}`:                                            `{"id":"1","general":{"name":null}}`,
		`{"id":"1","general":"x"}`:                                                       `{"id":"1","general":null}`,
		`{"id":"1","general":[{"name":"x"}]}`:                                            `{"id":"1","general":null}`,
		`{"id":"1","general":null,"storage":null,"applications":null}`:                   `{"id":"1","general":null,"storage":null,"applications":null}`,
		`{"id":"1","applications":{"name":"x"}}`:                                         `{"id":"1","applications":null}`,
		`{"id":"1","applications":["x",null,[{"name":"y"}],{"name":"z","invented":1}]}`:  `{"id":"1","applications":[null,null,null,{"name":"z"}]}`,
		`{"id":"1","packageReceipts":{"cached":"x"}}`:                                    `{"id":"1","packageReceipts":{"cached":null}}`,
		`{"id":"1","packageReceipts":{"cached":["x",1,null,{"y":1},["z"]]}}`:             `{"id":"1","packageReceipts":{"cached":["x",1,null,null,null]}}`,
		`{"id":"1","general":{},"applications":[],"packageReceipts":{"cached":[]}}`:      `{"id":"1","general":{},"applications":[],"packageReceipts":{"cached":[]}}`,
		`{"id":"1","gener\u0061l":{"n\u0061me":"x"},"storage":{"disks":[{"device":1}]}}`: `{"id":"1","gener\u0061l":{"n\u0061me":"x"},"storage":{"disks":[{"device":1}]}}`,
		`{}`: `{}`,
	} {
		if got := string(cut(t, full, device.Computer, []byte(record))); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", record, got, want)
		}
	}
}

func TestCutRefusesWhatIsNotStrictJSON(t *testing.T) {
	nested := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	for record, reason := range map[string]string{
		``:                                     "syntax",
		`null`:                                 "not an object",
		`[]`:                                   "not an object",
		`"x"`:                                  "not an object",
		`{"id":"1"`:                            "syntax",
		`{"id":"1"} {}`:                        "trailing bytes",
		`{"id":"1"}x`:                          "syntax",
		`{"id":"1","id":"2"}`:                  "duplicate name",
		`{"id":"1","\u0069d":"2"}`:             "duplicate name",
		`{"invented":{"a":1,"a":2}}`:           "duplicate name",
		"{\"invented\":\"\xff\"}":              "syntax",
		"{\"id\":\"\xff\"}":                    "syntax",
		`{"id":"\ud83e"}`:                      "syntax",
		`{"id":01}`:                            "syntax",
		`{"id":"1",}`:                          "syntax",
		`{"invented":` + nested(64) + `}`:      "too deep",
		`{"general":{"x":` + nested(63) + `}}`: "too deep",
		`{"applications":[{"name":` + nested(62) + `}]}`: "too deep",
		`{"a":` + nested(20000) + `}`:                    "syntax",
	} {
		before := []byte("before")
		got, err := builtin(t, "full").Cut(device.Computer, before, []byte(record))
		var recordErr *device.RecordError
		if !errors.As(err, &recordErr) {
			t.Errorf("%.60q: no RecordError: %v", record, err)
			continue
		}
		if recordErr.Reason != reason {
			t.Errorf("%.60q: reason %q, want %q", record, recordErr.Reason, reason)
		}
		if string(got) != "before" {
			t.Errorf("%.60q: dst was changed to %q", record, got)
		}
	}
	for _, record := range []string{`{"invented":` + nested(63) + `}`, `{"general":{"x":` + nested(62) + `}}`, `{"x":"[[\"{{"}`} {
		if _, err := builtin(t, "full").Cut(device.Computer, nil, []byte(record)); err != nil {
			t.Errorf("%.60q: %v", record, err)
		}
	}
	if _, err := builtin(t, "full").Cut("tablet", nil, []byte(`{}`)); err == nil {
		t.Error("a third kind was cut")
	}
}

// mess inserts invented fields everywhere and swaps some values for ones of another type.
func mess(r *rand.Rand, v any, canary *int) any {
	secret := func() any { *canary++; return jsontext.Value(strconv.Quote(fmt.Sprintf("LEAK-%d", *canary))) }
	switch v := v.(type) {
	case *tree:
		messed := &tree{}
		for _, key := range v.keys {
			if r.IntN(4) == 0 {
				*canary++
				deep := &tree{}
				deep.set("name", secret())
				deep.set("general", secret())
				messed.set(fmt.Sprintf("invented%d", *canary), []any{deep, secret()})
			}
			if r.IntN(8) == 0 {
				wrong := &tree{}
				wrong.set("name", secret())
				wrong.set(key, secret())
				if scalar, ok := v.values[key].(jsontext.Value); ok && scalar.Kind() == '"' {
					messed.set(key, []any{wrong, secret()}[r.IntN(2):])
					continue
				}
			}
			messed.set(key, mess(r, v.values[key], canary))
		}
		if _, has := messed.values["password"]; !has {
			messed.set("password", secret())
		}
		return messed
	case []any:
		var elements []any
		for _, element := range v {
			elements = append(elements, mess(r, element, canary))
		}
		return elements
	default:
		return v
	}
}

// TestCutLetsNoUnlistedFieldThrough fills every field with its own path, invents fields and wrong types around them,
// and looks for anything in the cut record that the profile does not name.
func TestCutLetsNoUnlistedFieldThrough(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		p, kept := randomProfile(t, r)
		for _, k := range []device.Kind{device.Computer, device.Mobile} {
			canary := 0
			record := render(nil, mess(r, everyField(t, k, func(l line) any {
				v := jsontext.Value(strconv.Quote(string(l.kind) + ":" + l.path))
				if l.typ == "scalars" {
					return []any{v}
				}
				return v
			}), &canary))
			seen := 0
			for path, values := range flatten(t, cut(t, p, k, record)) {
				for _, value := range values {
					if value == "null" {
						continue
					}
					if value != strconv.Quote(string(k)+":"+path) && !strings.HasPrefix(value, `"LEAK`) {
						t.Fatalf("seed %d: %s holds the value of %s", seed, path, value)
					}
					if !kept[string(k)+":"+path] {
						t.Fatalf("seed %d: %s came through", seed, path)
					}
					if strings.HasPrefix(value, `"LEAK`) && !strings.Contains(string(record), `:[`+value) {
						t.Fatalf("seed %d: %s holds %s", seed, path, value)
					}
					seen++
				}
			}
			if seen < 20 {
				t.Fatalf("seed %d: only %d values were kept", seed, seen)
			}
		}
	}
}

func TestForbiddenFieldsAreKeptByNoProfile(t *testing.T) {
	record := render(nil, everyField(t, device.Mobile, func(l line) any {
		if l.never() {
			return jsontext.Value(`"LEAK"`)
		}
		return jsontext.Value(`"fine"`)
	}))
	var sections []string
	for _, s := range builtin(t, "full").Sections(device.Mobile) {
		sections = append(sections, "mobile:"+s)
	}
	own, err := device.NewProfile("own", builtin(t, "full"), append(sections, "security", "management", "mobile:security", "mobile:general"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*device.Profile{builtin(t, "minimal"), builtin(t, "full"), own} {
		for name, b := range map[string][]byte{
			"cut":        cut(t, p, device.Mobile, record),
			"normalized": normalized(t, p, device.Mobile, record),
			"detail":     jamf(t, device.MobileDetail, p, []byte(strings.Replace(string(record), `"deviceType":"fine"`, `"deviceType":"tvOS"`, 1))),
			"detail iOS": jamf(t, device.MobileDetail, p, []byte(strings.Replace(string(record), `"deviceType":"fine"`, `"deviceType":"iOS"`, 1))),
			"summary":    jamf(t, device.MobileSummary, p, record),
		} {
			if strings.Contains(string(b), "LEAK") {
				t.Errorf("%s of %s leaks: %s", name, p.Name(), b)
			}
		}
	}
	if !strings.Contains(string(cut(t, own, device.Mobile, record)), `"lostModeEnabled":"fine"`) {
		t.Error("lostModeEnabled is a state and may be kept")
	}
}

func TestRecordIDReadsPositiveIDsOnly(t *testing.T) {
	for _, c := range []struct {
		kind   device.Kind
		record string
		want   int64
	}{
		{device.Computer, `{"id":"42","udid":"x"}`, 42},
		{device.Computer, `{"udid":{"id":"7"},"id":42}`, 42},
		{device.Computer, `{"\u0069d":"\u0034"}`, 4},
		{device.Computer, `{"id":"9223372036854775807"}`, 9223372036854775807},
		{device.Mobile, `{"mobileDeviceId":"8","general":{"id":"9"}}`, 8},
		{device.Mobile, `{"id":"9","mobileDeviceId":"8"}`, 8},
		{device.Mobile, `{"id":"9","name":"plain list"}`, 9},
	} {
		got, err := device.RecordID(c.kind, []byte(c.record))
		if err != nil || got != c.want {
			t.Errorf("%s: %d, %v, want %d", c.record, got, err, c.want)
		}
	}
	for _, record := range []string{
		`{}`, `{"id":null}`, `{"id":"0"}`, `{"id":"-1"}`, `{"id":-1}`, `{"id":"1.0"}`, `{"id":1e3}`, `{"id":"007"}`, `{"id":" 1"}`, `{"id":"+1"}`,
		`{"id":"9223372036854775808"}`, `{"id":["1"]}`, `{"id":{"id":"1"}}`, `{"id":true}`, `[]`, ``, `{"id":"1"`, `{"id":"1"}x`, `{"id":"1","a":{"b":1,"b":2}}`,
		`{"mobileDeviceId":"8"}`,
	} {
		id, err := device.RecordID(device.Computer, []byte(record))
		var recordErr *device.RecordError
		if !errors.As(err, &recordErr) || id != 0 {
			t.Errorf("%s: %d, %v", record, id, err)
		}
	}
}

func FuzzCut(f *testing.F) {
	for name, record := range ownRecords(f) {
		f.Add(kindOf(name) == device.Mobile, record)
	}
	full, minimal := builtin(f, "full"), builtin(f, "minimal")
	paths := map[string]bool{}
	for _, l := range lines(f) {
		if !l.never() {
			paths[string(l.kind)+":"+l.path] = true
		}
	}
	f.Fuzz(func(t *testing.T, mobile bool, record []byte) {
		k := device.Computer
		if mobile {
			k = device.Mobile
		}
		got, err := full.Cut(k, nil, record)
		if err != nil {
			if json.Valid(record) && len(got) > 0 {
				t.Fatalf("bytes and an error: %v", err)
			}
			return
		}
		if !jsontext.Value(got).IsValid() {
			t.Fatalf("not strict JSON: %q -> %q", record, got)
		}
		for path, values := range flatten(t, got) {
			for _, value := range values {
				if value != "null" && !paths[string(k)+":"+path] {
					t.Fatalf("%s came through: %q", path, got)
				}
			}
		}
		if again := cut(t, full, k, got); string(again) != string(got) {
			t.Fatalf("a second cut changes %q to %q", got, again)
		}
		if a, b := cut(t, minimal, k, got), cut(t, minimal, k, record); string(a) != string(b) {
			t.Fatalf("cut by way of full %q, at once %q", a, b)
		}
	})
}

func FuzzRecordID(f *testing.F) {
	for _, record := range []string{`{"id":"1"}`, `{"mobileDeviceId":8}`, `{"id":{},"id":1}`, `{"id":"-1"}`, `[`} {
		f.Add(true, []byte(record))
		f.Add(false, []byte(record))
	}
	f.Fuzz(func(t *testing.T, mobile bool, record []byte) {
		k := device.Computer
		if mobile {
			k = device.Mobile
		}
		id, err := device.RecordID(k, record)
		if (err == nil) != (id > 0) {
			t.Fatalf("%q: %d, %v", record, id, err)
		}
		if _, cutErr := builtin(t, "minimal").Cut(k, nil, record); err == nil && cutErr != nil {
			t.Fatalf("%q has an id but cannot be cut: %v", record, cutErr)
		}
	})
}
