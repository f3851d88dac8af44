package device

import "strings"

// Order is one criterion of a sort. A NullColumn is null on every device of the kind: it decides nothing, and stands
// there so that the orders of both kinds have the same length.
type Order struct {
	Column     Column
	Descending bool
}

// BindSort looks up the selectors of a sort, "a:asc,b:desc"; without a direction it is asc. An empty one is the order
// of the dialect, and that by id where the caller may not use it. The error is *SelectorError.
func (v Selectors) BindSort(text string) ([]Order, error) {
	b := v.binding()
	var orders []Order
	seen := map[string]bool{}
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		name, direction, directed := strings.Cut(item, ":")
		descending := strings.EqualFold(direction, "desc")
		s, err := b.lookup(name, -1)
		if err != nil {
			return nil, err
		}
		if directed && !descending && !strings.EqualFold(direction, "asc") {
			return nil, &SelectorError{Selector: name, At: -1, Why: BadDirection}
		}
		if seen[name] {
			return nil, &SelectorError{Selector: name, At: -1, Why: Repeated}
		}
		seen[name] = true
		o := Order{Column: Column{Name: name, Type: NullColumn}, Descending: descending}
		if !s.absent {
			o.Column = s.column.Column
		}
		orders = append(orders, o)
	}
	if len(orders) > 0 {
		return orders, nil
	}
	if name := v.Dialect.defaultSort(); name != "" {
		if s, err := b.lookup(name, -1); err == nil {
			return []Order{{Column: s.column.Column}}, nil
		}
	}
	return []Order{{Column: Column{Name: "id", Type: IDColumn}}}, nil
}
