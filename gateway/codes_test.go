package gateway_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"jamf-gateway/gateway/catalogue"
)

// The way out and the pump only name codes, as strings: each must stand in the catalogue (docs/adr/0001).
func TestEveryCodeThatIsNamedStandsInTheCatalogue(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`(?:Code: |reject\(|code[A-Z]\w* += |return )"([a-z]+(?:_[a-z]+)*)"`)
	operations := map[string]bool{"mobile_detail": true, "mobile_list": true} // operations
	found := 0
	for _, room := range []string{"jamf", "syncer"} {
		files, err := filepath.Glob(filepath.Join(room, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range named.FindAllStringSubmatch(string(source), -1) {
				code := m[1]
				if operations[code] || (!strings.Contains(code, "_") && !strings.Contains(m[0], "ode")) {
					continue
				}
				found++
				if _, ok := catalogue.Lookup(code); !ok {
					t.Errorf("%s names the code %q, the catalogue does not know it", file, code)
				}
			}
		}
	}
	if found < 25 {
		t.Errorf("only %d codes were found: this test proves nothing", found)
	}
}
