package gateway_test

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway"
)

func TestKeyFileThatOthersCanReadRefusesTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := &config.Config{
		KeyFile: filepath.Join(dir, "gateway.key"), DataDir: filepath.Join(dir, "data"), Cache: config.Cache{MaxBytes: 1 << 20},
		MaxPageSize: 100, MaxStale: time.Hour,
		Sources: []config.Source{{
			Name: "a", URL: "http://127.0.0.1:1/api", ClientID: "c", ClientSecret: config.NewSecret("s"), AllowInsecureLoopback: true,
			Profile: "minimal", Sync: config.Sync{Interval: time.Hour, PageSize: 50},
		}},
		Clients: []config.Client{{ID: "x", Secrets: [][32]byte{sha256.Sum256([]byte("s"))}}},
	}
	start := func() error {
		g, err := gateway.New(t.Context(), gateway.Options{Config: c})
		if err != nil {
			return err
		}
		return g.Close()
	}
	if err := start(); err != nil { // makes the key
		t.Fatal(err)
	}
	info, err := os.Stat(c.KeyFile)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the key was made with %v, %v", info.Mode(), err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604} {
		if err := os.Chmod(c.KeyFile, mode); err != nil {
			t.Fatal(err)
		}
		if err := start(); err == nil || !strings.Contains(err.Error(), "set it to 0600") {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}
