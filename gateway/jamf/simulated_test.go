package jamf_test

import (
	"bytes"
	"fmt"
	"testing"
	"testing/synctest"

	"jamf-gateway/gateway/jamf"
	"jamf-gateway/test/fakejamf"
)

// asDemo gives the rig the credentials of the simulated Jamf.
func asDemo(o *jamf.SourceOptions) {
	o.ClientID, o.ClientSecret = "demo", func() string { return "demo-secret" }
}

func TestTheSimulatedJamfIsReadInAllItsAges(t *testing.T) {
	for name, c := range map[string]struct {
		o       fakejamf.Options
		version string
	}{
		"today":                   {fakejamf.Options{Computers: 30, Mobiles: 20}, "v4"},
		"old paths, short tokens": {fakejamf.Options{Computers: 30, Mobiles: 20, OldTokenPathOnly: true, MaxAPIVersion: "v1", TokenLifetime: 60e9}, "v1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := connect(t, fakejamf.New(c.o), jamf.Limits{}, asDemo)
				if got := r.src.Test(t.Context(), both()); !got.OK || got.Computers != 30 || got.Mobiles != 20 {
					t.Fatalf("%v: %+v", results(got), got)
				}
				w := r.src.NewWalk()
				for list, total := range map[jamf.List]int{jamf.Computers: 30, jamf.MobileDetail: 20, jamf.MobilePlain: 20} {
					p, err := w.Page(t.Context(), list, []string{"GENERAL", "HARDWARE"}, 0, 100)
					if err != nil || p.Total != total || len(p.Rows) != total {
						t.Fatalf("list %d: %+v, %v", list, p, err)
					}
					if list == jamf.Computers && p.Version != c.version {
						t.Errorf("read by %s", p.Version)
					}
					id := idOf(t, list, p.Rows[total/2].Raw)
					raw, err := w.Record(t.Context(), list, []string{"GENERAL", "HARDWARE"}, id)
					if err != nil || !bytes.Contains(raw, fmt.Appendf(nil, `"%d"`, id)) {
						t.Errorf("list %d, record %d: %s, %v", list, id, raw, err)
					}
					_, err = w.Record(t.Context(), list, []string{"GENERAL"}, 999_999)
					must(t, err, jamf.ErrNotFound, "not_found")
				}
			})
		})
	}
}

// idOf scans the first id of a record.
func idOf(t *testing.T, l jamf.List, raw []byte) int64 {
	t.Helper()
	name := `"id"`
	if l == jamf.MobileDetail {
		name = `"mobileDeviceId"`
	}
	_, after, _ := bytes.Cut(raw, []byte(name))
	var id int64
	if _, err := fmt.Sscanf(string(bytes.TrimLeft(after, ` :"`)), "%d", &id); err != nil {
		t.Fatalf("no id in %.80s: %v", raw, err)
	}
	return id
}
