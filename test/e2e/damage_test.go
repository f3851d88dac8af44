package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"jamf-gateway/test/fakejamf"
)

func TestDamagedGenerationFallsBackAndSaysSo(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 30, Mobiles: 5}, nil)
	h.start()
	h.waitSynced()
	h.syncNow()
	h.stop()
	files, err := filepath.Glob(filepath.Join(h.settings.DataDir, "schule-a", "computer", "*.sqlite"))
	if err != nil || len(files) != 2 {
		t.Fatalf("files %v, %v", files, err)
	}
	slices.Sort(files)
	if err := os.Truncate(files[1], 4096); err != nil {
		t.Fatal(err)
	}
	h.jamf.Down(true)
	h.start()
	r := h.get("/v1/devices?kind=computer&limit=1000")
	var out struct {
		Stale   bool
		Sources []struct {
			State, Reason string
			Generation    int
		}
		Items []struct{ UID string }
	}
	r.decode(t, &out)
	if r.status != http.StatusOK || len(out.Items) != 30 || out.Sources[0].Generation != 1 {
		t.Fatalf("%d, %d devices, %+v", r.status, len(out.Items), out.Sources)
	}
	if !out.Stale || out.Sources[0].Reason != "store_corrupt" {
		t.Errorf("the generation before is served as %+v", out.Sources[0])
	}
}
