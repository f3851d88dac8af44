package device

import (
	"maps"
	"slices"
	"strings"
)

// Shape is one of the record shapes of Jamf's API.
type Shape uint8

// The shapes served.
const (
	ComputerV1 Shape = iota + 1
	ComputerV2
	ComputerV3
	ComputerV4
	MobileDetail  // results[] of /v2/mobile-devices/detail
	MobileSummary // results[] of /v2/mobile-devices: exactly 12 fields
	MobileByID    // /v2/mobile-devices/{id}/detail: a shape of its own, without sections
)

// The bits of the letters in the table's column "shapes".
const (
	shapeV1 shapeSet = 1 << iota
	shapeV2
	shapeV3
	shapeV4
	shapeIOS
	shapeTvOS
	shapeWatchOS
	shapeVisionOS
	shapeOther
	shapeUnknown

	shapesMobile = shapeIOS | shapeTvOS | shapeWatchOS | shapeVisionOS | shapeOther | shapeUnknown
)

// Kind is the kind of device that has the shape, "" of no shape.
func (s Shape) Kind() Kind {
	switch s {
	case ComputerV1, ComputerV2, ComputerV3, ComputerV4:
		return Computer
	case MobileDetail, MobileSummary, MobileByID:
		return Mobile
	default:
		return ""
	}
}

// set is what of the table the shape can have.
func (s Shape) set() shapeSet {
	switch s {
	case ComputerV1, ComputerV2, ComputerV3, ComputerV4:
		return shapeV1 << (s - ComputerV1)
	case MobileDetail:
		return shapesMobile
	default:
		return 0
	}
}

// Sections is a set of the sections of one shape.
type Sections uint64

func (s Sections) has(section int) bool { return s>>section&1 == 1 }

// ParseSections reads section parameters: repeated or comma-joined, any case. None = the default, GENERAL.
// The plain list of mobile devices and the detail by id have no sections and, as Jamf's, takes no notice of the parameter.
// The error is *UnknownSectionError.
func ParseSections(s Shape, values []string) (Sections, error) {
	known := fieldTable().schemaOf(s.Kind())
	if known == nil || s == MobileSummary || s == MobileByID {
		return 0, nil
	}
	var set Sections
	for _, value := range values {
		for item := range strings.SplitSeq(value, ",") {
			item = strings.TrimSpace(item)
			if item == "" {
				continue
			}
			at := slices.IndexFunc(known.sections, func(n *node) bool {
				return n.shapes&s.set() != 0 && strings.EqualFold(sectionName(n.name), item)
			})
			if at < 0 {
				return 0, &UnknownSectionError{Section: item}
			}
			set |= 1 << at
		}
	}
	if set == 0 {
		set = 1 // GENERAL is the first section of both kinds
	}
	return set, nil
}

// SectionNames are Jamf's words for the sections of a kind; the index is the bit in Sections.
func SectionNames(k Kind) []string {
	known := fieldTable().schemaOf(k)
	if known == nil {
		return nil
	}
	return known.words
}

// Dropped lists the fields of a shape that are asked for with the sections and that p does not show, by Jamf's paths, sorted. The
// detail by id has the names of the list of details.
func Dropped(s Shape, sec Sections, p *Profile) []string {
	known := fieldTable().schemaOf(s.Kind())
	if known == nil {
		return nil
	}
	var asked []int
	if s == MobileSummary {
		for _, f := range summaryFields() {
			asked = append(asked, known.byPath[f[1]].lo)
		}
	} else {
		shapes := s.set()
		if s == MobileByID {
			shapes, sec = shapesMobile, AllSections(MobileDetail)
		}
		for i := range known.fields {
			top := sectionOf(known.fields[i].leaf)
			if known.fields[i].leaf.shapes&shapes != 0 && (top.section < 0 || sec.has(top.section)) {
				asked = append(asked, i)
			}
		}
	}
	var out []string
	for _, i := range asked {
		if !p.keepOf(s.Kind()).fields[i] {
			out = append(out, known.fields[i].path)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Sent counts the fields that Jamf sends in a shape when these sections are asked for, those among them that are never kept.
func Sent(s Shape, sections []string) int {
	known := fieldTable().schemaOf(s.Kind())
	sec, err := ParseSections(s, sections)
	if known == nil || err != nil {
		return 0
	}
	shapes := s.set()
	if s == MobileDetail {
		shapes = shapeIOS // which has more than the others
	}
	n := 0
	for i := range known.fields {
		top := sectionOf(known.fields[i].leaf)
		if known.fields[i].leaf.shapes&shapes != 0 && (top.section < 0 || sec.has(top.section)) {
			n++
		}
	}
	return n
}

// AllSections is every section of the shape.
func AllSections(s Shape) Sections {
	var set Sections
	if known := fieldTable().schemaOf(s.Kind()); known != nil {
		for i, n := range known.sections {
			if n.shapes&s.set() != 0 {
				set |= 1 << i
			}
		}
	}
	return set
}

// FieldWords are the words that names of fields are made of, Jamf's and the normalized ones: general, name, serialNumber.
func FieldWords() []string {
	words := map[string]bool{}
	enter := func(name string) {
		for word := range strings.SplitSeq(strings.ReplaceAll(name, "[]", ""), ".") {
			words[word] = true
		}
	}
	for _, s := range []*schema{fieldTable().computer, fieldTable().mobile} {
		for path := range s.byPath {
			enter(path)
		}
		for name := range s.normalized {
			enter(name)
		}
	}
	for _, dialect := range selectorTable().names {
		for name := range dialect {
			enter(name)
		}
	}
	for _, name := range notMapped() {
		enter(name)
	}
	return slices.Sorted(maps.Keys(words))
}
