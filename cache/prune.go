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
	"time"
)

// Prune removes what was read of Jamf before a moment and is not what is served: kept generations, a held one, files of a lost series and
// what was set aside, and out of ristretto what such a generation has left there. Whatever device Jamf has deleted since, none of them
// knows it any more. A generation that a client may still be reading stays for 2 h after it was superseded. A series that is served stays
// served, a lost one stays lost, and numbers go on. It answers how many files it has removed; what fails is tried again with the next call.
func (s *Store) Prune(ctx context.Context, before time.Time) (removed int, err error) {
	for _, l := range s.allLines() {
		n, lineErr := s.pruneLine(ctx, l, before)
		if lineErr != nil {
			lineErr = fmt.Errorf("prune %s/%s: %w", l.series.Source, l.series.Kind, lineErr)
		}
		removed, err = removed+n, errors.Join(err, lineErr)
	}
	if s.departed.take(before) || removed > 0 {
		s.Flush()
	}
	if removed > 0 {
		s.departed.add(before.Add(-1)) // what a request that was being answered puts there yet goes with the next call
	}
	return removed, cmp.Or(err, ctx.Err())
}

func (s *Store) pruneLine(ctx context.Context, l *line, before time.Time) (removed int, err error) {
	l.work.Lock()
	defer l.work.Unlock()
	if _, err := s.find(l.series); err != nil {
		return 0, err // closed: the directory may be another process's by now
	}
	l.mu.RLock()
	refused, served, purged := l.refused != nil, l.serving != nil, l.purged
	l.mu.RUnlock()
	if refused || purged || s.foreign(l) {
		return 0, nil // not ours to judge
	}
	if m, err := readManifest(l.dir); err == nil && m.Format > formatVersion {
		return 0, nil // put there while this program ran
	}
	if served {
		removed, err = s.pruneServed(ctx, l, before)
	} else {
		removed, err = s.pruneLost(ctx, l, before)
	}
	aside, asideErr := s.pruneOldAside(ctx, l, before)
	return removed + aside, errors.Join(err, asideErr)
}

// pruneServed takes the old ones out of the list of a series that is served. Its first entry stays, whether it can be read or not: it says
// how far the numbers went, and is there until the next sync like what is served. The caller holds l.work.
func (s *Store) pruneServed(ctx context.Context, l *line, before time.Time) (int, error) {
	old := func(k keptFile) bool { return k.Info.Started.Before(before) }
	m := s.manifestOf(l)
	l.mu.RLock()
	serving := l.serving.info.Number
	l.mu.RUnlock()
	now := s.now()
	var gone []uint64
	stay := make([]keptFile, 0, len(m.Kept))
	for i, k := range m.Kept {
		if i > 0 && k.Number != serving && old(k) && now.Sub(k.SupersededAt) >= keptGrace {
			gone = append(gone, k.Number)
			continue
		}
		stay = append(stay, k)
	}
	if m.Held != nil && old(m.Held.File) {
		gone, m.Held = append(gone, m.Held.File.Number), nil
	}
	if len(gone) == 0 {
		return 0, nil
	}
	m.Kept = stay
	if err := s.writeManifest(l.dir, m); err != nil {
		return 0, err
	}
	l.mu.Lock()
	l.kept, l.held = stay, m.Held
	l.mu.Unlock()
	s.log.InfoContext(ctx, "generations are removed: devices that Jamf has deleted may not be kept longer", "jamf.source", l.series.Source,
		"kind", l.series.Kind, "generations", gone)
	s.sweep(l)
	return len(gone), nil
}

// pruneLost removes the old files of a series of which nothing can be served. The caller holds l.work.
func (s *Store) pruneLost(ctx context.Context, l *line, before time.Time) (int, error) {
	numbers, err := oldFiles(l.dir, before)
	if err != nil || len(numbers) == 0 {
		return 0, err
	}
	if err := s.nameLoss(l); err != nil {
		return 0, err
	}
	s.log.WarnContext(ctx, "files of a lost series are removed: devices that Jamf has deleted may not be kept longer", "jamf.source", l.series.Source,
		"kind", l.series.Kind, "generations", numbers)
	return len(numbers), s.unlink(l, numbers)
}

// pruneOldAside removes the old ones of the files that were set aside; a directory of which nothing else is left goes with them.
func (s *Store) pruneOldAside(ctx context.Context, l *line, before time.Time) (removed int, err error) {
	dirs, err := l.setAside()
	if err != nil {
		return 0, fmt.Errorf("look for what was set aside: %w", err)
	}
	for _, dir := range dirs {
		numbers, err := oldFiles(dir, before)
		if err != nil {
			return removed, fmt.Errorf("look for what was set aside: %w", err)
		}
		for _, n := range numbers {
			if err := s.disk.Remove(filepath.Join(dir, fileName(n))); err != nil {
				return removed, fmt.Errorf("remove what was set aside: %w", err)
			}
			removed++
		}
		if len(numbers) > 0 {
			s.log.InfoContext(ctx, "what was set aside is removed: devices that Jamf has deleted may not be kept longer", "jamf.source", l.series.Source,
				"kind", l.series.Kind, "directory", dir, "files", len(numbers))
		}
	}
	return removed, nil
}

// oldFiles are the generation files of a directory that were written before a moment: one that cannot be read has no other date.
func oldFiles(dir string, before time.Time) ([]uint64, error) {
	numbers, err := generationFiles(dir)
	if err != nil {
		return nil, err
	}
	var old []uint64
	for _, n := range numbers {
		info, err := os.Lstat(filepath.Join(dir, fileName(n)))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		case info.ModTime().Before(before):
			old = append(old, n)
		}
	}
	return slices.Clip(old), nil
}

// departed is how old the oldest generation is that is kept no more, though ristretto may still have answers out of it. The zero value is ready.
type departed struct {
	mu     sync.Mutex
	oldest time.Time // when its reading began; zero = none
}

func (d *departed) add(started time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.oldest.IsZero() || started.Before(d.oldest) {
		d.oldest = started
	}
}

// take tells whether one was read before a moment, and then forgets them all: the caller empties ristretto.
func (d *departed) take(before time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.oldest.IsZero() || !d.oldest.Before(before) {
		return false
	}
	d.oldest = time.Time{}
	return true
}
