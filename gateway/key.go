package gateway

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"jamf-gateway/cache"
)

// sealingKey reads the key that seals client tokens, and makes it at the first start: 64 hex digits, mode 0600. Its loss
// costs only the tokens in use. A file that others can read or that holds anything else refuses the start.
func sealingKey(disk *cache.Disk, path string) (key [32]byte, err error) {
	key, err = readKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := rand.Read(key[:]); err != nil {
			return key, fmt.Errorf("make key_file: %w", err)
		}
		if err := disk.MkdirAll(filepath.Dir(path)); err != nil {
			return key, fmt.Errorf("make key_file: %w", err)
		}
		return key, disk.ReplaceFile(path, []byte(hex.EncodeToString(key[:])+"\n"))
	}
	return key, err
}

// readKey is sealingKey without making one.
func readKey(path string) (key [32]byte, err error) {
	data, err := readOwn("key_file", path)
	if err != nil {
		return key, err
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(data)))
	if err != nil || len(raw) != len(key) {
		return key, fmt.Errorf("key_file %s holds no key of 64 hex digits: restore it, or remove it to make a new one", path)
	}
	copy(key[:], raw)
	return key, nil
}

// readOwn reads the file of a setting that nobody but its owner may read.
func readOwn(setting, path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", setting, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", setting, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s %s can be read by others (mode %04o): set it to 0600", setting, path, info.Mode().Perm())
	}
	return data, nil
}
