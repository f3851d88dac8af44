package syncer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
)

// Bounds of one pass.
const (
	noPageFor   = 30 * time.Minute // a walk has no deadline, but a page must come
	maxIdle     = 6                // pages in a row that bring nothing new and do not end the list
	momentTries = 4                // of a page that Jamf answers with 500, where there is no other way to its rows
	maxTimeouts = 5                // timeouts in a row at the floor
	maxRereads  = 3                // passes over a list whose order does not rise
	worthwhile  = 4                // pages that a stretch has at least
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

// errApart tells that the stretches of a list cannot be told to join: it is read again in one.
var errApart = errors.New("stretches do not join")

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
// A long list is read in several stretches at once, each of which ends where it has reached the first id of a later one
// (docs/adr/0017).
type overlap struct {
	fetch    func(ctx context.Context, w window) (*jamf.Page, []row, error)
	take     func(ctx context.Context, r row) error // a row not held before
	isolate  func(ctx context.Context, w window) (*jamf.Page, []row, error)
	progress func(held, total int)
	ceiling  int // largest page
	abreast  int // stretches at once, at most; 0 = one

	// turn is held by whoever runs code of the walk, run's caller included; fetch, take and isolate give it away while
	// they wait for Jamf. So everything else of a walk is as if it ran in one goroutine. May be nil where abreast is 0.
	turn *sync.Mutex

	held     []int64        // ascending; complete when run has ended
	suspects map[int64]bool // held, but a re-read part of the list no longer showed them
	total    int            // of the last page
	pages    int
	reread   bool // the order did not rise somewhere
	short    bool // a page had fewer rows than it was asked for, and more were to come: Jamf clamps, or left rows out
	vanished int  // list positions by which rows moved to the left while the last stretch was read

	pace      pace
	stretches []*stretch // of the pass that runs
	distinct  int        // ids held
}

// run reads the list to its end, and again where ids did not rise.
func (o *overlap) run(ctx context.Context) error {
	o.suspects, o.pace = map[int64]bool{}, newPace(o.ceiling)
	err := o.pass(ctx, o.abreast)
	if errors.Is(err, errApart) {
		err = o.pass(ctx, 1)
	}
	for pass := 2; err == nil && o.reread; pass++ {
		before := len(o.held)
		switch err = o.pass(ctx, 1); {
		case err != nil:
		case len(o.held) == before:
			return nil
		case pass == maxRereads:
			return reject("order_not_rising", "ids do not come in rising order and %d passes did not agree", pass)
		}
	}
	return err
}

// pass reads the list once from its first row to its end. It overlaps with what it has read itself: what a pass before
// holds proves nothing about the rows between.
func (o *overlap) pass(ctx context.Context, abreast int) error {
	s := newStretch(o, 0)
	o.stretches = []*stretch{s}
	defer o.merge()
	for !s.begun {
		if done, err := s.advance(ctx); done || err != nil {
			return err
		}
	}
	if n := min(abreast, o.total/(worthwhile*o.pace.target)); n > 1 && !o.reread && s.pace.short == 0 {
		return o.side(ctx, n)
	}
	return s.read(ctx)
}

// side reads the rest of the list in n stretches at once. When all have ended, the last one reads on to the end of the
// list as it is then: what was added meanwhile is there, and its totalCount and what vanished are of one moment.
func (o *overlap) side(ctx context.Context, n int) error {
	for i := 1; i < n; i++ {
		s := newStretch(o, i*(o.total/n))
		s.pace = o.stretches[0].pace
		o.stretches = append(o.stretches, s)
	}
	g, all := errgroup.WithContext(ctx)
	for _, s := range o.stretches {
		g.Go(func() error {
			o.turn.Lock()
			defer o.turn.Unlock()
			return contained(func() error { return s.read(all) })
		})
	}
	o.turn.Unlock()
	err := g.Wait()
	o.turn.Lock()
	if err != nil {
		return err
	}
	return o.last().read(ctx)
}

// last is the last stretch that has read a row.
func (o *overlap) last() *stretch {
	last := o.stretches[0]
	for _, s := range o.stretches {
		if s.begun {
			last = s
		}
	}
	return last
}

// goal is the first id of the stretches behind s: where s has read it, everything from there on is read by them.
func (o *overlap) goal(s *stretch) (id int64, known bool) {
	at := slices.Index(o.stretches, s)
	for _, later := range o.stretches[at+1:] {
		if later.begun && (!known || later.from < id) {
			id, known = later.from, true
		}
	}
	return id, known
}

// inOrder refuses a stretch that begins at id although another one that is before it in the list begins behind that.
func (o *overlap) inOrder(s *stretch, id int64) error {
	before := true
	for _, other := range o.stretches {
		if other == s {
			before = false
		} else if other.begun && other.from < id != before {
			return errApart
		}
	}
	return nil
}

// merge puts what the stretches hold together. Where two of them have read the same part, at different times, an id that
// only one of them holds is a suspect; so is one that only a pass before has seen.
func (o *overlap) merge() {
	last := o.last()
	o.vanished, o.pace = last.vanished, last.pace
	if !o.reread {
		for i, a := range o.stretches {
			for _, b := range o.stretches[i+1:] {
				o.compare(a, b)
			}
		}
		for _, id := range o.held { // of a pass before
			if !slices.ContainsFunc(o.stretches, func(s *stretch) bool { return s.holds(id) }) {
				o.suspects[id] = true
			}
		}
	}
	for _, s := range o.stretches {
		if len(o.held) == 0 {
			o.held = s.held
			continue
		}
		o.held = append(o.held, s.held...)
	}
	slices.Sort(o.held)
	o.held = slices.Compact(o.held)
	o.stretches, o.distinct = nil, len(o.held)
}

// compare finds suspects where both have read.
func (o *overlap) compare(a, b *stretch) {
	if len(a.held) == 0 || len(b.held) == 0 {
		return
	}
	from, to := max(a.from, b.from), min(a.held[len(a.held)-1], b.held[len(b.held)-1])
	for _, both := range [][2]*stretch{{a, b}, {b, a}} {
		at, _ := slices.BinarySearch(both[0].held, from)
		for _, id := range both[0].held[at:] {
			if id > to {
				break
			}
			if !both[1].holds(id) {
				o.suspects[id] = true
			}
		}
	}
}

func (o *overlap) noteOrder(rows []row) {
	for i := 1; i < len(rows); i++ {
		if rows[i].id <= rows[i-1].id {
			o.reread = true
			return
		}
	}
}

func (o *overlap) holds(id int64) bool {
	if _, found := slices.BinarySearch(o.held, id); found {
		return true
	}
	return slices.ContainsFunc(o.stretches, func(s *stretch) bool { return s.holds(id) })
}

// hold adds an id after the list was read.
func (o *overlap) hold(id int64) {
	if at, found := slices.BinarySearch(o.held, id); !found {
		o.held = slices.Insert(o.held, at, id)
	}
}

func (o *overlap) drop(id int64) {
	o.held = without(o.held, id)
	for _, s := range o.stretches {
		s.held = without(s.held, id)
	}
	o.distinct--
	delete(o.suspects, id)
}

// without takes an id out of ascending ones.
func without(ids []int64, id int64) []int64 {
	if at, found := slices.BinarySearch(ids, id); found {
		return slices.Delete(ids, at, at+1)
	}
	return ids
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
