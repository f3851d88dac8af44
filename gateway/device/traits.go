package device

import (
	"hash/fnv"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Traits are what two states of a device are compared by without their records: which hardware it is, and which of its fields
// say something. The hashes are FNV-1a over the serial number (as in Columns) and over the UDID in upper case; 0 = unknown.
type Traits struct {
	Serial, UDID uint64
	Shape        []byte // bit i%8 of byte i/8: paths[i] of NewTraitReader has a value: it, or the list that it stands in, is neither null nor ""
}

// TraitReader finds the traits of records that hold the fields of one list of paths. Safe for concurrent use.
type TraitReader struct {
	kind Kind
	bits []int32 // by index in schema.fields: the bit of Shape, -1 = none
	size int     // of Shape, in bytes
}

// NewTraitReader takes the paths of a kind as Profile.Paths lists them; unknown ones never have a value.
func NewTraitReader(k Kind, paths []string) *TraitReader {
	t := &TraitReader{kind: k, size: (len(paths) + 7) / 8}
	s := fieldTable().schemaOf(k)
	if s == nil {
		return t
	}
	t.bits = make([]int32, len(s.fields))
	for i := range s.fields {
		t.bits[i] = int32(slices.Index(paths, s.fields[i].path))
	}
	return t
}

// Of reads the traits of one cut record. The error is *RecordError.
func (t *TraitReader) Of(record []byte) (Traits, error) {
	r, err := read(t.kind, fieldTable().everything, record)
	if err != nil {
		return Traits{}, err
	}
	defer r.release()
	return t.of(r), nil
}

func (t *TraitReader) of(r *reader) Traits {
	out := Traits{
		Serial: hashOf(parseSerial(r.find("identity.serialNumber"))),
		UDID:   hashOf(strings.ToUpper(string(r.find("identity.udid")))),
		Shape:  make([]byte, t.size),
	}
	for i := range r.entries {
		e := &r.entries[i]
		switch {
		case e.node.inArray || e.name == (span{}), e.kind == jsontext.KindNull, e.kind == jsontext.KindBeginObject:
			continue // a list speaks for its elements, and an object says something by its members
		case e.kind == jsontext.KindString && e.value.end-e.value.start <= 2:
			continue
		}
		for f := e.node.lo; f < e.node.hi; f++ {
			if bit := t.bits[f]; bit >= 0 {
				out.Shape[bit/8] |= 1 << (bit % 8)
			}
		}
	}
	return out
}

func hashOf(text string) uint64 {
	if text == "" {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(text)) // it never fails
	return h.Sum64()
}

// SentBy tells whether a version of Jamf's API ("v1" to "v4" for computers) sends a field at all; of mobile devices and of
// versions that are not known, every field is expected.
func SentBy(k Kind, path, version string) bool {
	s := fieldTable().schemaOf(k)
	if k != Computer || s == nil {
		return true
	}
	set, err := parseShapes(strings.TrimPrefix(version, "v"))
	n := s.byPath[path]
	if err != nil || n == nil || len(version) != 2 {
		return true
	}
	return n.shapes&set != 0
}

// Label is what a person knows a device by: its name and its serial number, "" where the record has none.
func Label(k Kind, record []byte) (name, serial string) {
	r, err := read(k, fieldTable().everything, record)
	if err != nil {
		return "", ""
	}
	defer r.release()
	return string(r.find("name")), parseSerial(r.find("identity.serialNumber"))
}
