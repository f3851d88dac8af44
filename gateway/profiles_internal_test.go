package gateway

import (
	"maps"
	"strings"
	"testing"

	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
)

func TestDroppedFieldsAreOmittedWhereTheProfileOrTheOneItExtendsSaysSo(t *testing.T) {
	t.Parallel()
	c := &config.Config{Profiles: map[string]config.Profile{
		"slim":     {Extends: "minimal", Dropped: "omit"},
		"heir":     {Extends: "slim", Fields: []string{"computer:general.barcode1"}},
		"apostate": {Extends: "heir", Dropped: "empty"},
		"usual":    {Fields: []string{"os"}},
	}}
	ps, err := compileProfiles(c)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for name := range c.Profiles {
		got[name] = ps.named[name].Omits()
	}
	if want := map[string]bool{"slim": true, "heir": true, "apostate": false, "usual": false}; !maps.Equal(got, want) {
		t.Errorf("omits: %v, want %v", got, want)
	}
	if ps.named["minimal"].Omits() {
		t.Error("the built-in profile has changed")
	}
}

func TestAClientIsNotShownMoreThanEachOfItsSourcesKeeps(t *testing.T) {
	t.Parallel()
	settings := func(sourceProfile string, kinds []string, client config.Client) *config.Config {
		client.ID = "reader"
		return &config.Config{
			File:    "gateway.yaml",
			Sources: []config.Source{{Name: "a", Profile: sourceProfile, Kinds: kinds}, {Name: "b", Profile: "full"}},
			Clients: []config.Client{client},
			Profiles: map[string]config.Profile{
				"serials": {Fields: []string{"identity.serialNumber"}}, "macs": {Extends: "minimal", Fields: []string{"computer:general.barcode1"}},
			},
			Places: map[string]config.Problem{"clients.reader.profile": {File: "gateway.yaml", Line: 7, Setting: "clients.reader.profile"}},
		}
	}
	for name, tc := range map[string]struct {
		source string
		kinds  []string
		client config.Client
		want   string // "" = accepted
	}{
		"the same":             {"minimal", nil, config.Client{Profile: "minimal"}, ""},
		"whatever is kept":     {"minimal", nil, config.Client{}, ""},
		"less":                 {"standard", nil, config.Client{Profile: "serials"}, ""},
		"more":                 {"minimal", nil, config.Client{Profile: "with-user"}, "gateway.yaml:7: clients.reader.profile: with-user shows 172 fields that source a does not keep with minimal, computer:disk"},
		"of another source":    {"minimal", nil, config.Client{Profile: "with-user", Sources: []string{"b"}}, ""},
		"one field, by itself": {"minimal", nil, config.Client{Profile: "macs"}, "macs shows 1 fields that source a does not keep with minimal, computer:general.barcode1 the first; give the source"},
		"of a kind not read":   {"minimal", []string{"mobile"}, config.Client{Profile: "macs"}, ""},
		"side by side":         {"with-user", nil, config.Client{Profile: "with-software"}, "source a does not keep with with-user, computer:applications[]."},
	} {
		_, err := compileProfiles(settings(tc.source, tc.kinds, tc.client))
		switch {
		case err == nil && tc.want != "":
			t.Errorf("%s: accepted", name)
		case err != nil && (tc.want == "" || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: %v\nwant %q", name, err, tc.want)
		}
	}
}

func TestAViewThatGoesBySerialNumbersNeedsThem(t *testing.T) {
	t.Parallel()
	c := &config.Config{
		Sources:  []config.Source{{Name: "a", Profile: "names"}, {Name: "b", Profile: "minimal"}},
		Profiles: map[string]config.Profile{"names": {Fields: []string{"name"}}},
		Clients: []config.Client{
			{ID: "x", Sources: []string{"a"}, View: config.View{Names: "serial"}},
			{ID: "y", Sources: []string{"a"}, View: config.View{NewestDuplicate: true}},
			{ID: "z", Sources: []string{"b"}, Profile: "names", View: config.View{Names: "serial"}},
			{ID: "good", Sources: []string{"b"}, View: config.View{Names: "serial", NewestDuplicate: true}},
		},
	}
	_, err := compileProfiles(c)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"clients.x.view.names: serial needs the serial number, which profile names does not show of a computer", "clients.y.view.duplicates: newest needs the serial number, which source a does not keep of a mobile",
		"clients.z.view.names: serial",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "good") {
		t.Error(err)
	}
}

func TestEachClientHasPseudonymsOfItsOwn(t *testing.T) {
	t.Parallel()
	of := func(id, names string, key byte) device.Policy {
		return policyOf(config.Client{ID: id, View: config.View{Names: names}}, [32]byte{key})
	}
	if a := of("a", "pseudonym", 1); a.Key == ([32]byte{1}) || a.Key == of("b", "pseudonym", 1).Key || a.Key == of("a", "pseudonym", 2).Key || a != of("a", "pseudonym", 1) {
		t.Error("the key does not hang on the client and the key file")
	}
	if of("a", "serial", 1).Key != ([32]byte{}) {
		t.Error("a key that nobody needs")
	}
}
