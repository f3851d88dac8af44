package syncer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
)

// Bounds of one pass.
const (
	noPageFor   = 30 * time.Minute // a walk has no deadline, but a page must come
	maxIdle     = 6                // pages in a row that bring nothing new and do not end the list
	maxTimeouts = 5                // timeouts in a row at the floor
	maxRereads  = 3                // passes over a list whose order does not rise
)

// failure is why a walk was rejected: a code of the catalogue and one safe sentence.
type failure struct {
	Code   string
	Detail string
	Err    error
}

func (f *failure) Error() string {
	if f.Err != nil {
		return f.Code + ": " + f.Detail + ": " + f.Err.Error()
	}
	return f.Code + ": " + f.Detail
}

func (f *failure) Unwrap() error { return f.Err }

func reject(code, format string, args ...any) *failure {
	return &failure{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// row is one element of a page whose id is known. raw is nil when the record could not be had: then why says so
// and skeleton holds what a lighter list gave, if any.
type row struct {
	id       int64
	raw      []byte
	skeleton []byte
	why      error
	unfit    error // raw was listed but is no strict JSON: it is read again by id
}

// overlap reads one list completely while the list changes (proof 1 of DESIGN.md): pages in id order, each of which
// must begin with an id already held, so that a row that a deletion moved past the reading point is never lost.
type overlap struct {
	fetch    func(ctx context.Context, w window) (*jamf.Page, []row, error)
	take     func(ctx context.Context, r row) error // a row not held before
	isolate  func(ctx context.Context, w window) (*jamf.Page, []row, error)
	progress func(held, total int)
	ceiling  int // largest page

	held     []int64        // ascending
	suspects map[int64]bool // held, but a re-read stretch no longer showed them
	total    int            // of the last page
	pages    int
	reread   bool // the order did not rise somewhere
	vanished int  // list positions by which rows moved to the left while it was read

	next     int // list position of the first unread row
	pace     pace
	timeouts int
	idle     int
	avoid    int
	failed   window // the last one that did not render
	isolated bool   // the last page was read record by record
}

// run reads the list to its end, and again where ids did not rise.
func (o *overlap) run(ctx context.Context) error {
	o.suspects, o.pace = map[int64]bool{}, newPace(o.ceiling)
	for pass := 1; ; pass++ {
		before := len(o.held)
		if err := o.pass(ctx); err != nil {
			return err
		}
		if !o.reread || (pass > 1 && len(o.held) == before) {
			return nil
		}
		if pass == maxRereads {
			return reject("order_not_rising", "ids do not come in rising order and %d passes did not agree", pass)
		}
	}
}

func (o *overlap) pass(ctx context.Context) error {
	o.next, o.idle, o.avoid = 0, 0, -1
	limit := 0 // pages allowed, known after the first
	for n := 1; ; n++ {
		w := overlapping(o.next, o.pace.target, o.pace.limit, o.avoid)
		done, err := o.step(ctx, w)
		if err != nil {
			return err
		}
		if done {
			return nil
		}
		if limit == 0 {
			limit = 200 + 8*o.total/floorSize
		}
		if o.idle > maxIdle || n > limit {
			return reject("no_progress", "%d pages brought nothing new at row %d of %d", o.idle, o.next, o.total)
		}
	}
}

// step reads one window, stepping back until it overlaps what is held, and takes what is new.
func (o *overlap) step(ctx context.Context, w window) (done bool, err error) {
	hollow := false // the first page came without a row although totalCount counts some
	for {
		p, rows, err := o.load(ctx, w)
		switch {
		case err != nil:
			return false, err
		case p == nil:
			return false, nil // a smaller window comes next
		}
		o.pages++
		if err := o.judge(p, w); err != nil {
			return false, err
		}
		if w.page == 0 && len(rows) == 0 && p.Total > 0 {
			if hollow {
				return false, reject("count_mismatch", "the first page is empty where totalCount says %d", p.Total)
			}
			hollow = true // once more: two nodes may disagree for a moment
			continue
		}
		o.noteOrder(rows)
		if w.page > 0 && (len(rows) == 0 || !o.holds(rows[0].id)) {
			if len(rows) == 0 && p.Total > w.first() {
				return true, nil // an empty page ends the list; the count tells that something is missing
			}
			w.page--
			continue
		}
		return o.absorb(ctx, p, w, rows)
	}
}

// load fetches a window. A page that Jamf cannot render, or whose records are too large for one answer, is halved down to
// the floor and then read record by record; nil means that another window comes next.
func (o *overlap) load(ctx context.Context, w window) (*jamf.Page, []row, error) {
	pageCtx, cancel := context.WithTimeout(ctx, noPageFor)
	defer cancel()
	p, rows, err := o.fetch(pageCtx, w)
	o.isolated = false
	broken, large := errors.Is(err, jamf.ErrServerError), errors.Is(err, jamf.ErrTooLarge)
	switch {
	case err == nil:
		return p, rows, nil
	case errors.Is(err, jamf.ErrTimeout):
		return nil, nil, o.timedOut(w, err)
	case (broken || large) && !o.pace.atFloor(w.size):
		o.pace.failed(w.size)
		return nil, nil, nil
	case broken && !large && o.failed != w:
		o.failed = w // once more: it may have been a moment
		return nil, nil, nil
	case (broken || large) && o.isolate != nil:
		p, rows, err = o.isolate(pageCtx, w)
		o.isolated = true
		for i, r := range rows {
			if r.why != nil {
				o.avoid = w.first() + i
			}
		}
	}
	if err != nil && pageCtx.Err() != nil && ctx.Err() == nil {
		err = &failure{Code: "no_progress", Detail: fmt.Sprintf("no page for %v", noPageFor), Err: err}
	}
	return p, rows, err
}

// timedOut makes the page smaller; it is never asked for again at the same size, above the floor.
func (o *overlap) timedOut(w window, cause error) error {
	if o.pace.atFloor(w.size) {
		if o.timeouts++; o.timeouts >= maxTimeouts {
			return cause
		}
	}
	o.pace.failed(w.size)
	return nil
}

// judge refuses a page that contradicts itself.
func (o *overlap) judge(p *jamf.Page, w window) error {
	if len(p.Rows) > w.size {
		return reject("unexpected_answer", "%d rows for a page of %d", len(p.Rows), w.size)
	}
	if len(p.Rows) > 0 && w.first()+len(p.Rows) > p.Total {
		return reject("count_mismatch", "rows up to %d where totalCount says %d", w.first()+len(p.Rows), p.Total)
	}
	return nil
}

// absorb takes the new rows of a window that overlaps, and tells whether the list is at its end.
func (o *overlap) absorb(ctx context.Context, p *jamf.Page, w window, rows []row) (bool, error) {
	o.noteVanished(rows)
	fresh := 0
	for _, r := range rows {
		if !o.hold(r.id) {
			continue
		}
		fresh++
		switch err := o.take(ctx, r); {
		case errors.Is(err, errGone):
			o.drop(r.id)
		case err != nil:
			return false, err
		}
	}
	o.total = p.Total
	reached := w.first() + len(rows)
	// The last row read before stood at next-1 and now stands at reached-fresh-1: so many rows before it are gone.
	o.vanished += max(0, o.next-(reached-fresh))
	o.progress(len(o.held), p.Total)
	if reached >= p.Total {
		return true, nil
	}
	o.timeouts = 0
	if len(rows) < w.size {
		// Jamf clamps without a word: what it gave is its page size, and the position is that of the last row (ghosts make it too large: stepping back mends that).
		at, _ := slices.BinarySearch(o.held, rows[len(rows)-1].id)
		o.next = max(o.next, at+1)
		o.pace.clamped(len(rows))
	} else {
		o.next = reached
		if !o.isolated {
			o.pace.full(w.size, p.Elapsed)
		}
	}
	o.idle++
	if fresh > 0 || o.reread {
		o.idle = 0
	}
	if o.idle >= maxIdle/2 && reached == o.next {
		return o.endsHere(ctx)
	}
	return false, nil
}

// endsHere asks for the single row that should come next, when pages stay short of totalCount and bring nothing new.
// When there is none the list is at its end, whatever totalCount says; the proofs judge the difference.
func (o *overlap) endsHere(ctx context.Context) (bool, error) {
	p, _, err := o.fetch(ctx, window{o.next, 1})
	if err != nil {
		return false, err
	}
	o.pages++
	return len(p.Rows) == 0, nil
}

func (o *overlap) noteOrder(rows []row) {
	for i := 1; i < len(rows); i++ {
		if rows[i].id <= rows[i-1].id {
			o.reread = true
			return
		}
	}
}

// noteVanished finds held ids inside a stretch that was read again and did not show them.
func (o *overlap) noteVanished(rows []row) {
	if len(rows) == 0 || o.reread {
		return
	}
	shown := make(map[int64]bool, len(rows))
	for _, r := range rows {
		shown[r.id] = true
	}
	from, _ := slices.BinarySearch(o.held, rows[0].id)
	for _, id := range o.held[from:] {
		if id > rows[len(rows)-1].id {
			break
		}
		if !shown[id] {
			o.suspects[id] = true
		}
	}
}

func (o *overlap) holds(id int64) bool {
	_, found := slices.BinarySearch(o.held, id)
	return found
}

// hold adds an id and tells whether it is new.
func (o *overlap) hold(id int64) bool {
	at, found := slices.BinarySearch(o.held, id)
	if found {
		delete(o.suspects, id)
		return false
	}
	o.held = slices.Insert(o.held, at, id)
	return true
}

func (o *overlap) drop(id int64) {
	if at, found := slices.BinarySearch(o.held, id); found {
		o.held = slices.Delete(o.held, at, at+1)
	}
	delete(o.suspects, id)
}

// listOf is the full list of a kind, lightListOf the cheapest one that shows the same rows in the same order.
func listOf(k device.Kind) jamf.List {
	if k == device.Computer {
		return jamf.Computers
	}
	return jamf.MobileDetail
}

func lightListOf(k device.Kind) (jamf.List, []string) {
	if k == device.Computer {
		return jamf.Computers, []string{"GENERAL"}
	}
	return jamf.MobilePlain, nil
}
