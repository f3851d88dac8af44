package device

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"jamf-gateway/gateway/rsql"
)

// Selectors is what one caller may ask about in one kind of one generation.
type Selectors struct {
	Kind    Kind
	Dialect Dialect
	Kept    []string // the paths that the generation keeps (Profile.Paths of its source's profile)
	Profile *Profile // what the caller is shown
}

// Condition is a filter bound to columns. Exactly one of All, Any and Column is used. An empty Condition holds for
// every record.
type Condition struct {
	All, Any []Condition
	Column   Column
	Op       rsql.Op
	Operands []Operand // In and Out have one or more, the other operators one
}

// Operand is one typed argument: Number for a NumberColumn; Int for a BoolColumn, a TimeColumn and an IDColumn; Parts
// for a TextColumn and a ManyColumn, and for any column with Equal and NotEqual where they are two empty ones: any value.
type Operand struct {
	Parts  []string // folded, the texts between the stars
	Number float64
	Int    int64
}

// Bind looks up the selectors of a filter and reads its values. Nil is the filter that holds for every record.
// The error is *SelectorError.
func (v Selectors) Bind(e rsql.Expr) (Condition, error) {
	if e == nil {
		return Condition{}, nil
	}
	return v.binding().bind(e)
}

// binding is a Selectors with what is asked of it more than once.
type binding struct {
	names map[string]*selector
	kept  []bool
	shown []bool
}

func (v Selectors) binding() *binding {
	b := &binding{names: selectorTable().names[v.Dialect.letter(v.Kind)], kept: keptFields(v.Kind, v.Kept)}
	if v.Profile != nil && b.kept != nil {
		b.shown = v.Profile.askable(v.Kind)
	}
	return b
}

func (b *binding) bind(e rsql.Expr) (Condition, error) {
	var members []rsql.Expr
	switch e := e.(type) {
	case rsql.Comparison:
		return b.comparison(e)
	case rsql.And:
		members = e
	case rsql.Or:
		members = e
	}
	_, or := e.(rsql.Or)
	var bound []Condition
	holds := false // a member of an Or holds for every record; the others are bound for their errors
	for _, member := range members {
		c, err := b.bind(member)
		switch {
		case err != nil:
			return Condition{}, err
		case c.holds():
			holds = holds || or
		default:
			bound = append(bound, c)
		}
	}
	switch {
	case holds:
		return Condition{}, nil
	case len(bound) == 1:
		return bound[0], nil
	case or:
		return Condition{Any: bound}, nil
	default:
		return Condition{All: bound}, nil
	}
}

// holds tells whether the condition is the empty one.
func (c Condition) holds() bool { return c.All == nil && c.Any == nil && c.Op == 0 }

// lookup finds a selector that the caller may use.
func (b *binding) lookup(name string, at int) (*selector, error) {
	s := b.names[name]
	refuse := func(why Refusal, detail string) (*selector, error) {
		return nil, &SelectorError{Selector: name, At: at, Why: why, Detail: detail}
	}
	switch {
	case s == nil:
		return refuse(Unknown, b.nearest(name))
	case at < 0 && !s.sort:
		return refuse(NotSortable, "")
	case at >= 0 && !s.filter:
		return refuse(NotFilterable, "")
	case s.absent:
		return s, nil
	case s.column == nil:
		return refuse(NoSource, s.reason)
	case s.column.Type == IDColumn:
		return s, nil
	}
	kept := false
	for _, i := range s.column.deps {
		if !b.kept[i] {
			continue
		}
		if kept = true; b.shown == nil || !b.shown[i] {
			return refuse(Hidden, "")
		}
	}
	if !kept {
		return refuse(NotKept, "")
	}
	return s, nil
}

// nearest is the name of the dialect that was probably meant, "" of a dialect without names.
func (b *binding) nearest(name string) string {
	names := slices.Sorted(maps.Keys(b.names))
	if len(names) == 0 {
		return ""
	}
	return nearestOf(name, names)
}

func (b *binding) comparison(e rsql.Comparison) (Condition, error) {
	s, err := b.lookup(e.Selector, e.At)
	if err != nil {
		return Condition{}, err
	}
	if isOrdered(e.Op) && (s.reads == readsMany || s.reads == readsBoolean) {
		return Condition{}, badValue(s, e.At, "has no order")
	}
	ordered := isOrdered(e.Op)
	var plain []Operand
	var null, notNull bool // one of the values stands for "nothing" or "anything"
	for _, value := range e.Values {
		o, err := s.operand(e.Op, value, e.At)
		switch {
		case err != nil:
			return Condition{}, err
		case !ordered && len(o.Parts) > 1 && strings.Join(o.Parts, "") == "":
			notNull = true
		case !ordered && len(o.Parts) == 1 && o.Parts[0] == "":
			null = true
		default:
			plain = append(plain, o)
		}
	}
	if s.absent || s.column.Type == IDColumn {
		return constant(s, e.Op, plain, null, notNull), nil
	}
	return combine(s.column.Column, e.Op, plain, null, notNull), nil
}

func isOrdered(op rsql.Op) bool { return op >= rsql.Less && op <= rsql.GreaterOrEqual }

// never holds for no record: ids are positive.
func never() Condition {
	return Condition{Column: Column{Name: "id", Type: IDColumn}, Op: rsql.Less, Operands: []Operand{{Int: 1}}}
}

// constant binds a comparison with what is null on every device or, the id, on none.
func constant(s *selector, op rsql.Op, plain []Operand, null, notNull bool) Condition {
	holds, decided := null, true
	if !s.absent {
		holds, decided = notNull, notNull || len(plain) == 0
	}
	if negated := op == rsql.NotEqual || op == rsql.Out; !decided {
		return Condition{Column: s.column.Column, Op: op, Operands: plain}
	} else if holds != negated {
		return Condition{}
	}
	return never()
}

// combine binds a comparison with plain values, with "nothing" and with "anything". The negated operators are the
// complement of the others.
func combine(c Column, op rsql.Op, plain []Operand, null, notNull bool) Condition {
	negated := op == rsql.NotEqual || op == rsql.Out
	is, isNot := rsql.Equal, rsql.NotEqual
	if negated {
		is, isNot = isNot, is
	}
	anything := []Operand{{Parts: []string{"", ""}}}
	var parts []Condition
	if len(plain) > 0 {
		parts = append(parts, Condition{Column: c, Op: op, Operands: plain})
	}
	if notNull {
		parts = append(parts, Condition{Column: c, Op: is, Operands: anything})
	}
	if null {
		parts = append(parts, Condition{Column: c, Op: isNot, Operands: anything})
	}
	switch {
	case len(parts) == 1:
		return parts[0]
	case negated:
		return Condition{All: parts}
	default:
		return Condition{Any: parts}
	}
}

// operand reads one value as the selector's type.
func (s *selector) operand(op rsql.Op, value rsql.Value, at int) (Operand, error) {
	ordered := isOrdered(op)
	stars := len(value.Parts) > 1
	switch {
	case ordered && stars:
		return Operand{}, badValue(s, at, "with a star has no order")
	case ordered && value.Text == "" && s.reads != readsText:
		return Operand{}, badValue(s, at, wanted(s.reads))
	case !ordered && (value.Text == "" || stars && strings.Join(value.Parts, "") == ""):
		return Operand{Parts: value.Parts}, nil
	case s.reads == readsText || s.reads == readsMany:
		parts := make([]string, len(value.Parts))
		for i, part := range value.Parts {
			parts[i] = Fold(part)
		}
		return Operand{Parts: parts}, nil
	case s.reads == readsVersion:
		if parts := versionParts(value.Parts); parts != nil {
			return Operand{Parts: parts}, nil
		}
	case !stars:
		if o, ok := typed(s.reads, value.Text); ok {
			return o, nil
		}
	}
	return Operand{}, badValue(s, at, wanted(s.reads))
}

// typed reads a number, boolean, time or id.
func typed(reads valueType, text string) (o Operand, ok bool) {
	switch reads {
	case readsNumber:
		o.Number, ok = parseNumber(text)
	case readsBoolean:
		b := parseBool([]byte(Fold(text)))
		if ok = b != nil; ok && *b {
			o.Int = 1
		}
	case readsID:
		id, err := strconv.ParseInt(text, 10, 64)
		o.Int, ok = id, err == nil
	default:
		at, readable := parseInstant(text)
		o.Int, ok = at.UnixMilli(), readable && at.Nanosecond()%int(time.Millisecond) == 0 // facts are not finer
	}
	return o, ok
}

// versionParts is a version, or the beginning of one before ".*", as the parts of its key. Nil is neither.
func versionParts(parts []string) []string {
	switch {
	case len(parts) == 1:
		if version := versionNormalized([]byte(parts[0])); version != "" {
			return []string{versionKey(version)}
		}
	case len(parts) == 2 && parts[1] == "" && strings.HasSuffix(parts[0], ".") && strings.Count(parts[0], ".") <= 2:
		beginning := strings.TrimSuffix(parts[0], ".")
		if version := versionNormalized([]byte(beginning)); version == beginning+strings.Repeat(".0", 2-strings.Count(beginning, ".")) {
			return []string{versionKey(beginning) + ".", ""}
		}
	}
	return nil
}

func wanted(reads valueType) string {
	switch reads {
	case readsNumber:
		return "must be a number, like 16 or 0.5"
	case readsBoolean:
		return "must be true or false"
	case readsTime, readsDate:
		return "must be a time to the millisecond, like 2026-11-27T08:30:00Z, or a date, like 2026-11-27"
	case readsVersion:
		return "must be a version, like 15.5, or the beginning of one, like 15.*"
	case readsID:
		return "must be a whole number"
	default:
		return "must be a text"
	}
}

func badValue(s *selector, at int, detail string) error {
	return &SelectorError{Selector: s.name, At: at, Why: BadValue, Detail: detail}
}
