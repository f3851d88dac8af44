//go:build e2e

package e2e_test

import (
	"encoding/json"
	"os/exec"
	"testing"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway/availability"
	"jamf-gateway/test/fakejamf"
)

// evidence is what `report availability` of the real program says.
func (h *house) evidence(bin string) availability.Report {
	h.t.Helper()
	cmd := exec.CommandContext(h.t.Context(), bin, "report", "availability", "--data-dir", h.settings.DataDir, "--days", "2", "--json") //nolint:gosec // our own binary
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

// What a customer takes to Jamf: a Jamf whose syncs fail with 503 until the breaker opens is down with the class of the 503, and
// our own pause is nowhere named.
func TestTheEvidenceOfAnOutageNamesWhatJamfAnsweredAndNotOurPause(t *testing.T) {
	t.Parallel()
	h := newHouse(t, calm("the heartbeats before the outage are to be good ones", fakejamf.Options{Computers: 20, Mobiles: 20, Seed: 31}), func(c *config.Config) {
		c.Sources[0].Heartbeat = 10 * time.Second
	})
	bin := program(t)
	h.start()
	h.waitSynced()
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
	h.jamf.Down(false)
	var r availability.Report
	h.waitFor("the end of the outage", func() bool {
		r = h.evidence(bin)
		return len(r.Outages) > 0 && r.Outages[0].Ended
	})
	if len(r.Outages) != 1 || len(r.Outages[0].Errors) != 1 || r.Outages[0].Errors[0].Code != "jamf_unavailable" {
		t.Errorf("outages %+v", r.Outages)
	}
	if len(r.Errors) != 1 || r.Errors[0].Code != "jamf_unavailable" || r.Errors[0].State != availability.Down {
		t.Errorf("errors %+v", r.Errors)
	}
}
