package device_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"jamf-gateway/gateway/device"
)

var update = flag.Bool("update", false, "write the golden files")

// shared finds third-party data beside the checkout, and skips where there is none.
func shared(t *testing.T, elements ...string) []byte {
	t.Helper()
	name := filepath.Join(append([]string{"..", "..", "..", "shared"}, elements...)...)
	b, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		t.Skipf("needs %s beside the checkout", filepath.Join(append([]string{"shared"}, elements...)...))
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// results takes the records out of a page.
func results(t *testing.T, page []byte) []json.RawMessage {
	t.Helper()
	var p struct{ Results []json.RawMessage }
	if err := json.Unmarshal(page, &p); err != nil {
		t.Fatal(err)
	}
	if len(p.Results) == 0 {
		t.Fatal("a page without records witnesses nothing")
	}
	return p.Results
}

// ownRecords are the hand-written records: file name without .json -> record.
func ownRecords(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", "records", "*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no records: %v", err)
	}
	records := map[string][]byte{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		records[strings.TrimSuffix(filepath.Base(name), ".json")] = b
	}
	return records
}

func kindOf(recordName string) device.Kind {
	kind, _, _ := strings.Cut(recordName, "-")
	return device.Kind(kind)
}

// line is one line of the table, read here a second time and by other code.
type line struct {
	kind             device.Kind
	path, typ        string
	normalized       []string
	profiles, shapes string
}

func (l line) leaf() string { return l.path[strings.LastIndexByte(l.path, '.')+1:] }
func (l line) never() bool  { return l.profiles == "never" }

func lines(t testing.TB) []line {
	t.Helper()
	b, err := os.ReadFile("fields.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var ls []line
	for text := range strings.Lines(string(b)) {
		if strings.HasPrefix(text, "#") {
			continue
		}
		c := strings.Split(strings.TrimSuffix(text, "\n"), "\t")
		l := line{kind: device.Kind(c[0]), path: c[1], typ: c[2], profiles: c[5], shapes: c[6]}
		if c[3] != "-" {
			l.normalized = strings.Split(c[3], ",")
		}
		ls = append(ls, l)
	}
	return ls
}

func linesOf(t testing.TB, k device.Kind) []line {
	t.Helper()
	return slices.DeleteFunc(lines(t), func(l line) bool { return l.kind != k })
}

// flatten lists the paths of a JSON value as the table writes them, with the values of each.
func flatten(t testing.TB, value []byte) map[string][]string {
	t.Helper()
	var v any
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, value)
	}
	flat := map[string][]string{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, member := range v {
				walk(strings.TrimPrefix(path+"."+key, "."), member)
			}
		case []any:
			for _, element := range v {
				if _, isObject := element.(map[string]any); isObject {
					walk(path+"[]", element)
				} else {
					walk(path, element)
				}
			}
		case nil:
			flat[path] = append(flat[path], "null")
		default:
			b, _ := json.Marshal(v)
			flat[path] = append(flat[path], string(b))
		}
	}
	walk("", v)
	return flat
}

// tree is a JSON object that remembers the order of its keys.
type tree struct {
	keys   []string
	values map[string]any // *tree, []any or jsontext.Value
}

func (o *tree) set(key string, v any) {
	if o.values == nil {
		o.values = map[string]any{}
	}
	if _, has := o.values[key]; !has {
		o.keys = append(o.keys, key)
	}
	o.values[key] = v
}

func render(b []byte, v any) []byte {
	switch v := v.(type) {
	case *tree:
		b = append(b, '{')
		for i, key := range v.keys {
			if i > 0 {
				b = append(b, ',')
			}
			b, _ = jsontext.AppendQuote(b, key)
			b = append(b, ':')
			b = render(b, v.values[key])
		}
		return append(b, '}')
	case []any:
		b = append(b, '[')
		for i, element := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = render(b, element)
		}
		return append(b, ']')
	case jsontext.Value:
		return append(b, v...)
	default:
		return append(b, "null"...)
	}
}

// everyField builds a record with each field of the table, arrays with two elements. value makes the scalars.
func everyField(t testing.TB, k device.Kind, value func(l line) any) *tree {
	t.Helper()
	root := &tree{}
	for _, l := range linesOf(t, k) {
		keys := strings.Split(l.path, ".")
		at := []*tree{root}
		for _, key := range keys[:len(keys)-1] {
			name, isArray := strings.CutSuffix(key, "[]")
			var next []*tree
			for _, o := range at {
				switch v := o.values[name].(type) {
				case *tree:
					next = append(next, v)
				case []any:
					for _, element := range v {
						next = append(next, element.(*tree))
					}
				default:
					if isArray {
						elements := []any{&tree{}, &tree{}}
						o.set(name, elements)
						next = append(next, elements[0].(*tree), elements[1].(*tree))
					} else {
						object := &tree{}
						o.set(name, object)
						next = append(next, object)
					}
				}
			}
			at = next
		}
		for _, o := range at {
			o.set(l.leaf(), value(l))
		}
	}
	return root
}

// plainRecord has the text "x" in every field, in the id 5.
func plainRecord(t testing.TB, k device.Kind, deviceType string) []byte {
	t.Helper()
	return render(nil, everyField(t, k, func(l line) any {
		switch {
		case l.path == "id" || l.path == "mobileDeviceId":
			return jsontext.Value(`"5"`)
		case l.path == "deviceType":
			return jsontext.Value(strconv.Quote(deviceType))
		case l.typ == "scalars":
			return []any{jsontext.Value(`"x"`)}
		default:
			return jsontext.Value(`"x"`)
		}
	}))
}

func builtin(t testing.TB, name string) *device.Profile {
	t.Helper()
	p, ok := device.BuiltinProfile(name)
	if !ok {
		t.Fatalf("no profile %s", name)
	}
	return p
}

// randomProfile keeps about a third of the fields, and tells which: kind:path.
func randomProfile(t testing.TB, r *rand.Rand) (*device.Profile, map[string]bool) {
	t.Helper()
	kept := map[string]bool{}
	var fields []string
	for _, l := range lines(t) {
		name := string(l.kind) + ":" + l.path
		if l.profiles == "always" {
			kept[name] = true
		} else if !l.never() && r.IntN(3) == 0 {
			kept[name] = true
			fields = append(fields, name)
		}
	}
	p, err := device.NewProfile("random", nil, fields)
	if err != nil {
		t.Fatal(err)
	}
	return p, kept
}

func cut(t testing.TB, p *device.Profile, k device.Kind, record []byte) []byte {
	t.Helper()
	b, err := p.Cut(k, nil, record)
	if err != nil {
		t.Fatalf("cut: %v\n%s", err, record)
	}
	return b
}

func normalized(t testing.TB, p *device.Profile, k device.Kind, record []byte) []byte {
	t.Helper()
	b, err := device.AppendNormalized(nil, device.View{Source: "schule-a", Kind: k, ID: 42, Record: record, Profile: p, State: "present"})
	if err != nil {
		t.Fatal(err)
	}
	if !jsontext.Value(b).IsValid() {
		t.Fatalf("not JSON: %s", b)
	}
	return b
}

func indent(t testing.TB, b []byte) []byte {
	t.Helper()
	v := jsontext.Value(slices.Clone(b))
	if err := v.Indent(jsontext.WithIndent("  ")); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return append(v, '\n')
}
