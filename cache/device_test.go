package cache_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

func profile(t testing.TB, name string) *device.Profile {
	t.Helper()
	p, ok := device.BuiltinProfile(name)
	if !ok {
		t.Fatalf("no profile %q", name)
	}
	return p
}

// rendered is the oracle: what device makes of the row, without any cache.
func rendered(t testing.TB, q cache.Series, p *device.Profile, r row) []byte {
	t.Helper()
	body, err := device.AppendNormalized(nil, device.View{
		Source: q.Source, Kind: q.Kind, ID: r.id, Record: []byte(r.body), Profile: p, State: r.state, DuplicateOf: []string{},
	})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func ids(rows []row, at ...int) []int64 {
	all := make([]int64, len(at))
	for i, n := range at {
		all[i] = rows[n].id
	}
	return all
}

func TestNormalizedDevicesComeInOrderFromEitherPlace(t *testing.T) {
	ctx := context.Background()
	s := openStore(t, options(t.TempDir()))
	rows := fleet(700, 1)
	rows[3].state = cache.StateQuarantined
	publish(t, s, computers, rows)
	g := acquire(t, s, computers)
	full, minimal := profile(t, "full"), profile(t, "minimal")
	asked := [][]int{{0}, {3, 4, 5}, {5, 4, 3}, {699, 0, 350}, {1, 1, 1}, {2, 3, 4, 5, 6, 690, 691, 1}, {}}
	for _, p := range []*device.Profile{full, minimal} {
		for range 2 { // from the file, then from ristretto
			for _, at := range asked {
				got, err := s.Normalized(ctx, g, p, ids(rows, at...))
				if err != nil {
					t.Fatal(err)
				}
				for i, n := range at {
					if want := rendered(t, computers, p, rows[n]); !bytes.Equal(got[i], want) {
						t.Fatalf("%v: device %d is\n%s, want\n%s", at, i, got[i], want)
					}
				}
				s.Settle()
			}
		}
	}
	_, err := s.Normalized(ctx, g, full, []int64{1, 2})
	wantError(t, err, cache.ErrNotFound)
	if _, err := s.Normalized(ctx, g, nil, []int64{1}); err == nil {
		t.Error("no profile is no error")
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = s.Normalized(cancelled, g, full, ids(rows, 500))
	wantError(t, err, context.Canceled)
}

func TestAFullPageOfNormalizedDevicesSurvivesFlushesMidWay(t *testing.T) {
	ctx := context.Background()
	o := options(t.TempDir())
	o.MaxBytes = 1 << 20
	s := openStore(t, o)
	rows := fleet(400, 1)
	publish(t, s, computers, rows)
	g := acquire(t, s, computers)
	p := profile(t, "full")
	if _, err := s.Warm(ctx, g, []*device.Profile{p}); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var flusher, readers sync.WaitGroup
	flusher.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				s.Flush()
			}
		}
	})
	for n := range 3 {
		readers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(n), 4))
			for range 30 {
				from := random.IntN(300)
				at := make([]int, 100)
				for i := range at {
					at[i] = from + i
				}
				got, err := s.Normalized(ctx, g, p, ids(rows, at...))
				if err != nil {
					t.Error(err)
					return
				}
				for i, n := range at {
					if !bytes.Contains(got[i], []byte(fmt.Sprintf(`"%s"`, rows[n].columns.SerialNumber))) {
						t.Errorf("device %d of the page from %d is %s", i, from, got[i])
						return
					}
				}
			}
		})
	}
	readers.Wait()
	close(stop)
	flusher.Wait()
}

func TestEqualHashesNeverMixDevices(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	rows := fleet(5, 1)
	publish(t, s, computers, rows)
	publish(t, s, others, fleet(5, 2))
	if err := s.Collide(); err != nil {
		t.Fatal(err)
	}
	p := profile(t, "full")
	random := rand.New(rand.NewPCG(1, 5))
	for range 300 {
		q, version := computers, 1
		if random.IntN(2) == 0 {
			q, version = others, 2
		}
		n := random.IntN(5)
		g, err := s.Acquire(q)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Normalized(context.Background(), g, p, ids(rows, n))
		g.Release()
		if err != nil {
			t.Fatal(err)
		}
		s.Settle()
		if want := rendered(t, q, p, fleet(5, version)[n]); !bytes.Equal(got[0], want) {
			t.Fatalf("%v %d is %s, want %s", q, n, got[0], want)
		}
	}
}

func TestWarmedDevicesAreReadable(t *testing.T) {
	ctx := context.Background()
	s := openStore(t, options(t.TempDir()))
	rows := fleet(1500, 1)
	publish(t, s, computers, rows)
	g := acquire(t, s, computers)
	full, minimal := profile(t, "full"), profile(t, "minimal")
	n, err := s.Warm(ctx, g, []*device.Profile{full, minimal, full})
	if err != nil || n != 3000 {
		t.Fatalf("warmed %d, %v; want every device in two profiles", n, err)
	}
	for i, r := range rows {
		got, err := s.Normalized(ctx, g, minimal, []int64{r.id})
		if err != nil || !bytes.Equal(got[0], rendered(t, computers, minimal, r)) {
			t.Fatalf("device %d: %v", i, err)
		}
	}
	hits, misses := s.DeviceLookups()
	if hits != 1500 || misses != 0 {
		t.Errorf("%d hits, %d misses; want 1500 and 0", hits, misses)
	}
	if n, err := s.Warm(ctx, g, nil); n != 0 || err != nil {
		t.Errorf("no profile: %d, %v", n, err)
	}
	if _, err := s.Warm(ctx, g, []*device.Profile{nil}); err == nil {
		t.Error("a nil profile is no error")
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = s.Warm(cancelled, g, []*device.Profile{full})
	wantError(t, err, context.Canceled)
}

func TestWarmingTakesTheNewestContactsAndHalfOfTheBudget(t *testing.T) {
	ctx := context.Background()
	o := options(t.TempDir())
	o.MaxBytes = 1 << 20
	s := openStore(t, o)
	rows := fleet(1500, 1)
	for i := range rows {
		rows[i].columns.LastContact = time.Unix(int64(1_700_000_000+(i*7919)%1500), 0)
	}
	publish(t, s, computers, rows)
	publish(t, s, others, fleet(10, 1))
	p := profile(t, "full")
	g := acquire(t, s, computers)
	n, err := s.Warm(ctx, g, []*device.Profile{p})
	if err != nil || n == 0 || n >= 1500 {
		t.Fatalf("warmed %d, %v", n, err)
	}
	if got := s.WarmedBytes(computers); got > o.MaxBytes/4 || got < o.MaxBytes/5 {
		t.Errorf("took %d bytes; the other series was not warmed yet, so a quarter of %d is the share", got, o.MaxBytes)
	}
	slices.SortFunc(rows, func(a, b row) int { return b.columns.LastContact.Compare(a.columns.LastContact) })
	for i, r := range rows[:2*n] { // newest first: what is looked up late may have been pushed out by what was missed before
		before, _ := s.DeviceLookups()
		if _, err := s.Normalized(ctx, g, p, []int64{r.id}); err != nil {
			t.Fatal(err)
		}
		if after, _ := s.DeviceLookups(); (after > before) != (i < n) {
			t.Errorf("the device of the %d. newest contact: warm is %v", i+1, after > before)
		}
	}
	if _, err := s.Warm(ctx, acquire(t, s, others), []*device.Profile{p}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Warm(ctx, g, []*device.Profile{p}); err != nil {
		t.Fatal(err)
	}
	total := s.WarmedBytes(computers) + s.WarmedBytes(others)
	if s.WarmedBytes(computers) < o.MaxBytes/4 || total > o.MaxBytes/2 {
		t.Errorf("after the small series took little, %d bytes are taken, %d in all", s.WarmedBytes(computers), total)
	}
}

func TestDuplicatesAcrossGenerations(t *testing.T) {
	ctx := context.Background()
	s := openStore(t, options(t.TempDir()))
	mac := fleet(6, 1)                                        // ids 1 4 7 10 13 16
	mac[1].columns.SerialNumber = mac[0].columns.SerialNumber // twice in one source
	mac[4].columns.SerialNumber = ""                          // unknown never clashes
	mac[5].columns.SerialNumber = ""
	publish(t, s, computers, mac)
	elsewhere := fleet(4, 1)
	elsewhere[2].columns.SerialNumber = "ONLY-HERE"
	publish(t, s, others, elsewhere)
	a, b := acquire(t, s, computers), acquire(t, s, others)
	one := func(id int64) string { return device.UID("school-a", device.Computer, id) }
	two := func(id int64) string { return device.UID("school-b", device.Computer, id) }
	want := map[string][]string{
		one(1): {one(4), two(1)}, one(4): {one(1), two(1)}, two(1): {one(1), one(4)},
		one(10): {two(10)}, two(10): {one(10)},
	}
	for range 2 {
		got, err := s.Duplicates(ctx, shown(a, b))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("duplicates (-want +got):\n%s", diff)
		}
	}
	alone, err := s.Duplicates(ctx, shown(b))
	if err != nil || len(alone) != 0 {
		t.Errorf("of one source: %v, %v", alone, err)
	}
	none, err := s.Duplicates(ctx, nil)
	if err != nil || len(none) != 0 {
		t.Errorf("of nothing: %v, %v", none, err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = s.Duplicates(cancelled, shown(a))
	wantError(t, err, context.Canceled)
}

// The oracle is a map over all serials, on fleets that are larger than a chunk and share many serials.
func TestDuplicatesEqualAPlainCount(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	random := rand.New(rand.NewPCG(8, 8))
	bySerial := make(map[string][]string)
	var gens []*cache.Generation
	for _, q := range []cache.Series{computers, mobiles, others} {
		rows := fleet(1800, 1)
		for i := range rows {
			rows[i].columns.SerialNumber = fmt.Sprintf("S%d", random.IntN(9000))
			serial := rows[i].columns.SerialNumber
			bySerial[serial] = append(bySerial[serial], device.UID(q.Source, q.Kind, rows[i].id))
		}
		publish(t, s, q, rows)
		gens = append(gens, acquire(t, s, q))
	}
	want := make(map[string][]string)
	for _, uids := range bySerial {
		for i, uid := range uids {
			if len(uids) > 1 {
				want[uid] = append(append([]string{}, uids[:i]...), uids[i+1:]...)
			}
		}
	}
	got, err := s.Duplicates(context.Background(), shown(gens...))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("duplicates (-want +got):\n%s", diff)
	}
}

// More devices of one serial than are read at a time, between others, over two generations.
func TestASerialThatThousandsShareIsOneClash(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	rows := fleet(1210, 1)
	for i := 5; i < 1205; i++ {
		rows[i].columns.SerialNumber = "SER0000010A" // between those of the ids 10 and 13
	}
	publish(t, s, computers, rows)
	publish(t, s, others, []row{rows[700], rows[1209]})
	gens := []*cache.Generation{acquire(t, s, computers), acquire(t, s, others)}
	got, err := s.Duplicates(context.Background(), shown(gens...))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1200+1+2 {
		t.Errorf("%d devices clash, want 1203", len(got))
	}
	uid := func(n int) string { return device.UID("school-a", device.Computer, rows[n].id) }
	var first []string
	for n := 5; n < 106; n++ {
		first = append(first, uid(n))
	}
	for name, want := range map[string][]string{
		uid(5): first[1:], uid(6): append(first[:1:1], first[2:]...), uid(105): first[:100], uid(106): first[:100], uid(1204): first[:100],
		device.UID("school-b", device.Computer, rows[700].id): first[:100],
		uid(1209): {device.UID("school-b", device.Computer, rows[1209].id)},
	} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestANarrowedProfileLeavesNothingBehind(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := openStore(t, options(dir))
	narrow, err := device.NewProfile("narrow", nil, []string{"name"})
	if err != nil {
		t.Fatal(err)
	}
	publish(t, s, computers, fleet(30, 1))
	publish(t, s, computers, fleet(31, 2))
	reader := acquire(t, s, computers)
	before := reader.Info()
	full := profile(t, "full")
	if _, err := s.Warm(ctx, reader, []*device.Profile{full}); err != nil {
		t.Fatal(err)
	}
	g, err := s.Recut(ctx, computers, narrow)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Release()
	info := g.Info()
	if diff := cmp.Diff(narrow.Paths(device.Computer), info.ProfilePaths); diff != "" || !info.ProfileAtMost || info.Exceeds(narrow) || !info.Lacks(narrow) {
		t.Errorf("cut from a generation without a list, it is described as %+v\n%s", info, diff)
	}
	if info.Number != 3 || info.Parent != 2 || info.ProfileDigest != narrow.Digest() || info.ProfileName != "narrow" ||
		!info.Ended.Equal(before.Ended) || !info.Started.Equal(before.Started) || info.Count != 31 || info.ReportedTotal != 31 {
		t.Errorf("info is %+v", info)
	}
	page, err := g.Page(ctx, 0, 100)
	if err != nil || len(page) != 31 {
		t.Fatalf("page has %d records, %v", len(page), err)
	}
	for _, r := range page {
		if bytes.Contains(r.Body, []byte("SER0")) || !bytes.Contains(r.Body, []byte("v2")) {
			t.Errorf("record is %s", r.Body)
		}
	}
	if files := filesIn(t, seriesDir(dir, computers), ".sqlite"); len(files) != 1 || files[0] != "00000003.sqlite" {
		t.Errorf("files are %v", files)
	}
	data, err := os.ReadFile(generationFile(dir, computers, 3))
	if err != nil || bytes.Contains(data, []byte("SER0")) {
		t.Errorf("a serial number stands in the new file (%v)", err)
	}
	if _, err := s.AcquireNumber(computers, 2); err == nil {
		t.Error("the wider generation is still kept")
	}
	wantRows(t, reader, fleet(31, 2)) // who holds it keeps it
	closeStore(t, s)
	if n := acquire(t, openStore(t, options(dir)), computers).Info().Number; n != 3 {
		t.Errorf("after a restart %d is served", n)
	}
}

func TestColumnsAreDerivedAgainWithoutAWalk(t *testing.T) {
	ctx := context.Background()
	s := openStore(t, options(t.TempDir()))
	rows := fleet(30, 1)
	for i := range rows {
		rows[i].columns = device.Columns{SerialNumber: "WRONG"}
	}
	rows[2].state = cache.StateQuarantined
	publish(t, s, computers, rows)
	g, err := s.Remap(ctx, computers, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Release()
	wantRows(t, g, rows)
	info := g.Info()
	if info.Parent != 1 || info.MappingVersion != device.MappingVersion || info.Changed != 0 || info.ProfileName != "full" {
		t.Errorf("info is %+v", info)
	}
	if kept := numbers(s.Kept(computers)); len(kept) != 2 {
		t.Errorf("kept %v", kept)
	}
	_, err = s.Remap(ctx, mobiles, nil)
	wantError(t, err, cache.ErrNone)
	b, err := s.Begin(ctx, draft(computers, 2))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Abort()
	_, err = s.Remap(ctx, computers, nil)
	wantError(t, err, cache.ErrBusy)
}

func TestRefsNameStoreSeriesNumberAndContent(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	publish(t, s, computers, fleet(3, 1))
	publish(t, s, mobiles, fleet(3, 1))
	a, b := acquire(t, s, computers), acquire(t, s, mobiles)
	publish(t, s, computers, fleet(3, 1))
	c := acquire(t, s, computers)
	if a.Ref() == b.Ref() || a.Ref() == c.Ref() {
		t.Errorf("refs are %s, %s, %s", a.Ref(), b.Ref(), c.Ref())
	}
	for _, part := range []string{s.Identity(), "school-a", "computer", a.Info().Digest} {
		if !strings.Contains(a.Ref(), part) {
			t.Errorf("%s is not in %s", part, a.Ref())
		}
	}
	if !json.Valid([]byte(`"` + a.Ref() + `"`)) {
		t.Errorf("ref %s needs quoting", a.Ref())
	}
}

// shown are all devices of the generations.
func shown(gens ...*cache.Generation) []cache.Shown {
	out := make([]cache.Shown, len(gens))
	for i, g := range gens {
		out[i] = cache.Shown{Generation: g}
	}
	return out
}
