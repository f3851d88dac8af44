package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const (
	buildingSuffix   = ".building" // a generation file that is not published
	generationSuffix = ".sqlite"
	temporarySuffix  = ".tmp" // of ReplaceFile
)

// ReplaceFile writes data to path atomically (temporary file in the same directory, fsync, rename, fsync of the directory), mode 0600.
// On an error path holds either the old or the new content, whole.
func ReplaceFile(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*"+temporarySuffix) // mode 0600
	if err != nil {
		return writeError("replace "+filepath.Base(path), err)
	}
	defer func() {
		if err != nil {
			err = writeError("replace "+filepath.Base(path), err)
			_ = os.Remove(file.Name()) // gone already when the rename was done
		}
	}()
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err = os.Rename(file.Name(), path); err != nil {
		return err
	}
	return syncPath(dir)
}

// syncPath fsyncs a file or a directory.
func syncPath(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

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

// removeLeftovers deletes what a crash left unfinished in a directory of the store.
func removeLeftovers(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		temporary := strings.HasPrefix(name, ".") && strings.HasSuffix(name, temporarySuffix)
		if e.IsDir() || !temporary && !strings.HasSuffix(name, buildingSuffix) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("remove leftover: %w", err)
		}
	}
	return nil
}
