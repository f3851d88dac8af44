package cache_test

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

func TestGenerationHoldsWhatWasPut(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	rows := fleet(1500, 1) // more than the builder holds back for the dictionary
	rows[7].state = cache.StateQuarantined
	publish(t, s, computers, rows)
	g := acquire(t, s, computers)
	wantRows(t, g, rows)
	info := g.Info()
	want := cache.Info{
		Series: computers, Number: 1, SourceEpoch: "epoch", MappingVersion: device.MappingVersion, ProfileDigest: "0123456789abcdef",
		ProfileName: "full", JamfVersion: "11.20.0", Upstream: "v4", Started: draft(computers, 0).Started, Ended: ended,
		Count: 1500, ReportedTotal: 1500, Added: 1500, Digest: info.Digest, Bytes: info.Bytes,
	}
	if diff := cmp.Diff(want, info); diff != "" {
		t.Errorf("info (-want +got):\n%s", diff)
	}
	if len(info.Digest) != 64 || info.Bytes == 0 {
		t.Errorf("digest %q, %d bytes", info.Digest, info.Bytes)
	}
}

// The oracle is a map: whatever is put, replaced and deleted, in whatever order, before and after the dictionary.
func TestRecordsMayBeReplacedAndDeletedBeforeFinish(t *testing.T) {
	ctx := context.Background()
	s := openStore(t, options(t.TempDir()))
	random := rand.New(rand.NewPCG(2, 3))
	b, err := s.Begin(ctx, draft(computers, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Abort()
	want := make(map[int64]row)
	put := func(r row) {
		if err := b.Put(ctx, r.id, []byte(r.body), r.columns, r.state); err != nil {
			t.Fatal(err)
		}
		want[r.id] = r
	}
	first, second := fleet(1600, 1), fleet(1600, 2)
	for step, r := range first {
		put(r)
		old := second[random.IntN(step+1)]
		switch random.IntN(6) {
		case 0:
			put(old)
		case 1:
			if err := b.Delete(ctx, old.id); err != nil {
				t.Fatal(err)
			}
			delete(want, old.id)
		}
		if b.Count() != len(want) {
			t.Fatalf("after step %d count is %d, want %d", step, b.Count(), len(want))
		}
	}
	if err := b.Delete(ctx, 999_999); err != nil {
		t.Errorf("delete of an unknown id: %v", err)
	}
	c, err := b.Finish(ctx, cache.Outcome{Ended: ended})
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.Publish(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Release()
	var rows []row
	for _, r := range want {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b row) int { return int(a.id - b.id) })
	wantRows(t, g, rows)
}

func TestTheCallersBufferMayBeUsedAgain(t *testing.T) {
	ctx := context.Background()
	s := openStore(t, options(t.TempDir()))
	b, err := s.Begin(ctx, draft(computers, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Abort()
	rows := fleet(1100, 1)
	var buf []byte
	for _, r := range rows {
		buf = append(buf[:0], r.body...)
		if err := b.Put(ctx, r.id, buf, r.columns, r.state); err != nil {
			t.Fatal(err)
		}
	}
	clear(buf)
	c, err := b.Finish(ctx, cache.Outcome{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.Publish(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Release()
	wantRows(t, g, rows)
}

func TestChangesAgainstTheParentAreListed(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, options(dir))
	before := fleet(20, 1)
	publish(t, s, computers, before)
	after := slices.Clone(before[:18])                                               // 55, 58 removed
	after[3].body = strings.ToUpper(after[3].body)                                   // 10 changed
	after[5].state = cache.StateQuarantined                                          // 16 changed: what is answered of it differs
	after = append(after, fleet(22, 1)[20:]...)                                      // 61, 64 added
	after = slices.Delete(after, 0, 1)                                               // 1 removed
	after = append([]row{{2, "{}", device.Columns{}, cache.StatePresent}}, after...) // 2 added
	number := publish(t, s, computers, after)
	info := acquire(t, s, computers).Info()
	if info.Added != 3 || info.Changed != 2 || info.Removed != 3 {
		t.Errorf("added %d, changed %d, removed %d; want 3, 2, 3", info.Added, info.Changed, info.Removed)
	}
	got := changes(t, generationFile(dir, computers, number))
	want := map[int64]string{1: "removed", 2: "added", 10: "changed", 16: "changed", 55: "removed", 58: "removed", 61: "added", 64: "added"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	publish(t, s, computers, after)
	again := acquire(t, s, computers).Info()
	if again.Added+again.Changed+again.Removed != 0 || again.Digest != info.Digest {
		t.Errorf("the same records again: %+v, digest was %s", again, info.Digest)
	}
}

func changes(t *testing.T, path string) map[int64]string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&immutable=1")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), "SELECT id, what FROM change")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := make(map[int64]string)
	for rows.Next() {
		var id int64
		var what string
		if err := rows.Scan(&id, &what); err != nil {
			t.Fatal(err)
		}
		all[id] = what
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEmptyAndTinyGenerationsAreGenerations(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	for _, n := range []int{0, 1, 2, 15, 16, 17} {
		rows := fleet(n, 1)
		publish(t, s, computers, rows)
		wantRows(t, acquire(t, s, computers), rows)
	}
}

func TestLargeAndIncompressibleRecordsComeBack(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	random := rand.NewChaCha8([32]byte{1})
	var rows []row
	for i, size := range []int{0, 1, 7, 8, 4 << 20, 100_000, 3 << 20, 1 << 20} {
		body := make([]byte, size)
		_, _ = random.Read(body)
		rows = append(rows, row{int64(i + 1), string(body), device.Columns{}, cache.StatePresent})
	}
	publish(t, s, computers, rows)
	wantRows(t, acquire(t, s, computers), rows)
}

func TestOneBuilderPerSeries(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := openStore(t, options(dir))
	first, err := s.Begin(ctx, draft(computers, 0))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Begin(ctx, draft(computers, 0))
	wantError(t, err, cache.ErrBusy)
	other, err := s.Begin(ctx, draft(mobiles, 0))
	if err != nil {
		t.Fatalf("the other kind: %v", err)
	}
	other.Abort()
	first.Abort()
	first.Abort()
	if left := filesIn(t, seriesDir(dir, computers), ""); len(left) > 0 {
		t.Errorf("abort left %v", left)
	}
	second, err := s.Begin(ctx, draft(computers, 0))
	if err != nil {
		t.Fatalf("begin after abort: %v", err)
	}
	second.Abort()
	if err := second.Put(ctx, 1, nil, device.Columns{}, cache.StatePresent); err == nil {
		t.Error("put into an aborted builder is no error")
	}
	_, err = s.Acquire(computers)
	wantError(t, err, cache.ErrNone)
}

func TestBuilderRefusesWhatItCannotKeep(t *testing.T) {
	ctx := context.Background()
	s := openStore(t, options(t.TempDir()))
	b, err := s.Begin(ctx, draft(computers, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Abort()
	for name, put := range map[string]func() error{
		"id 0":          func() error { return b.Put(ctx, 0, nil, device.Columns{}, cache.StatePresent) },
		"negative id":   func() error { return b.Put(ctx, -1, nil, device.Columns{}, cache.StatePresent) },
		"unknown state": func() error { return b.Put(ctx, 1, nil, device.Columns{}, "gone") },
		"huge record":   func() error { return b.Put(ctx, 1, make([]byte, 17<<20), device.Columns{}, cache.StatePresent) },
	} {
		if err := put(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if b.Count() != 0 {
		t.Errorf("count is %d", b.Count())
	}
	for _, q := range []cache.Series{
		{Source: "", Kind: device.Computer},
		{Source: "..", Kind: device.Computer},
		{Source: "A", Kind: device.Computer},
		{Source: "-a", Kind: device.Computer},
		{Source: strings.Repeat("a", 33), Kind: device.Computer},
		{Source: "a", Kind: "printer"},
		{Source: "a/b", Kind: device.Computer},
	} {
		if b, err := s.Begin(ctx, draft(q, 0)); err == nil {
			b.Abort()
			t.Errorf("series %q was accepted", q)
		}
		if _, err := s.Acquire(q); err == nil {
			t.Errorf("series %q was acquired", q)
		}
	}
}

func TestCancelledBuilderLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, options(dir))
	publish(t, s, computers, fleet(5, 1))
	ctx, cancel := context.WithCancel(context.Background())
	b, err := s.Begin(ctx, draft(computers, 1))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range fleet(1200, 2) {
		if err := b.Put(ctx, r.id, []byte(r.body), r.columns, r.state); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	wantError(t, b.Put(ctx, 1, nil, device.Columns{}, cache.StatePresent), context.Canceled)
	_, err = b.Finish(ctx, cache.Outcome{})
	wantError(t, err, context.Canceled)
	b.Abort()
	if left := filesIn(t, seriesDir(dir, computers), ".building"); len(left) > 0 {
		t.Errorf("left %v", left)
	}
	wantRows(t, acquire(t, s, computers), fleet(5, 1))
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	dir := t.TempDir() + "/new/data"
	s := openStore(t, options(dir))
	publish(t, s, computers, fleet(3, 1))
	for path, want := range map[string]os.FileMode{
		dir: 0o700, seriesDir(dir, computers): 0o700, dir + "/store.json": 0o600, dir + "/lock": 0o600,
		seriesDir(dir, computers) + "/manifest.json": 0o600, generationFile(dir, computers, 1): 0o600,
	} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %v, want %v", path, got, want)
		}
	}
}
