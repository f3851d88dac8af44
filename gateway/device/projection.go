package device

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Projection is the part of a normalized device that a request asks for. Keys keep their order; what is not asked
// for is left out, and what is asked for stands there as ever, null where nothing is known. nil shows everything.
type Projection struct {
	asked *part
	names []string
}

// part is an object of which only some members are copied; a nil member is copied whole.
type part struct{ members map[string]*part }

// FieldNameError names a field that the normalized device does not have, and the nearest that it has.
type FieldNameError struct{ Name, Nearest string }

func (e *FieldNameError) Error() string {
	return fmt.Sprintf("there is no field %s, did you mean %s?", e.Name, e.Nearest)
}

const maxProjection = 200 // names

// alwaysShown tell which device it is.
func alwaysShown() []string { return []string{"uid", "source", "kind"} }

// notMapped are the names of the normalized device that come from no field of Jamf.
func notMapped() []string {
	return append(alwaysShown(), "deviceType", "sync", "sync.state", "sync.sections", "sync.warnings", "sync.duplicateOf")
}

// ParseProjection reads names of fields and of objects, joined by commas: "identity.serialNumber,os". uid, source and
// kind are always among them. The error is *FieldNameError.
func ParseProjection(text string) (*Projection, error) {
	names := alwaysShown()
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if !knownField(name) || len(names) == maxProjection {
			return nil, &FieldNameError{Name: name, Nearest: nearestField(name)}
		}
		names = append(names, name)
	}
	slices.Sort(names)
	p := &Projection{asked: &part{members: map[string]*part{}}}
	for _, name := range slices.Compact(names) {
		if p.asked.add(strings.Split(name, ".")) {
			p.names = append(p.names, name)
		}
	}
	return p, nil
}

// add enters a path; false when all of an object above it is asked for already. Paths come in order, the shorter first.
func (w *part) add(path []string) bool {
	for i, key := range path {
		next, known := w.members[key]
		switch {
		case known && next == nil:
			return false
		case i == len(path)-1:
			w.members[key] = nil
		case !known:
			next = &part{members: map[string]*part{}}
			w.members[key] = next
		}
		w = next
	}
	return true
}

// Canonical is the projection in one spelling: two that show the same have the same. "" = everything.
func (p *Projection) Canonical() string {
	if p == nil {
		return ""
	}
	return strings.Join(p.names, ",")
}

// Append appends the asked part of a normalized device as AppendNormalized wrote it.
func (p *Projection) Append(dst, body []byte) ([]byte, error) {
	out := bytes.NewBuffer(dst)
	dec := jsontext.NewDecoder(bytes.NewReader(body))
	if err := p.asked.copy(out, dec); err != nil {
		return dst, fmt.Errorf("show some fields of a device: %w", err)
	}
	return out.Bytes(), nil
}

func (w *part) copy(out *bytes.Buffer, dec *jsontext.Decoder) error {
	kind := dec.PeekKind()
	if w == nil || kind != jsontext.KindBeginObject && kind != jsontext.KindBeginArray {
		v, err := dec.ReadValue()
		out.Write(v)
		return err
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	if kind == jsontext.KindBeginArray {
		return w.copyElements(out, dec)
	}
	out.WriteByte('{')
	for first := true; dec.PeekKind() != jsontext.KindEndObject; {
		key, err := dec.ReadValue()
		if err != nil {
			return err
		}
		next, shown := w.members[string(bytes.Trim(key, `"`))] // our keys need no escapes
		if !shown {
			if err := dec.SkipValue(); err != nil {
				return err
			}
			continue
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		out.Write(key)
		out.WriteByte(':')
		if err := next.copy(out, dec); err != nil {
			return err
		}
	}
	out.WriteByte('}')
	_, err := dec.ReadToken()
	return err
}

func (w *part) copyElements(out *bytes.Buffer, dec *jsontext.Decoder) error {
	out.WriteByte('[')
	for first := true; dec.PeekKind() != jsontext.KindEndArray; first = false {
		if !first {
			out.WriteByte(',')
		}
		if err := w.copy(out, dec); err != nil {
			return err
		}
	}
	out.WriteByte(']')
	_, err := dec.ReadToken()
	return err
}

func knownField(name string) bool {
	t := fieldTable()
	return t.computer.normalized[name] != nil || t.mobile.normalized[name] != nil || slices.Contains(notMapped(), name)
}

func nearestField(name string) string {
	names := notMapped()
	for _, s := range []*schema{fieldTable().computer, fieldTable().mobile} {
		for known := range s.normalized {
			names = append(names, known)
		}
	}
	return nearestOf(name, names)
}
