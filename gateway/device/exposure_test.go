package device_test

import (
	"os"
	"strings"
	"testing"

	"jamf-gateway/gateway/device"
)

func TestExposureCountsTheTable(t *testing.T) {
	table, err := os.ReadFile("fields.tsv")
	if err != nil {
		t.Fatal(err)
	}
	want := map[device.Kind]device.Exposure{}
	for line := range strings.Lines(string(table)) {
		col := strings.Split(line, "\t")
		if strings.HasPrefix(line, "#") || !strings.ContainsAny(col[6], map[string]string{"computer": "4", "mobile": "i"}[col[0]]) {
			continue
		}
		e := want[device.Kind(col[0])]
		e.Fields++
		switch col[4] {
		case "apps":
			e.Apps++
		case "user":
			e.Users++
		case "location":
			e.Locations++
		}
		if col[3] == "name" {
			e.Names++
		}
		want[device.Kind(col[0])] = e
	}
	minimal, _ := device.BuiltinProfile("minimal")
	full, _ := device.BuiltinProfile("full")
	for _, k := range []device.Kind{device.Computer, device.Mobile} {
		got, least, most := device.Opened(k), minimal.Exposure(k), full.Exposure(k)
		if got != want[k] || got.Fields < 200 {
			t.Errorf("%s: %+v, want %+v", k, got, want[k])
		}
		if least.Apps+least.Users+least.Locations > 0 || least.Names != 1 || least.Fields == 0 {
			t.Errorf("%s: minimal opens %+v", k, least)
		}
		if most.Fields > got.Fields || most.Apps != got.Apps || most.Users != got.Users || k == device.Mobile && most.Locations >= got.Locations {
			t.Errorf("%s: full opens %+v of %+v", k, most, got)
		}
	}
	if got := device.Opened("printer"); got != (device.Exposure{}) {
		t.Errorf("%+v", got)
	}
}
