package device_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
)

// says tells whether a field, or the outermost list that it stands in, has a value in a record that another decoder read.
func says(v any, path string) bool {
	for key := range strings.SplitSeq(path, ".") {
		name, list := strings.CutSuffix(key, "[]")
		object, _ := v.(map[string]any)
		if v = object[name]; list {
			break
		}
	}
	return v != nil && v != ""
}

func TestTraitsSayWhichFieldsHaveAValue(t *testing.T) {
	for name, record := range ownRecords(t) {
		for _, profile := range []string{"minimal", "full"} {
			p, kind := builtin(t, profile), kindOf(name)
			paths, kept := p.Paths(kind), cut(t, p, kind, record)
			traits, err := device.NewTraitReader(kind, paths).Of(kept)
			if err != nil {
				t.Fatal(err)
			}
			var shaped []string
			for i, path := range paths {
				if traits.Shape[i/8]&(1<<(i%8)) != 0 {
					shaped = append(shaped, path)
				}
			}
			var v any
			if err := json.Unmarshal(kept, &v); err != nil {
				t.Fatal(err)
			}
			want := slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return !says(v, path) })
			if diff := cmp.Diff(want, shaped); diff != "" {
				t.Errorf("%s, %s: fields with a value (-decoded +traits):\n%s", name, profile, diff)
			}
		}
	}
}

func TestTraitsKnowTheHardware(t *testing.T) {
	of := func(kind device.Kind, record string) device.Traits {
		traits, err := device.NewTraitReader(kind, builtin(t, "minimal").Paths(kind)).Of([]byte(record))
		if err != nil {
			t.Fatal(err)
		}
		return traits
	}
	a := of(device.Computer, `{"id":"1","udid":"ab-1","hardware":{"serialNumber":" c02x "}}`)
	b := of(device.Computer, `{"id":"9","udid":"AB-1","hardware":{"serialNumber":"C02X"}}`)
	c := of(device.Computer, `{"id":"1","udid":"ab-2","hardware":{"serialNumber":"C02Y"}}`)
	none := of(device.Computer, `{"id":"1","udid":"","hardware":{"serialNumber":"0"}}`)
	switch {
	case a.Serial == 0 || a.UDID == 0 || a.Serial != b.Serial || a.UDID != b.UDID:
		t.Errorf("the same hardware: %+v and %+v", a, b)
	case a.Serial == c.Serial || a.UDID == c.UDID:
		t.Errorf("other hardware: %+v and %+v", a, c)
	case none.Serial != 0 || none.UDID != 0:
		t.Errorf("unknown hardware: %+v", none)
	}
}

func TestTraitsRefuseWhatIsNoRecord(t *testing.T) {
	if _, err := device.NewTraitReader(device.Mobile, nil).Of([]byte(`[]`)); err == nil {
		t.Error("a list passes for a record")
	}
}

func TestSentByKnowsTheVersions(t *testing.T) {
	for _, c := range []struct {
		kind          device.Kind
		path, version string
		want          bool
	}{
		{device.Computer, "general.lastContact", "v4", true},
		{device.Computer, "general.lastContact", "v1", false},
		{device.Computer, "general.lastContactTime", "v3", true},
		{device.Computer, "general.lastContactTime", "v4", false},
		{device.Computer, "general.lastContactTime", "v9", true},
		{device.Computer, "general.lastContactTime", "", true},
		{device.Mobile, "general.udid", "v2", true},
	} {
		if got := device.SentBy(c.kind, c.path, c.version); got != c.want {
			t.Errorf("%s %s in %q: %v", c.kind, c.path, c.version, got)
		}
	}
}
