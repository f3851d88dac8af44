package syncer

import (
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/availability"
	"jamf-gateway/gateway/device"
)

func TestAnOutageThatASyncMetFirstBeginsThere(t *testing.T) {
	j := &sickJamf{}
	beating(t, j, func(s *Source) { s.Heartbeat = time.Hour }, func(s *Syncer, dir string) {
		time.Sleep(10 * time.Minute)
		j.become("down")
		failed := time.Now()
		if err := s.SyncNow("a"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		r := availability.Make(history(t, dir), failed.Add(-time.Hour), time.Now(), time.UTC)
		if len(r.Outages) != 1 || r.Outages[0].Start.Sub(failed).Abs() > time.Second || !r.Outages[0].Ongoing {
			t.Errorf("outages %+v, the first call failed at %v", r.Outages, failed)
		}
		if st := s.Status()[0].Heartbeat; st.DownSince.Sub(failed).Abs() > time.Second {
			t.Errorf("status %+v", st)
		}
		if len(r.Gaps) > 0 && r.Gaps[len(r.Gaps)-1].Reason == availability.NotRunning {
			t.Errorf("the gateway ran all the time: %+v", r.Gaps)
		}
	})
}

func TestARestartKnowsWhatTheLastHeartbeatCouldNotCount(t *testing.T) {
	t.Parallel()
	now, dir := time.Now(), t.TempDir()
	j := availability.NewJournal(availability.Dir(dir, "a"), &cache.Disk{}, nil)
	since := now.Add(-20 * time.Minute).UTC().Truncate(time.Millisecond)
	for _, e := range []availability.Entry{
		{At: since.Add(-time.Minute), State: availability.Up, Counts: map[string]availability.Count{"computer": {}, "mobile": {}}},
		{At: since.Add(time.Minute), State: availability.Down, Since: since, Counts: map[string]availability.Count{"computer": {}}},
		{At: since.Add(2 * time.Minute), State: availability.Unasked},
		{At: since.Add(3 * time.Minute), Event: availability.Stopped},
	} {
		if err := j.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	h := newHeart(&Source{Name: "a", Kinds: []device.Kind{device.Computer, device.Mobile}}, nil, j, now)
	if h.ill[device.Computer] || !h.ill[device.Mobile] || !h.downSince.Equal(since) {
		t.Errorf("ill %v, down since %v, want mobile alone and %v", h.ill, h.downSince, since)
	}
}
