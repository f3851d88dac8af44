package syncer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"jamf-gateway/gateway/jamf"
)

// stretch is a part of a list that is read page after page, each of which overlaps what the stretch has read: every device
// that lives all the while and whose id lies between from and the last id read is held by it.
type stretch struct {
	list  *overlap
	start int     // list position at which it begins, 0 = the first stretch
	begun bool    // its first page was read
	from  int64   // first id read
	held  []int64 // ascending

	next     int   // list position of the first unread row
	edge     int64 // id of the row before it
	vanished int   // list positions by which rows moved to the left while it was read
	pace     pace
	asked    int // windows
	limit    int // of them; known after the first page
	timeouts int
	idle     int
	back     int // pages in a row that had to be taken a page back
	avoid    int
	failed   window // the last one at the floor that did not render
	refusals int    // in a row, of that one
	isolated bool   // the last page was read record by record
}

func newStretch(o *overlap, start int) *stretch {
	return &stretch{list: o, start: start, next: start, pace: o.pace, avoid: -1}
}

// read goes on to the end of the stretch.
func (s *stretch) read(ctx context.Context) error {
	s.idle = 0
	for {
		if done, err := s.advance(ctx); done || err != nil {
			return err
		}
	}
}

// advance asks for the next window.
func (s *stretch) advance(ctx context.Context) (done bool, err error) {
	// Where page after page must be taken a page back, rows go from the list faster than one row of overlap allows for:
	// each time the overlap of the next is an eighth of a page longer.
	w := overlapping(max(min(1, s.next), s.next-s.back*(s.pace.target/8+1)), s.pace.target, s.pace.limit, s.avoid)
	if !s.begun {
		w = window{s.start / s.pace.target, s.pace.target}
	}
	back := s.back
	if done, err = s.step(ctx, w); done || err != nil {
		return done, err
	}
	if s.back == back {
		s.back = 0
	}
	if s.limit == 0 {
		s.limit = 200 + 8*s.list.total/floorSize
	}
	if s.asked++; s.idle > maxIdle || s.asked > s.limit {
		return false, reject("no_progress", "%d pages brought nothing new at row %d of %d", s.idle, s.next, s.list.total)
	}
	return false, nil
}

// step reads one window, stepping back until it overlaps what is held, and takes what is new.
func (s *stretch) step(ctx context.Context, w window) (done bool, err error) {
	hollow := false // the first page came without a row although totalCount counts some
	for {
		p, rows, err := s.load(ctx, w)
		if p == nil || err != nil {
			return false, err // without an error a smaller window comes next
		}
		s.list.pages++
		if err := judge(p, w); err != nil {
			return false, err
		}
		if w.page == 0 && len(rows) == 0 && p.Total > 0 {
			if hollow {
				return false, reject("count_mismatch", "the first page is empty where totalCount says %d", p.Total)
			}
			hollow = true // once more: two nodes may disagree for a moment
			continue
		}
		s.list.noteOrder(rows)
		if s.list.reread && len(s.list.stretches) > 1 {
			return false, errApart
		}
		switch where, err := s.place(p, w, rows); {
		case err != nil:
			return false, err
		case where == behind:
			w.page--
			s.back++
		case where == over:
			return true, nil
		case where == astray:
			s.pace.clamped(len(rows))
			s.idle++
			return false, nil
		default:
			return s.absorb(ctx, p, w, rows)
		}
	}
}

// placement is where a page lies beside what its stretch holds.
type placement uint8

const (
	overlaps placement = iota
	behind             // something may lie between: a page back
	over               // the list has ended before it
	astray             // Jamf gave smaller pages than were asked for, so that it lies somewhere else
)

func (s *stretch) place(p *jamf.Page, w window, rows []row) (placement, error) {
	short := len(rows) < w.size && w.first()+len(rows) < p.Total
	switch {
	case len(rows) == 0 && w.page == 0:
		return overlaps, nil
	case len(rows) == 0 && (p.Total > w.first() || !s.begun):
		if _, more := s.list.goal(s); more && s.begun {
			return 0, errApart // there is no end here: others read behind it
		}
		return over, nil // the count tells whether something is missing
	case len(rows) == 0:
		return behind, nil
	case !s.begun:
		return overlaps, s.list.inOrder(s, rows[0].id)
	case s.holds(rows[0].id), s.start == 0 && w.page == 0:
		return overlaps, nil
	case s.start == 0:
		return behind, nil
	case short && s.idle < maxIdle:
		return astray, nil
	case short, rows[len(rows)-1].id < s.from:
		return 0, errApart // all that this stretch had read is gone
	case rows[0].id < s.from, w.page == 0:
		return overlaps, nil // it begins before the stretch and reaches into it
	default:
		return behind, nil
	}
}

// load fetches a window. A page that Jamf cannot render, or whose records are too large for one answer, is halved down to
// the floor and then read record by record; nil means that another window comes next.
func (s *stretch) load(ctx context.Context, w window) (*jamf.Page, []row, error) {
	pageCtx, cancel := context.WithTimeout(ctx, noPageFor)
	defer cancel()
	p, rows, err := s.list.fetch(pageCtx, w)
	s.isolated = false
	broken, large := errors.Is(err, jamf.ErrServerError), errors.Is(err, jamf.ErrTooLarge)
	switch {
	case err == nil:
		return p, rows, nil
	case errors.Is(err, jamf.ErrTimeout):
		return nil, nil, s.timedOut(w, err)
	case (broken || large) && !s.pace.atFloor(w.size):
		s.pace.failed(w.size)
		return nil, nil, nil
	case broken && !large && s.repeats(w):
		return nil, nil, nil
	case (broken || large) && s.list.isolate != nil:
		p, rows, err = s.list.isolate(pageCtx, w)
		s.isolated = true
		for i, r := range rows {
			if r.why != nil {
				s.avoid = w.first() + i
			}
		}
	}
	if err != nil && pageCtx.Err() != nil && ctx.Err() == nil {
		err = &failure{Code: "no_progress", Detail: fmt.Sprintf("no page for %v", noPageFor), Err: err}
	}
	return p, rows, err
}

// repeats tells whether a window at the floor that did not render is asked for once more: it may have been a moment. Where
// it can be read record by record one repetition is enough; where it cannot, only what never renders ends the walk.
func (s *stretch) repeats(w window) bool {
	if s.failed != w {
		s.failed, s.refusals = w, 0
	}
	s.refusals++
	return s.refusals < 2 || s.list.isolate == nil && s.refusals < momentTries
}

// timedOut makes the page smaller; it is never asked for again at the same size, above the floor.
func (s *stretch) timedOut(w window, cause error) error {
	if s.pace.atFloor(w.size) {
		if s.timeouts++; s.timeouts >= maxTimeouts {
			return cause
		}
	}
	s.pace.failed(w.size)
	return nil
}

// judge refuses a page that contradicts itself.
func judge(p *jamf.Page, w window) error {
	if len(p.Rows) > w.size {
		return reject("unexpected_answer", "%d rows for a page of %d", len(p.Rows), w.size)
	}
	if len(p.Rows) > 0 && w.first()+len(p.Rows) > p.Total {
		return reject("count_mismatch", "rows up to %d where totalCount says %d", w.first()+len(p.Rows), p.Total)
	}
	return nil
}

// absorb takes the new rows of a window that overlaps, and tells whether the stretch is at its end.
func (s *stretch) absorb(ctx context.Context, p *jamf.Page, w window, rows []row) (bool, error) {
	if !s.begun {
		s.begun, s.start = true, w.first()
	}
	s.noteVanished(w, rows)
	fresh, err := s.takeAll(ctx, rows)
	if err != nil {
		return false, err
	}
	o := s.list
	o.total = p.Total
	o.progress(o.distinct, p.Total)
	reached := w.first() + len(rows)
	if reached >= p.Total {
		s.next = reached
		return true, nil
	}
	last := rows[len(rows)-1].id
	if goal, known := o.goal(s); known && last >= goal {
		return true, nil
	}
	s.timeouts = 0
	if len(rows) < w.size {
		o.short = true
		// Jamf clamps without a word: what it gave is its page size, and the position is that of the last row (ghosts make it too large: stepping back mends that).
		at, _ := slices.BinarySearch(s.held, last)
		s.next = max(s.next, s.start+at+1)
		s.pace.clamped(len(rows))
	} else {
		s.next = reached
		if !s.isolated {
			s.pace.full(w.size, p.Elapsed)
		}
	}
	s.idle++
	if fresh > 0 || o.reread {
		s.idle = 0
	}
	if s.idle >= maxIdle/2 && reached == s.next {
		return s.endsHere(ctx)
	}
	return false, nil
}

// takeAll holds the rows and takes those that no stretch holds. fresh is how many this stretch did not hold.
func (s *stretch) takeAll(ctx context.Context, rows []row) (fresh int, err error) {
	o := s.list
	for i, r := range rows {
		known := o.holds(r.id)
		if !s.hold(r.id) {
			continue
		}
		if fresh++; i == 0 && (s.from == 0 || r.id < s.from) {
			s.from = r.id
		}
		if known {
			continue
		}
		o.distinct++
		switch err := o.take(ctx, r); {
		case errors.Is(err, errGone):
			o.drop(r.id)
		case err != nil:
			return fresh, err
		}
	}
	return fresh, nil
}

// endsHere asks for the single row that should come next, when pages stay short of totalCount and bring nothing new.
// When there is none the list is at its end, whatever totalCount says; the proofs judge the difference.
func (s *stretch) endsHere(ctx context.Context) (bool, error) {
	pageCtx, cancel := context.WithTimeout(ctx, noPageFor)
	defer cancel()
	p, _, err := s.list.fetch(pageCtx, window{s.next, 1})
	switch {
	case errors.Is(err, jamf.ErrServerError):
		return false, nil // this tells nothing of the end; the idle pages are counted on
	case err != nil:
		return false, err
	}
	s.list.pages++
	return len(p.Rows) == 0, nil
}

// noteVanished finds held ids inside a part of the list that was read again and did not show them, and counts by how
// many positions the row read last has moved. A page that does not reach that row, or whose position is not sure because
// it is short, tells nothing of the latter.
func (s *stretch) noteVanished(w window, rows []row) {
	if len(rows) == 0 || s.list.reread {
		return
	}
	last := rows[len(rows)-1].id
	if s.edge > 0 && last >= s.edge {
		at := slices.IndexFunc(rows, func(r row) bool { return r.id > s.edge })
		if at < 0 {
			at = len(rows)
		}
		s.vanished += max(0, s.next-(w.first()+at))
	}
	s.edge = last
	shown := make(map[int64]bool, len(rows))
	for _, r := range rows {
		shown[r.id] = true
	}
	from, _ := slices.BinarySearch(s.held, rows[0].id)
	for _, id := range s.held[from:] {
		if id > last {
			break
		}
		if !shown[id] {
			s.list.suspects[id] = true
		}
	}
}

func (s *stretch) holds(id int64) bool {
	_, found := slices.BinarySearch(s.held, id)
	return found
}

// hold adds an id and tells whether it is new. Rising ids come to the end, where adding costs nothing.
func (s *stretch) hold(id int64) bool {
	at, found := slices.BinarySearch(s.held, id)
	if found {
		delete(s.list.suspects, id)
		return false
	}
	s.held = slices.Insert(s.held, at, id)
	return true
}
