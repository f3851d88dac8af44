package syncer

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
	"jamf-gateway/config"
)

// upTo lists the ids 1 to n.
func upTo(n int) []int64 {
	ids := make([]int64, n)
	for i := range ids {
		ids[i] = int64(i + 1)
	}
	return ids
}

// kept is a difference in which all of n devices stay what they are.
func kept(n int) cache.Difference {
	return cache.Difference{Before: n, After: n, Both: n, Traits: true, Hardware: n, Same: n}
}

func less(n, removed, missing int) cache.Difference {
	d := kept(n)
	d.After, d.Both = n-removed, n-removed
	d.Removed, d.Missing = upTo(removed), upTo(missing)
	d.Hardware, d.Same = d.Both-missing, d.Both-missing
	return d
}

// Every limit of DESIGN.md, on both of its sides.
func TestGuardsHoldAtTheirLimits(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 27, 4, 0, 0, 0, time.UTC)
	ago := func(days, count, of int) removal {
		return removal{now.Add(-time.Duration(days) * 24 * time.Hour), count, of}
	}
	bent := func(d cache.Difference, bend func(d *cache.Difference)) cache.Difference { bend(&d); return d }
	for name, c := range map[string]struct {
		d       cache.Difference
		past    []removal
		planned int
		held    []string
	}{
		"nothing changes":                      {d: kept(1000)},
		"grown from nothing":                   {d: cache.Difference{After: 5000}},
		"15 % of 1000":                         {d: less(1000, 150, 0)},
		"one more":                             {d: less(1000, 151, 0), held: []string{"removed"}},
		"25 of 100: the number decides":        {d: less(100, 25, 0)},
		"26 of 100":                            {d: less(100, 26, 0), held: []string{"removed", "week"}},
		"3 % unconfirmed":                      {d: less(1000, 0, 30)},
		"one more unconfirmed":                 {d: less(1000, 0, 31), held: []string{"unconfirmed"}},
		"10 of 100 unconfirmed":                {d: less(100, 0, 10)},
		"11 of 100 unconfirmed":                {d: less(100, 0, 11), held: []string{"unconfirmed"}},
		"small: 3 of 4, of which one is left":  {d: less(4, 3, 0)},
		"small: 4 of 20 are no more than 20 %": {d: less(20, 4, 0)},
		"small: 5 of 20":                       {d: less(20, 5, 0), held: []string{"small"}},
		"small: both together":                 {d: less(20, 3, 2), held: []string{"small"}},
		"small: 49":                            {d: less(49, 10, 0), held: []string{"small"}},
		"not small: 50":                        {d: less(50, 10, 0)},
		"empty":                                {d: less(2, 2, 0), held: []string{"empty"}},
		"empty, and announced":                 {d: less(1000, 1000, 0), planned: 1000, held: []string{"empty"}},
		"week: a quarter":                      {d: less(850, 100, 0), past: []removal{ago(3, 100, 1000), ago(1, 50, 900)}},
		"week: more than a quarter":            {d: less(850, 101, 0), past: []removal{ago(3, 100, 1000), ago(1, 50, 900)}, held: []string{"week"}},
		"week: before a week does not count":   {d: less(850, 101, 0), past: []removal{ago(7, 100, 1000), ago(1, 50, 900)}},
		"week: nothing goes now":               {d: kept(700), past: []removal{ago(1, 300, 1000)}},
		"announced":                            {d: less(1000, 900, 0), planned: 900},
		"more than announced":                  {d: less(1000, 901, 0), planned: 900, held: []string{"removed", "week"}},
		"announced, but not these":             {d: less(1000, 100, 31), planned: 100, held: []string{"unconfirmed"}},
		"serial: 2 %":                          {d: bent(kept(1000), func(d *cache.Difference) { d.NewSerial = upTo(20) })},
		"serial: one more":                     {d: bent(kept(1000), func(d *cache.Difference) { d.NewSerial = upTo(21) }), held: []string{"serial"}},
		"serial: 5 of 10":                      {d: bent(kept(10), func(d *cache.Difference) { d.NewSerial = upTo(5) })},
		"serial: 6 of 10":                      {d: bent(kept(10), func(d *cache.Difference) { d.NewSerial = upTo(6) }), held: []string{"serial"}},
		"instance: half keep their hardware":   {d: bent(kept(10), func(d *cache.Difference) { d.Same = 5 })},
		"instance: fewer":                      {d: bent(kept(10), func(d *cache.Difference) { d.Same = 4 }), held: []string{"instance"}},
		"instance: too few to ask":             {d: bent(kept(9), func(d *cache.Difference) { d.Same = 0 })},
		"instance: other ids": {
			d: cache.Difference{Before: 10, After: 10, Removed: upTo(10), Traits: true}, held: []string{"small", "week", "instance"},
		},
		"instance: no traits to tell": {d: cache.Difference{Before: 100, After: 100, Both: 100}},
		"blanked: half": {
			d:    bent(kept(100), func(d *cache.Difference) { d.Blanked = []cache.Blank{{Name: "general.assetTag", Had: 80, Lost: 50}} }),
			held: []string{"blanked"},
		},
		"blanked: fewer": {
			d: bent(kept(100), func(d *cache.Difference) { d.Blanked = []cache.Blank{{Name: "general.assetTag", Had: 49, Lost: 49}} }),
		},
		"blanked: two devices": {
			d: bent(kept(2), func(d *cache.Difference) { d.Blanked = []cache.Blank{{Name: "general.assetTag", Had: 2, Lost: 2}} }),
		},
		"blanked: a section of few devices": {
			d:    bent(kept(1000), func(d *cache.Difference) { d.Sections = []cache.Blank{{Name: "purchasing", Had: 20, Lost: 10}} }),
			held: []string{"blanked"},
		},
		"blanked: less than half of them": {
			d: bent(kept(1000), func(d *cache.Difference) { d.Sections = []cache.Blank{{Name: "purchasing", Had: 21, Lost: 10}} }),
		},
		"blanked: a section of too few devices": {
			d: bent(kept(1000), func(d *cache.Difference) { d.Sections = []cache.Blank{{Name: "purchasing", Had: 9, Lost: 9}} }),
		},
	} {
		v := weigh(config.DefaultGuard(), c.d, nil, c.past, c.planned, now)
		var held []string
		for _, f := range v.findings {
			held = append(held, f.Guard)
		}
		if !slices.Equal(held, c.held) {
			t.Errorf("%s: held by %v, want %v", name, held, c.held)
		}
		if len(held) > 0 && (describe(v.findings) == "" || v.evidence.digest() == evidence{}.digest()) {
			t.Errorf("%s: nothing says why", name)
		}
	}
}

func TestGrowthIsAWarning(t *testing.T) {
	t.Parallel()
	for after, want := range map[int]int{150: 0, 151: 1} {
		d := kept(100)
		d.After = after
		if v := weigh(config.DefaultGuard(), d, nil, nil, 0, time.Now()); len(v.warnings) != want || len(v.findings) > 0 {
			t.Errorf("100 become %d: %+v", after, v)
		}
	}
	if v := weigh(config.DefaultGuard(), cache.Difference{Before: 2, After: 10, Both: 2}, nil, nil, 0, time.Now()); len(v.warnings) > 0 {
		t.Errorf("2 become 10: %+v", v.warnings)
	}
}

func TestASetOfIDsIsWrittenAsRanges(t *testing.T) {
	t.Parallel()
	if s := setOf([]int64{1, 2, 3, 7, 9, 10}).String(); s != "1-3,7,9-10" {
		t.Errorf("written as %q", s)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		a, b := map[int64]bool{}, map[int64]bool{}
		for range r.IntN(60) {
			id := r.Int64N(80) + 1
			a[id] = r.IntN(4) > 0
			b[id] = a[id] && r.IntN(2) > 0 || r.IntN(40) == 0
		}
		list := func(m map[int64]bool) (ids []int64) {
			for id, in := range m {
				if in {
					ids = append(ids, id)
				}
			}
			slices.Sort(ids)
			return ids
		}
		all, some := setOf(list(a)), setOf(list(b))
		within := !slices.ContainsFunc(list(b), func(id int64) bool { return !a[id] })
		if all.contains(some) != within {
			t.Fatalf("%s contains %s: %v, want %v", all, some, !within, within)
		}
		var again idSet
		if err := again.UnmarshalText([]byte(all.String())); err != nil || !slices.Equal(again, all) {
			t.Fatalf("%s is read as %s, %v", all, again, err)
		}
		if ids := all.lowest(5); !slices.Equal(ids, list(a)[:min(5, len(list(a)))]) {
			t.Fatalf("the lowest of %s: %v", all, ids)
		}
	}
	for _, bad := range []string{"x", "3-1", "1-3,2", "0", "-4", "1,,2", "1-"} {
		if err := new(idSet).UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func TestAnApprovalCoversSubsets(t *testing.T) {
	t.Parallel()
	all := evidence{Removed: setOf(upTo(30)), Serial: setOf(upTo(9)), Blanked: []string{"a", "b"}, Instance: true, Hardware: "b"}
	for name, c := range map[string]struct {
		e    evidence
		want bool
	}{
		"itself":                  {all, true},
		"nothing":                 {evidence{}, true},
		"fewer devices":           {evidence{Removed: setOf([]int64{4, 30})}, true},
		"another device":          {evidence{Removed: setOf([]int64{4, 31})}, false},
		"another guard":           {evidence{Missing: setOf([]int64{4})}, false},
		"serials":                 {evidence{Serial: setOf([]int64{10})}, false},
		"a field":                 {evidence{Blanked: []string{"b"}}, true},
		"the same other hardware": {evidence{Serial: setOf([]int64{2}), Hardware: "b"}, true},
		"hardware after that":     {evidence{Serial: setOf([]int64{2}), Hardware: "c"}, false},
		"another field":           {evidence{Blanked: []string{"b", "c"}}, false},
	} {
		if got := all.covers(c.e); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if (evidence{}).covers(evidence{Instance: true}) {
		t.Error("another instance is covered by nothing")
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	var again evidence
	if err := json.Unmarshal(text, &again); err != nil || !cmp.Equal(all, again, cmp.AllowUnexported(idRange{})) || again.digest() != all.digest() {
		t.Errorf("%s is read as %+v, %v", text, again, err)
	}
	other := all
	other.Removed = setOf(upTo(31))
	if other.digest() == all.digest() {
		t.Error("other devices have the same digest")
	}
}

func TestAWeekOfRemovalsIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 27, 4, 0, 0, 0, time.UTC)
	var past []removal
	for i := range 1000 {
		past = append(past, removal{now.Add(-time.Duration(i) * 5 * time.Minute), 1, 5000 + i})
	}
	past = append(past, removal{now.Add(-8 * 24 * time.Hour), 100, 9000})
	out := weekOf(past, now, weekParts)
	sum := 0
	for _, r := range out {
		sum += r.Count
	}
	if len(out) > 200 || sum != 1000 || out[0].Of != 5999 {
		t.Errorf("%d entries of %d, the first of %d", len(out), sum, out[0].Of)
	}
}
