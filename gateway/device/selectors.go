package device

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed selectors.tsv
var selectorsTSV string

// selectorTable reads the embedded table once.
//
//nolint:gochecknoglobals // A function, assigned here and never again.
var selectorTable = sync.OnceValue(func() *selectors {
	t, err := parseSelectors(selectorsTSV)
	if err != nil {
		panic(err) // The table is part of the program: a test reads it before anyone else does.
	}
	return t
})

// Dialect is one set of names that a filter or a sort is written in.
type Dialect uint8

// The dialects: those of Jamf's lists, and the names of the normalized device.
const (
	ComputersV1 Dialect = iota + 1
	ComputersV2
	ComputersV3
	ComputersV4
	MobileDetails // of /v2/mobile-devices/detail
	MobileList    // of /v2/mobile-devices
	NormalizedNames
)

// Dialect is the one that goes with a list's shape, 0 for a shape that no list has.
func (s Shape) Dialect() Dialect {
	switch s {
	case ComputerV1, ComputerV2, ComputerV3, ComputerV4:
		return ComputersV1 + Dialect(s-ComputerV1)
	case MobileDetail:
		return MobileDetails
	case MobileSummary:
		return MobileList
	default:
		return 0
	}
}

// The letters of the table's column "in". The normalized device has one for each kind.
const selectorLetters = "1234dlcm"

// letter is the dialect's in the table, 0 where the kind has no such dialect.
func (d Dialect) letter(k Kind) byte {
	switch {
	case k == Computer && d >= ComputersV1 && d <= ComputersV4:
		return '0' + byte(d)
	case k == Mobile && d == MobileDetails:
		return 'd'
	case k == Mobile && d == MobileList:
		return 'l'
	case k == Computer && d == NormalizedNames:
		return 'c'
	case k == Mobile && d == NormalizedNames:
		return 'm'
	default:
		return 0
	}
}

func kindOfLetter(letter byte) Kind {
	if strings.IndexByte("1234c", letter) >= 0 {
		return Computer
	}
	return Mobile
}

// defaultSort is what a list is sorted by that nobody gave an order.
func (d Dialect) defaultSort() string {
	switch d {
	case ComputersV1, ComputersV2, ComputersV3, ComputersV4:
		return "general.name"
	case MobileDetails:
		return "displayName"
	default:
		return ""
	}
}

// selectors is all that is known of the names of filters and sorts. It does not change after it was read.
type selectors struct {
	names   map[byte]map[string]*selector // letter of the dialect -> name
	columns map[Kind][]*column            // in the order of the table, without the id
	byName  map[Kind]map[string]*column
	derived map[string]func(f *facts) any // normalized name -> how it is made
}

// selector is one name of one dialect.
type selector struct {
	name         string
	filter, sort bool
	reads        valueType
	column       *column // nil without a source
	absent       bool    // the kind has no such thing: null on every device
	reason       string  // why it has no source
}

// column is how one value of a record is found.
type column struct {
	Column
	reads valueType
	jamf  bool  // a field as Jamf has it, not of the normalized device
	deps  []int // the fields that it is made of
	value func(f *facts) any
}

// valueType is the table's column "type".
type valueType string

const (
	readsText    valueType = "text"
	readsNumber  valueType = "number"
	readsBoolean valueType = "boolean"
	readsTime    valueType = "time"
	readsDate    valueType = "date"
	readsVersion valueType = "version"
	readsID      valueType = "id"
	readsMany    valueType = "many"
)

// stored is the type of the column that keeps such values, 0 for a type that is none.
func (v valueType) stored() ColumnType {
	switch v {
	case readsText, readsVersion:
		return TextColumn
	case readsNumber:
		return NumberColumn
	case readsBoolean:
		return BoolColumn
	case readsTime, readsDate:
		return TimeColumn
	case readsID:
		return IDColumn
	case readsMany:
		return ManyColumn
	default:
		return 0
	}
}

func parseSelectors(tsv string) (*selectors, error) {
	t := &selectors{
		names: map[byte]map[string]*selector{}, columns: map[Kind][]*column{},
		byName: map[Kind]map[string]*column{Computer: {}, Mobile: {}}, derived: derivedValues(),
	}
	for _, letter := range []byte(selectorLetters) {
		t.names[letter] = map[string]*selector{}
	}
	for i, line := range strings.Split(tsv, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		if err := t.addLine(line); err != nil {
			return nil, fmt.Errorf("selectors.tsv:%d: %w", i+1, err)
		}
	}
	return t, nil
}

func (t *selectors) addLine(line string) error {
	col := strings.Split(line, "\t")
	if len(col) != 6 {
		return fmt.Errorf("%d columns, want 6", len(col))
	}
	in, name, use, reads, from, reason := col[0], col[1], col[2], valueType(col[3]), col[4], col[5]
	if !slices.Contains([]string{"f", "s", "fs"}, use) || reads.stored() == 0 || (from == "-") == (reason == "-") {
		return fmt.Errorf("%s: use %q, type %q, from %q, reason %q", name, use, reads, from, reason)
	}
	for _, letter := range []byte(in) {
		names := t.names[letter]
		if names == nil || names[name] != nil {
			return fmt.Errorf("%s: in %q twice or nowhere", name, letter)
		}
		s := &selector{name: name, filter: use[0] == 'f', sort: use[len(use)-1] == 's', reads: reads, reason: reason}
		if from != "-" {
			var err error
			if s.column, err = t.column(letter, name, from, reads); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			s.absent = s.column == nil
		}
		names[name] = s
	}
	return nil
}

// column finds or makes the column of a name, nil for a normalized name that the kind has nothing for.
func (t *selectors) column(letter byte, name, from string, reads valueType) (*column, error) {
	k := kindOfLetter(letter)
	c := &column{Column: Column{Name: name, Type: reads.stored()}, reads: reads}
	var err error
	switch {
	case reads == readsID:
		c.Name = "id"
	case letter == 'c' || letter == 'm':
		if err = t.fromNormalized(c, k, from); err == nil && c.deps == nil {
			return nil, nil
		}
	default:
		err = c.fromJamf(fieldTable().schemaOf(k), from)
	}
	if err != nil {
		return nil, err
	}
	if known := t.byName[k][c.Name]; known != nil {
		if known.reads != reads {
			return nil, fmt.Errorf("type %s, and %s elsewhere", reads, known.reads)
		}
		return known, nil
	}
	t.byName[k][c.Name] = c
	if reads != readsID {
		t.columns[k] = append(t.columns[k], c)
	}
	return c, nil
}

// fromNormalized makes a column of a normalized field. It has no fields where the kind has none.
func (t *selectors) fromNormalized(c *column, k Kind, from string) error {
	if c.deps = fieldTable().schemaOf(k).normalized[from]; c.deps == nil {
		if fieldTable().computer.normalized[from] == nil && fieldTable().mobile.normalized[from] == nil {
			return fmt.Errorf("no normalized field %s", from)
		}
		return nil
	}
	if c.value = t.derived[c.Name]; c.value != nil {
		return nil
	}
	if from != c.Name || c.reads == readsMany || c.reads == readsVersion {
		return fmt.Errorf("nothing reads it from %s as %s", from, c.reads)
	}
	c.value = normalizedValue(c.Name, c.reads)
	return nil
}

// fromJamf makes a column of a field of Jamf's and those that stand in for it.
func (c *column) fromJamf(s *schema, from string) error {
	n := s.byPath[from]
	if n == nil || n.form != formScalar || n.inArray != (c.reads == readsMany) || n.never {
		return fmt.Errorf("no kept scalar %s", from)
	}
	c.jamf = true
	c.Name = "jamf:" + from // apart from the normalized names, some of which are the same
	for _, leaf := range append([]*node{n}, n.or...) {
		c.deps = append(c.deps, leaf.lo)
	}
	c.value = jamfValue(n, c.reads)
	return nil
}
