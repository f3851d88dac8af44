package rsql

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Parse reads a filter; its error is a *SyntaxError. The time it takes is linear in the text.
//
//	or         = and { ( "," | " or " ) and }
//	and        = term { ( ";" | " and " ) term }
//	term       = "(" or ")" | comparison
//	comparison = selector operator ( value | "(" value { "," value } ")" )
//
// Blanks may stand around everything, and words in any case where a blank or a parenthesis stands on both sides.
// A value is quoted by ' or ", where a backslash takes the sign after it literally, or bare: then it ends at a blank or
// one of ; , ) and holds no quote, no parenthesis and none of = ! ~ < >, as in jirutka/rsql-parser.
func Parse(text string) (Expr, error) {
	if err := checkText(text); err != nil {
		return nil, err
	}
	p := &parser{text: text}
	e, err := p.filter()
	if err != nil {
		return nil, err
	}
	// No text grows more than threefold: the worst is a bare backslash, \ becomes "\\".
	if len(text) > MaxText/3 && len(Canonical(e)) > MaxText {
		return nil, &SyntaxError{At: len(text), Problem: fmt.Sprintf("the filter is longer than %d bytes in its canonical spelling", MaxText)}
	}
	return e, nil
}

func checkText(text string) error {
	if len(text) > MaxText {
		return &SyntaxError{At: MaxText, Problem: fmt.Sprintf("the filter is longer than %d bytes", MaxText)}
	}
	for i, r := range text {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return &SyntaxError{At: i, Problem: "the text is not UTF-8"}
			}
		}
		if unicode.IsControl(r) && r != '\t' {
			return &SyntaxError{At: i, Problem: "control characters are not allowed"}
		}
	}
	return nil
}

// parser reads text, which is UTF-8 within the limit, from at on.
type parser struct {
	text        string
	at          int
	depth       int
	comparisons int
}

func (p *parser) filter() (Expr, error) {
	p.blanks()
	if p.ended() {
		return nil, &SyntaxError{At: 0, Problem: "the filter is empty"}
	}
	e, err := p.either()
	if err != nil {
		return nil, err
	}
	if p.next(')') {
		return nil, p.fail("no parenthesis is open that this one could close")
	}
	if !p.ended() {
		return nil, p.unjoined()
	}
	return e, nil
}

// either reads comparisons joined by "," or "or", and the blanks after them.
func (p *parser) either() (Expr, error) {
	first, err := p.both()
	if err != nil {
		return nil, err
	}
	var all Or
	for p.joint(',', "or") {
		member, err := p.both()
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = appendOr(all, first)
		}
		all = appendOr(all, member)
	}
	if all == nil {
		return first, nil
	}
	return all, nil
}

// both reads comparisons joined by ";" or "and", and the blanks after them.
func (p *parser) both() (Expr, error) {
	first, err := p.term()
	if err != nil {
		return nil, err
	}
	var all And
	for p.joint(';', "and") {
		member, err := p.term()
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = appendAnd(all, first)
		}
		all = appendAnd(all, member)
	}
	if all == nil {
		return first, nil
	}
	return all, nil
}

func appendOr(dst Or, e Expr) Or {
	if nested, ok := e.(Or); ok {
		return append(dst, nested...)
	}
	return append(dst, e)
}

func appendAnd(dst And, e Expr) And {
	if nested, ok := e.(And); ok {
		return append(dst, nested...)
	}
	return append(dst, e)
}

func (p *parser) term() (Expr, error) {
	p.blanks()
	if !p.next('(') {
		return p.comparison()
	}
	opened := p.at
	if p.depth == MaxDepth {
		return nil, p.fail("more than %d parentheses inside each other", MaxDepth)
	}
	p.depth++
	p.at++
	e, err := p.either()
	if err != nil {
		return nil, err
	}
	if p.ended() {
		return nil, &SyntaxError{At: opened, Problem: "this parenthesis is not closed"}
	}
	if !p.next(')') {
		return nil, p.unjoined()
	}
	p.at++
	p.depth--
	return e, nil
}

// joint skips blanks and takes a connective if one follows: the sign, or the word where it stands free.
func (p *parser) joint(sign byte, word string) bool {
	p.blanks()
	if p.next(sign) {
		p.at++
		return true
	}
	end := p.at + len(word)
	if end > len(p.text) || !strings.EqualFold(p.text[p.at:end], word) {
		return false
	}
	before := p.text[p.at-1] // a connective follows a term, so there is one
	if !blank(before) && before != ')' || end < len(p.text) && !blank(p.text[end]) && p.text[end] != '(' {
		return false
	}
	p.at = end
	return true
}

func (p *parser) comparison() (Expr, error) {
	c := Comparison{At: p.at}
	if p.ended() {
		return nil, p.fail("a comparison is missing at the end")
	}
	if !letter(p.text[p.at]) {
		return nil, p.fail("a comparison must begin with a letter, but here is: %s", p.excerpt())
	}
	if p.comparisons == MaxComparisons {
		return nil, p.fail("more than %d comparisons", MaxComparisons)
	}
	p.comparisons++
	for !p.ended() && (letter(p.text[p.at]) || digit(p.text[p.at]) || p.next('_') || p.next('.')) {
		p.at++
	}
	c.Selector = p.text[c.At:p.at]
	p.blanks()
	var err error
	if c.Op, err = p.operator(); err != nil {
		return nil, err
	}
	p.blanks()
	if c.Op == In || c.Op == Out {
		c.Values, err = p.list(c.Op)
	} else {
		c.Values, err = p.single(c.Op)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

const operators = "== != =lt= =le= =gt= =ge= =in= =out="

func (p *parser) operator() (Op, error) {
	rest := p.text[p.at:]
	for _, known := range [...]struct {
		spelling string
		op       Op
	}{
		{"==", Equal},
		{"!=", NotEqual},
		{"<=", LessOrEqual},
		{"<", Less},
		{">=", GreaterOrEqual},
		{">", Greater},
		{"=lt=", Less},
		{"=le=", LessOrEqual},
		{"=gt=", Greater},
		{"=ge=", GreaterOrEqual},
		{"=in=", In},
		{"=out=", Out},
	} {
		if len(rest) >= len(known.spelling) && strings.EqualFold(rest[:len(known.spelling)], known.spelling) {
			p.at += len(known.spelling)
			return known.op, nil
		}
	}
	if p.ended() {
		return 0, p.fail("one of %s is missing at the end", operators)
	}
	if p.next('=') && (len(rest) == 1 || !letter(rest[1])) {
		return 0, p.fail("= is not an operator, equality is ==")
	}
	return 0, p.fail("one of %s must stand here, but here is: %s", operators, p.excerpt())
}

// unjoined is the error for text after a term.
func (p *parser) unjoined() error {
	return p.fail("; or , or a free and, or must stand here, but here is: %s", p.excerpt())
}

func (p *parser) fail(format string, args ...any) error {
	return &SyntaxError{At: p.at, Problem: fmt.Sprintf(format, args...)}
}

// maxExcerpt is how many characters of the text a problem quotes.
const maxExcerpt = 32

// excerpt is what follows, up to the first character that cannot be printed; that one itself by its number.
func (p *parser) excerpt() string {
	rest, n := p.text[p.at:], 0
	for i, r := range rest {
		if i == 0 && !unicode.IsPrint(r) {
			return fmt.Sprintf("%U", r)
		}
		if !unicode.IsPrint(r) || n == maxExcerpt {
			return rest[:i]
		}
		n++
	}
	return rest
}

func (p *parser) ended() bool { return p.at == len(p.text) }

func (p *parser) next(c byte) bool { return p.at < len(p.text) && p.text[p.at] == c }

func (p *parser) blanks() {
	for !p.ended() && blank(p.text[p.at]) {
		p.at++
	}
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func digit(c byte) bool { return c >= '0' && c <= '9' }
