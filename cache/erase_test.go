package cache_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"jamf-gateway/cache"
)

// without is rows without the device of that id.
func without(rows []row, id int64) []row {
	return slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.id == id })
}

// everyFile lists what is below a directory, by its path from there.
func everyFile(t testing.TB, dir string) (names []string, content []byte) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		names = append(names, name)
		if e.IsDir() {
			return nil
		}
		data, err := os.ReadFile(path)
		content = append(content, data...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names, content
}

// A house in which a device stands everywhere it can: in three generations, in a held one, in what was set aside, and among those that
// could not be read.
func everywhere(t *testing.T, dir string) {
	t.Helper()
	now := newClock()
	o := options(dir)
	o.Now = now.Now
	s := openStore(t, o)
	publish(t, s, computers, fleet(20, 0))
	closeStore(t, s)
	remove(t, manifestOf(dir))
	s = openStore(t, o) // lost: the next publish sets it aside
	ctx := context.Background()
	for i := range 3 {
		b, err := s.Begin(ctx, draft(computers, s.LastNumber(computers)))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range fleet(20, i) {
			if err := b.Put(ctx, r.id, []byte(r.body), r.columns, r.state); err != nil {
				t.Fatal(err)
			}
		}
		c, err := b.Finish(ctx, cache.Outcome{Ended: ended, Quarantined: []cache.Quarantine{{ID: 7, Reason: "broken", Kept: "previous"}, {ID: 10, Reason: "broken", Kept: "previous"}}})
		if err != nil {
			t.Fatal(err)
		}
		g, err := s.Publish(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		g.Release()
	}
	hold(t, s, computers, fleet(10, 3), "d1")
	publish(t, s, mobiles, fleet(20, 0))
	publish(t, s, others, fleet(20, 0))
	closeStore(t, s)
}

const erased = 7 // the third device of a fleet

func TestAnErasedDeviceIsInNoFileAndNothingElseIsGone(t *testing.T) {
	dir := t.TempDir()
	everywhere(t, dir)
	s := openStore(t, options(dir))
	old := acquire(t, s, computers) // a reader of before
	found, err := s.Erase(t.Context(), computers, erased)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	wantRows(t, old, fleet(20, 2))
	g := acquire(t, s, computers)
	wantRows(t, g, without(fleet(20, 2), erased))
	wantHeld(t, s, computers, 0)
	if info := g.Info(); info.Removed != 0 || info.Changed != 0 || info.Added != 0 || len(info.Quarantined) != 1 || info.Quarantined[0].ID != 10 || !info.Ended.Equal(ended.Round(0)) {
		t.Errorf("described as %+v", info)
	}
	if kept := s.Kept(computers); len(kept) != 1 {
		t.Errorf("%d generations are kept", len(kept))
	}
	closeStore(t, s)
	for _, path := range allGenerations(t, seriesDir(dir, computers)) {
		for _, rows := range []string{
			"device WHERE id = 7", "body WHERE id = 7", "change WHERE id = 7", `meta WHERE key = 'description' AND value LIKE '%"id":7,%'`,
		} {
			if n := countRows(t, path, rows); n != 0 {
				t.Errorf("%s: %d of %s", path, n, rows)
			}
		}
	}
	if _, content := everyFile(t, seriesDir(dir, computers)); bytes.Contains(content, []byte("SER0000007")) {
		t.Error("its serial number is on the disk")
	}
	s = openStore(t, options(dir))
	wantRows(t, acquire(t, s, computers), without(fleet(20, 2), erased))
	wantRows(t, acquire(t, s, mobiles), fleet(20, 0))
	wantRows(t, acquire(t, s, others), fleet(20, 0))
	if found, err := s.Erase(t.Context(), computers, erased); err != nil || found {
		t.Errorf("again: %v, %v", found, err)
	}
	if found, err := s.Erase(t.Context(), cache.Series{Source: "school-c", Kind: "computer"}, erased); err != nil || found {
		t.Errorf("of a source that never was: %v, %v", found, err)
	}
}

func countRows(t *testing.T, path, of string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&immutable=1")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+of).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// allGenerations are the generation files below a directory, what was set aside among them.
func allGenerations(t *testing.T, dir string) (paths []string) {
	t.Helper()
	names, _ := everyFile(t, dir)
	for _, name := range names {
		if strings.HasSuffix(name, ".sqlite") {
			paths = append(paths, filepath.Join(dir, name))
		}
	}
	return paths
}

// A device that only older generations know goes with them; one of a series that cannot be served goes with its files.
func TestADeviceOfOlderAndOfLostFilesIsErased(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, options(dir))
	publish(t, s, computers, fleet(20, 0))
	publish(t, s, computers, without(fleet(20, 1), erased)) // the list of changes names it
	if found, err := s.Erase(t.Context(), computers, erased); err != nil || !found {
		t.Fatal(found, err)
	}
	wantRows(t, acquire(t, s, computers), without(fleet(20, 1), erased))
	if files := filesIn(t, seriesDir(dir, computers), ".sqlite"); len(files) != 1 {
		t.Errorf("files: %v", files)
	}

	lost := t.TempDir()
	threeGenerations(t, lost)
	remove(t, manifestOf(lost))
	s = openStore(t, options(lost))
	if found, err := s.Erase(t.Context(), computers, erased); err != nil || !found {
		t.Fatal(found, err)
	}
	if files := filesIn(t, seriesDir(lost, computers), ".sqlite"); len(files) != 0 {
		t.Errorf("files: %v", files)
	}
	_, err := s.Acquire(computers)
	wantError(t, err, cache.ErrLost) // it stays lost, and the next sync is held as after any loss

	damaged := t.TempDir()
	threeGenerations(t, damaged)
	s = openStore(t, options(damaged))
	scramble(t, generationFile(damaged, computers, 3))
	if found, err := s.Erase(t.Context(), computers, erased); err != nil || !found {
		t.Fatal(found, err)
	}
	got := servedRows(t, s, "after a damaged file")
	if got != describeRows(without(fleet(20, 1), erased)) && got != describeRows(without(fleet(20, 2), erased)) {
		t.Errorf("served is %s", got)
	}
}

// scramble damages the most of a file.
func scramble(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(data) / 4; i < len(data)-100; i += 64 {
		data[i] ^= 0xff
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheLastDeviceLeavesAnEmptyListThatIsMeant(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	publish(t, s, computers, fleet(1, 0))
	if _, err := s.Erase(t.Context(), computers, 1); err != nil {
		t.Fatal(err)
	}
	if info := acquire(t, s, computers).Info(); info.Count != 0 || !info.ConfirmedEmpty {
		t.Errorf("%+v", info)
	}
}

func TestNothingOfAPurgedSourceIsLeft(t *testing.T) {
	dir := t.TempDir()
	everywhere(t, dir)
	s := openStore(t, options(dir))
	number := s.LastNumber(computers)
	late := finish(t, s, computers, number, fleet(5, 9))
	old := acquire(t, s, computers)
	if err := s.Purge(t.Context(), computers.Source); err != nil {
		t.Fatal(err)
	}
	wantRows(t, old, fleet(20, 2)) // who reads it still does
	_, err := s.Publish(t.Context(), late)
	wantError(t, err, cache.ErrConflict)
	late.Discard()
	for _, q := range []cache.Series{computers, mobiles} {
		_, err := s.Acquire(q)
		wantError(t, err, cache.ErrNone)
	}
	wantRows(t, acquire(t, s, others), fleet(20, 0))
	names, content := everyFile(t, dir)
	want := []string{"lock", "school-b", "school-b/computer", "school-b/computer/00000001.sqlite", "school-b/computer/manifest.json", "store.json"}
	if !slices.Equal(names, want) || bytes.Contains(content, []byte(computers.Source)) {
		t.Errorf("left is %v", names)
	}
	closeStore(t, s)
	s = openStore(t, options(dir)) // also over a restart
	if next := publish(t, s, computers, fleet(4, 1)); next <= number {
		t.Errorf("number %d was given to what came after generation %d", next, number)
	}
	if err := s.Purge(t.Context(), "school-c"); err != nil {
		t.Errorf("of a source that never was: %v", err)
	}
	if err := s.Purge(t.Context(), ".."); err == nil {
		t.Error("no name of a source is taken for one")
	}
}

func TestWhatIsBeingReadIsNotErased(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	publish(t, s, computers, fleet(5, 0))
	b, err := s.Begin(t.Context(), draft(computers, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Abort()
	_, err = s.Erase(t.Context(), computers, erased)
	wantError(t, err, cache.ErrBusy)
	wantError(t, s.Purge(t.Context(), computers.Source), cache.ErrBusy)
	wantRows(t, acquire(t, s, computers), fleet(5, 0))
}

// Whichever operation on the disk fails, and all after it as when the program is killed: the next one finishes it, also after a start.
func TestAPurgeThatFailsAnywhereIsFinishedByTheNext(t *testing.T) {
	base := t.TempDir()
	everywhere(t, base)
	acts := map[string]struct {
		do   func(s *cache.Store) error
		gone func(t *testing.T, s *cache.Store, dir string)
	}{
		"source": {
			do: func(s *cache.Store) error { return s.Purge(context.Background(), computers.Source) },
			gone: func(t *testing.T, s *cache.Store, dir string) {
				if _, err := os.Stat(filepath.Join(dir, computers.Source)); !errors.Is(err, fs.ErrNotExist) {
					t.Error("the directory is there")
				}
				wantServed(t, s, "purged", nil)
			},
		},
		"device": {
			do: func(s *cache.Store) error {
				_, err := s.Erase(context.Background(), computers, erased)
				return err
			},
			gone: func(t *testing.T, s *cache.Store, dir string) {
				wantServed(t, s, "erased", without(fleet(20, 2), erased))
				if left := leftovers(t, dir); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
				if found, err := s.Erase(context.Background(), computers, erased); found || err != nil {
					t.Errorf("it is found again: %v", err)
				}
			},
		},
	}
	for name, act := range acts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 1
			for over := false; !over; n++ {
				dir := filepath.Join(t.TempDir(), "data")
				if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
					t.Fatal(err)
				}
				f := &failing{left: -1, err: syscall.EIO}
				o, now := options(dir), newClock()
				o.Disk, o.Now = f.disk(), now.Now
				s := openStore(t, o)
				now.advance(3 * time.Hour)
				f.arm(n, true)
				err := act.do(s)
				if over = f.disarm() < n; over != (err == nil) {
					t.Fatalf("operation %d: %v", n, err)
				}
				closeStore(t, s)
				o.Disk = nil
				s = openStore(t, o)
				if err := act.do(s); err != nil {
					t.Fatalf("after operation %d: %v", n, err)
				}
				act.gone(t, s, dir)
				wantServedOf(t, s, others, fleet(20, 0))
				closeStore(t, s)
			}
			t.Logf("each of %d operations failed", n-2)
		})
	}
}

func wantServedOf(t *testing.T, s *cache.Store, q cache.Series, rows []row) {
	t.Helper()
	g, err := s.Acquire(q)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Release()
	wantRows(t, g, rows)
}
