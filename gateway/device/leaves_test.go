package device_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/rsql"
)

// marked is a record in which every field of the table, and one that nobody knows in each of its objects, holds a mark of its own:
// q17q is the 17th line of the table.
func marked(t testing.TB, k device.Kind, ls []line) []byte {
	t.Helper()
	record := string(render(nil, everyField(t, k, func(l line) any {
		mark := jsontext.Value(fmt.Sprintf(`"q%dq"`, slices.IndexFunc(ls, func(o line) bool { return o.path == l.path })))
		switch {
		case l.path == "id" || l.path == "mobileDeviceId":
			return jsontext.Value(`"5"`)
		case l.path == "deviceType":
			return jsontext.Value(`"iOS"`)
		case l.typ == "scalars":
			return []any{mark}
		default:
			return mark
		}
	})))
	return []byte(strings.ReplaceAll(record, `{"`, `{"inventedByJamf":"q9999q","lockdownOfThePerson":{"place":"q9999q"},"`))
}

// standIns are the fields whose value is shown where that of another one is missing, as the table's last column has them.
var standIns = map[string][]string{
	"general.lastContactTime": {"general.lastContact", "general.lastCheckIn"}, "general.lastContact": {"general.lastContactTime"},
	"general.lastReportedIp": {"general.lastReportedIpV4"},
}

// Random profiles of a source and of a client under random policies: whatever the shape, no value leaves but those of fields that both allow
// and the policy leaves alone; and no filter or sort is bound to any other.
func TestNothingLeavesButWhatProfileAndPolicyShow(t *testing.T) {
	mark := regexp.MustCompile(`(?i)q(\d+)q`)
	words := [][]string{{"", "serial", "strip_owner", "pseudonym"}, {"", "drop", "pseudonym"}}
	left := 0
	class := map[device.Kind]map[string]string{device.Computer: classesOf(device.Computer), device.Mobile: classesOf(device.Mobile)}
	table := map[device.Kind][]line{device.Computer: linesOf(t, device.Computer), device.Mobile: linesOf(t, device.Mobile)}
	selectors := selectorLines(t)
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 41))
		source, _ := randomProfile(t, r)
		client, _ := randomProfile(t, r)
		policy := device.Policy{
			Names: words[0][r.IntN(4)], Users: words[1][r.IntN(3)], NullSentinels: r.IntN(2) == 0, Key: [32]byte{byte(seed)},
		}
		shown := source.Intersect(client).Omitting(r.IntN(2) == 0).Under(policy)
		for _, k := range []device.Kind{device.Computer, device.Mobile} {
			ls, ofSource, ofClient := table[k], source.Paths(k), client.Paths(k)
			allowed := func(l line) bool {
				name := slices.Contains(l.normalized, "name")
				user := policy.Users != "" && class[k][l.path] == "user"
				return slices.Contains(ofSource, l.path) && slices.Contains(ofClient, l.path) && !user && (!name || policy.Names == "" || policy.Names == "strip_owner")
			}
			stored := cut(t, source, k, marked(t, k, ls))
			for _, found := range mark.FindAllStringSubmatch(string(stored), -1) {
				if i, _ := strconv.Atoi(found[1]); i >= len(ls) || !slices.Contains(ofSource, ls[i].path) {
					t.Fatalf("seed %d: %s is stored", seed, found[0])
				}
			}
			serial := policy.Names == "serial"
			for _, found := range mark.FindAllStringSubmatch(everyShape(t, shown, k, string(stored)), -1) {
				i, _ := strconv.Atoi(found[1])
				asName := serial && i < len(ls) && ls[i].path == "hardware.serialNumber" && slices.Contains(shown.Paths(k), ls[i].path)
				if i >= len(ls) || !asName && !allowed(ls[i]) {
					t.Fatalf("seed %d, %+v: %s of a %s leaves", seed, policy, found[0], k)
				}
				left++
			}
			asks(t, selectors, k, source, shown, func(path string) bool { // every stored field behind it is shown, as it is
				behind := append([]string{path}, standIns[path]...)
				kept := slices.DeleteFunc(behind, func(p string) bool { return !slices.Contains(ofSource, p) })
				return len(kept) > 0 && !slices.ContainsFunc(ls, func(l line) bool {
					exchanged := slices.Contains(l.normalized, "name") && policy.Names != "" || policy.Users == "pseudonym" && class[k][l.path] == "user"
					return slices.Contains(kept, l.path) && (exchanged || !allowed(l))
				})
			})
		}
	}
	if left < 10_000 {
		t.Errorf("only %d values left: this proves nothing", left)
	}
}

// asks binds every selector of Jamf's, and those that are bound must be of fields that may be asked about.
func asks(t *testing.T, selectors []selectorLine, k device.Kind, source, shown *device.Profile, allowed func(path string) bool) {
	t.Helper()
	for _, n := range selectors {
		if n.kind() != k || n.from == "-" || n.typ == "id" || strings.Contains("cm", n.in) || !strings.Contains(n.use, "f") {
			continue
		}
		for _, letter := range n.in {
			view := selectorLine{in: string(letter)}.view(t, source, shown)
			for _, text := range []string{n.selector + "==*", n.selector + `==""`} {
				expr, err := rsql.Parse(text)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := view.Bind(expr); err == nil && !allowed(n.from) {
					t.Errorf("%s answers a question about %s", text, n.from)
				}
			}
		}
	}
}

// classesOf are the privacy classes of a kind's fields, as the table has them: path -> class.
func classesOf(k device.Kind) map[string]string {
	out := map[string]string{}
	for _, f := range device.FieldsOf(k) {
		out[f.Path] = f.Class
	}
	return out
}

// What Leaving says is what a record with every field really shows, over all shapes and types of devices: no more and no less.
func TestWhatIsSaidToLeaveIsWhatLeaves(t *testing.T) {
	mark := regexp.MustCompile(`q(\d+)q`)
	for _, name := range device.BuiltinProfiles() {
		for _, k := range []device.Kind{device.Computer, device.Mobile} {
			ls, p := linesOf(t, k), builtin(t, name)
			left, said := map[string]bool{}, map[string]bool{}
			for _, deviceType := range []string{"iOS", "tvOS", "watchOS", "visionOS"} {
				record := strings.Replace(string(marked(t, k, ls)), `"iOS"`, strconv.Quote(deviceType), 1)
				for _, found := range mark.FindAllStringSubmatch(everyShape(t, p, k, string(cut(t, p, k, []byte(record)))), -1) {
					i, _ := strconv.Atoi(found[1])
					left[ls[i].path] = true
				}
			}
			for _, f := range p.Leaving(k) {
				if f.Path == "id" || f.Path == "mobileDeviceId" || f.Path == "deviceType" {
					continue
				}
				said[f.Path] = true
				if !left[f.Path] {
					t.Errorf("%s: %s of a %s is said to leave, and does not", name, f.Path, k)
				}
			}
			for path := range left {
				if !said[path] {
					t.Errorf("%s: %s of a %s leaves, and is not said to", name, path, k)
				}
			}
		}
	}
}
