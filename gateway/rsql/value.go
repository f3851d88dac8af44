package rsql

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

func (p *parser) single(op Op) ([]Value, error) {
	if p.next('(') {
		return nil, p.fail("%s takes one value, a list goes with =in= or =out=", op)
	}
	v, err := p.value(false)
	if err != nil {
		return nil, err
	}
	return []Value{v}, nil
}

func (p *parser) list(op Op) ([]Value, error) {
	if !p.next('(') {
		return nil, p.fail("%s takes a list in parentheses, as in %s(a,b)", op, op)
	}
	opened := p.at
	var all []Value
	for {
		p.at++ // the parenthesis or the comma
		p.blanks()
		if p.ended() {
			break
		}
		if len(all) == MaxValues {
			return nil, p.fail("more than %d values in one list", MaxValues)
		}
		v, err := p.value(true)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
		p.blanks()
		if p.next(')') {
			p.at++
			return all, nil
		}
		if p.ended() {
			break
		}
		if !p.next(',') {
			return nil, p.fail("a comma or a closing parenthesis must stand here, but here is: %s", p.excerpt())
		}
	}
	return nil, &SyntaxError{At: opened, Problem: "this list is not closed"}
}

func (p *parser) value(listed bool) (Value, error) {
	if p.next('"') || p.next('\'') {
		return p.quoted()
	}
	return p.bare(listed)
}

func (p *parser) quoted() (Value, error) {
	opened := p.at
	mark := p.text[opened]
	for i := opened + 1; i < len(p.text); i++ {
		switch p.text[i] {
		case '\t':
			return Value{}, &SyntaxError{At: i, Problem: "control characters are not allowed"}
		case mark:
			p.at = i + 1
			return readValue(p.text[opened+1:i], opened, true), nil
		case '\\':
			if i+1 < len(p.text) && p.text[i+1] != '\t' {
				i++
			}
		}
	}
	return Value{}, &SyntaxError{At: opened, Problem: "this quote is not closed"}
}

// bare reads a value without quotes. What jirutka/rsql-parser reserves is refused: it is a slip more often than a value.
func (p *parser) bare(listed bool) (Value, error) {
	begin := p.at
	for !p.ended() {
		c := p.text[p.at]
		if blank(c) || c == ';' || c == ',' || c == ')' {
			break
		}
		if strings.IndexByte(`'"(=!~<>`, c) >= 0 {
			return Value{}, p.fail("a value with %c must stand in quotes", c)
		}
		// Jamf's guide shows lists as (A | B); in RSQL A|B is one value, which nobody means.
		if listed && c == '|' {
			return Value{}, p.fail("a comma separates values, and a value with | must stand in quotes")
		}
		r, size := rune(c), 1
		if c >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(p.text[p.at:])
		}
		if unicode.IsSpace(r) {
			return Value{}, p.fail("a blank other than space and tab must stand in quotes")
		}
		p.at += size
	}
	if p.at == begin {
		return Value{}, p.fail("a value is missing, an empty one is written \"\"")
	}
	return readValue(p.text[begin:p.at], begin, false), nil
}

// readValue takes the escapes out of a value: in quotes each backslash, without quotes one before a star.
func readValue(body string, at int, quoted bool) Value {
	if strings.IndexByte(body, '\\') < 0 {
		return Value{Text: body, Parts: strings.Split(body, "*"), At: at}
	}
	text := make([]byte, 0, len(body))
	var parts []string
	begin := 0 // of the part, in text
	for i := 0; i < len(body); i++ {
		c := body[i]
		switch {
		case c == '\\' && (quoted || i+1 < len(body) && body[i+1] == '*'):
			i++
			c = body[i] // a quoted value does not end in a lone backslash: that would have escaped the quote
		case c == '*':
			parts = append(parts, string(text[begin:]))
			begin = len(text) + 1
		}
		text = append(text, c)
	}
	return Value{Text: string(text), Parts: append(parts, string(text[begin:])), At: at}
}
