package device

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Profile is a compiled allow-list of Jamf fields of both kinds. Immutable, safe for concurrent use.
// The zero value is not a profile: take one from BuiltinProfile or NewProfile.
type Profile struct {
	name     string
	digest   string
	computer keep
	mobile   keep
	omits    bool
	policy   *policy // nil: everything is shown as it is
}

// keep is the allow-list of one kind.
type keep struct {
	fields []bool // by index in schema.fields
	nodes  []bool // by node.id: something below it is kept
	paths  []string
}

// BuiltinProfile returns one of BuiltinProfiles.
func BuiltinProfile(name string) (*Profile, bool) {
	p, ok := fieldTable().builtin[name]
	return p, ok
}

// BuiltinProfiles names the built-in profiles, the smallest first: minimal, standard, with-user, with-software, full. Each keeps what
// minimal keeps, and those after standard what it keeps; full keeps all that may be kept at all.
func BuiltinProfiles() []string { return builtinNames() }

// NewProfile compiles an own profile. Each entry of fields is a normalized name ("os.version"), a normalized
// group ("os"), a Jamf path or section with its kind ("computer:general.barcode1", "computer:HARDWARE"). base may be nil.
// A group or section keeps what in it may be kept; naming a forbidden field itself is an error. The error is
// *UnknownFieldError (names the nearest known field) or *ForbiddenFieldError (airPlayPassword, lost mode, ...).
func NewProfile(name string, base *Profile, fields []string) (*Profile, error) {
	t := fieldTable()
	chosen := map[*field]bool{}
	for _, entry := range fields {
		found := t.find(entry)
		if len(found) == 0 {
			near := t.nearest(entry)
			if t.forbiddenName(entry) || soundsSecret(entry) && distanceOf(entry, near) > slip {
				return nil, &ForbiddenFieldError{Field: entry}
			}
			return nil, &UnknownFieldError{Field: entry, Nearest: near}
		}
		if !slices.ContainsFunc(found, func(f *field) bool { return !f.never }) {
			return nil, &ForbiddenFieldError{Field: entry}
		}
		for _, f := range found {
			chosen[f] = true
		}
	}
	if base != nil {
		for _, s := range []*schema{t.computer, t.mobile} {
			kept := base.keepOf(s.kind)
			for i := range s.fields {
				chosen[&s.fields[i]] = chosen[&s.fields[i]] || kept.fields[i]
			}
		}
	}
	return t.compile(name, func(f *field) bool { return chosen[f] }), nil
}

// find lists the fields that one entry of a profile means.
func (t *table) find(entry string) []*field {
	var found []*field
	if kind, path, ok := strings.Cut(entry, ":"); ok {
		s := t.schemaOf(Kind(kind))
		if s == nil {
			return nil
		}
		n := s.lookup(path)
		if n == nil {
			return nil
		}
		for i := n.lo; i < n.hi; i++ {
			found = append(found, &s.fields[i])
		}
		return found
	}
	for _, s := range []*schema{t.computer, t.mobile} {
		for _, i := range s.normalized[entry] {
			found = append(found, &s.fields[i])
		}
	}
	return found
}

// lookup finds a path (with or without the last []) or a section.
func (s *schema) lookup(path string) *node {
	if n := s.byPath[path]; n != nil {
		return n
	}
	if n := s.byPath[path+"[]"]; n != nil {
		return n
	}
	at := slices.IndexFunc(s.sections, func(n *node) bool { return sectionName(n.name) == path })
	if at < 0 {
		return nil
	}
	return s.sections[at]
}

// forbiddenName tells whether the last key of an entry is one that no profile keeps, wherever the entry puts it.
func (t *table) forbiddenName(entry string) bool {
	last := lastPart(entry)
	for _, s := range []*schema{t.computer, t.mobile} {
		for i := range s.fields {
			if f := &s.fields[i]; f.never && strings.EqualFold(f.leaf.name, last) {
				return true
			}
		}
	}
	return false
}

// nearest is the known name that was probably meant.
func (t *table) nearest(entry string) string {
	var names []string
	for _, s := range []*schema{t.computer, t.mobile} {
		for name := range s.normalized {
			names = append(names, name)
		}
		for path, n := range s.byPath {
			if !n.never {
				names = append(names, string(s.kind)+":"+path)
			}
		}
		for _, n := range s.sections {
			names = append(names, string(s.kind)+":"+sectionName(n.name))
		}
	}
	return nearestOf(entry, names)
}

// compile builds a profile; what is always or never kept is not the caller's choice.
func (t *table) compile(name string, wanted func(*field) bool) *Profile {
	p := &Profile{name: name}
	var paths []string
	for _, s := range []*schema{t.computer, t.mobile} {
		k := keep{fields: make([]bool, len(s.fields)), nodes: make([]bool, len(s.nodes)), paths: []string{}}
		for i := range s.fields {
			f := &s.fields[i]
			if f.never || !f.always && !wanted(f) {
				continue
			}
			k.fields[i] = true
			for n := f.leaf; n != nil; n = n.parent {
				k.nodes[n.id] = true
			}
			paths = append(paths, string(s.kind)+":"+f.path)
			k.paths = append(k.paths, f.path)
		}
		slices.Sort(k.paths)
		k.paths = slices.Compact(k.paths)
		if s.kind == Computer {
			p.computer = k
		} else {
			p.mobile = k
		}
	}
	slices.Sort(paths) // so that the order of the table does not matter
	sum := sha256.Sum256([]byte(strings.Join(paths, "\n")))
	p.digest = hex.EncodeToString(sum[:8])
	return p
}

func (p *Profile) keepOf(k Kind) *keep {
	if k == Computer {
		return &p.computer
	}
	return &p.mobile
}

// Name is the name it was made with; an intersection that equals neither side is called "a&b".
func (p *Profile) Name() string { return p.name }

// Digest is 16 hex digits, equal for equal allow-lists whatever their names.
func (p *Profile) Digest() string { return p.digest }

// Paths lists the Jamf fields of a kind that are kept, sorted: general.name, storage.disks[].device.
func (p *Profile) Paths(k Kind) []string {
	if fieldTable().schemaOf(k) == nil {
		return nil
	}
	return slices.Clone(p.keepOf(k).paths)
}

// Omitting is the same allow-list that leaves the keys it drops out of Jamf's shapes, or has them there with null or [], as Jamf's
// clients expect it. What is kept, stored and normalized is the same.
func (p *Profile) Omitting(omit bool) *Profile {
	if p.omits == omit {
		return p
	}
	q := *p
	q.omits = omit
	return &q
}

// Omits tells whether dropped keys are left out.
func (p *Profile) Omits() bool { return p.omits }

// View is equal for profiles that show the same in Jamf's shapes.
func (p *Profile) View() string {
	if p.omits {
		return p.Rendering() + " omit"
	}
	return p.Rendering()
}

// Intersect keeps what both allow; a client never sees more than its source keeps. Whether dropped keys are left out is as q says, who
// looks at it.
func (p *Profile) Intersect(q *Profile) *Profile {
	t := fieldTable()
	both := map[*field]bool{}
	for _, s := range []*schema{t.computer, t.mobile} {
		a, b := p.keepOf(s.kind), q.keepOf(s.kind)
		for i := range s.fields {
			both[&s.fields[i]] = a.fields[i] && b.fields[i]
		}
	}
	r := t.compile(p.name+"&"+q.name, func(f *field) bool { return both[f] })
	switch r.digest {
	case p.digest:
		return p.Omitting(q.omits)
	case q.digest:
		return q
	default:
		return r.Omitting(q.omits)
	}
}

// Beyond lists the fields of a kind that p keeps and q does not, by Jamf's paths, sorted.
func (p *Profile) Beyond(q *Profile, k Kind) []string {
	allowed := q.Paths(k)
	return slices.DeleteFunc(p.Paths(k), func(path string) bool {
		_, found := slices.BinarySearch(allowed, path)
		return found
	})
}

// Sections lists the Jamf section names (GENERAL, HARDWARE, ...) that must be asked for, in Jamf's order.
// Sections that only v1 of the computers knows (PLUGINS, FONTS) are never asked for: the current version refuses them.
func (p *Profile) Sections(k Kind) []string {
	s := fieldTable().schemaOf(k)
	if s == nil {
		return nil
	}
	var names []string
	kept := p.keepOf(k)
	for _, n := range s.sections {
		if kept.nodes[n.id] && (k == Mobile || n.shapes&shapeV4 != 0) {
			names = append(names, sectionName(n.name))
		}
	}
	return names
}

// Allows tells whether the normalized field ("identity.serialNumber") is shown for the kind; of a group ("os"),
// whether anything of it is. Unknown names are not shown.
func (p *Profile) Allows(k Kind, normalized string) bool {
	s := fieldTable().schemaOf(k)
	if s == nil {
		return false
	}
	kept := p.keepOf(k)
	return slices.ContainsFunc(s.normalized[normalized], func(i int) bool { return kept.fields[i] })
}

// Shows tells whether anything of a Jamf path or of the key of a section ("general.barcode1", "purchasing") is kept. Unknown ones are not.
func (p *Profile) Shows(k Kind, path string) bool {
	s := fieldTable().schemaOf(k)
	if s == nil {
		return false
	}
	n := s.lookup(path)
	return n != nil && p.keepOf(k).nodes[n.id]
}

// Hides tells whether the kind has the normalized field, and the profile shows nothing of it.
func (p *Profile) Hides(k Kind, normalized string) bool {
	s := fieldTable().schemaOf(k)
	return s != nil && len(s.normalized[normalized]) > 0 && !p.Allows(k, normalized)
}
