package fakejamf

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// absent is the text that is written as JSON null.
const absent = "\x00"

const indents = "                                        "

// writer writes JSON in the manner of Jamf's server: two spaces an object level, " : " after a key, arrays in line.
// It keeps no tree: a record goes out as it is made.
type writer struct {
	b        []byte
	depth    int
	first    bool // nothing stands in the open object or array yet
	afterKey bool
}

func (w *writer) newline() {
	w.b = append(w.b, '\n')
	w.b = append(w.b, indents[:min(2*w.depth, len(indents))]...)
}

func (w *writer) element() {
	switch {
	case w.afterKey:
		w.afterKey = false
	case w.depth == 0 && len(w.b) == 0:
	case w.first:
		w.b = append(w.b, ' ')
	default:
		w.b = append(w.b, ", "...)
	}
	w.first = false
}

func (w *writer) key(k string) {
	if !w.first {
		w.b = append(w.b, ',')
	}
	w.first = false
	w.newline()
	w.b = append(w.b, '"')
	w.b = append(w.b, k...)
	w.b = append(w.b, `" : `...)
	w.afterKey = true
}

func (w *writer) openObject() {
	w.element()
	w.b = append(w.b, '{')
	w.depth++
	w.first = true
}

func (w *writer) closeObject() {
	w.depth--
	if w.first {
		w.b = append(w.b, ' ')
	} else {
		w.newline()
	}
	w.b = append(w.b, '}')
	w.first = false
}

func (w *writer) openArray() {
	w.element()
	w.b = append(w.b, '[')
	w.first = true
}

func (w *writer) closeArray() {
	w.b = append(w.b, " ]"...)
	w.first = false
}

func (w *writer) object(k string) { w.key(k); w.openObject() }
func (w *writer) array(k string)  { w.key(k); w.openArray() }

func (w *writer) null(k string) {
	w.key(k)
	w.element()
	w.b = append(w.b, "null"...)
}

func (w *writer) str(k, v string) {
	w.key(k)
	w.value(v)
}

func (w *writer) num(k string, v int) {
	w.key(k)
	w.element()
	w.b = strconv.AppendInt(w.b, int64(v), 10)
}

func (w *writer) float(k string, v float64) {
	w.key(k)
	w.element()
	w.b = strconv.AppendFloat(w.b, v, 'f', 1, 64)
}

func (w *writer) yes(k string, v bool) {
	w.key(k)
	w.element()
	w.b = strconv.AppendBool(w.b, v)
}

// strs writes an array of strings.
func (w *writer) strs(k string, vs ...string) {
	w.array(k)
	for _, v := range vs {
		w.value(v)
	}
	w.closeArray()
}

// id writes a number as Jamf writes ids: as a string.
func (w *writer) id(k string, v int64) {
	w.key(k)
	w.element()
	w.b = append(w.b, '"')
	w.b = strconv.AppendInt(w.b, v, 10)
	w.b = append(w.b, '"')
}

// date writes a moment with 0 to 3 fraction digits, trailing zeros cut; the zero time is null.
func (w *writer) date(k string, t time.Time) {
	if t.IsZero() {
		w.null(k)
		return
	}
	w.key(k)
	w.element()
	w.b = append(w.b, '"')
	w.b = t.UTC().AppendFormat(w.b, "2006-01-02T15:04:05.999Z")
	w.b = append(w.b, '"')
}

// day writes a calendar date without a zone; the zero time is null.
func (w *writer) day(k string, t time.Time) {
	if t.IsZero() {
		w.null(k)
		return
	}
	w.key(k)
	w.element()
	w.b = append(w.b, '"')
	w.b = t.UTC().AppendFormat(w.b, time.DateOnly)
	w.b = append(w.b, '"')
}

// value writes a string, or null for absent, escaping what JSON demands and nothing else.
func (w *writer) value(v string) {
	w.element()
	if v == absent {
		w.b = append(w.b, "null"...)
		return
	}
	w.b = append(w.b, '"')
	from := 0
	for i := range len(v) {
		c := v[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		w.b = append(w.b, v[from:i]...)
		w.b = appendEscape(w.b, c)
		from = i + 1
	}
	w.b = append(w.b, v[from:]...)
	w.b = append(w.b, '"')
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	const hex = "0123456789ABCDEF"
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// validText replaces what is no UTF-8, so that a name given by a test cannot break the JSON of a page.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}
