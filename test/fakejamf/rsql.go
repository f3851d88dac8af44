package fakejamf

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// expr is a filter: a comparison, or an and/or of others.
type expr struct {
	any, all []*expr
	field    *field
	op       string
	values   []string
}

// onlyID tells whether the filter asks for one id and nothing else.
func (e *expr) onlyID() (int64, bool) {
	if e.field == nil || !e.field.id || e.op != "==" {
		return 0, false
	}
	id, err := strconv.ParseInt(e.values[0], 10, 64)
	return id, err == nil
}

func (e *expr) matches(rd *reader) bool {
	switch {
	case e.any != nil:
		for _, one := range e.any {
			if one.matches(rd) {
				return true
			}
		}
		return false
	case e.all != nil:
		for _, one := range e.all {
			if !one.matches(rd) {
				return false
			}
		}
		return true
	}
	v, null := rd.text(e.field)
	switch e.op {
	case "==":
		return !null && like(e.values[0], v)
	case "!=":
		return null || !like(e.values[0], v)
	case "=in=", "=out=":
		in := false
		for _, w := range e.values {
			in = in || !null && like(w, v)
		}
		return in == (e.op == "=in=")
	}
	return !null && ordered(e.op, compareValues(v, e.values[0]))
}

func ordered(op string, c int) bool {
	switch op {
	case "<", "=lt=":
		return c < 0
	case "<=", "=le=":
		return c <= 0
	case ">", "=gt=":
		return c > 0
	}
	return c >= 0
}

func compareValues(a, b string) int {
	if x, err := strconv.ParseFloat(a, 64); err == nil {
		if y, err := strconv.ParseFloat(b, 64); err == nil {
			return cmp.Compare(x, y)
		}
	}
	if x, err := time.Parse(time.RFC3339, a); err == nil {
		if y, err := time.Parse(time.RFC3339, b); err == nil {
			return x.Compare(y)
		}
	}
	return cmp.Compare(strings.ToLower(a), strings.ToLower(b))
}

// like compares without regard to case; a star stands for any run of characters.
func like(pattern, v string) bool {
	parts := strings.Split(strings.ToLower(pattern), "*")
	v = strings.ToLower(v)
	if len(parts) == 1 {
		return parts[0] == v
	}
	if !strings.HasPrefix(v, parts[0]) {
		return false
	}
	v = v[len(parts[0]):]
	last := parts[len(parts)-1]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(v, p)
		if i < 0 {
			return false
		}
		v = v[i+len(p):]
	}
	return strings.HasSuffix(v, last)
}

const (
	maxFilter = 8 << 10
	maxDepth  = 20
)

// parseFilter reads a filter in RSQL: comparisons joined by ";" or "and", "," or "or", and parentheses.
func parseFilter(text string, fields map[string]*field) (*expr, *badRequest) {
	if len(text) > maxFilter {
		return nil, bad("INVALID_FILTER", "filter is too long")
	}
	p := &parser{rest: text, fields: fields}
	e := p.either(0)
	p.space()
	if p.err == nil && p.rest != "" {
		p.fail("unexpected text at %q", p.rest)
	}
	if p.err != nil {
		return nil, p.err
	}
	return e, nil
}

type parser struct {
	rest   string
	fields map[string]*field
	err    *badRequest
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = bad("INVALID_FILTER", format, args...)
	}
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t") }

// joint takes a connective: a sign, or a word between blanks.
func (p *parser) joint(sign, word string) bool {
	before := p.rest
	p.space()
	if strings.HasPrefix(p.rest, sign) {
		p.rest = p.rest[len(sign):]
		return true
	}
	blank := len(before) > len(p.rest)
	if blank && len(p.rest) > len(word) && strings.EqualFold(p.rest[:len(word)], word) && strings.ContainsRune(" \t(", rune(p.rest[len(word)])) {
		p.rest = p.rest[len(word):]
		return true
	}
	p.rest = before
	return false
}

func (p *parser) either(depth int) *expr {
	list := []*expr{p.both(depth)}
	for p.err == nil && p.joint(",", "or") {
		list = append(list, p.both(depth))
	}
	if len(list) == 1 {
		return list[0]
	}
	return &expr{any: list}
}

func (p *parser) both(depth int) *expr {
	list := []*expr{p.term(depth)}
	for p.err == nil && p.joint(";", "and") {
		list = append(list, p.term(depth))
	}
	if len(list) == 1 {
		return list[0]
	}
	return &expr{all: list}
}

func (p *parser) term(depth int) *expr {
	p.space()
	if depth > maxDepth {
		p.fail("filter is too deep")
		return nil
	}
	if strings.HasPrefix(p.rest, "(") {
		p.rest = p.rest[1:]
		e := p.either(depth + 1)
		p.space()
		if !strings.HasPrefix(p.rest, ")") {
			p.fail("a parenthesis is not closed")
			return nil
		}
		p.rest = p.rest[1:]
		return e
	}
	return p.comparison()
}

func (p *parser) comparison() *expr {
	i := strings.IndexAny(p.rest, "=!<> \t;,()'\"")
	if i < 1 {
		p.fail("a field is missing at %q", p.rest)
		return nil
	}
	e := &expr{field: p.fields[p.rest[:i]]}
	if e.field == nil {
		p.fail("filter by %s is not possible", p.rest[:i])
		return nil
	}
	p.rest = p.rest[i:]
	p.space()
	if e.op = p.operator(); e.op == "" {
		p.fail("an operator is missing at %q", p.rest)
		return nil
	}
	p.space()
	if e.op == "=in=" || e.op == "=out=" {
		e.values = p.list()
	} else {
		e.values = []string{p.value()}
	}
	return e
}

func (p *parser) operator() string {
	for _, op := range [...]string{"==", "!=", "=lt=", "=le=", "=gt=", "=ge=", "=in=", "=out=", "<=", ">=", "<", ">"} {
		if strings.HasPrefix(p.rest, op) {
			p.rest = p.rest[len(op):]
			return op
		}
	}
	return ""
}

func (p *parser) list() []string {
	if !strings.HasPrefix(p.rest, "(") {
		p.fail("a list is missing")
		return nil
	}
	var out []string
	for p.err == nil {
		p.rest = p.rest[1:] // the parenthesis or the comma
		p.space()
		out = append(out, p.value())
		p.space()
		switch {
		case strings.HasPrefix(p.rest, ","):
		case strings.HasPrefix(p.rest, ")"):
			p.rest = p.rest[1:]
			return out
		default:
			p.fail("a list is not closed")
		}
	}
	return nil
}

func (p *parser) value() string {
	if p.rest != "" && (p.rest[0] == '"' || p.rest[0] == '\'') {
		return p.quoted(p.rest[0])
	}
	i := strings.IndexAny(p.rest, " \t;,()'\"")
	if i < 0 {
		i = len(p.rest)
	}
	if i == 0 {
		p.fail("a value is missing")
		return ""
	}
	v := p.rest[:i]
	p.rest = p.rest[i:]
	return v
}

func (p *parser) quoted(mark byte) string {
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '\\' && i+1 < len(p.rest):
			i++
			b.WriteByte(p.rest[i])
		case c == mark:
			p.rest = p.rest[i+1:]
			return b.String()
		default:
			b.WriteByte(c)
		}
	}
	p.fail("a quote is not closed")
	return ""
}
