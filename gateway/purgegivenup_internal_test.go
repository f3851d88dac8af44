package gateway

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway/server"
)

// A purge that a crash cut short is not finished once the source is active again, and nobody says that it was.
func TestAPurgeThatIsGivenUpIsNotCalledOne(t *testing.T) {
	dir, log := t.TempDir(), &bytes.Buffer{}
	store, err := cache.Open(t.Context(), cache.Options{Dir: dir, MaxBytes: 1 << 20, Keep: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if err := os.WriteFile(filepath.Join(dir, purgeFile), []byte(`{"format":1,"pending":[{"source":"schule-a","by":"erika","asked":"2026-11-27T09:00:00Z"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	p := newPurger(&Gateway{store: store, o: Options{Config: &config.Config{DataDir: dir}, Logger: slog.New(slog.NewJSONHandler(log, nil))}}, []config.Source{{Name: "schule-a"}})
	if err := p.open(); err != nil {
		t.Fatal(err)
	}
	p.resume(t.Context())
	if said := log.String(); strings.Contains(said, `"purged"`) || strings.Contains(said, "ERROR") || !strings.Contains(said, "a purge is given up: the source is active again") || !strings.Contains(said, `"by":"erika"`) {
		t.Errorf("the log says\n%s", said)
	}
	if said := log.String(); !strings.Contains(said, `"audit":true,"purge":"schule-a","by":"erika","asked":"2026-11-27T09:00:00Z"`) {
		t.Errorf("who asked for it, and when, is not for the audit:\n%s", said)
	}
	if _, err := os.Stat(filepath.Join(dir, purgeFile)); err == nil || len(p.pending) > 0 {
		t.Errorf("it is still due: %v", p.pending)
	}
	if found, err := p.do(t.Context(), purge{Source: "schule-a", By: "erika"}); !errors.Is(err, server.ErrInUse) || found {
		t.Errorf("asked again: %t, %v", found, err)
	}
}
