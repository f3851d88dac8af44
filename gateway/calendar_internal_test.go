package gateway

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/config"
)

const (
	oneDay  = 24 * time.Hour
	oneYear = 365 * oneDay
)

// almanac is a calendar with a clock that is put by hand.
type almanac struct {
	t   *testing.T
	dir string
	now time.Time

	fail func(cache.Op, string) error
	*calendar
}

func newAlmanac(t *testing.T) *almanac {
	t.Helper()
	a := &almanac{t: t, dir: t.TempDir(), now: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)}
	a.start()
	return a
}

func (a *almanac) start() {
	a.calendar = newCalendar(a.dir, &cache.Disk{Fail: a.fail}, func() time.Time { return a.now }, slog.New(slog.DiscardHandler))
}

// run lets hours pass.
func (a *almanac) run(hours int) {
	for range hours {
		a.now = a.now.Add(time.Hour)
		a.hour()
	}
}

// want is how far the date lies behind the clock.
func (a *almanac) want(when string, behind time.Duration) {
	a.t.Helper()
	if got := a.now.Sub(a.date()); got != behind {
		a.t.Errorf("%s: the date is %v behind the clock, want %v", when, got, behind)
	}
}

func TestAClockThatIsAheadForAMomentIsNotBelieved(t *testing.T) {
	a := newAlmanac(t)
	a.want("in a new directory", 0)
	a.run(10)
	a.want("after ten hours", 0)
	a.now = a.now.Add(30 * time.Minute)
	a.want("between two hours", 0)
	a.now = a.now.Add(oneYear)
	a.want("a year ahead", oneYear+30*time.Minute)
	for range 100 {
		a.start()
	}
	a.want("a year ahead, after a hundred starts", oneYear+30*time.Minute)
	a.run(believedAfter - 1)
	a.want("a year ahead for almost three days", oneYear+30*time.Minute)
	a.now = a.now.Add(-oneYear)
	a.want("back again", 0)
	a.run(1)
	a.now = a.now.Add(oneYear)
	a.run(1)
	a.want("ahead once more: its hours are counted anew", oneYear)
}

func TestAClockThatStaysAheadIsBelievedAfterThreeDaysOfRunning(t *testing.T) {
	for name, between := range map[string]func(a *almanac){
		"in one run":         func(*almanac) {},
		"with many restarts": func(a *almanac) { a.start() },
	} {
		a := newAlmanac(t)
		a.now = a.now.Add(120 * oneDay) // it was off
		a.start()
		a.want(name, 120*oneDay)
		for range believedAfter/8 - 1 {
			a.run(8)
			between(a)
		}
		a.run(7)
		a.want(name, 120*oneDay)
		a.run(1)
		a.want(name, 0)
		a.start()
		a.want(name+", the start after", 0)
	}
}

func TestAGatewayThatIsStartedOnceADayBelievesItsClock(t *testing.T) {
	a := newAlmanac(t)
	for range 5 {
		a.now = a.now.Add(25 * time.Hour)
		a.start()
		a.want("a start", 0)
	}
	a.now = a.now.Add(-oneYear)
	a.want("set back", 0)
}

func TestAFileThatCannotBeReadProvesNoClock(t *testing.T) {
	for _, text := range []string{`{"format":2,"proven":"2026-11-27T12:00:00Z"}`, `{"for`, `{"format":1,"proven":"x"}`} {
		a := newAlmanac(t)
		if err := os.WriteFile(filepath.Join(a.dir, calendarFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		a.start()
		if got := a.date(); !got.IsZero() {
			t.Errorf("%s: the date is %v", text, got)
		}
		if text == `{"for` {
			a.run(believedAfter)
			a.want(text, 0)
		}
	}
}

func TestADiskThatKeepsNoCalendarDelaysItAndNoMore(t *testing.T) {
	a := newAlmanac(t)
	a.fail = func(cache.Op, string) error { return errors.ErrUnsupported }
	a.now = a.now.Add(oneYear)
	a.start()
	a.run(10)
	a.want("while the disk is broken", oneYear)
	a.run(believedAfter - 10)
	a.want("three days later", 0)
}

func TestTheHoursOfAClockThatIsAheadAreCountedWhileTheGatewayRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ahead atomic.Int64
		now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		g := &Gateway{o: Options{Config: &config.Config{DataDir: t.TempDir()}, Now: now, Logger: slog.New(slog.DiscardHandler)}}
		g.calendar = newCalendar(g.o.Config.DataDir, &cache.Disk{}, now, g.o.Logger)
		g.fit.Store(&outfit{config: g.o.Config})
		g.purger, g.policies = newPurger(g, nil), &policyHistory{}
		ctx, end := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- g.tidy(ctx) }()
		ahead.Store(int64(oneYear))
		time.Sleep(believedAfter*time.Hour - time.Minute)
		if behind := now().Sub(g.calendar.date()); behind < oneYear {
			t.Errorf("too soon: the date is %v behind", behind)
		}
		time.Sleep(2 * time.Minute)
		if behind := now().Sub(g.calendar.date()); behind != 0 {
			t.Errorf("the date is %v behind", behind)
		}
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
