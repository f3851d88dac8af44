package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
)

// harmless is a text for a terminal, line by line: what moves its cursor, colours it, turns the writing round or is not seen is written as JSON escapes it, so
// that a line of JSON stays the same JSON. Ends of lines stay.
func harmless(in string) string {
	if !strings.ContainsFunc(in, obeyed) {
		return in
	}
	var b strings.Builder
	for _, r := range in {
		if !obeyed(r) {
			b.WriteRune(r)
			continue
		}
		for _, half := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, half)
		}
	}
	return b.String()
}

// obeyed tells whether a terminal does something else with a character than to show it.
func obeyed(r rune) bool { return r != '\n' && !strconv.IsPrint(r) }

// harmlessLines makes every line harmless that is written. Each Write is one or more whole lines, as a log writes them.
type harmlessLines struct{ out io.Writer }

// Write implements io.Writer.
func (h harmlessLines) Write(lines []byte) (int, error) {
	for _, c := range lines {
		if (c < ' ' || c > '~') && c != '\n' {
			if _, err := io.WriteString(h.out, harmless(string(lines))); err != nil {
				return 0, err
			}
			return len(lines), nil
		}
	}
	return h.out.Write(lines)
}
