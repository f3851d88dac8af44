package server

import (
	"context"
	"sync"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// A client stays on its generations until one of these ends its run.
const (
	runIdle   = 5 * time.Minute
	runFresh  = 30 * time.Minute // an older run ends when its client asks for the first page again
	runLimit  = 2 * time.Hour
	sweepTime = time.Minute
)

// runs keeps, for each client and source, the generations that the client is reading: lists, details by id,
// concurrent pages and a token before every request all see the same ones. There is at most one run for each
// client and source of the configuration, so the memory is bounded by it.
type runs struct {
	store *cache.Store
	now   func() time.Time

	mu     sync.Mutex
	closed bool
	held   map[runKey]*run
}

type runKey struct{ client, source string }

// run is one client's walk over one source.
type run struct {
	used time.Time
	pins map[device.Kind]pin
}

// pin is the generation of one kind that a run stays on.
type pin struct {
	generation *cache.Generation
	since      time.Time
}

func newRuns(store *cache.Store, now func() time.Time) *runs {
	return &runs{store: store, now: now, held: map[runKey]*run{}}
}

// generation returns the one that the client reads, with a reference that the caller releases. first tells that the
// request asks for a first page, which renews a run that is older than 30 minutes. The errors are those of Store.Acquire.
func (r *runs) generation(client string, q cache.Series, first bool) (*cache.Generation, error) {
	now := r.now()
	if g := r.pinned(client, q, first, now); g != nil {
		return g, nil
	}
	g, err := r.store.Acquire(q)
	if err != nil {
		return nil, err
	}
	return r.pin(client, q, g, now), nil
}

// pinned returns what the run holds, and ends what has lasted long enough.
func (r *runs) pinned(client string, q cache.Series, first bool, now time.Time) *cache.Generation {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := runKey{client, q.Source}
	held, ok := r.held[key]
	if !ok {
		return nil
	}
	if now.Sub(held.used) >= runIdle {
		r.endLocked(key)
		return nil
	}
	held.used = now
	p, ok := held.pins[q.Kind]
	if !ok {
		return nil
	}
	if age := now.Sub(p.since); age >= runLimit || first && age > runFresh {
		delete(held.pins, q.Kind)
		p.generation.Release()
		return nil
	}
	return p.generation.Retain()
}

// pin puts a just acquired generation into the run; where a concurrent request was first, its generation wins.
func (r *runs) pin(client string, q cache.Series, g *cache.Generation, now time.Time) *cache.Generation {
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
	if p, twice := held.pins[q.Kind]; twice {
		g.Release()
		return p.generation.Retain()
	}
	held.pins[q.Kind] = pin{generation: g.Retain(), since: now}
	return g
}

// number returns the generation that a cursor names: the one of the run, or one that the store still keeps. cache.ErrGone.
func (r *runs) number(client string, q cache.Series, n uint64) (*cache.Generation, error) {
	if g := r.pinned(client, q, false, r.now()); g != nil {
		if g.Info().Number == n {
			return g, nil
		}
		g.Release()
	}
	return r.store.AcquireNumber(q, n)
}

// drop ends the stay on a generation that turned out to be unreadable, so that the one before it can serve.
func (r *runs) drop(client string, q cache.Series) {
	r.mu.Lock()
	defer r.mu.Unlock()
	held, ok := r.held[runKey{client, q.Source}]
	if !ok {
		return
	}
	if p, ok := held.pins[q.Kind]; ok {
		delete(held.pins, q.Kind)
		p.generation.Release()
	}
}

// sweep ends every run that nobody uses any more, and lets go of every generation held for too long.
func (r *runs) sweep(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, held := range r.held {
		if now.Sub(held.used) >= runIdle {
			r.endLocked(key)
			continue
		}
		for kind, p := range held.pins {
			if now.Sub(p.since) >= runLimit {
				delete(held.pins, kind)
				p.generation.Release()
			}
		}
	}
}

// endLocked releases everything of one run. The caller holds the lock.
func (r *runs) endLocked(key runKey) {
	for _, p := range r.held[key].pins {
		p.generation.Release()
	}
	delete(r.held, key)
}

// janitor sweeps until ctx ends and then ends every run; later requests read without one.
func (r *runs) janitor(ctx context.Context) {
	tick := time.NewTicker(sweepTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			r.mu.Lock()
			defer r.mu.Unlock()
			r.closed = true
			for key := range r.held {
				r.endLocked(key)
			}
			return
		case <-tick.C:
			r.sweep(r.now())
		}
	}
}
