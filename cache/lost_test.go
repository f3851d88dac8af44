package cache_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
)

func manifestOf(dir string) string { return filepath.Join(seriesDir(dir, computers), "manifest.json") }

// reseal changes a manifest as a program would, not as a disk does: its digest fits again.
func reseal(t testing.TB, path string, do func(text string) string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text, _, sealed := strings.Cut(string(data), ",\n  \"seal\"")
	if !sealed {
		t.Fatal("the manifest has no seal")
	}
	if err := os.WriteFile(path, cache.Seal([]byte(do(text)+"\n}")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// contents are the digests of the generation files below the directory of computers, by where they lie.
func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(seriesDir(dir, computers), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || filepath.Ext(path) != ".sqlite" {
			return err
		}
		name, err := filepath.Rel(seriesDir(dir, computers), path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		out[name] = fmt.Sprintf("%x", sha256.Sum256(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheNextWalkSetsALostSeriesAsideAndUnlinksNothing(t *testing.T) {
	edited := func(before, after string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			reseal(t, manifestOf(dir), func(text string) string {
				if !strings.Contains(text, before) {
					t.Fatalf("no %s in %s", before, text)
				}
				return strings.Replace(text, before, after, 1)
			})
		}
	}
	for name, harm := range map[string]func(t *testing.T, dir string){
		"deleted":   func(t *testing.T, dir string) { remove(t, manifestOf(dir)) },
		"empty":     func(t *testing.T, dir string) { faults()["empty"](t, manifestOf(dir)) },
		"cut off":   func(t *testing.T, dir string) { faults()["cut off"](t, manifestOf(dir)) },
		"flipped":   func(t *testing.T, dir string) { faults()["one flip"](t, manifestOf(dir)) },
		"directory": func(t *testing.T, dir string) { faults()["a directory"](t, manifestOf(dir)) },
		"of another store": func(t *testing.T, dir string) {
			reseal(t, manifestOf(dir), func(text string) string {
				at := strings.Index(text, `"store": "`) + len(`"store": "`)
				return text[:at] + strings.Repeat("ab", 16) + text[at+32:]
			})
		},
		"of another source":    edited(`"source": "school-a"`, `"source": "school-z"`),
		"of nobody's number":   edited(`"current": 2`, `"current": 18446744073709551615`),
		"one that was emptied": edited(`"current": 2`, `"current": 0`),
		"an older one": func(t *testing.T, dir string) {
			old, err := os.ReadFile(manifestOf(dir))
			if err != nil {
				t.Fatal(err)
			}
			s := openStore(t, options(dir))
			for i := range 4 { // 1 and 2 stay beside them: too few walks, too short a time
				publish(t, s, computers, fleet(42+i, 3+i))
			}
			closeStore(t, s)
			change(t, manifestOf(dir), func([]byte) []byte { return old })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := damaged(t, harm)
			before := contents(t, dir)
			last := uint64(len(before))
			for range 2 { // a second start finds the same
				s := openStore(t, options(dir))
				_, err := s.Acquire(computers)
				wantError(t, err, cache.ErrLost)
				if got := s.LastNumber(computers); got != last {
					t.Errorf("last known number is %d, want %d", got, last)
				}
				closeStore(t, s)
				if diff := cmp.Diff(before, contents(t, dir)); diff != "" {
					t.Fatalf("a start changed the files:\n%s", diff)
				}
			}
			s := openStore(t, options(dir))
			if n := publish(t, s, computers, fleet(50, 9)); n != last+1 {
				t.Errorf("the next number is %d, want %d", n, last+1)
			}
			after := contents(t, dir)
			for file, digest := range before {
				if after[filepath.Join(fmt.Sprintf("lost-%08d", last+1), file)] != digest {
					t.Errorf("%s is not set aside", file)
				}
			}
			if len(after) != len(before)+1 {
				t.Errorf("%d files, want %d and the new one", len(after), len(before))
			}
			closeStore(t, s)
			s = openStore(t, options(dir))
			wantRows(t, acquire(t, s, computers), fleet(50, 9))
			if n := publish(t, s, computers, fleet(51, 10)); n != last+2 {
				t.Errorf("the number after it is %d, want %d", n, last+2)
			}
		})
	}
}

// Any single flipped byte of a manifest: what is served is what was put, else the series is lost, and no file is gone.
func TestNoFlippedByteOfAManifestIsAFreshStart(t *testing.T) {
	dir := damaged(t, func(*testing.T, string) {})
	whole, err := os.ReadFile(manifestOf(dir))
	if err != nil {
		t.Fatal(err)
	}
	files := contents(t, dir)
	check := func(broken []byte, what string) {
		t.Helper()
		if err := os.WriteFile(manifestOf(dir), broken, 0o600); err != nil {
			t.Fatal(err)
		}
		s := openStore(t, options(dir))
		defer closeStore(t, s)
		g, err := s.Acquire(computers)
		switch {
		case err == nil:
			wantRows(t, g, fleet(41, 2))
			g.Release()
		case !errors.Is(err, cache.ErrLost), errors.Is(err, cache.ErrNewer):
			t.Errorf("%s: %v", what, err)
		case s.LastNumber(computers) != 2:
			t.Errorf("%s: last number is %d", what, s.LastNumber(computers))
		}
		if diff := cmp.Diff(files, contents(t, dir)); diff != "" {
			t.Fatalf("%s: the files changed:\n%s", what, diff)
		}
	}
	good, err := cache.ParseManifest(whole)
	if err != nil {
		t.Fatal(err)
	}
	for at := range whole {
		for bit := range 8 {
			broken := bytes.Clone(whole)
			broken[at] ^= 1 << bit
			if m, err := cache.ParseManifest(broken); err == nil && !reflect.DeepEqual(m, good) {
				t.Errorf("byte %d, bit %d: it reads %+v", at, bit, m)
			}
		}
		if m, err := cache.ParseManifest(whole[:at]); err == nil && !reflect.DeepEqual(m, good) {
			t.Errorf("cut off at %d: it reads %+v", at, m)
		}
	}
	for _, needle := range []string{`1,`, `store`, `current": `, `kept`, `sha256": "`, `seal`} {
		broken := bytes.Clone(whole)
		at := bytes.Index(whole, []byte(needle)) + len(needle) - 1
		broken[at] ^= 2
		check(broken, fmt.Sprintf("flipped at %d", at))
	}
	check(whole[:len(whole)/3], "cut off")
}

func TestAManifestBeforeTheSealIsFollowed(t *testing.T) {
	dir := damaged(t, func(t *testing.T, dir string) {
		change(t, manifestOf(dir), func(data []byte) []byte {
			text, _, _ := bytes.Cut(data, []byte(",\n  \"seal\""))
			return append(slices.Clip(text), "\n}\n"...)
		})
	})
	wantRows(t, acquire(t, openStore(t, options(dir)), computers), fleet(41, 2))
}

// Neither manifest nor files tell a number: the next one is none that a count of walks has reached.
func TestALostNumberIsNotGivenAgain(t *testing.T) {
	dir := damaged(t, func(t *testing.T, dir string) {
		faults()["empty"](t, manifestOf(dir))
		remove(t, generationFile(dir, computers, 1))
		remove(t, generationFile(dir, computers, 2))
	})
	o := options(dir)
	o.Now = newClock().Now
	s := openStore(t, o)
	_, err := s.Acquire(computers)
	wantError(t, err, cache.ErrLost)
	if n, want := publish(t, s, computers, fleet(3, 1)), uint64(o.Now().Unix()/60+1); n != want {
		t.Errorf("the next number is %d, want %d", n, want)
	}
	closeStore(t, s)
	wantRows(t, acquire(t, openStore(t, o), computers), fleet(3, 1))
}

// A crash in the middle of setting aside leaves a lost series, not a fresh one.
func TestWhatIsSetAsideWithoutAManifestIsALoss(t *testing.T) {
	dir := damaged(t, func(t *testing.T, dir string) {
		aside := filepath.Join(seriesDir(dir, computers), "lost-00000003")
		if err := os.Mkdir(aside, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{manifestOf(dir), generationFile(dir, computers, 1), generationFile(dir, computers, 2)} {
			if err := os.Rename(path, filepath.Join(aside, filepath.Base(path))); err != nil {
				t.Fatal(err)
			}
		}
	})
	s := openStore(t, options(dir))
	_, err := s.Acquire(computers)
	wantError(t, err, cache.ErrLost)
	if n := publish(t, s, computers, fleet(3, 1)); n != 4 {
		t.Errorf("the next number is %d, want 4", n)
	}
}

func TestANewerManifestIsNotWrittenOver(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := openStore(t, options(dir))
	publish(t, s, computers, fleet(3, 1))
	c := finish(t, s, computers, 1, fleet(4, 2))
	reseal(t, manifestOf(dir), func(text string) string { return strings.Replace(text, `"format": 1`, `"format": 9`, 1) })
	newer, err := os.ReadFile(manifestOf(dir))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Publish(ctx, c)
	wantError(t, err, cache.ErrNewer)
	if !strings.Contains(err.Error(), "start the newer version again") {
		t.Errorf("it does not say what to do: %v", err)
	}
	if got, err := os.ReadFile(manifestOf(dir)); err != nil || !bytes.Equal(got, newer) {
		t.Errorf("the manifest was changed: %s, %v", got, err)
	}
	wantRows(t, acquire(t, s, computers), fleet(3, 1))
}

// A file that appeared meanwhile is never written over: numbers are looked up again before one is given.
func TestAFileThatAppearsIsNotOverwritten(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, options(dir))
	publish(t, s, computers, fleet(3, 1))
	c := finish(t, s, computers, 1, fleet(4, 2))
	strange := generationFile(dir, computers, 2)
	if err := os.WriteFile(strange, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Publish(context.Background(), c); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error is %v", err)
	}
	if data, err := os.ReadFile(strange); err != nil || string(data) != "x" {
		t.Errorf("the file holds %q, %v", data, err)
	}
	if err := os.Rename(strange, generationFile(dir, computers, 7)); err != nil {
		t.Fatal(err)
	}
	if n := publish(t, s, computers, fleet(5, 3)); n != 8 {
		t.Errorf("the next number is %d, want 8", n)
	}
}

// What can only be looked at again can be mended while the program runs.
func TestASeriesWhoseDirectoryCannotBeReadIsLoadedByTheNextWalk(t *testing.T) {
	dir := damaged(t, func(*testing.T, string) {})
	series := seriesDir(dir, computers)
	s := openStore(t, options(dir))
	closeStore(t, s)
	hide(t, series)
	s = openStore(t, options(dir))
	_, err := s.Acquire(computers)
	wantError(t, err, cache.ErrLost)
	if _, err := s.Begin(context.Background(), draft(computers, s.LastNumber(computers))); err == nil {
		t.Fatal("a walk began although nobody knows which numbers were given")
	}
	show(t, series)
	_, err = s.Begin(context.Background(), draft(computers, s.LastNumber(computers)))
	wantError(t, err, cache.ErrConflict)
	wantRows(t, acquire(t, s, computers), fleet(41, 2))
	if n := publish(t, s, computers, fleet(5, 3)); n != 3 {
		t.Errorf("the next number is %d, want 3", n)
	}
}

// hide leaves something that is there, but cannot be listed by anybody: a link that leads to itself.
func hide(t *testing.T, dir string) {
	t.Helper()
	if err := os.Rename(dir, dir+".hidden"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Base(dir), dir); err != nil {
		t.Fatal(err)
	}
}

func show(t *testing.T, dir string) {
	t.Helper()
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir+".hidden", dir); err != nil {
		t.Fatal(err)
	}
}

func TestNarrowingReachesWhatWasSetAside(t *testing.T) {
	ctx := context.Background()
	wide, narrow := own(t, "wide", "name", "identity"), own(t, "narrow", "name")
	dir := t.TempDir()
	s := openStore(t, options(dir))
	publishUnder(t, s, narrow, fleet(5, 1))
	publishUnder(t, s, wide, fleet(6, 2))
	closeStore(t, s)
	remove(t, manifestOf(dir))
	s = openStore(t, options(dir))
	publishUnder(t, s, wide, fleet(7, 3))
	if _, err := s.DropWider(ctx, computers, wide); err != nil || len(contents(t, dir)) != 3 {
		t.Fatalf("%d files, %v", len(contents(t, dir)), err)
	}
	dropped, err := s.DropWider(ctx, computers, narrow)
	if err != nil || !slices.Equal(dropped, []uint64{2}) {
		t.Errorf("dropped %v, %v", dropped, err)
	}
	left := contents(t, dir)
	if left["lost-00000003/00000001.sqlite"] == "" || left["00000003.sqlite"] == "" || len(left) != 2 {
		t.Errorf("%d files are left", len(left))
	}
}

func TestWhatIsSetAsideIsKeptForAWhileAndNotWithoutBound(t *testing.T) {
	o := options(t.TempDir())
	now := newClock()
	o.Now = now.Now
	aside := func() []string {
		dirs, err := filepath.Glob(filepath.Join(seriesDir(o.Dir, computers), "lost-*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range dirs { // the moment of the loss is the file system's, which has another clock here
			if info, err := os.Stat(dir); err == nil && info.ModTime().After(now.Now()) {
				if err := os.Chtimes(dir, now.Now(), now.Now()); err != nil {
					t.Fatal(err)
				}
			}
		}
		return dirs
	}
	now.advance(-365 * 24 * time.Hour) // whatever hour it is outside
	for i := range 5 {
		s := openStore(t, o)
		publish(t, s, computers, fleet(5, i))
		closeStore(t, s)
		if dirs := aside(); len(dirs) != min(i, 3) {
			t.Errorf("after %d losses: %v", i, dirs)
		}
		if i < 4 {
			remove(t, manifestOf(o.Dir))
		}
	}
	kept := aside()
	if want := []string{"lost-00000003", "lost-00000004", "lost-00000005"}; len(kept) != 3 || filepath.Base(kept[0]) != want[0] || filepath.Base(kept[2]) != want[2] {
		t.Errorf("kept are %v, want %v", kept, want)
	}
	now.advance(89 * 24 * time.Hour)
	s := openStore(t, o)
	publish(t, s, computers, fleet(5, 8))
	if dirs := aside(); len(dirs) != 3 {
		t.Errorf("after 89 days: %v", dirs)
	}
	now.advance(48 * time.Hour)
	if n := publish(t, s, computers, fleet(5, 9)); n != 7 {
		t.Errorf("the number after it is %d", n)
	}
	if dirs := aside(); len(dirs) != 0 {
		t.Errorf("after 91 days: %v", dirs)
	}
	closeStore(t, s)
	s = openStore(t, o)
	wantRows(t, acquire(t, s, computers), fleet(5, 9))
}
