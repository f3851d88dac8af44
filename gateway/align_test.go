package gateway_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway"
	"jamf-gateway/gateway/device"
)

// stored are settings whose data directory holds a generation, read under the profile full, of each series.
func stored(t *testing.T, body func(q cache.Series, id int64) string, all ...cache.Series) *config.Config {
	t.Helper()
	return storedBy(t, device.MappingVersion, body, all...)
}

// storedBy is stored by a release with another mapping.
func storedBy(t *testing.T, mapping int, body func(q cache.Series, id int64) string, all ...cache.Series) *config.Config {
	t.Helper()
	dir := t.TempDir()
	c := &config.Config{
		KeyFile: filepath.Join(dir, "gateway.key"), DataDir: filepath.Join(dir, "data"), Cache: config.Cache{MaxBytes: 1 << 20},
		MaxPageSize: 100, MaxStale: time.Hour,
		Clients: []config.Client{{ID: "x", Secrets: [][32]byte{sha256.Sum256([]byte("s"))}}},
	}
	for _, name := range []string{"a", "b"} {
		c.Sources = append(c.Sources, config.Source{
			Name: name, URL: "http://127.0.0.1:1/api", ClientID: "c", ClientSecret: config.NewSecret("s"), AllowInsecureLoopback: true,
			Profile: "minimal", Sync: config.Sync{Interval: time.Hour, PageSize: 50},
		})
	}
	s, err := cache.Open(t.Context(), cache.Options{Dir: c.DataDir, MaxBytes: 1 << 20, Keep: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	full, _ := device.BuiltinProfile("full")
	for _, q := range all {
		draft := cache.Draft{
			Series: q, MappingVersion: mapping, ProfileName: "full", ProfileDigest: full.Digest(), ProfilePaths: full.Paths(q.Kind),
		}
		if !json.Valid([]byte(body(q, 2))) {
			draft.ProfilePaths = nil // as of an older release: nobody looks into the records that it writes
		}
		b, err := s.Begin(t.Context(), draft)
		if err != nil {
			t.Fatal(err)
		}
		for id := range int64(3) {
			if err := b.Put(t.Context(), id+1, []byte(body(q, id+1)), device.Columns{}, cache.StatePresent); err != nil {
				t.Fatal(err)
			}
		}
		cand, err := b.Finish(t.Context(), cache.Outcome{Ended: time.Now(), ReportedTotal: 3})
		if err != nil {
			t.Fatal(err)
		}
		g, err := s.Publish(t.Context(), cand)
		if err != nil {
			t.Fatal(err)
		}
		g.Release()
	}
	return c
}

func series(source string, k device.Kind) cache.Series { return cache.Series{Source: source, Kind: k} }

func record(q cache.Series, id int64) string {
	if q.Kind == device.Computer {
		return fmt.Sprintf(`{"id":"%d","udid":"U%d","general":{"name":"m"},"userAndLocation":{"email":"somebody@example.org"}}`, id, id)
	}
	return fmt.Sprintf(`{"mobileDeviceId":"%d","general":{"udid":"M%d"},"userAndLocation":{"emailAddress":"somebody@example.org"}}`, id, id)
}

func open(t *testing.T, c *config.Config) *gateway.Gateway {
	t.Helper()
	g, err := gateway.New(context.Background(), gateway.Options{Config: c})
	if err != nil {
		t.Fatalf("one series must not keep the program from starting: %v", err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return g
}

// kept is what a series serves and how many files it has.
func kept(t *testing.T, g *gateway.Gateway, c *config.Config, q cache.Series) (info cache.Info, files int) {
	t.Helper()
	gen, err := g.Store().Acquire(q)
	if err != nil {
		t.Fatal(err)
	}
	defer gen.Release()
	names, err := filepath.Glob(filepath.Join(c.DataDir, q.Source, string(q.Kind), "*.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	return gen.Info(), len(names)
}

func TestASeriesThatCannotBeCutCostsItselfAndSaysSo(t *testing.T) {
	t.Parallel()
	bad := series("a", device.Computer)
	c := stored(t, func(q cache.Series, id int64) string {
		if q == bad && id == 2 {
			return "no JSON"
		}
		return record(q, id)
	}, bad, series("a", device.Mobile), series("b", device.Computer))
	g := open(t, c)
	minimal, _ := device.BuiltinProfile("minimal")
	for _, q := range []cache.Series{series("a", device.Mobile), series("b", device.Computer)} {
		if info, files := kept(t, g, c, q); info.Exceeds(minimal) || info.Number != 2 || files != 1 {
			t.Errorf("%v: generation %d in %d files", q, info.Number, files)
		}
	}
	if info, _ := kept(t, g, c, bad); info.Number != 1 {
		t.Errorf("generation %d", info.Number)
	}
	for _, st := range g.Status() {
		for _, k := range st.Kinds {
			want := st.Source == bad.Source && k.Kind == bad.Kind
			if got := k.State == "stale" && k.Reason == "store_error"; got != want {
				t.Errorf("%s %s is %s, %s", st.Source, k.Kind, k.State, k.Reason)
			}
			if want && time.Until(k.NextSync) > time.Minute {
				t.Errorf("the next sync is in %v", time.Until(k.NextSync))
			}
		}
	}
}

func TestWhatIsSwitchedOffIsCutToo(t *testing.T) {
	t.Parallel()
	all := []cache.Series{series("a", device.Computer), series("a", device.Mobile), series("b", device.Computer)}
	c := stored(t, record, all...)
	c.Sources[0].Kinds = []string{"computer"}
	c.Sources[1].Disabled = true
	g := open(t, c)
	minimal, _ := device.BuiltinProfile("minimal")
	for _, q := range all {
		info, files := kept(t, g, c, q)
		if info.Exceeds(minimal) || files != 1 {
			t.Errorf("%v keeps %d files, %v", q, files, info.ProfilePaths)
		}
	}
}

func TestDataOfARemovedSourceIsSaid(t *testing.T) {
	t.Parallel()
	c := stored(t, record, series("a", device.Computer), series("b", device.Computer), series("b", device.Mobile))
	if got := gateway.Leftovers(c, "gateway.yaml"); len(got) != 0 {
		t.Errorf("nothing was removed, but it warns: %v", got)
	}
	c.Sources = c.Sources[:1]
	got := gateway.Leftovers(c, "gateway.yaml")
	dir := filepath.Join(c.DataDir, "b")
	if len(got) != 1 || !strings.HasPrefix(got[0].String(), "gateway.yaml: data_dir: data of source b,") || !strings.Contains(got[0].Text, dir+";") {
		t.Fatalf("it warns %v", got)
	}
	if de := got[0].German(); !strings.Contains(de, "Daten der Quelle b,") || !strings.Contains(de, dir) {
		t.Errorf("in German: %s", de)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if got := gateway.Leftovers(c, ""); len(got) != 0 {
		t.Errorf("it still warns: %v", got)
	}
}
