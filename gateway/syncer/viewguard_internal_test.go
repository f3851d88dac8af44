package syncer

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/config"
)

// shrunk is a view of before devices of which so many were deleted, and so many left it.
func shrunk(before, gone, left int) viewLoss {
	return viewLoss{client: "north", before: before, after: before - gone - left, gone: upTo(gone), left: upTo(gone + left)[gone:]}
}

func TestAViewIsHeldAtTheLimitsForDeletions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		loss    viewLoss
		removed int // of the whole generation
		planned int
		want    []Finding
	}{
		"nothing":                       {shrunk(100, 0, 0), 0, 0, nil},
		"25 of 100 left":                {shrunk(100, 0, 25), 0, 0, nil},
		"26 of 100 left":                {shrunk(100, 0, 26), 0, 0, []Finding{{Guard: "removed", Count: 26, Of: 100, Limit: 25, Client: "north"}}},
		"deleted and left together":     {shrunk(100, 13, 13), 13, 0, []Finding{{Guard: "removed", Count: 26, Of: 100, Limit: 25, Client: "north"}}},
		"deletions that were announced": {shrunk(100, 60, 0), 60, 60, nil},
		"more than that":                {shrunk(100, 60, 26), 60, 60, []Finding{{Guard: "removed", Count: 26, Of: 100, Limit: 25, Client: "north"}}},
		"few devices":                   {shrunk(10, 0, 4), 0, 0, []Finding{{Guard: "small", Count: 4, Of: 10, Limit: 3, Client: "north"}}},
		"few of few":                    {shrunk(10, 0, 3), 0, 0, nil},
		"all of it left":                {shrunk(2, 0, 2), 0, 0, []Finding{{Guard: "empty", Count: 2, Of: 2, Client: "north"}}},
		"its last three were deleted":   {shrunk(3, 3, 0), 3, 0, nil},
		"its last four":                 {shrunk(4, 4, 0), 4, 0, []Finding{{Guard: "empty", Count: 4, Of: 4, Client: "north"}}},
	} {
		d := less(1000, c.removed, 0)
		v := weigh(config.DefaultGuard(), d, []viewLoss{c.loss}, nil, c.planned, time.Now())
		if diff := cmp.Diff(c.want, v.findings); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAnApprovalOfAViewCoversItsDevicesAndNoOthers(t *testing.T) {
	t.Parallel()
	of := func(client string, ids ...int64) evidence {
		return evidence{Views: map[string]idSet{client: setOf(ids)}}
	}
	approved := of("north", 1, 2, 3)
	for _, less := range []evidence{{}, of("north", 2), of("north", 1, 2, 3)} {
		if !approved.covers(less) {
			t.Errorf("%v is not covered", less)
		}
	}
	for _, more := range []evidence{of("north", 3, 4), of("south", 1), {Removed: setOf([]int64{1})}} {
		if approved.covers(more) {
			t.Errorf("%v is covered", more)
		}
	}
	digests := []string{evidence{}.digest(), approved.digest(), of("north", 1, 2).digest(), of("south", 1, 2, 3).digest()}
	slices.Sort(digests)
	if len(slices.Compact(digests)) != 4 {
		t.Error("different views with one digest")
	}
}
