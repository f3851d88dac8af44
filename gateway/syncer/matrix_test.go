package syncer_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/catalogue"
	"jamf-gateway/gateway/device"
)

// harms are what a disk, a restore or a person does to a file of the store (facts: matrix E4). Permissions are cache's, which runs
// without rights over files for them.
func harms(t *testing.T) map[string]func(path string, data []byte) []byte {
	t.Helper()
	theirs := foreignStore(t)
	return map[string]func(path string, data []byte) []byte{
		"a flipped byte": func(_ string, data []byte) []byte { data[len(data)*3/4] ^= 1; return data },
		"a zeroed page": func(_ string, data []byte) []byte {
			at := max(0, len(data)-8192) / 2
			clear(data[at:min(len(data), at+8192)])
			return data
		},
		"cut off": func(_ string, data []byte) []byte { return data[:len(data)/2] },
		"0 bytes": func(string, []byte) []byte { return nil },
		"deleted": func(path string, _ []byte) []byte { _ = os.Remove(path); return nil },
		"garbage": func(_ string, data []byte) []byte { return bytes.Repeat([]byte{'x'}, len(data)) },
		"foreign": func(path string, _ []byte) []byte {
			data, err := os.ReadFile(filepath.Join(theirs, filepath.Base(path)))
			if err != nil {
				t.Error(err)
			}
			return data
		},
		"a newer version": func(_ string, data []byte) []byte {
			text, _, sealed := bytes.Cut(data, []byte(",\n  \"seal\""))
			if !sealed {
				return nil // of a generation file: see TestALaterFormat...
			}
			return []byte(strings.Replace(string(text), `"format": 1`, `"format": 9`, 1) + "}")
		},
	}
}

// foreignStore is another store that has the same series, with as many generations.
func foreignStore(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	s, err := cache.Open(t.Context(), cache.Options{Dir: dir, MaxBytes: 1 << 20, Keep: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	q := cache.Series{Source: "a", Kind: device.Computer}
	for range 2 {
		b, err := s.Begin(t.Context(), cache.Draft{Series: q, Parent: s.LastNumber(q), MappingVersion: device.MappingVersion})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Put(t.Context(), 7, []byte(`{"id":"7"}`), device.Columns{}, cache.StatePresent); err != nil {
			t.Fatal(err)
		}
		c, err := b.Finish(t.Context(), cache.Outcome{})
		if err != nil {
			t.Fatal(err)
		}
		g, err := s.Publish(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		g.Release()
	}
	return filepath.Join(dir, "a", "computer")
}

// Every harm to every file, found at a start and while it is served: what is served, as what, why, and when it is read again.
func TestWhatHappensToAFileOfTheStoreIsSaidAndMended(t *testing.T) {
	t.Parallel()
	type expected struct {
		state, reason string // right after it is found
		served        uint64 // 0: nothing
		again         bool   // the next sync is brought forward
	}
	fresh, before := expected{"fresh", "", 2, false}, expected{"stale", "store_corrupt", 1, true}
	all := harms(t)
	lost := expected{"never_synced", "store_lost", 0, true}
	for file, want := range map[string]struct{ start, runtime expected }{
		"00000002.sqlite": {before, before},
		"00000001.sqlite": {fresh, fresh}, // the next fall back would find it damaged
		"manifest.json":   {lost, fresh},  // it is written anew
	} {
		for harm, do := range all {
			if harm == "a newer version" && file != "manifest.json" {
				continue
			}
			atStart, atRuntime := want.start, want.runtime
			if harm == "a newer version" {
				atStart = expected{"never_synced", "store_newer", 0, true}
			}
			t.Run(file+", "+harm+", at a start", func(t *testing.T) {
				t.Parallel()
				bubble(t, fleet(50, 0), onlyMacs, func(h *house) {
					h.twice()
					h.stop()
					h.harm(file, do)
					h.open(-1)
					h.mustSay(atStart.state, atStart.reason, atStart.served, atStart.again)
					h.stop()
					h.start()
					if harm == "a newer version" {
						h.mustBe(device.Computer, "never_synced", "failed", "store_newer") // and nothing of it was written over
						return
					}
					h.mended(atStart.again)
				})
			})
			t.Run(file+", "+harm+", while it is served", func(t *testing.T) {
				t.Parallel()
				bubble(t, fleet(50, 0), onlyMacs, func(h *house) {
					h.twice()
					h.harm(file, do)
					if _, err := h.store.Scrub(t.Context()); err != nil {
						t.Fatal(err)
					}
					h.mustSay(atRuntime.state, atRuntime.reason, atRuntime.served, atRuntime.again)
					if harm == "a newer version" {
						h.sync()
						h.mustBe(device.Computer, "fresh", "failed", "store_newer")
						return
					}
					time.Sleep(2 * time.Minute) // the store is looked at every minute
					synctest.Wait()
					h.mended(atRuntime.again)
					h.stop()
					h.start()
					h.mended(atRuntime.again)
				})
			})
		}
	}
}

// twice leaves two generations, the second one served.
func (h *house) twice() {
	h.t.Helper()
	h.source.WarmProfiles = nil
	h.start()
	h.change(func() { h.jamf.remove(device.Computer, 50) })
	h.sync()
	h.mustSay("fresh", "", 2, false)
}

func (h *house) harm(file string, do func(path string, data []byte) []byte) {
	h.t.Helper()
	path := filepath.Join(h.dir, "a", "computer", file)
	data, err := os.ReadFile(path)
	if err != nil {
		h.t.Fatal(err)
	}
	data = do(path, data)
	if _, err := os.Stat(path); err != nil {
		return // deleted
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) mustSay(state, reason string, served uint64, again bool) {
	h.t.Helper()
	st := h.status(device.Computer)
	if st.State != state || st.Reason != reason {
		h.t.Errorf("it is %s, %q; want %s, %q\n%s", st.State, st.Reason, state, reason, h.logs.String())
	}
	if entry, ok := catalogue.Lookup(reason); reason != "" && (!ok || entry.Action.In(catalogue.EN) == "") {
		h.t.Errorf("%s says nobody what to do", reason)
	}
	g, err := h.store.Acquire(cache.Series{Source: "a", Kind: device.Computer})
	if (err == nil) != (served != 0) {
		h.t.Fatalf("served: %v, want generation %d", err, served)
	}
	if err == nil {
		defer g.Release()
		ids, err := g.IDs(h.t.Context())
		if n := g.Info().Number; n != served || err != nil || len(ids) != 51-int(n) {
			h.t.Errorf("generation %d with %d devices is served (%v), want %d", n, len(ids), err, served)
		}
	}
	next := h.status(device.Computer).NextSync
	if again && h.syncer.DueNow("a", device.Computer) != true || !again && next.Before(time.Now().Add(time.Hour)) {
		h.t.Errorf("the next sync comes at %v, it is %v", next, time.Now())
	}
}

// mended holds that a harm which brings a sync forward is over by it, without hands.
func (h *house) mended(synced bool) {
	h.t.Helper()
	h.mustBe(device.Computer, "fresh", "ok", "")
	want := uint64(2)
	if synced {
		want = 3
	}
	if n := h.served(device.Computer).Number; n != want {
		h.t.Errorf("generation %d is served, want %d", n, want)
	}
}
