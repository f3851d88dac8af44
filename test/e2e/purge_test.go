package e2e_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/test/fakejamf"
)

// purge asks for it as the command does.
func (h *house) purge(what string) reply {
	h.t.Helper()
	path := "/v1/admin/sources/"
	if strings.Contains(what, ":") {
		path = "/v1/admin/devices/"
	}
	return h.call(http.MethodPost, h.admin+path+what+"/purge?confirm="+what+"&by=anna", nil)
}

// named lists what below the data directory has a text in its name or its content, and every file there is.
func (h *house) named(text string) (hits, all []string) {
	h.t.Helper()
	err := filepath.WalkDir(h.settings.DataDir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(h.settings.DataDir, path)
		if strings.HasPrefix(name, ".audit") || name == ".policies.jsonl" || name == ".views.json" {
			return nil // what was done, and what was in force when
		}
		found := strings.Contains(name, text)
		if !e.IsDir() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			found, all = found || strings.Contains(string(data), text), append(all, name)
		}
		if found {
			hits = append(hits, name)
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return hits, all
}

// A device is erased while a disk fails in the middle: it is written down, and gone before the next start opens a door. Then its source is disabled
// and purged: nothing on disk names it.
func TestAPurgeEndsWithTheNextStartAndLeavesNothing(t *testing.T) {
	t.Parallel()
	var failing atomic.Bool
	h := newHouse(t, fakejamf.Options{Computers: 30, Mobiles: 12, Seed: 9}, func(c *config.Config) {
		c.Sources[0].Heartbeat = 1 << 40
		c.Clients[0].Sources = []string{"schule-a"}
	})
	h.disk = &cache.Disk{Fail: func(op cache.Op, path string) error {
		if failing.Load() && op == cache.OpRename && strings.HasSuffix(path, "manifest.json") {
			return errors.New("no")
		}
		return nil
	}}
	h.start()
	h.waitSynced()
	ids, total := h.pageOf(0)
	uid := "schule-a:computer:" + ids[3]
	if r := h.purge("schule-a"); r.status != http.StatusConflict || !strings.Contains(string(r.body), "source_in_use") {
		t.Errorf("an active source: %d %s", r.status, r.body)
	}
	if r := h.purge("schule-x"); r.status != http.StatusNotFound {
		t.Errorf("no source: %d %s", r.status, r.body)
	}
	if r := h.purge("schule-a:computer:99999"); r.status != http.StatusNotFound || !strings.Contains(string(r.body), "unknown_device") {
		t.Errorf("no device: %d %s", r.status, r.body)
	}
	failing.Store(true)
	if r := h.purge(uid); r.status != http.StatusServiceUnavailable || !strings.Contains(string(r.body), "purge_unfinished") {
		t.Errorf("on a failing disk: %d %s", r.status, r.body)
	}
	failing.Store(false)
	h.stop()
	h.start()
	for _, path := range []string{"/v1/devices/" + uid, "/api/v1/computers-inventory-detail/" + ids[3]} {
		if r := h.get(path); r.status != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	h.call(http.MethodGet, h.admin+"/v1/admin/sources", nil)
	if _, n := h.pageOf(0); n != total-1 {
		t.Errorf("%d computers, there were %d", n, total)
	}
	if hits, _ := h.named(".purge.json"); len(hits) > 0 {
		t.Errorf("left is %v", hits)
	}
	if r := h.purge(uid); r.status != http.StatusNotFound {
		t.Errorf("again: %d %s", r.status, r.body)
	}
	h.syncNow()
	if _, n := h.pageOf(0); n != total-1 { // the walk of before goes on
		t.Errorf("%d computers", n)
	}
	if !strings.Contains(h.logs.String(), `"audit":true,"purge":"`+uid+`","by":"anna"`) {
		t.Error("the log does not say who purged what")
	}

	h.stop()
	h.settings.Sources[0].Disabled = true
	for _, name := range []string{".runs.json.aside-1", ".usage.json.aside-12"} { // of a start that could not read them
		if err := os.WriteFile(filepath.Join(h.settings.DataDir, name), []byte(`{"source":"schule-a"`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h.start()
	if hits, _ := h.named("schule-a"); len(hits) < 5 {
		t.Fatalf("only %v name the source: this test proves nothing", hits)
	}
	if r := h.purge("schule-a"); r.status != http.StatusOK || string(r.body) != `{"source":"schule-a","status":"purged"}` {
		t.Fatalf("a disabled source: %d %s", r.status, r.body)
	}
	if r := h.get("/api/v1/computers-inventory"); r.status != http.StatusServiceUnavailable || !strings.Contains(string(r.body), "source_disabled") {
		t.Errorf("what is purged: %d %s", r.status, r.body)
	}
	h.stop()
	hits, all := h.named("schule-a")
	if len(hits) > 0 {
		t.Errorf("these name the source: %v", hits)
	}
	if got := fmt.Sprint(all); got != "[.clock.json .runs.json .usage.json lock store.json]" {
		t.Errorf("left is %s", got)
	}
}
