package e2e_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/test/fakejamf"
)

// asked counts the requests of the simulated Jamf for a path.
func (h *house) asked(path string) (n int) {
	for _, r := range h.jamf.Requests() {
		if strings.HasSuffix(r.Path, path) {
			n++
		}
	}
	return n
}

func TestAFurtherPathIsPassedOnOnceAndOutlivesJamf(t *testing.T) {
	o := fakejamf.Options{Computers: 300, Mobiles: 20, Privileges: []string{"Read Computers", "Read Mobile Devices", "Read Departments"}}
	h := newHouse(t, o, func(c *config.Config) {
		c.Sources[0].Passthrough = []config.Passthrough{{Path: "/v1/departments", TTL: time.Minute}, {Path: "/v1/sites", TTL: time.Minute}}
		c.Sources[0].SkipNames = true
		c.Clients[0].Passthrough = true
	})
	h.start()
	h.waitSynced()
	before := h.asked("/v1/departments")
	var wg sync.WaitGroup
	token := h.token()
	for range 50 {
		wg.Go(func() {
			r := h.call(http.MethodGet, "/api/v1/departments?page=0&page-size=100", nil, "Authorization", "Bearer "+token)
			if r.status != http.StatusOK || !strings.Contains(string(r.body), `"totalCount"`) {
				t.Errorf("%d %s", r.status, r.body)
			}
		})
	}
	wg.Wait()
	if n := h.asked("/v1/departments") - before; n != 1 {
		t.Errorf("%d requests reached Jamf", n)
	}
	if r := h.get("/api/v1/sites"); r.status != http.StatusBadGateway || !strings.Contains(string(r.body), "right_missing") {
		t.Errorf("a missing right: %d %s", r.status, r.body)
	}
	h.jamf.Down(true)
	if r := h.get("/jamf/schule-a/api/v1/departments?page-size=100&page=0"); r.status != http.StatusOK || !strings.Contains(r.header.Get("Cache-Status"), "hit") {
		t.Errorf("Jamf is away: %d %s", r.status, r.body)
	}
	if n := h.metric("jamf_request_duration_seconds", map[string]string{"jamf.operation": "passthrough", "outcome": "ok"}); n != 1 {
		t.Errorf("%v calls in the metrics", n)
	}
}

func TestWithoutTheSettingNothingOfAClientReachesJamf(t *testing.T) {
	for name, change := range map[string]func(*config.Config){
		"neither":     nil,
		"client only": func(c *config.Config) { c.Clients[0].Passthrough = true },
		"source only": func(c *config.Config) {
			c.Sources[0].Passthrough = []config.Passthrough{{Path: "/v1/departments", TTL: time.Hour}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, fakejamf.Options{Computers: 3, Mobiles: 3, Privileges: []string{"Read Computers", "Read Mobile Devices"}}, change)
			h.settings.Sources[0].SkipNames = true
			h.start()
			h.waitSynced()
			if r := h.get("/api/v1/departments"); r.status != http.StatusNotFound {
				t.Errorf("%d %s", r.status, r.body)
			}
			if n := h.asked("/v1/departments"); n != 0 {
				t.Errorf("%d requests reached Jamf", n)
			}
		})
	}
}
