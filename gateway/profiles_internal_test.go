package gateway

import (
	"maps"
	"strings"
	"testing"

	"jamf-gateway/config"
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
