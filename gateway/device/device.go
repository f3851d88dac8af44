// Package device maps Jamf records: which fields may be kept, how a record is cut
// to them, and how the kept part is shown, normalized or in Jamf's own shapes.
// It is pure functions over bytes: it knows no network, no disk and no clock.
package device

// Kind is one of the two id spaces of a Jamf Pro instance.
type Kind string

// The two kinds.
const (
	Computer Kind = "computer"
	Mobile   Kind = "mobile"
)

// MappingVersion changes whenever ColumnsOf, Facts or AppendNormalized would answer differently for the same record.
const MappingVersion = 4
