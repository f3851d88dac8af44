package device

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Fold is the form in which texts are compared: without regard to case. Two texts have the same form exactly where
// strings.EqualFold holds (Unicode's simple case folding); it is in lower case where there is one. Accents count, and
// composed and decomposed letters differ. A NUL, which ends a text in places, becomes U+FFFD; no filter can hold one.
func Fold(s string) string { return strings.Map(foldRune, s) }

// foldBytes is Fold for the text of a record, which is copied.
func foldBytes(b []byte) string {
	for _, c := range b {
		if c >= utf8.RuneSelf || c == 0 {
			return Fold(string(b))
		}
	}
	var s strings.Builder
	s.Grow(len(b))
	for _, c := range b {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		s.WriteByte(c)
	}
	return s.String()
}

// foldRune is one rune for all that differ in case alone.
func foldRune(r rune) rune {
	if r == 0 {
		return utf8.RuneError
	}
	if r < utf8.RuneSelf {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	next := unicode.SimpleFold(r)
	if next == r {
		return r // without a partner: İ is no i
	}
	smallest := r
	for ; next != r; next = unicode.SimpleFold(next) {
		smallest = min(smallest, next)
	}
	return unicode.ToLower(smallest)
}
