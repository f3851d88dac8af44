package device_test

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"jamf-gateway/gateway/device"
)

// changes are what Jamf could send one day in place of the value of the i-th field: a word that is new, another type.
func changes(i int) map[string]string {
	word, number := fmt.Sprintf(`"NEW%dWORD"`, i), strconv.Itoa(918270000+i)
	return map[string]string{
		"word": word, "number": number, "large number": number + "e3", "object": `{"x":` + word + `,"id":` + number + `}`, "array": `[` + word + `,` + number + `]`,
		"array of objects": `[{"x":` + word + `},{"name":` + number + `}]`, "array of arrays": `[[` + word + `,` + number + `]]`,
	}
}

// newMark finds the fields whose new values stand in a text.
var newMark = regexp.MustCompile(`(?i)new(\d+)word|91827(\d{4})`)

func marksIn(text string) (fields []int) {
	for _, found := range newMark.FindAllStringSubmatch(text, -1) {
		i, _ := strconv.Atoi(found[1] + found[2])
		fields = append(fields, i)
	}
	return fields
}

// inShapes renders a record in each shape: 0 is the normalized device.
func inShapes(t *testing.T, p *device.Profile, k device.Kind, record []byte) map[device.Shape][]byte {
	t.Helper()
	out := map[device.Shape][]byte{0: normalized(t, p, k, record)}
	for s := device.ComputerV1; s <= device.MobileByID; s++ {
		if s.Kind() == k {
			var err error
			if out[s], err = device.AppendJamf(nil, s, device.AllSections(s), p, record); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

// TestNewWordsAndTypesStayInTheirOwnField gives Jamf's fields, all at once and some of them alone, a word that nobody knows and values of other types. What is no
// scalar where one is known is stored nowhere. What is one stands in the field itself alone: in Jamf's shapes under its own key, and normalized
// only where the table says that it is made of it. Where the profile drops the field it stands nowhere.
func TestNewWordsAndTypesStayInTheirOwnField(t *testing.T) {
	full := builtin(t, "full")
	for _, k := range []device.Kind{device.Computer, device.Mobile} {
		c := newWordsOf(t, k)
		for change := range changes(0) {
			all := c.changed(change, func(int) bool { return true })
			c.check(t, full, change, all)
			for half := range 2 {
				c.check(t, c.every(t, 2, half), change, all)
			}
		}
		for alone := range c.lines {
			if alone%29 != 7 || raceEnabled {
				continue
			}
			for change := range changes(0) {
				c.check(t, full, change, c.changed(change, func(i int) bool { return i == alone }))
			}
		}
	}
}

// newWords is a record with marks, and where they stand in each shape.
type newWords struct {
	kind  device.Kind
	lines []line
	base  []byte
	home  map[device.Shape]map[string][]string // shape -> path -> marks
}

func newWordsOf(t *testing.T, k device.Kind) *newWords {
	t.Helper()
	c := &newWords{kind: k, lines: linesOf(t, k), home: map[device.Shape]map[string][]string{}}
	c.base = marked(t, k, c.lines)
	full := builtin(t, "full")
	for s, out := range inShapes(t, full, k, cut(t, full, k, c.base)) {
		c.home[s] = flatten(t, out)
	}
	return c
}

// every is a profile of each n-th line.
func (c *newWords) every(t *testing.T, n, from int) *device.Profile {
	t.Helper()
	var fields []string
	for i, l := range c.lines {
		if i%n == from && !l.never() {
			fields = append(fields, string(c.kind)+":"+l.path)
		}
	}
	p, err := device.NewProfile("part", nil, fields)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// changed is the record with new values in the fields that which names. The id stays: another id is another device. So does the type of a mobile
// device, which decides over the keys of its shape, unless it is alone.
func (c *newWords) changed(change string, which func(i int) bool) []byte {
	record, n := c.base, 0
	for i, l := range c.lines {
		if !which(i) || l.path == "id" || l.path == "mobileDeviceId" || l.path == "deviceType" {
			continue
		}
		place := fmt.Sprintf(`"q%dq"`, i)
		if l.typ == "scalars" {
			place = "[" + place + "]"
		}
		record = bytes.ReplaceAll(record, []byte(place), []byte(changes(i)[change]))
		n++
	}
	if n == 0 {
		return nil
	}
	return record
}

// check holds what is stored and shown of a changed record against the table.
func (c *newWords) check(t *testing.T, p *device.Profile, change string, record []byte) {
	t.Helper()
	if record == nil {
		return
	}
	kept, asked := p.Paths(c.kind), marksIn(string(record))
	stored := cut(t, p, c.kind, record)
	in := marksIn(string(stored))
	for i, l := range c.lines {
		if !slices.Contains(asked, i) {
			continue
		}
		scalar := change == "word" || strings.HasSuffix(change, "number")
		fits := slices.Contains(kept, l.path) && (l.typ != "scalars" && scalar || l.typ == "scalars" && change == "array")
		if slices.Contains(in, i) != fits {
			t.Errorf("%s:%s, %s: stored is %t, want %t", c.kind, l.path, change, !fits, fits)
		}
	}
	// A client may be shown less than its source keeps.
	for s, out := range inShapes(t, p, c.kind, cut(t, builtin(t, "full"), c.kind, record)) {
		for at, values := range flatten(t, out) {
			for _, i := range marksIn(strings.Join(values, " ")) {
				if l := c.lines[i]; !slices.Contains(kept, l.path) || !c.mayStand(i, s, at, kept) {
					t.Errorf("%s:%s, %s: it stands in %s of shape %d: %v", c.kind, l.path, change, at, s, values)
				}
			}
		}
	}
}

// mayStand tells whether the i-th field may stand at a path of a shape: its own, or that of one that it stands in for.
func (c *newWords) mayStand(i int, s device.Shape, at string, kept []string) bool {
	l := c.lines[i]
	if s != 0 {
		own := slices.Contains(c.home[s][at], fmt.Sprintf(`"q%dq"`, i))
		return own || slices.Contains(standIns[at], l.path) && !slices.Contains(kept, at)
	}
	at = strings.ReplaceAll(at, "[]", "")
	return slices.ContainsFunc(l.normalized, func(name string) bool { return at == name || strings.HasPrefix(at, name+".") })
}

// TestANewTypeOfDeviceIsNoKnownOne lets Jamf send a type that nobody knows, or none that is a text: the device stays, with the keys that every type has,
// and its normalized type is told by its model or not at all.
func TestANewTypeOfDeviceIsNoKnownOne(t *testing.T) {
	full := builtin(t, "full")
	for value, jamf := range map[string]string{
		`"homeOS"`: `"homeOS"`, `"iOS\u202e"`: `"iOS\u202e"`, `7`: `7`, `true`: `true`, `null`: `null`, `{"type":"iOS"}`: `null`, `["iOS"]`: `null`, `[["iOS"]]`: `null`,
	} {
		record := cut(t, full, device.Mobile, []byte(`{"mobileDeviceId":"5","deviceType":`+value+`,"general":{"displayName":"x"},"network":{"imei":"12"},"security":{"jailBreakDetected":true}}`))
		out := inShapes(t, full, device.Mobile, record)
		if own := flatten(t, out[0]); own["deviceType"][0] != `"unknown"` || own["os.platform"][0] != `"unknown"` {
			t.Errorf("%s is %v on %v", value, own["deviceType"], own["os.platform"])
		}
		if got := flatten(t, out[device.MobileDetail]); got["deviceType"][0] != strings.ReplaceAll(jamf, `\u202e`, "\u202e") || got["network.imei"] != nil {
			t.Errorf("%s is answered as %v with %v", value, got["deviceType"], got["network.imei"])
		}
	}
}
