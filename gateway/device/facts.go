package device

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// ColumnType is how the values of a column are kept.
type ColumnType uint8

// The types. Each may be null, but the id.
const (
	TextColumn   ColumnType = iota + 1 // string, folded
	NumberColumn                       // float64
	BoolColumn                         // int64, 0 or 1
	TimeColumn                         // int64, milliseconds since 1970 UTC
	ManyColumn                         // []string, folded
	IDColumn                           // the id itself
	NullColumn                         // null on every device of the kind: only in an Order, where it changes nothing
)

// Column is one value of a record that can be filtered or sorted by. The name is unique within a kind and stays the
// same over releases.
type Column struct {
	Name string
	Type ColumnType
}

// FactColumns are the columns whose values a profile with these paths (Profile.Paths) can give, in a fixed order.
// The id is not among them.
func FactColumns(k Kind, paths []string) []Column {
	kept := keptFields(k, paths)
	var out []Column
	for _, c := range selectorTable().columns[k] {
		if slices.ContainsFunc(c.deps, func(i int) bool { return kept[i] }) {
			out = append(out, c.Column)
		}
	}
	return out
}

// Twins tells for each column which other one has the same value on most devices, -1 for none: a normalized field that is a field
// of Jamf's read as the same type. Values of several never have one.
func Twins(k Kind, columns []Column) []int {
	byName := selectorTable().byName[k]
	out := make([]int, len(columns))
	for i, c := range columns {
		out[i] = -1
		own := byName[c.Name]
		if own == nil || own.jamf || c.Type == ManyColumn {
			continue
		}
		for _, dep := range own.deps {
			twin := slices.IndexFunc(columns, func(other Column) bool {
				o := byName[other.Name]
				return o != nil && o.jamf && o.reads == own.reads && o.deps[0] == dep
			})
			if twin >= 0 {
				out[i] = twin
				break
			}
		}
	}
	return out
}

// keptFields tells for each field of the table whether it is among the paths.
func keptFields(k Kind, paths []string) []bool {
	s := fieldTable().schemaOf(k)
	if s == nil {
		return nil
	}
	kept := make([]bool, len(s.fields))
	for _, path := range paths {
		if n := s.byPath[path]; n != nil && (n.form == formScalar || n.form == formScalars) {
			kept[n.lo] = true
		}
	}
	return kept
}

// Facts gives the value of each column for one cut record: nil, string, float64, int64 or []string as its type says.
// A text or list that is empty is nil, as is what is of another type than the column. The error is *RecordError.
func Facts(k Kind, columns []Column, record []byte) ([]any, error) {
	r, err := read(k, fieldTable().everything, record)
	if err != nil {
		return nil, err
	}
	defer r.release()
	return r.facts(columns)
}

// facts reads the columns of the record.
func (r *reader) facts(columns []Column) ([]any, error) {
	if len(columns) == 0 {
		return nil, nil
	}
	f := &facts{reader: r}
	if r.schema.kind == Mobile {
		f.shape = r.deviceShape()
	}
	byName := selectorTable().byName[r.schema.kind]
	out := make([]any, len(columns))
	for i, c := range columns {
		known := byName[c.Name]
		if known == nil || known.value == nil {
			return nil, &RecordError{Reason: "unknown column"}
		}
		out[i] = known.value(f)
	}
	return out, nil
}

// facts reads the columns of one record.
type facts struct {
	*reader
	shape shapeSet // of a mobile device
}

// jamfValue reads a value as Jamf's shape shows it.
func jamfValue(n *node, reads valueType) func(f *facts) any {
	switch {
	case n.name == "deviceType":
		return func(f *facts) any { return strings.Trim(lowerType(f.shape), `"`) }
	case reads == readsMany:
		return func(f *facts) any { return f.texts(n) }
	default:
		return func(f *facts) any { return plain(f.shownAt(n), reads) }
	}
}

// has tells whether the record's shape has a key.
func (f *facts) has(n *node) bool { return f.schema.kind == Computer || n.shapes&f.shape != 0 }

// shownAt is the text of a key, or of the key that stands in for it.
func (f *facts) shownAt(n *node) []byte {
	if !f.has(n) {
		return nil
	}
	at := f.at[n.id]
	for _, other := range n.or {
		if at != 0 && f.entries[at].kind != jsontext.KindNull {
			break
		}
		at = f.at[other.id]
	}
	if at == 0 {
		return nil
	}
	return f.content(at)
}

// texts lists a member of each element of an array.
func (f *facts) texts(n *node) any {
	if !f.has(n) {
		return nil
	}
	var out []string
	f.elements(f.at[n.parent.id], func(at int32) { out = appendText(out, f.content(f.memberNamed(at, n.name))) })
	return many(out)
}

// plain is the value that a text is as the type.
func plain(text []byte, reads valueType) any {
	switch reads {
	case readsText:
		return textFact(text)
	case readsNumber:
		return numberFact(parseNumber(string(text)))
	case readsBoolean:
		return boolFact(parseBool(text))
	default:
		at, ok := parseInstant(string(text))
		return timeFact(at, ok)
	}
}

func textFact(text []byte) any {
	if len(text) == 0 {
		return nil
	}
	return foldBytes(text)
}

func numberFact(n float64, known bool) any {
	if !known {
		return nil
	}
	return n
}

func integerFact(n int64, known bool) any { return numberFact(float64(n), known) }

func boolFact(b *bool) any {
	switch {
	case b == nil:
		return nil
	case *b:
		return int64(1)
	default:
		return int64(0)
	}
}

func timeFact(at time.Time, known bool) any {
	if !known {
		return nil
	}
	return at.UnixMilli()
}

// appendText adds a text that is not in the list.
func appendText(list []string, text []byte) []string {
	if len(text) == 0 {
		return list
	}
	if folded := foldBytes(text); !slices.Contains(list, folded) {
		list = append(list, folded)
	}
	return list
}

func many(list []string) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

// parseNumber reads a number as JSON writes it.
func parseNumber(text string) (float64, bool) {
	v := jsontext.Value(text)
	if len(v) == 0 || v.Kind() != jsontext.KindNumber || !v.IsValid() || strings.TrimSpace(text) != text {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil && !math.IsInf(n, 0)
}

// parseInstant reads a date-time, or a date as its midnight in UTC.
func parseInstant(text string) (time.Time, bool) {
	if len(text) == len(time.DateOnly) {
		at, err := time.Parse(time.DateOnly, text)
		return at, err == nil && at.Year() >= 1
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700"} {
		if at, err := time.Parse(layout, text); err == nil {
			at = at.UTC()
			return at, at.Year() >= 1 && at.Year() <= 9999
		}
	}
	return time.Time{}, false
}

// versionKey is a normalized version in the form whose order as a text is that of its numbers.
func versionKey(normalized string) string {
	var b strings.Builder
	for i, part := range strings.Split(normalized, ".") {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(strings.Repeat("0", max(0, versionDigits-len(part))))
		b.WriteString(part)
	}
	return b.String()
}

const versionDigits = 10 // of 32 bits
