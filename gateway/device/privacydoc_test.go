package device_test

import (
	"fmt"
	"os"
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
	}
}
