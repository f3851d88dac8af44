package server

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// A client stays on its generations until one of these ends its run.
const (
	runIdle   = 5 * time.Minute
	runFresh  = 30 * time.Minute // an older run ends when its client asks for the first page again
	runLimit  = 2 * time.Hour    // also how long an ended run is remembered for a walk that goes on
	sweepTime = time.Minute
)

// errListGone means that a walk goes on whose generation is no longer kept: the rest of its list would come from another one.
var errListGone = errors.New("the generation of this walk is no longer kept")

// ask is what a request wants of its client's run.
type ask uint8

const (
	askBeside ask = iota // looks at the series without being a step of a walk over it
	askOne               // a single device
	askFirst             // the first page of a list
	askMore              // another page of a list
)

// step is a request as its client's run sees it.
type step struct {
	ask  ask
	list listID // of askFirst and askMore: two walks of one client are told apart by the list that they read
	view string // digest of the filter that leaves devices out for the client; "" = none
	at   string // address of a list, where a restart may have put another source; "" = an address that is the source's for ever

	columns bool // it filters or sorts: its first page wants a generation of today's mapping
}

// runs keeps, for each client and source, the generations that the client is reading: lists, details by id,
// concurrent pages and a token before every request all see the same ones. There is at most one run for each
// client and source of the configuration, so the memory is bounded by it.
//
// An ended run lets go of its generations and stays remembered by their numbers: another page of its list must not come
// from a newer generation, because a device would be missing in between. For the same reason a run that moves on
// remembers which other lists were under way (left). What is remembered survives a restart in a file.
type runs struct {
	store *cache.Store
	now   func() time.Time
	log   *slog.Logger
	file  string // "" = not kept over a restart

	purges atomic.Int64 // goes up with each: what was opened before one may be gone from the store, and no run holds it then

	saving  sync.Mutex // one writer of the file; taken before mu
	foreign bool       // under saving: the file that is there cannot be read, and is set aside before anything is written

	mu      sync.Mutex
	closed  bool
	moved   bool // a pin came or went since the file was written
	touched bool // a time did
	held    map[runKey]*run
	lost    map[walk]time.Time // last request of walks over sources that a restart took from their client
	unknown time.Time          // the start that did not know which walks were under way; zero: each did
}

type runKey struct{ client, source string }

// run is one client's walks over one source.
type run struct {
	used   time.Time // any request
	walked time.Time // one that was no first page
	pins   map[device.Kind]*pin
	left   map[device.Kind][]*pin // pins that the run moved on from while other lists were under way on them
}

func newRuns(store *cache.Store, now func() time.Time, log *slog.Logger, file string) *runs {
	return &runs{store: store, now: now, log: log, file: file, held: map[runKey]*run{}, lost: map[walk]time.Time{}}
}

// place says where a request is answered from: a generation that the run holds, one that it must open again by its
// number, or the current one.
type place struct {
	held   *cache.Generation
	number uint64
	pins   bool // the current one becomes the run's
	gone   bool // a list of another view, or of another source, goes on: its rows stand on other pages now
}

// generation returns the one that the client reads, with a reference that the caller releases. The errors are those of
// Store.Acquire, and errListGone for another page of a list that cannot be continued.
func (r *runs) generation(client string, q cache.Series, s step) (*cache.Generation, error) {
	now, purges := r.now(), r.purges.Load()
	at := r.place(client, q, s, now)
	if at.gone {
		return nil, errListGone
	}
	if at.held != nil {
		return at.held, nil
	}
	if at.number != 0 {
		g, err := r.store.AcquireNumber(q, at.number)
		switch {
		case err == nil:
			r.rejoin(client, q, g, purges)
			return g, nil
		case s.ask == askMore && errors.Is(err, cache.ErrGone):
			return nil, errListGone
		case s.ask == askMore:
			return nil, err
		}
		// A single device is answered from what is known now; the walk, if it goes on, is told. A first page begins another.
		at.pins = s.ask == askFirst
	}
	for {
		g, err := r.store.Acquire(q)
		if err != nil || !at.pins {
			return g, err
		}
		if pinned := r.pin(client, q, s, g, purges, now); pinned != nil {
			return pinned, nil
		}
		g.Release()
		purges = r.purges.Load()
	}
}

// place applies the rules of a client run, and ends what has lasted long enough.
func (r *runs) place(client string, q cache.Series, s step, now time.Time) place {
	r.mu.Lock()
	defer r.mu.Unlock()
	held, ok := r.held[runKey{client, q.Source}]
	if r.strandedLocked(client, q, held, s, now) {
		return place{gone: true}
	}
	switch {
	case !ok:
		return place{pins: s.ask != askBeside}
	case s.ask == askBeside:
		if p := held.pins[q.Kind]; p != nil && p.generation != nil {
			return place{held: p.generation.Retain()}
		}
		return place{}
	}
	r.moved = held.redate(now) || r.moved
	r.ageLocked(held, now)
	p := held.pins[q.Kind]
	switch {
	case s.ask == askMore:
		if behind := held.leftAt(q.Kind, s.list); behind != nil {
			p = behind
		}
	case s.ask == askFirst && p != nil:
		held.restart(q.Kind, s.list)
		if held.over(p, now) || p.unfit(s) {
			r.leaveLocked(held, q.Kind, now)
			p = nil
		}
	case p != nil && now.Sub(p.since) >= runLimit && now.Sub(p.paged) >= runIdle:
		return place{} // a run of single devices has lasted long enough; a walk that was left may still go on
	}
	r.touchLocked(held, s, now)
	if p == nil {
		return place{pins: true}
	}
	if s.ask == askMore && p.view != s.view {
		return place{gone: true}
	}
	if s.ask == askMore && !p.lists[s.list].Paged {
		r.moved = true // a walk, and not the one page of somebody who looks a device up: it is written at once
	}
	p.step(s, now)
	if p.generation == nil {
		return place{number: p.number}
	}
	return place{held: p.generation.Retain()}
}

// ageLocked ends a run that was idle: for 5 minutes, so that a first page moves on, or for 2 hours, so that no walk goes on.
func (r *runs) ageLocked(held *run, now time.Time) {
	idle := now.Sub(held.used)
	switch {
	case idle >= runLimit:
		for p := range held.all() {
			p.letGo()
		}
		clear(held.pins)
		clear(held.left)
		r.moved = true
	case idle >= runIdle:
		for _, p := range held.pins {
			p.ended = true
		}
	}
}

// over tells whether a first page moves on: after an idle time, after 2 hours, and after 30 minutes unless a walk is in progress.
func (held *run) over(p *pin, now time.Time) bool {
	age := now.Sub(p.since)
	return p.ended || age >= runLimit || age > runFresh && now.Sub(held.walked) >= runIdle
}

func (r *runs) touchLocked(held *run, s step, now time.Time) {
	held.used, r.touched = now, true
	if s.ask != askFirst {
		held.walked = now
	}
}

// leaveLocked takes the pin of a kind away. Lists that were begun on it within 2 hours go on from it.
func (r *runs) leaveLocked(held *run, k device.Kind, now time.Time) {
	p := held.pins[k]
	delete(held.pins, k)
	r.moved = true
	if p.forget(now); len(p.lists) == 0 {
		p.letGo()
		return
	}
	held.left[k] = append(held.left[k], p)
}

// pin puts the just acquired current generation into the run; where a concurrent request was first, its generation wins. nil: something was
// purged since, perhaps out of this one.
func (r *runs) pin(client string, q cache.Series, s step, g *cache.Generation, purges int64, now time.Time) *cache.Generation {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return g
	case r.purges.Load() != purges:
		return nil
	}
	key := runKey{client, q.Source}
	held, ok := r.held[key]
	if !ok {
		held = newRun(now, now.Add(-runIdle))
		r.held[key] = held
	}
	p := held.pins[q.Kind]
	if p != nil && p.generation != nil {
		p.step(s, now)
		g.Release()
		return p.generation.Retain()
	}
	if number := g.Info().Number; p == nil || p.number != number {
		if p != nil { // it is gone from the store
			held.restart(q.Kind, s.list)
			r.leaveLocked(held, q.Kind, now)
		}
		p = newPin(number, s.view, now)
		held.pins[q.Kind] = p
		r.moved = true
	}
	p.step(s, now)
	p.generation = g.Retain()
	return g
}

// rejoin lets the pin of a generation that was opened again by its number hold it, if nothing was purged since.
func (r *runs) rejoin(client string, q cache.Series, g *cache.Generation, purges int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.purges.Load() != purges {
		return
	}
	if p := r.numberedLocked(client, q, g.Info().Number); p != nil && p.generation == nil && !r.closed {
		p.generation = g.Retain()
	}
}

func (r *runs) numberedLocked(client string, q cache.Series, n uint64) *pin {
	if held, ok := r.held[runKey{client, q.Source}]; ok {
		return held.numbered(q.Kind, n)
	}
	return nil
}

// number returns the generation that a cursor names: the one of the run, or one that the store still keeps. cache.ErrGone.
// A cursor is a step of its walk.
func (r *runs) number(client string, q cache.Series, n uint64, list listID) (*cache.Generation, error) {
	purges := r.purges.Load()
	if g := r.pinned(client, q, n, list); g != nil {
		return g, nil
	}
	g, err := r.store.AcquireNumber(q, n)
	if err == nil {
		r.rejoin(client, q, g, purges)
	}
	return g, err
}

// pinned returns the generation of that number if the run holds it.
func (r *runs) pinned(client string, q cache.Series, n uint64, list listID) *cache.Generation {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.numberedLocked(client, q, n)
	if p == nil {
		return nil
	}
	s, now := step{ask: askMore, list: list}, r.now()
	r.touchLocked(r.held[runKey{client, q.Source}], s, now)
	p.step(s, now)
	if p.generation == nil {
		return nil
	}
	return p.generation.Retain()
}

// drop lets go of a generation that turned out to be unreadable. A walk over it is told so until it begins again; a first
// page and single devices are answered from the one before.
func (r *runs) drop(client string, q cache.Series, n uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.numberedLocked(client, q, n); p != nil {
		p.ended = true
		p.letGo()
	}
}

// sweep lets go of every generation that nobody reads any more or that was held for too long, and forgets runs that no
// walk can go on with.
func (r *runs) sweep(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.lost, func(_ walk, at time.Time) bool { return now.Sub(at) >= runLimit })
	for key, held := range r.held {
		r.moved = held.redate(now) || r.moved
		idle := now.Sub(held.used)
		for p := range held.all() {
			if idle >= runIdle || now.Sub(p.since) >= runLimit && now.Sub(p.paged) >= runIdle {
				p.letGo()
			}
		}
		if held.sweepLeft(now) {
			r.moved = true
		}
		if idle >= runLimit {
			delete(r.held, key)
			r.moved = true
		}
	}
}

// prune ends what clients are no longer shown: nothing of it is held or remembered.
func (r *runs) prune(known func(client string, q cache.Series) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, held := range r.held {
		gone := func(k device.Kind, pins ...*pin) bool {
			if known(key.client, cache.Series{Source: key.source, Kind: k}) {
				return false
			}
			for _, p := range pins {
				p.letGo()
			}
			r.moved = true
			return true
		}
		maps.DeleteFunc(held.pins, func(k device.Kind, p *pin) bool { return gone(k, p) })
		maps.DeleteFunc(held.left, func(k device.Kind, all []*pin) bool { return gone(k, all...) })
		if len(held.pins)+len(held.left) == 0 {
			delete(r.held, key)
			r.moved = true
		}
	}
}

// janitor sweeps and writes until ctx ends, and then lets go of every generation; later requests read without a run.
func (r *runs) janitor(ctx context.Context, known func(client string, q cache.Series) bool) {
	tick := time.NewTicker(sweepTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			r.close()
			return
		case <-tick.C:
			r.prune(known) // of a request that was under way when the rules changed
			r.sweep(r.now())
			r.save(ctx, true)
		}
	}
}

func (r *runs) close() {
	r.save(context.Background(), true)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, held := range r.held {
		for p := range held.all() {
			p.letGo()
		}
	}
}
