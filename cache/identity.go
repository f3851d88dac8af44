package cache

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// formatVersion is raised when an older program could no longer read, or would damage, what is written.
const formatVersion = 1

const identityName = "store.json"

// identityFile is store.json.
type identityFile struct {
	Format   int       `json:"format"`
	Identity string    `json:"identity"`
	Created  time.Time `json:"created"`

	Floor uint64 `json:"floor,omitempty"` // numbers up to it may have been given to generations of a source that was purged
}

// openIdentity reads the identity of the store, or makes one where nothing has been kept yet.
// Series without an identity are a store that lost a part: an error, never a fresh start.
func (d *Disk) openIdentity(dir string, now time.Time) (identityFile, error) {
	path := filepath.Join(dir, identityName)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return d.makeIdentity(dir, path, now)
	}
	if err != nil {
		return identityFile{}, fmt.Errorf("read store.json: %w", err)
	}
	var id identityFile
	if err := json.Unmarshal(data, &id); err != nil {
		return id, fmt.Errorf("read store.json: %w: %w", ErrLost, err)
	}
	if id.Format > formatVersion {
		return id, fmt.Errorf("data directory has format %d, this version knows %d: start the newer version again, or name another data_dir",
			id.Format, formatVersion)
	}
	if raw, err := hex.DecodeString(id.Identity); err != nil || len(raw) != 16 || id.Format < 1 {
		return id, fmt.Errorf("read store.json: %w: no identity in it", ErrLost)
	}
	return id, nil
}

// raiseFloor writes down that the numbers given until now must not be given again, though nothing may tell any more which they are.
func (s *Store) raiseFloor() error {
	path := filepath.Join(s.dir, identityName)
	id, err := s.disk.openIdentity(s.dir, s.now())
	if err != nil {
		return err
	}
	id.Floor = lostNumber(s.now())
	for _, l := range s.allLines() {
		l.mu.RLock()
		id.Floor = max(id.Floor, l.highest)
		l.mu.RUnlock()
	}
	if err := s.disk.writeIdentity(path, id); err != nil {
		return err
	}
	s.floor.Store(id.Floor)
	return nil
}

func (d *Disk) makeIdentity(dir, path string, now time.Time) (identityFile, error) {
	found, err := findSeries(dir)
	if err != nil {
		return identityFile{}, err
	}
	for _, q := range found {
		l := newLine(dir, q)
		if numbers, err := l.files(); err != nil || len(numbers) > 0 {
			return identityFile{}, fmt.Errorf("store.json is missing, but %s/%s holds generations: %w", q.Source, q.Kind, ErrLost)
		}
	}
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails (crypto/rand, Go 1.24)
	id := identityFile{Format: formatVersion, Identity: hex.EncodeToString(raw), Created: now.UTC()}
	return id, d.writeIdentity(path, id)
}

func (d *Disk) writeIdentity(path string, id identityFile) error {
	data, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return fmt.Errorf("write store.json: %w", err)
	}
	return d.ReplaceFile(path, append(data, '\n'))
}
