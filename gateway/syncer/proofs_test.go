package syncer_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
)

func TestAbsentDeviceIsOnlyGoneWhenJamfSaysSo(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(80, 0), onlyMacs, func(h *house) {
		h.start()
		for _, id := range []int64{20, 30, 40} { // no list shows them any more
			h.jamf.remove(device.Computer, id)
		}
		h.jamf.hidden[30] = true
		h.jamf.record = func(id int64) ([]byte, error) {
			if id == 40 {
				return nil, &jamf.Error{Kind: jamf.ErrServerError, Status: 500, Code: "jamf_cannot_render"}
			}
			return nil, nil
		}
		h.sync()
		h.mustBe(device.Computer, "fresh", "ok", "")
		ids := h.ids(device.Computer)
		if slices.Contains(ids, 20) {
			t.Error("20 is served although Jamf said 404")
		}
		if !slices.Contains(ids, 30) || !slices.Contains(ids, 40) {
			t.Fatalf("%d devices: one that lives, or one that Jamf cannot tell of, is lost", len(ids))
		}
		if r := h.kept(device.Computer, 30); r.State != "present" {
			t.Errorf("30 was read by id and is %s", r.State)
		}
		if r := h.kept(device.Computer, 40); r.State == "present" {
			t.Error("40 is kept from before and not flagged")
		}
		since := h.missing(40)
		time.Sleep(3 * day)
		synctest.Wait()
		if again := h.missing(40); since.IsZero() || !again.Equal(since) || h.served(device.Computer).Number < 4 {
			t.Errorf("40 is missing since %v, then since %v", since, again)
		}
	})
}

func TestGhostIsTakenOutAlsoWhenTheListCountsIt(t *testing.T) {
	t.Parallel()
	jam := fleet(0, 120)
	bubble(t, jam, onlyPads, func(h *house) {
		gone := int64(0)
		jam.page = func(_ context.Context, l jamf.List, page, size int) (*jamf.Page, error) {
			if l != jamf.MobileDetail {
				return nil, nil
			}
			p := jam.show(l, page, size)
			if gone == 0 { // the last row of the first page goes; the full list goes on counting it, the plain one does not
				gone = int64(len(p.Rows))
				jam.remove(device.Mobile, gone)
			} else {
				p.Total++
			}
			return p, nil
		}
		h.start()
		h.mustBe(device.Mobile, "fresh", "ok", "")
		if ids := h.ids(device.Mobile); slices.Contains(ids, gone) || len(ids) != 119 {
			t.Errorf("%d devices, %d is one of them: %t", len(ids), gone, slices.Contains(ids, gone))
		}
	})
}

// A page leaves a row out, and a device that was read is deleted: as many are held as Jamf counts, and they are others.
func TestARowThatAPageLeavesOutIsFoundAlthoughTheNumbersAgree(t *testing.T) {
	t.Parallel()
	jam := fleet(80, 0)
	bubble(t, jam, onlyMacs, func(h *house) {
		h.source.PageSize = 100
		hurt := false
		jam.page = func(_ context.Context, l jamf.List, page, size int) (*jamf.Page, error) {
			if hurt || l != jamf.Computers || size < 80 {
				return nil, nil
			}
			hurt = true
			p := jam.show(l, page, size)
			p.Rows = slices.Delete(p.Rows, 10, 11)
			jam.remove(device.Computer, 6)
			return p, nil
		}
		h.start()
		h.mustBe(device.Computer, "fresh", "ok", "")
		if ids := h.ids(device.Computer); !hurt || len(ids) != 79 || !slices.Contains(ids, 11) || slices.Contains(ids, 6) {
			t.Errorf("%d devices; 11 is there: %t, 6 is: %t", len(ids), slices.Contains(ids, 11), slices.Contains(ids, 6))
		}
	})
}

// Half a list is read, and the cheap list that should tell what is missing comes without a device: that as many live as were read proves nothing.
func TestAnEmptyListProvesNothingOfHalfAList(t *testing.T) {
	t.Parallel()
	jam := fleet(0, 40)
	bubble(t, jam, onlyPads, func(h *house) {
		jam.page = func(_ context.Context, l jamf.List, page, size int) (*jamf.Page, error) {
			switch {
			case l != jamf.MobileDetail:
				return &jamf.Page{Version: "v2", Rows: []jamf.Row{}}, nil
			case page > 0:
				return &jamf.Page{Version: "v2", Rows: []jamf.Row{}, Total: 40}, nil
			}
			p := jam.show(l, page, size)
			p.Rows = p.Rows[:min(20, len(p.Rows))]
			return p, nil
		}
		h.start()
		h.mustBe(device.Mobile, "never_synced", "failed", "count_mismatch")
	})
}

func TestSectionThatTurnedBlankKeepsWhatWasKnown(t *testing.T) {
	t.Parallel()
	for name, blank := range map[string]string{
		"null":    `{"id":"7","udid":"U7","general":{"name":"renamed"},"hardware":null}`,
		"missing": `{"id":"7","udid":"U7","general":{"name":"renamed"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, fleet(80, 0), onlyMacs, func(h *house) {
				h.start()
				h.jamf.body = func(k device.Kind, id int64) []byte {
					if id == 7 {
						return []byte(blank)
					}
					return plain(k, id)
				}
				h.sync()
				h.mustBe(device.Computer, "fresh", "ok", "")
				r := h.kept(device.Computer, 7)
				if !strings.Contains(string(r.Body), `"serialNumber":"C7"`) || !strings.Contains(string(r.Body), "renamed") {
					t.Errorf("kept as %s", r.Body)
				}
				q := h.served(device.Computer).Quarantined
				if r.State != "quarantined" || len(q) != 1 || q[0].ID != 7 || q[0].Reason != "blank hardware" || q[0].Kept != "previous" {
					t.Errorf("state %s, quarantined %+v", r.State, q)
				}
			})
		})
	}
}

// A section that no record has any more is none of this Jamf: a person decides, and the walks after it are not rejected for ever.
func TestSectionThatJamfNoLongerSendsIsForAPersonToDecide(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(80, 0), onlyMacs, func(h *house) {
		h.start()
		h.jamf.body = func(_ device.Kind, id int64) []byte {
			return fmt.Appendf(nil, `{"id":"%d","udid":"U%d","general":{"name":"n"}}`, id, id)
		}
		h.sync()
		h.mustHold(80, "blanked")
		h.jamf.body = func(k device.Kind, id int64) []byte { // from the second page on
			if id > 60 {
				return fmt.Appendf(nil, `{"id":"%d","udid":"U%d","general":{"name":"n"}}`, id, id)
			}
			return plain(k, id)
		}
		h.sync()
		h.mustBe(device.Computer, "stale", "failed", "too_many_quarantined")
	})
}

func TestRecordThatCannotBeReadKeepsItsLastGoodVersion(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(0, 80), onlyPads, func(h *house) {
		h.start()
		h.jamf.poison(1)
		h.sync()
		h.mustBe(device.Mobile, "fresh", "ok", "")
		r := h.kept(device.Mobile, 1)
		if string(r.Body) != string(h.before(device.Mobile, 1).Body) || r.State != "quarantined" {
			t.Errorf("kept as %s %s", r.State, r.Body)
		}
		if q := h.served(device.Mobile).Quarantined; len(q) != 1 || q[0].ID != 1 || q[0].Kept != "previous" {
			t.Errorf("quarantined %+v", q)
		}
	})
}

// poison makes the first n mobile devices such that no page of the full list and no record that holds one can be rendered.
func (s *script) poison(n int64) {
	broken := &jamf.Error{Kind: jamf.ErrServerError, Status: 500, Code: "jamf_cannot_render"}
	s.page = func(_ context.Context, l jamf.List, page, size int) (*jamf.Page, error) {
		if l == jamf.MobileDetail && int64(page*size) < n {
			return nil, broken
		}
		return nil, nil
	}
	s.record = func(id int64) ([]byte, error) {
		if id <= n {
			return nil, broken
		}
		return nil, nil
	}
}

func TestTooManyUnreadableRecordsRejectTheWalk(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		devices int
		broken  int64
		good    bool
	}{
		{49, 2, true}, {49, 3, false}, {50, 10, true}, {50, 11, false}, {1000, 10, true}, {1000, 11, false}, {1500, 15, true}, {1500, 16, false},
	} {
		t.Run(fmt.Sprintf("%d of %d", c.broken, c.devices), func(t *testing.T) {
			t.Parallel()
			bubble(t, fleet(0, c.devices), onlyPads, func(h *house) {
				h.start()
				h.jamf.poison(c.broken)
				h.sync()
				want := int64(0)
				if c.good {
					h.mustBe(device.Mobile, "fresh", "ok", "")
					want = c.broken
				} else {
					h.mustBe(device.Mobile, "fresh", "failed", "too_many_quarantined")
				}
				if q := h.served(device.Mobile).Quarantined; int64(len(q)) != want {
					t.Errorf("%d are quarantined, want %d", len(q), want)
				}
			})
		})
	}
}

func TestConfirmationsAreBoundedAndTheRestIsKept(t *testing.T) {
	t.Parallel()
	bubble(t, fleet(2150, 0), onlyMacs, func(h *house) {
		h.source.PageSize, h.source.Guard = 800, config.Guard{RemovedPercent: 100, UnconfirmedPercent: 100, WeekPercent: 100}
		h.start()
		asked := len(h.jamf.asked)
		h.jamf.ids[device.Computer] = h.jamf.ids[device.Computer][:100]
		h.sync()
		h.mustBe(device.Computer, "fresh", "ok", "")
		if n := len(h.jamf.asked) - asked; n != 2000 {
			t.Errorf("%d records were asked for by id, at most 2000 may be", n)
		}
		if n := h.served(device.Computer).Count; n != 150 {
			t.Errorf("%d devices, want the 100 shown and the 50 that nobody asked about", n)
		}
		if r := h.kept(device.Computer, 2150); r.State == "present" {
			t.Error("a device that nobody asked about is not flagged")
		}
	})
}

func TestWalkWithoutAPageForHalfAnHourEnds(t *testing.T) {
	t.Parallel()
	jam := fleet(200, 0)
	bubble(t, jam, onlyMacs, func(h *house) {
		jam.page = func(ctx context.Context, _ jamf.List, page, _ int) (*jamf.Page, error) {
			if page == 0 {
				return nil, nil
			}
			<-ctx.Done()
			return nil, &jamf.Error{Kind: ctx.Err(), Code: "canceled"}
		}
		h.start()
		time.Sleep(30*time.Minute - time.Second)
		if st := h.status(device.Computer); !st.Syncing || st.Held == 0 {
			t.Fatalf("after 29 minutes: %+v", st)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if st := h.status(device.Computer); st.State != "never_synced" || st.ErrorCode != "no_progress" {
			t.Errorf("%+v", st)
		}
	})
}

// missing is since when a computer is kept that Jamf neither lists nor confirms as deleted.
func (h *house) missing(id int64) time.Time {
	h.t.Helper()
	for _, q := range h.served(device.Computer).Quarantined {
		if q.ID == id && q.Reason == "not_listed" {
			return q.Since
		}
	}
	h.t.Errorf("%d is not flagged", id)
	return time.Time{}
}
