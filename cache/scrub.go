package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"
)

// verifyWithin is how long the opening of a file waits for its digest: one that takes longer is compared behind the reads, each of
// which verifies the checksum of its record anyway.
const verifyWithin = 2 * time.Second

// digestError compares the file with the digest it was written with.
func digestError(ctx context.Context, path string, k keptFile) error {
	sum, err := hashFile(ctx, path)
	if err != nil {
		return readError(ctx, "verify "+k.File, err)
	}
	if sum != k.SHA256 {
		return fmt.Errorf("%w: %s does not have the digest it was written with", ErrCorrupt, k.File)
	}
	return nil
}

// digestCheck is what opening a kept file does about its digest: nothing where it was compared since the start; else it waits
// for the comparison for a while, and leaves it running behind. The caller holds l.work.
func (s *Store) digestCheck(l *line, path string, k keptFile) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		if k.verified || l.isVerifying(k.Number) {
			return nil
		}
		if !s.enter() {
			return errClosed
		}
		l.verifying(k.Number, true)
		done := make(chan error, 1)
		go func() {
			defer s.running.Done()
			life, cancel := s.untilClosed()
			defer cancel()
			done <- digestError(life, path, k)
		}()
		late := time.NewTimer(s.verifyWithin)
		defer late.Stop()
		select {
		case err := <-done:
			l.verifying(k.Number, false)
			return err
		case <-ctx.Done():
		case <-late.C:
		}
		if s.enter() {
			go func() {
				defer s.running.Done()
				s.judge(l, k.Number, <-done)
			}()
		}
		return ctx.Err()
	}
}

// untilClosed is a context that ends with Close.
func (s *Store) untilClosed() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-s.ending:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

func (l *line) isVerifying(number uint64) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.pending[number]
}

func (l *line) verifying(number uint64, on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if on {
		l.pending[number] = true
		return
	}
	delete(l.pending, number)
}

// judge takes in how a file compared: a damaged one is set aside, and the one before it serves. Whoever is just opening the file
// comes first, and what he found of it does not outdo its digest.
func (s *Store) judge(l *line, number uint64, err error) {
	select {
	case <-s.ending:
		return // the comparison was cut off
	default:
	}
	if err != nil {
		s.counts.openErrors.Add(1)
		s.log.Error("a generation file has changed on disk", "jamf.source", l.series.Source, "kind", l.series.Kind, "generation", number, "error", err)
	}
	if g := l.settle(number, err); g != nil {
		s.fallBack(l, g)
	}
}

// settle marks a file by its digest. It answers the served generation where that is the damaged one.
func (l *line) settle(number uint64, err error) *Generation {
	l.work.Lock()
	defer l.work.Unlock()
	l.verifying(number, false)
	l.mark(number, err)
	if err == nil {
		return nil
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	g := l.open[number]
	if g == nil {
		return nil
	}
	g.damaged.Store(true)
	if l.serving != g {
		return nil
	}
	return g
}

// Scrub compares every kept file with the digest it was written with, one after the other, and the held ones. What has changed is
// set aside like any damage: the generation before serves, and the next walk brings a new one. A manifest that has changed is written
// anew. It answers how many generation files are good.
// The error is that of ctx.
func (s *Store) Scrub(ctx context.Context) (good int, err error) {
	for _, l := range s.allLines() {
		s.mendManifest(ctx, l)
		l.mu.RLock()
		files, held := append([]keptFile(nil), l.kept...), l.held
		l.mu.RUnlock()
		for _, k := range files {
			if !k.damaged && s.scrub(ctx, l, k) {
				good++
			}
		}
		if held != nil {
			err := digestError(ctx, filepath.Join(l.dir, held.File.File), held.File)
			switch {
			case err == nil:
				good++
			case ctx.Err() == nil:
				s.dropHeld(ctx, l, held, err)
			}
		}
		if ctx.Err() != nil {
			return good, ctx.Err()
		}
	}
	return good, nil
}

// scrub compares one kept file; one that was pruned meanwhile is nobody's damage.
func (s *Store) scrub(ctx context.Context, l *line, k keptFile) (good bool) {
	err := digestError(ctx, filepath.Join(l.dir, k.File), k)
	if ctx.Err() != nil || err != nil && !l.keeps(k.Number) {
		return false
	}
	if errors.Is(err, fs.ErrPermission) { // it says nothing about the file, which is open and goes on to be read
		s.counts.openErrors.Add(1)
		s.log.ErrorContext(ctx, "a generation file may not be read", "jamf.source", l.series.Source, "kind", l.series.Kind, "generation", k.Number, "error", err)
		return false
	}
	s.judge(l, k.Number, err)
	return err == nil
}

func (l *line) keeps(number uint64) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, k := range l.kept {
		if k.Number == number {
			return true
		}
	}
	return false
}

// dropHeld forgets a held file that has changed on disk.
func (s *Store) dropHeld(ctx context.Context, l *line, held *heldFile, why error) {
	l.work.Lock()
	defer l.work.Unlock()
	l.mu.RLock()
	still := l.held == held
	l.mu.RUnlock()
	if !still {
		return
	}
	s.counts.openErrors.Add(1)
	s.log.ErrorContext(ctx, "the held generation has changed on disk and is dropped", "jamf.source", l.series.Source, "kind", l.series.Kind,
		"generation", held.File.Number, "error", errors.Join(why, s.recordHeld(l, nil)))
	s.sweep(l)
}
