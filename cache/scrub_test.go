package cache_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"jamf-gateway/cache"
)

// nearEnd is a byte in the last page of a file, which no opening reads.
func nearEnd(content []byte) int { return len(content) - 40 }

func TestAScrubSetsAsideWhatHasChangedOnDisk(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := openStore(t, options(dir))
	for v := range 3 {
		publish(t, s, computers, fleet(50, v))
	}
	publish(t, s, mobiles, fleet(20, 1))
	held := hold(t, s, computers, fleet(10, 1), "d1")
	if good, err := s.Scrub(ctx); err != nil || good != 5 {
		t.Fatalf("%d good files, %v; want 4 and the held one", good, err)
	}
	reader := acquire(t, s, computers)
	flip(t, generationFile(dir, computers, 3), nearEnd)
	flip(t, generationFile(dir, computers, 1), nearEnd)
	flip(t, generationFile(dir, computers, held), nearEnd)
	if good, err := s.Scrub(ctx); err != nil || good != 2 {
		t.Fatalf("%d good files, %v; want 2", good, err)
	}
	wantRows(t, acquire(t, s, computers), fleet(50, 1))
	if !s.FellBack(computers) {
		t.Error("nothing says that an older generation serves")
	}
	_, err := s.AcquireNumber(computers, 1)
	wantError(t, err, cache.ErrCorrupt)
	wantHeld(t, s, computers, 0)
	_ = reader // whoever reads it goes on to read what is not damaged
	wantRows(t, acquire(t, s, mobiles), fleet(20, 1))
	if good, err := s.Scrub(ctx); err != nil || good != 2 {
		t.Errorf("the second time: %d good files, %v", good, err)
	}
	publish(t, s, computers, fleet(40, 4))
	wantRows(t, acquire(t, s, computers), fleet(40, 4))

	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Scrub(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("a scrub that is ended answers %v", err)
	}
	wantRows(t, acquire(t, s, computers), fleet(40, 4))
}

// A digest that takes longer than an opening waits for is compared behind the reads.
func TestADigestThatTakesLongIsComparedBehindTheReads(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, options(dir))
	publish(t, s, computers, fleet(50, 1))
	publish(t, s, computers, fleet(50, 2))
	closeStore(t, s)
	o := options(dir)
	o.VerifyWithin = time.Nanosecond
	for _, damaged := range []bool{false, true} {
		want := fleet(50, 2)
		if damaged {
			flip(t, generationFile(dir, computers, 2), nearEnd)
			want = fleet(50, 1)
		}
		s = openStore(t, o)
		deadline := time.Now().Add(20 * time.Second)
		for s.FellBack(computers) != damaged && time.Now().Before(deadline) {
			g, err := s.Acquire(computers) // it serves meanwhile, and whatever it answers is checked
			if err != nil {
				t.Fatal(err)
			}
			g.Release()
			runtime.Gosched()
		}
		if s.FellBack(computers) != damaged {
			t.Fatalf("damaged %t: fell back %t", damaged, s.FellBack(computers))
		}
		wantRows(t, acquire(t, s, computers), want)
		closeStore(t, s)
	}
}
