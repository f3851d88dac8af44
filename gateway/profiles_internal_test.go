package gateway

import (
	"maps"
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
