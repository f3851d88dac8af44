package device

import (
	"bytes"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// The null rules. A value is unknown when Jamf has no key, null, or one of the words Jamf and its agents write for
// "nothing": "", "-1", -1, "None", "Not Available", "N/A" (white space around and letter case aside). The values of
// extension attributes and the names of groups are free text and stay as they are.

const (
	bytesPerMegabyte = 1 << 20 // Jamf's megabytes are binary
	timeLayout       = "2006-01-02T15:04:05.000Z"
)

// sentinel tells whether a text stands for "nothing".
func sentinel(text []byte) bool {
	text = bytes.TrimSpace(text)
	switch len(text) {
	case 0:
		return true
	case len("-1"):
		return string(text) == "-1"
	case len("N/A"):
		return strings.EqualFold(string(text), "N/A")
	case len("None"):
		return strings.EqualFold(string(text), "None")
	case len("Not Available"):
		return strings.EqualFold(string(text), "Not Available")
	default:
		return false
	}
}

// entryAt is the entry of a Jamf path outside of arrays, 0 when there is none.
func (r *reader) entryAt(path string) int32 {
	n := r.schema.byPath[path]
	if n == nil {
		return 0
	}
	return r.at[n.id]
}

// present tells whether a key is kept and not null.
func (r *reader) present(path string) bool {
	at := r.entryAt(path)
	return at != 0 && r.entries[at].kind != jsontext.KindNull
}

// content is the text of a scalar: a string without quotes and escapes, a number or boolean as written, nil for null.
func (r *reader) content(at int32) []byte {
	e := &r.entries[at]
	switch e.kind {
	case jsontext.KindString:
		return memberName(r.bytes(e.value))
	case jsontext.KindNumber, jsontext.KindTrue, jsontext.KindFalse:
		return r.bytes(e.value)
	default:
		return nil
	}
}

// text is the text at a Jamf path, nil when it is unknown.
func (r *reader) text(path string) []byte { return r.known(r.entryAt(path)) }

// known is the text of an entry, nil when it is unknown.
func (r *reader) known(at int32) []byte {
	if at == 0 {
		return nil
	}
	if b := r.content(at); !sentinel(b) {
		return b
	}
	return nil
}

// find is the text of a normalized field: the first of its Jamf fields that is known.
func (r *reader) find(normalized string) []byte {
	for _, n := range r.schema.sources[normalized] {
		if b := r.known(r.at[n.id]); b != nil {
			return b
		}
	}
	return nil
}

// parseInteger reads a whole number as Jamf may write it (16384, 16384.0, "16384").
func parseInteger(text []byte) (int64, bool) {
	if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// parseBytes reads megabytes as bytes; nothing, less than nothing and too much are unknown.
func parseBytes(text []byte) (int64, bool) {
	n, ok := parseInteger(text)
	if !ok || n < 0 || n > math.MaxInt64/bytesPerMegabyte {
		return 0, false
	}
	return n * bytesPerMegabyte, true
}

// parseBool reads a JSON boolean; everything else is unknown.
func parseBool(text []byte) *bool {
	switch string(text) {
	case "true":
		b := true
		return &b
	case "false":
		b := false
		return &b
	default:
		return nil
	}
}

// yesNo reads a fact that Jamf tells by words; what is not collected or not supported is neither true nor false.
func yesNo(text []byte, yes, no string) *bool {
	if text == nil || string(text) != yes && string(text) != no {
		return nil
	}
	b := string(text) == yes
	return &b
}

// parsePrice is the number in a price, nil for none. The price is free text: only a plain number is one, anything with
// a currency or a grouping mark is for people.
func parsePrice(text []byte) jsontext.Value {
	price := jsontext.Value(bytes.TrimSpace(text))
	if len(price) <= 20 && !bytes.ContainsAny(price, "eE") && price.Kind() == jsontext.KindNumber && price.IsValid() {
		return price
	}
	return nil
}

// parseTime reads Jamf's date-times: ISO 8601 with 0 to 9 digits of fraction. The epoch itself, which Jamf writes
// for "never", is unknown: known is false and readable true.
func parseTime(text []byte) (at time.Time, known, readable bool) {
	s := string(text)
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		at, err = time.Parse("2006-01-02T15:04:05Z0700", s)
	}
	if err != nil {
		return time.Time{}, false, false
	}
	at = at.UTC()
	if at.Year() < 1 || at.Year() > 9999 {
		return time.Time{}, false, false
	}
	if at.Unix() == 0 {
		return time.Time{}, false, true
	}
	return at, true, true
}

// parseDate reads the calendar date of a date or date-time as it is written, without converting its zone.
func parseDate(text []byte) (date []byte, ok bool) {
	s := string(text)
	if len(s) > len(time.DateOnly) {
		if _, _, readable := parseTime(text); !readable {
			return nil, false
		}
		s = s[:len(time.DateOnly)]
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return nil, false
	}
	return []byte(s), true
}

// parseSerial is the form in which serial numbers are compared: trimmed, upper case, "" when unknown.
func parseSerial(text []byte) string {
	s := strings.ToUpper(string(bytes.TrimSpace(text)))
	if s == "0" {
		return ""
	}
	return s
}

// versionNormalized is the first three numbers of a version, missing ones 0, "" when it does not begin with a number
// or has letters in them: "15.5" -> "15.5.0", "13.3.1 (a)" -> "13.3.1".
func versionNormalized(version []byte) string {
	s, _, _ := strings.Cut(strings.TrimSpace(string(version)), " ")
	s, _, _ = strings.Cut(s, "(")
	if s == "" {
		return ""
	}
	var part [3]uint64
	for i, text := range strings.Split(s, ".") {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil || text[0] == '+' {
			return ""
		}
		if i < len(part) {
			part[i] = n
		}
	}
	b := strconv.AppendUint(nil, part[0], 10)
	for _, n := range part[1:] {
		b = strconv.AppendUint(append(b, '.'), n, 10)
	}
	return string(b)
}

// parseMAC reads a hardware address of six bytes in any notation. A zero address says that there is no adapter.
func parseMAC(text []byte) (address string, known, readable bool) {
	var digits [12]byte
	n := 0
	for _, c := range bytes.ToLower(bytes.TrimSpace(text)) {
		switch {
		case c == ':' || c == '-' || c == '.':
		case n < len(digits) && (c >= '0' && c <= '9' || c >= 'a' && c <= 'f'):
			digits[n] = c
			n++
		default:
			return "", false, false
		}
	}
	if n != len(digits) {
		return "", false, false
	}
	if string(digits[:]) == "000000000000" {
		return "", false, true
	}
	var b []byte
	for i := 0; i < len(digits); i += 2 {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, digits[i], digits[i+1]) //nolint:gosec // digits has an even length
	}
	return string(b), true, true
}

// hexDigits drops what separates the digits of an IMEI, MEID, ICCID or EID.
func hexDigits(text []byte) []byte {
	var b []byte
	for _, c := range text {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' {
			b = append(b, c)
		}
	}
	return b
}

// ipVersion is 4 or 6, 0 for what is no address.
func ipVersion(text []byte) int {
	address, err := netip.ParseAddr(string(bytes.TrimSpace(text)))
	switch {
	case err != nil:
		return 0
	case address.Is4():
		return 4
	default:
		return 6
	}
}

// homeCountry tells the two things apart that Jamf writes into homeMobileCountryCode: "US" and "310".
func homeCountry(code []byte) (country, mcc []byte) {
	code = bytes.ToUpper(bytes.TrimSpace(code))
	letters, digits := 0, 0
	for _, c := range code {
		switch {
		case c >= 'A' && c <= 'Z':
			letters++
		case c >= '0' && c <= '9':
			digits++
		}
	}
	switch {
	case len(code) == 2 && letters == 2:
		return code, nil
	case len(code) > 0 && digits == len(code):
		return nil, code
	default:
		return nil, nil
	}
}
