package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// minRoom is the free space below which no generation is begun, however small the one before is.
const minRoom = 64 << 20

// Room answers ErrFull when the data directory has too little space for the next generation of a series: twice the
// current one, at least 64 MiB. A file system that does not tell how much is free is believed to have enough.
func (s *Store) Room(q Series) error {
	var bytes int64
	if info, _ := s.Look(q); info.Number > 0 {
		bytes = info.Bytes
	}
	return room(s.dir, bytes, s.free)
}

// RoomIn is Room of a data directory that may not be there yet, or that a running gateway has open. It opens and changes nothing.
func RoomIn(dir string, q Series) error {
	if err := q.check(); err != nil {
		return err
	}
	var bytes int64
	if m, err := readManifest(filepath.Join(dir, q.Source, string(q.Kind))); err == nil && len(m.Kept) > 0 {
		bytes = m.Kept[0].Bytes
	}
	for {
		_, err := os.Stat(dir)
		if !errors.Is(err, fs.ErrNotExist) || filepath.Dir(dir) == dir {
			return room(dir, bytes, freeSpace)
		}
		dir = filepath.Dir(dir) // it would be made there
	}
}

func room(dir string, bytes int64, freeIn func(dir string) (int64, error)) error {
	need := max(minRoom, 2*bytes)
	free, err := freeIn(dir)
	if err != nil || free >= need {
		return nil //nolint:nilerr // a write will tell
	}
	return fmt.Errorf("%w: %d MiB are free, %d MiB are needed", ErrFull, free>>20, need>>20)
}

// freeSpace is what an unprivileged process may still write.
func freeSpace(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil //nolint:unconvert // no disk has 2^63 bytes; the types differ by platform
}
