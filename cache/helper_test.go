package cache_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// childEnv names what a copy of the test binary does instead of testing: see TestMain.
const childEnv = "CACHE_TEST_CHILD"

func TestMain(m *testing.M) {
	switch dir := os.Getenv("CACHE_TEST_DIR"); os.Getenv(childEnv) {
	case "lock":
		os.Exit(childLock(dir))
	case "open":
		os.Exit(childOpen(dir))
	case "forbidden":
		os.Exit(childForbidden(dir))
	case "limited":
		os.Exit(childLimited(dir))
	case "publish":
		os.Exit(childPublish(dir))
	}
	goleak.VerifyTestMain(m)
}

var (
	computers = cache.Series{Source: "school-a", Kind: device.Computer}
	mobiles   = cache.Series{Source: "school-a", Kind: device.Mobile}
	others    = cache.Series{Source: "school-b", Kind: device.Computer}
)

// clock is a hand-moved time.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func options(dir string) cache.Options {
	return cache.Options{Dir: dir, MaxBytes: 32 << 20, Keep: 3}
}

func openStore(t testing.TB, o cache.Options) *cache.Store {
	t.Helper()
	s, err := cache.Open(context.Background(), o)
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	t.Cleanup(func() { closeStore(t, s) })
	return s
}

func closeStore(t testing.TB, s *cache.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("close store: %v", err)
	}
}

// row is one record that a test puts.
type row struct {
	id      int64
	body    string
	columns device.Columns
	state   string
}

// fleet makes n rows with rising, gappy ids. version changes every body.
func fleet(n, version int) []row {
	rows := make([]row, n)
	for i := range rows {
		id := int64(3*i + 1)
		serial := fmt.Sprintf("SER%07d", id)
		rows[i] = row{
			id:   id,
			body: record(id, serial, fmt.Sprintf("v%d", version)),
			columns: device.Columns{
				SerialNumber: serial,
				LastContact:  time.Unix(1_700_000_000+id, 0),
			},
			state: cache.StatePresent,
		}
	}
	return rows
}

func udid(id int64) string { return fmt.Sprintf("0BADCAFE-0000-4000-8000-%012X", id) }

// record is a computer as Jamf shows it, in the sections that these tests look at.
func record(id int64, serial, name string) string {
	return fmt.Sprintf(`{"id":"%d","udid":"%s","general":{"name":"%s","platform":"Mac","lastContactTime":"2026-11-20T08:00:00Z"},`+
		`"hardware":{"serialNumber":"%s","model":"MacBook Air","modelIdentifier":"MacBookAir10,1"},`+
		`"operatingSystem":{"name":"macOS","version":"15.1"}}`, id, udid(id), name, serial)
}

func draft(q cache.Series, parent uint64) cache.Draft {
	return cache.Draft{
		Series: q, Parent: parent, SourceEpoch: "epoch", MappingVersion: device.MappingVersion, ProfileName: "full",
		ProfileDigest: "0123456789abcdef", JamfVersion: "11.20.0", Upstream: "v4", Started: time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC),
	}
}

var ended = time.Date(2026, 11, 23, 3, 5, 0, 123456789, time.UTC)

func finish(t testing.TB, s *cache.Store, q cache.Series, parent uint64, rows []row) *cache.Candidate {
	t.Helper()
	ctx := context.Background()
	b, err := s.Begin(ctx, draft(q, parent))
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	defer b.Abort()
	for _, r := range rows {
		if err := b.Put(ctx, r.id, []byte(r.body), r.columns, r.state); err != nil {
			t.Fatalf("put %d: %v", r.id, err)
		}
	}
	c, err := b.Finish(ctx, cache.Outcome{Ended: ended, ReportedTotal: len(rows)})
	if err != nil {
		t.Fatalf("finish: %v", err)
	}
	return c
}

// publish builds and publishes rows on top of what is current, and returns the number.
func publish(t testing.TB, s *cache.Store, q cache.Series, rows []row) uint64 {
	t.Helper()
	g, err := s.Publish(context.Background(), finish(t, s, q, s.LastNumber(q), rows))
	if err != nil {
		t.Fatalf("publish: %v", err)
	}
	defer g.Release()
	return g.Info().Number
}

func acquire(t testing.TB, s *cache.Store, q cache.Series) *cache.Generation {
	t.Helper()
	g, err := s.Acquire(q)
	if err != nil {
		t.Fatalf("acquire %v: %v", q, err)
	}
	t.Cleanup(g.Release)
	return g
}

// wantRows reads a whole generation and compares it with what was put.
func wantRows(t testing.TB, g *cache.Generation, rows []row) {
	t.Helper()
	records, err := g.Page(context.Background(), 0, len(rows)+1)
	if err != nil {
		t.Fatalf("read page: %v", err)
	}
	if len(records) != len(rows) {
		t.Fatalf("generation holds %d records, want %d", len(records), len(rows))
	}
	for i, r := range records {
		if r.ID != rows[i].id || r.State != rows[i].state || !bytes.Equal(r.Body, []byte(rows[i].body)) {
			t.Fatalf("record %d is (%d, %s, %s), want (%d, %s, %s)", i, r.ID, r.State, r.Body, rows[i].id, rows[i].state, rows[i].body)
		}
	}
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want %v", err, want)
	}
}

func seriesDir(dir string, q cache.Series) string {
	return filepath.Join(dir, q.Source, string(q.Kind))
}

func generationFile(dir string, q cache.Series, number uint64) string {
	return filepath.Join(seriesDir(dir, q), fmt.Sprintf("%08d.sqlite", number))
}

// filesIn lists the names in a directory that end in suffix.
func filesIn(t testing.TB, dir, suffix string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), suffix) {
			names = append(names, e.Name())
		}
	}
	return names
}
