package syncer_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
	"jamf-gateway/gateway/syncer"
)

var (
	both     = []device.Kind{device.Computer, device.Mobile}
	onlyMacs = []device.Kind{device.Computer}
	onlyPads = []device.Kind{device.Mobile}
)

func TestEmptyInstanceIsBelievedOnlyAfterASecondLook(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(0, 0), onlyMacs, func(h *house) {
		h.start()
		time.Sleep(59 * time.Second)
		if st := h.status(device.Computer); !st.Syncing || st.State != "never_synced" {
			t.Fatalf("believed at once: %+v", st)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		h.mustBe(device.Computer, "fresh", "ok", "")
		if info := h.served(device.Computer); info.Count != 0 || !info.ConfirmedEmpty {
			t.Errorf("%+v", info)
		}
	})
}

func TestDevicesThatComeWithinTheMinuteUnmaskAFalseEmptyList(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(0, 0), onlyMacs, func(h *house) {
		h.start()
		time.Sleep(30 * time.Second)
		h.jamf.mu.Lock()
		h.jamf.ids[device.Computer] = []int64{1, 2, 3}
		h.jamf.mu.Unlock()
		time.Sleep(31 * time.Second)
		synctest.Wait()
		h.mustBe(device.Computer, "never_synced", "failed", "empty_unconfirmed")
	})
}

func TestEmptyKindIsBelievedAtOnceBesideAFullOne(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(0, 5), onlyMacs, func(h *house) {
		h.start()
		h.mustBe(device.Computer, "fresh", "ok", "")
	})
}

func TestFailedSyncMakesDataStaleAndIsRetriedAfterGrowingPauses(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(5, 0), onlyMacs, func(h *house) {
		h.start()
		h.mustBe(device.Computer, "fresh", "ok", "")
		h.jamf.mu.Lock()
		h.jamf.version = func() (string, error) { return "", &jamf.Error{Kind: jamf.ErrAuthFailed, Code: "auth_failed"} }
		h.jamf.mu.Unlock()
		slot := time.Now().Add(24 * time.Hour)
		time.Sleep(24*time.Hour + time.Second)
		synctest.Wait()
		h.mustBe(device.Computer, "stale", "failed", "auth_failed")
		if st := h.status(device.Computer); st.Reason != "auth_failed" {
			t.Errorf("reason %q", st.Reason)
		}
		due := slot
		for _, pause := range []time.Duration{5, 15, 30, 60, 60} {
			due = due.Add(pause * time.Minute)
			if next := h.status(device.Computer).NextSync; next.Sub(due).Abs() > time.Second {
				t.Fatalf("the next try is %v after the failed one, want %v minutes", next.Sub(due)+pause*time.Minute, int(pause))
			}
			time.Sleep(time.Until(due) + time.Second)
			synctest.Wait()
		}
		h.jamf.mu.Lock()
		h.jamf.version = nil
		h.jamf.mu.Unlock()
		time.Sleep(time.Hour)
		synctest.Wait()
		h.mustBe(device.Computer, "fresh", "ok", "")
		if next := h.status(device.Computer).NextSync; next.Sub(slot.Add(24*time.Hour)).Abs() > time.Second {
			t.Errorf("the daily hour moved by %v", next.Sub(slot.Add(24*time.Hour)))
		}
	})
}

func TestASyncThatFailsAfterAWhileIsNotFollowedByTheNextAtOnce(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(5, 0), onlyMacs, func(h *house) {
		slow := func() (string, error) {
			time.Sleep(30 * time.Minute)
			return "", &jamf.Error{Kind: jamf.ErrAuthFailed, Code: "auth_failed"}
		}
		h.jamf.version = slow
		h.start()
		time.Sleep(31 * time.Minute)
		synctest.Wait()
		h.mustBe(device.Computer, "never_synced", "failed", "auth_failed")
		if wait := time.Until(h.status(device.Computer).NextSync); wait != 4*time.Minute {
			t.Errorf("a minute after its end the next is in %v, want in 4 minutes", wait)
		}
		h.stop()
		h.open(-1) // the end is remembered
		if wait := time.Until(h.status(device.Computer).NextSync); wait != 4*time.Minute {
			t.Errorf("after a restart the next is in %v, want in 4 minutes", wait)
		}
	})
}

func TestAListThatCountsMillionsIsRefusedAtItsFirstPage(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(5, 0), onlyMacs, func(h *house) {
		h.jamf.page = func(_ context.Context, l jamf.List, page, size int) (*jamf.Page, error) {
			p := h.jamf.show(l, page, size)
			p.Total = 5_000_001
			return p, nil
		}
		h.start()
		h.mustBe(device.Computer, "never_synced", "failed", "too_many_devices")
		if h.jamf.pages != 1 {
			t.Errorf("%d pages were read", h.jamf.pages)
		}
	})
}

func TestOldDataIsOverdueWhateverTheLastSyncSaid(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(5, 0), onlyMacs, func(h *house) {
		h.start()
		h.stop()
		time.Sleep(29 * time.Hour)
		h.open(-1)
		h.mustBe(device.Computer, "fresh", "ok", "")
		h.stop()
		time.Sleep(2 * time.Hour)
		h.open(-1)
		if st := h.status(device.Computer); st.State != "stale" || st.Reason != "overdue" {
			t.Errorf("after 31 hours: %s %q", st.State, st.Reason)
		}
	})
}

func TestDisabledSourceIsNeverAsked(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(5, 5), both, func(h *house) {
		h.source.Disabled = true
		h.start()
		time.Sleep(49 * time.Hour)
		synctest.Wait()
		if h.jamf.pages > 0 || len(h.jamf.asked) > 0 {
			t.Errorf("%d pages and %d records were asked for", h.jamf.pages, len(h.jamf.asked))
		}
		if err := h.syncer.SyncNow("a"); !errors.Is(err, syncer.ErrDisabled) {
			t.Errorf("a sync on demand: %v", err)
		}
	})
}

func TestScheduleRightsAndResultsOutliveARestart(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(5, 0), onlyMacs, func(h *house) {
		h.jamf.rights = func() (jamf.Rights, error) {
			return jamf.Rights{Known: true, Privileges: []string{jamf.ReadComputers}}, nil
		}
		began := time.Now()
		h.start()
		pages := h.jamf.pages
		h.stop()
		time.Sleep(7 * time.Hour)
		h.start()
		if h.jamf.pages != pages {
			t.Errorf("the restart read the list again, %d pages", h.jamf.pages-pages)
		}
		st := h.syncer.Status()[0]
		if k := st.Kinds[0]; k.State != "fresh" || !k.LastSuccess.Equal(began) || !k.NextSync.Equal(began.Add(24*time.Hour)) || !k.Tried {
			t.Errorf("after the restart: %+v", k)
		}
		if len(st.Rights) != 1 || st.Rights[0] != jamf.ReadComputers || st.JamfVersion != "11.30.2" {
			t.Errorf("after the restart: %+v", st)
		}
	})
}

func TestRestartBeginsWithAWarmCache(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(40, 0), onlyMacs, func(h *house) {
		h.start()
		h.stop()
		h.start()
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := h.metric("cache_warmed_devices"); n != 40 {
			t.Errorf("%v devices are warm after a restart, want 40", n)
		}
	})
}

func TestRightsAreThoseThatJamfNamesAndThatTheListsProve(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(5, 5), onlyPads, func(h *house) {
		h.jamf.rights = func() (jamf.Rights, error) {
			return jamf.Rights{Known: true, Privileges: []string{"Update Computers", jamf.ReadMobileDevices}}, nil
		}
		h.start()
		if got := h.syncer.Status()[0].Rights; len(got) != 1 || got[0] != jamf.ReadMobileDevices {
			t.Errorf("rights %v, Jamf named one of the two", got)
		}
		h.jamf.mu.Lock()
		h.jamf.rights = func() (jamf.Rights, error) {
			return jamf.Rights{}, &jamf.Error{Kind: jamf.ErrNotFound, Code: "not_found"}
		}
		h.jamf.page = func(context.Context, jamf.List, int, int) (*jamf.Page, error) {
			return nil, &jamf.Error{Kind: jamf.ErrForbidden, Code: "right_missing"}
		}
		h.jamf.mu.Unlock()
		h.sync()
		if got := h.syncer.Status()[0].Rights; len(got) != 0 {
			t.Errorf("rights %v after a 403", got)
		}
		if st := h.status(device.Mobile); st.ErrorCode != "right_missing" {
			t.Errorf("%+v", st)
		}
	})
}
