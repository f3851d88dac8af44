package cache_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
)

func TestPublishIsACompareAndSwapOnTheParent(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := openStore(t, options(dir))
	publish(t, s, computers, fleet(3, 1))
	first, second := finish(t, s, computers, 1, fleet(4, 1)), finish(t, s, computers, 1, fleet(5, 1))
	if first.Info().Number == second.Info().Number {
		t.Fatalf("both candidates are number %d", first.Info().Number)
	}
	g, err := s.Publish(ctx, second)
	if err != nil {
		t.Fatal(err)
	}
	g.Release()
	_, err = s.Publish(ctx, first)
	wantError(t, err, cache.ErrConflict)
	first.Discard()
	wantRows(t, acquire(t, s, computers), fleet(5, 1))
	if _, err := s.Publish(ctx, second); err == nil {
		t.Error("a candidate was published twice")
	}
	second.Discard() // does nothing any more
	if _, err := s.Begin(ctx, draft(computers, 1)); err == nil {
		t.Error("a walk with an old parent may start")
	} else {
		wantError(t, err, cache.ErrConflict)
	}
	if left := filesIn(t, seriesDir(dir, computers), ".building"); len(left) > 0 {
		t.Errorf("left %v", left)
	}
	wantRows(t, acquire(t, s, computers), fleet(5, 1))
}

func TestNothingIsVisibleBeforePublish(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, options(dir))
	publish(t, s, computers, fleet(3, 1))
	c := finish(t, s, computers, 1, fleet(9, 2))
	wantRows(t, acquire(t, s, computers), fleet(3, 1))
	if kept := s.Kept(computers); len(kept) != 1 {
		t.Errorf("kept %v", kept)
	}
	c.Discard()
	c.Discard()
	if _, err := s.Publish(context.Background(), c); err == nil {
		t.Error("a discarded candidate was published")
	}
	if left := filesIn(t, seriesDir(dir, computers), ".building"); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func numbers(infos []cache.Info) []uint64 {
	var all []uint64
	for _, i := range infos {
		all = append(all, i.Number)
	}
	return all
}

func TestTheLastKeptStayAndYoungOnesUpToTwelve(t *testing.T) {
	dir, now := t.TempDir(), newClock()
	o := options(dir)
	o.Now = now.Now
	s := openStore(t, o)
	for n := range 15 {
		publish(t, s, computers, fleet(2, n))
		now.advance(5 * time.Minute)
	}
	want := []uint64{15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4} // superseded 0 to 55 minutes ago
	if diff := cmp.Diff(want, numbers(s.Kept(computers))); diff != "" {
		t.Errorf("in a burst (-want +got):\n%s", diff)
	}
	now.advance(95 * time.Minute) // 15 is current; 13 was superseded 2 h - 15 min ago
	publish(t, s, computers, fleet(2, 15))
	want = []uint64{16, 15, 14, 13, 12, 11}
	if diff := cmp.Diff(want, numbers(s.Kept(computers))); diff != "" {
		t.Errorf("two hours later (-want +got):\n%s", diff)
	}
	now.advance(24 * time.Hour)
	publish(t, s, computers, fleet(2, 16))
	want = []uint64{17, 16, 15}
	if diff := cmp.Diff(want, numbers(s.Kept(computers))); diff != "" {
		t.Errorf("a day later (-want +got):\n%s", diff)
	}
	wantFiles := []string{"00000015.sqlite", "00000016.sqlite", "00000017.sqlite"}
	if diff := cmp.Diff(wantFiles, filesIn(t, seriesDir(dir, computers), ".sqlite")); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	_, err := s.AcquireNumber(computers, 14)
	wantError(t, err, cache.ErrGone)
	_, err = s.AcquireNumber(mobiles, 1)
	wantError(t, err, cache.ErrGone)
	old, err := s.AcquireNumber(computers, 15)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Release()
	wantRows(t, old, fleet(2, 14))
}

// daily publishes n generations a day apart, so that only the last three stay.
func daily(t *testing.T, s *cache.Store, now *clock, n, size int) {
	t.Helper()
	for range n {
		publish(t, s, computers, fleet(size, int(s.LastNumber(computers))))
		now.advance(24 * time.Hour)
	}
}

func TestAPrunedGenerationStaysReadableUntilItIsReleased(t *testing.T) {
	ctx := context.Background()
	dir, now := t.TempDir(), newClock()
	o := options(dir)
	o.Now = now.Now
	s := openStore(t, o)
	daily(t, s, now, 1, 1200)
	reader, err := s.Acquire(computers)
	if err != nil {
		t.Fatal(err)
	}
	run := reader.Retain()
	reader.Release()
	daily(t, s, now, 5, 10)
	if _, err := os.Stat(generationFile(dir, computers, 1)); !os.IsNotExist(err) {
		t.Fatalf("the file is still there: %v", err)
	}
	// More readers at once than connections were open when the file went away.
	done := make(chan error, 8)
	for range cap(done) {
		go func() {
			for offset := 0; offset < 1200; offset += 100 {
				if page, err := run.Page(ctx, offset, 100); err != nil || len(page) != 100 {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Errorf("read of a pruned generation: %v", err)
		}
	}
	wantRows(t, run, fleet(1200, 0))
	run.Release()
	_, err = run.Get(ctx, 1)
	wantError(t, err, cache.ErrGone)
}

func TestARestartServesTheLastGeneration(t *testing.T) {
	dir := t.TempDir()
	first := openStore(t, options(dir))
	publish(t, first, computers, fleet(1100, 1))
	publish(t, first, computers, fleet(1101, 2))
	publish(t, first, mobiles, fleet(5, 3))
	before := acquire(t, first, computers).Info()
	closeStore(t, first)
	_, err := first.Acquire(computers)
	if err == nil {
		t.Error("a closed store still answers")
	}
	second := openStore(t, options(dir))
	after := acquire(t, second, computers)
	if diff := cmp.Diff(before, after.Info()); diff != "" {
		t.Errorf("info (-before +after):\n%s", diff)
	}
	wantRows(t, after, fleet(1101, 2))
	wantRows(t, acquire(t, second, mobiles), fleet(5, 3))
	_, err = second.Acquire(others)
	wantError(t, err, cache.ErrNone)
	old, err := second.AcquireNumber(computers, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Release()
	wantRows(t, old, fleet(1100, 1))
	if number := publish(t, second, computers, fleet(1, 1)); number != 3 {
		t.Errorf("next number is %d, want 3", number)
	}
}

func TestCandidateOfAClosedStoreIsNotPublished(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, options(dir))
	publish(t, s, computers, fleet(1, 1))
	c := finish(t, s, computers, 1, fleet(2, 1))
	closeStore(t, s)
	if _, err := s.Publish(context.Background(), c); err == nil {
		t.Error("published into a directory that is not locked any more")
	}
	wantRows(t, acquire(t, openStore(t, options(dir)), computers), fleet(1, 1))
}

func TestAFailedPublishKeepsTheGenerationBefore(t *testing.T) {
	ctx := context.Background()
	for name, sabotage := range map[string]func(t *testing.T, dir string){
		"the manifest cannot be replaced": func(t *testing.T, dir string) {
			manifest := filepath.Join(dir, "manifest.json")
			if err := os.Rename(manifest, manifest+".aside"); err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Join(manifest, "x"), 0o700); err != nil {
				t.Fatal(err)
			}
		},
		"the file cannot get its name": func(t *testing.T, dir string) {
			if err := os.MkdirAll(filepath.Join(dir, "00000002.sqlite", "x"), 0o700); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openStore(t, options(dir))
			publish(t, s, computers, fleet(3, 1))
			c := finish(t, s, computers, 1, fleet(4, 2))
			series := seriesDir(dir, computers)
			sabotage(t, series)
			if _, err := s.Publish(ctx, c); err == nil {
				t.Fatal("publish succeeded")
			}
			wantRows(t, acquire(t, s, computers), fleet(3, 1))
			if last := s.LastNumber(computers); last != 1 {
				t.Errorf("last is %d, want 1", last)
			}
			aside := filepath.Join(series, "manifest.json.aside")
			if _, err := os.Stat(aside); err == nil {
				if err := os.RemoveAll(filepath.Join(series, "manifest.json")); err != nil {
					t.Fatal(err)
				}
				if err := os.Rename(aside, filepath.Join(series, "manifest.json")); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.RemoveAll(filepath.Join(series, "00000002.sqlite", "x")); err != nil {
				t.Logf("not a directory: %v", err)
			}
			if err := os.RemoveAll(filepath.Join(series, "00000002.sqlite")); err != nil {
				t.Fatal(err)
			}
			publish(t, s, computers, fleet(5, 3))
			wantRows(t, acquire(t, s, computers), fleet(5, 3))
			closeStore(t, s)
			wantRows(t, acquire(t, openStore(t, options(dir)), computers), fleet(5, 3))
		})
	}
}

func TestReplaceFileIsAtomicAndPrivate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state.json")
	for _, content := range []string{"one", "", "three"} {
		if err := cache.ReplaceFile(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != content {
			t.Errorf("file holds %q (%v), want %q", got, err, content)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v (%v), want 0600", info.Mode(), err)
	}
	occupied := filepath.Join(dir, "occupied")
	if err := os.MkdirAll(filepath.Join(occupied, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := cache.ReplaceFile(occupied, []byte("x")); err == nil {
		t.Error("a directory was replaced")
	}
	if err := cache.ReplaceFile(filepath.Join(dir, "missing", "file"), nil); err == nil {
		t.Error("a missing directory was made")
	}
	if left := filesIn(t, dir, ".tmp"); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}
