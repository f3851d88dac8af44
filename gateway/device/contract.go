// Package device maps Jamf records: which fields may be kept, how a record is cut
// to them, and how the kept part is shown, normalized or in Jamf's own shapes.
// It is pure functions over bytes: it knows no network, no disk and no clock.
package device

import "time"

// Kind is one of the two id spaces of a Jamf Pro instance.
type Kind string

// The two kinds.
const (
	Computer Kind = "computer"
	Mobile   Kind = "mobile"
)

// MappingVersion changes whenever ColumnsOf or AppendNormalized would answer differently for the same record.
const MappingVersion = 1

// Profile is a compiled allow-list of Jamf fields of both kinds. Immutable, safe for concurrent use.
type Profile struct{}

// BuiltinProfile returns "minimal" or "full".
func BuiltinProfile(name string) (*Profile, bool) { panic("contract") }

// NewProfile compiles an own profile. Each entry of fields is a normalized name ("os.version"), a normalized
// group ("os"), or a Jamf path with its kind ("computer:general.barcode1"). base may be nil.
// The error is *UnknownFieldError (names the nearest known field) or *ForbiddenFieldError (airPlayPassword, lost mode, ...).
func NewProfile(name string, base *Profile, fields []string) (*Profile, error) { panic("contract") }

func (p *Profile) Name() string   { panic("contract") }
func (p *Profile) Digest() string { panic("contract") } // 16 hex digits; equal for equal allow-lists

// Intersect keeps what both allow; a client never sees more than its source keeps.
func (p *Profile) Intersect(q *Profile) *Profile { panic("contract") }

// Sections lists the Jamf section names (GENERAL, HARDWARE, ...) that must be asked for, in Jamf's order.
func (p *Profile) Sections(k Kind) []string { panic("contract") }

// Allows tells whether the normalized field ("identity.serialNumber") is shown for the kind.
func (p *Profile) Allows(k Kind, normalized string) bool { panic("contract") }

// Cut appends the allowed part of one Jamf record to dst: values verbatim, key order kept, everything unlisted
// dropped, a value of the wrong JSON type (object where a scalar is known) replaced by null. The record is read
// strictly (json/v2: duplicate names, invalid UTF-8, trailing bytes, depth > 64 are errors): *RecordError.
func (p *Profile) Cut(k Kind, dst, record []byte) ([]byte, error) { panic("contract") }

// RecordID reads the Jamf id of a record ("id" for computers and the plain mobile list, "mobileDeviceId" for mobile detail),
// a positive decimal string (a JSON number is accepted). *RecordError otherwise.
func RecordID(k Kind, record []byte) (int64, error) { panic("contract") }

// Columns are the narrow, indexed values of one cut record. "" , nil and the zero time mean unknown.
type Columns struct {
	SerialNumber    string // trimmed, upper case, sentinels removed
	UDID            string // as Jamf writes it
	ManagementID    string
	AssetTag        string
	Name            string
	Platform        string // normalized os.platform: macos, ios, ipados, tvos, watchos, visionos, unknown
	OSVersion       string // versionNormalized
	ModelIdentifier string
	Managed         *bool
	LastContact     time.Time // newest of last contact and last check-in
	LastInventory   time.Time
}

// ColumnsOf derives the columns from a cut record.
func ColumnsOf(k Kind, record []byte) (Columns, error) { panic("contract") }

// View is one device as one client may see it.
type View struct {
	Source      string
	Kind        Kind
	ID          int64
	Record      []byte   // as stored (cut to the source's profile)
	Profile     *Profile // the effective one (source intersected with client)
	State       string   // "present" or "quarantined"
	DuplicateOf []string // uids with the same serial in the caller's view, never nil in the output
}

// UID is source:kind:jamfId.
func UID(source string, k Kind, id int64) string { panic("contract") }

// ParseUID is the inverse of UID.
func ParseUID(uid string) (source string, k Kind, id int64, err error) { panic("contract") }

// AppendNormalized appends the normalized device (facts: device-model 2.3, 2.4, without anything that is a clock) as compact JSON.
func AppendNormalized(dst []byte, v View) ([]byte, error) { panic("contract") }

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
)

// Sections is a set of the sections of one shape.
type Sections uint64

// ParseSections reads section parameters: repeated or comma-joined, any case. None = the default, GENERAL.
// The error is *UnknownSectionError.
func ParseSections(s Shape, values []string) (Sections, error) { panic("contract") }

// AllSections is every section of the shape.
func AllSections(s Shape) Sections { panic("contract") }

// AppendJamf appends one stored record in a shape of Jamf's: every key that Jamf always sends stands there in Jamf's order;
// sections not asked for and fields that p drops are null ([] never for a section not asked for). Version differences
// (lastContactTime/lastReportedIp of v1-v3 against lastCheckIn/lastContact of v4; plugins and fonts in v1) are handled
// whichever version the record was read with.
func AppendJamf(dst []byte, s Shape, sec Sections, p *Profile, record []byte) ([]byte, error) {
	panic("contract")
}

// RecordError tells why one record cannot be read.
type RecordError struct{ Reason string }

func (e *RecordError) Error() string { return e.Reason }
