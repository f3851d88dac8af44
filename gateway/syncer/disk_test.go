package syncer_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/syncer"
)

// failing is a disk on which one operation fails, or all from it on.
type failing struct {
	mu    sync.Mutex
	armed bool
	left  int // operations until the first that fails
	all   bool
	asked int
}

func (f *failing) fail(op cache.Op, path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.armed {
		return nil
	}
	f.asked++
	if f.left--; f.left == 0 || f.all && f.left < 0 {
		return fmt.Errorf("%s %s: %w", op, filepath.Base(path), syscall.ENOSPC)
	}
	return nil
}

func (f *failing) arm(n int, all bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed, f.left, f.all, f.asked = true, n, all, 0
}

// disarm answers how many operations were asked for.
func (f *failing) disarm() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = false
	return f.asked
}

// diskInterval lies between two syncs: a day costs many wakes of the timers in the bubble.
const diskInterval = 30 * time.Minute

// diskScene is something that a syncer writes about.
type diskScene struct {
	prepare       func(h *house) // before the disk fails
	act           func(h *house)
	again         func(h *house) // what a person does who was refused; nil: nothing but wait
	before, after int            // devices served
	held          bool           // so it ends
	least         int            // operations there are
}

func diskScenes() map[string]diskScene {
	due := func() {
		time.Sleep(diskInterval + time.Second)
		synctest.Wait()
	}
	approve := func(h *house) {
		if hold := h.status(device.Computer).Hold; hold != nil {
			_ = h.syncer.Approve(h.t.Context(), "a", hold.Digest, "a test") // may be refused by the disk
		}
		synctest.Wait()
	}
	return map[string]diskScene{
		"the first sync": {prepare: func(h *house) { h.open(-1) }, act: func(h *house) { h.run() }, after: 30, least: 25},
		"a sync": {
			prepare: func(h *house) { h.start() }, before: 30, after: 28, least: 15,
			act: func(h *house) { h.lose(2); due() },
		},
		"a sync that is held": {
			prepare: func(h *house) { h.start() }, before: 30, after: 30, held: true, least: 15,
			act: func(h *house) { h.lose(20); due() },
		},
		"an approval": {
			prepare: func(h *house) { h.start(); h.lose(20); due() }, act: approve, again: approve, before: 30, after: 10, least: 8,
		},
	}
}

// Whichever write of a sync fails, alone or with all that follow it: readers have what they had or what is new, the schedule goes
// on by itself, and nothing is left behind. Each run takes another quarter of the writes; EVERY_WRITE=1 takes them all (a minute).
func TestASyncOutlivesAnyFailingWrite(t *testing.T) {
	t.Parallel()
	for name, scene := range diskScenes() {
		for how, all := range map[string]bool{"alone": false, "and all after it": true} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				step, n := 1, 1
				if os.Getenv("EVERY_WRITE") == "" {
					step, n = 4, 1+rand.N(4)
				}
				t.Logf("operation %d, and every %d. after it", n, step)
				for over := false; !over; n += step {
					bubble(t, fleet(30, 0), onlyMacs, func(h *house) { over = scene.run(h, n, all) })
				}
				if n < scene.least {
					t.Errorf("no operation after %d, want at least %d", n, scene.least)
				}
			})
		}
	}
}

// run is one round; it answers whether the scene has fewer than n operations.
func (sc diskScene) run(h *house, n int, all bool) (over bool) {
	f := &failing{}
	h.disk, h.source.Interval = &cache.Disk{Fail: f.fail}, diskInterval
	sc.prepare(h)
	f.arm(n, all)
	sc.act(h)
	over = f.disarm() < n
	what := fmt.Sprintf("operation %d", n)
	if count := h.count(); count != sc.before && count != sc.after {
		h.t.Errorf("%s: %d devices are served", what, count)
	}
	st := h.status(device.Computer)
	if st.LastResult == "failed" && st.ErrorCode != "store_full" {
		h.t.Errorf("%s: the sync says %q (%s)", what, st.ErrorCode, st.ErrorDetail)
	}
	if sc.again != nil {
		sc.again(h)
	}
	time.Sleep(6 * time.Minute) // the first retry
	synctest.Wait()
	sc.settled(h, what)
	h.stop()
	h.start()
	sc.settled(h, what+", restarted")
	h.stop()
	if left := h.leftovers(); len(left) > 0 {
		h.t.Errorf("%s: left behind: %v", what, left)
	}
	return over
}

func (sc diskScene) settled(h *house, what string) {
	h.t.Helper()
	st := h.status(device.Computer)
	if count := h.count(); count != sc.after || sc.held != (st.Hold != nil) || !sc.held && st.State != "fresh" || sc.held && st.Reason != "held" {
		h.t.Errorf("%s: %d devices are served, it is %s %s, last sync %q %s\n%s", what, count, st.State, st.Reason, st.LastResult, st.ErrorCode, h.logs.String())
	}
}

// count is how many devices are served, 0 before the first sync.
func (h *house) count() int {
	h.t.Helper()
	g, err := h.store.Acquire(cache.Series{Source: "a", Kind: device.Computer})
	if errors.Is(err, cache.ErrNone) {
		return 0
	}
	if err != nil {
		h.t.Fatal(err)
	}
	defer g.Release()
	ids, err := g.IDs(h.t.Context())
	if err != nil || len(ids) != g.Info().Count {
		h.t.Fatalf("%d ids of %d devices: %v", len(ids), g.Info().Count, err)
	}
	return len(ids)
}

// leftovers are unfinished files anywhere below the data directory.
func (h *house) leftovers() (left []string) {
	h.t.Helper()
	err := filepath.WalkDir(h.dir, func(path string, _ fs.DirEntry, err error) error {
		if slices.Contains([]string{".tmp", ".building"}, filepath.Ext(path)) || strings.Contains(path, "lost-") {
			left = append(left, path)
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return left
}

// What could not be written down holds until the program ends: an operator is told so.
func TestAnAnnouncementThatCannotBeWrittenIsRefused(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(30, 0), onlyMacs, func(h *house) {
		f := &failing{}
		h.disk = &cache.Disk{Fail: f.fail}
		h.start()
		for n := 1; ; n++ {
			f.arm(n, false)
			err := h.syncer.Expect(t.Context(), "a", 20, time.Now().Add(time.Hour), "a test")
			if f.disarm() < n {
				if err != nil || n < 5 {
					t.Fatalf("operation %d: %v", n, err)
				}
				return
			}
			if !errors.Is(err, cache.ErrFull) || errors.Is(err, syncer.ErrUnknownSource) {
				t.Errorf("operation %d: %v", n, err)
			}
		}
	})
}
