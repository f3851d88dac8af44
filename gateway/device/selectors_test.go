package device_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
)

// selectorLine is one line of the table of selectors, read here a second time and by other code.
type selectorLine struct {
	in, selector, use, typ, from, reason string
}

func (n selectorLine) kind() device.Kind {
	if strings.ContainsAny(n.in, "1234c") {
		return device.Computer
	}
	return device.Mobile
}

func (n selectorLine) normalized() bool { return strings.ContainsAny(n.in, "cm") }

// column is the name of the fact that a selector is about.
func (n selectorLine) column() string {
	if n.normalized() {
		return n.selector
	}
	return "jamf:" + n.from
}

// selectorLines are the lines of the table, one for each letter of "in".
func selectorLines(t testing.TB) []selectorLine {
	t.Helper()
	b, err := os.ReadFile("selectors.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var out []selectorLine
	for text := range strings.Lines(string(b)) {
		if strings.HasPrefix(text, "#") {
			continue
		}
		c := strings.Split(strings.TrimSuffix(text, "\n"), "\t")
		for _, in := range c[0] {
			out = append(out, selectorLine{string(in), c[1], c[2], c[3], c[4], c[5]})
		}
	}
	return out
}

// usesOf maps "list name" to f, s or fs.
func usesOf(lines []selectorLine, letters string) map[string]string {
	uses := map[string]string{}
	for _, n := range lines {
		if strings.Contains(letters, n.in) {
			uses[n.in+" "+n.selector] = n.use
		}
	}
	return uses
}

// contract is our own list of what Jamf's document allows: list, use and name.
func contract(t testing.TB) map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "jamf-selectors.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	uses := map[string]string{}
	for text := range strings.Lines(string(b)) {
		c := strings.Split(strings.TrimSuffix(text, "\n"), "\t")
		for _, in := range c[0] {
			uses[string(in)+" "+c[2]] = c[1]
		}
	}
	return uses
}

func TestEveryNameThatJamfAllowsIsInTheTableWithItsUses(t *testing.T) {
	want := contract(t)
	if len(want) < 350 {
		t.Fatalf("%d names witness nothing", len(want))
	}
	if diff := cmp.Diff(want, usesOf(selectorLines(t), "1234d")); diff != "" {
		t.Errorf("-contract +table:\n%s", diff)
	}
}

// documented are the names that Jamf's document allows for a parameter of a list.
func documented(t *testing.T, description string) []string {
	t.Helper()
	_, names, found := strings.Cut(description, "allowed in the ")
	if !found {
		t.Fatalf("no names in: %s", description)
	}
	names, _, _ = strings.Cut(names, "\n\n")
	var out []string
	for _, m := range regexp.MustCompile("`([A-Za-z0-9.]+)`").FindAllStringSubmatch(names, -1) {
		out = append(out, m[1])
	}
	return out
}

func TestContractOfSelectorsIsJamfsDocument(t *testing.T) {
	var document struct {
		Paths map[string]struct {
			Get struct {
				Parameters []struct{ Name, Description string }
			}
		}
	}
	if err := json.Unmarshal(shared(t, "jamf-openapi", "jamf-pro-11.30.2-inventory-subset.json"), &document); err != nil {
		t.Fatal(err)
	}
	uses := map[string]string{}
	for letter, path := range map[string]string{
		"1": "/v1/computers-inventory", "2": "/v2/computers-inventory", "3": "/v3/computers-inventory", "4": "/v4/computers-inventory",
		"d": "/v2/mobile-devices/detail",
	} {
		for _, p := range []string{"filter", "sort"} {
			for _, parameter := range document.Paths[path].Get.Parameters {
				if parameter.Name != p {
					continue
				}
				for _, name := range documented(t, parameter.Description) {
					uses[letter+" "+name] += p[:1]
				}
			}
		}
	}
	if diff := cmp.Diff(uses, contract(t)); diff != "" {
		t.Errorf("-document +contract:\n%s", diff)
	}
}

func TestPlainMobileListIsSortedByItsTwelveKeysAndNotFiltered(t *testing.T) {
	var got, want []string
	for _, n := range selectorLines(t) {
		if n.in == "l" && n.from != "-" {
			got = append(got, n.selector+" "+n.use)
		}
	}
	for key := range flatten(t, jamf(t, device.MobileSummary, builtin(t, "full"), ownRecords(t)["mobile-ipad"])) {
		want = append(want, key+" s")
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-keys +table:\n%s", diff)
	}
}

// TestEveryScalarOfTheNormalizedDeviceHasAName walks the rendered devices: what they show outside of the lists that have
// no names can be asked for.
func TestEveryScalarOfTheNormalizedDeviceHasAName(t *testing.T) {
	// The envelope of the device, what is a parameter, and lists that are no part of it or have a key of their own.
	without := regexp.MustCompile(`^(uid|source|kind|sync\..*|applications|extensionAttributes.*|groups\[\]\.smart|hardware\.macAddresses\[\]\.type|` +
		`cellular\.subscriptions\[\]\.(slot|label|carrier\.current|carrier\.home|dataPreferred|voicePreferred|roaming))$`)
	names := usesOf(selectorLines(t), "cm")
	missing := map[string]bool{}
	for recordName, record := range ownRecords(t) {
		k := kindOf(recordName)
		letter := map[device.Kind]string{device.Computer: "c", device.Mobile: "m"}[k]
		for path, values := range flatten(t, normalized(t, builtin(t, "full"), k, record)) {
			if without.MatchString(path) || slices.Equal(values, []string{"null"}) && strings.Count(path, ".") == 0 {
				continue
			}
			name := strings.ReplaceAll(path, "[]", "")
			if isGroup := slices.ContainsFunc(slices.Collect(maps.Keys(names)), func(n string) bool { return strings.HasPrefix(n, letter+" "+name+".") }); isGroup {
				continue // an object that is null
			}
			if names[letter+" "+name] == "" {
				missing[letter+" "+name] = true
			}
		}
	}
	if len(missing) > 0 {
		t.Errorf("no name for %v", slices.Sorted(maps.Keys(missing)))
	}
}

func TestFoldMakesTextsEqualThatDifferInCaseAlone(t *testing.T) {
	forms := map[string]string{}
	for r := rune(0); r <= 0x1FFFF; r++ {
		if r >= 0xD800 && r < 0xE000 {
			continue
		}
		s := string(r)
		folded := device.Fold(s)
		if !strings.EqualFold(strings.ReplaceAll(s, "\x00", "\uFFFD"), folded) {
			t.Fatalf("Fold(%q) = %q, which is another letter", s, folded)
		}
		if device.Fold(folded) != folded {
			t.Fatalf("Fold(%q) = %q, and again %q", s, folded, device.Fold(folded))
		}
		for _, other := range []string{strings.ToUpper(s), strings.ToLower(s)} {
			if strings.EqualFold(s, other) != (device.Fold(other) == folded) {
				t.Fatalf("Fold(%q) = %q, Fold(%q) = %q", s, folded, other, device.Fold(other))
			}
		}
		forms[folded] = s
	}
	for _, c := range []struct{ text, want string }{
		{"MacBook", "macbook"},
		{"STRASSE", "strasse"},
		{"Straße", "straße"},
		{"ΣΊΣΥΦΟΣ", "σίσυφοσ"},
		{"\u212Aelvin", "kelvin"},
		{"ÄRGER", "ärger"},
		{"İ", "İ"},
		{"\xff", "\uFFFD"},
	} {
		if got := device.Fold(c.text); got != c.want {
			t.Errorf("Fold(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}
