package cache

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Candidate is a finished generation that nobody sees yet: guards look at it here.
type Candidate struct {
	line   *line
	disk   *Disk
	info   Info
	sha256 string
	ids    []int64            // where it has terms
	terms  map[string]members // of devices of ids

	mu      sync.Mutex
	path    string
	settled bool // the file belongs to the series, or is gone
	held    bool // the manifest names the file already: whatever fails, it stays
}

// Info describes the candidate (Number is already assigned).
func (c *Candidate) Info() Info { return c.info }

// Discard deletes it. Safe after Publish (then does nothing).
func (c *Candidate) Discard() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.settled {
		return
	}
	c.settled = true
	_ = c.disk.Remove(c.path) // else the next Open does it
}

// Publish makes the candidate current by compare-and-swap on its parent, prunes what is no longer kept, and returns it acquired.
// On any error the generation before it is still served. ErrConflict and ErrFull leave the candidate as it is: it can be
// discarded, and after ErrFull published again.
func (s *Store) Publish(ctx context.Context, c *Candidate) (*Generation, error) {
	return s.publish(ctx, c, func(before []keptFile) []keptFile { return prune(before, s.keep, s.now()) })
}

// publish keeps of the generations before what stay answers.
func (s *Store) publish(ctx context.Context, c *Candidate, stay func([]keptFile) []keptFile) (*Generation, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l := c.line
	l.work.Lock()
	defer l.work.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.settled {
		return nil, errSettled
	}
	if _, err := s.find(l.series); err != nil {
		return nil, err // closed: the directory may be another process's by now
	}
	l.mu.RLock()
	follows, current, before := l.followsLocked(c.info.Parent), l.current, l.kept
	l.mu.RUnlock()
	if !follows {
		return nil, fmt.Errorf("publish with parent %d: %w: it is %d", c.info.Parent, ErrConflict, current)
	}
	if m, err := readManifest(l.dir); err == nil && m.Format > formatVersion {
		return nil, newerManifest(m) // put there while this program ran
	}
	if l.lostLocked() {
		if err := s.moveAside(l, c.info.Number); err != nil {
			return nil, writeError("set the lost generations aside", err)
		}
	}
	kept := s.supersede(c, before, stay)
	g, err := s.install(ctx, c, kept[0])
	if err != nil {
		return nil, writeError("publish generation", err)
	}
	if err := s.record(c, kept); err != nil {
		g.Release()
		return nil, writeError("publish generation", err)
	}
	s.adopt(l, g)
	g.Retain() // the caller's, beside the line's
	l.mu.Lock()
	old := l.serving
	l.serving, l.current, l.kept, l.held, l.trouble = g, g.info.Number, kept, nil, nil
	l.mu.Unlock()
	if old != nil {
		old.Release()
	}
	for _, k := range before {
		if !slices.ContainsFunc(kept, func(o keptFile) bool { return o.Number == k.Number }) {
			s.departed.add(k.Info.Started)
		}
	}
	s.sweep(l)
	s.pruneAside(l)
	return g, nil
}

// supersede builds the new list of kept files, the candidate first.
func (s *Store) supersede(c *Candidate, before []keptFile, stay func([]keptFile) []keptFile) []keptFile {
	info := c.info
	info.Quarantined = nil
	kept := []keptFile{{
		Number: info.Number, File: fileName(info.Number), SHA256: c.sha256, Bytes: info.Bytes, Info: info, verified: true,
	}}
	older := slices.Clone(before)
	for i := range older {
		if older[i].SupersededAt.IsZero() {
			older[i].SupersededAt = s.now().UTC()
		}
	}
	return append(kept, stay(older)...)
}

// install gives the file its name and opens it. A series that has no manifest gets one first: a generation file without
// any manifest is a lost store, and must not be the trace of a crash.
func (s *Store) install(ctx context.Context, c *Candidate, k keptFile) (*Generation, error) {
	l := c.line
	_, err := os.Stat(filepath.Join(l.dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		empty := manifest{Format: formatVersion, Store: s.identity, Series: l.series, Current: c.info.Parent, Kept: []keptFile{}}
		err = errors.Join(s.disk.Sync(s.dir), s.disk.Sync(filepath.Dir(l.dir)), s.writeManifest(l.dir, empty))
	}
	if err != nil {
		return nil, err
	}
	final := filepath.Join(l.dir, k.File)
	if !c.held {
		if _, err := os.Lstat(final); !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is a %s already: %w", k.File, cmp.Or(err, fs.ErrExist))
		}
		if err := s.disk.rename(c.path, final); err != nil {
			return nil, err
		}
	}
	c.path, c.settled = final, true
	err = s.disk.Sync(l.dir)
	if err == nil {
		var g *Generation
		if g, err = openGeneration(context.WithoutCancel(ctx), final, s.identity, k, freshlyWritten); err == nil {
			return g, nil
		}
	}
	if c.held {
		return nil, err
	}
	return nil, errors.Join(err, s.disk.Remove(final)) // no manifest names it
}

// freshlyWritten: the digest was made of what was just written.
func freshlyWritten(context.Context) error { return nil }

// record replaces the manifest: the moment of publishing. Where the error does not tell whether that happened, the
// manifest itself does; where that cannot be read either, the file stays for whichever manifest the next Open finds.
func (s *Store) record(c *Candidate, kept []keptFile) error {
	l, number := c.line, kept[0].Number
	err := s.writeManifest(l.dir, manifest{Format: formatVersion, Store: s.identity, Series: l.series, Current: number, Kept: kept})
	if err == nil {
		return nil
	}
	m, readErr := readManifest(l.dir)
	switch {
	case readErr != nil:
		return err
	case m.Current == number:
		s.log.Warn("the manifest is replaced, but may not be on disk yet", "jamf.source", l.series.Source, "kind", l.series.Kind, "error", err)
		return nil
	case c.held:
		return err
	}
	return errors.Join(err, s.disk.Remove(c.path))
}
