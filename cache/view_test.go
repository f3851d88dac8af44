package cache_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// inNorth says of each device whether it is of a site.
var inNorth = device.Filter{Sites: []string{"North"}}

// withTerms publishes rows; truth tells the only term of a device.
func withTerms(t *testing.T, s *cache.Store, rows []row, truth func(id int64) device.Truth) *cache.Generation {
	t.Helper()
	d := draft(computers, s.LastNumber(computers))
	d.Terms = inNorth.Terms()
	b, err := s.Begin(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Abort()
	for _, r := range rows {
		if r.columns.Terms = nil; truth != nil {
			r.columns.Terms = []device.Truth{truth(r.id)}
		}
		if err := b.Put(t.Context(), r.id, []byte(r.body), r.columns, r.state); err != nil {
			t.Fatal(err)
		}
	}
	c, err := b.Finish(t.Context(), cache.Outcome{Ended: ended, ReportedTotal: len(rows)})
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.Publish(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Release)
	return g
}

func third(id int64) device.Truth {
	if id%9 == 1 {
		return device.Yes
	}
	return device.No
}

func TestAViewShowsWhatItsTermsSayAndCountsTheRest(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, options(dir))
	rows := fleet(1100, 1) // more than wait for the dictionary
	g := withTerms(t, s, rows, third)
	var want []int64
	for _, r := range rows {
		if third(r.id) == device.Yes {
			want = append(want, r.id)
		}
	}
	check := func(g *cache.Generation) {
		t.Helper()
		v, err := g.View(t.Context(), inNorth)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(v.IDs(), want) || v.Count() != len(want) || v.Of() != len(rows) {
			t.Errorf("shows %d of %d, want %d", v.Count(), v.Of(), len(want))
		}
		if diff := cmp.Diff(map[device.Reason]int{device.OtherSite: len(rows) - len(want)}, v.LeftOut()); diff != "" {
			t.Error(diff)
		}
		if got := v.After(want[3], 2); !slices.Equal(got, want[4:6]) || len(v.After(want[len(want)-1], 5)) != 0 {
			t.Errorf("after %d: %v", want[3], got)
		}
		if got := v.Slice(len(want)-2, 10); !slices.Equal(got, want[len(want)-2:]) || len(v.Slice(len(want), 1)) != 0 {
			t.Errorf("the last: %v", got)
		}
		if v.Has(rows[1].id) || !v.Has(want[0]) || v.Has(0) {
			t.Error("it has what it does not show")
		}
		if _, err := g.View(t.Context(), device.Filter{Sites: []string{"South"}}); !errors.Is(err, cache.ErrNoView) {
			t.Errorf("a site that nobody asked about: %v", err)
		}
		if all, err := g.View(t.Context(), device.Filter{}); err != nil || all.Count() != len(rows) || all.LeftOut() != nil {
			t.Errorf("everything: %+v, %v", all, err)
		}
	}
	check(g)
	closeStore(t, s)
	s = openStore(t, options(dir))
	check(acquire(t, s, computers))
	remapped, err := s.Remap(t.Context(), computers, inNorth.Terms())
	if err != nil {
		t.Fatal(err)
	}
	defer remapped.Release()
	check(remapped) // its records do not tell the site: what was known stays
}

func TestWhatJamfDoesNotSayStaysAsItWas(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	before := withTerms(t, s, fleet(60, 1), third)
	after := withTerms(t, s, fleet(90, 2), nil) // the groups could not be read
	was, err := before.View(t.Context(), inNorth)
	if err != nil {
		t.Fatal(err)
	}
	is, err := after.View(t.Context(), inNorth)
	if err != nil || !slices.Equal(was.IDs(), is.IDs()) {
		t.Errorf("%d devices, then %d, %v", was.Count(), is.Count(), err)
	}
	first := openStore(t, options(t.TempDir()))
	if _, err := withTerms(t, first, fleet(60, 1), nil).View(t.Context(), inNorth); !errors.Is(err, cache.ErrNoView) {
		t.Errorf("a first sync that knows nothing of a site: %v, want no view rather than an empty one", err)
	}
	if v, err := withTerms(t, first, nil, nil).View(t.Context(), inNorth); err != nil || v.Count() != 0 {
		t.Errorf("a kind without devices: %v", err)
	}
}

func TestAFlippedBitInATermIsDamage(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, options(dir))
	number := withTerms(t, s, fleet(60, 1), third).Info().Number
	closeStore(t, s)
	db, err := sql.Open("sqlite", generationFile(dir, computers, number))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(context.Background(), `UPDATE term SET members = zeroblob(length(members))`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	o := options(dir)
	o.VerifyWithin = 1 // the digest of the file is compared behind the reads
	s = openStore(t, o)
	if g, err := s.Acquire(computers); err == nil {
		g.Release()
		t.Error("a file whose term was changed is served")
	}
}

func TestSelectionsAndDuplicatesStayInsideTheView(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	rows := fleet(30, 1)
	for i := range rows[:6] { // six devices with one serial number, of which the filter shows two
		rows[i].columns.SerialNumber = "SAME"
		rows[i].columns.LastContact = time.Unix(int64(1000-i), 0)
	}
	g := withTerms(t, s, rows, third)
	v, err := g.View(t.Context(), inNorth)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Select(t.Context(), []cache.Part{{Generation: g, View: v, Order: []device.Order{{Column: device.Column{Name: "id", Type: device.IDColumn}, Descending: true}}}})
	if err != nil || got.Len() != v.Count() {
		t.Fatalf("%d devices, %v; want %d", got.Len(), err, v.Count())
	}
	for _, p := range got.Places(0, got.Len()) {
		if !v.Has(p.ID) {
			t.Errorf("selects %d", p.ID)
		}
	}
	if all, err := s.Select(t.Context(), []cache.Part{{Generation: g, Order: []device.Order{{Column: device.Column{Name: "id", Type: device.IDColumn}, Descending: true}}}}); err != nil || all.Len() != 30 {
		t.Errorf("without a view %d, %v", all.Len(), err)
	}
	clashes, err := s.Duplicates(t.Context(), []cache.Shown{{Generation: g, View: v}})
	want := map[string][]string{"school-a:computer:1": {"school-a:computer:10"}, "school-a:computer:10": {"school-a:computer:1"}}
	if diff := cmp.Diff(want, clashes); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	newest, err := g.View(t.Context(), device.Filter{Sites: inNorth.Sites, NewestOfSerial: true})
	if err != nil || newest.Has(10) || !newest.Has(1) || newest.LeftOut()[device.OlderTwin] != 1 || newest.Count() != v.Count()-1 {
		t.Errorf("the newest of a serial number: %+v, %v", newest, err)
	}
	if other, err := g.View(t.Context(), device.Filter{NewestOfSerial: true}); err != nil || other.Count() != 25 || !other.Has(1) {
		t.Errorf("without another filter: %v", err)
	}
}

// The view of a school is found in less than the time of one page.
func BenchmarkView(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			ids := make([]int64, n)
			for i := range ids {
				ids[i] = int64(i + 1)
			}
			find := cache.Sift(ids, inNorth, func(place int) bool { return place%30 == 0 })
			for b.Loop() {
				if v, err := find(); err != nil || v.Count() != (n+29)/30 {
					b.Fatal(err)
				}
			}
		})
	}
}
