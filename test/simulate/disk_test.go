package simulate_test

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"jamf-gateway/cache"
)

// disk is what goes wrong with the disk, whichever process uses it.
type disk struct {
	w *world

	mu      sync.Mutex
	fails   map[cache.Op]float64 // chance of each operation to fail
	err     error
	pages   int            // bound of a generation file; 0 = none
	crashIn int            // operations on generations until the process is killed; 0 = it is not
	asked   map[string]int // operations so far, by what and where
}

var errDead = errors.New("the process is dead")

// set changes what goes wrong.
func (d *disk) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

func (d *disk) calm() {
	d.set(func() { d.fails, d.pages, d.crashIn = nil, 0, 0 })
}

// ill tells that operations fail.
func (d *disk) ill() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.fails) > 0 || d.pages > 0
}

// of is the disk of one process.
func (d *disk) of(h *house) *cache.Disk {
	return &cache.Disk{
		Fail: func(op cache.Op, path string) error { return d.ask(h, op, path) },
		Pages: func() int {
			d.mu.Lock()
			defer d.mu.Unlock()
			return d.pages
		},
	}
}

// ask decides by what is done where, for which time, and at which moment: not by who came first.
func (d *disk) ask(h *house, op cache.Op, path string) error {
	if h.dead.Load() {
		return errDead
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	place, ofSeries := placeOf(h.dir, path)
	if d.crashIn > 0 && ofSeries {
		if d.crashIn--; d.crashIn == 0 {
			d.w.log.note("disk", "killed before %s of %s", op, place)
			d.w.die(h)
			return errDead
		}
	}
	p := d.fails[op]
	if p == 0 {
		return nil
	}
	key := string(op) + " " + place
	d.asked[key]++
	sum := fnv.New64a()
	_, _ = fmt.Fprintf(sum, "%s %d %d", key, d.asked[key], time.Now().UnixNano())
	if rand.New(rand.NewPCG(d.w.seed, sum.Sum64())).Float64() >= p {
		return nil
	}
	d.w.log.count("fault disk "+string(op), 1)
	return d.err
}

// placeOf names a file of a data directory without what is random in its name.
func placeOf(dir, path string) (place string, ofSeries bool) {
	rel, err := filepath.Rel(dir, path)
	if err != nil {
		return path, false
	}
	for _, suffix := range []string{".building", ".tmp"} {
		if strings.HasSuffix(rel, suffix) {
			rel = filepath.Join(filepath.Dir(rel), suffix)
		}
	}
	return rel, strings.Contains(rel, "computer") || strings.Contains(rel, "mobile")
}

// breakDisk lets operations fail for a while, or kills the process at one.
func (w *world) breakDisk() {
	ops := []cache.Op{cache.OpCreate, cache.OpWrite, cache.OpSync, cache.OpRename, cache.OpRemove, cache.OpMkdir}
	fails := map[cache.Op]float64{}
	for range 1 + w.dice.IntN(3) {
		fails[pick(w.dice, ops...)] = pick(w.dice, 0.05, 0.2, 0.5, 1)
	}
	kind, n, pages := w.dice.IntN(4), 1+w.dice.IntN(16), 1+w.dice.IntN(12)
	err := error(pick(w.dice, syscall.ENOSPC, syscall.EIO, syscall.EROFS))
	w.disk.set(func() {
		switch kind {
		case 0:
			w.disk.pages = pages
		case 1:
			w.disk.crashIn = n
		default:
			w.disk.fails, w.disk.err = fails, err
		}
	})
	w.log.note("director", "disk: %d, killed at operation %d, %d pages, %v of %v", kind, n, pages, err, fails)
}
