package gateway

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/config"
)

func tokenAt(t *testing.T, path string) *adminToken {
	t.Helper()
	a, err := newAdminToken(nil, path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestTheAdminTokenIsMadeOnceAndAnewWhenItsFileIsRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own", "admin.token")
	first := tokenAt(t, path).current()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || !config.TokenIntact(config.AdminPrefix, first) {
		t.Fatalf("%q, %v", first, err)
	}
	if again := tokenAt(t, path).current(); again != first {
		t.Errorf("after a restart %q, want %q", again, first)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if anew := tokenAt(t, path).current(); anew == first {
		t.Error("the token outlives its file")
	}
}

func TestTheAdminTokenIsReadAgainWhenItsFileChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.token")
	a := tokenAt(t, path)
	first, second := a.current(), config.NewToken(config.AdminPrefix)
	put := func(text string, mode os.FileMode, age time.Duration) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age) // two writes may fall into one tick of the file system
		if err := errors.Join(os.Chmod(path, mode), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	put(second+"\n", 0o600, time.Hour)
	if got := a.current(); got != second {
		t.Errorf("%q, want the new %q", got, second)
	}
	put("", 0o600, 2*time.Hour)
	if got := a.current(); got != second {
		t.Errorf("an empty file: %q, want %q", got, second)
	}
	put(first+"\n", 0o644, 3*time.Hour)
	if got := a.current(); got != second {
		t.Errorf("a file that others can read: %q, want %q", got, second)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := a.current(); got != first {
		t.Errorf("%q, want %q once nobody else can read it", got, first)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if got := a.current(); got != first {
		t.Errorf("gone: %q, want %q", got, first)
	}
}

func TestAnAdminTokenThatCannotBeTrustedRefusesTheStartAndOneThatCannotBeMadeClosesTheDoor(t *testing.T) {
	dir := t.TempDir()
	for name, tc := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"others":   {config.NewToken(config.AdminPrefix), 0o640, "set it to 0600"},
		"client":   {config.NewToken(config.ClientPrefix), 0o600, "holds no admin token"},
		"invented": {"geheim", 0o600, "holds no admin token"},
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, []byte(tc.text), tc.mode), os.Chmod(path, tc.mode)); err != nil {
			t.Fatal(err)
		}
		if _, err := newAdminToken(nil, path, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), tc.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := &cache.Disk{Fail: func(cache.Op, string) error { return errors.New("disk full") }}
	var log strings.Builder
	path := filepath.Join(dir, "new")
	a, err := newAdminToken(broken, path, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil || a.current() != "" || !strings.Contains(log.String(), "disk full") {
		t.Fatalf("a token that cannot be made: %v, log %s", err, log.String())
	}
	token := config.NewToken(config.AdminPrefix)
	if err := os.WriteFile(path, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := a.current(); got != token {
		t.Errorf("put there by hand: %q, want %q", got, token)
	}
}
