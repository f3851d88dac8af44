package device_test

import (
	"strings"
	"testing"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/rsql"
)

const (
	personsMac = `{"id":"7","udid":"U7","general":{"name":"Annas MacBook Pro (2)","assetTag":"None","site":{"id":"-1","name":"None"},` +
		`"lastLoggedInUsernameMdm":"anna.schmidt","extensionAttributes":[{"definitionId":"1","name":"N/A","values":["None"]}]},` +
		`"hardware":{"serialNumber":"c02x"},"userAndLocation":{"username":"Anna.Schmidt","realname":"Anna Schmidt","email":"Anna.Schmidt@schule.example","phone":"0711 4711","room":"112"}}`
	personsPad = `{"mobileDeviceId":"8","deviceType":"iOS","general":{"displayName":"aschmidt-14","udid":"M8"},"hardware":{"serialNumber":"N/A"},` +
		`"network":{"phoneNumber":"-1"},"userAndLocation":{"username":"aschmidt","realName":"Anna Schmidt","emailAddress":"anna.schmidt@schule.example"}}`
)

// everyShape is a record in every shape that shows it.
func everyShape(t *testing.T, p *device.Profile, k device.Kind, record string) string {
	t.Helper()
	out, err := device.AppendNormalized(nil, device.View{Source: "a", Kind: k, ID: 7, Record: []byte(record), Profile: p, State: "present"})
	if err != nil {
		t.Fatal(err)
	}
	for s := device.ComputerV1; s <= device.MobileByID; s++ {
		if s.Kind() != k {
			continue
		}
		if out, err = device.AppendJamf(append(out, '\n'), s, device.AllSections(s), p, []byte(record)); err != nil {
			t.Fatal(err)
		}
	}
	return string(out)
}

func TestAPolicyHoldsInEveryShape(t *testing.T) {
	full := builtin(t, "full")
	key := [32]byte{1}
	for name, c := range map[string]struct {
		policy  device.Policy
		kind    device.Kind
		record  string
		has     []string
		hasNot  []string
		counted int // how often the first of has stands there
	}{
		"serial number for a name": {device.Policy{Names: device.NamesSerial}, device.Computer, personsMac, []string{`"name":"C02X"`, `"Anna.Schmidt"`}, []string{"Annas"}, 5},
		"no serial number":         {device.Policy{Names: device.NamesSerial}, device.Mobile, personsPad, []string{`"mobile-8"`}, []string{"aschmidt-14"}, 4},
		"stripped product":         {device.Policy{Names: device.NamesStripped}, device.Computer, personsMac, []string{`"name":"MacBook Pro 2"`}, []string{"Annas"}, 5},
		"stripped words":           {device.Policy{Names: device.NamesStripped}, device.Mobile, personsPad, []string{`"14"`}, []string{"aschmidt-14"}, 4},
		"pseudonym of a name":      {device.Policy{Names: device.Pseudonyms, Key: key}, device.Computer, personsMac, []string{`"name":"n-`}, []string{"Annas"}, 5},
		"users dropped":            {device.Policy{Users: device.UsersDropped}, device.Computer, personsMac, []string{`"name":"Annas MacBook Pro (2)"`, `"112"`}, []string{"chmidt", "4711"}, 5},
		"pseudonyms of users":      {device.Policy{Users: device.Pseudonyms, Key: key}, device.Computer, personsMac, []string{`"username":"u-`, `@pseudonym.invalid"`}, []string{"chmidt", "4711"}, 5},
		"pseudonyms of a mobile":   {device.Policy{Users: device.Pseudonyms, Key: key}, device.Mobile, personsPad, []string{`"username":"u-`}, []string{"anna.schmidt", "Anna Schmidt", `"aschmidt"`}, 4},
		"sentinels":                {device.Policy{NullSentinels: true}, device.Computer, personsMac, []string{`"assetTag":null`, `"values":["None"]`, `"name":"N/A"`}, []string{`"assetTag":"None"`, `"id":"-1"`}, 5},
		"sentinels as they are":    {device.Policy{}, device.Computer, personsMac, []string{`"assetTag":"None"`}, []string{`"u-`}, 4},
	} {
		got := everyShape(t, full.Under(c.policy), c.kind, c.record)
		for i, want := range c.has {
			if n := strings.Count(got, want); n == 0 || i == 0 && n != c.counted {
				t.Errorf("%s: %s stands %d times, want %d:\n%s", name, want, n, c.counted, got)
			}
		}
		for _, never := range c.hasNot {
			if strings.Contains(got, never) {
				t.Errorf("%s: %s in\n%s", name, never, got)
			}
		}
	}
}

func TestPseudonymsAreTheSameForOnePersonAndAnotherForEachKey(t *testing.T) {
	full := builtin(t, "full")
	user := func(key byte, username string) string {
		p := full.Under(device.Policy{Users: device.Pseudonyms, Key: [32]byte{key}})
		got := everyShape(t, p, device.Computer, `{"id":"1","userAndLocation":{"username":"`+username+`"}}`)
		_, rest, _ := strings.Cut(got, `"username":"`)
		name, _, _ := strings.Cut(rest, `"`)
		return name
	}
	if a := user(1, "anna"); len(a) != 18 || a != user(1, " ANNA ") || a == user(2, "anna") || a == user(1, "berta") {
		t.Errorf("%s, %s, %s, %s", a, user(1, " ANNA "), user(2, "anna"), user(1, "berta"))
	}
	one, two := full.Under(device.Policy{Users: device.Pseudonyms, Key: [32]byte{1}}), full.Under(device.Policy{Users: device.Pseudonyms, Key: [32]byte{2}})
	if one.View() == two.View() || one.Rendering() == two.Rendering() || one.Rendering() == full.Rendering() || full.Under(device.Policy{}) != full {
		t.Error("answers under two policies would share a key")
	}
}

func TestNothingCanBeAskedAboutWhatAPolicyExchanges(t *testing.T) {
	full := builtin(t, "full")
	for _, c := range []struct {
		policy  device.Policy
		hidden  []string // selectors of computers v4
		allowed []string
	}{
		{device.Policy{Names: device.NamesSerial}, []string{"general.name"}, []string{"userAndLocation.username", "general.assetTag"}},
		{device.Policy{Names: device.NamesStripped}, []string{"general.name"}, nil},
		{device.Policy{Names: device.Pseudonyms}, []string{"general.name"}, nil},
		{device.Policy{Users: device.Pseudonyms}, []string{"userAndLocation.username", "userAndLocation.realname", "userAndLocation.email", "userAndLocation.phone"}, []string{"general.name"}},
		{device.Policy{Users: device.UsersDropped}, []string{"userAndLocation.username", "userAndLocation.phone", "general.lastLoggedInUsernameMdm"}, []string{"general.name"}},
		{device.Policy{NullSentinels: true}, nil, []string{"general.name", "general.assetTag"}},
	} {
		view := device.Selectors{Kind: device.Computer, Dialect: device.ComputersV4, Kept: full.Paths(device.Computer), Profile: full.Under(c.policy)}
		for refused, names := range map[bool][]string{true: c.hidden, false: c.allowed} {
			for _, name := range names {
				expr, err := rsql.Parse(name + "==x")
				if err != nil {
					t.Fatal(err)
				}
				if _, err := view.Bind(expr); (err != nil) != refused {
					t.Errorf("%+v: filter by %s: %v", c.policy, name, err)
				}
				if _, err := view.BindSort(name); refused && err == nil {
					t.Errorf("%+v: sort by %s is possible", c.policy, name)
				}
			}
		}
		if orders, err := view.BindSort(""); err != nil || (orders[0].Column.Type == device.IDColumn) != (c.policy.Names != "") {
			t.Errorf("%+v: the usual order is %v, %v", c.policy, orders, err)
		}
	}
}
