package cache_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"jamf-gateway/cache"
)

// failing is a disk on which the n-th operation fails, or all from it on: a full disk, or one that is gone.
type failing struct {
	mu    sync.Mutex
	left  int  // operations until the first that fails; < 0: none does
	after bool // so do all that follow
	err   error
	done  int
}

func (f *failing) disk() *cache.Disk { return &cache.Disk{Fail: f.ask} }

func (f *failing) ask(op cache.Op, path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done++
	switch {
	case f.left < 0:
		return nil
	case f.left > 0:
		f.left--
		return nil
	}
	if !f.after {
		f.left = -1
	}
	return fmt.Errorf("%s %s: %w", op, filepath.Base(path), f.err)
}

// arm lets the n-th operation from now fail.
func (f *failing) arm(n int, after bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left, f.after, f.done = n-1, after, 0
}

// disarm answers how many operations there were.
func (f *failing) disarm() (operations int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left = -1
	return f.done
}

// diskAct is something that writes. before and after are what is served on either side of it.
type diskAct struct {
	prepare       func(t *testing.T, dir string)
	do            func(s *cache.Store) error
	before, after []row // nil: nothing is served
}

func threeGenerations(t *testing.T, dir string) {
	t.Helper()
	o := options(dir)
	o.Now = newClock().Now
	s := openStore(t, o)
	for i := range 3 {
		publish(t, s, computers, fleet(20, i))
	}
	closeStore(t, s)
}

func diskActs() map[string]diskAct {
	more := func(s *cache.Store) error { return tryPublish(s, fleet(21, 7)) }
	return map[string]diskAct{
		"the first publish":                    {prepare: func(*testing.T, string) {}, do: more, after: fleet(21, 7)},
		"a publish, and the clean-up after it": {prepare: threeGenerations, do: more, before: fleet(20, 2), after: fleet(21, 7)},
		"a hold": {
			prepare: threeGenerations, before: fleet(20, 2), after: fleet(20, 2),
			do: func(s *cache.Store) error { return tryHold(s, fleet(3, 7)) },
		},
		"a release": {
			prepare: func(t *testing.T, dir string) {
				threeGenerations(t, dir)
				s := openStore(t, options(dir))
				if err := tryHold(s, fleet(3, 7)); err != nil {
					t.Fatal(err)
				}
				closeStore(t, s)
			},
			before: fleet(20, 2), after: fleet(3, 7),
			do: func(s *cache.Store) error {
				g, err := s.Release(context.Background(), computers, "digest")
				switch {
				case errors.Is(err, cache.ErrNotHeld) && len(s.Kept(computers)) > 0 && s.Kept(computers)[0].Count == 3:
					return nil // the one that failed was done all the same
				case err == nil:
					g.Release()
				}
				return err
			},
		},
		"a publish over a lost series": {
			prepare: func(t *testing.T, dir string) {
				threeGenerations(t, dir)
				remove(t, manifestOf(dir))
			},
			do: more, after: fleet(21, 7),
		},
		"a publish over a damaged file": {
			prepare: func(t *testing.T, dir string) {
				threeGenerations(t, dir)
				if err := os.Truncate(generationFile(dir, computers, 3), 5000); err != nil {
					t.Fatal(err)
				}
			},
			do: more, before: fleet(20, 1), after: fleet(21, 7),
		},
	}
}

func build(s *cache.Store, rows []row) (*cache.Candidate, error) {
	ctx := context.Background()
	b, err := s.Begin(ctx, draft(computers, s.LastNumber(computers)))
	if err != nil {
		return nil, err
	}
	defer b.Abort()
	for _, r := range rows {
		if err := b.Put(ctx, r.id, []byte(r.body), r.columns, r.state); err != nil {
			return nil, err
		}
	}
	return b.Finish(ctx, cache.Outcome{Ended: ended, ReportedTotal: len(rows)})
}

func tryPublish(s *cache.Store, rows []row) error {
	c, err := build(s, rows)
	if err != nil {
		return err
	}
	defer c.Discard()
	g, err := s.Publish(context.Background(), c)
	if err == nil {
		g.Release()
	}
	return err
}

func tryHold(s *cache.Store, rows []row) error {
	c, err := build(s, rows)
	if err != nil {
		return err
	}
	defer c.Discard()
	return s.Hold(context.Background(), c, cache.Hold{Digest: "digest", Since: ended, Note: []byte("{}")})
}

// Whichever operation on the disk fails, alone or with all that follow: what is served stays whole, before and after a restart; the
// next run goes through by itself; and nothing is left behind.
func TestNoFailingWriteHurtsWhatIsServed(t *testing.T) {
	for name, act := range diskActs() {
		for how, after := range map[string]bool{"alone": false, "and all after it": true} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				base := t.TempDir()
				act.prepare(t, base)
				for n := 1; ; n++ {
					dir := filepath.Join(t.TempDir(), "data")
					if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
						t.Fatal(err)
					}
					if !runFailing(t, act, dir, n, after) {
						continue
					}
					if t.Logf("each of %d operations failed", n-1); n < 6 {
						t.Errorf("only %d operations were seen", n-1)
					}
					return
				}
			})
		}
	}
}

// runFailing is one round; it answers whether the act has fewer than n operations.
func runFailing(t *testing.T, act diskAct, dir string, n int, after bool) (over bool) {
	t.Helper()
	f := &failing{left: -1, err: syscall.EIO}
	now := newClock()
	o := options(dir)
	o.Disk, o.Now = f.disk(), now.Now
	s := openStore(t, o)
	now.advance(3 * time.Hour) // what was superseded before may go
	f.arm(n, after)
	err := act.do(s)
	over = f.disarm() < n
	if over && err != nil {
		t.Fatalf("without a failure: %v", err)
	}
	what := fmt.Sprintf("operation %d fails", n)
	wantEither(t, s, what, err, act)
	closeStore(t, s)

	o.Disk = nil
	s = openStore(t, o) // a restart
	wantEither(t, s, what+", restarted", err, act)
	closeStore(t, s)

	s = openStore(t, o)
	defer closeStore(t, s)
	if err := act.do(s); err != nil {
		t.Fatalf("%s: the next run: %v", what, err)
	}
	wantServed(t, s, what+", recovered", act.after)
	if left := leftovers(t, dir); len(left) > 0 {
		t.Fatalf("%s: left behind: %v", what, left)
	}
	return over
}

func wantEither(t *testing.T, s *cache.Store, what string, err error, act diskAct) {
	t.Helper()
	got := servedRows(t, s, what)
	if err == nil && got != describeRows(act.after) || err != nil && got != describeRows(act.before) && got != describeRows(act.after) {
		t.Fatalf("%s: %v; served is %s", what, err, got)
	}
}

func wantServed(t *testing.T, s *cache.Store, what string, rows []row) {
	t.Helper()
	if got := servedRows(t, s, what); got != describeRows(rows) {
		t.Fatalf("%s: served is %s", what, got)
	}
}

// servedRows reads all that is served.
func servedRows(t *testing.T, s *cache.Store, what string) string {
	t.Helper()
	g, err := s.Acquire(computers)
	if errors.Is(err, cache.ErrNone) || errors.Is(err, cache.ErrLost) {
		return describeRows(nil)
	}
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer g.Release()
	records, err := g.Page(context.Background(), 0, 1000)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	rows := make([]row, len(records))
	for i, r := range records {
		rows[i] = row{id: r.ID, body: string(r.Body)}
	}
	return describeRows(rows)
}

func describeRows(rows []row) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%d devices:", len(rows))
	for _, r := range rows {
		_, name, _ := strings.Cut(r.body, `"name":"`)
		name, _, _ = strings.Cut(name, `"`)
		fmt.Fprintf(&out, " %d=%s", r.id, name)
	}
	return out.String()
}

// leftovers are the files that neither a manifest nor the store answers for.
func leftovers(t *testing.T, dir string) []string {
	t.Helper()
	manifest, err := os.ReadFile(manifestOf(dir))
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, at := range []string{dir, seriesDir(dir, computers)} {
		entries, err := os.ReadDir(at)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			known := e.IsDir() || e.Name() == "lock" || e.Name() == "store.json" || e.Name() == "manifest.json"
			if !known && !strings.Contains(string(manifest), `"`+e.Name()+`"`) {
				left = append(left, e.Name())
			}
		}
	}
	return left
}

// Wherever SQLite meets the end of the disk, the generation before is served, and the error says that the disk is full.
func TestAFullDiskAtAnyPageOfAGenerationIsSaid(t *testing.T) {
	pages := 0
	o := options(t.TempDir())
	o.Disk = &cache.Disk{Pages: func() int { return pages }}
	s := openStore(t, o)
	publish(t, s, computers, fleet(150, 1))
	for pages = 1; ; pages++ {
		err := tryPublish(s, fleet(151, 2))
		if err == nil {
			break
		}
		wantError(t, err, cache.ErrFull)
		wantServed(t, s, fmt.Sprintf("%d pages", pages), fleet(150, 1))
		if left := leftovers(t, o.Dir); len(left) > 0 {
			t.Fatalf("%d pages: left behind: %v", pages, left)
		}
	}
	if t.Logf("each of %d pages was the last", pages-1); pages < 8 {
		t.Errorf("a generation of %d pages shows nothing", pages)
	}
	wantServed(t, s, "at last", fleet(151, 2))
}

// The first start: an operation that fails ends it with an error, or with a store that works.
func TestAStartOnAFailingDiskFailsOrWorks(t *testing.T) {
	for n := 1; ; n++ {
		f := &failing{err: syscall.ENOSPC}
		f.arm(n, true)
		o := options(filepath.Join(t.TempDir(), "data"))
		o.Disk = f.disk()
		s, err := cache.Open(t.Context(), o)
		over := f.disarm() < n
		if over != (err == nil) {
			t.Fatalf("operation %d: %v", n, err)
		}
		if err == nil {
			closeStore(t, s)
			return
		}
		s = openStore(t, o)
		publish(t, s, computers, fleet(3, 1))
		if left := leftovers(t, o.Dir); len(left) > 0 {
			t.Fatalf("operation %d: left behind: %v", n, left)
		}
		closeStore(t, s)
	}
}
