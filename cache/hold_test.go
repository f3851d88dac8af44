package cache_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

var holding = cache.Hold{Digest: "d1", Since: time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC), Note: json.RawMessage(`{"removed":2}`)}

// hold keeps rows back and returns the number.
func hold(t testing.TB, s *cache.Store, q cache.Series, rows []row, digest string) uint64 {
	t.Helper()
	c := finish(t, s, q, s.LastNumber(q), rows)
	h := holding
	h.Digest = digest
	if err := s.Hold(context.Background(), c, h); err != nil {
		t.Fatalf("hold: %v", err)
	}
	return c.Info().Number
}

func wantHeld(t testing.TB, s *cache.Store, q cache.Series, number uint64) {
	t.Helper()
	if h, info, held := s.Held(q); held != (number > 0) || info.Number != number || held && h.Digest == "" {
		t.Fatalf("held: %v, generation %d, %+v; want %d", held, info.Number, h, number)
	}
}

func TestAHeldGenerationIsShownToNobodyUntilItIsReleased(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := openStore(t, options(dir))
	publish(t, s, computers, fleet(5, 1))
	number := hold(t, s, computers, fleet(3, 1), "d1")
	wantRows(t, acquire(t, s, computers), fleet(5, 1))
	if len(s.Kept(computers)) != 1 {
		t.Errorf("kept: %v", s.Kept(computers))
	}
	_, err := s.AcquireNumber(computers, number)
	wantError(t, err, cache.ErrGone)

	closeStore(t, s)
	s = openStore(t, options(dir)) // a hold outlives a restart
	wantHeld(t, s, computers, number)
	h, info, _ := s.Held(computers)
	var note, want any
	if json.Unmarshal(h.Note, &note) != nil || json.Unmarshal(holding.Note, &want) != nil || !cmp.Equal(note, want) || !h.Since.Equal(holding.Since) || info.Removed != 2 {
		t.Errorf("held: %+v, %+v", h, info)
	}
	wantRows(t, acquire(t, s, computers), fleet(5, 1))

	_, err = s.Release(ctx, computers, "another")
	wantError(t, err, cache.ErrNotHeld)
	_, err = s.Release(ctx, mobiles, "d1")
	wantError(t, err, cache.ErrNotHeld)
	g, err := s.Release(ctx, computers, "d1")
	if err != nil {
		t.Fatal(err)
	}
	defer g.Release()
	wantRows(t, g, fleet(3, 1))
	wantRows(t, acquire(t, s, computers), fleet(3, 1))
	wantHeld(t, s, computers, 0)
	_, err = s.Release(ctx, computers, "d1")
	wantError(t, err, cache.ErrNotHeld)
	if next := publish(t, s, computers, fleet(4, 1)); next <= number {
		t.Errorf("number %d was given after %d", next, number)
	}
}

func TestAPublishAndAnotherHoldTakeTheHeldFileAway(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, options(dir))
	publish(t, s, computers, fleet(5, 1))
	hold(t, s, computers, fleet(3, 1), "d1")
	second := hold(t, s, computers, fleet(2, 1), "d2")
	wantHeld(t, s, computers, second)
	if files := filesIn(t, seriesDir(dir, computers), ".sqlite"); len(files) != 2 {
		t.Errorf("files after the second hold: %v", files)
	}
	third := publish(t, s, computers, fleet(6, 1))
	wantHeld(t, s, computers, 0)
	if files := filesIn(t, seriesDir(dir, computers), ".sqlite"); !slices.Equal(files, []string{"00000001.sqlite", "00000004.sqlite"}) || third != 4 {
		t.Errorf("files after the publish of %d: %v", third, files)
	}
}

func TestACandidateOfAnotherParentIsNotHeld(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	first := finish(t, s, computers, 0, fleet(2, 1))
	wantError(t, s.Hold(context.Background(), first, holding), cache.ErrConflict) // there is nothing to serve meanwhile
	g, err := s.Publish(context.Background(), first)
	if err != nil {
		t.Fatal(err)
	}
	g.Release()
	late := finish(t, s, computers, 1, fleet(3, 1))
	publish(t, s, computers, fleet(4, 1))
	wantError(t, s.Hold(context.Background(), late, holding), cache.ErrConflict)
	late.Discard()
	wantHeld(t, s, computers, 0)
}

func TestADamagedHeldFileIsDroppedAndNeverPublished(t *testing.T) {
	for name, c := range map[string]struct {
		damage  func(path string) error
		atStart bool // a start sees it
	}{
		"missing":   {os.Remove, true},
		"truncated": {func(path string) error { return os.Truncate(path, 4096) }, true},
		"flipped": {func(path string) error {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			data[len(data)/2] ^= 1
			return os.WriteFile(path, data, 0o600)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openStore(t, options(dir))
			publish(t, s, computers, fleet(50, 1))
			number := hold(t, s, computers, fleet(48, 1), "d1")
			if err := c.damage(generationFile(dir, computers, number)); err != nil {
				t.Fatal(err)
			}
			closeStore(t, s)
			s = openStore(t, options(dir))
			if c.atStart {
				wantHeld(t, s, computers, 0)
			} else if _, err := s.Release(context.Background(), computers, "d1"); !errors.Is(err, cache.ErrCorrupt) {
				t.Errorf("release: %v", err)
			}
			wantHeld(t, s, computers, 0)
			wantRows(t, acquire(t, s, computers), fleet(50, 1))
			if next := publish(t, s, computers, fleet(49, 1)); next <= number {
				t.Errorf("number %d was given after %d", next, number)
			}
		})
	}
}

func TestAReleaseThatCannotBeWrittenKeepsTheHold(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, options(dir))
	publish(t, s, computers, fleet(5, 1))
	number := hold(t, s, computers, fleet(3, 1), "d1")
	manifest := seriesDir(dir, computers) + "/manifest.json"
	whole, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	// A directory in its place: it can neither be replaced nor read.
	if err := errors.Join(os.Remove(manifest), os.Mkdir(manifest, 0o700), os.WriteFile(manifest+"/x", nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if g, err := s.Release(context.Background(), computers, "d1"); err == nil {
		g.Release()
		t.Fatal("released without a manifest")
	}
	wantRows(t, acquire(t, s, computers), fleet(5, 1))
	if err := errors.Join(os.RemoveAll(manifest), os.WriteFile(manifest, whole, 0o600)); err != nil {
		t.Fatal(err)
	}
	wantHeld(t, s, computers, number)
	g, err := s.Release(context.Background(), computers, "d1")
	if err != nil {
		t.Fatal(err)
	}
	g.Release()
	wantRows(t, acquire(t, s, computers), fleet(3, 1))
}

// Whichever operation of a hold fails: what is said to be held can be released.
func TestAHoldThatFailsIsNoneOrCanBeReleased(t *testing.T) {
	for n := 1; ; n++ {
		f := &failing{left: -1, err: syscall.EIO}
		o := options(t.TempDir())
		o.Disk = f.disk()
		s := openStore(t, o)
		publish(t, s, computers, fleet(5, 1))
		f.arm(n, false)
		err := tryHold(s, fleet(3, 1))
		over := f.disarm() < n
		h, _, held := s.Held(computers)
		if err == nil && !held {
			t.Fatalf("operation %d: %v, held %t", n, err, held)
		}
		if held {
			g, err := s.Release(context.Background(), computers, h.Digest)
			if err != nil {
				t.Fatalf("operation %d fails: it is said to be held and cannot be released: %v", n, err)
			}
			wantRows(t, g, fleet(3, 1))
			g.Release()
		}
		closeStore(t, s)
		if over {
			return
		}
	}
}

func TestANarrowedProfileTakesTheHeldFileAway(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := openStore(t, options(dir))
	full, _ := device.BuiltinProfile("full")
	minimal, _ := device.BuiltinProfile("minimal")
	build := func(rows []row) *cache.Candidate {
		d := draft(computers, s.LastNumber(computers))
		d.ProfileDigest, d.ProfilePaths = full.Digest(), full.Paths(device.Computer)
		b, err := s.Begin(ctx, d)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Abort()
		for _, r := range rows {
			if err := b.Put(ctx, r.id, []byte(r.body), r.columns, r.state); err != nil {
				t.Fatal(err)
			}
		}
		c, err := b.Finish(ctx, cache.Outcome{Ended: ended})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	g, err := s.Publish(ctx, build(fleet(5, 1)))
	if err != nil {
		t.Fatal(err)
	}
	g.Release()
	if err := s.Hold(ctx, build(fleet(3, 1)), holding); err != nil {
		t.Fatal(err)
	}
	dropped, err := s.DropWider(ctx, computers, minimal)
	if err != nil || !slices.Equal(dropped, []uint64{2}) {
		t.Errorf("dropped %v, %v", dropped, err)
	}
	wantHeld(t, s, computers, 0)
	if files := filesIn(t, seriesDir(dir, computers), ".sqlite"); !slices.Equal(files, []string{"00000001.sqlite"}) {
		t.Errorf("files: %v", files)
	}
	closeStore(t, s)
	s = openStore(t, options(dir))
	wantHeld(t, s, computers, 0)
	wantRows(t, acquire(t, s, computers), fleet(5, 1))
}
