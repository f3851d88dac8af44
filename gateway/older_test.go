package gateway_test

import (
	"os"
	"strings"
	"testing"

	"jamf-gateway/gateway"
	"jamf-gateway/gateway/device"
)

// testdata/store-2026-11-24 was written by `jamf-gateway demo --computers 5` of commit 4e12d5d: no seal, no names, no facts, no traits, another
// mapping, paths of no profile. Whatever this release makes of it, it never is a fresh start.
func TestTheStoreOfAnOlderReleaseIsReadAndGoesOn(t *testing.T) {
	c := stored(t, record)
	if err := os.RemoveAll(c.DataDir); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(c.DataDir, os.DirFS("testdata/store-2026-11-24")); err != nil {
		t.Fatal(err)
	}
	c.Sources = c.Sources[:1]
	c.Sources[0].Name = "demo"
	for round := range 2 { // as it was, and as this release left it
		g, err := gateway.New(t.Context(), gateway.Options{Config: c})
		if err != nil {
			t.Fatal(err)
		}
		gen, err := g.Store().Acquire(series("demo", device.Computer))
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		records, err := gen.Page(t.Context(), 0, 10)
		if info := gen.Info(); err != nil || len(records) != 5 || info.Count != 5 || info.Ended.Format("2006-01-02T15:04") != "2026-11-27T08:13" {
			t.Errorf("round %d: %d of %d devices, as of %v: %v", round, len(records), info.Count, info.Ended, err)
		}
		for _, r := range records {
			if !strings.Contains(string(r.Body), `"serialNumber"`) {
				t.Errorf("round %d: device %d: %s", round, r.ID, r.Body)
			}
		}
		gen.Release()
		if _, err := g.Store().Scrub(t.Context()); err != nil {
			t.Fatal(err)
		}
		if last := g.Status()[0].Kinds[0]; last.LastSuccess.IsZero() || last.Reason == "store_lost" {
			t.Errorf("round %d: what the schedule remembers: %+v", round, last)
		}
		if round == 0 {
			remapped, err := g.Store().Remap(t.Context(), series("demo", device.Computer), nil)
			if err != nil {
				t.Fatal(err)
			}
			remapped.Release()
		}
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
