package syncer

import (
	"errors"
	"time"

	"jamf-gateway/cache"
)

// due tells when the line is to be read next. Data that a walk would mend - the newest generation is damaged and the one before
// it serves, all is lost, or the profile has gained fields - brings it forward. A disk that damages whatever is written must not make
// one walk follow the other: mending again waits as a retry does.
func (s *Syncer) due(l *line) time.Time {
	have := s.stock(l)
	now, r := s.now(), l.book.kind(l.kind)
	due := nextDue(now, r, l.src.Interval, l.src.At, have)
	if !have.mendable() {
		return due
	}
	l.mu.Lock()
	mends, mended := l.mends, notAfter(l.mended, now)
	l.mu.Unlock()
	if mends > 0 && now.Sub(mended) < 24*time.Hour {
		due = later(due, mended.Add(retryAfter(mends)))
	}
	if !have.any {
		return due
	}
	have.wanting = false
	return notAfter(due, nextDue(now, r, l.src.Interval, l.src.At, have))
}

// codeRefused is jamf's code of credentials that the token endpoint refused.
const codeRefused = "auth_failed"

// dueAtStart is due at the start of the program. Refused credentials are mended by a person, who starts the gateway with the new secret:
// the pause that was left is not waited for, but for a minute, lest a program that keeps failing to start asks all the time.
func (s *Syncer) dueAtStart(l *line, due time.Time) time.Time {
	now, r := s.now(), l.book.kind(l.kind)
	if r.ErrorCode != codeRefused {
		return due
	}
	return notAfter(due, later(now, notAfter(later(r.LastAttempt, r.LastEnd), now).Add(time.Minute)))
}

func (s *Syncer) stock(l *line) stock {
	g, err := s.o.Store.Acquire(l.series())
	if err != nil {
		if s.short(l) != nil {
			return stock{any: true} // it was read, and the next sync comes at its time
		}
		return stock{lost: !errors.Is(err, cache.ErrNone) || l.book.kind(l.kind).Devices > 0}
	}
	defer g.Release()
	_, _, held := s.o.Store.Held(l.series())
	unheld := l.book.kind(l.kind).LastResult == resultHeld && !held // what was held is gone: only a walk can tell again
	return stock{any: true, wanting: unheld || l.isWide() || g.Info().Lacks(l.src.Profile) || !g.Info().Knows(l.terms()) || s.o.Store.FellBack(l.series())}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// stock is what there is to serve: wanting tells that a walk would make it better, whatever the clock says; lost, that
// there is nothing although there was.
type stock struct{ any, wanting, lost bool }

func (s stock) mendable() bool { return s.wanting || s.lost }

// retryAfter is the pause after the n-th failed due sync (n >= 1): 5, 15, 30, then every 60 minutes.
func retryAfter(n int) time.Duration {
	switch n {
	case 1:
		return 5 * time.Minute
	case 2:
		return 15 * time.Minute
	case 3:
		return 30 * time.Minute
	default:
		return time.Hour
	}
}

// nextDue is a pure function of the history. Without data a sync is due at once, and again after the retry pauses.
// The pauses count from the end of the failed sync: one that fails after half an hour is not followed by the next at once.
// With data it is due at the slots anchor + k x interval; a slot is served by a good sync that began at or after it. Wanting
// data is due like none.
// Retries and syncs on demand never shift the slots. Times of the record that lie in the future (the clock was set
// back) count as now, so that the schedule neither waits for ever nor loops.
func nextDue(now time.Time, r kindRecord, interval time.Duration, at string, have stock) time.Time {
	ended := notAfter(later(r.LastAttempt, r.LastEnd), now)
	retry := func() time.Time {
		if r.Failures == 0 {
			return now
		}
		return ended.Add(retryAfter(r.Failures))
	}
	if !have.any || have.wanting {
		return retry()
	}
	slot := lastSlot(now, r.Anchor, interval, at)
	success := notAfter(r.LastSuccess, now)
	if success.Before(slot) {
		return retry()
	}
	return nextSlot(slot, interval, at)
}

func notAfter(t, limit time.Time) time.Time {
	if t.After(limit) {
		return limit
	}
	return t
}

// lastSlot is the newest slot that is not after now. Without an anchor and without `at` it is now.
func lastSlot(now, anchor time.Time, interval time.Duration, at string) time.Time {
	hour, minute, fixed := clock(at)
	switch {
	case fixed && interval == 24*time.Hour:
		// By the calendar, so that the hour stays through daylight-saving changes.
		local := now.Local()
		slot := time.Date(local.Year(), local.Month(), local.Day(), hour, minute, 0, 0, time.Local)
		if slot.After(now) {
			slot = time.Date(local.Year(), local.Month(), local.Day()-1, hour, minute, 0, 0, time.Local)
		}
		return slot
	case fixed:
		// An epoch day at that hour anchors the other intervals.
		anchor = time.Date(2000, 1, 1, hour, minute, 0, 0, time.Local)
	case anchor.IsZero():
		return now
	}
	since := now.Sub(anchor)
	slots := since / interval
	if since < 0 && since%interval != 0 {
		slots--
	}
	return anchor.Add(slots * interval)
}

func nextSlot(slot time.Time, interval time.Duration, at string) time.Time {
	if hour, minute, fixed := clock(at); fixed && interval == 24*time.Hour {
		l := slot.Local()
		return time.Date(l.Year(), l.Month(), l.Day()+1, hour, minute, 0, 0, time.Local)
	}
	return slot.Add(interval)
}

// clock reads "HH:MM"; config has validated it.
func clock(at string) (hour, minute int, ok bool) {
	t, err := time.Parse("15:04", at)
	if err != nil {
		return 0, 0, false
	}
	return t.Hour(), t.Minute(), true
}

// overdue tells that data of that age is stale whatever the last sync said: older than 1.25 x interval.
func overdue(age, interval time.Duration) bool { return age > interval+interval/4 }
