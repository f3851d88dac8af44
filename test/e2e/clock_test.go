package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jamf-gateway/gateway/device"
	"jamf-gateway/test/fakejamf"
)

// A clock may be wrong for a while, and what is removed for its age meanwhile would be gone for good.
func TestAClockThatIsAYearAheadForAWhileRemovesNothing(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	days := &calendar{}
	h := newHouse(t, fakejamf.Options{Computers: 12, Mobiles: 3, Seed: 9, Now: days.now}, full)
	h.now = days.now
	h.settings.Sources[0].Heartbeat = 200 * time.Millisecond
	h.settings.Retention.DeletedDevices = 30 * 24 * time.Hour
	h.start()
	h.waitSynced()
	h.get("/v1/sources")
	before := h.generation(device.Computer).Number
	h.stop()
	history := filepath.Join(h.settings.DataDir, ".availability", "schule-a")
	dayFile := func(dir string, age time.Duration) string {
		return filepath.Join(dir, days.now().UTC().Add(-age).Format(time.DateOnly)+".jsonl")
	}
	age := 20 * 24 * time.Hour
	old := []string{
		dayFile(history, age), dayFile(filepath.Join(h.settings.DataDir, ".audit"), age),
		filepath.Join(h.settings.DataDir, "schule-a", "computer", "lost-00000001", "00000001.sqlite"),
	}
	generation, err := os.ReadFile(filepath.Join(h.settings.DataDir, "schule-a", "computer", "00000001.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range old {
		written := days.now().Add(-age)
		for _, err := range []error{os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, generation, 0o600), os.Chtimes(path, written, written), os.Chtimes(filepath.Dir(path), written, written)} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	days.pass(year)
	h.start()
	h.waitFor("a sync by the clock of the year after", func() bool { return h.generation(device.Computer).Number > before })
	h.waitFor("a heartbeat by it", func() bool {
		_, err := os.Stat(dayFile(history, 0))
		return err == nil
	})
	h.get("/api/v1/computers-inventory") // the audit has something to write
	h.stop()
	for _, path := range old {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("removed in one moment: %v", err)
		}
	}
	if used, err := os.ReadFile(filepath.Join(h.settings.DataDir, ".usage.json")); err != nil || !strings.Contains(string(used), `"/v1/sources"`) {
		t.Errorf("how clients called is forgotten: %s, %v", used, err)
	}
}
