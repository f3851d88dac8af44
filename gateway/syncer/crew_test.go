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

// keep lets the syncer keep these sources from now on.
func (h *house) keep(sources ...syncer.Source) {
	h.t.Helper()
	c, err := h.syncer.Prepare(context.Background(), sources)
	if err != nil {
		h.t.Fatal(err)
	}
	c.Apply()
	c.Start()
	synctest.Wait()
}

// of is the state of the one kind of a source.
func (h *house) of(source string) syncer.KindStatus {
	h.t.Helper()
	for _, st := range h.syncer.Status() {
		if st.Source == source {
			return st.Kinds[0]
		}
	}
	h.t.Fatalf("there is no source %s", source)
	return syncer.KindStatus{}
}

// like is the source of the house under another name, reading another Jamf.
func (h *house) like(name, settings string, jamf *script) syncer.Source {
	src := h.source
	src.Name, src.Settings, src.NewWalk = name, settings, func() syncer.Walk { return jamf }
	return src
}

// TestSourcesComeChangeAndGoWhileTheOthersWalkOn: an unchanged walk is not touched, a changed one ends and begins again.
func TestSourcesComeChangeAndGoWhileTheOthersWalkOn(t *testing.T) {
	a, b := fleet(5, 0), fleet(3, 0)
	var gate chan struct{} // of the bubble
	a.page = func(ctx context.Context, _ jamf.List, _, _ int) (*jamf.Page, error) {
		select {
		case <-gate:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	bubble(t, a, []device.Kind{device.Computer}, func(h *house) {
		gate = make(chan struct{})
		first := h.like("a", "1", a)
		h.source = first
		h.start()
		h.keep(first, h.like("b", "1", b))
		if st := h.of("b"); st.State != "fresh" || !h.of("a").Syncing {
			t.Errorf("the added source is %s, the walk of the other goes on: %v", st.State, h.of("a").Syncing)
		}
		h.keep(h.like("a", "2", a), h.like("b", "1", b))
		if st := h.of("a"); !st.Syncing || st.LastResult != "" {
			t.Errorf("the changed source walks: %v, and booked %q for the walk that was ended", st.Syncing, st.LastResult)
		}
		close(gate)
		synctest.Wait()
		if st := h.of("a"); st.State != "fresh" || a.pages < 2 {
			t.Errorf("the changed source is %s after %d pages: it was not walked twice", st.State, a.pages)
		}
		read := b.pages
		off := h.like("b", "2", b)
		off.Disabled = true
		h.keep(off)
		if err := h.syncer.SyncNow("a"); !errors.Is(err, syncer.ErrUnknownSource) {
			t.Errorf("sync of a source that is gone: %v", err)
		}
		if err := h.syncer.SyncNow("b"); !errors.Is(err, syncer.ErrDisabled) {
			t.Errorf("sync of a source that was disabled: %v", err)
		}
		gone := a.pages
		time.Sleep(72 * time.Hour)
		if a.pages != gone || b.pages != read {
			t.Errorf("what is gone was asked for %d pages more, what is disabled for %d", a.pages-gone, b.pages-read)
		}
		h.keep(h.like("a", "1", a), h.like("b", "3", b))
		if st := h.of("a"); st.State != "fresh" || st.LastSuccess.IsZero() || a.pages == gone {
			t.Errorf("the source that came back is %+v", st)
		}
		if st := h.of("b"); st.State != "fresh" || b.pages == read {
			t.Errorf("the source that is active again is %s", st.State)
		}
	})
}

// TestASyncThatWasAskedForBeginsAgainAfterAChange although its slot is a day away.
func TestASyncThatWasAskedForBeginsAgainAfterAChange(t *testing.T) {
	a := fleet(5, 0)
	bubble(t, a, []device.Kind{device.Computer}, func(h *house) {
		h.source = h.like("a", "1", a)
		h.start()
		gate := make(chan struct{})
		a.page = func(ctx context.Context, _ jamf.List, _, _ int) (*jamf.Page, error) {
			select {
			case <-gate:
				return nil, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		time.Sleep(time.Hour)
		if err := h.syncer.SyncNow("a"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		asked := time.Now()
		h.keep(h.like("a", "2", a))
		if !h.of("a").Syncing {
			t.Error("the sync that was asked for is forgotten")
		}
		close(gate)
		synctest.Wait()
		if st := h.of("a"); st.LastSuccess.Before(asked) {
			t.Errorf("the last good sync is of %s", st.LastSuccess)
		}
	})
}

// TestAChangeAfterTheEndIsNoStandstill: the program ends while a reload is under way.
func TestAChangeAfterTheEndIsNoStandstill(t *testing.T) {
	bubble(t, fleet(1, 0), []device.Kind{device.Computer}, func(h *house) {
		h.start()
		c, err := h.syncer.Prepare(context.Background(), []syncer.Source{h.like("b", "1", fleet(1, 0))})
		if err != nil {
			t.Fatal(err)
		}
		h.stop()
		c.Apply()
		c.Start()
	})
}

// TestNoSyncBeginsBetweenAlthoughTheSourceChanges: what holds a source's syncs up holds up those of its next settings too.
func TestNoSyncBeginsBetweenAlthoughTheSourceChanges(t *testing.T) {
	a := fleet(5, 0)
	bubble(t, a, []device.Kind{device.Computer}, func(h *house) {
		h.source = h.like("a", "1", a)
		h.start()
		between := func(act func() error) error {
			return h.syncer.Between(context.Background(), "a", device.Computer, act)
		}
		read := h.read()
		err := between(func() error {
			h.keep(h.like("a", "2", a))
			if err := h.syncer.SyncNow("a"); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			if h.read() != read {
				t.Error("a sync of the changed source began while the store was in use")
			}
			return nil
		})
		synctest.Wait()
		if err != nil || h.read() == read {
			t.Errorf("between: %v; the sync that was asked for read %d pages", err, h.read()-read)
		}
		gate := make(chan struct{})
		a.page = func(ctx context.Context, _ jamf.List, _, _ int) (*jamf.Page, error) {
			select {
			case <-gate:
				return nil, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		if err := h.syncer.SyncNow("a"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := between(func() error { t.Error("it acts while a sync runs"); return nil }); !errors.Is(err, syncer.ErrRunning) {
			t.Errorf("while a sync runs: %v", err)
		}
		close(gate)
		synctest.Wait()
	})
}
