package fakejamf

import (
	"cmp"
	"slices"
	"strings"
)

// order is one kind's ids in the order of a sort. Rows that the sort cannot tell apart form a tie: its order is nobody's promise.
type order struct {
	ids []int64
	tie []int32 // where each row's tie begins; nil when there are none
}

type sortKey struct {
	field *field
	down  bool
}

// readSort reads "property:asc,property:desc", repeated or joined.
func readSort(asked []string, fields map[string]*field) ([]sortKey, *badRequest) {
	var keys []sortKey
	for _, list := range asked {
		for one := range strings.SplitSeq(list, ",") {
			name, direction, _ := strings.Cut(strings.TrimSpace(one), ":")
			f := fields[name]
			if f == nil || !f.sorts {
				return nil, bad("INVALID_FIELD", "sort by %s is not possible", name)
			}
			down := strings.EqualFold(direction, "desc")
			if !down && direction != "" && !strings.EqualFold(direction, "asc") {
				return nil, bad("INVALID_FIELD", "sort direction %s is neither asc nor desc", direction)
			}
			keys = append(keys, sortKey{f, down})
		}
	}
	return keys, nil
}

func sortName(keys []sortKey) string {
	var b strings.Builder
	for _, k := range keys {
		b.WriteString(k.field.name)
		if k.down {
			b.WriteByte('-')
		}
		b.WriteByte(',')
	}
	return b.String()
}

// page takes the rows of one page from a node, as they stand now, and the total it tells.
func (s *Server) page(n int, q *query) (rows []row, total int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settleLocked()
	if s.faults.FalseEmpty {
		return nil, 0
	}
	nd := s.nodes[n]
	ord := s.orderLocked(nd, q)
	total = len(ord.ids)
	from, to := q.window(total)
	reg := s.kinds[q.kind]
	salt := int(s.dice.next() >> 40)
	for i := from; i < to; i++ {
		at := i
		switch {
		case s.faults.ShuffleUnsorted && !q.sorted:
			at = shuffled(i, salt, total)
		case ord.tie != nil:
			at = ord.rotated(i, salt)
		}
		rows = append(rows, reg.at(ord.ids[at], nd.position))
	}
	return rows, total + s.countLie
}

// shuffled maps a place to another one, a different one for each salt, none twice.
func shuffled(i, salt, n int) int {
	step := n/2 + salt%7 + 1
	for gcd(step, n) != 1 {
		step++
	}
	return (i*step + salt) % n
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// rotated maps a place to another one of its tie.
func (o *order) rotated(i, salt int) int {
	begin := int(o.tie[i])
	end := i + 1
	for end < len(o.tie) && int(o.tie[end]) == begin {
		end++
	}
	return begin + (i-begin+salt)%(end-begin)
}

// orderLocked sorts a kind, or finds the order that was made for an earlier page of the same state.
func (s *Server) orderLocked(nd *node, q *query) *order {
	v := nd.views[q.kind]
	if q.filter == nil && len(q.sort) == 1 && q.sort[0].field.id && !q.sort[0].down {
		return &order{ids: v.ids}
	}
	name := sortName(q.sort)
	if q.filter == nil {
		if o := v.orders[name]; o != nil {
			return o
		}
	}
	ids := v.ids
	if q.filter != nil {
		ids = s.filterLocked(nd, q)
	}
	o := s.sortLocked(nd, q, ids)
	if q.filter == nil {
		v.orders[name] = o
	}
	return o
}

func (s *Server) filterLocked(nd *node, q *query) []int64 {
	v, reg := nd.views[q.kind], s.kinds[q.kind]
	if id, ok := q.filter.onlyID(); ok { // the common question needs no reading of the whole fleet
		if _, found := slices.BinarySearch(v.ids, id); found {
			return []int64{id}
		}
		return nil
	}
	var ids []int64
	for _, id := range v.ids {
		if q.filter.matches(&reader{shapes: s.shapes, kind: q.kind, version: q.version, row: reg.at(id, nd.position)}) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (s *Server) sortLocked(nd *node, q *query, ids []int64) *order {
	type line struct {
		id   int64
		keys []string
	}
	lines := make([]line, len(ids))
	for i, id := range ids {
		rd := &reader{shapes: s.shapes, kind: q.kind, version: q.version, row: s.kinds[q.kind].at(id, nd.position)}
		keys := make([]string, len(q.sort))
		for j, k := range q.sort {
			keys[j] = rd.sortText(k.field)
		}
		lines[i] = line{id, keys}
	}
	compare := func(a, b line) int {
		for j, k := range q.sort {
			c := cmp.Compare(a.keys[j], b.keys[j])
			if k.down {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	}
	slices.SortStableFunc(lines, compare)
	o := &order{ids: make([]int64, len(lines)), tie: make([]int32, len(lines))}
	for i, l := range lines {
		o.ids[i] = l.id
		o.tie[i] = int32(i)
		if i > 0 && compare(lines[i-1], l) == 0 {
			o.tie[i] = o.tie[i-1]
		}
	}
	return o
}
