package device

import (
	"github.com/go-json-experiment/json/jsontext"
)

// Cut appends the allowed part of one Jamf record to dst: values verbatim, key order kept, everything unlisted
// dropped, a value of the wrong JSON type (object where a scalar is known) replaced by null. The record is read
// strictly (json/v2: duplicate names, invalid UTF-8, trailing bytes, depth > 64 are errors): *RecordError, and dst as it was.
func (p *Profile) Cut(k Kind, dst, record []byte) ([]byte, error) {
	r, err := read(k, p, record)
	if err != nil {
		return dst, err
	}
	defer r.release()
	return r.appendCut(dst, 0), nil
}

func (r *reader) appendCut(dst []byte, i int32) []byte {
	e := &r.entries[i]
	switch e.kind {
	case jsontext.KindBeginObject, jsontext.KindBeginArray:
		dst = append(dst, byte(e.kind))
		for child := i + 1; child < e.next; child = r.entries[child].next {
			if child > i+1 {
				dst = append(dst, ',')
			}
			if name := r.entries[child].name; name != (span{}) {
				dst = append(dst, r.bytes(name)...)
				dst = append(dst, ':')
			}
			dst = r.appendCut(dst, child)
		}
		return append(dst, byte(e.kind)+2) // '}' and ']' stand two after '{' and '['
	case jsontext.KindNull:
		return append(dst, "null"...)
	default:
		return append(dst, r.bytes(e.value)...)
	}
}

// RecordID reads the Jamf id of a record ("id" for computers and the plain mobile list, "mobileDeviceId" for mobile detail),
// a positive decimal string (a JSON number is accepted). *RecordError otherwise, also when the rest of the record cannot be read.
func RecordID(k Kind, record []byte) (int64, error) {
	t := fieldTable()
	if t.schemaOf(k) == nil {
		return 0, &RecordError{Reason: "kind"}
	}
	r, _ := t.readers.Get().(*reader)
	defer r.release()
	r.start(record)
	id, err := r.recordID(k)
	if err != nil {
		return 0, r.recordError(err)
	}
	return id, nil
}

func (r *reader) recordID(k Kind) (int64, error) {
	token, err := r.dec.ReadToken()
	if err != nil {
		return 0, err
	}
	if token.Kind() != jsontext.KindBeginObject {
		return 0, errNotObject
	}
	var id, detailID int64 // 0: not there; -1: not an id
	for r.dec.PeekKind() != jsontext.KindEndObject {
		name, err := r.dec.ReadValue()
		if err != nil {
			return 0, err
		}
		switch key := memberName(name); {
		case string(key) == "id":
			id, err = r.readID()
		case string(key) == "mobileDeviceId" && k == Mobile:
			detailID, err = r.readID()
		default:
			err = r.skip()
		}
		if err != nil {
			return 0, err
		}
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return 0, err
	}
	if err := r.finish(); err != nil {
		return 0, err
	}
	if detailID != 0 {
		id = detailID
	}
	if id <= 0 {
		return 0, errNoID
	}
	return id, nil
}

// readID reads one value as an id, -1 when it is none.
func (r *reader) readID() (int64, error) {
	kind := r.dec.PeekKind()
	if kind != jsontext.KindString && kind != jsontext.KindNumber {
		return -1, r.skip()
	}
	v, err := r.dec.ReadValue()
	if err != nil {
		return 0, err
	}
	if kind == jsontext.KindString {
		v = memberName(v)
	}
	id, ok := parseID(string(v))
	if !ok {
		return -1, nil
	}
	return id, nil
}
