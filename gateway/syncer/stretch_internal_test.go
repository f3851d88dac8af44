package syncer

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/gateway/jamf"
)

// cluster is a changing list behind two nodes, one of which lags, that takes its time to answer: what it shows is what
// the node knows at the end of that time.
type cluster struct {
	*table
	turn     sync.Mutex
	lag      int       // calls by which the second node is behind; 0 = there is only one
	past     [][]int64 // what the table was at each call
	spill    int       // percentage of pages after which a block of neighbours goes at once
	now      int
	most     int // pages at once
	perRow   time.Duration
	atTheEnd []int64
}

func (c *cluster) fetch(ctx context.Context, w window) (*jamf.Page, []row, error) {
	c.now++
	c.most = max(c.most, c.now)
	wait := time.Duration(1+c.rnd.IntN(20000)) * time.Microsecond
	if c.perRow > 0 {
		wait = time.Duration(max(0, min(w.size, len(c.rows)-w.first()))) * c.perRow
	}
	c.turn.Unlock()
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
	c.turn.Lock()
	c.now--
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	if c.spill > 0 && c.rnd.IntN(100) < c.spill {
		at := c.rnd.IntN(len(c.rows) + 1)
		to := min(len(c.rows), at+c.rnd.IntN(200))
		for _, id := range c.rows[at:to] {
			c.died[id] = true
		}
		c.rows = slices.Delete(c.rows, at, to)
	}
	c.past = append(c.past, slices.Clone(c.rows))
	c.atTheEnd = c.past[len(c.past)-1]
	if c.lag > 0 && c.rnd.IntN(2) == 0 {
		return c.old(w)
	}
	p, rows, err := c.page(w)
	p.Elapsed = wait
	return p, rows, err
}

// old is the page as the lagging node shows it.
func (c *cluster) old(w window) (*jamf.Page, []row, error) {
	then := &table{rows: c.past[max(0, len(c.past)-1-c.lag)], rnd: c.rnd}
	return then.page(w)
}

// walkAbreast reads the list of a cluster in up to n stretches, within the bubble of the caller.
func walkAbreast(t *testing.T, c *cluster, ceiling, n int) (*overlap, error) {
	t.Helper()
	o := &overlap{
		ceiling: ceiling, abreast: n, turn: &c.turn, progress: func(int, int) {},
		fetch: c.fetch, take: func(context.Context, row) error { return nil },
	}
	c.turn.Lock()
	defer c.turn.Unlock()
	return o, o.run(t.Context())
}

func TestNoDeviceIsLostBetweenStretches(t *testing.T) {
	t.Parallel()
	side, seeds := 0, uint64(500)
	if raceEnabled {
		seeds = 100
	}
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) {
			n := 300 + int(seed*37%3000)
			c := &cluster{table: newTable(seed, n, 0.2+float64(seed%5)), lag: int(seed % 4 * 3), spill: int(seed % 7)}
			before := slices.Clone(c.rows)
			o, err := walkAbreast(t, c, 100, 1+int(seed%5))
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if n := lost(before, c.table, o.holds); n != 0 {
				t.Fatalf("seed %d: %d devices lost", seed, n)
			}
			if !slices.IsSorted(o.held) || len(slices.Compact(slices.Clone(o.held))) != len(o.held) {
				t.Fatalf("seed %d: held ids are not distinct and ascending", seed)
			}
			if c.most > 1 {
				side++
			}
			if c.most > 1+int(seed%5) {
				t.Errorf("seed %d: %d pages at once", seed, c.most)
			}
			if c.lag > 0 {
				return
			}
			if o.vanished > len(c.died) {
				t.Errorf("seed %d: %d rows vanished, %d were deleted", seed, o.vanished, len(c.died))
			}
			for _, id := range c.atTheEnd {
				if !o.holds(id) {
					t.Fatalf("seed %d: %d was there when the last page was read and is not held", seed, id)
				}
			}
			if o.total != len(c.atTheEnd) {
				t.Errorf("seed %d: total %d is not of the last page", seed, o.total)
			}
		})
	}
	if side < int(seeds)/2 {
		t.Errorf("%d of %d walks read stretches at once: this test proves too little", side, seeds)
	}
}

func TestStretchesCostFewCallsAndShareTheTime(t *testing.T) {
	t.Parallel()
	took := map[int]time.Duration{}
	for _, n := range []int{1, 2, 5} {
		synctest.Test(t, func(t *testing.T) {
			c := &cluster{table: newTable(1, 20_000, 0), perRow: 26 * time.Millisecond}
			began := time.Now()
			o, err := walkAbreast(t, c, 800, n)
			took[n] = time.Since(began)
			if err != nil || len(o.held) != 20_000 || len(o.suspects) != 0 || o.vanished != 0 {
				t.Fatalf("%d stretches: %v, held %d, suspects %d, vanished %d", n, err, len(o.held), len(o.suspects), o.vanished)
			}
			if c.calls > 210+2*n || c.most != n {
				t.Errorf("%d stretches: %d calls, %d at once", n, c.calls, c.most)
			}
		})
	}
	if took[2] > took[1]*55/100 || took[5] > took[1]*25/100 {
		t.Errorf("one stretch takes %v, two %v, five %v", took[1], took[2], took[5])
	}
}

func TestListWithoutRisingOrderIsReadInOneStretch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{table: newTable(4, 2000, 0)}
		slices.Reverse(c.rows[1200:1300]) // the first page looks well
		o, err := walkAbreast(t, c, 100, 4)
		if err != nil {
			t.Fatal(err)
		}
		if !o.reread || len(o.held) != 2000 {
			t.Errorf("reread = %v, held = %d", o.reread, len(o.held))
		}
		if c.most != 4 || c.calls < 40 {
			t.Errorf("%d calls, %d at once: the list was not begun in four stretches and read twice in one", c.calls, c.most)
		}
	})
}

func TestStretchThatFailsEndsAll(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func() error{
		"an error": func() error { return &jamf.Error{Kind: jamf.ErrForbidden, Code: "right_missing"} },
		"a panic":  func() error { panic("a fault") },
	} {
		synctest.Test(t, func(t *testing.T) {
			c := &cluster{table: newTable(4, 5000, 0)}
			o := &overlap{ceiling: 100, abreast: 3, turn: &c.turn, progress: func(int, int) {}, take: func(context.Context, row) error { return nil }}
			o.fetch = func(ctx context.Context, w window) (*jamf.Page, []row, error) {
				p, rows, err := c.fetch(ctx, w)
				if w.first() > 2500 && w.first() < 3300 && err == nil {
					return nil, nil, fail()
				}
				return p, rows, err
			}
			c.turn.Lock()
			defer c.turn.Unlock()
			err := o.run(t.Context())
			var f *failure
			if !errors.Is(err, jamf.ErrForbidden) && (!errors.As(err, &f) || f.Code != "internal") {
				t.Errorf("%s: err = %v", name, err)
			}
			if c.calls > 60 {
				t.Errorf("%s: %d calls", name, c.calls)
			}
		})
	}
}

func TestTheSameDeviceIsTakenOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{table: newTable(8, 3000, 1)}
		taken := map[int64]int{}
		o := &overlap{
			ceiling: 100, abreast: 5, turn: &c.turn, progress: func(int, int) {}, fetch: c.fetch,
			take: func(_ context.Context, r row) error {
				taken[r.id]++
				return nil
			},
		}
		c.turn.Lock()
		defer c.turn.Unlock()
		if err := o.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for id, n := range taken {
			if n > 1 {
				t.Errorf("%d was taken %d times", id, n)
			}
		}
	})
}

func TestSteppingBackOverAGhostCountsNothingAsVanished(t *testing.T) {
	t.Parallel()
	tab := newTable(5, 0, 0)
	for id := range int64(600) {
		tab.rows = append(tab.rows, 10*(id+1))
	}
	o := &overlap{ceiling: 100, progress: func(int, int) {}, take: func(context.Context, row) error { return nil }}
	o.fetch = func(_ context.Context, w window) (*jamf.Page, []row, error) {
		p, rows, err := tab.page(w)
		if tab.calls == 3 { // a node that still shows a device where there is none any more
			rows[0].id -= 5
		}
		return p, rows, err
	}
	if err := o.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if o.vanished != 0 || len(o.held) != 600 {
		t.Errorf("vanished = %d, held = %d", o.vanished, len(o.held))
	}
}
