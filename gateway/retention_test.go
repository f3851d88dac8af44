package gateway_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"jamf-gateway/gateway/device"
)

// What the settings say of deleted devices is done before a door is open: a gateway that is started once a day needs it as well.
func TestAStartRemovesWhatIsKeptForTooLong(t *testing.T) {
	q := series("a", device.Computer)
	c := stored(t, record, q)
	c.Retention.DeletedDevices = 24 * time.Hour
	c.Sources[0].Profile = "full"
	dir := filepath.Join(c.DataDir, "a", "computer")
	data, err := os.ReadFile(filepath.Join(dir, "00000001.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	ages := map[string]time.Duration{filepath.Join(dir, "lost-00000001", "00000001.sqlite"): 25 * time.Hour, filepath.Join(dir, "lost-00000002", "00000001.sqlite"): 23 * time.Hour}
	for path, age := range ages {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		written := time.Now().Add(-age)
		if err := os.Chtimes(path, written, written); err != nil {
			t.Fatal(err)
		}
	}
	g := open(t, c)
	if info, _ := kept(t, g, c, q); info.Count != 3 {
		t.Errorf("%d devices are served", info.Count)
	}
	for path, age := range ages {
		if _, err := os.Stat(path); (err == nil) != (age < c.Retention.DeletedDevices) {
			t.Errorf("a file that is %s old: %v", age, err)
		}
	}
}
