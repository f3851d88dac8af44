package cache_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// alike makes n computers on which the normalized fields are Jamf's but for every thirtieth: what stands there is nothing to the
// normalized device.
func alike(n int) []row {
	rows := make([]row, n)
	for i := range rows {
		id := int64(i + 1)
		name, udid, serial := fmt.Sprintf("Mac %d", i%9), udid(id), fmt.Sprintf("S%04d", i%40)
		if i%30 == 7 {
			name, udid, serial = "None", "N/A", "0"
		}
		rows[i] = row{id: id, state: cache.StatePresent, body: fmt.Sprintf(
			`{"id":"%d","udid":"%s","general":{"name":"%s","barcode1":"K%d","barcode2":"k%d","reportDate":"2026-11-%02dT08:00:00Z"},"hardware":{"serialNumber":"%s"}}`,
			id, udid, name, i%3, i%4, 1+i%20, serial)}
	}
	return rows
}

// namesOf lists the columns of a table of a file.
func namesOf(t *testing.T, db *sql.DB, table string) (names []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT name FROM pragma_table_info(?)", table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}

// sameAnswers asks random questions and holds the answers against the evaluator.
func sameAnswers(t *testing.T, s *cache.Store, g *cache.Generation, rows []row, questions int) {
	t.Helper()
	facts, random := factsOf(t, g, rows), rand.New(rand.NewPCG(3, 3))
	columns := slices.DeleteFunc(device.FactColumns(device.Computer, g.Info().ProfilePaths), func(c device.Column) bool {
		return !slices.Contains([]string{"jamf:udid", "jamf:general.name", "jamf:hardware.serialNumber", "identity.udid", "name", "identity.serialNumber", "identity.barcodes", "lastInventoryAt"}, c.Name)
	})
	if len(columns) != 8 {
		t.Fatalf("%d columns", len(columns))
	}
	for range questions {
		parts := []cache.Part{{Generation: g, Where: randomCondition(random, columns, 3), Order: randomOrder(random, columns)}}
		got, err := s.Select(t.Context(), parts)
		if err != nil {
			t.Fatalf("%+v: %v", parts[0].Where, err)
		}
		if diff := cmp.Diff(expected(t, parts, []map[int64]map[string]any{facts}), append([]cache.Place{}, got.Places(0, got.Len())...)); diff != "" {
			t.Fatalf("where %+v\norder %+v\n%s", parts[0].Where, parts[0].Order, diff)
		}
	}
}

func TestColumnsThatAreNearlyAlwaysEqualStandInTheFileOnceAndAnswerForThemselves(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, options(dir))
	rows := alike(100)
	g := publishFacts(t, s, computers, rows)
	db, err := sql.Open("sqlite", generationFile(dir, computers, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	written := namesOf(t, db, "fact")
	for _, name := range []string{"identity.udid", "name", "identity.serialNumber"} {
		if slices.Contains(written, name) {
			t.Errorf("%s has a column of its own", name)
		}
	}
	if !slices.Contains(written, "jamf:udid") || !slices.Contains(written, "os.platform") {
		t.Errorf("the file has %v", written)
	}
	differ := 0
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM other").Scan(&differ); err != nil || differ != 12 {
		t.Errorf("%d values differ, want 3 on each of 4 devices: %v", differ, err)
	}
	sameAnswers(t, s, g, rows, 150)
}

// Records that come again in the same walk leave nothing of what they were.
func TestFactsOfAReplacedRecordAreThoseOfItsLastVersion(t *testing.T) {
	ctx := context.Background()
	s := openStore(t, options(t.TempDir()))
	rows := alike(1100) // more than what is written at once
	again := slices.Clone(rows)
	for i, r := range rows[:60] { // each of the first sixty gets what stands on another one
		again[i].body = strings.Replace(rows[59-i].body, fmt.Sprintf(`"id":"%d"`, rows[59-i].id), fmt.Sprintf(`"id":"%d"`, r.id), 1)
	}
	profile, _ := device.BuiltinProfile("full")
	d := draft(computers, 0)
	d.ProfilePaths = profile.Paths(device.Computer)
	b, err := s.Begin(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Abort()
	for _, r := range slices.Concat(rows, again[:60]) {
		if err := b.Put(ctx, r.id, []byte(r.body), r.columns, r.state); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Delete(ctx, 1100); err != nil {
		t.Fatal(err)
	}
	c, err := b.Finish(ctx, cache.Outcome{Ended: ended, ReportedTotal: 1099})
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.Publish(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Release()
	sameAnswers(t, s, g, again[:1099], 12)
}

// A file as releases wrote it that named the columns in many and shared none is read as ever.
func TestAFileOfTheLayoutBeforeIsRead(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := openStore(t, options(dir))
	rows := alike(100)
	publishFacts(t, s, computers, rows)
	closeStore(t, s)
	path := generationFile(dir, computers, 1)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	var listed, sharing string
	if err := db.QueryRowContext(ctx, "SELECT (SELECT value FROM meta WHERE key = 'facts'), (SELECT value FROM meta WHERE key = 'shared')").Scan(&listed, &sharing); err != nil {
		t.Fatal(err)
	}
	var names []string
	var shared map[string]struct{ As string }
	if err := json.Unmarshal([]byte(listed), &names); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(sharing), &shared); err != nil || len(shared) < 10 {
		t.Fatalf("%d columns share one: %v", len(shared), err)
	}
	change := []string{
		"DELETE FROM meta WHERE key = 'shared'", "ALTER TABLE many RENAME TO coded",
		"CREATE TABLE many (id INTEGER NOT NULL, fact TEXT NOT NULL, value TEXT NOT NULL)", "CREATE INDEX many_value ON many (fact, id, value)",
	}
	for i, name := range names {
		change = append(change, fmt.Sprintf("INSERT INTO many SELECT id, '%s', value FROM coded WHERE fact = %d", name, i))
		if one, ok := shared[name]; ok {
			change = append(change, fmt.Sprintf(`ALTER TABLE fact ADD COLUMN "%s"`, name), fmt.Sprintf(
				`UPDATE fact SET "%s" = CASE WHEN id IN (SELECT id FROM other WHERE fact = %d) THEN (SELECT value FROM other o WHERE o.fact = %d AND o.id = fact.id) ELSE "%s" END`,
				name, i, i, one.As))
		}
	}
	for _, query := range append(change, "DROP TABLE coded", "DROP TABLE other") {
		if _, err := db.ExecContext(ctx, query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	reseal(t, manifestOf(dir), func(text string) string {
		text = strings.ReplaceAll(text, fmt.Sprintf("%x", sha256.Sum256(before)), fmt.Sprintf("%x", sha256.Sum256(after)))
		return strings.ReplaceAll(text, fmt.Sprintf(`"bytes": %d`, len(before)), fmt.Sprintf(`"bytes": %d`, len(after)))
	})
	s = openStore(t, options(dir))
	sameAnswers(t, s, acquire(t, s, computers), rows, 60)
	g, err := s.Remap(ctx, computers, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Release()
	sameAnswers(t, s, g, rows, 20)
}
