package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxNumber is the largest number that a generation can have: what counts further is nobody's count.
const maxNumber = 1 << 53

// files lists the numbers of the generation files that are there.
func (l *line) files() ([]uint64, error) { return generationFiles(l.dir) }

func generationFiles(dir string) ([]uint64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var numbers []uint64
	for _, e := range entries {
		digits, isGeneration := strings.CutSuffix(e.Name(), generationSuffix)
		number, err := strconv.ParseUint(digits, 10, 64)
		if isGeneration && err == nil && number > 0 && number <= maxNumber && e.Name() == fileName(number) {
			numbers = append(numbers, number)
		}
	}
	return numbers, nil
}

// numbersThere lists the generation files and raises what no number may fall short of, with what was set aside as well.
func (l *line) numbersThere() (numbers []uint64, aside []string, err error) {
	if numbers, err = l.files(); err != nil {
		return nil, nil, err
	}
	if aside, err = l.setAside(); err != nil {
		return nil, nil, err
	}
	given := slices.Clone(numbers)
	for _, dir := range aside {
		old, err := generationFiles(dir)
		if err != nil {
			return nil, nil, err
		}
		given = append(append(given, old...), asideNumber(filepath.Base(dir)))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range given {
		l.highest = max(l.highest, n)
	}
	return numbers, aside, nil
}

// load brings a line found on disk as far as it goes; its troubles become the answers of Acquire. What is lost is
// never touched: see aside.go for the way out. Only a cancelled ctx is an error.
func (s *Store) load(ctx context.Context, l *line) error {
	l.work.Lock()
	defer l.work.Unlock()
	return s.loadLocked(ctx, l)
}

func (s *Store) loadLocked(ctx context.Context, l *line) error {
	numbers, aside, err := l.numbersThere()
	if l.unlisted = err != nil; l.unlisted {
		s.loseLocked(l, fmt.Errorf("%w: %w", ErrLost, err))
		return nil
	}
	if len(aside) > 0 {
		s.log.WarnContext(ctx, "data that was set aside after a loss is still on disk", "jamf.source", l.series.Source, "kind", l.series.Kind, "directories", aside)
	}
	m, err := readManifest(l.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && len(numbers) == 0 && len(aside) == 0:
		s.clean(l)
		return nil
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("%w: the manifest is missing", ErrLost)
	case err != nil:
		err = fmt.Errorf("%w: %w", ErrLost, err)
	case m.Format > formatVersion:
		err = newerManifest(m)
		l.mu.Lock()
		l.refused = err
		l.mu.Unlock()
		s.loseLocked(l, err)
		return nil
	default:
		err = m.check(s.identity, l.series, numbers)
	}
	s.clean(l)
	l.follow(m, err == nil)
	if err != nil {
		s.loseLocked(l, err)
		return nil
	}
	s.missHeld(ctx, l)
	if m.Current == 0 {
		s.sweep(l) // a crash between the first file and its manifest
		return nil
	}
	if err := s.serveLocked(ctx, l); err != nil {
		return err
	}
	s.sweep(l)
	return nil
}

// follow takes over what a manifest says; of one that is not good, only how far the numbers went.
func (l *line) follow(m manifest, good bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m.Current <= maxNumber {
		l.highest = max(l.highest, m.Current)
	}
	if m.Held != nil && m.Held.File.Number <= maxNumber {
		l.highest = max(l.highest, m.Held.File.Number)
	}
	if good {
		l.current, l.kept, l.held = m.Current, m.Kept, m.Held
	}
}

func newerManifest(m manifest) error {
	return fmt.Errorf("%w: %w: the manifest has format %d, this version knows %d: start the newer version again",
		ErrLost, ErrNewer, m.Format, formatVersion)
}

// lostNumber is where a series goes on of which no number is known any more: the minute of the clock, which no count
// of walks reaches. A number must not name two generations.
func lostNumber(now time.Time) uint64 { return uint64(max(now.Unix()/60, 1)) }

// loseLocked records why nothing is served. The caller holds l.work, or is alone with the line.
func (s *Store) loseLocked(l *line, why error) {
	s.counts.openErrors.Add(1)
	s.log.Error("no generation can be served", "jamf.source", l.series.Source, "kind", l.series.Kind, "error", why)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trouble = why
	if l.highest <= s.floor.Load() && !l.unlisted {
		l.highest = max(l.highest, lostNumber(s.now()))
	}
	if len(l.kept) == 0 {
		l.current = l.highest
	}
}

// lostLocked tells that what is on disk is not what the line was: nothing of it may be unlinked. The caller holds l.work.
func (l *line) lostLocked() bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.serving == nil && errors.Is(l.trouble, ErrLost)
}

// lookAgain is done before a number is given: which files are there now, and of a directory that could not be read at the start, all.
func (s *Store) lookAgain(ctx context.Context, l *line) error {
	l.work.Lock()
	defer l.work.Unlock()
	if l.unlisted {
		if err := s.loadLocked(ctx, l); err != nil {
			return err
		}
	}
	_, _, err := l.numbersThere()
	return err
}

// clean removes what a crash left unfinished.
func (s *Store) clean(l *line) {
	if err := s.disk.RemoveLeftovers(l.dir); err != nil {
		s.log.Warn("remove unfinished files", "jamf.source", l.series.Source, "kind", l.series.Kind, "error", err)
	}
}

// sweep unlinks generation files that the manifest does not name. Readers that hold one keep it.
func (s *Store) sweep(l *line) {
	numbers, err := l.files()
	if err != nil {
		s.log.Warn("look for old generations", "jamf.source", l.series.Source, "kind", l.series.Kind, "error", err)
		return
	}
	for _, n := range l.unnamed(numbers) {
		if err := s.disk.Remove(filepath.Join(l.dir, fileName(n))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.log.Warn("remove old generation", "jamf.source", l.series.Source, "kind", l.series.Kind, "generation", n, "error", err)
		}
	}
}

// unnamed are those of the numbers that the line does not keep.
func (l *line) unnamed(numbers []uint64) []uint64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	named := make(map[uint64]bool, len(l.kept))
	for _, k := range l.kept {
		named[k.Number] = true
	}
	if l.held != nil {
		named[l.held.File.Number] = true
	}
	var out []uint64
	for _, n := range numbers {
		if !named[n] {
			out = append(out, n)
		}
	}
	return out
}
