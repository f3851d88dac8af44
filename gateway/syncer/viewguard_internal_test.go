package syncer

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
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
	digests := []string{evidence{}.digest(), evidence{ShortViews: map[string]int{"north": 3}}.digest(), approved.digest(), of("north", 1, 2).digest(), of("south", 1, 2, 3).digest()}
	slices.Sort(digests)
	if len(slices.Compact(digests)) != 5 {
		t.Error("different views with one digest")
	}
}

func TestAWeekOfAViewIsWeighedFromEveryDayOn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	ago := func(days, count, of int) removal {
		return removal{now.Add(-time.Duration(days) * 24 * time.Hour), count, of}
	}
	north := func(count, of, limit int) []Finding {
		return []Finding{{Guard: GuardWeek, Count: count, Of: of, Limit: limit, Client: "north"}}
	}
	for name, c := range map[string]struct {
		loss viewLoss
		past []removal
		want []Finding
	}{
		"no days before":                        {shrunk(100, 0, 8), nil, nil},
		"two days":                              {shrunk(84, 0, 8), []removal{ago(2, 8, 100), ago(1, 8, 92)}, nil},
		"three days":                            {shrunk(76, 0, 8), []removal{ago(3, 8, 100), ago(2, 8, 92), ago(1, 8, 84)}, north(32, 100, 25)},
		"one of them is 8 days old":             {shrunk(76, 0, 8), []removal{ago(8, 8, 100), ago(2, 8, 92), ago(1, 8, 84)}, north(24, 92, 23)},
		"one of them is of a year later":        {shrunk(76, 0, 8), []removal{ago(2, 8, 92), ago(1, 8, 84), ago(-365, 2, 76)}, north(26, 92, 23)},
		"nothing is lost today":                 {shrunk(60, 0, 0), []removal{ago(1, 40, 100)}, nil},
		"three at most":                         {shrunk(8, 0, 1), []removal{ago(2, 1, 10), ago(1, 1, 9)}, nil},
		"a small view":                          {shrunk(7, 0, 1), []removal{ago(3, 1, 10), ago(2, 1, 9), ago(1, 1, 8)}, north(4, 10, 3)},
		"it was large, and is small since":      {shrunk(68, 0, 12), []removal{ago(3, 20, 1000), ago(1, 12, 80)}, north(24, 80, 20)},
		"what the day alone is held for":        {shrunk(100, 0, 30), []removal{ago(1, 8, 108)}, []Finding{{Guard: GuardRemoved, Count: 30, Of: 100, Limit: 25, Client: "north"}}},
		"deletions and others are counted both": {shrunk(92, 9, 9), []removal{ago(1, 8, 100)}, north(26, 100, 25)},
	} {
		c.loss.past = c.past
		v := weigh(config.DefaultGuard(), less(1000, len(c.loss.gone), 0), []viewLoss{c.loss}, nil, 0, now)
		if diff := cmp.Diff(c.want, v.findings); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// However many syncs and clients there are, the book of a week is small, and says no less than was lost.
func TestTheWeekOfManyViewsIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	var shown []View
	var r kindRecord
	for n := range 300 {
		shown = append(shown, View{Client: fmt.Sprintf("school-%03d", n), Filter: device.Filter{Sites: []string{fmt.Sprint(n)}}})
	}
	counts := func(left int) (out []viewCount) {
		for _, v := range shown {
			out = append(out, viewCount{Client: v.Client, Filter: v.Filter.Digest(), Left: left, Of: 100_000, After: 100_000 - left})
		}
		return out
	}
	sum := func(client string) (n int) {
		for _, past := range r.Views[client].Removals {
			n += past.Count
		}
		return n
	}
	for n := range 8 * 24 {
		now = now.Add(time.Hour)
		r.countViews(holdNote{Views: counts(1)}, false, shown, now)
		if got := sum("school-007"); got < min(n+1, 7*24) {
			t.Fatalf("%d after %d hours", got, n+1)
		}
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil || len(data) > 2<<20 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	for client, v := range r.Views {
		if n := sum(client); len(v.Removals) > viewWeekParts || n > 8*24 {
			t.Fatalf("%s: %d entries of %d", client, len(v.Removals), n)
		}
	}
	r.countViews(holdNote{}, false, nil, now.Add(6*24*time.Hour))
	if len(r.Views) != 300 {
		t.Errorf("%d views are remembered without clients", len(r.Views))
	}
	if r.countViews(holdNote{}, false, nil, now.Add(8*24*time.Hour)); len(r.Views) != 0 {
		t.Errorf("%d views are remembered for ever", len(r.Views))
	}
}
