package device

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed fields.tsv
var fieldsTSV string

// fieldTable reads the embedded table once.
//
//nolint:gochecknoglobals // A function, assigned here and never again.
var fieldTable = sync.OnceValue(func() *table {
	t, err := parseFields(fieldsTSV)
	if err != nil {
		panic(err) // The table is part of the program: a test reads it before anyone else does.
	}
	return t
})

// table is all that is known of Jamf's fields. It does not change after it was read.
type table struct {
	computer, mobile *schema
	builtin          map[string]*Profile // name -> profile
	everything       *Profile            // what may be kept at all; reads what was cut before
	readers          sync.Pool           // of *reader
}

// schemaOf returns nil for a kind that is none.
func (t *table) schemaOf(k Kind) *schema {
	switch k {
	case Computer:
		return t.computer
	case Mobile:
		return t.mobile
	default:
		return nil
	}
}

// schema is the tree of one kind's fields.
type schema struct {
	kind       Kind
	root       *node
	nodes      []*node // by node.id
	fields     []field // in the order of the table: each node covers a stretch of them
	byPath     map[string]*node
	sections   []*node            // root children that are sections, in the order of Jamf's section list; index = bit in Sections
	words      []string           // Jamf's for the sections
	normalized map[string][]int   // normalized name or group -> fields
	sources    map[string][]*node // normalized name -> leaves outside of arrays, in the order of the table
	values     []*node            // arrays of extension attributes, in the order of the table
}

// field is one line of the table.
type field struct {
	path       string
	normalized []string
	class      string
	profile    string // the smallest built-in one that keeps it
	always     bool
	never      bool
	leaf       *node
}

type form uint8

const (
	formObject  form = iota
	formArray        // of objects
	formScalar       // string, number, boolean
	formScalars      // array of scalars
)

// node is one key of Jamf's records.
type node struct {
	id       int
	name     string
	label    string // "name":
	form     form
	children []*node
	byName   map[string]*node
	parent   *node
	lo, hi   int // fields[lo:hi] are below it
	shapes   shapeSet
	section  int  // index in schema.sections, -1 without
	inArray  bool // below an array of objects, so that it stands more than once in a record
	never    bool // all below it is kept by no profile
	or       []*node
}

// shapeSet says which of Jamf's shapes have a key: computers by version, mobile devices by deviceType.
type shapeSet uint16

const shapeLetters = "1234itwvou"

func parseShapes(s string) (shapeSet, error) {
	var set shapeSet
	if s == "-" {
		return 0, nil
	}
	for _, letter := range s {
		i := strings.IndexRune(shapeLetters, letter)
		if i < 0 {
			return 0, fmt.Errorf("unknown shape %q", letter)
		}
		set |= 1 << i
	}
	return set, nil
}

// The orders in which Jamf lists its sections. Computers send the keys in the same order, mobile devices do not.
func sectionOrder(k Kind) []string {
	if k == Computer {
		return []string{
			"GENERAL", "DISK_ENCRYPTION", "PURCHASING", "APPLICATIONS", "STORAGE", "USER_AND_LOCATION", "CONFIGURATION_PROFILES",
			"PRINTERS", "SERVICES", "HARDWARE", "LOCAL_USER_ACCOUNTS", "CERTIFICATES", "ATTACHMENTS", "PLUGINS", "PACKAGE_RECEIPTS",
			"FONTS", "SECURITY", "OPERATING_SYSTEM", "LICENSED_SOFTWARE", "IBEACONS", "SOFTWARE_UPDATES", "EXTENSION_ATTRIBUTES",
			"CONTENT_CACHING", "GROUP_MEMBERSHIPS",
		}
	}
	return []string{
		"GENERAL", "HARDWARE", "USER_AND_LOCATION", "PURCHASING", "SECURITY", "APPLICATIONS", "EBOOKS", "NETWORK",
		"SERVICE_SUBSCRIPTIONS", "CERTIFICATES", "PROFILES", "USER_PROFILES", "PROVISIONING_PROFILES", "SHARED_USERS", "GROUPS",
		"EXTENSION_ATTRIBUTES",
	}
}

// sectionName is the section of a top-level key: userAndLocation -> USER_AND_LOCATION.
func sectionName(key string) string {
	var b strings.Builder
	for _, r := range key {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToUpper(b.String())
}

func parseFields(tsv string) (*table, error) {
	t := &table{computer: newSchema(Computer), mobile: newSchema(Mobile)}
	for i, line := range strings.Split(tsv, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		if err := t.addLine(line); err != nil {
			return nil, fmt.Errorf("fields.tsv:%d: %w", i+1, err)
		}
	}
	for _, s := range []*schema{t.computer, t.mobile} {
		if err := s.finish(); err != nil {
			return nil, fmt.Errorf("fields.tsv: %s: %w", s.kind, err)
		}
	}
	t.readers.New = func() any { return newReader() }
	t.builtin = map[string]*Profile{}
	for _, name := range builtinNames() {
		t.builtin[name] = t.compile(name, func(f *field) bool { return slices.Contains(below(name), f.profile) })
	}
	t.everything = t.compile("everything", func(*field) bool { return true })
	return t, nil
}

// builtinNames lists the built-in profiles: the words that may stand in the table's column "profiles", beside always and never.
func builtinNames() []string {
	return []string{"minimal", "standard", "with-user", "with-software", "full"}
}

// below lists a built-in profile and those that it begins with.
func below(name string) []string {
	switch name {
	case "standard":
		return []string{"minimal", name}
	case "with-user", "with-software":
		return []string{"minimal", "standard", name}
	case "full":
		return builtinNames()
	default:
		return []string{name}
	}
}

// classes lists the words that may stand in the table's column "class": what kind of thing a field tells.
func classes() []string {
	return []string{
		"identity", "hardware", "os", "management", "network", "user", "location", "apps", "content", "purchasing", "security", "cellular",
		"groups", "ext", "secret",
	}
}

func newSchema(k Kind) *schema {
	root := &node{form: formObject, byName: map[string]*node{}, section: -1}
	return &schema{
		kind: k, root: root, nodes: []*node{root}, byPath: map[string]*node{},
		normalized: map[string][]int{}, sources: map[string][]*node{},
	}
}

func (t *table) addLine(line string) error {
	col := strings.Split(line, "\t")
	if len(col) != 8 {
		return fmt.Errorf("%d columns, want 8", len(col))
	}
	s := t.schemaOf(Kind(col[0]))
	if s == nil {
		return fmt.Errorf("unknown kind %q", col[0])
	}
	forms := map[string]form{"scalar": formScalar, "scalars": formScalars}
	leafForm, ok := forms[col[2]]
	if !ok {
		return fmt.Errorf("unknown type %q", col[2])
	}
	f := field{path: col[1], class: col[4]}
	if !slices.Contains(classes(), f.class) {
		return fmt.Errorf("unknown privacy class %q", f.class)
	}
	if col[3] != "-" {
		f.normalized = strings.Split(col[3], ",")
	}
	switch profile := col[5]; {
	case profile == "always":
		f.always = true
	case profile == "never":
		f.never = true
	case slices.Contains(builtinNames(), profile):
		f.profile = profile
	default:
		return fmt.Errorf("unknown profile %q", profile)
	}
	shapes, err := parseShapes(col[6])
	if err != nil {
		return err
	}
	leaf, err := s.grow(col[1], leafForm, shapes)
	if err != nil {
		return err
	}
	f.leaf = leaf
	s.fields = append(s.fields, f)
	if col[7] != "-" {
		// Resolved in finish: the other keys may stand below.
		leaf.or = make([]*node, 0, strings.Count(col[7], ",")+1)
		for name := range strings.SplitSeq(col[7], ",") {
			leaf.or = append(leaf.or, &node{name: name})
		}
	}
	return nil
}

// grow adds the leaf of one path and the nodes above it.
func (s *schema) grow(path string, leafForm form, shapes shapeSet) (*node, error) {
	at := s.root
	keys := strings.Split(path, ".")
	for i, key := range keys {
		want, name := formObject, key
		if n, isArray := strings.CutSuffix(key, "[]"); isArray {
			want, name = formArray, n
		}
		if i == len(keys)-1 {
			want = leafForm
		}
		next := at.byName[name]
		if next == nil {
			next = &node{
				id: len(s.nodes), name: name, label: `"` + name + `":`, form: want, byName: map[string]*node{}, parent: at,
				lo: len(s.fields), hi: len(s.fields), section: -1, inArray: at.inArray || at.form == formArray,
			}
			at.byName[name] = next
			at.children = append(at.children, next)
			s.nodes = append(s.nodes, next)
			s.byPath[strings.Join(keys[:i+1], ".")] = next
		} else if i == len(keys)-1 || next.form != want || next.hi != len(s.fields) {
			return nil, fmt.Errorf("path %s: twice, torn apart or of two forms", path)
		}
		next.hi = len(s.fields) + 1
		next.shapes |= shapes
		at = next
	}
	s.root.hi = len(s.fields) + 1
	return at, nil
}

// finish derives what needs the whole tree.
func (s *schema) finish() error {
	for _, section := range sectionOrder(s.kind) {
		at := slices.IndexFunc(s.root.children, func(n *node) bool { return sectionName(n.name) == section })
		if at < 0 {
			return fmt.Errorf("section %s has no field", section)
		}
		s.root.children[at].section = len(s.sections)
		s.sections = append(s.sections, s.root.children[at])
		s.words = append(s.words, section)
	}
	for i := range s.fields {
		s.index(i)
	}
	for _, n := range s.nodes {
		n.never = !slices.ContainsFunc(s.fields[n.lo:n.hi], func(f field) bool { return !f.never })
		if n.name == "extensionAttributes" && n.form == formArray {
			s.values = append(s.values, n)
		}
		for i, other := range n.or {
			sibling := n.parent.byName[other.name]
			if sibling == nil || sibling.form != formScalar {
				return fmt.Errorf("%s: no sibling %s", n.name, other.name)
			}
			n.or[i] = sibling
		}
	}
	return nil
}

// index enters one field under its normalized names and all groups above them.
func (s *schema) index(i int) {
	f := &s.fields[i]
	for _, name := range f.normalized {
		if !f.leaf.inArray {
			s.sources[name] = append(s.sources[name], f.leaf)
		}
		for group := name; group != ""; {
			if !slices.Contains(s.normalized[group], i) {
				s.normalized[group] = append(s.normalized[group], i)
			}
			dot := strings.LastIndexByte(group, '.')
			group = group[:max(dot, 0)]
		}
	}
}

// sectionOf is the top-level node above n.
func sectionOf(n *node) *node {
	for n.parent != nil && n.parent.parent != nil {
		n = n.parent
	}
	return n
}
