// Package canary finds values that must not stand somewhere, in whatever spelling: as they are, in base64, hex, percent or
// JSON escapes, compressed, or in the rows of a database. It knows nothing of the gateway. Only tests use it.
package canary

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"
)

// MinLength is the shortest value that can be looked for, in bytes: a shorter one would be met by chance.
const MinLength = 6

// Value is something that must not be found.
type Value struct {
	Name string // as a hit calls it: "client secret", "email of computer 7"
	Text string // MinLength bytes or more
}

// Hit is a value that was found.
type Hit struct {
	Name     string // of the value
	Spelling string // "as it is", "base64", ...
	Place    string // what was given to Scan, and what was unpacked on the way
	Around   string // the bytes around it, quoted
}

func (h Hit) String() string {
	return fmt.Sprintf("%s (%s) in %s: %s", h.Name, h.Spelling, h.Place, h.Around)
}

// form is one spelling of one value.
type form struct {
	name, spelling string
	text           string
}

// Scanner looks for values. It is immutable and may be used by many goroutines.
type Scanner struct {
	heads *[1 << 16]bool             // first two bytes of any form
	forms map[[MinLength]byte][]form // by their first bytes
}

// New makes a scanner. It refuses a value that is too short, and to look for nothing.
func New(values ...Value) (*Scanner, error) {
	if len(values) == 0 {
		return nil, fmt.Errorf("no values to look for")
	}
	s := &Scanner{heads: &[1 << 16]bool{}, forms: map[[MinLength]byte][]form{}}
	for _, v := range values {
		if len(v.Text) < MinLength {
			return nil, fmt.Errorf("%s: %d bytes are too few to be looked for", v.Name, len(v.Text))
		}
		for _, f := range spellings(v) {
			if len(f.text) < MinLength {
				continue
			}
			key := [MinLength]byte([]byte(f.text[:MinLength]))
			s.heads[int(key[0])<<8|int(key[1])] = true
			s.forms[key] = append(s.forms[key], f)
		}
	}
	return s, nil
}

// spellings are the ways to write a value, each text once.
func spellings(v Value) []form {
	var out []form
	add := func(spelling, text string) {
		if !slices.ContainsFunc(out, func(f form) bool { return f.text == text }) {
			out = append(out, form{v.Name, spelling, text})
		}
	}
	raw := []byte(v.Text)
	add("as it is", v.Text)
	add("lower case", strings.ToLower(v.Text))
	add("upper case", strings.ToUpper(v.Text))
	backwards := slices.Clone(raw)
	slices.Reverse(backwards)
	add("backwards", string(backwards))
	for offset := range 3 {
		add("base64", base64Inside(base64.RawStdEncoding, raw, offset))
		add("base64url", base64Inside(base64.RawURLEncoding, raw, offset))
	}
	add("hex", hex.EncodeToString(raw))
	add("hex", strings.ToUpper(hex.EncodeToString(raw)))
	add("bytes", strings.Trim(fmt.Sprintf("%d", raw), "[]")) // a []byte that was printed
	add("percent", url.QueryEscape(v.Text))
	add("percent", url.PathEscape(v.Text))
	add("percent", lowerEscapes(url.QueryEscape(v.Text)))
	add("percent", everyByte("%", raw))
	add("percent twice", url.QueryEscape(url.QueryEscape(v.Text)))
	add("quoted", strings.Trim(fmt.Sprintf("%q", v.Text), `"`))
	add("quoted", strings.Trim(fmt.Sprintf("%+q", v.Text), `"`))
	add("HTML", html.EscapeString(v.Text))
	jsonForms(v.Text, add)
	return out
}

// jsonForms adds the value as JSON writers write it, once and twice.
func jsonForms(text string, add func(spelling, text string)) {
	escaped, _ := json.Marshal(text) // a string is always marshalled; what is no UTF-8 is replaced
	inner := strings.Trim(string(escaped), `"`)
	add("JSON", inner)
	add("JSON", strings.ReplaceAll(inner, "/", `\/`))
	var ascii, every strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		fmt.Fprintf(&every, `\u%04x`, unit)
		if unit < 0x80 {
			ascii.WriteByte(byte(unit))
		} else {
			fmt.Fprintf(&ascii, `\u%04x`, unit)
		}
	}
	add("JSON", ascii.String())
	add("JSON", every.String())
	twice, _ := json.Marshal(inner)
	add("JSON twice", strings.Trim(string(twice), `"`))
}

// base64Inside is what stands in base64 text wherever the value begins at the given byte of a group of three, whatever is
// around it.
func base64Inside(e *base64.Encoding, raw []byte, offset int) string {
	text := e.EncodeToString(append(make([]byte, offset), raw...))
	end := (offset + len(raw)) * 8 / 6 // the last one may hold bits of what follows
	return text[(offset*8+5)/6 : end]
}

func everyByte(before string, raw []byte) string {
	var b strings.Builder
	for _, c := range raw {
		fmt.Fprintf(&b, "%s%02X", before, c)
	}
	return b.String()
}

// lowerEscapes writes %2F as %2f.
func lowerEscapes(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:], strings.ToLower(string(b[i+1:i+3])))
		}
	}
	return string(b)
}
