package cache

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/rsql"
)

// ErrNoFacts tells that a generation has no value to answer a filter or sort with: it was written by an older program,
// or with another profile. The next sync writes one that has.
var ErrNoFacts = errors.New("generation has no columns for this filter or sort")

// ErrTooComplex tells that a filter asks for more than one query may cost.
var ErrTooComplex = errors.New("filter is too complex")

// Bounds of one query. Each comparison and each value with stars costs on every device: some 0.1 us and 1 us.
const (
	maxArguments   = 32_000 // what SQLite binds at most, by default
	maxComparisons = 200
	maxStars       = 40
)

// query is one SELECT over the facts of a generation. Values are bound, never written into the text; names are those
// of device.Column.
type query struct {
	text string
	args []any
	all  bool // nothing is filtered out
}

// query builds the SELECT of a part: its ids in order, and the values of its first keys orders.
func (g *Generation) query(p Part, keys int) (query, error) {
	b := queryBuilder{facts: g.facts}
	columns := []string{"id"}
	var order strings.Builder
	for i, o := range p.Order {
		name := b.name(o.Column)
		if i < keys {
			columns = append(columns, name)
		}
		direction := " ASC, "
		if o.Descending {
			direction = " DESC, "
		}
		order.WriteString(name + direction)
	}
	where := b.condition(p.Where)
	if b.err != nil {
		return query{}, b.err
	}
	if g.facts == nil {
		return query{}, ErrNoFacts
	}
	if len(b.args) > maxArguments || b.comparisons > maxComparisons || b.stars > maxStars {
		return query{}, fmt.Errorf("%d comparisons, %d values, %d of them with stars: %w", b.comparisons, len(b.args), b.stars, ErrTooComplex)
	}
	text := "SELECT " + strings.Join(columns, ", ") + " FROM fact"
	if where != always {
		text += " WHERE " + where
	}
	return query{text: text + " ORDER BY " + order.String() + "id", args: b.args, all: where == always}, nil
}

const (
	always = "1"
	never  = "0"
)

type queryBuilder struct {
	facts              *factNames
	args               []any
	comparisons, stars int
	err                error
}

func (b *queryBuilder) bind(v any) string {
	b.args = append(b.args, v)
	return "?"
}

func (b *queryBuilder) name(c device.Column) string {
	switch c.Type {
	case device.IDColumn:
		return "id"
	case device.NullColumn:
		return "NULL"
	}
	if !b.facts.has(c.Name) {
		b.err = fmt.Errorf("%s: %w", c.Name, ErrNoFacts)
		return "NULL"
	}
	s, ok := b.facts.shared[c.Name]
	switch {
	case !ok:
		return quoted(c.Name)
	case !s.Differ:
		return quoted(s.As)
	}
	return fmt.Sprintf("CASE WHEN id IN (%s) THEN (SELECT o.value FROM other o WHERE o.id = fact.id AND o.fact = %d) ELSE %s END",
		b.differing(c), b.facts.place[c.Name], quoted(s.As))
}

// differing selects the devices on which a column has another value than the one that it shares.
func (b *queryBuilder) differing(c device.Column) string {
	return fmt.Sprintf("SELECT id FROM other WHERE fact = %d", b.facts.place[c.Name])
}

// compare is a comparison with a column: that of a shared one uses the index of the other, but for the devices where they differ.
func (b *queryBuilder) compare(c device.Column, with func(name string) string) string {
	if c.Type == device.IDColumn || c.Type == device.NullColumn || !b.facts.has(c.Name) || !b.facts.shared[c.Name].Differ {
		return with(b.name(c))
	}
	stars := b.stars
	as := with(quoted(b.facts.shared[c.Name].As))
	b.stars = stars // counted once
	return "(id NOT IN (" + b.differing(c) + ") AND " + as + " OR id IN (" + b.differing(c) + " AND " + with("value") + "))"
}

// condition is a condition as SQL. It is true or false, never NULL: the complement of a comparison holds where it does not.
func (b *queryBuilder) condition(c device.Condition) string {
	switch {
	case len(c.All) > 0:
		return b.join(c.All, " AND ")
	case len(c.Any) > 0:
		return b.join(c.Any, " OR ")
	case c.Op == 0:
		return always
	}
	b.comparisons++
	switch c.Op {
	case rsql.NotEqual, rsql.Out:
		return "NOT " + b.oneOf(c)
	case rsql.Equal, rsql.In:
		return b.oneOf(c)
	}
	return b.ordered(c)
}

func (b *queryBuilder) join(list []device.Condition, word string) string {
	parts := make([]string, len(list))
	for i, c := range list {
		parts[i] = b.condition(c)
	}
	return balanced(parts, word)
}

// balanced joins by halves: SQLite bounds how deep an expression is, and a plain chain is as deep as it is long.
func balanced(parts []string, word string) string {
	if len(parts) == 1 {
		return parts[0]
	}
	half := len(parts) / 2
	return "(" + balanced(parts[:half], word) + word + balanced(parts[half:], word) + ")"
}

// ordered is < <= > >=; what is unknown is neither smaller nor greater than anything.
func (b *queryBuilder) ordered(c device.Condition) string {
	sign := map[rsql.Op]string{rsql.Less: " < ", rsql.LessOrEqual: " <= ", rsql.Greater: " > ", rsql.GreaterOrEqual: " >= "}[c.Op]
	if sign == "" || len(c.Operands) != 1 || c.Column.Type == device.ManyColumn {
		b.err = fmt.Errorf("%s %s: no such comparison", c.Column.Name, c.Op)
		return never
	}
	return b.compare(c.Column, func(name string) string {
		return "(" + name + " IS NOT NULL AND " + name + sign + b.bind(scalar(c.Column.Type, c.Operands[0])) + ")"
	})
}

// oneOf holds when the column equals one of the operands, or matches one with stars.
func (b *queryBuilder) oneOf(c device.Condition) string {
	if len(c.Operands) == 0 {
		return never
	}
	if c.Column.Type == device.ManyColumn {
		return b.oneOfMany(c)
	}
	return b.compare(c.Column, func(name string) string {
		parts, plain := b.matches(name, c)
		if len(plain) > 0 {
			parts = append(parts, "("+name+" IS NOT NULL AND "+name+" IN ("+strings.Join(plain, ",")+"))")
		}
		return balanced(parts, " OR ")
	})
}

// oneOfMany is oneOf over the elements of a column; to equal nothing is to have no element.
func (b *queryBuilder) oneOfMany(c device.Condition) string {
	if !b.facts.has(c.Column.Name) {
		b.err = fmt.Errorf("%s: %w", c.Column.Name, ErrNoFacts)
		return never
	}
	var which any = c.Column.Name
	if b.facts.coded {
		which = b.facts.place[c.Column.Name]
	}
	exists := "EXISTS (SELECT 1 FROM many m WHERE m.fact = " + b.bind(which) + " AND m.id = fact.id AND "
	parts, plain := b.matches("m.value", c)
	if len(plain) > 0 {
		parts = append(parts, "m.value IN ("+strings.Join(plain, ",")+")")
	}
	return exists + balanced(parts, " OR ") + ")"
}

// matches are the comparisons with stars, and the places of all other operands, each of them once.
func (b *queryBuilder) matches(name string, c device.Condition) (parts, plain []string) {
	values := []any{}
	for _, o := range c.Operands {
		switch pattern := strings.Join(o.Parts, partEnd); {
		case len(o.Parts) > 1 && strings.Join(o.Parts, "") == "": // only stars
			parts = append(parts, "("+name+" IS NOT NULL)")
		case len(o.Parts) > 1:
			b.stars++
			parts = append(parts, "("+name+" IS NOT NULL AND "+matchFunction+"("+name+", "+b.bind(pattern)+"))")
		default:
			if v := scalar(c.Column.Type, o); !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
	}
	for _, v := range values { // in the text they come behind all stars
		plain = append(plain, b.bind(v))
	}
	return parts, plain
}

func scalar(t device.ColumnType, o device.Operand) any {
	switch t {
	case device.NumberColumn:
		return o.Number
	case device.BoolColumn, device.TimeColumn, device.IDColumn:
		return o.Int
	default:
		return o.Parts[0]
	}
}
