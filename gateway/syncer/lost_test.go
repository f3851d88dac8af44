package syncer_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
)

// edit changes a file of the series of computers.
func (h *house) edit(name string, do func([]byte) []byte) {
	h.t.Helper()
	path := filepath.Join(h.dir, "a", "computer", name)
	data, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, do(data), 0o600)
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// damage changes an open file as a disk does, and makes a reader meet it.
func (h *house) damage(name string, g *cache.Generation) {
	h.t.Helper()
	h.edit(name, func(data []byte) []byte {
		for i := 4096; i < len(data); i++ {
			data[i] ^= 0x55
		}
		return data
	})
	if _, err := g.Page(h.t.Context(), 0, 5); err == nil {
		h.t.Fatal("the damage is not seen")
	}
}

func TestALostSeriesSaysSoAndIsReadAgainWithoutHands(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(5, 0), onlyMacs, func(h *house) {
		h.start()
		h.stop()
		h.edit("manifest.json", func([]byte) []byte { return nil })
		h.jamf.version = func() (string, error) { return "", &jamf.Error{Kind: jamf.ErrAuthFailed, Code: "auth_failed"} }
		h.start()
		h.mustBe(device.Computer, "never_synced", "failed", "auth_failed") // due at once, like no data
		st := h.status(device.Computer)
		if st.Reason != "store_lost" {
			t.Errorf("the reason is %q", st.Reason)
		}
		if wait := time.Until(st.NextSync); wait != 5*time.Minute {
			t.Errorf("it is tried again in %v", wait)
		}
		h.jamf.mu.Lock()
		h.jamf.version = nil
		h.jamf.mu.Unlock()
		time.Sleep(5*time.Minute + time.Second)
		synctest.Wait()
		h.mustBe(device.Computer, "fresh", "ok", "")
		if n := h.served(device.Computer).Number; n != 2 {
			t.Errorf("generation %d is served, want 2", n)
		}
		if _, err := os.Stat(filepath.Join(h.dir, "a", "computer", "lost-00000002", "00000001.sqlite")); err != nil {
			t.Errorf("what was lost is not set aside: %v", err)
		}
	})
}

func TestDataOfANewerVersionIsLeftAloneAndJamfIsNotAsked(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(5, 0), onlyMacs, func(h *house) {
		h.start()
		h.stop()
		h.edit("manifest.json", func(data []byte) []byte {
			text, _, _ := bytes.Cut(data, []byte(",\n  \"seal\""))
			return []byte(strings.Replace(string(text), `"format": 1`, `"format": 9`, 1) + "}")
		})
		pages := h.jamf.pages
		h.jamf.rights = func() (jamf.Rights, error) {
			pages--
			return jamf.Rights{}, nil
		}
		h.start()
		h.mustBe(device.Computer, "never_synced", "failed", "store_newer")
		if st := h.status(device.Computer); st.Reason != "store_newer" || time.Until(st.NextSync) != 5*time.Minute {
			t.Errorf("%+v", st)
		}
		if h.jamf.pages != pages {
			t.Error("Jamf was asked for what cannot be kept")
		}
		h.edit("manifest.json", func(data []byte) []byte {
			if !bytes.Contains(data, []byte(`"format": 9`)) {
				t.Errorf("it was written over: %s", data)
			}
			return data
		})
	})
}

func TestADiskThatDamagesAllThatIsWrittenDoesNotMakeWalksFollowEachOther(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(5, 0), onlyMacs, func(h *house) {
		h.source.WarmProfiles = nil // what is warmed stays in the connection too, and its damage is not seen
		harm := func(file string) {
			h.stop()
			h.edit(file, func(data []byte) []byte { return data[:len(data)/2] })
		}
		h.start()
		harm("00000001.sqlite")
		h.start()
		h.mustBe(device.Computer, "fresh", "ok", "")
		g, err := h.store.Acquire(cache.Series{Source: "a", Kind: device.Computer})
		if err != nil {
			t.Fatal(err)
		}
		defer g.Release()
		h.damage("00000002.sqlite", g)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if st := h.status(device.Computer); st.State != "never_synced" || st.Reason != "store_corrupt" {
			t.Fatalf("two minutes later it is %+v", st)
		}
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		h.mustBe(device.Computer, "fresh", "ok", "")
	})
}

func TestWhatCouldNotBeCutAtTheStartGoesWithTheNextSync(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(5, 0), onlyMacs, func(h *house) {
		minimal := h.source.Profile
		h.source.Profile, _ = device.BuiltinProfile("full")
		h.start()
		h.sync()
		h.stop()
		h.source.Profile, h.source.Unaligned = minimal, onlyMacs
		h.open(-1)
		if st := h.status(device.Computer); st.State != "stale" || st.Reason != "store_error" {
			t.Errorf("%+v", st)
		}
		h.stop()
		h.start()
		h.mustBe(device.Computer, "fresh", "ok", "")
		files, err := filepath.Glob(filepath.Join(h.dir, "a", "computer", "*.sqlite"))
		if err != nil || len(files) != 1 || h.served(device.Computer).Exceeds(minimal) {
			t.Errorf("files %v, %v", files, err)
		}
	})
}

// Who asks for the state must not wait until an older file is opened and hashed.
func TestStatusOpensNoFile(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(5, 0), onlyMacs, func(h *house) {
		h.source.WarmProfiles = nil
		h.start()
		h.sync()
		g, err := h.store.Acquire(cache.Series{Source: "a", Kind: device.Computer})
		if err != nil {
			t.Fatal(err)
		}
		defer g.Release()
		h.damage("00000002.sqlite", g)
		if st := h.status(device.Computer); st.State != "stale" || st.Reason != "store_corrupt" {
			t.Errorf("it is %s, %q", st.State, st.Reason)
		}
		if info, err := h.store.Look(g.Info().Series); !errors.Is(err, cache.ErrCorrupt) || info.Number != 2 {
			t.Errorf("asking for the state made generation %d the served one (%v)", info.Number, err)
		}
		if n := h.served(device.Computer).Number; n != 1 {
			t.Errorf("a reader gets generation %d, want the one before", n)
		}
	})
}

func TestAFullDiskFailsTheSyncBeforeJamfIsAsked(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(5, 0), onlyMacs, func(h *house) {
		free := int64(64 << 20)
		h.free = func(string) (int64, error) { return free, nil }
		h.start()
		h.mustBe(device.Computer, "fresh", "ok", "")
		h.jamf.rights = func() (jamf.Rights, error) {
			t.Error("Jamf was asked although the answer cannot be kept")
			return jamf.Rights{}, nil
		}
		free--
		h.sync()
		if st := h.status(device.Computer); st.LastResult != "failed" || st.ErrorCode != "store_full" {
			t.Errorf("%+v", st)
		}
		if n := h.served(device.Computer).Number; n != 1 {
			t.Errorf("generation %d is served", n)
		}
		h.jamf.mu.Lock()
		h.jamf.rights = nil
		h.jamf.mu.Unlock()
		free++
		h.sync()
		h.mustBe(device.Computer, "fresh", "ok", "")
	})
}
