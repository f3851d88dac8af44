package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The way out of a lost series: the next complete walk is published under a number that was never given, and what lay
// there is moved into a directory named after that number, manifest and all. Nothing is unlinked: whoever finds out what
// happened can move it back. It is kept for 90 days, and of the last three losses; DropWider removes files there sooner, for fields that may not
// be kept any more.
const (
	asidePrefix = "lost-"
	asideKept   = 3
	asideLife   = 90 * 24 * time.Hour
)

// asideNumber is the generation that something had to make way for; 0 = that is no such directory.
func asideNumber(name string) uint64 {
	digits, found := strings.CutPrefix(name, asidePrefix)
	number, err := strconv.ParseUint(digits, 10, 64)
	if !found || err != nil || number > maxNumber {
		return 0
	}
	return number
}

// setAside lists the directories of what was moved out of the way, oldest first.
func (l *line) setAside() ([]string, error) {
	entries, err := os.ReadDir(l.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var dirs []string
	for _, e := range entries {
		if e.IsDir() && asideNumber(e.Name()) > 0 {
			dirs = append(dirs, filepath.Join(l.dir, e.Name()))
		}
	}
	return dirs, nil
}

// pruneAside removes what was set aside too long ago, or before the last three losses. It is called when there is a new generation, whose
// number is above all that go.
func (s *Store) pruneAside(l *line) {
	dirs, err := l.setAside()
	for i, dir := range dirs {
		info, statErr := os.Stat(dir)
		if statErr != nil {
			err = errors.Join(err, statErr)
			continue
		}
		if i < len(dirs)-asideKept || s.date().Sub(info.ModTime()) > asideLife {
			err = errors.Join(err, s.disk.removeTree(dir))
			s.log.Info("what was set aside is removed", "jamf.source", l.series.Source, "kind", l.series.Kind, "directory", dir)
		}
	}
	if err != nil {
		s.log.Warn("remove what was set aside", "jamf.source", l.series.Source, "kind", l.series.Kind, "error", err)
	}
}

// moveAside makes room for a generation with this number. Whatever is moved first, and wherever it ends, a start
// finds a lost series: files without a manifest, or a directory of what was set aside without one.
func (s *Store) moveAside(l *line, number uint64) error {
	numbers, err := l.files()
	if err != nil {
		return err
	}
	names := []string{manifestName}
	for _, n := range numbers {
		names = append(names, fileName(n))
	}
	to := filepath.Join(l.dir, fmt.Sprintf("%s%08d", asidePrefix, number))
	if err := s.disk.mkdir(to); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := s.disk.Sync(l.dir); err != nil {
		return err
	}
	for _, name := range names {
		if err := s.disk.rename(filepath.Join(l.dir, name), filepath.Join(to, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	s.log.Warn("what is left of a lost series is set aside", "jamf.source", l.series.Source, "kind", l.series.Kind,
		"directory", to, "files", len(numbers))
	return errors.Join(s.disk.Sync(to), s.disk.Sync(l.dir))
}
