//go:build e2e

package e2e_test

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"sync"
	"testing"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway/availability"
	"jamf-gateway/test/fakejamf"
)

// onlooker stands in front of Jamf and notes when it first answered 503.
type onlooker struct {
	next http.Handler

	mu    sync.Mutex
	first time.Time
}

type watchedWriter struct {
	http.ResponseWriter
	status int
}

func (w *watchedWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *onlooker) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	watched := &watchedWriter{ResponseWriter: rw}
	w.next.ServeHTTP(watched, r)
	w.mu.Lock()
	defer w.mu.Unlock()
	if watched.status == http.StatusServiceUnavailable && w.first.IsZero() {
		w.first = time.Now()
	}
}

func (w *onlooker) first503() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.first
}

// evidence is what `report availability` of the real program says.
func (h *house) evidence(bin string) availability.Report {
	h.t.Helper()
	cmd := exec.CommandContext(h.t.Context(), bin, "report", "availability", "--data-dir", h.settings.DataDir, "--days", "2", "--json")
	out, err := cmd.Output()
	var a struct{ Sources []availability.Report }
	if err == nil {
		err = json.Unmarshal(out, &a)
	}
	if err != nil || len(a.Sources) != 1 {
		h.t.Fatalf("report of %d sources, %v\n%.2000s", len(a.Sources), err, out)
	}
	return a.Sources[0]
}

// What a customer takes to Jamf: a Jamf whose syncs fail with 503 until the breaker opens is down with the class of the 503, from the
// first call that failed, and our own pause is nowhere named.
func TestTheEvidenceOfAnOutageNamesWhatJamfAnsweredAndNotOurPause(t *testing.T) {
	t.Parallel()
	h := newHouse(t, calm("the heartbeats before the outage are to be good ones", fakejamf.Options{Computers: 20, Mobiles: 20, Seed: 31}), func(c *config.Config) {
		c.Sources[0].Heartbeat = 10 * time.Second
	})
	seen := &onlooker{next: h.jamf}
	h.upstream.Config.Handler = seen
	bin := program(t)
	h.start()
	h.waitSynced()
	before := time.Now()
	h.jamf.Down(true)
	h.syncNow()
	var health struct {
		Breaker   string
		LastError struct{ Code string }
		Heartbeat struct {
			Reachable *bool
			Error     struct{ Code string }
		}
		Kinds []struct {
			Reason    string
			LastError struct{ Code string }
		}
	}
	h.waitFor("a heartbeat in the breaker's pause", func() bool {
		h.get("/v1/sources/schule-a/health").decode(t, &health)
		return health.Breaker == "open" && health.Heartbeat.Reachable != nil && !*health.Heartbeat.Reachable
	})
	if health.LastError.Code != "jamf_unavailable" || health.Heartbeat.Error.Code != "jamf_unavailable" {
		t.Errorf("health %+v", health)
	}
	for _, k := range health.Kinds {
		if k.LastError.Code != "jamf_unavailable" {
			t.Errorf("health of a kind %+v", k)
		}
	}
	h.stop()
	h.start() // the same outage goes on
	h.waitFor("a heartbeat after the restart", func() bool {
		h.get("/v1/sources/schule-a/health").decode(t, &health)
		return health.Heartbeat.Reachable != nil && len(h.evidence(bin).Gaps) > 1
	})
	h.jamf.Down(false)
	var r availability.Report
	h.waitFor("the end of the outage", func() bool {
		r = h.evidence(bin)
		return len(r.Outages) > 0 && r.Outages[0].Ended
	})
	if len(r.Outages) != 1 || len(r.Outages[0].Errors) != 1 || r.Outages[0].Errors[0].Code != "jamf_unavailable" {
		t.Errorf("outages %+v", r.Outages)
	}
	if start := r.Outages[0].Start; start.Before(before.Add(-time.Millisecond)) || start.After(seen.first503()) {
		t.Errorf("the outage begins at %v, the first call that failed was sent after %v and answered at %v", start, before, seen.first503())
	}
	if len(r.Errors) != 1 || r.Errors[0].Code != "jamf_unavailable" || r.Errors[0].State != availability.Down {
		t.Errorf("errors %+v", r.Errors)
	}
}
