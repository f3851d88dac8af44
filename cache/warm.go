package cache

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"jamf-gateway/gateway/device"
)

const (
	warmPace      = 500 // Sets between two Waits: ristretto's buffer takes 32 Ki, and others set meanwhile
	warmBatch     = 200 // records read at a time
	ristrettoCost = 56  // what ristretto adds to the cost of an entry
)

// Warm renders devices into ristretto, newest contact first, up to half of the byte budget shared by all calls, paced so
// that no Set is dropped; returns how many are readable afterwards.
// With several profiles each device is rendered for each of them. A cancelled ctx ends it with what is done.
func (s *Store) Warm(ctx context.Context, g *Generation, profiles []*device.Profile) (int, error) {
	w := &warming{store: s, generation: g, budget: s.warmth.budget(g.info.Series, s.served())}
	seen := make(map[string]bool)
	for _, p := range profiles {
		if p == nil {
			return 0, fmt.Errorf("warm devices: %w", errNoProfile)
		}
		if scope := deviceScope(g, p); !seen[scope] {
			seen[scope] = true
			w.profiles = append(w.profiles, p)
			w.scopes = append(w.scopes, scope)
		}
	}
	err := w.run(ctx)
	readable := w.readable()
	s.warmth.record(g.info.Series, warmed{bytes: w.spent, devices: int64(readable), cut: w.full})
	if err != nil {
		return readable, fmt.Errorf("warm devices: %w", err)
	}
	return readable, nil
}

// served lists the series with a generation: they share the warm half.
func (s *Store) served() []Series {
	var all []Series
	for _, l := range s.allLines() {
		l.mu.RLock()
		if l.serving != nil {
			all = append(all, l.series)
		}
		l.mu.RUnlock()
	}
	return all
}

// warming is one call of Warm.
type warming struct {
	store      *Store
	generation *Generation
	profiles   []*device.Profile
	scopes     []string // of each profile
	budget     int64

	spent   int64
	full    bool // the budget ended before the devices did
	unpaced int  // Sets since the last Wait
	kept    []*entry
	scratch []byte
}

func (w *warming) run(ctx context.Context) error {
	if len(w.profiles) == 0 {
		return ctx.Err()
	}
	ids, err := w.order(ctx)
	if err != nil {
		return err
	}
	for len(ids) > 0 && !w.full {
		n := min(len(ids), warmBatch)
		if err := w.batch(ctx, ids[:n]); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// order lists the ids, newest contact first, no more than could ever fit.
func (w *warming) order(ctx context.Context) (ids []int64, err error) {
	most := w.budget/(entryOverhead+ristrettoCost) + 1
	err = w.generation.use(ctx, "order devices", func(r *reader) (err error) {
		ids, err = collect(ctx, r.conn, func(rows *sql.Rows) (int64, error) {
			if err := ctx.Err(); err != nil {
				return 0, err
			}
			return scanID(rows)
		}, sqlNewestContact, most)
		return err
	})
	return ids, err
}

// batch reads, then renders and offers: no connection is held while ristretto is waited for.
func (w *warming) batch(ctx context.Context, ids []int64) error {
	records := make([]Record, 0, len(ids))
	err := w.generation.use(ctx, "read devices", func(r *reader) error {
		return w.generation.eachOf(ctx, r, ids, func(record Record) { records = append(records, record) })
	})
	if err != nil {
		return err
	}
	for _, record := range records {
		for i, p := range w.profiles {
			body, err := render(&w.scratch, w.generation, p, record)
			if err != nil {
				return err
			}
			if w.offer(&entry{scope: w.scopes[i], id: record.ID, body: body}); w.full {
				return nil
			}
		}
	}
	return nil
}

// offer sets an entry; one that is dropped is offered once more when the buffer is empty.
func (w *warming) offer(e *entry) {
	cost := e.cost() + ristrettoCost
	if w.spent+cost > w.budget {
		w.full = true
		return
	}
	t := w.store.hot.session()
	defer t.close()
	if w.unpaced++; w.unpaced >= warmPace {
		t.wait()
		w.unpaced = 0
	}
	if !t.keep(e) {
		t.wait()
		if !t.keep(e) {
			return
		}
	}
	w.spent += cost
	w.kept = append(w.kept, e)
}

// readable counts what ristretto really kept.
func (w *warming) readable() int {
	t := w.store.hot.session()
	defer t.close()
	t.wait()
	n := 0
	for _, e := range w.kept {
		if t.find(e.scope, e.id) != nil {
			n++
		}
	}
	return n
}

// warmth shares half of ristretto between the series: no warming may push out what another one warmed.
type warmth struct {
	half int64

	mu     sync.Mutex
	series map[Series]warmed // by series: the last warming
}

type warmed struct {
	bytes   int64
	devices int64
	cut     bool // it would have taken more
}

func newWarmth(half int64) *warmth { return &warmth{half: half, series: make(map[Series]warmed)} }

// budget is what q may take: what the others leave of the half. One that was never warmed, or got less than it wanted,
// is left an equal share.
func (w *warmth) budget(q Series, served []Series) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	others := 0
	for _, o := range served {
		if o != q {
			others++
		}
	}
	share := w.half / int64(others+1)
	left := w.half
	for _, o := range served {
		if o == q {
			continue
		}
		taken, ok := w.series[o]
		if !ok || taken.cut {
			taken.bytes = max(taken.bytes, share)
		}
		left -= taken.bytes
	}
	return max(left, 0)
}

func (w *warmth) record(q Series, done warmed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.series[q] = done
}

// reset forgets everything: ristretto was emptied.
func (w *warmth) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.series)
}

func (w *warmth) snapshot(q Series) warmed {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.series[q]
}
