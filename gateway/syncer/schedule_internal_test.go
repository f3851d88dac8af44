package syncer

import (
	"testing"
	"time"

	"jamf-gateway/gateway/device"
)

func TestNextSync(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	anchor := now.Add(-50 * time.Hour) // slots at -50h, -26h, -2h, +22h
	for name, c := range map[string]struct {
		r    kindRecord
		data bool
		want time.Time
	}{
		"never synced: at once":                   {kindRecord{}, false, now},
		"first failure: 5 minutes":                {kindRecord{LastAttempt: now.Add(-time.Minute), Failures: 1}, false, now.Add(4 * time.Minute)},
		"second failure: 15 minutes":              {kindRecord{LastAttempt: now, Failures: 2}, false, now.Add(15 * time.Minute)},
		"third failure: 30 minutes":               {kindRecord{LastAttempt: now, Failures: 3}, false, now.Add(30 * time.Minute)},
		"later failures: an hour":                 {kindRecord{LastAttempt: now, Failures: 9}, false, now.Add(time.Hour)},
		"the pause counts from the end":           {kindRecord{LastAttempt: now.Add(-30 * time.Minute), LastEnd: now, Failures: 1}, false, now.Add(5 * time.Minute)},
		"a book without the end: from the start":  {kindRecord{LastAttempt: now.Add(-2 * time.Minute), Failures: 1}, false, now.Add(3 * time.Minute)},
		"an end in the future: from now":          {kindRecord{LastAttempt: now, LastEnd: now.Add(day), Failures: 1}, false, now.Add(5 * time.Minute)},
		"this slot is served: the next":           {kindRecord{Anchor: anchor, LastAttempt: now, LastSuccess: now.Add(-time.Hour)}, true, now.Add(22 * time.Hour)},
		"this slot was missed: at once":           {kindRecord{Anchor: anchor, LastSuccess: now.Add(-20 * time.Hour)}, true, now},
		"a failed slot is retried, never shifted": {kindRecord{Anchor: anchor, LastSuccess: now.Add(-20 * time.Hour), LastAttempt: now, Failures: 4}, true, now.Add(time.Hour)},
		"clock set back: success in the future":   {kindRecord{Anchor: anchor, LastSuccess: now.Add(365 * day), LastAttempt: now.Add(365 * day)}, true, now.Add(22 * time.Hour)},
		"clock set back before the anchor":        {kindRecord{Anchor: now.Add(30 * day), LastSuccess: now.Add(30 * day)}, true, now.Add(day)},
		"data without an anchor: at once":         {kindRecord{LastSuccess: now.Add(-time.Minute)}, true, now},
	} {
		if got := nextDue(now, c.r, day, "", stock{any: c.data}); !got.Equal(c.want) {
			t.Errorf("%s: %v, want %v", name, got.Sub(now), c.want.Sub(now))
		}
	}
}

func TestDailyHourStaysThroughDaylightSaving(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zone data here")
	}
	old := time.Local
	time.Local = berlin //nolint:gosmopolitan // the schedule speaks local time
	defer func() { time.Local = old }()
	r := kindRecord{LastSuccess: time.Date(2026, 10, 24, 4, 0, 30, 0, berlin)}
	now := time.Date(2026, 10, 24, 4, 30, 0, 0, berlin)
	want := time.Date(2026, 10, 25, 4, 0, 0, 0, berlin) // 25 hours later by the clock on the wall
	if got := nextDue(now, r, 24*time.Hour, "04:00", stock{any: true}); !got.Equal(want) {
		t.Errorf("next = %v, want %v", got, want)
	}
}

func TestOnDemandSyncDoesNotShiftTheHour(t *testing.T) {
	t.Parallel()
	anchor := time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)
	now := anchor.Add(9*24*time.Hour + 5*time.Hour)
	r := kindRecord{Anchor: anchor, LastAttempt: now, LastSuccess: now}
	if got, want := nextDue(now, r, 24*time.Hour, "", stock{any: true}), anchor.Add(10*24*time.Hour); !got.Equal(want) {
		t.Errorf("next = %v, want %v", got, want)
	}
}

func TestDataThatWantsMendingBringsTheSyncForwardOnTheRetryLadder(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	anchor, good := now.Add(-2*time.Hour), now.Add(-time.Hour)
	for name, c := range map[string]struct {
		r    kindRecord
		want time.Duration
	}{
		"no failure: at once":    {kindRecord{Anchor: anchor, LastAttempt: good, LastSuccess: good}, 0},
		"one failure: 5 minutes": {kindRecord{Anchor: anchor, LastAttempt: now, LastSuccess: good, Failures: 1}, 5 * time.Minute},
		"many failures: an hour": {kindRecord{Anchor: anchor, LastAttempt: now, LastSuccess: good, Failures: 7}, time.Hour},
		"the pause has passed":   {kindRecord{Anchor: anchor, LastAttempt: now.Add(-6 * time.Minute), LastSuccess: good, Failures: 1}, -time.Minute},
	} {
		if got := nextDue(now, c.r, day, "", stock{any: true, wanting: true}).Sub(now); got != c.want {
			t.Errorf("%s: in %v, want in %v", name, got, c.want)
		}
	}
	mended := kindRecord{Anchor: anchor, LastAttempt: now, LastSuccess: now}
	if got := nextDue(now, mended, day, "", stock{any: true}); !got.Equal(anchor.Add(day)) {
		t.Errorf("after mending the slot moved to %v", got)
	}
}

func TestRefusedCredentialsAreTriedSoonAfterAStart(t *testing.T) {
	now := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	due := now.Add(50 * time.Minute)
	for name, tc := range map[string]struct {
		record kindRecord
		want   time.Time
	}{
		"at once":                        {kindRecord{ErrorCode: "auth_failed", LastAttempt: now.Add(-10 * time.Minute), LastEnd: now.Add(-9 * time.Minute), Failures: 4}, now},
		"a minute after the last":        {kindRecord{ErrorCode: "auth_failed", LastAttempt: now.Add(-20 * time.Second), Failures: 4}, now.Add(40 * time.Second)},
		"others keep their pause":        {kindRecord{ErrorCode: "timeout", LastAttempt: now.Add(-10 * time.Minute), Failures: 4}, due},
		"a time that lies in the future": {kindRecord{ErrorCode: "auth_failed", LastAttempt: now.Add(time.Hour), Failures: 4}, now.Add(time.Minute)},
	} {
		l := &line{kind: device.Computer, book: &book{page: bookPage{Kinds: map[device.Kind]*kindRecord{device.Computer: &tc.record}}}}
		s := &Syncer{now: func() time.Time { return now }}
		if got := s.dueAtStart(l, due); !got.Equal(tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}
