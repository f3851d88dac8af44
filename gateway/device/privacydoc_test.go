package device_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"jamf-gateway/gateway/device"
)

func TestTheDocumentsOnPrivacyHaveTheFiguresOfTheProfiles(t *testing.T) {
	for _, file := range []string{"../../docs/privacy.md", "../../docs/de/datenschutz.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range device.BuiltinProfiles() {
			p := builtin(t, name)
			if row := fmt.Sprintf("\n| %s | %d | %d |\n", name, len(p.Paths(device.Computer)), len(p.Paths(device.Mobile))); !strings.Contains(string(text), row) {
				t.Errorf("%s has no %s", file, row)
			}
		}
		if n := strings.Count(string(text), "\n| "); n != len(device.BuiltinProfiles())+1 {
			t.Errorf("%s has %d rows in its table, for %d profiles and their header", file, n, len(device.BuiltinProfiles()))
		}
		lists := regexp.MustCompile("(?m)^- (Computer|Mobile device|Mobilgerät): ((?:`[^`]+`(?:, )?)+)\\.$").FindAllStringSubmatch(strings.ReplaceAll(string(text), "\n  ", " "), -1)
		if len(lists) != 2 {
			t.Fatalf("%s lists %d kinds", file, len(lists))
		}
		for i, k := range []device.Kind{device.Computer, device.Mobile} {
			var said, leaves []string
			for _, path := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(lists[i][2], -1) {
				said = append(said, path[1])
			}
			for _, f := range builtin(t, "minimal").Leaving(k) { // what the command fields prints
				leaves = append(leaves, f.Path)
			}
			slices.Sort(leaves)
			if !slices.Equal(said, leaves) {
				t.Errorf("%s says of minimal, %s:\n%v\nwant\n%v", file, k, said, leaves)
			}
		}
	}
}
