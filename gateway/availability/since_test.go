package availability_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/availability"
)

func TestAnOutageBeginsWithTheFirstCallThatFailed(t *testing.T) {
	t0 := noon()
	minute := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Minute) }
	since := func(at, since time.Time) availability.Entry {
		e := down(at)
		e.Since = since
		return e
	}
	unasked := func(at time.Time) availability.Entry {
		return availability.Entry{At: at, State: availability.Unasked, Code: "canceled", Next: 300}
	}
	for name, c := range map[string]struct {
		entries  []availability.Entry
		start    time.Time
		downtime int64
		gap      int64
	}{
		"a sync failed before":       {[]availability.Entry{up(minute(0)), since(minute(5), minute(2)), up(minute(10))}, minute(2), 480, 0},
		"the heartbeat found it":     {[]availability.Entry{up(minute(0)), down(minute(5)), up(minute(10))}, minute(5), 300, 0},
		"no place for one heartbeat": {[]availability.Entry{up(minute(0)), unasked(minute(5)), since(minute(9), minute(2)), up(minute(10))}, minute(2), 480, 0},
		"not before the last answer": {[]availability.Entry{up(minute(0)), since(minute(5), minute(-9)), up(minute(10))}, minute(0), 600, 0},
		"not before the start": {
			[]availability.Entry{event(minute(4), availability.Started), since(minute(5), minute(2)), up(minute(10))}, minute(4), 360, 0,
		},
		"after the start": {
			[]availability.Entry{event(minute(0), availability.Started), since(minute(1), t0.Add(45*time.Second)), up(minute(5))}, t0.Add(45 * time.Second), 255, 45,
		},
		"said twice": {[]availability.Entry{up(minute(0)), since(minute(5), minute(2)), since(minute(8), minute(6)), up(minute(10))}, minute(2), 480, 0},
	} {
		r := availability.Make(c.entries, t0, minute(10), time.UTC)
		if len(r.Outages) != 1 || !r.Outages[0].Start.Equal(c.start) || r.DownSeconds != c.downtime || r.GapSeconds != c.gap {
			t.Errorf("%s: %d s down, %d s gap, outages %+v; want one from %v, %d s and %d s", name, r.DownSeconds, r.GapSeconds, r.Outages, c.start, c.downtime, c.gap)
		}
		if sum := r.UpSeconds + r.DownSeconds + r.GapSeconds; sum != int64(r.To.Sub(later(c.entries[0].At, t0)).Seconds()) {
			t.Errorf("%s: %d s in all", name, sum)
		}
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func TestTheSecondsBeforeTheFirstHeartbeatAreNoTimeInWhichTheGatewayWasOff(t *testing.T) {
	t0 := noon()
	started := availability.Entry{At: t0, Event: availability.Started, Next: 20}
	for name, c := range map[string]struct {
		first time.Duration
		want  []availability.Gap
	}{
		"in time": {20 * time.Second, []availability.Gap{{Start: t0, End: t0.Add(20 * time.Second), Seconds: 20, Reason: availability.Starting}}},
		"it died before": {10 * time.Minute, []availability.Gap{
			{Start: t0, End: t0.Add(20 * time.Second), Seconds: 20, Reason: availability.Starting},
			{Start: t0.Add(20 * time.Second), End: t0.Add(10 * time.Minute), Seconds: 580, Reason: availability.NotRunning},
		}},
	} {
		r := availability.Make([]availability.Entry{started, up(t0.Add(c.first))}, t0, t0.Add(c.first+time.Minute), time.UTC)
		if diff := cmp.Diff(c.want, r.Gaps); diff != "" {
			t.Errorf("%s: gaps differ (-want +got):\n%s", name, diff)
		}
	}
}

func TestARestartPartsNoOutage(t *testing.T) {
	t0 := noon()
	stop := t0.Add(12 * time.Minute)
	for name, c := range map[string]struct {
		off  time.Duration
		want int
	}{"as soon as usual": {time.Minute, 1}, "long off": {20 * time.Minute, 2}} {
		start := stop.Add(c.off)
		end := start.Add(10*time.Minute + 10*time.Second)
		r := availability.Make(joined([]availability.Entry{up(t0.Add(-5 * time.Minute))}, beats(t0, stop, down), []availability.Entry{
			event(stop, availability.Stopped), {At: start, Event: availability.Started, Next: 20},
		}, beats(start.Add(10*time.Second), end, down), beats(end, end.Add(5*time.Minute), up)), t0.Add(-5*time.Minute), end.Add(5*time.Minute), time.UTC)
		if len(r.Outages) != c.want || !r.Outages[0].Start.Equal(t0) || !r.Outages[c.want-1].Ended || !r.Outages[c.want-1].End.Equal(end) {
			t.Errorf("%s: outages %+v, want %d", name, r.Outages, c.want)
		}
		if c.want == 1 && r.Outages[0].Seconds != r.DownSeconds || r.GapSeconds != int64(c.off.Seconds())+10 {
			t.Errorf("%s: %d s down, %d s gap, outages %+v", name, r.DownSeconds, r.GapSeconds, r.Outages)
		}
	}
}
