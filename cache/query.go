package cache

import (
	"errors"
	"fmt"
	"strings"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/rsql"
)

// ErrNoFacts tells that a generation has no value to answer a filter or sort with: it was written by an older program,
// or with another profile. The next sync writes one that has.
var ErrNoFacts = errors.New("generation has no columns for this filter or sort")

// ErrTooComplex tells that a filter has more values than a query can take.
var ErrTooComplex = errors.New("filter has too many values")

// maxArguments is what SQLite binds at most, by default.
const maxArguments = 32_000

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
	if len(b.args) > maxArguments {
		return query{}, fmt.Errorf("%d values: %w", len(b.args), ErrTooComplex)
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
	facts map[string]bool
	args  []any
	err   error
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
	if !b.facts[c.Name] {
		b.err = fmt.Errorf("%s: %w", c.Name, ErrNoFacts)
	}
	return quoted(c.Name)
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
	name := b.name(c.Column)
	return "(" + name + " IS NOT NULL AND " + name + sign + b.bind(scalar(c.Column.Type, c.Operands[0])) + ")"
}

// oneOf holds when the column equals one of the operands, or matches one with stars.
func (b *queryBuilder) oneOf(c device.Condition) string {
	if len(c.Operands) == 0 {
		return never
	}
	if c.Column.Type == device.ManyColumn {
		return b.oneOfMany(c)
	}
	name := b.name(c.Column)
	parts := make([]string, len(c.Operands))
	for i, o := range c.Operands {
		parts[i] = b.equal(c.Column.Type, name, o)
	}
	return balanced(parts, " OR ")
}

// oneOfMany is oneOf over the elements of a column; to equal nothing is to have no element.
func (b *queryBuilder) oneOfMany(c device.Condition) string {
	if !b.facts[c.Column.Name] {
		b.err = fmt.Errorf("%s: %w", c.Column.Name, ErrNoFacts)
	}
	parts := make([]string, len(c.Operands))
	for i, o := range c.Operands {
		exists := "EXISTS (SELECT 1 FROM many m WHERE m.fact = " + b.bind(c.Column.Name) + " AND m.id = fact.id"
		if len(o.Parts) == 1 && o.Parts[0] == "" {
			parts[i] = "NOT " + exists + ")"
			continue
		}
		parts[i] = exists + " AND " + b.equal(device.TextColumn, "m.value", o) + ")"
	}
	return balanced(parts, " OR ")
}

func (b *queryBuilder) equal(t device.ColumnType, name string, o device.Operand) string {
	switch {
	case len(o.Parts) > 1 && strings.Join(o.Parts, "") == "": // only stars
		return "(" + name + " IS NOT NULL)"
	case len(o.Parts) > 1:
		return "(" + name + " IS NOT NULL AND " + name + " LIKE " + b.bind(likePattern(o.Parts)) + ` ESCAPE '\')`
	case t == device.TextColumn && o.Parts[0] == "":
		return "(" + name + " IS NULL OR " + name + " = '')"
	default:
		return "(" + name + " IS NOT NULL AND " + name + " = " + b.bind(scalar(t, o)) + ")"
	}
}

// likePattern is a pattern of SQLite's LIKE. Both sides are folded, so that LIKE's own blindness to the case of
// ASCII letters changes nothing.
func likePattern(parts []string) string {
	escape := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = escape.Replace(p)
	}
	return strings.Join(out, "%")
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
