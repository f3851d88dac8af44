package server_test

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
)

// readByV4 and readByV1 are one computer, as the newest and as the oldest version of Jamf's inventory send it.
const (
	readByV4 = `{"id":"1","udid":"U","general":{"name":"mac","lastIpAddress":"198.51.100.1","lastReportedIpV4":"10.0.0.4","lastReportedIpV6":"fe80::4",` +
		`"lastCheckIn":"2026-11-20T08:00:00Z","lastContact":"2026-11-20T10:00:00Z"},` +
		`"applications":[{"name":"A","version":"1","cfBundleShortVersionString":"1.0","cfBundleVersion":"100"}]}`
	readByV1 = `{"id":"2","udid":"V","general":{"name":"old","lastReportedIp":"10.0.0.5","lastContactTime":"2026-11-19T10:00:00Z"},` +
		`"plugins":[{"name":"P"}],"fonts":[{"name":"F"}],"applications":[{"name":"A","version":"1"}]}`
)

func TestEveryVersionIsServedFromOneGenerationWhicheverVersionItWasReadBy(t *testing.T) {
	w := newWorld(t)
	w.publish("schule-a", device.Computer, fleet{1: readByV4, 2: readByV1})
	// What a version says of the dates, the addresses, its own sections and the versions of an application.
	type answer struct {
		General, App map[string]any
		Sections     []string
	}
	watched := []string{"lastContactTime", "lastCheckIn", "lastContact", "lastReportedIp", "lastReportedIpV4", "lastReportedIpV6"}
	old := map[string]any{"lastContactTime": "2026-11-20T10:00:00Z", "lastReportedIp": "10.0.0.4", "lastReportedIpV4": "10.0.0.4", "lastReportedIpV6": "fe80::4"}
	elder := map[string]any{"lastContactTime": "2026-11-19T10:00:00Z", "lastReportedIp": "10.0.0.5", "lastReportedIpV4": nil, "lastReportedIpV6": nil}
	current := map[string]any{"lastCheckIn": "2026-11-20T08:00:00Z", "lastContact": "2026-11-20T10:00:00Z", "lastReportedIpV4": "10.0.0.4", "lastReportedIpV6": "fe80::4"}
	elderNow := map[string]any{"lastCheckIn": nil, "lastContact": "2026-11-19T10:00:00Z", "lastReportedIpV4": nil, "lastReportedIpV6": nil}
	bundle := map[string]any{"cfBundleShortVersionString": "1.0", "cfBundleVersion": "100"}
	noBundle := map[string]any{"cfBundleShortVersionString": nil, "cfBundleVersion": nil}
	for version, want := range map[string][2]answer{
		"v1": {{old, map[string]any{}, []string{"fonts", "plugins"}}, {elder, map[string]any{}, []string{"fonts", "plugins"}}},
		"v2": {{old, map[string]any{}, nil}, {elder, map[string]any{}, nil}},
		"v3": {{old, bundle, nil}, {elder, noBundle, nil}},
		"v4": {{current, bundle, nil}, {elderNow, noBundle, nil}},
	} {
		for i, id := range []string{"1", "2"} {
			query := "?section=GENERAL&section=APPLICATIONS"
			if version == "v1" {
				query += "&section=FONTS&section=PLUGINS"
			}
			list := w.page("/api/" + version + "/computers-inventory" + query).Results[i]
			byID, detail := map[string]any{}, map[string]any{}
			w.get("all", "/api/"+version+"/computers-inventory/"+id+query).decode(t, &byID)
			w.get("all", "/jamf/schule-a/api/"+version+"/computers-inventory-detail/"+id).decode(t, &detail)
			if diff := cmp.Diff(list, byID); diff != "" {
				t.Errorf("%s: %s by id differs from the list:\n%s", version, id, diff)
			}
			for way, record := range map[string]map[string]any{"list": list, "detail": detail} {
				got := answer{map[string]any{}, map[string]any{}, nil}
				general, _ := record["general"].(map[string]any)
				for _, name := range watched {
					if v, there := general[name]; there {
						got.General[name] = v
					}
				}
				apps, _ := record["applications"].([]any)
				app, _ := apps[0].(map[string]any)
				for _, name := range []string{"cfBundleShortVersionString", "cfBundleVersion"} {
					if v, there := app[name]; there {
						got.App[name] = v
					}
				}
				for _, name := range slices.Sorted(maps.Keys(record)) {
					if name == "fonts" || name == "plugins" {
						got.Sections = append(got.Sections, name)
					}
				}
				if diff := cmp.Diff(want[i], got); diff != "" {
					t.Errorf("%s %s %s:\n%s", version, way, id, diff)
				}
			}
		}
	}
	for _, version := range []string{"v2", "v3", "v4"} {
		w.want(w.get("all", "/api/"+version+"/computers-inventory?section=PLUGINS"), http.StatusBadRequest, "bad_request")
	}
	if r := w.get("all", "/api/v5/computers-inventory"); r.status != http.StatusNotFound || !bytes.Contains(r.body, []byte(`"httpStatus":404`)) {
		t.Errorf("a version that does not exist: %s", r)
	}
}

func TestDeprecatedVersionsSaySoOnEveryAnswerAsJamfDoes(t *testing.T) {
	w := newWorld(t)
	w.publishAll(1)
	dates := map[string]string{
		"/v1": `date="Mon, 30 Jun 2025 00:00:00 GMT"`, "/v2": `date="Thu, 06 Nov 2025 00:00:00 GMT"`,
		"/v3": `date="Tue, 14 Jul 2026 00:00:00 GMT"`, "/v4": "",
	}
	for version, date := range dates {
		for path, status := range map[string]int{
			"/computers-inventory": 200, "/computers-inventory/1": 200, "/computers-inventory-detail/1": 200,
			"/computers-inventory/77": 404, "/computers-inventory-detail/77": 404, "/computers-inventory?section=SHOES": 400,
		} {
			r := w.get("all", "/api"+version+path)
			if r.status != status || r.header.Get("Deprecation") != date {
				t.Errorf("%s%s: %d, Deprecation %q, want %d %q", version, path, r.status, r.header.Get("Deprecation"), status, date)
			}
		}
	}
	for _, path := range []string{"/api/v2/mobile-devices", "/api/v2/mobile-devices/1", "/api/v2/mobile-devices/detail", "/api/v1/auth", "/v1/devices"} {
		if r := w.get("all", path); r.status != http.StatusOK || r.header.Get("Deprecation") != "" {
			t.Errorf("%s: %d, Deprecation %q", path, r.status, r.header.Get("Deprecation"))
		}
	}
}
