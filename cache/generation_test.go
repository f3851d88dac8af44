package cache_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
)

func TestPagesByOffsetCoverEveryRecordOnce(t *testing.T) {
	ctx := context.Background()
	s := openStore(t, options(t.TempDir()))
	rows := fleet(1203, 1)
	publish(t, s, computers, rows)
	g := acquire(t, s, computers)
	for _, size := range []int{1, 7, 100, 500, 501, 1202, 1203, 5000} {
		step := 1
		if size == 1 {
			step = 97
		}
		for offset := 0; offset <= len(rows)+size; offset += size * step {
			page, err := g.Page(ctx, offset, size)
			if err != nil {
				t.Fatal(err)
			}
			want := rows[min(offset, len(rows)):min(offset+size, len(rows))]
			if len(page) != len(want) {
				t.Fatalf("page of %d from %d has %d records, want %d", size, offset, len(page), len(want))
			}
			for i, r := range page {
				if r.ID != want[i].id || string(r.Body) != want[i].body {
					t.Fatalf("page of %d from %d: record %d is %d, want %d", size, offset, i, r.ID, want[i].id)
				}
			}
		}
	}
	if page, err := g.Page(ctx, 3, 0); err != nil || len(page) != 0 {
		t.Errorf("page of none: %v, %v", page, err)
	}
	for _, wrong := range [][2]int{{-1, 5}, {0, -1}} {
		if _, err := g.Page(ctx, wrong[0], wrong[1]); err == nil {
			t.Errorf("page %v: no error", wrong)
		}
	}
	huge := int(^uint(0) >> 1)
	if page, err := g.Page(ctx, 1200, huge); err != nil || len(page) != 3 {
		t.Errorf("page of everything else: %d, %v", len(page), err)
	}
	if page, err := g.Page(ctx, huge, huge); err != nil || len(page) != 0 {
		t.Errorf("page far beyond the end: %d, %v", len(page), err)
	}
}

func TestRecordsAreTheCallersToKeep(t *testing.T) {
	ctx := context.Background()
	s := openStore(t, options(t.TempDir()))
	rows := fleet(30, 1)
	publish(t, s, computers, rows)
	g := acquire(t, s, computers)
	page, err := g.Page(ctx, 0, 30)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range page {
		clear(r.Body)
	}
	wantRows(t, g, rows)
	if _, err := g.Get(ctx, 2); err == nil {
		t.Error("an unknown id was found")
	} else {
		wantError(t, err, cache.ErrNotFound)
	}
	ids, err := g.IDs(ctx)
	if err != nil || len(ids) != 30 || ids[0] != 1 || ids[29] != 88 {
		t.Errorf("ids are %v, %v", ids, err)
	}
}

func TestIdsAreReadOnFromAnyPlace(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	publish(t, s, computers, fleet(300, 1))
	g := acquire(t, s, computers)
	for _, c := range []struct {
		after int64
		limit int
		want  []int64
	}{{0, 2, []int64{1, 4}}, {7, 2, []int64{10, 13}}, {8, 2, []int64{10, 13}}, {895, 9, []int64{898}}, {898, 2, nil}, {0, 0, nil}, {5, -1, nil}} {
		got, err := g.After(context.Background(), c.after, c.limit)
		if err != nil || len(got) != len(c.want) || cmp.Diff(c.want, got) != "" && len(got) > 0 {
			t.Errorf("%d after %d: %v, %v", c.limit, c.after, got, err)
		}
	}
}

func TestACancelledReadIsNoDamage(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	rows := fleet(600, 1)
	publish(t, s, computers, rows)
	g := acquire(t, s, computers)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := g.Get(ctx, 1)
	wantError(t, err, context.Canceled)
	page, err := g.Page(ctx, 0, 600)
	wantError(t, err, context.Canceled)
	if page != nil {
		t.Error("a cancelled page has records")
	}
	_, err = g.After(ctx, 0, 5)
	wantError(t, err, context.Canceled)
	_, err = s.Select(ctx, []cache.Part{{Generation: g}})
	wantError(t, err, context.Canceled)
	wantRows(t, acquire(t, s, computers), rows)
}

// Readers, cancelled readers and a writer at once: every page that is answered is whole and of one generation.
func TestReadersSeeOneGenerationWhilePublishesHappen(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	publish(t, s, computers, fleet(200, 1))
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for n := range 6 {
		readers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(n), 1))
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := readOnce(s, random); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for version := 2; version < 8; version++ {
		publish(t, s, computers, fleet(200, version))
	}
	close(stop)
	readers.Wait()
}

func readOnce(s *cache.Store, random *rand.Rand) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	g, err := s.Acquire(computers)
	if err != nil {
		return err
	}
	defer g.Release()
	hurry := random.IntN(4) == 0
	if hurry {
		go cancel()
	}
	page, err := g.Page(ctx, random.IntN(150), 50)
	if err != nil && hurry && ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	version := int(g.Info().Number)
	for _, r := range page {
		if want := record(r.ID, fmt.Sprintf("SER%07d", r.ID), fmt.Sprintf("v%d", version)); string(r.Body) != want {
			return fmt.Errorf("generation %d answers %s", version, r.Body)
		}
	}
	return nil
}
