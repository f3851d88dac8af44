package cache

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"jamf-gateway/gateway/device"
)

// DropWider unlinks every generation file of q, but the served one, that holds or may hold fields which profile does
// not keep, and returns their numbers: files that were set aside, kept ones, and those of a lost series. Recut is for
// the served one. What is known of a file stands in the manifest, else in the file; a file of this store that cannot tell
// is dropped. Files of another store, of a newer format, and files that the system does not let us read stay: they are
// not ours to judge. A lost series stays lost, and its numbers go on.
func (s *Store) DropWider(ctx context.Context, q Series, profile *device.Profile) ([]uint64, error) {
	l, err := s.find(q)
	if err != nil || l == nil {
		return nil, err
	}
	l.work.Lock()
	defer l.work.Unlock()
	l.mu.RLock()
	refused, serving, highest := l.refused, uint64(0), l.highest
	if l.serving != nil {
		serving = l.serving.info.Number
	}
	l.mu.RUnlock()
	known := l.described()
	if refused != nil || s.foreign(l) {
		return nil, nil
	}
	numbers, err := l.files()
	if err != nil {
		return nil, fmt.Errorf("look for generations: %w", err)
	}
	var wider []uint64
	for _, n := range numbers {
		info, named := known[n]
		if n != serving && (named && info.Exceeds(profile) || !named && s.mayExceed(ctx, l, filepath.Join(l.dir, fileName(n)), profile)) {
			wider = append(wider, n)
		}
	}
	aside, err := s.dropAside(ctx, l, profile)
	if err := cmp.Or(err, ctx.Err()); err != nil || len(wider) == 0 {
		return aside, err
	}
	if len(known) == 0 {
		// The files alone told that something is lost, and how far the numbers went. Now the manifest does.
		lost := manifest{Format: formatVersion, Store: s.identity, Series: q, Current: highest, Kept: []keptFile{}}
		if err := s.writeManifest(l.dir, lost); err != nil {
			return nil, err
		}
	}
	return append(aside, wider...), s.unlink(l, wider)
}

// described is what the manifest says of its files, the held one among them.
func (l *line) described() map[uint64]Info {
	l.mu.RLock()
	defer l.mu.RUnlock()
	known := map[uint64]Info{}
	for _, k := range l.kept {
		known[k.Number] = k.Info
	}
	if l.held != nil {
		known[l.held.File.Number] = l.held.File.Info
	}
	return known
}

// dropAside is DropWider for what was set aside after a loss.
func (s *Store) dropAside(ctx context.Context, l *line, profile *device.Profile) (dropped []uint64, err error) {
	dirs, err := l.setAside()
	if err != nil {
		return nil, fmt.Errorf("look for what was set aside: %w", err)
	}
	for _, dir := range dirs {
		numbers, err := generationFiles(dir)
		if err != nil {
			return dropped, fmt.Errorf("look for what was set aside: %w", err)
		}
		for _, n := range numbers {
			path := filepath.Join(dir, fileName(n))
			if !s.mayExceed(ctx, l, path, profile) {
				continue
			}
			if err := s.disk.Remove(path); err != nil {
				return dropped, fmt.Errorf("remove what was set aside: %w", err)
			}
			dropped = append(dropped, n)
		}
	}
	return dropped, nil
}

// unlink removes files that the manifest goes on naming: that they are missing is said at every start until a publish. A held one
// is held no more.
func (s *Store) unlink(l *line, numbers []uint64) error {
	l.mu.RLock()
	held := l.held
	l.mu.RUnlock()
	if held != nil && slices.Contains(numbers, held.File.Number) {
		if err := s.recordHeld(l, nil); err != nil {
			return err
		}
	}
	for _, n := range numbers {
		if err := s.disk.Remove(filepath.Join(l.dir, fileName(n))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove generation %d: %w", n, err)
		}
		l.mark(n, ErrLost)
	}
	return nil
}

// foreign tells that the manifest was written by another store: its files came here by a mistake of mounting or copying.
func (s *Store) foreign(l *line) bool {
	m, err := readManifest(l.dir)
	return err == nil && m.Store != "" && m.Store != s.identity
}

// mayExceed asks a file that no manifest describes.
func (s *Store) mayExceed(ctx context.Context, l *line, path string, profile *device.Profile) bool {
	file, err := os.Open(path)
	if err != nil {
		s.log.WarnContext(ctx, "a generation file cannot be read and is left alone", "jamf.source", l.series.Source,
			"kind", l.series.Kind, "file", path, "error", err)
		return false
	}
	_ = file.Close() // nothing was read
	r, err := openReaders(ctx, path)
	if err != nil {
		return true
	}
	defer func() { _ = r.close() }() // it was only read
	meta, err := readMeta(ctx, r)
	if err != nil {
		return ctx.Err() == nil
	}
	if store := string(meta["store"]); store != "" && store != s.identity {
		return false
	}
	var info Info
	if json.Unmarshal(meta["description"], &info) != nil || info.Number == 0 {
		return true
	}
	return info.Exceeds(profile)
}
