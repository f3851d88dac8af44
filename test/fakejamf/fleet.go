package fakejamf

import (
	"slices"
	"time"
)

// Kind is one of the two id spaces of a Jamf Pro instance.
type Kind string

// The two kinds.
const (
	Computer Kind = "computer"
	Mobile   Kind = "mobile"
)

// row is all that is kept of one version of one device; its record is made from it when asked.
type row struct {
	id                 int64
	version            uint32
	name, serial       string // given by a test; else they follow from id and version
	named, reserialled bool
}

type op uint8

const (
	opAdd op = iota + 1
	opDelete
	opChange
	opEmpty
)

// event is one change of the fleet. Its number is its place in history, from 1.
type event struct {
	at   time.Time
	kind Kind
	op   op
	id   int64
}

// life is the line of a device that was touched after the start.
type life struct {
	born, died int64 // event numbers; 0 = at the start, and not yet
	changes    []change
}

type change struct {
	event int64
	row   row
}

// registry is one kind's part of history: who lived when, under which versions.
type registry struct {
	kind    Kind
	initial []int64 // rising
	added   []int64 // rising, all above initial
	next    int64
	lives   map[int64]*life
	emptied []int64 // events
}

// newRegistry gives n devices their ids: rising, with the gaps that deleted ones leave.
func newRegistry(kind Kind, seed uint64, n int) *registry {
	d := roll(seed, kind.number(), saltIDs)
	r := &registry{kind: kind, initial: make([]int64, 0, max(n, 0)), next: 1, lives: map[int64]*life{}}
	for range n {
		if d.permille(60) {
			r.next += int64(d.in(1, 9))
		}
		r.initial = append(r.initial, r.next)
		r.next++
	}
	return r
}

func (r *registry) existed(id int64) bool {
	if _, ok := slices.BinarySearch(r.initial, id); ok {
		return true
	}
	_, ok := slices.BinarySearch(r.added, id)
	return ok
}

// span tells from which event to which an existing id lived; died is 0 while it lives.
func (r *registry) span(id int64) (born, died int64) {
	if l := r.lives[id]; l != nil {
		born, died = l.born, l.died
	}
	for _, e := range r.emptied {
		if e > born && (died == 0 || e < died) {
			died = e
			break
		}
	}
	return born, died
}

// at is the version of an id as it stood after an event.
func (r *registry) at(id, event int64) row {
	l := r.lives[id]
	if l == nil {
		return row{id: id}
	}
	for _, v := range slices.Backward(l.changes) {
		if v.event <= event {
			return v.row
		}
	}
	return row{id: id}
}

func (r *registry) life(id int64) *life {
	l := r.lives[id]
	if l == nil {
		l = &life{}
		r.lives[id] = l
	}
	return l
}

// view is what one node knows of one kind: the living ids, and orders of them that were asked for.
type view struct {
	ids    []int64
	orders map[string]*order
}

// node is one web application server of the cluster. It replays history up to its own position.
type node struct {
	position int64
	views    map[Kind]*view
}

func newNode(kinds map[Kind]*registry) *node {
	n := &node{views: map[Kind]*view{}}
	for k, r := range kinds {
		n.views[k] = &view{ids: slices.Clone(r.initial), orders: map[string]*order{}}
	}
	return n
}

// advance replays events up to a position; a node never goes back.
func (n *node) advance(events []event, to int64) {
	for ; n.position < to; n.position++ {
		e := events[n.position]
		v := n.views[e.kind]
		clear(v.orders)
		i, found := slices.BinarySearch(v.ids, e.id)
		switch e.op {
		case opAdd:
			if !found {
				v.ids = slices.Insert(v.ids, i, e.id)
			}
		case opDelete:
			if found {
				v.ids = slices.Delete(v.ids, i, i+1)
			}
		case opEmpty:
			v.ids = nil
		case opChange:
		}
	}
}

// settleLocked brings every node to where it should be now: the first to the present, the others behind by the lag.
func (s *Server) settleLocked() {
	now := s.o.Now()
	for i, n := range s.nodes {
		n.advance(s.events, s.targetLocked(i, now))
	}
}

func (s *Server) targetLocked(i int, now time.Time) int64 {
	newest := int64(len(s.events))
	if i == 0 {
		return newest
	}
	to := newest - int64(s.o.NodeLagMutations)
	if s.o.NodeLag > 0 {
		to = min(to, s.eventAtLocked(now.Add(-s.o.NodeLag)))
	}
	return max(to, s.nodes[i].position, 0)
}

// eventAtLocked is the number of the newest event not after a moment.
func (s *Server) eventAtLocked(t time.Time) int64 {
	i, _ := slices.BinarySearchFunc(s.events, t, func(e event, t time.Time) int {
		if e.at.After(t) {
			return 1
		}
		return -1
	})
	return int64(i)
}

func (s *Server) recordLocked(k Kind, o op, id int64) int64 {
	s.events = append(s.events, event{at: s.o.Now(), kind: k, op: o, id: id})
	return int64(len(s.events))
}

func (s *Server) addLocked(k Kind) int64 {
	r := s.kinds[k]
	id := r.next
	r.next++
	e := s.recordLocked(k, opAdd, id)
	r.added = append(r.added, id)
	r.life(id).born = e
	return id
}

func (s *Server) deleteLocked(k Kind, id int64) bool {
	r := s.kinds[k]
	if !s.livesLocked(k, id) {
		return false
	}
	r.life(id).died = s.recordLocked(k, opDelete, id)
	return true
}

// changeLocked writes a new version of a living device.
func (s *Server) changeLocked(k Kind, id int64, edit func(*row)) bool {
	r := s.kinds[k]
	if !s.livesLocked(k, id) {
		return false
	}
	next := r.at(id, int64(len(s.events)))
	next.version++
	edit(&next)
	e := s.recordLocked(k, opChange, id)
	l := r.life(id)
	l.changes = append(l.changes, change{event: e, row: next})
	return true
}

func (s *Server) livesLocked(k Kind, id int64) bool {
	r := s.kinds[k]
	if !r.existed(id) {
		return false
	}
	_, died := r.span(id)
	return died == 0
}

// mutateLocked changes the fleet as a living one does: devices come, go, and are renamed.
// Poisoned and broken devices stay, so that what they break stays broken.
func (s *Server) mutateLocked(k Kind) {
	s.nodes[0].advance(s.events, int64(len(s.events)))
	ids := s.nodes[0].views[k].ids
	p := s.dice.n(100)
	if p < 30 || len(ids) == 0 {
		s.addLocked(k)
		return
	}
	id := ids[s.dice.n(len(ids))]
	if s.poisoned[id] && k == Computer || s.broken[id] && k == Mobile {
		return
	}
	if p < 70 {
		s.deleteLocked(k, id)
		return
	}
	s.changeLocked(k, id, func(r *row) { r.named = false })
}
