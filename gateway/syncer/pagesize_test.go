package syncer_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
	"jamf-gateway/gateway/syncer"
)

// paced is a Jamf that takes its time for every row of a page, and may do so for several pages at once.
type paced struct {
	*script
	perRow time.Duration

	mu    sync.Mutex
	sizes []int // of the pages, in the order in which they were asked for
	most  int   // pages at once
	now   int
}

func (p *paced) Page(ctx context.Context, l jamf.List, sections []string, page, size int) (*jamf.Page, error) {
	p.mu.Lock()
	p.sizes = append(p.sizes, size)
	p.now++
	p.most = max(p.most, p.now)
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.now--
		p.mu.Unlock()
	}()
	out, err := p.script.Page(ctx, l, sections, page, size)
	if err != nil {
		return nil, err
	}
	took := time.Duration(len(out.Rows)) * p.perRow
	select {
	case <-time.After(took):
	case <-ctx.Done():
		return nil, &jamf.Error{Kind: ctx.Err(), Code: "canceled"}
	}
	out.Elapsed = took
	return out, nil
}

// pace lets the house talk to a Jamf that takes perRow for a row.
func (h *house) pace(perRow time.Duration) *paced {
	p := &paced{script: h.jamf, perRow: perRow}
	h.source.NewWalk = func() syncer.Walk { return p }
	return p
}

// wait waits until the sync that runs has ended, and tells how long.
func (h *house) wait(k device.Kind) time.Duration {
	h.t.Helper()
	began := time.Now()
	for h.status(k).Syncing {
		if time.Since(began) > 24*time.Hour {
			h.t.Fatal("the sync does not end")
		}
		time.Sleep(time.Second)
	}
	return time.Since(began)
}

func TestPageSizesFollowWhatJamfTakesForThem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		perRow        time.Duration
		ceiling       int
		from, to      int // sizes of the pages from the fifth on, the last aside
		first, second int // of the second, at most
	}{
		"as Jamf usually does": {26 * time.Millisecond, 800, 51, 112, 100, 112},
		"fast":                 {100 * time.Microsecond, 800, 401, 900, 100, 225},
		"fast, small setting":  {100 * time.Microsecond, 120, 61, 135, 100, 135},
		"slow":                 {200 * time.Millisecond, 800, 26, 56, 100, 56},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, fleet(2000, 0), onlyMacs, func(h *house) {
				h.source.PageSize = c.ceiling
				jam := h.pace(c.perRow)
				h.start()
				h.wait(device.Computer)
				h.mustBe(device.Computer, "fresh", "ok", "")
				if n := h.served(device.Computer).Count; n != 2000 {
					t.Fatalf("%d of 2000", n)
				}
				if jam.sizes[0] != c.first || jam.sizes[1] > c.second {
					t.Errorf("the first pages are of %v", jam.sizes[:4])
				}
				rest := jam.sizes[4 : len(jam.sizes)-1]
				if slices.Min(rest) < c.from || slices.Max(rest) > c.to {
					t.Errorf("sizes from %d to %d, want %d to %d", slices.Min(rest), slices.Max(rest), c.from, c.to)
				}
			})
		})
	}
}

func TestPageThatIsTooLargeForOneAnswerIsReadRecordByRecord(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(0, 400), onlyPads, func(h *house) {
		h.jamf.page = func(_ context.Context, l jamf.List, page, size int) (*jamf.Page, error) {
			if l == jamf.MobileDetail && page*size <= 160 && (page+1)*size > 160 {
				return nil, &jamf.Error{Kind: jamf.ErrTooLarge, Code: "too_large"}
			}
			return nil, nil
		}
		h.start()
		h.mustBe(device.Mobile, "fresh", "ok", "")
		if info := h.served(device.Mobile); info.Count != 400 || len(info.Quarantined) != 0 {
			t.Errorf("%d devices, flagged %v", info.Count, info.Quarantined)
		}
		if n := len(h.jamf.asked); n == 0 || n > 56 {
			t.Errorf("%d records were asked for by id, want those of one page of the smallest size", n)
		}
	})
}

// mute is a Jamf that cannot render one page of the full list and never answers a question for a record.
type mute struct{ *script }

func (m mute) Record(ctx context.Context, _ jamf.List, _ []string, _ int64) ([]byte, error) {
	<-ctx.Done()
	return nil, &jamf.Error{Kind: ctx.Err(), Code: "canceled"}
}

func TestReadingRecordByRecordIsBoundedLikeAPage(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(0, 200), onlyPads, func(h *house) {
		h.jamf.poison(1)
		h.source.NewWalk = func() syncer.Walk { return mute{h.jamf} }
		h.start()
		time.Sleep(30*time.Minute - time.Second)
		if st := h.status(device.Mobile); !st.Syncing {
			t.Fatalf("after 29 minutes: %+v", st)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if st := h.status(device.Mobile); st.State != "never_synced" || st.ErrorCode != "no_progress" {
			t.Errorf("%+v", st)
		}
	})
}
