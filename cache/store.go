// Package cache is what is served from: complete generations on disk, one SQLite
// file each, and ristretto in front of them for hot answers. It knows devices only
// as records and columns, and nothing of HTTP, Jamf or schedules.
package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"jamf-gateway/gateway/device"
)

// Options of Open. MaxBytes is ristretto's budget in bytes.
type Options struct {
	Dir           string
	MaxBytes      int64
	Keep          int // generations kept per series, at least 3
	Logger        *slog.Logger
	MeterProvider metric.MeterProvider // nil: the global one
	Now           func() time.Time     // nil: time.Now
	Date          func() time.Time     // by which what was set aside is removed, where the clock is not believed; nil: Now

	Disk *Disk // nil: the file system as it is

	Free func(dir string) (int64, error) // bytes that can still be written; nil: asks the file system

	VerifyWithin time.Duration // how long the opening of a file waits for its digest; 0: 2 s
}

// minKeep is the smallest number of generations kept per series: the current one, the one a client run
// may still stand on, and the one to fall back to.
const minKeep = 3

// openAtOnce bounds how many series are verified side by side at Open: it is disk and hashing, not waiting.
const openAtOnce = 4

// Store is all series. Safe for concurrent use.
type Store struct {
	dir      string
	identity string
	floor    atomic.Uint64 // no series that begins is given a number up to it
	keep     int
	disk     *Disk
	log      *slog.Logger
	now      func() time.Time
	date     func() time.Time
	free     func(dir string) (int64, error)
	lock     *Lock
	hot      *hot
	warmth   *warmth
	clashes  *clashes
	counts   *counts
	departed departed
	flights  singleflight.Group
	variants *zstd.Encoder // of answers

	verifyWithin time.Duration
	ending       chan struct{} // closed by Close

	mu      sync.RWMutex
	lines   map[Series]*line
	closed  bool
	running sync.WaitGroup // detached flights; Add only under mu while not closed
}

// Open locks the directory, reads the manifests and opens the current generations.
// One broken series never keeps the others from being served: Acquire of it answers the error.
// ErrLocked when another process has the directory; ErrLost when the store's identity is gone though series are there.
func Open(ctx context.Context, o Options) (_ *Store, err error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil { // SQLite's file: URIs have no relative form
		return nil, fmt.Errorf("find data directory: %w", err)
	}
	if err := o.Disk.MkdirAll(o.Dir); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	s := &Store{
		dir: o.Dir, keep: o.Keep, disk: o.Disk, log: o.Logger, now: o.Now, date: o.Date,
		ending: make(chan struct{}), lines: make(map[Series]*line), warmth: newWarmth(o.MaxBytes / 2), clashes: newClashes(), counts: newCounts(),
	}
	if s.verifyWithin = o.VerifyWithin; s.verifyWithin <= 0 {
		s.verifyWithin = verifyWithin
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.date == nil {
		s.date = s.now
	}
	if s.free = o.Free; s.free == nil {
		s.free = freeSpace
	}
	if s.lock, err = s.disk.LockDirectory(ctx, o.Dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err := s.disk.RemoveLeftovers(o.Dir); err != nil {
		s.log.WarnContext(ctx, "remove unfinished files", "error", err)
	}
	id, err := s.disk.openIdentity(o.Dir, s.now())
	if err != nil {
		return nil, err
	}
	s.identity = id.Identity
	s.floor.Store(id.Floor)
	if s.hot, err = newHot(o.MaxBytes, nil); err != nil {
		return nil, err
	}
	if s.variants, err = newVariantEncoder(); err != nil {
		return nil, err
	}
	if err := s.loadLines(ctx); err != nil {
		return nil, err
	}
	provider := o.MeterProvider
	if provider == nil {
		provider = otel.GetMeterProvider()
	}
	if err := s.counts.observe(provider, s); err != nil {
		return nil, err
	}
	return s, nil
}

func (o Options) check() error {
	switch {
	case o.Dir == "":
		return errors.New("data directory is not set")
	case o.MaxBytes <= 0:
		return fmt.Errorf("cache budget of %d bytes: must be more than 0", o.MaxBytes)
	case o.Keep < minKeep:
		return fmt.Errorf("keep %d generations: must be at least %d", o.Keep, minKeep)
	}
	return nil
}

// loadLines finds the series on disk and brings each as far as it goes. Only a cancelled ctx is an error.
func (s *Store) loadLines(ctx context.Context) error {
	found, err := findSeries(s.dir)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(openAtOnce)
	for _, q := range found {
		l := s.newLine(q)
		s.lines[q] = l
		group.Go(func() error { return s.load(ctx, l) })
	}
	return group.Wait()
}

// SeriesIn lists the series that have files in a data directory, without opening it.
func SeriesIn(dir string) ([]Series, error) {
	found, err := findSeries(dir)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(found, func(q Series) bool {
		entries, err := os.ReadDir(filepath.Join(dir, q.Source, string(q.Kind)))
		return err == nil && len(entries) == 0
	}), nil
}

// findSeries lists <source>/<kind> below dir. Other names are not the store's and are left alone.
func findSeries(dir string) ([]Series, error) {
	sources, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read data directory: %w", err)
	}
	var found []Series
	for _, source := range sources {
		for _, kind := range []device.Kind{device.Computer, device.Mobile} {
			q := Series{Source: source.Name(), Kind: kind}
			if !source.IsDir() || q.check() != nil {
				continue
			}
			info, err := os.Stat(filepath.Join(dir, q.Source, string(kind)))
			if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
				continue
			}
			found = append(found, q) // an unreadable one answers its error when it is asked for
		}
	}
	return found, nil
}

// Close releases the generations and the directory. Readers that still hold a generation keep it until they
// release it; detached renderings are waited for (60 s at most).
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	lines := s.lines
	s.mu.Unlock()

	close(s.ending)
	s.running.Wait()
	s.counts.stop()
	for _, l := range lines {
		if g := l.detach(); g != nil {
			g.Release()
		}
	}
	if s.hot != nil {
		s.hot.close()
	}
	return s.lock.Release()
}

// Identity is the random id of this store, made at the first Open (part of ETags and cursors).
func (s *Store) Identity() string { return s.identity }

// Disk is what it was opened with, for what else lies in the data directory.
func (s *Store) Disk() *Disk { return s.disk }

// enter counts a detached flight in; false when the store is closed. Every true needs one s.running.Done.
func (s *Store) enter() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return false
	}
	s.running.Add(1)
	return true
}

// find returns the line of q, nil when the store has never seen it.
func (s *Store) find(q Series) (*line, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, errClosed
	}
	return s.lines[q], nil
}

// findOrAdd is find for writers: a series that was never seen starts here.
func (s *Store) findOrAdd(q Series) (*line, error) {
	if l, err := s.find(q); l != nil || err != nil {
		return l, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	l := s.lines[q]
	if l == nil {
		l = s.newLine(q)
		s.lines[q] = l
	}
	return l, nil
}

func (s *Store) newLine(q Series) *line {
	l := newLine(s.dir, q)
	l.highest = s.floor.Load()
	return l
}

// Fresh tells that the store has no series yet: it holds nothing, and nothing that was lost.
func (s *Store) Fresh() bool { return len(s.allLines()) == 0 }

// allLines is a snapshot of the lines.
func (s *Store) allLines() []*line {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]*line, 0, len(s.lines))
	for _, l := range s.lines {
		all = append(all, l)
	}
	return all
}
