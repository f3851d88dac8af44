package device_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
)

func TestDroppedFieldsAreThoseOfTheAskedSectionsThatTheProfileHides(t *testing.T) {
	minimal, full := builtin(t, "minimal"), builtin(t, "full")
	sections := func(s device.Shape, names ...string) device.Sections {
		t.Helper()
		out, err := device.ParseSections(s, names)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	hidden := device.Dropped(device.ComputerV1, sections(device.ComputerV1, "USER_AND_LOCATION"), minimal)
	if !slices.Contains(hidden, "userAndLocation.email") || slices.ContainsFunc(hidden, func(p string) bool { return p[:4] != "user" }) {
		t.Errorf("of USER_AND_LOCATION: %v", hidden)
	}
	general := device.Dropped(device.ComputerV1, sections(device.ComputerV1), minimal)
	if slices.Contains(general, "general.name") || slices.Contains(general, "userAndLocation.email") || !slices.Contains(general, "general.lastReportedIp") {
		t.Errorf("of GENERAL: %v", general)
	}
	if v4 := device.Dropped(device.ComputerV4, sections(device.ComputerV4), minimal); slices.Contains(v4, "general.lastReportedIp") {
		t.Errorf("v4 has no such key: %v", v4)
	}
	if diff := cmp.Diff([]string{"network.phoneNumber", "userAndLocation.username"}, intersection(device.Dropped(device.MobileSummary, 0, minimal), "network.phoneNumber", "userAndLocation.username", "general.displayName")); diff != "" {
		t.Error(diff)
	}
	if got := device.Dropped(device.MobileByID, 0, minimal); len(got) < 50 {
		t.Errorf("of the detail by id: %v", got)
	}
	if got := device.Dropped(device.MobileSummary, 0, full); len(got) != 0 {
		t.Errorf("of the profile full: %v", got)
	}
	for _, k := range []device.Kind{device.Computer, device.Mobile} {
		for bit, name := range device.SectionNames(k) {
			shape := device.ComputerV1
			if k == device.Mobile {
				shape = device.MobileDetail
			}
			if got := sections(shape, name); got != 1<<bit {
				t.Errorf("%s is bit %x, want %d", name, got, bit)
			}
		}
	}
}

func TestFieldWordsHaveThoseOfEveryDialect(t *testing.T) {
	words := device.FieldWords()
	for _, want := range []string{"general", "serialNumber", "lastContactTime", "identity", "uid", "displayName", "extensionAttributes"} {
		if !slices.Contains(words, want) {
			t.Errorf("no %s in %q", want, words)
		}
	}
}

func intersection(list []string, of ...string) []string {
	return slices.DeleteFunc(of, func(s string) bool { return !slices.Contains(list, s) })
}
