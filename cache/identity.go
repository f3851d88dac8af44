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

// identityFile is store.json.
type identityFile struct {
	Format   int       `json:"format"`
	Identity string    `json:"identity"`
	Created  time.Time `json:"created"`
}

// openIdentity reads the identity of the store, or makes one where nothing has been kept yet.
// Series without an identity are a store that lost a part: an error, never a fresh start.
func (d *Disk) openIdentity(dir string, now time.Time) (string, error) {
	path := filepath.Join(dir, "store.json")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return d.makeIdentity(dir, path, now)
	}
	if err != nil {
		return "", fmt.Errorf("read store.json: %w", err)
	}
	var id identityFile
	if err := json.Unmarshal(data, &id); err != nil {
		return "", fmt.Errorf("read store.json: %w: %w", ErrLost, err)
	}
	if id.Format > formatVersion {
		return "", fmt.Errorf("data directory has format %d, this version knows %d: start the newer version again, or name another data_dir",
			id.Format, formatVersion)
	}
	if raw, err := hex.DecodeString(id.Identity); err != nil || len(raw) != 16 || id.Format < 1 {
		return "", fmt.Errorf("read store.json: %w: no identity in it", ErrLost)
	}
	return id.Identity, nil
}

func (d *Disk) makeIdentity(dir, path string, now time.Time) (string, error) {
	found, err := findSeries(dir)
	if err != nil {
		return "", err
	}
	for _, q := range found {
		l := newLine(dir, q)
		if numbers, err := l.files(); err != nil || len(numbers) > 0 {
			return "", fmt.Errorf("store.json is missing, but %s/%s holds generations: %w", q.Source, q.Kind, ErrLost)
		}
	}
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails (crypto/rand, Go 1.24)
	id := identityFile{Format: formatVersion, Identity: hex.EncodeToString(raw), Created: now.UTC()}
	data, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return "", fmt.Errorf("write store.json: %w", err)
	}
	if err := d.ReplaceFile(path, append(data, '\n')); err != nil {
		return "", err
	}
	return id.Identity, nil
}
