package device_test

import (
	"encoding/json"
	"fmt"
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

// listed is one list of Jamf's as its document describes it: the names of its filters and sorts, and the paths of its records.
type listed struct {
	names []string
	paths []string // of scalars, without []
}

// sourced sorts the names of all lists by where their values are: under the same key, under another one, nowhere. A name that has it
// elsewhere in one list counts there. For a name of a mobile list the key alone counts, as Jamf leaves out the section. Another key
// counts where it is the only one with all words of the name (docs/adr/0037-names-and-fields.md).
func sourced(t *testing.T, lists map[string]listed) (same, elsewhere, nowhere map[string]bool) {
	t.Helper()
	table := map[string]selectorLine{}
	for _, l := range selectorLines(t) {
		table[l.in+" "+l.selector] = l
	}
	same, elsewhere, nowhere = map[string]bool{}, map[string]bool{}, map[string]bool{}
	for in, list := range lists {
		for _, name := range list.names {
			is := slices.ContainsFunc(list.paths, func(p string) bool {
				return p == name || in == "d" && strings.HasSuffix(p, "."+name)
			})
			row, known := table[in+" "+name]
			switch {
			case !known:
				t.Errorf("%s %s is not in the table", in, name)
			case row.from == "-":
				// What is there and has no source is a secret.
				if (is || len(wordedAs(name, list.paths)) == 1) && !strings.Contains(row.reason, "secret") {
					t.Errorf("%s %s stands in the records, and the table says: %s", in, name, row.reason)
				}
				nowhere[name] = true
			case is:
				same[name] = true
			default:
				elsewhere[name] = true
				if in == "4" && name == "general.lastReportedIp" {
					continue // The document says so in words: "Deprecated. Use lastReportedIpV4 instead."
				}
				if fields := wordedAs(name, list.paths); len(fields) != 1 || fields[0] != row.from {
					t.Errorf("%s %s is read from %s, and its words stand in %q", in, name, row.from, fields)
				}
			}
		}
	}
	for name := range elsewhere {
		delete(same, name)
	}
	return same, elsewhere, nowhere
}

// wordedAs are the paths that have each word of a name, whatever its ending: "expiration" stands in "expires", "years" in nothing.
func wordedAs(name string, paths []string) []string {
	words := regexp.MustCompile(`[A-Z]?[a-z0-9]+`)
	stem := func(word string) string { return strings.ToLower(word[:min(len(word), 5)]) }
	var out []string
	for _, path := range paths {
		stems := map[string]bool{}
		for _, word := range words.FindAllString(path, -1) {
			stems[stem(word)] = true
		}
		if !slices.ContainsFunc(words.FindAllString(name, -1), func(word string) bool { return !stems[stem(word)] }) {
			out = append(out, path)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(out)))
}

// ownLists are the lists as our contract and the table of fields have them.
func ownLists(t *testing.T) map[string]listed {
	t.Helper()
	lists := map[string]listed{"l": {names: []string{"date", "name"}, paths: []string{"id", "name", "serialNumber", "wifiMacAddress", "udid", "phoneNumber", "model", "modelIdentifier", "username", "type", "managementId", "softwareUpdateDeviceId"}}}
	for _, in := range []string{"1", "2", "3", "4", "d"} {
		var list listed
		for key := range contract(t) {
			if name, ok := strings.CutPrefix(key, in+" "); ok {
				list.names = append(list.names, name)
			}
		}
		for _, l := range lines(t) {
			if in == "d" && l.kind == device.Mobile || l.kind == device.Computer && strings.Contains(l.shapes, in) {
				list.paths = append(list.paths, strings.ReplaceAll(l.path, "[]", ""))
			}
		}
		lists[in] = list
	}
	return lists
}

// Which names have no source is no matter of taste: all that Jamf's document allows were looked for in the records of their list, and
// docs/compatibility.md names those that are not there and how many there are.
func TestTheDocumentSaysWhichNamesOfJamfHaveNoSource(t *testing.T) {
	same, elsewhere, nowhere := sourced(t, ownLists(t))
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "compatibility.md"))
	if err != nil {
		t.Fatal(err)
	}
	doc := string(text)
	for _, want := range []string{
		fmt.Sprintf("allows %d names for filters and sorts", len(same)+len(elsewhere)+len(nowhere)),
		fmt.Sprintf(" %d of them are keys of the\nrecords. %d have their value under another key", len(same), len(elsewhere)),
		fmt.Sprintf("The other %d have no value in any list.", len(nowhere)),
	} {
		if !strings.Contains(doc, want) {
			t.Errorf("docs/compatibility.md does not say: %s", want)
		}
	}
	for _, l := range selectorLines(t) {
		if name := "`" + l.selector + "`"; nowhere[l.selector] && !regexp.MustCompile(`(?m)^\| .*`+regexp.QuoteMeta(name)).MatchString(doc) {
			t.Errorf("docs/compatibility.md does not name %s", name)
		}
		// The table of our own fields has what stands in for lastReportedIp in v4.
		from := strings.Replace(l.from, "general.lastReportedIp", "general.lastReportedIpV4", 1)
		if row := regexp.MustCompile("(?m)^\\| `" + regexp.QuoteMeta(l.selector) + "`[^|]* \\| `" + regexp.QuoteMeta(from) + "` \\|$"); elsewhere[l.selector] && !l.normalized() && l.in != "1" && l.in != "2" && l.in != "3" && !row.MatchString(doc) {
			t.Errorf("docs/compatibility.md does not say that %s is %s", l.selector, from)
		}
	}
}

// What no profile keeps is told: each field, or the object that it stands in.
func TestTheDocumentNamesTheFieldsThatAreNeverKept(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "compatibility.md"))
	if err != nil {
		t.Fatal(err)
	}
	never := 0
	for _, l := range lines(t) {
		if l.profiles != "never" || l.shapes == "-" {
			continue
		}
		never++
		object := l.path[:max(strings.LastIndex(l.path, "."), 0)]
		if !strings.Contains(string(text), "`"+l.path+"`") && (strings.Count(l.path, ".") < 2 || !strings.Contains(string(text), "`"+object+"`")) {
			t.Errorf("docs/compatibility.md does not name %s", l.path)
		}
	}
	if never < 11 {
		t.Errorf("%d fields witness little", never)
	}
}

// The names without a source again, with nothing of ours in between: names and records as Jamf's document has them.
func TestTheNamesWithoutASourceAreThoseOfJamfsDocument(t *testing.T) {
	var document struct {
		openAPI
		Paths map[string]struct {
			Get struct {
				Parameters []struct{ Name, Description string }
				Responses  map[string]struct {
					Content map[string]struct{ Schema *apiSchema }
				}
			}
		}
	}
	if err := json.Unmarshal(shared(t, "jamf-openapi", "jamf-pro-11.30.2-inventory-subset.json"), &document); err != nil {
		t.Fatal(err)
	}
	lists := map[string]listed{}
	for in, path := range map[string]string{
		"1": "/v1/computers-inventory", "2": "/v2/computers-inventory", "3": "/v3/computers-inventory", "4": "/v4/computers-inventory",
		"d": "/v2/mobile-devices/detail", "l": "/v2/mobile-devices",
	} {
		get := document.Paths[path].Get
		var list listed
		for _, p := range get.Parameters {
			switch {
			case p.Name == "sort" && in == "l":
				for _, m := range regexp.MustCompile(`(\w+):(?:asc|desc)`).FindAllStringSubmatch(p.Description[strings.Index(p.Description, "Example"):], -1) {
					list.names = append(list.names, m[1])
				}
			case p.Name == "sort" || p.Name == "filter":
				list.names = append(list.names, documented(t, p.Description)...)
			}
		}
		for _, p := range document.scalars(get.Responses["200"].Content["application/json"].Schema) {
			if below, ok := strings.CutPrefix(p, "results."); ok {
				list.paths = append(list.paths, below)
			}
		}
		lists[in] = list
	}
	same, elsewhere, nowhere := sourced(t, lists)
	ownSame, ownElsewhere, ownNowhere := sourced(t, ownLists(t))
	for _, pair := range [][2]map[string]bool{{same, ownSame}, {elsewhere, ownElsewhere}, {nowhere, ownNowhere}} {
		if diff := cmp.Diff(slices.Sorted(maps.Keys(pair[0])), slices.Sorted(maps.Keys(pair[1]))); diff != "" {
			t.Errorf("-document +own:\n%s", diff)
		}
	}
	t.Logf("%d names of Jamf's document: %d under the same key, %d under another, %d without a source: %v",
		len(same)+len(elsewhere)+len(nowhere), len(same), len(elsewhere), len(nowhere), slices.Sorted(maps.Keys(nowhere)))
}

// scalars lists the paths of the scalars that a schema knows, alternatives of all device types among them.
func (d *openAPI) scalars(s *apiSchema) []string {
	s = d.resolve(s)
	var out []string
	for _, part := range append(slices.Clone(s.AllOf), s.OneOf...) {
		out = append(out, d.scalars(part)...)
	}
	if s.Items != nil {
		out = append(out, d.scalars(s.Items)...)
	}
	for name, p := range s.Properties {
		below := d.scalars(p)
		if len(below) == 0 {
			out = append(out, name)
		}
		for _, path := range below {
			out = append(out, name+"."+path)
		}
	}
	return out
}
