package gateway

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"jamf-gateway/cache"
	"jamf-gateway/config"
)

// adminToken is the token of the admin door. Its file is made at the first start and read again whenever it has changed: a
// file that is gone or that cannot be used leaves the token as it was.
type adminToken struct {
	path string
	log  *slog.Logger

	mu    sync.Mutex
	token string
	seen  os.FileInfo // of the file when it was last read, well or not; nil: it was gone
}

// newAdminToken reads the token, and makes it at the first start: mode 0600. A file that others can read or that holds anything else
// refuses the start. One that cannot be made closes the admin door alone: a place that was writable never, like that of a key which
// was put there by hand, is no reason to serve nobody.
func newAdminToken(disk *cache.Disk, path string, log *slog.Logger) (*adminToken, error) {
	a := &adminToken{path: path, log: log}
	var err error
	a.token, err = readAdminToken(path)
	if errors.Is(err, fs.ErrNotExist) {
		token := config.NewToken(config.AdminPrefix)
		if err = disk.MkdirAll(filepath.Dir(path)); err == nil {
			err = disk.ReplaceFile(path, []byte(token+"\n"))
		}
		if err != nil {
			log.Error("the admin door lets nobody in: make admin_token_file", "path", path, "error", err)
			return a, nil
		}
		a.token = token
	}
	if err != nil {
		return nil, err
	}
	a.seen, _ = os.Stat(path)
	return a, nil
}

// current is the token as it is now.
func (a *adminToken) current() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	info, err := os.Stat(a.path)
	if err != nil {
		a.seen = nil
		return a.token
	}
	if a.seen != nil && os.SameFile(info, a.seen) && info.ModTime().Equal(a.seen.ModTime()) && info.Size() == a.seen.Size() && info.Mode() == a.seen.Mode() {
		return a.token
	}
	a.seen = info
	if token, err := readAdminToken(a.path); err != nil {
		a.log.Warn("the admin token stays what it was", "error", err)
	} else if token != a.token {
		a.token = token
		a.log.Info("the admin token has changed")
	}
	return a.token
}

// readAdminToken reads a token without making one.
func readAdminToken(path string) (string, error) {
	data, err := readOwn("admin_token_file", path)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(data))
	if !config.TokenIntact(config.AdminPrefix, token) {
		return "", fmt.Errorf("admin_token_file %s holds no admin token: restore it, or remove it to make a new one", path)
	}
	return token, nil
}
