package syncer

import (
	"testing"
	"time"

	"jamf-gateway/gateway/availability"
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
