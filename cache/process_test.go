package cache_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"jamf-gateway/cache"
)

const exitLocked = 42

// childOpen tries to open a directory that the test holds.
func childOpen(dir string) int {
	s, err := cache.Open(context.Background(), options(dir))
	if errors.Is(err, cache.ErrLocked) {
		return exitLocked
	}
	if err != nil {
		return 1
	}
	return closeCode(s)
}

func closeCode(s *cache.Store) int {
	if s.Close() != nil {
		return 1
	}
	return 0
}

// childPublish publishes one generation after the other until it is killed. Generation n holds crashFleet(n).
func childPublish(dir string) int {
	ctx := context.Background()
	s, err := cache.Open(ctx, options(dir))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for {
		b, err := s.Begin(ctx, draft(computers, s.LastNumber(computers)))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		for _, r := range fleet(crashFleet, int(s.LastNumber(computers))) {
			if err := b.Put(ctx, r.id, []byte(r.body), r.columns, r.state); err != nil {
				return 1
			}
		}
		c, err := b.Finish(ctx, cache.Outcome{Ended: ended, ReportedTotal: crashFleet})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		g, err := s.Publish(ctx, c)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		g.Release()
	}
}

const crashFleet = 120

func child(t *testing.T, what, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+what, "CACHE_TEST_DIR="+dir)
	return cmd
}

func TestSecondProcessIsRefusedWithinTwoSeconds(t *testing.T) {
	dir := t.TempDir()
	openStore(t, options(dir))
	start := time.Now()
	err := child(t, "open", dir).Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitLocked {
		t.Fatalf("second process ended with %v, want exit code %d", err, exitLocked)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("refusal took %v", took)
	}
}

func TestSecondStoreOfOneProcessIsRefusedUntilTheFirstIsClosed(t *testing.T) {
	dir := t.TempDir()
	first := openStore(t, options(dir))
	start := time.Now()
	_, err := cache.Open(context.Background(), options(dir))
	wantError(t, err, cache.ErrLocked)
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("refusal took %v, want at most 2 s", took)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = cache.Open(ctx, options(dir))
	wantError(t, err, context.Canceled)
	closeStore(t, first)
	second := openStore(t, options(dir))
	if second.Identity() != first.Identity() {
		t.Errorf("identity changed from %s to %s", first.Identity(), second.Identity())
	}
}

func TestKilledWriterLeavesACompleteGeneration(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	dir := t.TempDir()
	var last uint64
	for round := range rounds {
		cmd := child(t, "publish", dir)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Duration(120+37*round) * time.Millisecond) // another process: no bubble reaches it
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("child ended by itself")
		}
		last = checkAfterCrash(t, dir, last)
	}
	if last == 0 {
		t.Skip("no child lived long enough to publish on this machine")
	}
}

func checkAfterCrash(t *testing.T, dir string, before uint64) uint64 {
	t.Helper()
	s := openStore(t, options(dir))
	defer closeStore(t, s)
	if left := filesIn(t, dir, ".tmp"); len(left) > 0 {
		t.Errorf("left over in the data directory: %v", left)
	}
	g, err := s.Acquire(computers)
	if errors.Is(err, cache.ErrNone) && before == 0 {
		return 0
	}
	if err != nil {
		t.Fatalf("acquire after kill: %v", err)
	}
	defer g.Release()
	info := g.Info()
	if info.Number < before {
		t.Errorf("generation went back from %d to %d", before, info.Number)
	}
	wantRows(t, g, fleet(crashFleet, int(info.Parent)))
	for _, suffix := range []string{".building", ".tmp"} {
		if left := filesIn(t, seriesDir(dir, computers), suffix); len(left) > 0 {
			t.Errorf("left over: %v", left)
		}
	}
	return info.Number
}
