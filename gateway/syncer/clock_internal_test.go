package syncer

import (
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/config"
)

// steps are what is done to a clock between two looks at it.
func clockSteps() map[string]time.Duration {
	return map[string]time.Duration{
		"a second back": -time.Second, "an hour back": -time.Hour, "a day back": -24 * time.Hour, "a year back": -365 * 24 * time.Hour,
		"a second on": time.Second, "an hour on": time.Hour, "a day on": 24 * time.Hour, "a year on": 365 * 24 * time.Hour,
	}
}

// However the clock is stepped, after a good, a failed or a held sync: the next one comes within an interval, and when it was good then, not at
// once again.
func TestASteppedClockNeitherSkipsSyncsForEverNorRepeatsThem(t *testing.T) {
	was := time.Date(2026, 3, 28, 3, 30, 0, 0, time.UTC) // the night before summer time
	for name, step := range clockSteps() {
		for _, interval := range []time.Duration{time.Hour, 24 * time.Hour, 7 * 24 * time.Hour} {
			for _, at := range []string{"", "02:30"} {
				for what, r := range map[string]kindRecord{
					"good":   {Anchor: was.Add(-30 * time.Hour), LastAttempt: was, LastEnd: was.Add(time.Minute), LastSuccess: was, LastResult: "ok"},
					"failed": {Anchor: was.Add(-30 * time.Hour), LastAttempt: was, LastEnd: was.Add(time.Minute), LastSuccess: was.Add(-interval), LastResult: "failed", Failures: 9},
					"held":   {Anchor: was.Add(-30 * time.Hour), LastAttempt: was, LastEnd: was.Add(time.Minute), LastSuccess: was, LastResult: "held"},
				} {
					now := was.Add(2*time.Minute + step)
					due := nextDue(now, r, interval, at, stock{any: true})
					if wait := due.Sub(now); wait > interval+time.Hour {
						t.Errorf("%s, %s, every %v at %q: it waits for %v", name, what, interval, at, wait)
					}
					started := later(now, due)
					r.LastAttempt, r.LastEnd, r.LastSuccess, r.Failures, r.LastResult = started, started, started, 0, "ok"
					if again := nextDue(started, r, interval, at, stock{any: true}); !again.After(started) || again.Sub(started) > interval+time.Hour {
						t.Errorf("%s, %s, every %v at %q: after a good sync at %v it is due at %v", name, what, interval, at, started, again)
					}
				}
			}
		}
	}
}

// Removals that were written down while the clock was ahead, or before it was set back, count for a week from then on, not until the year is
// over.
func TestRemovalsOfAClockThatWasAheadCountForAWeek(t *testing.T) {
	now := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	d := cache.Difference{Before: 200, After: 195, Both: 195, Removed: []int64{1, 2, 3, 4, 5}}
	for at, held := range map[time.Duration]bool{time.Hour: true, 6 * 24 * time.Hour: true, 365 * 24 * time.Hour: true, -6 * 24 * time.Hour: true, -8 * 24 * time.Hour: false} {
		past := []removal{{At: now.Add(at), Count: 66, Of: 260}}
		if got := ahead(past, now); got != (at > 0) {
			t.Errorf("removals of %v from now are ahead: %t", at, got)
		}
		v := weigh(config.DefaultGuard(), d, nil, past, 0, now)
		if got := len(v.findings) > 0; got != held {
			t.Errorf("removals of %v from now: held %t, want %t (%v)", at, got, held, v.findings)
		}
		kept := weekOf(past, now, weekParts)
		if (len(kept) == 1) != held || held && (kept[0].At.After(now) || kept[0].Count != 66) {
			t.Errorf("removals of %v from now: %v are remembered", at, kept)
		}
		if later := now.Add(week); len(weekOf(kept, later, weekParts)) != 0 {
			t.Errorf("removals of %v from now count a week later", at)
		}
	}
}
