package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
	"jamf-gateway/test/fakejamf"
)

// instant reads a time of Jamf's or of the gateway's; nil and null are zero.
func instant(t *testing.T, v any) time.Time {
	t.Helper()
	text, _ := v.(string)
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// normalizedOf reads one normalized computer.
func normalizedOf(h *house, kind string, id int64) map[string]any {
	h.t.Helper()
	r := h.get(fmt.Sprintf("/v1/devices/schule-a:%s:%d", kind, id))
	if r.status != http.StatusOK {
		h.t.Fatalf("%s %d: %d %s", kind, id, r.status, r.body)
	}
	var out map[string]any
	r.decode(h.t, &out)
	return out
}

// upstreamOf is the version that the current generation of a kind was read with.
func upstreamOf(h *house, kind device.Kind) string {
	h.t.Helper()
	g, err := h.gateway.Store().Acquire(cache.Series{Source: "schule-a", Kind: kind})
	if err != nil {
		h.t.Fatal(err)
	}
	defer g.Release()
	return g.Info().Upstream
}

// truth is the newest record of a computer as Jamf knows it.
func truth(h *house, id int64) (general map[string]any) {
	h.t.Helper()
	var record struct {
		General map[string]any `json:"general"`
	}
	if err := json.Unmarshal(h.jamf.Record(fakejamf.Computer, id), &record); err != nil {
		h.t.Fatal(err)
	}
	return record.General
}

// facade reads one computer through a version of the façade.
func facade(h *house, version string, id int64) map[string]any {
	h.t.Helper()
	r := h.get(fmt.Sprintf("/api/%s/computers-inventory/%d?section=GENERAL&section=APPLICATIONS", version, id))
	if r.status != http.StatusOK {
		h.t.Fatalf("façade %s: %d %s", version, r.status, r.body)
	}
	var out map[string]any
	r.decode(h.t, &out)
	return out
}

func TestWhateverVersionWasReadTheAnswersAreTheSame(t *testing.T) {
	t.Parallel()
	for _, newest := range []string{"v1", "v2", "v3", "v4"} {
		t.Run(newest, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, fakejamf.Options{Computers: 40, Mobiles: -1, Seed: 4, MaxAPIVersion: newest}, func(c *config.Config) {
				c.Sources[0].Profile, c.Sources[0].Kinds = "full", []string{"computer"}
			})
			h.start()
			h.waitSynced()
			if got := upstreamOf(h, device.Computer); got != newest {
				t.Errorf("the generation says that it was read by %s, want %s", got, newest)
			}
			contacts := 0
			for _, id := range h.jamf.Ledger().Alive(fakejamf.Computer) {
				want := truth(h, id)
				contact := instant(t, want["lastContact"])
				if !contact.IsZero() {
					contacts++
				}
				d := normalizedOf(h, "computer", id)
				if got := instant(t, d["lastContactAt"]); !got.Equal(contact) {
					t.Errorf("computer %d: lastContactAt %v, want %v", id, got, contact)
				}
				checkIn := instant(t, want["lastCheckIn"])
				if newest != "v4" {
					checkIn = time.Time{} // an older Jamf does not tell the two apart
				}
				if got := instant(t, d["lastCheckInAt"]); !got.Equal(checkIn) {
					t.Errorf("computer %d: lastCheckInAt %v, want %v", id, got, checkIn)
				}
				network, _ := d["network"].(map[string]any)
				if fmt.Sprint(network["reportedIpV4"]) != fmt.Sprint(want["lastReportedIpV4"]) {
					t.Errorf("computer %d: reportedIpV4 %v, want %v", id, network["reportedIpV4"], want["lastReportedIpV4"])
				}
				sameInEveryShape(h, id, newest, contact, want)
			}
			if contacts == 0 {
				t.Error("no computer was ever in contact: nothing was compared")
			}
		})
	}
}

// sameInEveryShape holds the oldest and the newest shape of the façade against the truth.
func sameInEveryShape(h *house, id int64, upstream string, contact time.Time, want map[string]any) {
	h.t.Helper()
	for version, name := range map[string]string{"v1": "lastContactTime", "v4": "lastContact"} {
		record := facade(h, version, id)
		general, _ := record["general"].(map[string]any)
		if got := instant(h.t, general[name]); !got.Equal(contact) {
			h.t.Errorf("computer %d, façade %s: %s %v, want %v", id, version, name, got, contact)
		}
		if fmt.Sprint(general["lastReportedIpV4"]) != fmt.Sprint(want["lastReportedIpV4"]) {
			h.t.Errorf("computer %d, façade %s: lastReportedIpV4 %v, want %v", id, version, general["lastReportedIpV4"], want["lastReportedIpV4"])
		}
		if version == "v1" && fmt.Sprint(general["lastReportedIp"]) != fmt.Sprint(want["lastReportedIpV4"]) {
			h.t.Errorf("computer %d, façade v1: lastReportedIp %v, want %v", id, general["lastReportedIp"], want["lastReportedIpV4"])
		}
		apps, _ := record["applications"].([]any)
		for _, a := range apps {
			app, _ := a.(map[string]any)
			bundle, shown := app["cfBundleVersion"]
			if shown != (version == "v4") {
				h.t.Fatalf("computer %d, façade %s: cfBundleVersion %t", id, version, shown)
			}
			if shown && (bundle == nil) != (upstream == "v1" || upstream == "v2") {
				h.t.Fatalf("computer %d, read by %s: cfBundleVersion %v", id, upstream, bundle)
			}
		}
	}
}

func TestAnUpgradeOfJamfIsNoticedByTheNextWalk(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 40, Mobiles: -1, MaxAPIVersion: "v2", Version: "11.22.0"}, func(c *config.Config) {
		c.Sources[0].Kinds = []string{"computer"}
	})
	h.start()
	h.waitSynced()
	if got := upstreamOf(h, device.Computer); got != "v2" {
		t.Fatalf("read by %s", got)
	}
	h.syncNow()
	tried := 0
	for _, r := range h.jamf.Requests() {
		if strings.Contains(r.Path, "/v4/computers-inventory") {
			tried++
		}
	}
	if tried != 1 {
		t.Errorf("v4 was tried %d times in two walks of one release", tried)
	}
	h.jamf.Upgrade("11.30.2", "v4")
	h.syncNow()
	if got := upstreamOf(h, device.Computer); got != "v4" {
		t.Errorf("read by %s after the upgrade", got)
	}
	h.jamf.Upgrade("11.25.0", "v3")
	h.syncNow()
	if got := upstreamOf(h, device.Computer); got != "v3" {
		t.Errorf("read by %s after the way back", got)
	}
	if st := h.gateway.Status()[0].Kinds[0]; st.State != "fresh" || st.LastResult != "ok" {
		t.Errorf("state %+v", st)
	}
}
