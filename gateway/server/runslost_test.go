package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// Whoever starts an older release for a day leaves the newer one its file, whatever the disk does meanwhile.
func TestRunsOfANewerReleaseAreSetAsideAndNotWrittenOver(t *testing.T) {
	for name, fails := range map[string]bool{"at once": false, "when the disk works again": true} {
		t.Run(name, func(t *testing.T) {
			const newer = `{"format":2,"runs":{}}`
			file := filepath.Join(t.TempDir(), "runs.json")
			if err := os.WriteFile(file, []byte(newer), 0o600); err != nil {
				t.Fatal(err)
			}
			var broken atomic.Bool
			broken.Store(fails)
			w := newWorldOn(t, &cache.Disk{Fail: func(op cache.Op, path string) error {
				if broken.Load() && op == cache.OpRename && filepath.Dir(path) == filepath.Dir(file) {
					return errors.ErrUnsupported
				}
				return nil
			}}, func(o *server.Options) { o.RunsFile = file })
			w.publish("schule-a", device.Computer, computers("AC", 1, 10))
			w.total("only-a", "?page=0&page-size=4")
			if got, err := os.ReadFile(file); fails && (err != nil || string(got) != newer) {
				t.Errorf("what could not be set aside is %s, %v", got, err)
			}
			broken.Store(false)
			w.server.Sweep()
			if got, err := os.ReadFile(file + ".aside-1"); err != nil || string(got) != newer {
				t.Errorf("set aside is %s, %v", got, err)
			}
			var page struct{ Runs []struct{ Client string } }
			if got, err := os.ReadFile(file); err != nil || json.Unmarshal(got, &page) != nil || len(page.Runs) != 1 {
				t.Errorf("the file of now is %s, %v", got, err)
			}
		})
	}
}

// Nobody knows after such a start which generation a walk was on: the rest of it must not come from the one of now.
func TestAWalkWhoseGenerationIsForgottenBeginsAgain(t *testing.T) {
	const path = "/jamf/schule-a/api/v1/computers-inventory"
	for name, harm := range map[string]func(w *world, file string, data []byte) error{
		"half of the file": func(_ *world, file string, data []byte) error { return os.WriteFile(file, data[:len(data)/2], 0o600) },
		"a newer release":  func(_ *world, file string, _ []byte) error { return os.WriteFile(file, []byte(`{"format":2}`), 0o600) },
		"another store": func(w *world, file string, data []byte) error {
			return os.WriteFile(file, bytes.ReplaceAll(data, []byte(w.store.Identity()), []byte("other")), 0o600)
		},
		"no file": func(_ *world, file string, _ []byte) error { return os.Remove(file) },
		"no file but a directory": func(_ *world, file string, _ []byte) error {
			return errors.Join(os.Remove(file), os.Mkdir(file, 0o700))
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "runs.json")
			again := func(o *server.Options) { o.RunsFile = file }
			w := newWorld(t, again)
			w.publish("schule-a", device.Computer, computers("AC", 1, 10))
			w.total("only-a", "?page=0&page-size=4")
			w.total("only-a", "?page=0&page-size=5")
			cursor := "?kind=computer&limit=4&cursor=" + *w.devices("only-a", "?kind=computer&limit=4").NextCursor
			w.publish("schule-a", device.Computer, computers("AC", 3, 30))
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := harm(w, file, data); err != nil {
				t.Fatal(err)
			}
			dead := w
			w = w.restart(t, again)
			expired := func(query string) {
				t.Helper()
				w.want(w.get("only-a", path+query), http.StatusServiceUnavailable, "list_expired")
			}
			wantTotal := func(query string) {
				t.Helper()
				if n := w.total("only-a", query); n != 28 {
					t.Errorf("%s: %d computers", query, n)
				}
			}
			expired("?page=1&page-size=4")
			if r := w.get("only-a", "/api/v4/computers-inventory-detail/30"); r.status != http.StatusOK {
				t.Errorf("a single device meanwhile: %s", r)
			}
			expired("?page=1&page-size=4")
			if l := w.devices("only-a", cursor); *l.Sources[0].Generation != 1 || *l.Sources[0].Count != 10 {
				t.Errorf("a cursor names its generation: %+v", l.Sources)
			}
			wantTotal("?page=0&page-size=4")
			wantTotal("?page=1&page-size=4")
			w = w.restart(t, again) // the start after knows the walks of now, and that there were others
			wantTotal("?page=2&page-size=4")
			expired("?page=1&page-size=5")
			dead.clock.Add(2 * time.Hour)
			dead.server.Sweep() // it shares the store, and holds what it was reading
			w.clock.Add(2 * time.Hour)
			w.server.Sweep()
			if name == "half of the file" { // more than the store keeps
				for range 4 {
					w.publish("schule-a", device.Computer, computers("AC", 3, 30))
				}
				w.want(w.get("only-a", "/v1/devices"+cursor), http.StatusGone, "cursor_expired")
			}
			wantTotal("?page=1&page-size=5")
		})
	}
}

// A walk that began on an empty store has nothing behind it that could be forgotten.
func TestTheFirstStartForgetsNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "runs.json")
	w := newWorld(t, func(o *server.Options) { o.RunsFile = file })
	w.publish("schule-a", device.Computer, computers("AC", 1, 10))
	if n := w.total("only-a", "?page=1&page-size=4"); n != 10 {
		t.Error(n)
	}
}
