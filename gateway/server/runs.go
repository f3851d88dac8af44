package server

import (
	"context"
	"errors"
	"log/slog"
	"sync"
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

// runs keeps, for each client and source, the generations that the client is reading: lists, details by id,
// concurrent pages and a token before every request all see the same ones. There is at most one run for each
// client and source of the configuration, so the memory is bounded by it.
//
// An ended run lets go of its generations and stays remembered by their numbers: another page of its list must not come
// from a newer generation, because a device would be missing in between. What is remembered survives a restart in a file.
type runs struct {
	store *cache.Store
	now   func() time.Time
	log   *slog.Logger
	file  string // "" = not kept over a restart

	saving sync.Mutex // one writer of the file; taken before mu

	mu      sync.Mutex
	closed  bool
	moved   bool // a pin came or went since the file was written
	touched bool // a time did
	held    map[runKey]*run
}

type runKey struct{ client, source string }

// run is one client's walk over one source.
type run struct {
	used   time.Time // any request
	walked time.Time // one that was no first page
	pins   map[device.Kind]pin
}

// pin is the generation of one kind that a run stays on.
type pin struct {
	number     uint64
	since      time.Time
	paged      time.Time         // last request for another page of its list
	ended      bool              // the run was idle: a first page moves on
	generation *cache.Generation // nil: let go of, or not opened since the start of the program
}

func newRuns(store *cache.Store, now func() time.Time, log *slog.Logger, file string) *runs {
	return &runs{store: store, now: now, log: log, file: file, held: map[runKey]*run{}}
}

// place says where a request is answered from: a generation that the run holds, one that it must open again by its
// number, or the current one.
type place struct {
	held   *cache.Generation
	number uint64
	since  time.Time
	pins   bool // the current one becomes the run's
}

// generation returns the one that the client reads, with a reference that the caller releases. The errors are those of
// Store.Acquire, and errListGone for another page of a list that cannot be continued.
func (r *runs) generation(client string, q cache.Series, a ask) (*cache.Generation, error) {
	now := r.now()
	at := r.place(client, q, a, now)
	if at.held != nil {
		return at.held, nil
	}
	if at.number != 0 {
		g, err := r.store.AcquireNumber(q, at.number)
		switch {
		case err == nil:
			return r.pin(client, q, g, at.since, now), nil
		case a == askMore && errors.Is(err, cache.ErrGone):
			return nil, errListGone
		case a == askMore:
			return nil, err
		}
		// A single device is answered from what is known now; the walk, if it goes on, is told. A first page begins another.
		at.pins = a == askFirst
	}
	g, err := r.store.Acquire(q)
	if err != nil || !at.pins {
		return g, err
	}
	return r.pin(client, q, g, now, now), nil
}

// place applies the rules of a client run, and ends what has lasted long enough.
func (r *runs) place(client string, q cache.Series, a ask, now time.Time) place {
	r.mu.Lock()
	defer r.mu.Unlock()
	held, ok := r.held[runKey{client, q.Source}]
	switch {
	case !ok:
		return place{pins: a != askBeside}
	case a == askBeside:
		if p := held.pins[q.Kind]; p.generation != nil {
			return place{held: p.generation.Retain()}
		}
		return place{}
	}
	r.ageLocked(held, now)
	p, ok := held.pins[q.Kind]
	if ok && a == askFirst && held.over(p, now) {
		r.dropLocked(held, q.Kind)
		p, ok = pin{}, false
	}
	if ok && a == askOne && now.Sub(p.since) >= runLimit && now.Sub(p.paged) >= runIdle {
		return place{} // a run of single devices has lasted long enough; a walk that was left may still go on
	}
	r.touchLocked(held, a, now)
	if !ok {
		return place{pins: true}
	}
	if a == askMore {
		p.paged, p.ended = now, false
		held.pins[q.Kind] = p
	}
	if p.generation == nil {
		return place{number: p.number, since: p.since}
	}
	return place{held: p.generation.Retain()}
}

// ageLocked ends a run that was idle: for 5 minutes, so that a first page moves on, or for 2 hours, so that no walk goes on.
func (r *runs) ageLocked(held *run, now time.Time) {
	idle := now.Sub(held.used)
	for kind, p := range held.pins {
		switch {
		case idle >= runLimit:
			r.dropLocked(held, kind)
		case idle >= runIdle:
			p.ended = true
			held.pins[kind] = p
		}
	}
}

// over tells whether a first page moves on: after an idle time, after 2 hours, and after 30 minutes unless a walk is in progress.
func (held *run) over(p pin, now time.Time) bool {
	age := now.Sub(p.since)
	return p.ended || age >= runLimit || age > runFresh && now.Sub(held.walked) >= runIdle
}

func (r *runs) touchLocked(held *run, a ask, now time.Time) {
	held.used, r.touched = now, true
	if a != askFirst {
		held.walked = now
	}
}

// pin puts a just acquired generation into the run; where a concurrent request was first, its generation wins.
func (r *runs) pin(client string, q cache.Series, g *cache.Generation, since, now time.Time) *cache.Generation {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return g
	}
	key := runKey{client, q.Source}
	held, ok := r.held[key]
	if !ok {
		held = &run{used: now, pins: map[device.Kind]pin{}}
		r.held[key] = held
	}
	p := held.pins[q.Kind]
	if p.generation != nil {
		g.Release()
		return p.generation.Retain()
	}
	if number := g.Info().Number; p.number != number {
		p = pin{number: number, since: since}
		r.moved = true
	}
	p.generation = g.Retain()
	held.pins[q.Kind] = p
	return g
}

// number returns the generation that a cursor names: the one of the run, or one that the store still keeps. cache.ErrGone.
func (r *runs) number(client string, q cache.Series, n uint64) (*cache.Generation, error) {
	if g := r.pinned(client, q, n); g != nil {
		return g, nil
	}
	return r.store.AcquireNumber(q, n)
}

// pinned returns the generation of that number if the run holds it. A cursor is a step of its walk.
func (r *runs) pinned(client string, q cache.Series, n uint64) *cache.Generation {
	r.mu.Lock()
	defer r.mu.Unlock()
	held, ok := r.held[runKey{client, q.Source}]
	if !ok {
		return nil
	}
	p, ok := held.pins[q.Kind]
	if !ok || p.number != n {
		return nil
	}
	now := r.now()
	r.touchLocked(held, askMore, now)
	p.paged, p.ended = now, false
	held.pins[q.Kind] = p
	if p.generation == nil {
		return nil
	}
	return p.generation.Retain()
}

// drop lets go of a generation that turned out to be unreadable. A walk over it is told so until it begins again; a first
// page and single devices are answered from the one before.
func (r *runs) drop(client string, q cache.Series) {
	r.mu.Lock()
	defer r.mu.Unlock()
	held, ok := r.held[runKey{client, q.Source}]
	if !ok {
		return
	}
	if p, ok := held.pins[q.Kind]; ok {
		p.ended = true
		held.pins[q.Kind] = p
		held.letGo(q.Kind)
	}
}

func (r *runs) dropLocked(held *run, k device.Kind) {
	held.letGo(k)
	delete(held.pins, k)
	r.moved = true
}

// letGo releases the generation of a pin and keeps its number.
func (held *run) letGo(k device.Kind) {
	if p := held.pins[k]; p.generation != nil {
		p.generation.Release()
		p.generation = nil
		held.pins[k] = p
	}
}

// sweep lets go of every generation that nobody reads any more or that was held for too long, and forgets runs that no
// walk can go on with.
func (r *runs) sweep(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, held := range r.held {
		idle := now.Sub(held.used)
		for kind, p := range held.pins {
			if idle >= runIdle || now.Sub(p.since) >= runLimit && now.Sub(p.paged) >= runIdle {
				held.letGo(kind)
			}
		}
		if idle >= runLimit {
			delete(r.held, key)
			r.moved = true
		}
	}
}

// janitor sweeps and writes until ctx ends, and then lets go of every generation; later requests read without a run.
func (r *runs) janitor(ctx context.Context) {
	tick := time.NewTicker(sweepTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			r.close()
			return
		case <-tick.C:
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
		for kind := range held.pins {
			held.letGo(kind)
		}
	}
}
