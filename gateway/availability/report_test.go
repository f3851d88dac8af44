package availability_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/availability"
)

// beats are heartbeats every five minutes of [from, to).
func beats(from, to time.Time, of func(time.Time) availability.Entry) []availability.Entry {
	var out []availability.Entry
	for at := from; at.Before(to); at = at.Add(5 * time.Minute) {
		out = append(out, of(at))
	}
	return out
}

func event(at time.Time, what string) availability.Entry {
	return availability.Entry{At: at, Event: what}
}

func joined(parts ...[]availability.Entry) []availability.Entry {
	var out []availability.Entry
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Skip("no time zones here:", err)
	}
	return z
}

func TestAnOutageLastsFromTheFirstMissedHeartbeatToTheFirstAnswer(t *testing.T) {
	t0 := noon()
	refused := down(t0.Add(70 * time.Minute))
	refused.Code = "jamf_unavailable"
	r := availability.Make(joined(
		beats(t0, t0.Add(time.Hour), up), beats(t0.Add(time.Hour), t0.Add(70*time.Minute), down),
		[]availability.Entry{refused}, beats(t0.Add(75*time.Minute), t0.Add(2*time.Hour), up),
	), t0, t0.Add(2*time.Hour), time.UTC)
	lastGood := t0.Add(55 * time.Minute)
	want := []availability.Outage{{
		Start: t0.Add(time.Hour), LastGood: &lastGood, End: t0.Add(75 * time.Minute), Ended: true, Seconds: 900,
		Errors: []availability.CodeCount{{Code: "timeout", State: availability.Down, Heartbeats: 2}, {Code: "jamf_unavailable", State: availability.Down, Heartbeats: 1}},
	}}
	if diff := cmp.Diff(want, r.Outages); diff != "" {
		t.Errorf("outages differ (-want +got):\n%s", diff)
	}
	if r.UpSeconds != 6300 || r.DownSeconds != 900 || r.GapSeconds != 0 || r.Heartbeats != 24 || *r.Availability != 87.5 {
		t.Errorf("%d up, %d down, %d gap, %d heartbeats, %v %%", r.UpSeconds, r.DownSeconds, r.GapSeconds, r.Heartbeats, *r.Availability)
	}
}

func TestTimeInWhichTheGatewayWasOffIsNoOutage(t *testing.T) {
	t0 := noon()
	for name, before := range map[string][]availability.Entry{
		"stopped": joined(beats(t0, t0.Add(time.Hour), up), []availability.Entry{event(t0.Add(time.Hour), availability.Stopped)}),
		"died":    beats(t0, t0.Add(time.Hour), up), // the last heartbeat speaks until the next one was due
	} {
		r := availability.Make(joined(before,
			[]availability.Entry{event(t0.Add(3*time.Hour), availability.Started)}, beats(t0.Add(3*time.Hour), t0.Add(4*time.Hour), up),
		), t0, t0.Add(4*time.Hour), time.UTC)
		want := []availability.Gap{{Start: t0.Add(time.Hour), End: t0.Add(3 * time.Hour), Seconds: 7200, Reason: availability.NotRunning}}
		if diff := cmp.Diff(want, r.Gaps); diff != "" {
			t.Errorf("%s: gaps differ (-want +got):\n%s", name, diff)
		}
		if len(r.Outages) != 0 || r.GapSeconds != 7200 || *r.Availability != 100 {
			t.Errorf("%s: outages %v, %d s of gap, %v %%", name, r.Outages, r.GapSeconds, *r.Availability)
		}
	}
}

func TestAGapInAnOutageMakesTwoWhoseEndAndBeginWereNotSeen(t *testing.T) {
	t0 := noon()
	r := availability.Make(joined(
		beats(t0, t0.Add(10*time.Minute), down), []availability.Entry{event(t0.Add(10*time.Minute), availability.Stopped)},
		beats(t0.Add(time.Hour), t0.Add(70*time.Minute), down),
	), t0, t0.Add(70*time.Minute), time.UTC)
	if len(r.Outages) != 2 || r.DownSeconds != 1200 || r.GapSeconds != 3000 {
		t.Fatalf("outages %v, %d s down, %d s gap", r.Outages, r.DownSeconds, r.GapSeconds)
	}
	if first, second := r.Outages[0], r.Outages[1]; first.Ended || first.Ongoing || first.LastGood != nil || second.Ended || !second.Ongoing {
		t.Errorf("first %+v, second %+v", first, second)
	}
}

func TestHeartbeatsThatJamfWasNotAskedAreAGapOfTheirOwn(t *testing.T) {
	t0 := noon()
	unasked := func(at time.Time) availability.Entry {
		return availability.Entry{At: at, State: availability.Unasked, Code: "proxy_failed", Next: 300}
	}
	r := availability.Make(joined(beats(t0, t0.Add(20*time.Minute), up), beats(t0.Add(20*time.Minute), t0.Add(40*time.Minute), unasked), beats(t0.Add(40*time.Minute), t0.Add(time.Hour), up)),
		t0, t0.Add(time.Hour), time.UTC)
	want := []availability.Gap{{Start: t0.Add(20 * time.Minute), End: t0.Add(40 * time.Minute), Seconds: 1200, Reason: availability.NotAsked}}
	if diff := cmp.Diff(want, r.Gaps); diff != "" || r.Heartbeats != 8 || len(r.Outages) != 0 {
		t.Errorf("%d heartbeats, outages %v, gaps (-want +got):\n%s", r.Heartbeats, r.Outages, diff)
	}
	if len(r.Errors) != 1 || r.Errors[0] != (availability.CodeCount{Code: "proxy_failed", State: availability.Unasked, Heartbeats: 4}) {
		t.Errorf("errors %v", r.Errors)
	}
}

func TestWhatIsRefusedIsCountedButNoOutage(t *testing.T) {
	t0 := noon()
	refused := func(at time.Time) availability.Entry {
		return availability.Entry{At: at, State: availability.Up, Code: "auth_failed", Next: 300}
	}
	r := availability.Make(beats(t0, t0.Add(time.Hour), refused), t0, t0.Add(time.Hour), time.UTC)
	if *r.Availability != 100 || len(r.Outages) != 0 || len(r.Errors) != 1 || r.Errors[0].Heartbeats != 12 {
		t.Errorf("%v %%, outages %v, errors %v", *r.Availability, r.Outages, r.Errors)
	}
}

func TestPercentilesAreMeasuredValues(t *testing.T) {
	t0 := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	var entries []availability.Entry
	for i := range 100 { // 100, 99, ..., 1
		e := up(t0.Add(time.Duration(i) * 5 * time.Minute))
		e.AuthMS = float64(100 - i)
		if i < 2 {
			e.Counts = map[string]availability.Count{"computer": {MS: 7 + float64(i)}, "mobile": {MS: 9 + float64(i)}}
		}
		entries = append(entries, e)
	}
	d := availability.Make(entries, t0, t0.Add(24*time.Hour), time.UTC).Days[0]
	if *d.AuthP50 != 50 || *d.AuthP95 != 95 || *d.QueryP50 != 8 || *d.QueryP95 != 10 {
		t.Errorf("p50 %v, p95 %v, of lists %v and %v; want 50, 95, 8, 10", *d.AuthP50, *d.AuthP95, *d.QueryP50, *d.QueryP95)
	}
	one := availability.Make(entries[:1], t0, t0.Add(time.Hour), time.UTC).Days[0]
	if *one.AuthP50 != 100 || *one.AuthP95 != 100 {
		t.Errorf("of one value: p50 %v, p95 %v", *one.AuthP50, *one.AuthP95)
	}
	none := availability.Make(beats(t0, t0.Add(time.Hour), down), t0, t0.Add(time.Hour), time.UTC).Days[0]
	if none.AuthP50 != nil || none.QueryP95 != nil || *none.Availability != 0 {
		t.Errorf("without an answer: %v, %v, %v %%", none.AuthP50, none.QueryP95, *none.Availability)
	}
}

func TestDaysAreThoseOfTheZoneAlsoWhenClocksChange(t *testing.T) {
	for name, tc := range map[string]struct {
		zone string
		y    int
		m    time.Month
		d    int
		want []int64 // seconds of the day before, the day and the day after
	}{
		"Vienna, spring":           {"Europe/Vienna", 2026, time.March, 29, []int64{24, 23, 24}},
		"Vienna, autumn":           {"Europe/Vienna", 2026, time.October, 25, []int64{24, 25, 24}},
		"Cairo, no midnight":       {"Africa/Cairo", 2026, time.April, 24, []int64{24, 23, 24}},
		"Santiago, no midnight":    {"America/Santiago", 2026, time.September, 6, []int64{24, 23, 24}},
		"Santiago, 23:00 twice":    {"America/Santiago", 2026, time.April, 4, []int64{24, 25, 24}},
		"Apia, a day that was not": {"Pacific/Apia", 2011, time.December, 31, []int64{24, 24, 24}},
	} {
		z := zone(t, tc.zone)
		from := time.Date(tc.y, tc.m, tc.d-1, 12, 0, 0, 0, z).Add(-36 * time.Hour)
		r := availability.Make(beats(from, from.Add(6*24*time.Hour), up), from, from.Add(6*24*time.Hour), z)
		date := time.Date(tc.y, tc.m, tc.d, 12, 0, 0, 0, z).Format(time.DateOnly)
		var all int64
		for i, d := range r.Days {
			all += int64(d.Heartbeats)
			if d.Date == date {
				for k, want := range tc.want {
					if got := int64(r.Days[i-1+k].Heartbeats); got != want*12 {
						t.Errorf("%s: %s has %d heartbeats, want %d h of 12", name, r.Days[i-1+k].Date, got, want)
					}
				}
			}
		}
		if r.UpSeconds != 6*24*3600 || all != 6*24*12 {
			t.Errorf("%s: %d s up, %d heartbeats", name, r.UpSeconds, all)
		}
	}
}

func TestSecondsOfADayEndAtItsMidnightWhereverTheOutageLies(t *testing.T) {
	for name, tc := range map[string]struct {
		zone string
		from time.Time
		want map[string]int64
	}{
		"Vienna, spring":        {"Europe/Vienna", time.Date(2026, 3, 28, 11, 0, 0, 0, time.UTC), map[string]int64{"2026-03-28": 12, "2026-03-29": 23, "2026-03-30": 13}},
		"Cairo, no midnight":    {"Africa/Cairo", time.Date(2026, 4, 23, 10, 0, 0, 0, time.UTC), map[string]int64{"2026-04-23": 12, "2026-04-24": 23, "2026-04-25": 13}},
		"Santiago, no midnight": {"America/Santiago", time.Date(2026, 9, 5, 16, 0, 0, 0, time.UTC), map[string]int64{"2026-09-05": 12, "2026-09-06": 23, "2026-09-07": 13}},
	} {
		first, second := down(tc.from), down(tc.from.Add(24*time.Hour))
		first.Next, second.Next = 24*60*60, 24*60*60
		r := availability.Make([]availability.Entry{first, second}, tc.from, tc.from.Add(48*time.Hour), zone(t, tc.zone))
		got := map[string]int64{}
		for _, d := range r.Days {
			got[d.Date] = d.DownSeconds / 3600
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: hours of outage differ (-want +got):\n%s", name, diff)
		}
		if len(r.Outages) != 1 || r.Outages[0].Seconds != 48*3600 {
			t.Errorf("%s: outages %v", name, r.Outages)
		}
	}
}
