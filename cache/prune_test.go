package cache_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jamf-gateway/cache"
)

// draftStarted is when every draft of these tests was begun.
var draftStarted = draft(computers, 0).Started

// prune calls Prune and holds how many files it removes.
func prune(t *testing.T, s *cache.Store, before time.Time, removed int) {
	t.Helper()
	if n, err := s.Prune(t.Context(), before); n != removed || err != nil {
		t.Errorf("before %s: %d files are removed, want %d; %v", before, n, removed, err)
	}
}

func TestWhatWasReadTooLongAgoLeavesTheDiskAndWhatIsServedStays(t *testing.T) {
	o := options(t.TempDir())
	now := newClock()
	o.Now = now.Now
	s := openStore(t, o)
	publish(t, s, computers, fleet(5, 0))
	publish(t, s, computers, fleet(5, 1))
	last := publish(t, s, computers, without(fleet(5, 2), erased))
	hold(t, s, computers, fleet(5, 3), "d1")
	prune(t, s, draftStarted, 0) // as old as may be
	wantHeld(t, s, computers, last+1)

	later := draftStarted.Add(time.Nanosecond)
	now.advance(2*time.Hour - time.Second)
	prune(t, s, later, 1) // only what is held: a client may still read the others
	wantHeld(t, s, computers, 0)
	if kept := s.Kept(computers); len(kept) != 3 {
		t.Errorf("%d generations are kept", len(kept))
	}
	now.advance(time.Second)
	prune(t, s, draftStarted, 0)
	prune(t, s, later, 2)
	prune(t, s, later, 0)
	_, err := s.AcquireNumber(computers, last-1)
	wantError(t, err, cache.ErrGone)
	if files := allGenerations(t, o.Dir); len(files) != 1 {
		t.Errorf("left are %v", files)
	}
	if _, content := everyFile(t, o.Dir); bytes.Contains(content, []byte("SER0000007")) {
		t.Error("the serial number of a deleted device is on the disk")
	}
	closeStore(t, s)
	s = openStore(t, o)
	wantRows(t, acquire(t, s, computers), without(fleet(5, 2), erased))
	if n := publish(t, s, computers, fleet(5, 4)); n <= last {
		t.Errorf("the next number is %d, the last one was %d", n, last)
	}
}

// age makes every generation file below a directory as old as a moment.
func age(t *testing.T, dir string, written time.Time) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".sqlite") {
			return err
		}
		return os.Chtimes(path, written, written)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatALossHasLeftGoesByItsDate(t *testing.T) {
	o := options(t.TempDir())
	s := openStore(t, o)
	publish(t, s, computers, fleet(5, 0))
	publish(t, s, computers, fleet(5, 1))
	closeStore(t, s)
	remove(t, manifestOf(o.Dir))
	limit := time.Now().Add(-24 * time.Hour)
	age(t, seriesDir(o.Dir, computers), limit)

	s = openStore(t, o)
	prune(t, s, limit, 0)
	first := publish(t, s, computers, fleet(5, 2)) // sets both aside
	age(t, filepath.Join(seriesDir(o.Dir, computers), "lost-00000003"), limit.Add(-time.Second))
	prune(t, s, limit, 2)
	wantRows(t, acquire(t, s, computers), fleet(5, 2))
	closeStore(t, s)

	remove(t, manifestOf(o.Dir))
	age(t, seriesDir(o.Dir, computers), limit.Add(-time.Second))
	s = openStore(t, o)
	prune(t, s, limit, 1) // of a series that cannot be served
	if files := allGenerations(t, o.Dir); len(files) != 0 {
		t.Errorf("left are %v", files)
	}
	closeStore(t, s)
	s = openStore(t, o)
	_, err := s.Acquire(computers)
	wantError(t, err, cache.ErrLost)
	if n := publish(t, s, computers, fleet(5, 3)); n <= first {
		t.Errorf("number %d is given again, the last one was %d", n, first)
	}
}

// A generation that was superseded in the usual way has left the list, and not yet ristretto.
func TestCachedAnswersOfOldGenerationsGoByTheirDate(t *testing.T) {
	o := options(t.TempDir())
	now := newClock()
	o.Now = now.Now
	s := openStore(t, o)
	fill := func() {
		t.Helper()
		answer(t, s, cache.Key{Endpoint: "e"}, fixed("body"))
	}
	publish(t, s, computers, fleet(5, 0))
	publish(t, s, computers, fleet(5, 1))
	now.advance(119 * time.Minute)
	publish(t, s, computers, fleet(5, 2))
	fill()
	now.advance(2 * time.Minute)
	publish(t, s, computers, fleet(5, 3)) // the first one leaves
	before := s.HotBytes()
	prune(t, s, draftStarted, 0)
	if s.HotBytes() != before || before == 0 {
		t.Errorf("%d bytes are cached, want %d", s.HotBytes(), before)
	}
	prune(t, s, draftStarted.Add(1), 0) // the others are within 2 h of their end
	if n := s.HotBytes(); n != 0 {
		t.Errorf("%d bytes of what was pruned are cached", n)
	}
	fill()
	prune(t, s, draftStarted.Add(1), 0)
	if s.HotBytes() == 0 {
		t.Error("the cache is emptied though nothing has left since")
	}
}

// A device that leaves in mid-walk is not found in the pages that its row has left.
func TestWhatIsTakenOutOfAnUnfinishedFileLeavesNoTraceInIt(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, options(dir))
	ctx := context.Background()
	b, err := s.Begin(ctx, draft(computers, 0))
	if err != nil {
		t.Fatal(err)
	}
	rows := fleet(1200, 0)
	gone := rows[1100]
	for _, r := range rows {
		if err := b.Put(ctx, r.id, []byte(r.body), r.columns, r.state); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Delete(ctx, gone.id); err != nil {
		t.Fatal(err)
	}
	c, err := b.Finish(ctx, cache.Outcome{Ended: ended})
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.Publish(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	g.Release()
	_, content := everyFile(t, dir)
	if !bytes.Contains(content, []byte(rows[1101].columns.SerialNumber)) {
		t.Fatal("its neighbour cannot be found either: the search is blind")
	}
	if bytes.Contains(content, []byte(gone.columns.SerialNumber)) {
		t.Error("its serial number is in the file")
	}
}
