package report_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/report"
)

var began = time.Date(2026, 3, 29, 0, 30, 0, 5, time.UTC)

// policyOf is one source and one client.
func policyOf(fields ...string) report.Policy {
	return report.Policy{
		Sources: []report.KeptPolicy{{Source: "a", Kind: device.Computer, Profile: "minimal", Fields: fields}},
		Clients: []report.ClientPolicy{{Client: "c", Digest: "1", View: []string{}, Shown: []report.ShownPolicy{{Source: "a", Kind: device.Computer, Fields: fields}}}},
	}
}

func record(t *testing.T, dir string, at time.Time, p report.Policy, want bool) {
	t.Helper()
	if began, err := report.Record(&cache.Disk{}, dir, at, "1.0", p); err != nil || began != want {
		t.Fatalf("began: %v, %v", began, err)
	}
}

func TestAPolicyIsRecordedWhenItBeginsAndOnlyThen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if h, err := report.ReadHistory(dir); err != nil || len(h.Entries) != 0 || h.Current() != "" {
		t.Fatalf("%+v, %v", h, err)
	}
	narrow, wide := policyOf("id"), policyOf("id", "general.name")
	record(t, dir, began, narrow, true)
	record(t, dir, began.Add(time.Hour), narrow, false)
	record(t, dir, began.Add(2*time.Hour), wide, true)
	record(t, dir, began.Add(3*time.Hour), narrow, true) // back again is a change as well
	h, err := report.ReadHistory(dir)
	if err != nil || h.Damaged != 0 || h.Current() != narrow.Digest() {
		t.Fatalf("%+v, %v", h, err)
	}
	want := []report.Entry{
		{Since: began.Truncate(time.Second), Version: "1.0", Digest: narrow.Digest(), Policy: narrow},
		{Since: began.Truncate(time.Second).Add(2 * time.Hour), Version: "1.0", Digest: wide.Digest(), Policy: wide},
		{Since: began.Truncate(time.Second).Add(3 * time.Hour), Version: "1.0", Digest: narrow.Digest(), Policy: narrow},
	}
	if diff := cmp.Diff(want, h.Entries); diff != "" {
		t.Error(diff)
	}
	data, err := os.ReadFile(filepath.Join(dir, ".policies.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(data, []byte(`"general.name"`)); n != 1 {
		t.Errorf("the same list is written %d times", n)
	}
	if info, err := os.Stat(filepath.Join(dir, ".policies.jsonl")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestAnEntryThatWasChangedOrTornIsNotBelieved(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, ".policies.jsonl")
	record(t, dir, began, policyOf("id"), true)
	record(t, dir, began.Add(time.Hour), policyOf("id", "general.name"), true)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		data             string
		entries, damaged int
	}{
		"torn":             {string(whole[:len(whole)-20]), 1, 1},
		"another profile":  {strings.Replace(string(whole), `"profile":"minimal"`, `"profile":"full"`, 1), 1, 1},
		"another list":     {strings.Replace(string(whole), `"fields":["id","general.name"]`, `"fields":["id"]`, 1), 1, 2},
		"no policy at all": {"{}\n" + string(whole), 2, 1},
		"empty lines":      {"\n\n" + string(whole), 2, 0},
	} {
		if err := os.WriteFile(file, []byte(tc.data), 0o600); err != nil {
			t.Fatal(err)
		}
		h, err := report.ReadHistory(dir)
		if err != nil || len(h.Entries) != tc.entries || h.Damaged != tc.damaged {
			t.Errorf("%s: %d entries, %d damaged, %v", name, len(h.Entries), h.Damaged, err)
		}
		record(t, dir, began.Add(2*time.Hour), policyOf("id", "udid"), true)
		if h, _ := report.ReadHistory(dir); len(h.Entries) != tc.entries+1 || h.Damaged != tc.damaged {
			t.Errorf("%s: after the next policy %d entries, %d damaged", name, len(h.Entries), h.Damaged)
		}
	}
}

func TestADiskThatRefusesTheHistoryIsTold(t *testing.T) {
	disk := &cache.Disk{Fail: func(cache.Op, string) error { return errors.New("read-only file system") }}
	if began, err := report.Record(disk, t.TempDir(), began, "1.0", policyOf("id")); err == nil || began {
		t.Errorf("%v, %v", began, err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".policies.jsonl"), bytes.Repeat([]byte(" "), 32<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := report.Record(&cache.Disk{}, dir, began, "1.0", policyOf("id")); !errors.Is(err, report.ErrFull) {
		t.Errorf("%v", err)
	}
}
