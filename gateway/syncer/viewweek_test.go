package syncer_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/syncer"
)

// school is a house with a client that is shown the site North, where all computers are at first but the moved ones.
type school struct {
	*house
	north device.Filter
	moved int64 // this and all lower ids are at the site South
}

func inASchool(t *testing.T, computers int, f func(s *school)) {
	t.Helper()
	j := fleet(computers, 0)
	s := &school{north: device.Filter{Sites: []string{"North"}}}
	j.body = func(_ device.Kind, id int64) []byte {
		site := `{"id":"1","name":"North"}`
		if id <= s.moved {
			site = `{"id":"2","name":"South"}`
		}
		return fmt.Appendf(nil, `{"id":"%d","udid":"U%d","general":{"name":"mac-%d","site":%s},"hardware":{"serialNumber":"C%d"}}`, id, id, id, site, id)
	}
	bubble(t, j, onlyMacs, func(h *house) {
		h.source.Views = []syncer.View{{Client: "north", Filter: s.north}}
		s.house = h
		h.start()
		f(s)
	})
}

// move sends n more computers to the other site.
func (s *school) move(n int64) { s.change(func() { s.moved += n }) }

// tomorrow is after the next sync of the schedule.
func (s *school) tomorrow() {
	time.Sleep(day)
	synctest.Wait()
}

func (s *school) restart() {
	s.stop()
	s.start()
}

// mustShow holds that the view was published with so many devices.
func (s *school) mustShow(want int) {
	s.t.Helper()
	s.mustBe(device.Computer, "fresh", "ok", "")
	if got := s.viewOf(device.Computer, s.north).Count(); got != want {
		s.t.Fatalf("%d devices are shown, want %d", got, want)
	}
}

// mustHoldWeek holds that what left the view in a week is too much, while shown devices are served.
func (s *school) mustHoldWeek(shown, count, of, limit int) (digest string) {
	s.t.Helper()
	s.mustBe(device.Computer, "stale", "held", "held")
	if got := s.viewOf(device.Computer, s.north).Count(); got != shown {
		s.t.Errorf("%d devices are shown while it is held, want %d", got, shown)
	}
	hold := s.status(device.Computer).Hold
	if diff := cmp.Diff([]syncer.Finding{{Guard: syncer.GuardWeek, Count: count, Of: of, Limit: limit, Client: "north"}}, hold.Findings); diff != "" {
		s.t.Fatal(diff)
	}
	return hold.Digest
}

// TestAViewThatLosesALittleEachDayIsHeldWithinAWeek on the day that goes beyond the limit, over restarts; what a person approves is not counted, and
// the days before still are.
func TestAViewThatLosesALittleEachDayIsHeldWithinAWeek(t *testing.T) {
	inASchool(t, 100, func(s *school) {
		for n := range 3 {
			s.move(8)
			s.tomorrow()
			s.mustShow(92 - 8*n)
			if n == 1 {
				s.restart()
			}
		}
		s.move(8)
		s.tomorrow()
		first := s.mustHoldWeek(76, 32, 100, 25)
		if n := s.metric("jamf_sync_held"); n != 1 {
			s.t.Errorf("jamf_sync_held is %v", n)
		}
		s.restart() // held, whoever starts it again
		s.sync()
		if again := s.mustHoldWeek(76, 32, 100, 25); again != first {
			s.t.Errorf("digest %s, then %s", first, again)
		}
		if err := s.syncer.Approve(s.t.Context(), "a", first, "admin"); err != nil {
			s.t.Fatal(err)
		}
		s.mustShow(68)
		s.move(1)
		s.sync()
		s.mustShow(67)
		s.move(1)
		s.sync()
		s.mustHoldWeek(67, 26, 100, 25)
		time.Sleep(5 * day) // the first days are older than a week
		synctest.Wait()
		s.mustShow(66)
	})
}

// TestTheWeekOfAViewOutlivesAClockThatIsSetBack by a year, and does not last until that year is over.
func TestTheWeekOfAViewOutlivesAClockThatIsSetBack(t *testing.T) {
	inASchool(t, 100, func(s *school) {
		s.move(13)
		s.tomorrow()
		s.mustShow(87)
		s.stop()
		s.now = func() time.Time { return time.Now().Add(-365 * day) }
		s.start()
		s.move(13)
		s.sync()
		s.mustHoldWeek(87, 26, 100, 25)
		time.Sleep(8 * day)
		synctest.Wait()
		s.mustShow(74)
	})
}

// TestAnnouncedDeletionsDoNotCountForTheWeekOfAView and what leaves it without being deleted does.
func TestAnnouncedDeletionsDoNotCountForTheWeekOfAView(t *testing.T) {
	inASchool(t, 100, func(s *school) {
		if err := s.syncer.Expect(s.t.Context(), "a", 24, time.Now().Add(30*day), "admin"); err != nil {
			s.t.Fatal(err)
		}
		for n := range 2 {
			s.lose(12)
			s.tomorrow()
			s.mustShow(88 - 12*n)
		}
		s.move(13)
		s.sync()
		s.mustShow(63)
		s.lose(2) // not announced any more
		s.sync()
		s.mustShow(61)
		s.move(5)
		s.sync()
		s.mustHoldWeek(61, 20, 76, 19)
	})
}

// TestTheWeekOfAViewGoesOnOverAChangeOfItsFilter by a reload, which counts itself, and by a restart, which is meant.
func TestTheWeekOfAViewGoesOnOverAChangeOfItsFilter(t *testing.T) {
	inASchool(t, 100, func(s *school) {
		s.move(8)
		s.tomorrow()
		s.mustShow(92)
		g, err := s.store.Acquire(cache.Series{Source: "a", Kind: device.Computer})
		if err != nil {
			s.t.Fatal(err)
		}
		defer g.Release()
		before, after := s.source.Views, []syncer.View{{Client: "north", Filter: device.Filter{Sites: []string{"South"}}}}
		south := []syncer.Finding{{Guard: syncer.GuardRemoved, Count: 92, Of: 92, Limit: 25, Client: "north"}}
		if found, _, err := s.syncer.Shrinks(t.Context(), config.DefaultGuard(), g, before, after); !errors.Is(err, cache.ErrNoView) || found != nil {
			s.t.Errorf("a site that nobody asked for: %v, %v", found, err)
		}
		s.source.Views = append(before, syncer.View{Client: "south", Filter: after[0].Filter}, syncer.View{Client: "all", Filter: device.Filter{Sites: []string{"North", "South"}}})
		s.restart()
		s.sync()
		served, err := s.store.Acquire(cache.Series{Source: "a", Kind: device.Computer})
		if err != nil {
			s.t.Fatal(err)
		}
		defer served.Release()
		if found, _, err := s.syncer.Shrinks(t.Context(), config.DefaultGuard(), served, before, after); err != nil || !cmp.Equal(south, found) {
			s.t.Errorf("another site: %v, %v", found, err)
		}
		// 100 of all, of which 8 leave by the filter: they count.
		if err := s.syncer.Follow(s.t.Context(), served, []syncer.View{{Client: "all", Filter: s.source.Views[2].Filter}}, []syncer.View{{Client: "all", Filter: s.north}}, true); err != nil {
			s.t.Fatal(err)
		}
		s.source.Views = []syncer.View{{Client: "all", Filter: s.north}}
		s.restart()
		s.move(13)
		s.sync()
		s.mustShow(79)
		s.move(5)
		s.sync()
		s.mustBe(device.Computer, "stale", "held", "held")
		want := []syncer.Finding{{Guard: syncer.GuardWeek, Count: 26, Of: 100, Limit: 25, Client: "all"}}
		if diff := cmp.Diff(want, s.status(device.Computer).Hold.Findings); diff != "" {
			s.t.Error(diff)
		}
	})
}

// TestNothingOfADeviceIsInTheWeekOfAView and a book that cannot be read is refused, never taken for a week without removals.
func TestNothingOfADeviceIsInTheWeekOfAView(t *testing.T) {
	inASchool(t, 100, func(s *school) {
		s.move(8)
		s.tomorrow()
		s.mustShow(92)
		s.stop()
		file := filepath.Join(s.dir, ".schedule", "a.json")
		data, err := os.ReadFile(file)
		if err != nil {
			s.t.Fatal(err)
		}
		for word, want := range map[string]bool{`"north"`: true, `"count": 8`: true, `"of": 100`: true, `"devices": 92`: true, "mac-": false, "North": false, "C1": false} {
			if got := bytes.Contains(data, []byte(word)); got != want {
				s.t.Errorf("%q is in the book: %t", word, got)
			}
		}
		if err := os.WriteFile(file, data[:len(data)/2], 0o600); err != nil {
			s.t.Fatal(err)
		}
		store, err := cache.Open(s.t.Context(), cache.Options{Dir: s.dir, MaxBytes: 4 << 20, Keep: 3})
		if err != nil {
			s.t.Fatal(err)
		}
		defer func() { _ = store.Close() }()
		if _, err := syncer.New(syncer.Options{Store: store, Dir: filepath.Dir(file), Sources: []syncer.Source{s.source}}); err == nil {
			s.t.Error("a book that ends in the middle is taken")
		}
	})
}

// TestAViewThatLostDevicesWithTheStoreIsHeld although the source has as many as before: nobody knows which they were, and how many is known.
func TestAViewThatLostDevicesWithTheStoreIsHeld(t *testing.T) {
	inASchool(t, 100, func(s *school) {
		lose := func() {
			s.stop()
			if err := os.RemoveAll(filepath.Join(s.dir, "a")); err != nil {
				s.t.Fatal(err)
			}
			s.start()
		}
		s.move(10)
		lose()
		s.mustShow(90)
		s.move(40)
		lose()
		s.mustBe(device.Computer, "never_synced", "held", "held")
		hold := s.status(device.Computer).Hold
		if diff := cmp.Diff([]syncer.Finding{{Guard: syncer.GuardLost, Count: 40, Of: 90, Limit: 25, Client: "north"}}, hold.Findings); diff != "" {
			s.t.Fatal(diff)
		}
		if err := s.syncer.Approve(s.t.Context(), "a", hold.Digest, "admin"); err != nil {
			s.t.Fatal(err)
		}
		synctest.Wait()
		s.mustShow(50)
	})
}

// TestAViewThatOnlyASyncCanTellIsCompared with what was shown before a start with another filter.
func TestAViewThatOnlyASyncCanTellIsCompared(t *testing.T) {
	inASchool(t, 100, func(s *school) {
		s.move(4)
		s.sync()
		s.mustShow(96)
		s.north = device.Filter{Sites: []string{"South"}}
		s.source.Views = []syncer.View{{Client: "north", Filter: s.north}}
		s.restart()
		s.mustShow(4)
		if log := s.logs.String(); !strings.Contains(log, "shown fewer devices since its view was changed") || !strings.Contains(log, "client=north before=96 now=4 limit=25") {
			s.t.Error(log)
		}
	})
}
