package syncer_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/syncer"
)

// losses are what takes a series away; known tells that only the store, and no book, says how many devices there were.
func losses() map[string]func(h *house) {
	remove := func(h *house, names ...string) {
		for _, name := range names {
			if err := os.RemoveAll(filepath.Join(h.dir, name)); err != nil {
				h.t.Fatal(err)
			}
		}
	}
	return map[string]func(h *house){
		"the manifest is empty":         func(h *house) { h.edit("manifest.json", func([]byte) []byte { return nil }) },
		"the manifest is gone":          func(h *house) { remove(h, "a/computer/manifest.json") },
		"the file is damaged":           func(h *house) { h.edit("00000001.sqlite", func(data []byte) []byte { return data[:5000] }) },
		"the directory is gone":         func(h *house) { remove(h, "a") },
		"the file and the book is gone": func(h *house) { remove(h, "a/computer/00000001.sqlite", ".schedule") },
	}
}

func TestAfterALossFarFewerDevicesWaitForAPerson(t *testing.T) {
	t.Parallel()
	for name, loss := range losses() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, fleet(200, 0), onlyMacs, func(h *house) {
				h.start()
				h.stop()
				loss(h)
				h.open(-1)
				if st := h.status(device.Computer); st.State != "never_synced" || st.Reason != "store_lost" && st.Reason != "store_corrupt" || st.NextSync.After(time.Now()) {
					t.Errorf("before the sync it is %s, %s, and read at %v", st.State, st.Reason, st.NextSync)
				}
				h.stop()
				h.lose(60)
				h.start()
				h.mustBeShort(60, 200)
				hold, pages := h.status(device.Computer).Hold, h.read()
				if _, err := os.Stat(filepath.Join(h.dir, "a", "computer", "lost-00000002")); err == nil {
					t.Error("what was lost is set aside for what nobody wants")
				}
				time.Sleep(20 * time.Hour)
				synctest.Wait()
				if h.read() != pages {
					t.Errorf("%d pages were read meanwhile", h.read()-pages)
				}
				h.stop()
				h.start() // a restart keeps it, with its date
				h.mustBeShort(60, 200)
				if again := h.status(device.Computer).Hold; again.Digest != hold.Digest || !again.Since.Equal(hold.Since) {
					t.Errorf("%+v became %+v", hold, again)
				}
				if err := h.syncer.Approve(t.Context(), "a", "0123456789abcdef01234567", "a test"); !errors.Is(err, syncer.ErrNotHeld) {
					t.Errorf("another digest: %v", err)
				}
				if err := h.syncer.Approve(t.Context(), "a", hold.Digest, "a test"); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				h.mustBe(device.Computer, "fresh", "ok", "")
				if st := h.status(device.Computer); h.served(device.Computer).Count != 140 || st.Hold != nil {
					t.Errorf("%d devices are served, held: %+v", h.served(device.Computer).Count, st.Hold)
				}
			})
		})
	}
}

// mustBeShort holds that so many of the devices before the loss are missing, and that nobody is shown the rest.
func (h *house) mustBeShort(missing, of int) {
	h.t.Helper()
	h.mustBe(device.Computer, "never_synced", "held", "held")
	st := h.status(device.Computer)
	hold := st.Hold
	if st.Reason != "held" || hold == nil || hold.Generation != 0 || hold.Count != of-missing || hold.RemovedAll != missing || len(hold.Findings) != 1 {
		h.t.Fatalf("it is held: %+v, because of %s", hold, st.Reason)
	}
	if f := hold.Findings[0]; f.Guard != syncer.GuardLost || f.Count != missing || f.Of != of {
		h.t.Errorf("the guard is %+v", f)
	}
	if _, err := h.store.Acquire(cache.Series{Source: "a", Kind: device.Computer}); err == nil {
		h.t.Error("it is served")
	}
}

func TestAfterALossWhatIsInsideTheLimitsIsPublished(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(h *house){
		"few are missing": func(h *house) {
			h.lose(20)
			h.start()
		},
		"more were announced": func(h *house) {
			h.lose(60)
			h.open(-1)
			if err := h.syncer.Expect(t.Context(), "a", 60, time.Now().Add(time.Hour), "a test"); err != nil {
				t.Fatal(err)
			}
			h.stop()
			h.start()
		},
		"they are there again": func(h *house) {
			ids := h.jamf.ids[device.Computer]
			h.lose(60)
			h.start()
			h.mustBeShort(60, 200)
			h.change(func() { h.jamf.ids[device.Computer] = ids })
			time.Sleep(day + time.Second)
			synctest.Wait()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, fleet(200, 0), onlyMacs, func(h *house) {
				h.start()
				h.stop()
				h.edit("manifest.json", func([]byte) []byte { return nil })
				do(h)
				h.mustBe(device.Computer, "fresh", "ok", "")
				if st := h.status(device.Computer); st.Hold != nil {
					t.Errorf("held: %+v", st.Hold)
				}
			})
		})
	}
}

// Where no device is listed after a loss, it is always asked about.
func TestAfterALossAnEmptyListWaitsForAPerson(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(3, 5), []device.Kind{device.Computer, device.Mobile}, func(h *house) {
		h.start()
		h.stop()
		h.edit("manifest.json", func([]byte) []byte { return nil })
		h.lose(3)
		h.start()
		h.mustBeShort(3, 3)
	})
}
