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
