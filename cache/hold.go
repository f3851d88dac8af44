package cache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Hold is why a finished generation is kept back: it is on disk, nobody is shown it, and it waits for a person.
type Hold struct {
	Digest string          `json:"digest"` // names what a person approves
	Since  time.Time       `json:"since"`
	Note   json.RawMessage `json:"note"` // the caller's own words about it
}

// heldFile is the one file beside the kept ones that a manifest answers for.
type heldFile struct {
	Hold Hold     `json:"hold"`
	File keptFile `json:"file"`
}

// Hold keeps a candidate back in place of the one that was held before. Any later publish of the series drops it. ErrConflict
// when its parent is no longer current, ErrFull; the candidate can then be discarded.
func (s *Store) Hold(ctx context.Context, c *Candidate, h Hold) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l := c.line
	l.work.Lock()
	defer l.work.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.settled {
		return errSettled
	}
	if _, err := s.find(l.series); err != nil {
		return err
	}
	l.mu.RLock()
	follows, current := l.followsLocked(c.info.Parent), l.current
	l.mu.RUnlock()
	if !follows || current == 0 {
		return fmt.Errorf("hold with parent %d: %w: it is %d", c.info.Parent, ErrConflict, current)
	}
	info := c.info
	info.Quarantined = nil
	held := &heldFile{h, keptFile{Number: info.Number, File: fileName(info.Number), SHA256: c.sha256, Bytes: info.Bytes, Info: info}}
	final := filepath.Join(l.dir, held.File.File)
	if _, err := os.Lstat(final); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("hold generation: there is a %s already: %w", held.File.File, errors.Join(err, fs.ErrExist))
	}
	if err := s.disk.rename(c.path, final); err != nil {
		return writeError("hold generation", err)
	}
	c.path, c.settled = final, true
	err := s.disk.Sync(l.dir)
	if err == nil { // else there would be a hold of a file that is removed
		err = s.recordHeld(l, held)
	}
	if err != nil {
		return writeError("hold generation", errors.Join(err, s.disk.Remove(final)))
	}
	s.sweep(l)
	return nil
}

// recordHeld writes the manifest anew with another held file, nil = none. The caller holds l.work.
func (s *Store) recordHeld(l *line, held *heldFile) error {
	if m, err := readManifest(l.dir); err == nil && m.Format > formatVersion {
		return newerManifest(m)
	}
	m := s.manifestOf(l)
	m.Held = held
	if err := s.writeManifest(l.dir, m); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = held
	return nil
}

// Held describes the generation of a series that is held back, without opening it.
func (s *Store) Held(q Series) (h Hold, info Info, held bool) {
	l, err := s.find(q)
	if err != nil || l == nil {
		return Hold{}, Info{}, false
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.held == nil {
		return Hold{}, Info{}, false
	}
	return l.held.Hold, l.held.File.Info, true
}

// Release publishes the held generation of a series and returns it acquired. ErrNotHeld: nothing is held under this digest.
// Errors as of Publish; one whose file cannot be read any more is dropped, and the next walk brings another.
func (s *Store) Release(ctx context.Context, q Series, digest string) (*Generation, error) {
	l, err := s.find(q)
	if err != nil {
		return nil, err
	}
	if l == nil {
		return nil, ErrNotHeld
	}
	l.mu.RLock()
	held := l.held
	l.mu.RUnlock()
	if held == nil || held.Hold.Digest != digest {
		return nil, ErrNotHeld
	}
	path := filepath.Join(l.dir, held.File.File)
	if err := s.examine(ctx, l, held, path); err != nil {
		return nil, err
	}
	info := held.File.Info
	info.Bytes = held.File.Bytes
	c := &Candidate{line: l, disk: s.disk, info: info, sha256: held.File.SHA256, path: path, held: true}
	return s.Publish(ctx, c)
}

// missHeld forgets at the start a held file that is not there as it was written: nobody can approve it, and the next walk
// brings another. The caller holds l.work.
func (s *Store) missHeld(ctx context.Context, l *line) {
	l.mu.RLock()
	held := l.held
	l.mu.RUnlock()
	if held == nil {
		return
	}
	stat, err := os.Stat(filepath.Join(l.dir, held.File.File))
	if err == nil && stat.Size() == held.File.Bytes {
		return
	}
	s.log.ErrorContext(ctx, "the held generation is not there as it was written", "jamf.source", l.series.Source, "kind", l.series.Kind,
		"generation", held.File.Number, "error", errors.Join(err, s.recordHeld(l, nil)))
}

// examine drops a held file that has not kept what was written.
func (s *Store) examine(ctx context.Context, l *line, held *heldFile, path string) error {
	l.work.Lock()
	defer l.work.Unlock()
	g, err := openGeneration(ctx, path, s.identity, held.File, func(ctx context.Context) error { return digestError(ctx, path, held.File) })
	if err == nil {
		g.Release()
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.counts.openErrors.Add(1)
	err = fmt.Errorf("open the held generation %d: %w", held.File.Number, err)
	l.mu.RLock()
	still := l.held == held
	l.mu.RUnlock()
	if still {
		err = errors.Join(err, s.recordHeld(l, nil))
		s.sweep(l)
	}
	return err
}
