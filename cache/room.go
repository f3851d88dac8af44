package cache

import (
	"fmt"
	"syscall"
)

// minRoom is the free space below which no generation is begun, however small the one before is.
const minRoom = 64 << 20

// Room answers ErrFull when the data directory has too little space for the next generation of a series: twice the
// current one, at least 64 MiB. A file system that does not tell how much is free is believed to have enough.
func (s *Store) Room(q Series) error {
	need := int64(minRoom)
	if info, _ := s.Look(q); info.Number > 0 {
		need = max(need, 2*info.Bytes)
	}
	free, err := s.free(s.dir)
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
