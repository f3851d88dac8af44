package cache_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
)

func TestADeviceIsQuarantinedOnceAndInFewWords(t *testing.T) {
	ctx := context.Background()
	s := openStore(t, options(t.TempDir()))
	b, err := s.Begin(ctx, draft(computers, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Abort()
	for _, r := range fleet(3, 1) {
		if err := b.Put(ctx, r.id, []byte(r.body), r.columns, r.state); err != nil {
			t.Fatal(err)
		}
	}
	long := strings.Repeat("ä", 5000)
	c, err := b.Finish(ctx, cache.Outcome{Ended: ended, ReportedTotal: 3, Quarantined: []cache.Quarantine{
		{ID: 7, Reason: "unreadable", Kept: "skeleton"},
		{ID: 4, Reason: "x" + long, Kept: "previous"},
		{Reason: "one", Kept: "skeleton"},
		{ID: 7, Reason: "not_listed", Kept: "previous"},
		{Reason: "two\xff", Kept: "skeleton"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.Publish(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Release()
	want := []cache.Quarantine{
		{Reason: "two\ufffd", Kept: "skeleton"}, {Reason: "one", Kept: "skeleton"}, // ids that nobody knows may be many devices
		{ID: 4, Reason: "x" + long[:126], Kept: "previous"}, {ID: 7, Reason: "not_listed", Kept: "previous"},
	}
	if diff := cmp.Diff(want, g.Info().Quarantined); diff != "" {
		t.Errorf("quarantined (-want +got):\n%s", diff)
	}
}
