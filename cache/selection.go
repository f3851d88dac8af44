package cache

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"jamf-gateway/gateway/device"
)

// Part is one generation of a selection, with the filter bound to its kind. Every part has the same orders, column for
// column of the same type.
type Part struct {
	Generation *Generation
	View       *View // nil: all devices of the generation
	Where      device.Condition
	Order      []device.Order
}

// Place is one device of a selection: its part and its id.
type Place struct {
	Part int
	ID   int64
}

// Selection is the ordered devices of a filter and sort over one or several generations. Never changed.
type Selection struct{ packed []byte }

const placeSize = 10 // bytes: part, id

// Len is the number of devices.
func (s Selection) Len() int { return len(s.packed) / placeSize }

// Places are the devices from the from-th on, n at most.
func (s Selection) Places(from, n int) []Place {
	from = min(max(from, 0), s.Len())
	out := make([]Place, min(max(n, 0), s.Len()-from))
	for i := range out {
		at := s.packed[(from+i)*placeSize:]
		out[i] = Place{Part: int(binary.BigEndian.Uint16(at)), ID: int64(binary.BigEndian.Uint64(at[2:]))}
	}
	return out
}

func appendPlace(packed []byte, part int, id int64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint16(packed, uint16(part)), uint64(id))
}

const maxParts = 1 << 16

// Select finds the devices of all parts that match, in order; what the orders cannot tell apart stands in the order of parts and ids.
// Selections are kept in ristretto, so that the pages that follow need no query; one flight per selection.
// ErrNoFacts when a generation was written by a program that did not write the columns asked for.
func (s *Store) Select(ctx context.Context, parts []Part) (Selection, error) {
	if len(parts) > maxParts {
		return Selection{}, fmt.Errorf("select of %d parts, at most %d", len(parts), maxParts)
	}
	scope, err := selectionScope(parts)
	if err != nil {
		return Selection{}, err
	}
	if e := s.hot.find(scope); e != nil {
		s.hot.selections.hits.Add(1)
		return Selection{e.body}, ctx.Err()
	}
	s.hot.selections.misses.Add(1)
	held := make([]*Generation, 0, len(parts))
	release := func() {
		for _, g := range held {
			g.Release()
		}
	}
	for _, p := range parts {
		if !p.Generation.tryRetain() {
			release()
			return Selection{}, fmt.Errorf("select devices: %w", ErrGone)
		}
		held = append(held, p.Generation)
	}
	value, err := s.detached(ctx, scope, func(ctx context.Context) (any, error) {
		found, err := selectParts(ctx, parts)
		if err != nil {
			return nil, err
		}
		s.hot.keep(&entry{scope: scope, body: found.packed})
		return found, nil
	}, release)
	if err != nil {
		return Selection{}, err
	}
	return value.(Selection), nil
}

func selectionScope(parts []Part) (string, error) {
	dst := []byte{classSelection}
	for _, p := range parts {
		question, err := json.Marshal([]any{p.Where, p.Order})
		if err != nil {
			return "", fmt.Errorf("name a selection: %w", err)
		}
		dst = appendPart(appendPart(appendPart(dst, p.Generation.ref), p.View.name()), string(question))
	}
	return string(dst), nil
}

// found is one device with the values it is sorted by.
type found struct {
	part int
	id   int64
	keys []any // nil, int64, float64 or string
}

func selectParts(ctx context.Context, parts []Part) (Selection, error) {
	if len(parts) == 1 || len(parts[0].Order) == 0 {
		var packed []byte
		for i, p := range parts {
			err := p.Generation.selected(ctx, p, 0, func(f found) { packed = appendPlace(packed, i, f.id) })
			if err != nil {
				return Selection{}, err
			}
		}
		return Selection{packed}, nil
	}
	var all []found
	for i, p := range parts {
		err := p.Generation.selected(ctx, p, len(p.Order), func(f found) {
			f.part = i
			all = append(all, f)
		})
		if err != nil {
			return Selection{}, err
		}
	}
	orders := parts[0].Order
	slices.SortFunc(all, func(a, b found) int { return compareFound(orders, a, b) })
	packed := make([]byte, 0, len(all)*placeSize)
	for _, f := range all {
		packed = appendPlace(packed, f.part, f.id)
	}
	return Selection{packed}, nil
}

// compareFound is how SQLite compares within one file, over several.
func compareFound(orders []device.Order, a, b found) int {
	for i, o := range orders {
		c := compareKeys(a.keys[i], b.keys[i])
		if o.Descending {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	if a.part != b.part {
		return a.part - b.part
	}
	return compareKeys(a.id, b.id)
}

// compareKeys orders values of one column; what is unknown comes first.
func compareKeys(a, b any) int {
	switch x := a.(type) {
	case int64:
		if y, ok := b.(int64); ok {
			return cmpOrdered(x, y)
		}
	case float64:
		if y, ok := b.(float64); ok {
			return cmpOrdered(x, y)
		}
	case string:
		if y, ok := b.(string); ok {
			return strings.Compare(x, y)
		}
	}
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	}
	return 1
}

func cmpOrdered[T int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// selected runs the query of one part and visits each device, with the values of its first keys orders.
// What the file answers is checked against the ids of the generation: an index that lies is damage, not a shorter list.
func (g *Generation) selected(ctx context.Context, p Part, keys int, visit func(found)) error {
	q, err := g.query(p, keys)
	if err != nil {
		return err
	}
	select {
	case g.readers.scans <- struct{}{}:
		defer func() { <-g.readers.scans }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return g.use(ctx, "select devices", func(r *reader) error {
		rows, err := r.conn.QueryContext(context.WithoutCancel(ctx), q.text, q.args...)
		if err != nil {
			return err
		}
		n := 0
		_, err = scanAll(rows, func(rows *sql.Rows) (struct{}, error) {
			f, err := g.scanFound(rows, keys)
			if err != nil {
				return struct{}{}, err
			}
			n++
			if p.View.shows(f.id) {
				visit(f)
			}
			if n%chunk == 0 {
				err = ctx.Err()
			}
			return struct{}{}, err
		})
		if err == nil && q.all && n != len(g.ids) {
			err = fmt.Errorf("%d of %d devices have facts: %w", n, len(g.ids), errMissingRow)
		}
		return err
	})
}

func (g *Generation) scanFound(rows *sql.Rows, keys int) (found, error) {
	f := found{keys: make([]any, keys)}
	into := []any{&f.id}
	for i := range f.keys {
		into = append(into, &f.keys[i])
	}
	if err := rows.Scan(into...); err != nil {
		return f, err
	}
	if _, known := slices.BinarySearch(g.ids, f.id); !known {
		return f, fmt.Errorf("device %d: %w", f.id, errStrangeRow)
	}
	return f, nil
}

var errStrangeRow = errors.New("no device of this generation")

// Records reads the records of these ids, in their order. ErrNotFound, ErrCorrupt.
func (g *Generation) Records(ctx context.Context, ids []int64) ([]Record, error) {
	for _, id := range ids {
		if _, ok := slices.BinarySearch(g.ids, id); !ok {
			return nil, fmt.Errorf("device %d: %w", id, ErrNotFound)
		}
	}
	records := make([]Record, 0, len(ids))
	err := g.use(ctx, "read devices", func(r *reader) error {
		return g.eachOf(ctx, r, ids, func(record Record) { records = append(records, record) })
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}
