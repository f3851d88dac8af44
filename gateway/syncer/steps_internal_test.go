package syncer

import (
	"context"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/availability"
	"jamf-gateway/gateway/device"
)

// wrongClock is the clock of the machine, and wrong by a step.
type wrongClock struct{ step atomic.Int64 }

func (c *wrongClock) now() time.Time       { return time.Now().Add(time.Duration(c.step.Load())) }
func (c *wrongClock) jump(d time.Duration) { c.step.Add(int64(d)) }

const aYear = 365 * 24 * time.Hour

// However the clock is stepped: heartbeats come every five minutes, no more and no less, an outage is noticed and its end too, and what is
// written down never lasts less than nothing.
func TestHeartbeatsGoOnHoweverTheClockIsStepped(t *testing.T) {
	for name, step := range map[string]time.Duration{"an hour on": time.Hour, "an hour back": -time.Hour, "a year on": aYear, "a year back": -aYear} {
		t.Run(name, func(t *testing.T) {
			var clock wrongClock
			j := &sickJamf{}
			beatingBy(t, clock.now, j, onlyBeats, func(s *Syncer, dir string) {
				beats := func() int { // each asks for the rights once
					n := 0
					for _, call := range j.seen() {
						if strings.Contains(call, "/v1/auth") {
							n++
						}
					}
					return n
				}
				time.Sleep(12 * time.Minute)
				clock.jump(step)
				j.become("")
				time.Sleep(time.Hour)
				if n := beats(); n < 10 || n > 14 {
					t.Errorf("%d heartbeats in the hour after the step", n)
				}
				if st := s.Status()[0].Heartbeat; st.State != availability.Up || st.Next.Sub(clock.now()) > 6*time.Minute || clock.now().Sub(st.At) > 6*time.Minute || st.At.After(clock.now()) {
					t.Errorf("at %v: %+v", clock.now(), st)
				}
				j.become("down")
				time.Sleep(10 * time.Minute)
				clock.jump(-step) // in the middle of an outage
				time.Sleep(10 * time.Minute)
				if st := s.Status()[0].Heartbeat; st.State != availability.Down {
					t.Errorf("Jamf is down: %+v", st)
				}
				j.become("")
				time.Sleep(12 * time.Minute)
				if st := s.Status()[0].Heartbeat; st.State != availability.Up || !st.DownSince.IsZero() || beats() < 2 {
					t.Errorf("Jamf is back: %+v, %d heartbeats", st, beats())
				}
				never := func(what string, n int64) {
					if n < 0 {
						t.Errorf("%s is %d seconds", what, n)
					}
				}
				to := clock.now().Add(2 * aYear)
				entries, damaged, err := availability.Read(availability.Dir(dir, "a"), to.Add(-4*aYear), to)
				if err != nil || damaged > 0 || len(entries) < 5 { // what is older than 90 days by the clock of that moment is gone
					t.Errorf("%d entries, %d damaged, %v", len(entries), damaged, err)
				}
				r := availability.Make(entries, to.Add(-4*aYear), to, time.UTC)
				never("up", r.UpSeconds)
				never("down", r.DownSeconds)
				never("a gap", r.GapSeconds)
				for _, o := range r.Outages {
					never("an outage", o.Seconds)
				}
				for _, g := range r.Gaps {
					never("a gap", g.Seconds)
				}
			})
		})
	}
}

// A syncer that runs through steps of its clock reads once at a step, at most, and then once a day as ever.
func TestSyncsGoOnOnceADayHoweverTheClockIsStepped(t *testing.T) {
	all := map[string][]time.Duration{ // by the hour of the settings
		"":      {-time.Hour, time.Hour, 25 * time.Hour, -25 * time.Hour, aYear, -aYear, -aYear, aYear},
		"02:30": {25 * time.Hour, -25 * time.Hour, -aYear, aYear},
	}
	if raceEnabled { // days of minutes: a share is enough there
		all = map[string][]time.Duration{"": {aYear, -aYear}}
	}
	for at, steps := range all {
		t.Run("at "+at, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				var clock wrongClock
				var walks atomic.Int64
				store, err := cache.Open(t.Context(), cache.Options{Dir: dir, MaxBytes: 1 << 20, Keep: 3, Now: clock.now})
				if err != nil {
					t.Fatal(err)
				}
				minimal, _ := device.BuiltinProfile("minimal")
				s, err := New(Options{Store: store, Dir: filepath.Join(dir, ".schedule"), StartJitter: -1, Now: clock.now, Sources: []Source{{
					Name: "a", Kinds: []device.Kind{device.Computer}, Profile: minimal, Interval: 24 * time.Hour, At: at,
					NewWalk: func() Walk { walks.Add(1); return fleet(4) },
				}}})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				ran := make(chan error, 1)
				go func() { ran <- s.Run(ctx) }()
				days := func(n int, what string, least, most int64) {
					t.Helper()
					walks.Store(0)
					time.Sleep(time.Duration(n) * 24 * time.Hour)
					synctest.Wait()
					if got := walks.Load(); got < least || got > most {
						t.Errorf("%s: %d syncs in %d days", what, got, n)
					}
					k := s.Status()[0].Kinds[0]
					if wait := k.NextSync.Sub(clock.now()); k.LastResult != "ok" || k.State != "fresh" || wait < 0 || wait > 25*time.Hour {
						t.Errorf("%s: %+v, the next in %v", what, k, wait)
					}
				}
				days(2, "before", 2, 3)
				for _, step := range steps {
					clock.jump(step)
					days(2, "after "+step.String(), 1, 3)
				}
				cancel()
				if err := <-ran; err != nil {
					t.Error(err)
				}
				if err := store.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// The schedule knows the wall clock alone: a reading of the machine's monotonic clock would not count the hours that a machine slept.
func TestTheScheduleRestsOnTheWallClock(t *testing.T) {
	s := newPump(t, fleet(1))
	if now := s.now(); now != now.Round(0) {
		t.Errorf("%v carries a monotonic reading", now)
	}
}

// A window of announced removals is open between the moment at which it was announced and its end, and never because of a wrong clock.
func TestAWindowOfRemovalsIsNotKeptOpenByASteppedClock(t *testing.T) {
	at := time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC)
	berlin := time.FixedZone("CEST", 2*60*60)
	for name, tc := range map[string]struct {
		now  time.Time
		e    *expectation
		open bool
	}{
		"none":                          {at, nil, false},
		"just announced":                {at, &expectation{at, 5, at.Add(time.Hour)}, true},
		"used up":                       {at, &expectation{at, 0, at.Add(time.Hour)}, false},
		"a second before its end":       {at.Add(time.Hour - time.Second), &expectation{at, 5, at.Add(time.Hour)}, true},
		"at its end":                    {at.Add(time.Hour), &expectation{at, 5, at.Add(time.Hour)}, false},
		"a year on":                     {at.Add(aYear), &expectation{at, 5, at.Add(24 * time.Hour)}, false},
		"a year back":                   {at.Add(-aYear), &expectation{at, 5, at.Add(24 * time.Hour)}, false},
		"over the night of summer time": {at.Add(23*time.Hour - time.Second).In(berlin), &expectation{at, 5, at.Add(23 * time.Hour)}, true},
		"its end in summer time":        {at.Add(23 * time.Hour).In(berlin), &expectation{at, 5, at.Add(23 * time.Hour)}, false},
		"of a release that wrote no at": {at, &expectation{time.Time{}, 5, at.Add(time.Hour)}, true},
	} {
		if got := tc.e.open(tc.now); got != tc.open {
			t.Errorf("%s: open %t, want %t", name, got, tc.open)
		}
	}
}
