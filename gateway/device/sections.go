package device

import (
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
