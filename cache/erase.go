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

	"jamf-gateway/gateway/device"
)

// Purge removes everything of a source from the disk and from memory: generations, manifests, what is held and what was set aside, also
// of a newer format or of another store. Readers that hold a generation keep it until they release it. No number that was given before names another
// generation afterwards, whatever of the source comes back. It can be asked again after an error, and after a crash. ErrBusy.
func (s *Store) Purge(ctx context.Context, source string) error {
	if err := (Series{source, device.Computer}).check(); err != nil {
		return err
	}
	var lines []*line
	for _, k := range []device.Kind{device.Computer, device.Mobile} {
		l, err := s.find(Series{source, k})
		if err != nil {
			return err
		}
		if l == nil {
			continue
		}
		l.work.Lock()
		defer l.work.Unlock()
		if err := l.reserveAll(); err != nil {
			return err
		}
		defer l.unreserve()
		lines = append(lines, l)
	}
	if err := s.raiseFloor(); err != nil {
		return err
	}
	for _, l := range lines {
		s.forget(l)
	}
	if err := s.disk.removeAll(filepath.Join(s.dir, source)); err != nil {
		return fmt.Errorf("remove what is stored of %s: %w", source, err)
	}
	if err := s.disk.Sync(s.dir); err != nil {
		return err
	}
	s.log.InfoContext(ctx, "everything of a source is removed from the store", "jamf.source", source)
	s.Flush()
	return nil
}

func (l *line) reserveAll() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.building {
		return ErrBusy
	}
	l.building = true
	return nil
}

func (l *line) unreserve() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.building = false
}

// forget makes a line one that was never read. The caller holds l.work.
func (s *Store) forget(l *line) {
	s.mu.Lock()
	delete(s.lines, l.series)
	s.mu.Unlock()
	l.mu.Lock()
	old := l.serving
	l.serving, l.kept, l.held, l.current, l.highest = nil, nil, nil, 0, s.floor.Load()
	l.trouble, l.refused, l.unlisted, l.purged = ErrNone, nil, false, true
	l.mu.Unlock()
	if old != nil {
		old.Release()
	}
}

// Erase takes one device out of a series: out of the current generation, which is made again without it and is not what a guard compares,
// and with every other file that knows it - kept, held, set aside. Nobody else finds that it was there: the list of changes does not
// name it. found tells whether any file knew it. Readers that hold an older generation keep it until they release it. It can be asked again
// after an error, and after a crash. ErrBusy.
func (s *Store) Erase(ctx context.Context, q Series, id int64) (found bool, err error) {
	l, err := s.find(q)
	if err != nil || l == nil {
		return false, err
	}
	knows, err := s.knowing(ctx, l, id)
	if err != nil {
		return false, err
	}
	aside, err := s.eraseAside(ctx, l, id)
	if err != nil || len(knows) == 0 {
		return aside > 0, err
	}
	g, err := s.deriveWithout(ctx, q, id)
	switch {
	case err == nil:
		g.Release()
	case errors.Is(err, ErrLost), errors.Is(err, ErrCorrupt), errors.Is(err, ErrNone):
		if err := s.eraseLost(ctx, l, knows); err != nil {
			return true, err
		}
	default:
		return true, fmt.Errorf("make the current generation without the device: %w", err)
	}
	s.Flush()
	if knows, err = s.knowing(ctx, l, id); err == nil && len(knows) > 0 {
		err = fmt.Errorf("generations %d still know the device", knows)
	}
	return true, err
}

// deriveWithout makes the successor; of a generation that turns out to be damaged the store sets the file aside, and the one before is next.
func (s *Store) deriveWithout(ctx context.Context, q Series, id int64) (g *Generation, err error) {
	for range maxKept {
		g, err = s.derive(ctx, q, remake{without: id, stay: func([]keptFile) []keptFile { return nil }})
		if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrLost) {
			break
		}
		if _, err := s.Look(q); err != nil && !errors.Is(err, ErrCorrupt) {
			break
		}
	}
	return g, err
}

// knowing lists the generation files of a line, served or not, that know a device or cannot tell.
func (s *Store) knowing(ctx context.Context, l *line, id int64) ([]uint64, error) {
	numbers, err := l.files()
	if err != nil {
		return nil, fmt.Errorf("look for generations: %w", err)
	}
	numbers = slices.DeleteFunc(numbers, func(n uint64) bool { return !knowsDevice(ctx, filepath.Join(l.dir, fileName(n)), id) })
	return numbers, ctx.Err()
}

// eraseLost removes the files of a series of which nothing can be served.
func (s *Store) eraseLost(ctx context.Context, l *line, numbers []uint64) error {
	l.work.Lock()
	defer l.work.Unlock()
	l.mu.RLock()
	refused := l.refused
	l.mu.RUnlock()
	if refused != nil {
		return refused
	}
	if err := s.nameLoss(l); err != nil {
		return err
	}
	s.log.WarnContext(ctx, "files of a lost series are removed: they may know a device that must go", "jamf.source", l.series.Source, "kind", l.series.Kind,
		"generations", numbers)
	return s.unlink(l, numbers)
}

// nameLoss writes down that something of a series is lost, and how far the numbers went, where only the files tell. The caller holds l.work.
func (s *Store) nameLoss(l *line) error {
	l.mu.RLock()
	known := len(l.kept) > 0
	lost := manifest{Format: formatVersion, Store: s.identity, Series: l.series, Current: l.highest, Kept: []keptFile{}}
	l.mu.RUnlock()
	if known {
		return nil
	}
	return s.writeManifest(l.dir, lost)
}

// eraseAside removes the files that were set aside and know a device.
func (s *Store) eraseAside(ctx context.Context, l *line, id int64) (removed int, err error) {
	l.work.Lock()
	defer l.work.Unlock()
	dirs, err := l.setAside()
	if err != nil {
		return 0, fmt.Errorf("look for what was set aside: %w", err)
	}
	for _, dir := range dirs {
		numbers, err := generationFiles(dir)
		if err != nil {
			return removed, fmt.Errorf("look for what was set aside: %w", err)
		}
		for _, n := range numbers {
			path := filepath.Join(dir, fileName(n))
			if !knowsDevice(ctx, path, id) {
				continue
			}
			if err := s.disk.Remove(path); err != nil {
				return removed, fmt.Errorf("remove what was set aside: %w", err)
			}
			removed++
		}
	}
	return removed, ctx.Err()
}

// knowsDevice tells whether a file has a device among its records, its changes or those that could not be read; one that cannot tell may.
func knowsDevice(ctx context.Context, path string, id int64) bool {
	r, err := openReaders(ctx, path)
	if err != nil {
		return true
	}
	defer func() { _ = r.close() }() // it was only read
	one, err := r.take(ctx)
	if err != nil {
		return true
	}
	defer r.give(one)
	knows := true
	err = one.conn.QueryRowContext(ctx, sqlKnows, id, id, id, id).Scan(&knows)
	return err != nil || knows
}

// sqlKnows asks the four places of a file in which an id can stand.
const sqlKnows = `SELECT EXISTS (SELECT 1 FROM device WHERE id = ?) OR EXISTS (SELECT 1 FROM body WHERE id = ?)
	OR EXISTS (SELECT 1 FROM change WHERE id = ?)
	OR EXISTS (SELECT 1 FROM meta, json_each(meta.value, '$.quarantined') q WHERE meta.key = 'description' AND json_extract(q.value, '$.id') = ?)`

// removeAll unlinks whatever is at path. What is not there is gone already.
func (d *Disk) removeAll(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.IsDir() {
		entries, err := os.ReadDir(path)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := d.removeAll(filepath.Join(path, e.Name())); err != nil {
				return err
			}
		}
	}
	return d.Remove(path)
}

// RemoveAll unlinks a file, or a directory with all that is in it, and makes that last. What is not there is gone already.
func (d *Disk) RemoveAll(path string) error {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return cmp.Or(err, d.removeAll(path), d.Sync(filepath.Dir(path)))
}
