package usage_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/usage"
)

// Whoever starts an older release for a day does not lose the counts of the newer one, whatever the disk does meanwhile.
func TestAFileOfANewerReleaseIsSetAsideAndNotWrittenOver(t *testing.T) {
	for name, broken := range map[string]bool{"at once": false, "when the disk works again": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, ".usage.json")
			write := func(path, text string) {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write(file, `{"format":2,"clients":{}}`)
			write(file+".aside-1", "of the time before")
			disk := &cache.Disk{Fail: func(op cache.Op, _ string) error {
				if broken && op == cache.OpRename {
					return errors.ErrUnsupported
				}
				return nil
			}}
			r := recorder(t, usage.Options{File: file, Write: disk.ReplaceFile, Aside: disk.SetAside})
			r.Record("a", page(0, 1))
			if err := r.Save(); (err != nil) != broken {
				t.Errorf("while the disk is broken (%v): %v", broken, err)
			}
			if got, err := os.ReadFile(file); broken && (err != nil || string(got) != `{"format":2,"clients":{}}`) {
				t.Errorf("what could not be set aside is %s, %v", got, err)
			}
			broken = false
			if err := r.Save(); err != nil {
				t.Error(err)
			}
			for path, want := range map[string]string{file + ".aside-1": "of the time before", file + ".aside-2": `{"format":2,"clients":{}}`} {
				if got, err := os.ReadFile(path); err != nil || string(got) != want {
					t.Errorf("%s is %s, %v", path, got, err)
				}
			}
			if clients, _, err := usage.Read(file); err != nil || len(clients) == 0 || clients[0].Requests != 1 {
				t.Errorf("the file of now: %v, %v", clients, err)
			}
		})
	}
}
