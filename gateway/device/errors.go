package device

import "fmt"

// RecordError says that the bytes of a record cannot be used. It names the reason
// and the place, never a value. Asking Jamf again may help, reading again does not.
type RecordError struct {
	Reason string // "syntax", "duplicate name", "too deep", "trailing bytes", "not an object", "no id", "kind"
	Offset int64  // bytes from the start of the record
}

func (e *RecordError) Error() string {
	return fmt.Sprintf("read record: %s at byte %d", e.Reason, e.Offset)
}

// UnknownFieldError says that a profile names a field that no record has.
type UnknownFieldError struct {
	Field   string // as written
	Nearest string // the known name that comes nearest
}

func (e *UnknownFieldError) Error() string {
	return fmt.Sprintf("compile profile: unknown field %q (nearest: %q)", e.Field, e.Nearest)
}

// ForbiddenFieldError says that a profile names a secret or a person's place,
// which no profile may keep.
type ForbiddenFieldError struct {
	Field string // as written
}

func (e *ForbiddenFieldError) Error() string {
	return fmt.Sprintf("compile profile: field %q is kept by no profile", e.Field)
}

// UnknownSectionError says that a request names a section that the shape does not have.
type UnknownSectionError struct {
	Section string // as written
}

func (e *UnknownSectionError) Error() string {
	return fmt.Sprintf("read sections: unknown section %q", e.Section)
}

// Refusal is why a selector cannot be used.
type Refusal uint8

// The refusals.
const (
	Unknown       Refusal = iota + 1 // the dialect has no such name; Detail is the nearest one
	Hidden                           // the caller's profile drops a field that the selector is made of
	NotKept                          // the profile of the source drops what the selector is made of
	NoSource                         // a name of Jamf's that no list gives a value for; Detail says why
	NotFilterable                    // a name of sorts alone
	NotSortable                      // a name of filters alone
	BadValue                         // the value is not of the selector's type, or has no order; Detail goes on after "the value"
	BadDirection                     // neither asc nor desc
	Repeated                         // twice in one sort
)

// SelectorError says which selector of a filter or a sort cannot be used. It depends on the request, the profiles and
// the table, never on a device.
type SelectorError struct {
	Selector string // as written
	At       int    // byte offset in the filter, -1 in a sort
	Why      Refusal
	Detail   string
}

func (e *SelectorError) Error() string {
	switch e.Why {
	case Unknown:
		return fmt.Sprintf("selector %q is unknown (nearest: %q)", e.Selector, e.Detail)
	case Hidden, NotKept: // which of both is nobody's business
		return fmt.Sprintf("selector %q: the profile does not show it", e.Selector)
	case NoSource:
		return fmt.Sprintf("selector %q has no values: %s", e.Selector, e.Detail)
	case NotFilterable:
		return fmt.Sprintf("selector %q is for sorting only", e.Selector)
	case NotSortable:
		return fmt.Sprintf("selector %q is for filtering only", e.Selector)
	case BadValue:
		return fmt.Sprintf("selector %q: the value %s", e.Selector, e.Detail)
	case BadDirection:
		return fmt.Sprintf("selector %q: the direction must be asc or desc", e.Selector)
	default:
		return fmt.Sprintf("selector %q stands twice", e.Selector)
	}
}
