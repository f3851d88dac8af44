package syncer_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
	"jamf-gateway/gateway/syncer"
)

const day = 24 * time.Hour

// lose takes the last n computers out of Jamf.
func (h *house) lose(n int) {
	h.change(func() {
		ids := h.jamf.ids[device.Computer]
		h.jamf.ids[device.Computer] = ids[:len(ids)-n]
	})
}

// read is how many pages were asked for.
func (h *house) read() (pages int) {
	h.change(func() { pages = h.jamf.pages })
	return pages
}

// change changes Jamf under its lock: a sync that the clock begins may read it next.
func (h *house) change(f func()) {
	h.jamf.mu.Lock()
	defer h.jamf.mu.Unlock()
	f()
}

// holds tells by which guards the computers are held.
func (h *house) holds() (digest string, guards []string) {
	h.t.Helper()
	hold := h.status(device.Computer).Hold
	if hold == nil {
		return "", nil
	}
	for _, f := range hold.Findings {
		guards = append(guards, f.Guard)
	}
	return hold.Digest, guards
}

func (h *house) mustHold(served int, guards ...string) (digest string) {
	h.t.Helper()
	h.mustBe(device.Computer, "stale", "held", "held")
	if st := h.status(device.Computer); st.Reason != "held" {
		h.t.Fatalf("the reason is %q", st.Reason)
	}
	digest, got := h.holds()
	if !slices.Equal(got, guards) {
		h.t.Fatalf("held by %v, want %v", got, guards)
	}
	if n := h.served(device.Computer).Count; n != served {
		h.t.Fatalf("%d devices are served, want %d", n, served)
	}
	return digest
}

func TestAHeldGenerationWaitsForAPersonAndNotForever(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(200, 0), onlyMacs, func(h *house) {
		h.start()
		all := slices.Clone(h.jamf.ids[device.Computer])
		h.lose(60)
		h.sync()
		digest := h.mustHold(200, "removed", "week")
		hold := h.status(device.Computer).Hold
		if hold.Count != 140 || hold.RemovedAll != 60 || len(hold.Removed) != 60 || hold.Removed[0] != 141 || hold.Generation != 2 {
			t.Errorf("held: %+v", hold)
		}
		if !strings.Contains(h.status(device.Computer).ErrorDetail, "removed: 60 of 200 devices, at most 30") {
			t.Errorf("detail: %s", h.status(device.Computer).ErrorDetail)
		}
		if n := h.metric("jamf_sync_held_removed"); n != 60 {
			t.Errorf("jamf_sync_held_removed is %v", n)
		}

		// No retries: Jamf was read to its end. The next slot reads again, finds the same and keeps the date.
		pages, since := h.read(), hold.Since
		time.Sleep(23 * time.Hour)
		synctest.Wait()
		if h.read() != pages {
			t.Errorf("%d more pages were read", h.read()-pages)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if again := h.mustHold(200, "removed", "week"); again != digest || !h.status(device.Computer).Hold.Since.Equal(since) || h.read() == pages {
			t.Errorf("the second hold: %s since %v, the first %s since %v", again, h.status(device.Computer).Hold.Since, digest, since)
		}

		h.stop()
		h.start() // it outlives a restart
		h.mustHold(200, "removed", "week")

		h.change(func() { h.jamf.ids[device.Computer] = all[:190] }) // Jamf is whole again, but for ten
		h.sync()
		h.mustBe(device.Computer, "fresh", "ok", "")
		if _, guards := h.holds(); guards != nil || h.served(device.Computer).Count != 190 {
			t.Errorf("held by %v, %d devices", guards, h.served(device.Computer).Count)
		}
		if n := h.metric("jamf_sync_held_removed"); n != 0 {
			t.Errorf("jamf_sync_held_removed is %v", n)
		}
	})
}

func TestAnApprovalPublishesWhatItNames(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(200, 0), onlyMacs, func(h *house) {
		h.start()
		h.lose(60)
		h.sync()
		first := h.mustHold(200, "removed", "week")
		h.lose(1)
		h.sync()
		digest := h.mustHold(200, "removed", "week")
		for _, c := range []struct{ source, digest string }{{"a", first}, {"a", ""}, {"a", digest[:8]}} {
			if err := h.syncer.Approve(t.Context(), c.source, c.digest, "test"); !errors.Is(err, syncer.ErrNotHeld) {
				t.Errorf("approve %v: %v", c, err)
			}
		}
		if err := h.syncer.Approve(t.Context(), "b", digest, "test"); !errors.Is(err, syncer.ErrUnknownSource) {
			t.Errorf("approve of another source: %v", err)
		}
		if err := h.syncer.Approve(t.Context(), "a", digest, "the test"); err != nil {
			t.Fatal(err)
		}
		h.mustBe(device.Computer, "fresh", "ok", "")
		if n := h.served(device.Computer).Count; n != 139 {
			t.Errorf("%d devices", n)
		}
		if !strings.Contains(h.logs.String(), `msg="held generation approved" audit=true by="the test" source=a kind=computer digest=`+digest) {
			t.Error("the log does not say who approved what")
		}
		if err := h.syncer.Approve(t.Context(), "a", digest, "test"); !errors.Is(err, syncer.ErrNotHeld) {
			t.Errorf("approve twice: %v", err)
		}
		h.lose(20) // what was approved does not count against the week
		h.sync()
		h.mustBe(device.Computer, "fresh", "ok", "")
	})
}

// What was approved was read before Jamf failed: the data is stale, and why must be said.
func TestAnApprovalDoesNotHideThatSyncsFailSince(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(200, 0), onlyMacs, func(h *house) {
		h.start()
		h.lose(60)
		h.sync()
		digest := h.mustHold(200, "removed", "week")
		h.change(func() {
			h.jamf.page = func(context.Context, jamf.List, int, int) (*jamf.Page, error) {
				return nil, &jamf.Error{Kind: jamf.ErrUnavailable, Code: "jamf_unavailable", Detail: "gone"}
			}
		})
		time.Sleep(24*time.Hour + time.Minute)
		if err := h.syncer.Approve(t.Context(), "a", digest, "test"); err != nil {
			t.Fatal(err)
		}
		h.mustBe(device.Computer, "stale", "failed", "jamf_unavailable")
		if st := h.status(device.Computer); st.Reason != "jamf_unavailable" {
			t.Errorf("the reason is %q", st.Reason)
		}
	})
}

func TestAnApprovalStaysGoodForASubset(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(200, 0), onlyMacs, func(h *house) {
		h.start()
		all := slices.Clone(h.jamf.ids[device.Computer])
		h.lose(60)
		h.sync()
		if err := h.syncer.Approve(t.Context(), "a", h.mustHold(200, "removed", "week"), "test"); err != nil {
			t.Fatal(err)
		}
		h.change(func() { h.jamf.ids[device.Computer] = all }) // they come back from a backup,
		h.sync()
		h.mustBe(device.Computer, "fresh", "ok", "")
		h.lose(55) // and most of them go again
		h.sync()
		h.mustBe(device.Computer, "fresh", "ok", "")

		h.change(func() { h.jamf.ids[device.Computer] = all })
		h.sync()
		time.Sleep(73 * time.Hour) // an approval does not live for ever
		synctest.Wait()
		h.lose(55)
		h.sync()
		h.mustHold(200, "removed", "week")
	})
}

func TestExpectedRemovalsAreNotHeld(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(200, 0), onlyMacs, func(h *house) {
		h.start()
		if err := h.syncer.Expect(t.Context(), "b", 1, time.Now().Add(day), "test"); !errors.Is(err, syncer.ErrUnknownSource) {
			t.Errorf("expect of another source: %v", err)
		}
		if err := h.syncer.Expect(t.Context(), "a", 100, time.Now().Add(3*day), "test"); err != nil {
			t.Fatal(err)
		}
		h.lose(60)
		h.sync()
		h.mustBe(device.Computer, "fresh", "ok", "")
		h.stop()
		h.start() // the window outlives a restart
		h.lose(41)
		h.sync() // 40 are left
		h.mustHold(140, "removed", "week")
		h.change(func() { h.jamf.ids[device.Computer] = upToID(100) })
		h.sync()
		h.mustBe(device.Computer, "fresh", "ok", "")
		h.lose(26)
		h.sync() // none is left
		h.mustHold(100, "removed", "week")
	})
}

func TestAWindowForRemovalsCloses(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(200, 0), onlyMacs, func(h *house) {
		h.start()
		if err := h.syncer.Expect(t.Context(), "a", 100, time.Now().Add(day), "test"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(day + time.Hour)
		synctest.Wait()
		h.lose(60)
		h.sync()
		h.mustHold(200, "removed", "week")
		if err := h.syncer.Expect(t.Context(), "a", 100, time.Now().Add(day), "test"); err != nil {
			t.Fatal(err)
		}
		if err := h.syncer.Expect(t.Context(), "a", 0, time.Time{}, "test"); err != nil {
			t.Fatal(err)
		}
		h.sync()
		h.mustHold(200, "removed", "week")
	})
}

// A window is for the source: whichever kind ends first uses it, and the other finds what is left.
func TestAWindowForRemovalsIsNotUsedByTwoKinds(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(200, 200), both, func(h *house) {
		h.source.Profile, _ = device.BuiltinProfile("full")
		h.jamf.rights = func() (jamf.Rights, error) { return jamf.Rights{}, nil }
		h.start()
		if err := h.syncer.Expect(t.Context(), "a", 60, time.Now().Add(day), "test"); err != nil {
			t.Fatal(err)
		}
		h.lose(60)
		h.jamf.ids[device.Mobile] = upToID(140)
		h.jamf.names = func() { time.Sleep(time.Second) } // both have been compared before either is published
		h.sync()
		time.Sleep(time.Minute)
		synctest.Wait()
		held := 0
		for _, k := range both {
			if h.status(k).Hold != nil {
				held++
			}
		}
		if held != 1 {
			t.Errorf("60 removals are announced, 60 of each of two kinds came, and %d kinds are held", held)
		}
	})
}

// Somebody who approves that a field lost its values approves the removals beside it: they use up what was announced, else they
// count against the week.
func TestRemovalsBesideWhatIsApprovedAreCounted(t *testing.T) {
	t.Parallel()
	for name, announced := range map[string]int{"announced": 60, "within the limits": 0} {
		t.Run(name, func(t *testing.T) {
			bubble(t, fleet(200, 0), onlyMacs, func(h *house) {
				h.start()
				if err := h.syncer.Expect(t.Context(), "a", announced, time.Now().Add(3*day), "test"); err != nil {
					t.Fatal(err)
				}
				h.jamf.body = func(k device.Kind, id int64) []byte {
					return []byte(strings.Replace(string(plain(k, id)), `"name":`, `"x":`, 1))
				}
				lost := max(announced, 28)
				h.lose(lost)
				h.sync()
				if err := h.syncer.Approve(t.Context(), "a", h.mustHold(200, "blanked"), "test"); err != nil {
					t.Fatal(err)
				}
				h.lose(25)
				h.sync()
				if announced > 0 {
					h.mustBe(device.Computer, "fresh", "ok", "")
					h.lose(15)
					h.sync()
				}
				h.mustHold(200-lost-min(announced, 25), "week")
			})
		})
	}
}

// upToID lists the ids 1 to n.
func upToID(n int64) (ids []int64) {
	for id := range n {
		ids = append(ids, id+1)
	}
	return ids
}

func TestManySmallRemovalsAreHeldOverAWeek(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(400, 0), onlyMacs, func(h *house) {
		h.start()
		for range 2 { // 10 % a day
			h.lose(h.served(device.Computer).Count / 10)
			time.Sleep(day)
			synctest.Wait()
			h.mustBe(device.Computer, "fresh", "ok", "")
		}
		h.lose(25)
		time.Sleep(day)
		synctest.Wait()
		h.mustHold(324, "week")
		time.Sleep(5 * day) // the first removals are a week old
		synctest.Wait()
		h.mustBe(device.Computer, "fresh", "ok", "")
	})
}

func TestAnEmptyListIsHeldWhenJamfConfirmsIt(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(120, 0), onlyMacs, func(h *house) {
		h.start()
		all := h.jamf.ids[device.Computer]
		h.change(func() { h.jamf.ids[device.Computer] = nil })
		h.change(func() { h.jamf.hidden[3] = true })
		h.sync()
		h.mustBe(device.Computer, "fresh", "failed", "empty_unconfirmed") // on demand: the schedule is not behind
		h.change(func() { h.jamf.hidden[3] = false })
		h.change(func() {
			h.jamf.record = func(int64) ([]byte, error) { return nil, &jamf.Error{Kind: jamf.ErrTimeout, Code: "timeout"} }
		})
		h.sync()
		h.mustBe(device.Computer, "fresh", "failed", "empty_unconfirmed")
		h.change(func() { h.jamf.record = nil })
		h.sync()
		digest := h.mustHold(120, "empty", "removed", "week")
		h.change(func() { h.jamf.ids[device.Computer] = all })
		h.sync()
		h.mustBe(device.Computer, "fresh", "ok", "")
		h.change(func() { h.jamf.ids[device.Computer] = nil })
		h.sync()
		if again := h.mustHold(120, "empty", "removed", "week"); again != digest {
			t.Errorf("the same devices are %s and %s", digest, again)
		}
		if err := h.syncer.Approve(t.Context(), "a", digest, "test"); err != nil {
			t.Fatal(err)
		}
		h.mustBe(device.Computer, "fresh", "ok", "")
		if n := h.served(device.Computer).Count; n != 0 {
			t.Errorf("%d devices", n)
		}
	})
}

func TestAnotherJamfBehindTheURLIsANewEpochAndHeld(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(60, 0), onlyMacs, func(h *house) {
		h.start()
		epoch := h.served(device.Computer).SourceEpoch
		h.sync()
		if again := h.served(device.Computer).SourceEpoch; epoch == "" || again != epoch {
			t.Fatalf("the epoch is %q, and then %q", epoch, again)
		}
		h.change(func() {
			h.jamf.body = func(_ device.Kind, id int64) []byte {
				return []byte(strings.NewReplacer("U", "V", `"C`, `"D`).Replace(string(plain(device.Computer, id))))
			}
		})
		h.sync()
		digest := h.mustHold(60, "serial", "instance")
		if h.served(device.Computer).SourceEpoch != epoch {
			t.Error("the epoch changed before anybody approved it")
		}
		if err := h.syncer.Approve(t.Context(), "a", digest, "test"); err != nil {
			t.Fatal(err)
		}
		if again := h.served(device.Computer).SourceEpoch; again == epoch || again == "" {
			t.Errorf("the epoch is %q, and was %q", again, epoch)
		}
		h.change(func() { // a third Jamf with the same ids is none that was approved
			h.jamf.body = func(_ device.Kind, id int64) []byte {
				return []byte(strings.NewReplacer("U", "W", `"C`, `"E`).Replace(string(plain(device.Computer, id))))
			}
		})
		h.sync()
		if third := h.mustHold(60, "serial", "instance"); third == digest {
			t.Error("another Jamf is held under the digest of the one before")
		}
	})
}

func TestAFieldThatLosesItsValuesIsHeld(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(60, 0), onlyMacs, func(h *house) {
		h.start()
		h.change(func() {
			h.jamf.body = func(k device.Kind, id int64) []byte {
				if id <= 30 {
					return []byte(strings.Replace(string(plain(k, id)), `"serialNumber":"C`, `"serialNumber":"","x":"C`, 1))
				}
				return plain(k, id)
			}
		})
		h.sync()
		h.mustHold(60, "blanked")
		if f := h.status(device.Computer).Hold.Findings[0]; !slices.Equal(f.Names, []string{"hardware", "hardware.serialNumber"}) || f.Count != 30 {
			t.Errorf("%+v", f)
		}
	})
}

// A held file that disappears must not leave a source that nobody looks at again before its next slot.
func TestAHoldThatIsLostIsLookedForAgain(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(200, 0), onlyMacs, func(h *house) {
		h.start()
		h.lose(60)
		h.sync()
		h.mustHold(200, "removed", "week")
		h.stop()
		h.open(-1)
		profile, _ := device.BuiltinProfile("minimal")
		g, err := h.store.Recut(t.Context(), cache.Series{Source: "a", Kind: device.Computer}, profile) // publishes, and takes the hold away
		if err != nil {
			t.Fatal(err)
		}
		g.Release()
		h.stop()
		h.start()
		h.mustHold(200, "removed", "week")
	})
}

func TestAnOpenWindowForRemovalsIsSaidUntilItIsOver(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(200, 0), onlyMacs, func(h *house) {
		h.start()
		until := time.Now().Add(2 * time.Hour)
		if err := h.syncer.Expect(t.Context(), "a", 60, until, "a test"); err != nil {
			t.Fatal(err)
		}
		if e := h.syncer.Status()[0].Expected; e == nil || e.Left != 60 || !e.Until.Equal(until) {
			t.Errorf("the window is %+v", e)
		}
		h.lose(40)
		h.sync()
		if e := h.syncer.Status()[0].Expected; e == nil || e.Left != 20 {
			t.Errorf("after 40 removals it is %+v", e)
		}
		time.Sleep(2 * time.Hour)
		if e := h.syncer.Status()[0].Expected; e != nil {
			t.Errorf("it is over, and is %+v", e)
		}
	})
}

// A sync that begins while an approval is being published reads on from what was approved.
func TestASyncThatBeginsDuringAnApprovalReadsOnFromIt(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(200, 0), onlyMacs, func(h *house) {
		var once sync.Once
		armed := false
		h.disk = &cache.Disk{Fail: func(cache.Op, string) error {
			if armed {
				once.Do(func() {
					if err := h.syncer.SyncNow("a"); err != nil {
						t.Error(err)
					}
					time.Sleep(time.Second) // what can begin begins
				})
			}
			return nil
		}}
		h.start()
		h.lose(60)
		h.sync()
		digest := h.mustHold(200, "removed", "week")
		armed = true
		if err := h.syncer.Approve(t.Context(), "a", digest, "anna"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		h.mustBe(device.Computer, "fresh", "ok", "")
		if info := h.served(device.Computer); info.Count != 140 || info.Number != 3 || info.Parent != 2 {
			t.Errorf("generation %d of %d, %d devices", info.Number, info.Parent, info.Count)
		}
	})
}
