package cache_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

func departments(names map[int64]string) *device.Names {
	var n *device.Names
	return n.Replace(device.Departments, names)
}

// publishNamed publishes rows with names.
func publishNamed(t *testing.T, s *cache.Store, rows []row, names *device.Names) *cache.Generation {
	t.Helper()
	ctx := context.Background()
	b, err := s.Begin(ctx, draft(computers, s.LastNumber(computers)))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Abort()
	for _, r := range rows {
		if err := b.Put(ctx, r.id, []byte(r.body), r.columns, r.state); err != nil {
			t.Fatal(err)
		}
	}
	b.SetNames(names)
	c, err := b.Finish(ctx, cache.Outcome{Ended: ended, ReportedTotal: len(rows)})
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.Publish(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Release)
	return g
}

// placed is a fleet of one computer in department 3.
func placed() []row {
	rows := fleet(1, 1)
	rows[0].body = strings.Replace(rows[0].body, `"general":`, `"userAndLocation":{"departmentId":"3"},"general":`, 1)
	return rows
}

func fullProfile(t *testing.T) *device.Profile {
	t.Helper()
	p, ok := device.BuiltinProfile("full")
	if !ok {
		t.Fatal("no profile full")
	}
	return p
}

func shownDepartment(t *testing.T, s *cache.Store, g *cache.Generation) string {
	t.Helper()
	bodies, err := s.Normalized(context.Background(), g, fullProfile(t), []int64{1})
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(bodies[0]), `"department":`)
	if !ok {
		t.Fatalf("no department in %s", bodies[0])
	}
	department, _, _ := strings.Cut(rest, "}")
	return department
}

func TestAnotherNameIsAnotherContentAndShows(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, options(dir))
	none := publishNamed(t, s, placed(), nil)
	first := publishNamed(t, s, placed(), departments(map[int64]string{3: "IT"}))
	again := publishNamed(t, s, placed(), departments(map[int64]string{3: "IT"}))
	renamed := publishNamed(t, s, placed(), departments(map[int64]string{3: "IT & Medien"}))
	if first.Info().Digest == none.Info().Digest || first.Info().Digest != again.Info().Digest || again.Info().Digest == renamed.Info().Digest {
		t.Errorf("digests %s, %s, %s, %s", none.Info().Digest, first.Info().Digest, again.Info().Digest, renamed.Info().Digest)
	}
	for g, want := range map[*cache.Generation]string{none: `{"id":"3","name":null`, first: `{"id":"3","name":"IT"`, renamed: `{"id":"3","name":"IT & Medien"`} {
		if got := shownDepartment(t, s, g); got != want {
			t.Errorf("generation %d shows %s, want %s", g.Info().Number, got, want)
		}
	}
	if diff := cmp.Diff(map[device.NameList]int{device.Departments: 1}, renamed.Info().Names); diff != "" {
		t.Error(diff)
	}
}

func TestNamesOutliveARestartAndARecutDropsWhatTheProfileDoesNotNeed(t *testing.T) {
	dir := t.TempDir()
	names := departments(map[int64]string{3: "IT"}).Replace(device.Sites, map[int64]string{3: "Süd"})
	s := openStore(t, options(dir))
	publishNamed(t, s, placed(), names).Retain().Release()
	g, err := s.Remap(context.Background(), computers, nil)
	if err != nil {
		t.Fatal(err)
	}
	if g.Names().Digest() != names.Digest() {
		t.Errorf("mapping again changed the names: %v", g.Info().Names)
	}
	g.Release()
	g, err = s.Recut(context.Background(), computers, fullProfile(t))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[device.NameList]int{device.Departments: 1}, g.Info().Names); diff != "" {
		t.Errorf("full needs no sites of computers:\n%s", diff)
	}
	if got := shownDepartment(t, s, g); got != `{"id":"3","name":"IT"` {
		t.Errorf("after a cut: %s", got)
	}
	g.Release()
	minimal, _ := device.BuiltinProfile("minimal")
	g, err = s.Recut(context.Background(), computers, minimal)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Release()
	if g.Names() != nil || g.Info().Names != nil {
		t.Errorf("minimal keeps names: %v", g.Info().Names)
	}
	b, err := os.ReadFile(generationFile(dir, computers, g.Info().Number))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "departments") {
		t.Error("the file still holds a list of departments")
	}
}

// alter changes the only generation file as an SQLite tool would, and the manifest with it: what only the description
// can notice.
func alter(t *testing.T, dir, statement string) {
	t.Helper()
	file := generationFile(dir, computers, 1)
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	change(t, filepath.Join(seriesDir(dir, computers), "manifest.json"), func(b []byte) []byte {
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		kept, _ := m["kept"].([]any)
		first, _ := kept[0].(map[string]any)
		first["sha256"], first["bytes"] = hex.EncodeToString(sum[:]), len(data)
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	})
}

func TestAFileOfAnOlderProgramHasNoNamesAndIsRead(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, options(dir))
	publishNamed(t, s, placed(), nil)
	closeStore(t, s)
	alter(t, dir, "DROP TABLE name")
	s = openStore(t, options(dir))
	g := acquire(t, s, computers)
	wantRows(t, g, placed())
	if g.Names() != nil {
		t.Errorf("names of %v", g.Info().Names)
	}
	next := publishNamed(t, s, placed(), departments(map[int64]string{3: "IT"}))
	if got := shownDepartment(t, s, next); got != `{"id":"3","name":"IT"` {
		t.Errorf("its successor shows %s", got)
	}
}

func TestNamesThatAreNotThoseThatWereWrittenAreDamage(t *testing.T) {
	for _, statement := range []string{
		"UPDATE name SET name = 'another'", "DELETE FROM name", "UPDATE name SET id = 4", "UPDATE name SET list = 'buildings'", "DROP TABLE name",
	} {
		dir := t.TempDir()
		s := openStore(t, options(dir))
		publishNamed(t, s, placed(), departments(map[int64]string{3: "IT"}))
		closeStore(t, s)
		alter(t, dir, statement)
		_, err := openStore(t, options(dir)).Acquire(computers)
		if err == nil {
			t.Errorf("%s: served", statement)
			continue
		}
		wantError(t, err, cache.ErrCorrupt)
	}
}
