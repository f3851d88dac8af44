package server_test

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// generationFiles are the files of one kind of schule-a, oldest first.
func (w *world) generationFiles(k device.Kind) []string {
	w.t.Helper()
	var out []string
	err := filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.Contains(path, "schule-a") && strings.Contains(path, string(k)) {
			if header, err := os.ReadFile(path); err == nil && strings.HasPrefix(string(header), "SQLite format 3") {
				out = append(out, path)
			}
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func TestAGenerationThatCannotBeReadIsNeverServedShortened(t *testing.T) {
	w := newWorld(t)
	w.publish("schule-a", device.Computer, computers("AC", 1, 30))
	w.clock.Add(time.Minute)
	w.publish("schule-a", device.Computer, computers("AC", 1, 60))
	files := w.generationFiles(device.Computer)
	if len(files) != 2 {
		t.Fatalf("generation files: %v", files)
	}
	raw, err := os.ReadFile(files[1])
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < len(raw); i += 64 {
		raw[i] ^= 0x55
	}
	f, err := os.OpenFile(files[1], os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(raw, 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	w.store.Flush()
	served := false
	for range 4 {
		r := w.get("only-a", "/v1/devices?kind=computer&limit=1000")
		if r.status != http.StatusOK {
			w.want(r, http.StatusServiceUnavailable, "store_corrupt")
			continue
		}
		var l list
		r.decode(t, &l)
		if len(l.Items) != *l.Sources[0].Count || len(l.Items) != 30 && len(l.Items) != 60 {
			t.Errorf("%d items of %d", len(l.Items), *l.Sources[0].Count)
		}
		served = *l.Sources[0].Generation == 1
	}
	if !served {
		t.Error("the generation before it does not serve")
	}
}

func TestAStoreThatIsLostOrNewerIsAnErrorAndNoEmptyList(t *testing.T) {
	w := newWorld(t)
	w.publish("schule-a", device.Computer, computers("AC", 1, 3))
	for code, harm := range map[string]func(manifest string) error{
		"store_lost": os.Remove,
		"store_newer": func(manifest string) error {
			return os.WriteFile(manifest, []byte(`{"format": 99}`), 0o600)
		},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
			t.Fatal(err)
		}
		if err := harm(filepath.Join(dir, "schule-a", "computer", "manifest.json")); err != nil {
			t.Fatal(err)
		}
		store, err := cache.Open(t.Context(), cache.Options{Dir: dir, MaxBytes: 1 << 20, Keep: 3, Logger: slog.New(slog.DiscardHandler), Now: w.clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		harmed := w.restart(t, func(o *server.Options) { o.Store = store })
		for _, path := range []string{"/v1/devices?source=schule-a&kind=computer", "/v1/devices/schule-a:computer:1", "/api/v4/computers-inventory"} {
			r := harmed.get("all", path)
			harmed.want(r, http.StatusServiceUnavailable, code)
			if r.header.Get("Retry-After") == "" {
				t.Errorf("%s: %s says not when to come again", code, path)
			}
		}
	}
}
