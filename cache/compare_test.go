package cache_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// profiled is a draft whose records are compared by what full keeps.
func profiled(t testing.TB, parent uint64) cache.Draft {
	t.Helper()
	full, ok := device.BuiltinProfile("full")
	if !ok {
		t.Fatal("no profile full")
	}
	d := draft(computers, parent)
	d.ProfileDigest, d.ProfilePaths = full.Digest(), full.Paths(device.Computer)
	return d
}

// differenceOf publishes before, puts after and compares the two.
func differenceOf(t testing.TB, before, after []row, upstream string) cache.Difference {
	t.Helper()
	ctx := context.Background()
	s := openStore(t, options(t.TempDir()))
	build := func(parent uint64, rows []row) *cache.Builder {
		b, err := s.Begin(ctx, profiled(t, parent))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Abort)
		for _, r := range rows {
			if err := b.Put(ctx, r.id, []byte(r.body), r.columns, r.state); err != nil {
				t.Fatal(err)
			}
		}
		return b
	}
	c, err := build(0, before).Finish(ctx, cache.Outcome{Ended: ended})
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.Publish(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Release()
	b := build(1, after)
	d, err := b.Compare(ctx, g, upstream)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Finish(ctx, cache.Outcome{Ended: ended}); err != nil {
		t.Errorf("finish after a comparison: %v", err)
	}
	return d
}

// bent is a fleet in which some rows are others.
func bent(n int, bend func(i int, r *row)) []row {
	rows := fleet(n, 1)
	for i := range rows {
		bend(i, &rows[i])
	}
	return rows
}

func TestCompareTellsWhatAReaderWouldSeeChange(t *testing.T) {
	const n = 120
	same := cache.Difference{Before: n, After: n, Both: n, Traits: true, Hardware: n, Same: n}
	for name, c := range map[string]struct {
		after    []row
		upstream string
		want     func(d *cache.Difference)
	}{
		"nothing":    {after: fleet(n, 1)},
		"other data": {after: fleet(n, 2)},
		"removed and added": {
			after: fleet(n+3, 1)[4:],
			want: func(d *cache.Difference) {
				d.After, d.Both, d.Hardware, d.Same, d.Removed = n-1, n-4, n-4, n-4, []int64{1, 4, 7, 10}
			},
		},
		"missing": {
			after: bent(n, func(i int, r *row) {
				if i < 3 {
					r.state = cache.StateMissing
				}
			}),
			want: func(d *cache.Difference) { d.Missing, d.Hardware, d.Same = []int64{1, 4, 7}, n-3, n-3 },
		},
		"another serial number": {
			after: bent(n, func(i int, r *row) {
				if i == 5 {
					r.body = record(r.id, "OTHER", "v1")
				}
			}),
			want: func(d *cache.Difference) { d.NewSerial = []int64{16} },
		},
		"another device": {
			after: bent(n, func(i int, r *row) {
				if i == 5 {
					r.body = strings.Replace(record(r.id, "OTHER", "v1"), udid(r.id), "11111111-0000-4000-8000-000000000001", 1)
				}
			}),
			want: func(d *cache.Difference) { d.Same, d.NewSerial = n-1, []int64{16} },
		},
		"blank": {
			after: bent(n, func(i int, r *row) {
				switch i {
				case 1:
					r.body = strings.Replace(r.body, `"model":"MacBook Air"`, `"model":null`, 1)
				case 2:
					r.body = strings.Replace(r.body, `"name":"macOS","version":"15.1"`, `"name":"","version":null`, 1)
				}
			}),
			want: func(d *cache.Difference) {
				d.Blanked = []cache.Blank{
					{Name: "hardware.model", Had: n, Lost: 1}, {Name: "operatingSystem.name", Had: n, Lost: 1}, {Name: "operatingSystem.version", Had: n, Lost: 1},
				}
				d.Sections = []cache.Blank{{Name: "operatingSystem", Had: n, Lost: 1}}
			},
		},
		"a version that does not send a field": {
			after: bent(n, func(_ int, r *row) {
				r.body = strings.Replace(r.body, `"lastContactTime":"2026-11-20T08:00:00Z"`, `"lastContact":"2026-11-20T08:00:00Z"`, 1)
			}),
			upstream: "v4",
		},
		"one that does": {
			after: bent(n, func(_ int, r *row) {
				r.body = strings.Replace(r.body, `"lastContactTime":"2026-11-20T08:00:00Z"`, `"lastContact":"2026-11-20T08:00:00Z"`, 1)
			}),
			upstream: "v3",
			want: func(d *cache.Difference) {
				d.Blanked = []cache.Blank{{Name: "general.lastContactTime", Had: n, Lost: n}}
			},
		},
		"everything": {
			after: nil,
			want: func(d *cache.Difference) {
				d.After, d.Both, d.Hardware, d.Same = 0, 0, 0, 0
				for _, r := range fleet(n, 1) {
					d.Removed = append(d.Removed, r.id)
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := same
			if c.want != nil {
				c.want(&want)
			}
			got := differenceOf(t, fleet(n, 1), c.after, c.upstream)
			if (got.NewHardware != "") != (len(want.NewSerial) > 0) {
				t.Errorf("the hardware that is another one: %q", got.NewHardware)
			}
			got.NewHardware = ""
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("difference (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompareReadsWhatIsInTheFileAlready(t *testing.T) {
	const n = 1010 // more than wait for the dictionary
	want := cache.Difference{Before: n, After: n - 1, Both: n - 1, Traits: true, Hardware: n - 1, Same: n - 1, Removed: []int64{3*n - 2}}
	if diff := cmp.Diff(want, differenceOf(t, fleet(n, 1), fleet(n-1, 2), "")); diff != "" {
		t.Error(diff)
	}
}

func TestCompareWithAFileWithoutTraitsKnowsTheIDs(t *testing.T) {
	ctx := context.Background()
	s := openStore(t, options(t.TempDir()))
	publish(t, s, computers, fleet(4, 1)) // it is not said what its records hold
	b, err := s.Begin(ctx, profiled(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Abort()
	for _, r := range fleet(3, 1) {
		if err := b.Put(ctx, r.id, []byte(r.body), r.columns, r.state); err != nil {
			t.Fatal(err)
		}
	}
	d, err := b.Compare(ctx, acquire(t, s, computers), "v4")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(cache.Difference{Before: 4, After: 3, Both: 3, Removed: []int64{10}}, d); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkCompare(b *testing.B) {
	rows := bent(20_000, func(i int, r *row) { r.body = strings.Replace(r.body, "MacBook Air", fmt.Sprint("Mac ", i), 1) })
	ctx := context.Background()
	s := openStore(b, options(b.TempDir()))
	build := func(parent uint64) *cache.Builder {
		w, err := s.Begin(ctx, profiled(b, parent))
		if err != nil {
			b.Fatal(err)
		}
		for _, r := range rows {
			if err := w.Put(ctx, r.id, []byte(r.body), r.columns, r.state); err != nil {
				b.Fatal(err)
			}
		}
		return w
	}
	c, err := build(0).Finish(ctx, cache.Outcome{Ended: ended})
	if err != nil {
		b.Fatal(err)
	}
	g, err := s.Publish(ctx, c)
	if err != nil {
		b.Fatal(err)
	}
	defer g.Release()
	w := build(1)
	defer w.Abort()
	for b.Loop() {
		if _, err := w.Compare(ctx, g, "v4"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(len(rows)), "us/device")
}
