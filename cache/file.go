package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	buildingSuffix   = ".building" // a generation file that is not published
	generationSuffix = ".sqlite"
	temporarySuffix  = ".tmp" // of ReplaceFile
)

// hashFile is the SHA-256 of a whole file in hex. A cancelled ctx ends it.
func hashFile(ctx context.Context, path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // it was only read
	hash := sha256.New()
	buf := make([]byte, 1<<20)
	for {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := file.Read(buf)
		hash.Write(buf[:n])
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(hash.Sum(nil)), nil
		}
		if err != nil {
			return "", err
		}
	}
}

// RemoveLeftovers deletes what a crash left unfinished in a directory. One that is not there has none.
func (d *Disk) RemoveLeftovers(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		temporary := strings.HasPrefix(name, ".") && strings.HasSuffix(name, temporarySuffix)
		if e.IsDir() || !temporary && !strings.HasSuffix(name, buildingSuffix) {
			continue
		}
		if err := d.Remove(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("remove leftover: %w", err)
		}
	}
	return nil
}
