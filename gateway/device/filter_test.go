package device_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
)

func TestTermsSayWhatJamfSaysOfADevice(t *testing.T) {
	sites := device.SiteNames(map[int64]string{7: "Schule Nord"})
	for _, c := range []struct {
		term   string
		kind   device.Kind
		record string
		want   device.Truth
	}{
		{"managed", device.Computer, `{"id":"1","general":{"remoteManagement":{"managed":true}}}`, device.Yes},
		{"managed", device.Computer, `{"id":"1","general":{"remoteManagement":{"managed":null}}}`, device.NotKnown},
		{"managed", device.Mobile, `{"mobileDeviceId":"1","general":{"managed":false}}`, device.No},
		{"personal", device.Mobile, `{"mobileDeviceId":"1","general":{"deviceOwnershipType":"Institutional"}}`, device.No},
		{"personal", device.Mobile, `{"mobileDeviceId":"1","general":{"deviceOwnershipType":"UserEnrollment"}}`, device.Yes},
		{"personal", device.Mobile, `{"mobileDeviceId":"1","general":{"deviceOwnershipType":"AccountDrivenUserEnrollment"}}`, device.Yes},
		{"personal", device.Mobile, `{"mobileDeviceId":"1","general":{"deviceOwnershipType":"AccountDrivenDeviceEnrollment"}}`, device.No},
		{"personal", device.Mobile, `{"mobileDeviceId":"1","general":{"deviceOwnershipType":"BroughtFromHome"}}`, device.Yes},
		{"personal", device.Mobile, `{"mobileDeviceId":"1","general":{"deviceOwnershipType":"Institutional","appleEnrollmentType":"user"}}`, device.Yes},
		{"personal", device.Mobile, `{"mobileDeviceId":"1","general":{"deviceOwnershipType":null}}`, device.NotKnown},
		{"personal", device.Computer, `{"id":"1","general":{"appleEnrollmentType":"supervised"}}`, device.No},
		{"personal", device.Computer, `{"id":"1","general":{"appleEnrollmentType":"user"}}`, device.Yes},
		{"serial", device.Computer, `{"id":"1","hardware":{"serialNumber":"C02"}}`, device.Yes},
		{"serial", device.Computer, `{"id":"1","hardware":{"serialNumber":"Not Available"}}`, device.No},
		{"serial", device.Computer, `{"id":"1","hardware":null}`, device.NotKnown},
		{"site:7", device.Computer, `{"id":"1","general":{"site":{"id":"7","name":"Schule Nord"}}}`, device.Yes},
		{"site:schule nord", device.Computer, `{"id":"1","general":{"site":{"id":"7","name":"Schule NORD"}}}`, device.Yes},
		{"site:schule süd", device.Computer, `{"id":"1","general":{"site":{"id":"7","name":"Schule Nord"}}}`, device.No},
		{"site:7", device.Computer, `{"id":"1","general":{"site":{"id":"-1","name":"None"}}}`, device.No},
		{"site:none", device.Computer, `{"id":"1","general":{"site":{"id":"-1","name":"None"}}}`, device.No},
		{"site:7", device.Computer, `{"id":"1","general":null}`, device.NotKnown},
		{"site:7", device.Mobile, `{"mobileDeviceId":"1","general":{"siteId":"7"}}`, device.Yes},
		{"site:schule nord", device.Mobile, `{"mobileDeviceId":"1","general":{"siteId":"7"}}`, device.Yes},
		{"site:schule süd", device.Mobile, `{"mobileDeviceId":"1","general":{"siteId":"7"}}`, device.No},
		{"site:schule nord", device.Mobile, `{"mobileDeviceId":"1","general":{"siteId":"8"}}`, device.NotKnown},
		{"site:schule nord", device.Mobile, `{"mobileDeviceId":"1","general":{"siteId":"-1"}}`, device.No},
		{"group:lehrer", device.Computer, `{"id":"1","groupMemberships":[{"groupId":"3","groupName":"Alle"},{"groupId":"4","groupName":"Lehrer"}]}`, device.Yes},
		{"group:4", device.Computer, `{"id":"1","groupMemberships":[{"groupId":"4","groupName":"Lehrer"}]}`, device.Yes},
		{"group:lehrer", device.Computer, `{"id":"1","groupMemberships":[]}`, device.No},
		{"group:lehrer", device.Computer, `{"id":"1","groupMemberships":null}`, device.NotKnown},
		{"group:lehrer", device.Mobile, `{"mobileDeviceId":"1","groups":[{"groupName":"LEHRER"}]}`, device.Yes},
		{"name:sn-", device.Mobile, `{"mobileDeviceId":"1","general":{"displayName":"SN-014"}}`, device.Yes},
		{"name:sn-", device.Computer, `{"id":"1","general":{"name":"GS-SN-1"}}`, device.No},
		{"name:sn-", device.Computer, `{"id":"1"}`, device.NotKnown},
	} {
		got, err := device.NewTermReader(c.kind, []string{c.term}, sites).Of([]byte(c.record))
		if err != nil || len(got) != 1 || got[0] != c.want {
			t.Errorf("%s of %s: %v, %v; want %v", c.term, c.record, got, err, c.want)
		}
	}
	if got, _ := device.NewTermReader(device.Mobile, []string{"site:schule nord"}, nil).Of([]byte(`{"mobileDeviceId":"1","general":{"siteId":"7"}}`)); got[0] != device.NotKnown {
		t.Errorf("a site by name without Jamf's list: %v", got)
	}
}

func TestFiltersThatLeaveOutTheSameHaveOneDigest(t *testing.T) {
	a := device.Filter{ManagedOnly: true, Sites: []string{"Nord", "Süd"}}
	b := device.Filter{Sites: []string{"SÜD", "nord", "Nord"}, ManagedOnly: true}
	if a.Digest() != b.Digest() || len(a.Digest()) != 16 || (device.Filter{}).Digest() != "" {
		t.Errorf("%q and %q", a.Digest(), b.Digest())
	}
	seen := map[string]device.Filter{}
	for _, f := range []device.Filter{
		{ManagedOnly: true},
		{NoPersonal: true},
		{WithSerial: true},
		{NewestOfSerial: true},
		{Sites: []string{"a"}},
		{Groups: []string{"a"}},
		{NamePrefixes: []string{"a"}},
		{ManagedOnly: true, WithSerial: true},
	} {
		if other, twice := seen[f.Digest()]; twice || f.Digest() == "" || f.ShowsAll() {
			t.Errorf("%+v and %+v: %q", f, other, f.Digest())
		}
		seen[f.Digest()] = f
	}
	if diff := cmp.Diff([]string{"managed", "site:nord", "site:süd"}, a.Terms()); diff != "" {
		t.Error(diff)
	}
}

func TestAFilterAsksJamfForItsSectionsAndTheProfileKeepsNoMore(t *testing.T) {
	minimal := builtin(t, "minimal")
	terms := device.Filter{Groups: []string{"Lehrer"}, Sites: []string{"Nord"}}.Terms()
	asked := minimal.With(device.TermProfile(terms))
	if got := asked.Sections(device.Computer); !slices.Contains(got, "GROUP_MEMBERSHIPS") || slices.Contains(got, "APPLICATIONS") {
		t.Errorf("computers: %v", got)
	}
	if got := asked.Sections(device.Mobile); !slices.Contains(got, "GROUPS") {
		t.Errorf("mobile devices: %v", got)
	}
	if got := minimal.With(device.TermProfile(nil)).Digest(); got != minimal.Digest() {
		t.Error("no filter asks for more")
	}
	for _, k := range []device.Kind{device.Computer, device.Mobile} {
		if got := device.TermsWithin(k, append(terms, "managed", "name:x"), minimal.Paths(k)); strings.Join(got, " ") != "managed name:x" {
			t.Errorf("%s: minimal tells %v", k, got)
		}
	}
	if full := builtin(t, "full").Paths(device.Mobile); len(device.TermsWithin(device.Mobile, []string{"site:7", "site:nord", "group:x"}, full)) != 2 {
		t.Error("a mobile device does not tell the name of its site")
	}
}
