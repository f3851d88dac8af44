package cache_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"jamf-gateway/cache"
)

func TestRoomIsTwiceTheCurrentGeneration(t *testing.T) {
	o := options(t.TempDir())
	free, fault := int64(64<<20), error(nil)
	o.Free = func(dir string) (int64, error) {
		if dir != o.Dir {
			t.Errorf("asked for %s", dir)
		}
		return free, fault
	}
	s := openStore(t, o)
	if err := s.Room(computers); err != nil {
		t.Errorf("64 MiB are enough to begin with: %v", err)
	}
	free--
	err := s.Room(computers)
	wantError(t, err, cache.ErrFull)
	if !strings.Contains(err.Error(), "63 MiB are free, 64 MiB are needed") {
		t.Error(err)
	}
	fault = errors.New("not supported")
	if err := s.Room(computers); err != nil {
		t.Errorf("a file system that does not tell: %v", err)
	}
	fault = nil
	rows := fleet(34, 1)
	for i := range rows {
		body := make([]byte, 1<<20)
		_, _ = rand.Read(body) // nothing makes it smaller
		rows[i].body = string(body)
	}
	free = 1 << 40
	publish(t, s, computers, rows)
	free = 66 << 20
	err = s.Room(computers)
	wantError(t, err, cache.ErrFull)
	if err := s.Room(mobiles); err != nil {
		t.Errorf("another series is small: %v", err)
	}
}

func TestRoomIsAskedOfTheFileSystem(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	if err := s.Room(computers); err != nil && !errors.Is(err, cache.ErrFull) {
		t.Error(err)
	}
}
