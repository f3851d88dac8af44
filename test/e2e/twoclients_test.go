package e2e_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"jamf-gateway/config"
	"jamf-gateway/test/fakejamf"
)

func TestRotatingOneOfTwoAPIClientsInMidSyncCostsNothing(t *testing.T) {
	h := newHouse(t, fakejamf.Options{Computers: 240, Mobiles: 60}, func(c *config.Config) {
		c.Sources[0].SecondClient = config.JamfClient{ID: "gw-b", Secret: config.NewSecret("canary-second-secret-51ce")}
	})
	h.jamf.SetClient("gw-b", "canary-second-secret-51ce")
	var pages atomic.Int64
	h.bender.to(func(_ http.ResponseWriter, r *http.Request) bool {
		if isPage(r) && pages.Add(1) == 2 {
			h.jamf.RotateSecret("rotated")
			h.jamf.RevokeTokens()
		}
		return false
	})
	h.start()
	h.waitSynced()
	for _, k := range h.gateway.Status()[0].Kinds {
		if k.LastResult != "ok" || k.LastSuccess.Before(k.LastAttempt) {
			t.Errorf("the sync in which the secret was rotated: %+v", k)
		}
	}
	if n := h.jamf.Stats().TokensRefused; n != 1 {
		t.Errorf("%d refusals, want 1", n)
	}
	if h.metric("jamf_client_refused", map[string]string{"client": "first"}) != 1 || h.metric("jamf_client_refused", map[string]string{"client": "second"}) != 0 {
		t.Error("the metric does not say that the first client is refused")
	}
}
