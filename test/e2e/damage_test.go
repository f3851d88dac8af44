package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
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
	h.stop()
	h.jamf.Down(false)
	h.start() // the next slot is a day away
	h.waitFor("a sync that replaces the damaged generation", func() bool {
		k := h.gateway.Status()[0].Kinds[0]
		return k.State == "fresh" && !k.Syncing
	})
	if n := h.generation(device.Computer).Number; n != 3 {
		t.Errorf("generation %d is served", n)
	}
}

func TestDamageFoundWhileServingBringsTheSyncForward(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 30, Mobiles: 5}, nil)
	h.start()
	h.waitSynced()
	h.syncNow()
	files, err := filepath.Glob(filepath.Join(h.settings.DataDir, "schule-a", "computer", "00000002.sqlite"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := 16384; i < len(data); i++ {
		data[i] = 0xA5
	}
	if err := os.WriteFile(files[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	h.gateway.Store().Flush()
	h.get("/v1/devices?kind=computer&limit=1000") // meets the damage
	h.get("/v1/devices?kind=computer&limit=999")
	h.waitFor("a sync that replaces the damaged generation", func() bool { // the clock is looked at once a minute
		k := h.gateway.Status()[0].Kinds[0]
		return k.State == "fresh" && h.generation(device.Computer).Number == 3
	})
}

func TestWidenedProfileLeavesTheFileAndFetchesTheRestSoon(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 60, Mobiles: 5, Seed: 11}, nil)
	h.start()
	h.waitSynced()
	h.syncNow()
	h.stop()
	h.settings.Sources[0].Profile = "full"
	h.jamf.Down(true)
	h.start()
	if g := h.generation(device.Computer); g.Number != 2 {
		t.Errorf("generation %d is served: widening must not write a file", g.Number)
	}
	if kept := h.gateway.Store().Kept(cache.Series{Source: "schule-a", Kind: device.Computer}); len(kept) != 2 {
		t.Errorf("%d generations are kept, want both", len(kept))
	}
	withUser := func() (n int) {
		var out struct {
			Items []struct{ User *struct{ Email string } }
		}
		h.get("/v1/devices?kind=computer&limit=1000").decode(t, &out)
		for _, d := range out.Items {
			if d.User != nil && d.User.Email != "" {
				n++
			}
		}
		return n
	}
	if n := withUser(); n != 0 {
		t.Errorf("%d users before anything was read", n)
	}
	h.waitFor("the walk that was brought forward to fail", func() bool { return h.gateway.Status()[0].Kinds[0].LastResult == "failed" })
	h.stop()
	h.jamf.Down(false)
	h.settings.Sources[0].Profile = "minimal"
	h.start() // back again: nothing is lacking, and the failed walk is only a failed walk
	h.stop()
	h.settings.Sources[0].Profile = "full"
	if err := os.RemoveAll(filepath.Join(h.settings.DataDir, ".schedule")); err != nil { // its pause is tested elsewhere
		t.Fatal(err)
	}
	h.forgetRuns()
	h.start()
	h.waitFor("the walk that fetches what is missing", func() bool { return h.generation(device.Computer).Number == 3 })
	if n := withUser(); n == 0 {
		t.Error("no user although the profile is wider and Jamf was read")
	}
}

func TestNarrowedProfileLeavesNoWideFileOfABrokenSeries(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 30, Mobiles: 5, Seed: 11}, func(c *config.Config) { c.Sources[0].Profile = "full" })
	h.start()
	h.waitSynced()
	h.syncNow()
	h.stop()
	dir := filepath.Join(h.settings.DataDir, "schule-a")
	if err := os.Truncate(filepath.Join(dir, "computer", "00000002.sqlite"), 4096); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "mobile", "manifest.json")); err != nil {
		t.Fatal(err)
	}
	h.settings.Sources[0].Profile = "minimal"
	h.jamf.Down(true)
	h.start()
	if g := h.generation(device.Computer); g.Exceeds(h.profile("minimal")) || g.Parent != 1 {
		t.Errorf("served is %+v", g)
	}
	for pattern, want := range map[string]int{"computer": 1, "mobile": 0} {
		files, err := filepath.Glob(filepath.Join(dir, pattern, "*.sqlite"))
		if err != nil || len(files) != want {
			t.Errorf("%s: files %v, %v", pattern, files, err)
		}
	}
	h.waitFor("the mobile devices to say why", func() bool { return h.gateway.Status()[0].Kinds[1].Tried })
	if r := h.get("/api/v2/mobile-devices"); r.status != http.StatusServiceUnavailable {
		t.Errorf("a lost series answers %d", r.status)
	}
}

func (h *house) profile(name string) *device.Profile {
	h.t.Helper()
	p, ok := device.BuiltinProfile(name)
	if !ok {
		h.t.Fatalf("no profile %s", name)
	}
	return p
}

// generation describes what is served.
func (h *house) generation(k device.Kind) cache.Info {
	h.t.Helper()
	g, err := h.gateway.Store().Acquire(cache.Series{Source: "schule-a", Kind: k})
	if err != nil {
		h.t.Fatal(err)
	}
	defer g.Release()
	return g.Info()
}
