package cache_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// damaged makes a store with generations 1 and 2 of computers and 1 of mobiles, closes it, and lets do at it.
func damaged(t *testing.T, do func(t *testing.T, dir string)) string {
	t.Helper()
	dir := t.TempDir()
	s := openStore(t, options(dir))
	publish(t, s, computers, fleet(40, 1))
	publish(t, s, computers, fleet(41, 2))
	publish(t, s, mobiles, fleet(7, 1))
	closeStore(t, s)
	do(t, dir)
	return dir
}

func change(t *testing.T, path string, do func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, do(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// faults are what a disk, a restore or a person does to a generation file.
func faults() map[string]func(t *testing.T, path string) {
	return map[string]func(t *testing.T, path string){
		"deleted": remove,
		"empty":   func(t *testing.T, path string) { change(t, path, func([]byte) []byte { return nil }) },
		"cut off": func(t *testing.T, path string) { change(t, path, func(b []byte) []byte { return b[:len(b)/2] }) },
		"longer":  func(t *testing.T, path string) { change(t, path, func(b []byte) []byte { return append(b, 0) }) },
		"garbage": func(t *testing.T, path string) {
			change(t, path, func(b []byte) []byte { return bytes.Repeat([]byte{'x'}, len(b)) })
		},
		"one flip": func(t *testing.T, path string) { change(t, path, func(b []byte) []byte { b[len(b)/2] ^= 1; return b }) },
		"a zeroed page": func(t *testing.T, path string) {
			change(t, path, func(b []byte) []byte { clear(b[8192:16384]); return b })
		},
		"a directory": func(t *testing.T, path string) {
			remove(t, path)
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		},
		"another generation": func(t *testing.T, path string) {
			change(t, path, func([]byte) []byte {
				data, err := os.ReadFile(filepath.Join(filepath.Dir(path), "../mobile/00000001.sqlite"))
				if err != nil {
					t.Fatal(err)
				}
				return data
			})
		},
	}
}

func TestTheGenerationBeforeServesWhenTheCurrentFileFails(t *testing.T) {
	for name, fault := range faults() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := damaged(t, func(t *testing.T, dir string) { fault(t, generationFile(dir, computers, 2)) })
			var log bytes.Buffer
			o := options(dir)
			o.Logger = slog.New(slog.NewJSONHandler(&log, nil))
			s := openStore(t, o)
			g := acquire(t, s, computers)
			if n := g.Info().Number; n != 1 {
				t.Errorf("generation %d is served, want 1", n)
			}
			wantRows(t, g, fleet(40, 1))
			wantRows(t, acquire(t, s, mobiles), fleet(7, 1))
			if !strings.Contains(log.String(), "an older generation is served") {
				t.Errorf("nothing about it in the log: %s", &log)
			}
			if got := s.LastNumber(computers); got != 1 {
				t.Errorf("the next parent is %d, want the one that is served", got)
			}
			if n := publish(t, s, computers, fleet(42, 3)); n != 3 {
				t.Errorf("the next number is %d, want 3: numbers never go back", n)
			}
			wantRows(t, acquire(t, s, computers), fleet(42, 3))
			if got := numbers(s.Kept(computers)); len(got) != 2 || got[0] != 3 || got[1] != 1 {
				t.Errorf("kept %v, want 3 and 1", got)
			}
		})
	}
}

func TestALostSeriesIsNeverAFreshStart(t *testing.T) {
	both := func(fault func(*testing.T, string)) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			fault(t, generationFile(dir, computers, 1))
			fault(t, generationFile(dir, computers, 2))
		}
	}
	manifest := func(dir string) string { return filepath.Join(seriesDir(dir, computers), "manifest.json") }
	edit := func(key string, value any) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			change(t, manifest(dir), func(data []byte) []byte {
				var m map[string]any
				if err := json.Unmarshal(data, &m); err != nil {
					t.Fatal(err)
				}
				m[key] = value
				data, err := json.Marshal(m)
				if err != nil {
					t.Fatal(err)
				}
				return data
			})
		}
	}
	for name, c := range map[string]struct {
		do   func(t *testing.T, dir string)
		want error
	}{
		"all files deleted":    {both(remove), cache.ErrLost},
		"all files empty":      {both(faults()["empty"]), cache.ErrLost},
		"all files foreign":    {both(faults()["another generation"]), cache.ErrCorrupt}, // of another size
		"all files cut off":    {both(faults()["cut off"]), cache.ErrCorrupt},
		"all files flipped":    {both(faults()["one flip"]), cache.ErrCorrupt},
		"manifest missing":     {func(t *testing.T, dir string) { remove(t, manifest(dir)) }, cache.ErrLost},
		"manifest empty":       {func(t *testing.T, dir string) { faults()["empty"](t, manifest(dir)) }, cache.ErrLost},
		"manifest cut off":     {func(t *testing.T, dir string) { faults()["cut off"](t, manifest(dir)) }, cache.ErrLost},
		"manifest of a store":  {edit("store", strings.Repeat("ab", 16)), cache.ErrLost},
		"manifest of a source": {edit("source", "school-z"), cache.ErrLost},
		"manifest of nothing":  {edit("kept", []any{}), cache.ErrLost},
		"manifest of a format": {edit("format", 0), cache.ErrLost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openStore(t, options(damaged(t, c.do)))
			for range 2 {
				_, err := s.Acquire(computers)
				wantError(t, err, c.want)
			}
			wantRows(t, acquire(t, s, mobiles), fleet(7, 1))
			if got := s.LastNumber(computers); got != 2 {
				t.Fatalf("last known number is %d, want 2", got)
			}
			_, err := s.Begin(context.Background(), draft(computers, 0))
			wantError(t, err, cache.ErrConflict)
			if n := publish(t, s, computers, fleet(42, 3)); n != 3 {
				t.Errorf("the next number is %d, want 3", n)
			}
			wantRows(t, acquire(t, s, computers), fleet(42, 3))
		})
	}
}

func TestAForeignFileOfTheSameSizeIsNotServed(t *testing.T) {
	foreign := t.TempDir()
	s := openStore(t, options(foreign))
	publish(t, s, computers, fleet(40, 1))
	publish(t, s, computers, fleet(41, 2))
	closeStore(t, s)
	dir := damaged(t, func(t *testing.T, dir string) {
		for _, n := range []uint64{1, 2} {
			change(t, generationFile(dir, computers, n), func(mine []byte) []byte {
				theirs, err := os.ReadFile(generationFile(foreign, computers, n))
				if err != nil {
					t.Fatal(err)
				}
				if len(theirs) != len(mine) {
					t.Fatalf("sizes differ: %d and %d", len(theirs), len(mine))
				}
				return theirs
			})
		}
	})
	_, err := openStore(t, options(dir)).Acquire(computers)
	wantError(t, err, cache.ErrLost)
}

func TestANewerFormatIsLeftAlone(t *testing.T) {
	newer := func(text string) string { return strings.Replace(text, `"format": 1`, `"format": 2`, 1) }
	t.Run("of the store", func(t *testing.T) {
		dir := damaged(t, func(t *testing.T, dir string) {
			change(t, filepath.Join(dir, "store.json"), func(data []byte) []byte { return []byte(newer(string(data))) })
		})
		_, err := cache.Open(context.Background(), options(dir))
		if err == nil || !strings.Contains(err.Error(), "format 2") {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("of a series", func(t *testing.T) {
		dir := damaged(t, func(t *testing.T, dir string) {
			reseal(t, filepath.Join(seriesDir(dir, computers), "manifest.json"), newer)
		})
		s := openStore(t, options(dir))
		_, err := s.Acquire(computers)
		wantError(t, err, cache.ErrLost)
		wantError(t, err, cache.ErrNewer)
		if !strings.Contains(err.Error(), "format 2") {
			t.Errorf("error is %v", err)
		}
		if _, err := s.Begin(context.Background(), draft(computers, s.LastNumber(computers))); err == nil {
			t.Error("a newer version's data may be written over")
		}
		if files := filesIn(t, seriesDir(dir, computers), ".sqlite"); len(files) != 2 {
			t.Errorf("files left: %v", files)
		}
	})
}

func TestALostIdentityIsNotMadeAgain(t *testing.T) {
	for name, do := range map[string]func(t *testing.T, path string){
		"missing": remove, "empty": faults()["empty"], "garbage": faults()["garbage"],
		"without identity": func(t *testing.T, path string) {
			change(t, path, func([]byte) []byte { return []byte(`{"format":1}`) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := damaged(t, func(t *testing.T, dir string) { do(t, filepath.Join(dir, "store.json")) })
			_, err := cache.Open(context.Background(), options(dir))
			wantError(t, err, cache.ErrLost)
			if _, err := os.Stat(generationFile(dir, computers, 2)); err != nil {
				t.Errorf("the generation is gone: %v", err)
			}
		})
	}
}

func TestLeftoversOfACrashAreRemoved(t *testing.T) {
	var dir string
	leave := func(t *testing.T, d string) {
		dir = d
		for _, name := range []string{"ABC.building", "ABC.building-journal", ".manifest.json.123.tmp", "00000003.sqlite", "notes.txt"} {
			if err := os.WriteFile(filepath.Join(seriesDir(d, computers), name), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := openStore(t, options(damaged(t, leave)))
	wantRows(t, acquire(t, s, computers), fleet(41, 2))
	got := strings.Join(filesIn(t, seriesDir(dir, computers), ""), " ")
	if want := "00000001.sqlite 00000002.sqlite ABC.building-journal manifest.json notes.txt"; got != want {
		t.Errorf("files are %s, want %s", got, want)
	}
	if n := publish(t, s, computers, fleet(1, 1)); n < 3 {
		t.Errorf("the next number is %d", n)
	}
}

// A crash between the first generation's file and its manifest is no lost store.
func TestACrashInTheFirstPublishIsAFreshStart(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, options(dir))
	publish(t, s, computers, fleet(3, 1))
	closeStore(t, s)
	change(t, filepath.Join(seriesDir(dir, computers), "manifest.json"), func(data []byte) []byte {
		var m map[string]any
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		m["current"], m["kept"] = 0, []any{}
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return data
	})
	s = openStore(t, options(dir))
	_, err := s.Acquire(computers)
	wantError(t, err, cache.ErrNone)
	if files := filesIn(t, seriesDir(dir, computers), ".sqlite"); len(files) > 0 {
		t.Errorf("left %v", files)
	}
	publish(t, s, computers, fleet(4, 1))
}

// flip changes one byte of every record of an open file in place, as a disk would.
func flip(t *testing.T, path string, needle func(content []byte) int) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := needle(content)
	if at < 0 {
		t.Fatal("nothing to flip")
	}
	if _, err := file.WriteAt([]byte{content[at] ^ 0x20}, int64(at)); err != nil {
		t.Fatal(err)
	}
}

// incompressible bodies stand in the file as they are, so that a test can find them.
func plainRows(n int) []row {
	rows := make([]row, n)
	for i := range rows {
		rows[i] = row{id: int64(i + 1), body: strings.Repeat("q", 3) + strings.Repeat(string(rune('A'+i)), 2), state: cache.StatePresent}
	}
	return rows
}

func TestAFlippedByteInARecordIsNeverAnswered(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := openStore(t, options(dir))
	publish(t, s, computers, fleet(40, 1))
	publish(t, s, computers, plainRows(5))
	g := acquire(t, s, computers)
	flip(t, generationFile(dir, computers, 2), func(b []byte) int { return bytes.Index(b, []byte("qqqCC")) + 3 })
	_, err := g.Get(ctx, 3)
	wantError(t, err, cache.ErrCorrupt)
	if page, err := g.Page(ctx, 0, 5); err == nil || page != nil {
		t.Errorf("page is %v, %v", page, err)
	}
	if r, err := g.Get(ctx, 2); err != nil || string(r.Body) != "qqqBB" {
		t.Errorf("the record beside it: %s, %v", r.Body, err)
	}
	fallen := acquire(t, s, computers)
	if n := fallen.Info().Number; n != 1 {
		t.Errorf("generation %d is served, want the one before", n)
	}
	wantRows(t, fallen, fleet(40, 1))
	_, err = s.AcquireNumber(computers, 2)
	wantError(t, err, cache.ErrCorrupt)
}

// The state stands beside the body and is answered with it. A file that was verified since the start is not hashed
// again when it is opened again: then it is the record's own checksum that tells.
func TestAFlippedByteInAStateIsNeverAnswered(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, options(dir))
	publish(t, s, computers, fleet(50, 1))
	publish(t, s, computers, fleet(50, 2))
	flip(t, generationFile(dir, computers, 1), func(b []byte) int { return bytes.Index(b, []byte("presentSER")) })
	g, err := s.AcquireNumber(computers, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Release()
	failed := 0
	for offset := range 50 {
		page, err := g.Page(context.Background(), offset, 1)
		if err != nil {
			wantError(t, err, cache.ErrCorrupt)
			failed++
		} else if page[0].State != cache.StatePresent {
			t.Errorf("record %d has the state %q", page[0].ID, page[0].State)
		}
	}
	if failed != 1 {
		t.Errorf("%d records failed, want the one with the flipped byte", failed)
	}
}

// A row that SQLite does not find any more is damage: neither a shorter page nor an unknown device.
func TestAMissingRowIsNeverAShorterPage(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := openStore(t, options(dir))
	publish(t, s, computers, fleet(30, 1))
	g := acquire(t, s, computers)
	db, err := sql.Open("sqlite", "file:"+generationFile(dir, computers, 1)+"?mode=rw")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "DELETE FROM body WHERE id IN (1, 46, 88)"); err != nil {
		t.Fatal(err)
	}
	for _, at := range [][2]int{{0, 30}, {0, 1}, {15, 1}, {14, 3}, {29, 5}} {
		page, err := g.Page(ctx, at[0], at[1])
		wantError(t, err, cache.ErrCorrupt)
		if page != nil {
			t.Errorf("page %v has %d records", at, len(page))
		}
	}
	_, err = g.Get(ctx, 46)
	wantError(t, err, cache.ErrCorrupt)
	p := profile(t, "minimal")
	_, err = s.Normalized(ctx, g, p, []int64{43, 46, 49})
	wantError(t, err, cache.ErrCorrupt)
	_, err = s.Warm(ctx, g, []*device.Profile{p})
	wantError(t, err, cache.ErrCorrupt)
}

func TestAWalkThatRanWhileItsParentFailedIsPublished(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := openStore(t, options(dir))
	publish(t, s, computers, fleet(40, 1))
	publish(t, s, computers, plainRows(5))
	c := finish(t, s, computers, 2, fleet(6, 3))
	g := acquire(t, s, computers)
	flip(t, generationFile(dir, computers, 2), func(b []byte) int { return bytes.Index(b, []byte("qqqCC")) + 3 })
	_, err := g.Get(ctx, 3)
	wantError(t, err, cache.ErrCorrupt)
	if n := acquire(t, s, computers).Info().Number; n != 1 {
		t.Fatalf("generation %d is served", n)
	}
	next, err := s.Publish(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	defer next.Release()
	if got := numbers(s.Kept(computers)); len(got) != 2 || got[0] != 3 || got[1] != 1 {
		t.Errorf("kept %v, want 3 and 1", got)
	}
}

func TestTheOnlyGenerationFailingIsCorruptAndNotEmpty(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := openStore(t, options(dir))
	publish(t, s, computers, plainRows(5))
	g := acquire(t, s, computers)
	flip(t, generationFile(dir, computers, 1), func(b []byte) int { return bytes.Index(b, []byte("qqqCC")) + 3 })
	_, err := g.Get(ctx, 3)
	wantError(t, err, cache.ErrCorrupt)
	_, err = s.Acquire(computers)
	wantError(t, err, cache.ErrCorrupt)
	if n := publish(t, s, computers, fleet(3, 1)); n != 2 {
		t.Errorf("next number is %d, want 2", n)
	}
	wantRows(t, acquire(t, s, computers), fleet(3, 1))
}

// Any single flipped byte anywhere in the file: a read answers what was put, or an error; after a restart the file is refused.
func TestNoFlippedByteIsServedAfterARestart(t *testing.T) {
	dir := damaged(t, func(*testing.T, string) {})
	path := generationFile(dir, computers, 2)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(whole); at += len(whole)/40 + 1 {
		broken := bytes.Clone(whole)
		broken[at] ^= 0x10
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		s := openStore(t, options(dir))
		if n := acquire(t, s, computers).Info().Number; n != 1 {
			t.Errorf("byte %d flipped: generation %d is served", at, n)
		}
		closeStore(t, s)
	}
}

func FuzzManifest(f *testing.F) {
	dir := f.TempDir()
	s := openStore(f, options(dir))
	publish(f, s, computers, fleet(3, 1))
	identity := s.Identity()
	closeStore(f, s)
	path := filepath.Join(seriesDir(dir, computers), "manifest.json")
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	file, err := os.ReadFile(generationFile(dir, computers, 1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bytes.ReplaceAll(good, []byte(identity), []byte("IDENTITY")))
	f.Fuzz(func(t *testing.T, data []byte) {
		data = bytes.ReplaceAll(data, []byte("IDENTITY"), []byte(identity))
		for name, content := range map[string][]byte{path: data, generationFile(dir, computers, 1): file} {
			if err := os.WriteFile(name, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s := openStore(t, options(dir))
		defer closeStore(t, s)
		if g, err := s.Acquire(computers); err == nil {
			defer g.Release()
			wantRows(t, g, fleet(3, 1)) // whatever the manifest says, no other answer
		}
	})
}
