package syncer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"jamf-gateway/gateway/jamf"
)

// table is a list that changes while it is read, with each row's life line.
type table struct {
	rows    []int64 // ascending
	lastID  int64
	died    map[int64]bool
	born    map[int64]bool
	rnd     *rand.Rand
	changes float64 // mean number of deletions and of additions after a page
	clamp   int
	calls   int
}

func newTable(seed uint64, n int, changes float64) *table {
	t := &table{died: map[int64]bool{}, born: map[int64]bool{}, rnd: rand.New(rand.NewPCG(seed, 7)), changes: changes}
	for len(t.rows) < n {
		t.lastID += 1 + t.rnd.Int64N(3)
		t.rows = append(t.rows, t.lastID)
	}
	return t
}

func (t *table) page(w window) (*jamf.Page, []row, error) {
	t.calls++
	size := w.size
	if t.clamp > 0 && size > t.clamp {
		size = t.clamp
	}
	first := min(w.page*size, len(t.rows))
	p := &jamf.Page{Total: len(t.rows)}
	var out []row
	for _, id := range t.rows[first:min(first+size, len(t.rows))] {
		out = append(out, row{id: id, raw: fmt.Appendf(nil, `{"id":"%d"}`, id)})
		p.Rows = append(p.Rows, jamf.Row{})
	}
	for t.rnd.Float64() < t.changes/(1+t.changes) && len(t.rows) > 0 {
		i := t.rnd.IntN(len(t.rows))
		t.died[t.rows[i]] = true
		t.rows = slices.Delete(t.rows, i, i+1)
	}
	for t.rnd.Float64() < t.changes/(1+t.changes) {
		t.lastID++
		t.born[t.lastID] = true
		t.rows = append(t.rows, t.lastID)
	}
	return p, out, nil
}

// walkOver runs an overlap walk over the table and returns it.
func walkOver(t *testing.T, tab *table, ceiling int) (*overlap, error) {
	t.Helper()
	o := &overlap{
		ceiling: ceiling, progress: func(int, int) {},
		fetch: func(_ context.Context, w window) (*jamf.Page, []row, error) { return tab.page(w) },
		take:  func(context.Context, row) error { return nil },
	}
	return o, o.run(t.Context())
}

func lost(before []int64, tab *table, holds func(int64) bool) (n int) {
	for _, id := range before {
		if !tab.died[id] && !holds(id) {
			n++
		}
	}
	return n
}

func TestNoDeviceIsLostWhileTheListChanges(t *testing.T) {
	t.Parallel()
	plainLost := 0
	for seed := range uint64(300) {
		tab := newTable(seed, 50+int(seed*37%3000), 0.2+float64(seed%5))
		before := slices.Clone(tab.rows)
		o, err := walkOver(t, tab, 100)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if n := lost(before, tab, o.holds); n != 0 {
			t.Fatalf("seed %d: %d devices lost", seed, n)
		}
		if !slices.IsSorted(o.held) || len(slices.Compact(slices.Clone(o.held))) != len(o.held) {
			t.Fatalf("seed %d: held ids are not distinct and ascending", seed)
		}

		plain := newTable(seed, 50+int(seed*37%3000), 0.2+float64(seed%5))
		seen := map[int64]bool{}
		for page := 0; ; page++ {
			p, rows, _ := plain.page(window{page, 100})
			for _, r := range rows {
				seen[r.id] = true
			}
			if (page+1)*100 >= p.Total || len(rows) == 0 {
				break
			}
		}
		plainLost += lost(before, plain, func(id int64) bool { return seen[id] })
	}
	if plainLost == 0 {
		t.Fatal("a plain offset walk lost nothing: this test proves nothing")
	}
}

func TestOverlapCostsFewCalls(t *testing.T) {
	t.Parallel()
	tab := newTable(1, 100_000, 0)
	o, err := walkOver(t, tab, 200)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.held) != 100_000 || o.total != 100_000 {
		t.Fatalf("held %d of %d", len(o.held), o.total)
	}
	if tab.calls > 500*105/100 {
		t.Errorf("%d calls, a walk without overlap needs 500", tab.calls)
	}
}

func TestSilentClampLosesNothing(t *testing.T) {
	t.Parallel()
	for _, clamp := range []int{40, 64, 100, 150} {
		tab := newTable(3, 1000, 0.5)
		tab.clamp = clamp
		before := slices.Clone(tab.rows)
		o, err := walkOver(t, tab, 200)
		if err != nil {
			t.Fatalf("clamp %d: %v", clamp, err)
		}
		if n := lost(before, tab, o.holds); n != 0 {
			t.Errorf("clamp %d: %d lost", clamp, n)
		}
	}
}

func TestGhostsInsideARereadStretchAreSuspects(t *testing.T) {
	t.Parallel()
	tab := newTable(5, 400, 0)
	o := &overlap{ceiling: 100, progress: func(int, int) {}, take: func(context.Context, row) error { return nil }}
	deleted := int64(0)
	o.fetch = func(_ context.Context, w window) (*jamf.Page, []row, error) {
		p, rows, err := tab.page(w)
		if tab.calls == 2 { // three rows behind the reading point go, one of them just before it
			at := w.first() + len(rows) - 2
			deleted = tab.rows[at]
			tab.rows = slices.Delete(tab.rows, at, at+1)
			tab.rows = slices.Delete(tab.rows, 0, 2)
		}
		return p, rows, err
	}
	if err := o.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !o.suspects[deleted] {
		t.Errorf("%d is gone from a stretch that was read again, suspects are %v", deleted, o.suspects)
	}
	if o.vanished != 3 {
		t.Errorf("vanished = %d, want 3", o.vanished)
	}
	if len(o.held) != 400 || o.total != 397 {
		t.Errorf("held %d, total %d", len(o.held), o.total)
	}
}

func TestTimedOutPageIsHalvedAndClimbsAgain(t *testing.T) {
	t.Parallel()
	tab := newTable(9, 9000, 0)
	var sizes []int
	timeouts := 0
	o := &overlap{ceiling: 400, progress: func(int, int) {}, take: func(context.Context, row) error { return nil }}
	o.fetch = func(_ context.Context, w window) (*jamf.Page, []row, error) {
		sizes = append(sizes, w.size)
		if w.size > 120 && timeouts < 2 {
			timeouts++
			return nil, nil, jamf.ErrTimeout
		}
		return tab.page(w)
	}
	if err := o.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(o.held) != 9000 {
		t.Fatalf("held %d", len(o.held))
	}
	// 100, a page of 200 that times out, five of 100 of which the fourth makes the next one larger, which times out as well.
	at := slices.IndexFunc(sizes, func(size int) bool { return size > 120 })
	if at != 1 || sizes[2] > sizes[1]*9/16 {
		t.Errorf("sizes %v: the page that timed out was not halved", sizes[:4])
	}
	if again := slices.IndexFunc(sizes[2:], func(size int) bool { return size > 120 }); again < climbAfter {
		t.Errorf("sizes %v: a larger page came %d pages after one timed out", sizes[:12], again)
	}
	if slices.Max(sizes) <= 350 {
		t.Errorf("sizes %v never climbed again", sizes)
	}
}

func TestPaceBetweenTwoAndFiveSecondsStays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		size int
		took time.Duration
		want int
	}{
		{200, 1999 * time.Millisecond, 400},
		{200, 2 * time.Second, 200},
		{200, 5 * time.Second, 200},
		{200, 5001 * time.Millisecond, 100},
		{110, 1200 * time.Millisecond, 200}, // 2.2 s for 200 rows
		{110, time.Second, 400},
	} {
		p := newPace(800)
		p.target = 200
		if p.full(c.size, c.took); p.target != c.want {
			t.Errorf("%d rows in %v: the target is %d, want %d", c.size, c.took, p.target, c.want)
		}
	}
}

func TestPageThatTimesOutForEverEndsTheWalk(t *testing.T) {
	t.Parallel()
	o := &overlap{ceiling: 400, progress: func(int, int) {}, take: func(context.Context, row) error { return nil }}
	calls := 0
	o.fetch = func(context.Context, window) (*jamf.Page, []row, error) {
		calls++
		return nil, nil, jamf.ErrTimeout
	}
	if err := o.run(t.Context()); !errors.Is(err, jamf.ErrTimeout) {
		t.Fatalf("err = %v", err)
	}
	if calls > 12 {
		t.Errorf("%d calls", calls)
	}
}

func TestLyingListsAreRejectedAndEnd(t *testing.T) {
	t.Parallel()
	for name, bend := range map[string]func(p *jamf.Page, rows []row, w window) (*jamf.Page, []row){
		"totalCount below the rows": func(p *jamf.Page, rows []row, _ window) (*jamf.Page, []row) { p.Total = 30; return p, rows },
		"more rows than asked": func(p *jamf.Page, rows []row, _ window) (*jamf.Page, []row) {
			p.Rows = append(p.Rows, make([]jamf.Row, 300)...)
			return p, rows
		},
		"the same page for ever": func(_ *jamf.Page, _ []row, w window) (*jamf.Page, []row) {
			return &jamf.Page{Total: 100000, Rows: make([]jamf.Row, min(50, w.size))}, rowsFrom(1, min(50, w.size))
		},
	} {
		tab := newTable(2, 1000, 0)
		o := &overlap{ceiling: 100, progress: func(int, int) {}, take: func(context.Context, row) error { return nil }}
		o.fetch = func(_ context.Context, w window) (*jamf.Page, []row, error) {
			p, rows, err := tab.page(w)
			p, rows = bend(p, rows, w)
			return p, rows, err
		}
		var f *failure
		if err := o.run(t.Context()); !errors.As(err, &f) {
			t.Errorf("%s: err = %v", name, err)
		}
	}
}

func rowsFrom(id int64, n int) (out []row) {
	for i := range n {
		out = append(out, row{id: id + int64(i)})
	}
	return out
}

func TestListWithoutRisingOrderIsReadUntilTwoPassesAgree(t *testing.T) {
	t.Parallel()
	tab := newTable(4, 500, 0)
	for i := range tab.rows { // lexical order, as a server that sorts ids as text would give
		tab.rows[i] = int64(i + 1)
	}
	slices.SortFunc(tab.rows, func(a, b int64) int {
		x, y := fmt.Sprint(a), fmt.Sprint(b)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	o, err := walkOver(t, tab, 100)
	if err != nil {
		t.Fatal(err)
	}
	if !o.reread || len(o.held) != 500 {
		t.Errorf("reread = %v, held = %d", o.reread, len(o.held))
	}
	if tab.calls < 10 {
		t.Errorf("%d calls: the list was not read twice", tab.calls)
	}
}

func TestEveryWindowHoldsTheLastRowAndSomethingNew(t *testing.T) {
	t.Parallel()
	for _, target := range []int{2, 3, 7, 50, 99, 200, 800} {
		for next := 1; next < 5000; next += 1 + next/50 {
			w := overlapping(next, target, jamfClamp, -1)
			if w.first() > next-1 || w.first()+w.size <= next {
				t.Fatalf("next %d, target %d: window %+v", next, target, w)
			}
			if target >= 50 && next > 2*target && next-w.first() > target/2 {
				t.Errorf("next %d, target %d: window %+v overlaps by %d rows", next, target, w, next-w.first())
			}
		}
	}
	if w := overlapping(0, 200, jamfClamp, -1); w != (window{0, 200}) {
		t.Errorf("first window %+v", w)
	}
}
