package device

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// AppendJamf appends one stored record in a shape of Jamf's: every key that Jamf always sends stands there in Jamf's order.
// Sections not asked for are null. Of a section asked for, what p drops or the record does not have is null, and []
// where Jamf sends an array, so that a client that walks over it does not trip; a profile that omits leaves out the keys that it
// drops, those of Jamf's that no list gives among them. Version differences
// (lastContactTime/lastReportedIp of v1-v3 against lastCheckIn/lastContact of v4; plugins and fonts in v1) are handled
// whichever version the record was read with. The error is *RecordError, and dst as it was.
func AppendJamf(dst []byte, s Shape, sec Sections, p *Profile, record []byte) ([]byte, error) {
	r, err := read(s.Kind(), p, record)
	if err != nil {
		return dst, err
	}
	defer r.release()
	if s == MobileSummary {
		return r.appendSummary(dst), nil
	}
	if s == MobileByID {
		return r.appendByID(dst), nil
	}
	w := jamfWriter{r: r, shape: s.set()}
	if s == MobileDetail {
		w.shape = r.deviceShape()
	}
	dst = append(dst, '{')
	next := int32(1)
	for _, n := range r.schema.root.children {
		if !w.has(n) {
			continue
		}
		dst = appendLabel(dst, n)
		if n.section >= 0 && !sec.has(n.section) {
			dst = append(dst, "null"...)
			continue
		}
		var at int32
		at, next = r.member(0, next, n)
		dst = w.append(dst, n, at)
	}
	return append(dst, '}'), nil
}

// jamfWriter renders the kept values of one record into one shape.
type jamfWriter struct {
	r     *reader
	shape shapeSet
}

// has tells whether the answer has the key of a node. It is asked for every key: it must stay small enough to be inlined.
func (w *jamfWriter) has(n *node) bool {
	return n.shapes&w.shape != 0 && (!w.r.omits || w.keeps(n))
}

// keeps is has of a profile that omits. Fields of another version alone keep no object alive.
func (w *jamfWriter) keeps(n *node) bool {
	return w.r.shows(n) && (len(n.children) == 0 || slices.ContainsFunc(n.children, w.has))
}

// shows tells whether the key of a node stands in the answer: always, but where a profile that omits drops it.
func (r *reader) shows(n *node) bool {
	return !r.omits || r.keep.nodes[n.id] || slices.ContainsFunc(n.or, func(other *node) bool { return r.keep.nodes[other.id] })
}

// showsPath is shows of the field at a path, which may end without its [].
func (r *reader) showsPath(path string) bool {
	if !r.omits {
		return true
	}
	n := r.schema.lookup(path)
	return n != nil && r.shows(n)
}

func appendLabel(dst []byte, n *node) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	return append(dst, n.label...)
}

// append renders the value of one key; at is its entry, 0 when the record has none that is kept.
func (w *jamfWriter) append(dst []byte, n *node, at int32) []byte {
	if at == 0 {
		return w.absent(dst, n)
	}
	e := &w.r.entries[at]
	switch {
	case e.kind == jsontext.KindBeginObject:
		return w.object(dst, n, at)
	case e.kind == jsontext.KindBeginArray && n.form == formArray:
		dst = append(dst, '[')
		for i := at + 1; i < e.next; i = w.r.entries[i].next {
			if i > at+1 {
				dst = append(dst, ',')
			}
			if w.r.entries[i].kind == jsontext.KindBeginObject {
				dst = w.object(dst, n, i)
			} else {
				dst = append(dst, "null"...)
			}
		}
		return append(dst, ']')
	default:
		return w.r.appendCut(dst, at)
	}
}

func (w *jamfWriter) object(dst []byte, n *node, at int32) []byte {
	dst = append(dst, '{')
	next := at + 1
	for _, child := range n.children {
		if !w.has(child) {
			continue
		}
		dst = appendLabel(dst, child)
		var found int32
		found, next = w.r.member(at, next, child)
		for _, other := range child.or {
			if found != 0 && w.r.entries[found].kind != jsontext.KindNull {
				break
			}
			if i, _ := w.r.member(at, next, other); i != 0 {
				found = i
			}
		}
		dst = w.append(dst, child, found)
	}
	return append(dst, '}')
}

// member finds the entry of n in the object at, looking from the entry next on, round to the one before:
// Jamf's own order finds each at once. It returns 0 for none, and where to look next.
func (r *reader) member(at, next int32, n *node) (found, after int32) {
	first, end := at+1, r.entries[at].next
	for i := next; i < end; i = r.entries[i].next {
		if r.entries[i].node == n {
			return i, r.entries[i].next
		}
	}
	for i := first; i < next && i < end; i = r.entries[i].next {
		if r.entries[i].node == n {
			return i, r.entries[i].next
		}
	}
	return 0, next
}

// absent renders a key without a kept value.
func (w *jamfWriter) absent(dst []byte, n *node) []byte {
	switch {
	case n.form == formArray || n.form == formScalars:
		return append(dst, "[]"...)
	case n.form == formScalar || n.never:
		return append(dst, "null"...)
	}
	dst = append(dst, '{')
	for _, child := range n.children {
		if w.has(child) {
			dst = w.absent(appendLabel(dst, child), child)
		}
	}
	return append(dst, '}')
}

// deviceShape is the shape that goes with a mobile device's type. Unknown (rows that are no Apple device) has no
// general key; a type newer than the table keeps what all types have.
func (r *reader) deviceShape() shapeSet {
	switch deviceType := string(bytes.ToLower(r.text("deviceType"))); deviceType {
	case "ios", "ipados":
		return shapeIOS
	case "tvos":
		return shapeTvOS
	case "watchos":
		return shapeWatchOS
	case "visionos":
		return shapeVisionOS
	case "unknown":
		return shapeUnknown
	case "":
		if r.present("general") {
			return shapeOther
		}
		return shapeUnknown
	default:
		return shapeOther
	}
}

// summaryFields are the 12 keys of the plain list, in Jamf's order, and where the detail record has them.
func summaryFields() [12][2]string {
	return [12][2]string{
		{"id", "mobileDeviceId"},
		{"name", "general.displayName"},
		{"serialNumber", "hardware.serialNumber"},
		{"wifiMacAddress", "hardware.wifiMacAddress"},
		{"udid", "general.udid"},
		{"phoneNumber", "network.phoneNumber"},
		{"model", "hardware.model"},
		{"modelIdentifier", "hardware.modelIdentifier"},
		{"username", "userAndLocation.username"},
		{"type", "deviceType"},
		{"managementId", "general.managementId"},
		{"softwareUpdateDeviceId", "general.softwareUpdateDeviceId"},
	}
}

func (r *reader) appendSummary(dst []byte) []byte {
	dst = append(dst, '{')
	for _, f := range summaryFields() {
		if !r.showsPath(f[1]) {
			continue
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = append(dst, f[0]...)
		dst = append(dst, '"', ':')
		if f[0] == "type" {
			dst = append(dst, lowerType(r.deviceShape())...)
			continue
		}
		if at := r.entryAt(f[1]); at != 0 {
			dst = r.appendCut(dst, at)
		} else {
			dst = append(dst, "null"...)
		}
	}
	return append(dst, '}')
}
