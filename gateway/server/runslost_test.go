package server_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

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
