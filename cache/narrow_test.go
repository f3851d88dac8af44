package cache_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

func own(t testing.TB, name string, fields ...string) *device.Profile {
	t.Helper()
	p, err := device.NewProfile(name, nil, fields)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// publishUnder publishes rows as a walk under a profile does.
func publishUnder(t testing.TB, s *cache.Store, p *device.Profile, rows []row) cache.Info {
	t.Helper()
	ctx := context.Background()
	d := draft(computers, s.LastNumber(computers))
	d.ProfileName, d.ProfileDigest, d.ProfilePaths = p.Name(), p.Digest(), p.Paths(device.Computer)
	b, err := s.Begin(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Abort()
	for _, r := range rows {
		body, err := p.Cut(device.Computer, nil, []byte(r.body))
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Put(ctx, r.id, body, r.columns, r.state); err != nil {
			t.Fatal(err)
		}
	}
	c, err := b.Finish(ctx, cache.Outcome{Ended: ended, ReportedTotal: len(rows)})
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.Publish(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Release()
	return g.Info()
}

func TestAGenerationTellsWhatAProfileWouldTakeAndWhatItLacks(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	names, more, other := own(t, "n", "name"), own(t, "m", "name", "os"), own(t, "o", "os")
	info := publishUnder(t, s, more, fleet(3, 1))
	for name, c := range map[string]struct {
		p              *device.Profile
		exceeds, lacks bool
	}{
		"the same":             {more, false, false},
		"the same, other name": {own(t, "x", "os", "name"), false, false},
		"narrower":             {names, true, false},
		"wider":                {own(t, "w", "name", "os", "user"), false, true},
		"mixed":                {own(t, "w", "name", "user"), true, true},
	} {
		if info.Exceeds(c.p) != c.exceeds || info.Lacks(c.p) != c.lacks {
			t.Errorf("%s: exceeds %v, lacks %v", name, info.Exceeds(c.p), info.Lacks(c.p))
		}
	}
	// A list is of its kind: what changes for mobile devices only is no matter of the computers.
	if mobileToo := own(t, "b", "name", "os", "mobile:network"); info.Exceeds(mobileToo) || info.Lacks(mobileToo) {
		t.Error("a field of mobile devices counts for computers")
	}
	old := info
	old.ProfilePaths = nil
	if old.Exceeds(more) || old.Lacks(more) || !old.Exceeds(other) || !old.Lacks(other) {
		t.Error("without a list the digest must tell")
	}
}

func TestAMixedChangeKeepsWhatBothAllow(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	publishUnder(t, s, own(t, "before", "name", "os"), fleet(4, 1))
	after := own(t, "after", "os", "identity")
	g, err := s.Recut(context.Background(), computers, after)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Release()
	info := g.Info()
	if info.Exceeds(after) || !info.Lacks(after) || info.ProfileAtMost {
		t.Errorf("it is described as %+v", info)
	}
	if slices.Contains(info.ProfilePaths, "hardware.serialNumber") || !slices.Contains(info.ProfilePaths, "operatingSystem.version") {
		t.Errorf("its list is %v", info.ProfilePaths)
	}
	r, err := g.Get(context.Background(), 4)
	if err != nil || bytes.Contains(r.Body, []byte(`"name":"v1"`)) || !bytes.Contains(r.Body, []byte("15.1")) {
		t.Errorf("record %s, %v", r.Body, err)
	}
}

func TestWiderFilesOfABrokenSeriesAreRemoved(t *testing.T) {
	wide, narrow := own(t, "wide", "name", "identity"), own(t, "narrow", "name")
	manifest := func(dir string) string { return filepath.Join(seriesDir(dir, computers), "manifest.json") }
	truncate := func(t *testing.T, path string) {
		t.Helper()
		if err := os.Truncate(path, 4096); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		before []*device.Profile // of the generations published
		harm   func(t *testing.T, dir string)
		stay   []string
	}{
		"the newest is damaged, the one before is narrow enough": {
			[]*device.Profile{narrow, wide},
			func(t *testing.T, dir string) { truncate(t, generationFile(dir, computers, 2)) },
			[]string{"00000001.sqlite"},
		},
		"all are damaged": {
			[]*device.Profile{wide, wide},
			func(t *testing.T, dir string) {
				truncate(t, generationFile(dir, computers, 1))
				truncate(t, generationFile(dir, computers, 2))
			},
			nil,
		},
		"damaged, but never wider": {
			[]*device.Profile{narrow},
			func(t *testing.T, dir string) { truncate(t, generationFile(dir, computers, 1)) },
			[]string{"00000001.sqlite"},
		},
		"no manifest: the files tell": {
			[]*device.Profile{narrow, wide},
			func(t *testing.T, dir string) { remove(t, manifest(dir)) },
			[]string{"00000001.sqlite"},
		},
		"no manifest, and a file that tells nothing": {
			[]*device.Profile{narrow},
			func(t *testing.T, dir string) {
				remove(t, manifest(dir))
				change(t, generationFile(dir, computers, 1), func([]byte) []byte { return []byte("no database, but a serial number") })
			},
			nil,
		},
		"the manifest of another store": {
			[]*device.Profile{wide},
			func(t *testing.T, dir string) {
				reseal(t, manifest(dir), func(text string) string {
					at := strings.Index(text, `"store": "`) + len(`"store": "`)
					return text[:at] + strings.Repeat("ab", 16) + text[at+32:]
				})
			},
			[]string{"00000001.sqlite"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			dir := t.TempDir()
			s := openStore(t, options(dir))
			for i, p := range c.before {
				publishUnder(t, s, p, fleet(10+i, i))
			}
			last := s.LastNumber(computers)
			closeStore(t, s)
			c.harm(t, dir)
			s = openStore(t, options(dir))
			g, before := s.Acquire(computers)
			if before == nil {
				g.Release()
			}
			if _, err := s.DropWider(ctx, computers, narrow); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.stay, filesIn(t, seriesDir(dir, computers), ".sqlite")); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			closeStore(t, s)
			s = openStore(t, options(dir))
			again, after := s.Acquire(computers)
			if (before == nil) != (after == nil) {
				t.Errorf("before %v, after a restart %v", before, after)
			}
			if after == nil {
				again.Release()
				if !s.FellBack(computers) {
					t.Error("nobody says any more that the newest generation is gone")
				}
			} else if n := s.LastNumber(computers); n != last {
				t.Errorf("the last number is %d after a restart, want %d", n, last)
			}
			if info := publishUnder(t, s, narrow, fleet(9, 5)); info.Number != last+1 {
				t.Errorf("the next number is %d, want %d", info.Number, last+1)
			}
		})
	}
}
