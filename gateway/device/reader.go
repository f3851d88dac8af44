package device

import (
	"bytes"
	"errors"
	"io"
	"math"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is how deep objects and arrays of a record may nest, dropped parts included.
const maxDepth = 64

// reader reads one record strictly and remembers where the kept values stand.
// Readers are pooled: release one when its record is done with.
type reader struct {
	dec     *jsontext.Decoder
	buf     bytes.Buffer
	schema  *schema
	keep    *keep
	omits   bool
	src     []byte // the record, and behind it what stands in place of its values
	length  int    // of the record
	entries []entry
	at      []int32 // node.id -> entry, 0 = none; only nodes outside of arrays
}

// entry is one kept value. An object or array is followed by its members.
type entry struct {
	node      *node
	kind      jsontext.Kind // KindNull also stands for a value of the wrong type
	name      span          // with its quotes; empty for elements
	value     span          // scalars only
	next      int32         // the entry after this value
	wrongType bool
}

type span struct{ start, end int32 }

func newReader() *reader {
	r := &reader{}
	r.dec = jsontext.NewDecoder(&r.buf)
	return r
}

// read finds what p keeps of a record of the kind. entries[0] is the record itself.
func read(k Kind, p *Profile, record []byte) (*reader, error) {
	t := fieldTable()
	s := t.schemaOf(k)
	if s == nil {
		return nil, &RecordError{Reason: "kind"}
	}
	r, _ := t.readers.Get().(*reader)
	r.start(record)
	r.schema, r.keep, r.omits = s, p.keepOf(k), p.omits
	if cap(r.at) < len(s.nodes) {
		r.at = make([]int32, len(s.nodes))
	}
	r.at = r.at[:len(s.nodes)]
	clear(r.at)
	err := r.record()
	if err != nil {
		err = r.recordError(err)
		r.release()
		return nil, err
	}
	if p.policy != nil {
		r.apply(p.policy)
	}
	return r, nil
}

func (r *reader) start(record []byte) {
	r.src, r.length = record, len(record)
	r.entries = r.entries[:0]
	r.buf = *bytes.NewBuffer(record) // the decoder reads it in place and never writes
	r.dec.Reset(&r.buf)
}

func (r *reader) release() {
	r.start(nil) // do not hold the record
	fieldTable().readers.Put(r)
}

var (
	errNotObject = errors.New("not an object")
	errTooDeep   = errors.New("too deep")
	errTooLarge  = errors.New("too large")
	errTrailing  = errors.New("trailing bytes")
	errNoID      = errors.New("no id")
)

func (r *reader) recordError(err error) error {
	e := &RecordError{Reason: "syntax", Offset: r.dec.InputOffset()}
	for _, known := range []error{errNotObject, errTooDeep, errTooLarge, errTrailing, errNoID} {
		if errors.Is(err, known) {
			e.Reason = known.Error()
			return e
		}
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		e.Reason = "duplicate name"
	}
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		e.Offset = syntactic.ByteOffset
	}
	return e
}

func (r *reader) record() error {
	if len(r.src) > math.MaxInt32 {
		return errTooLarge
	}
	if r.dec.PeekKind() != jsontext.KindBeginObject {
		if _, err := r.dec.ReadToken(); err != nil {
			return err
		}
		return errNotObject
	}
	if err := r.object(r.schema.root, span{}); err != nil {
		return err
	}
	return r.finish()
}

// finish sees to it that nothing follows the record.
func (r *reader) finish() error {
	_, err := r.dec.ReadToken()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil:
		return errTrailing
	default:
		return err
	}
}

// object reads the members of one object: the record, a nested object, an element of an array.
func (r *reader) object(n *node, name span) error {
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	self := r.add(n, jsontext.KindBeginObject, name, span{})
	for r.dec.PeekKind() != jsontext.KindEndObject {
		key, at, err := r.scalar()
		if err != nil {
			return err
		}
		child := n.byName[string(memberName(key))]
		if child == nil || !r.keep.nodes[child.id] {
			err = r.skip()
		} else {
			err = r.value(child, at)
		}
		if err != nil {
			return err
		}
	}
	return r.end(self)
}

// memberName is the name without quotes and escapes.
func memberName(quoted jsontext.Value) []byte {
	if len(quoted) >= 2 && bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	name, _ := jsontext.AppendUnquote(nil, quoted) // the decoder has checked it
	return name
}

// value reads one kept value; of another type than the table's it is remembered as null.
func (r *reader) value(n *node, name span) error {
	kind := r.dec.PeekKind()
	composite := kind == jsontext.KindBeginObject || kind == jsontext.KindBeginArray
	switch {
	case kind == jsontext.KindNull || n.form == formScalar && !composite:
		_, at, err := r.scalar()
		if err != nil {
			return err
		}
		r.end0(r.add(n, kind, name, at))
		return nil
	case n.form == formObject && kind == jsontext.KindBeginObject:
		return r.object(n, name)
	case n.form == formArray && kind == jsontext.KindBeginArray, n.form == formScalars && kind == jsontext.KindBeginArray:
		return r.array(n, name)
	default:
		r.wrong(n, name)
		return r.skip()
	}
}

func (r *reader) array(n *node, name span) error {
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	self := r.add(n, jsontext.KindBeginArray, name, span{})
	for {
		kind := r.dec.PeekKind()
		if kind == jsontext.KindEndArray {
			return r.end(self)
		}
		if err := r.element(n, kind); err != nil {
			return err
		}
	}
}

func (r *reader) element(n *node, kind jsontext.Kind) error {
	composite := kind == jsontext.KindBeginObject || kind == jsontext.KindBeginArray
	switch {
	case n.form == formArray && kind == jsontext.KindBeginObject:
		return r.object(n, span{})
	case kind == jsontext.KindNull || n.form == formScalars && !composite:
		_, at, err := r.scalar()
		if err != nil {
			return err
		}
		r.end0(r.add(n, kind, span{}, at))
		return nil
	default:
		r.wrong(n, span{})
		return r.skip()
	}
}

// scalar reads a name or a scalar; both are only valid until the next read.
func (r *reader) scalar() (jsontext.Value, span, error) {
	v, err := r.dec.ReadValue()
	if err != nil {
		return nil, span{}, err
	}
	end := r.dec.InputOffset()
	return v, span{int32(end - int64(len(v))), int32(end)}, nil
}

// skip passes over a dropped value, which must be as valid as a kept one.
func (r *reader) skip() error {
	v, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	if kind := v.Kind(); kind == jsontext.KindBeginObject || kind == jsontext.KindBeginArray {
		if r.dec.StackDepth()+nesting(v) > maxDepth {
			return errTooDeep
		}
	}
	return nil
}

// nesting is the depth of a valid JSON value.
func nesting(v []byte) int {
	depth, deepest := 0, 0
	for i := 0; i < len(v); i++ {
		switch v[i] {
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		case '"':
			for i++; i < len(v) && v[i] != '"'; i++ {
				if v[i] == '\\' {
					i++
				}
			}
		}
	}
	return deepest
}

func (r *reader) add(n *node, kind jsontext.Kind, name, value span) int {
	i := len(r.entries)
	r.entries = append(r.entries, entry{node: n, kind: kind, name: name, value: value})
	if name != (span{}) && !n.inArray {
		r.at[n.id] = int32(i)
	}
	return i
}

func (r *reader) wrong(n *node, name span) {
	i := r.add(n, jsontext.KindNull, name, span{})
	r.entries[i].wrongType = true
	r.end0(i)
}

// end0 closes an entry whose value has been read.
func (r *reader) end0(self int) {
	r.entries[self].next = int32(len(r.entries))
}

// end reads the closing bracket.
func (r *reader) end(self int) error {
	_, err := r.dec.ReadToken()
	r.end0(self)
	return err
}

func (r *reader) bytes(s span) []byte { return r.src[s.start:s.end] }
