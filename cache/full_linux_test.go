package cache_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"jamf-gateway/cache"
)

// smallDisk mounts a tmpfs of 2 MiB; without the right to do so the test is skipped.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("no right to mount a small tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

func TestAFullDiskKeepsTheGenerationBeforeAndRecoversAlone(t *testing.T) {
	ctx := context.Background()
	dir := smallDisk(t)
	s := openStore(t, options(dir))
	defer closeStore(t, s) // before the disk is unmounted
	rows := fleet(300, 1)
	publish(t, s, computers, rows)
	ballast := filepath.Join(dir, "ballast")
	fill(t, ballast)

	b, err := s.Begin(ctx, draft(computers, 1))
	if err == nil {
		for _, r := range fleet(1500, 2) {
			if err = b.Put(ctx, r.id, []byte(r.body), r.columns, r.state); err != nil {
				break
			}
		}
		if err == nil {
			_, err = b.Finish(ctx, cache.Outcome{Ended: ended})
		}
		b.Abort()
	}
	wantError(t, err, cache.ErrFull)
	if err := cache.ReplaceFile(filepath.Join(dir, "state.json"), make([]byte, 100_000)); !errors.Is(err, cache.ErrFull) {
		t.Errorf("replace file: %v, want ErrFull", err)
	}
	g, err := s.Acquire(computers)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Release()
	wantRows(t, g, rows)
	if left := filesIn(t, seriesDir(dir, computers), ".building"); len(left) > 0 {
		t.Errorf("left %v", left)
	}

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if n := publish(t, s, computers, fleet(301, 2)); n < 2 {
		t.Errorf("number %d", n)
	}
}

// A finished candidate needs no walk again: when there is space, it is published.
func TestACandidateOutlivesAFullDisk(t *testing.T) {
	ctx := context.Background()
	dir := smallDisk(t)
	s := openStore(t, options(dir))
	defer closeStore(t, s)
	c := finish(t, s, computers, 0, fleet(50, 1))
	ballast := filepath.Join(dir, "ballast")
	fill(t, ballast)
	_, err := s.Publish(ctx, c)
	wantError(t, err, cache.ErrFull)
	_, err = s.Acquire(computers)
	wantError(t, err, cache.ErrNone)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	g, err := s.Publish(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Release()
	wantRows(t, g, fleet(50, 1))
}

func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for {
		if _, err := file.Write(make([]byte, 4096)); err != nil {
			return
		}
	}
}
