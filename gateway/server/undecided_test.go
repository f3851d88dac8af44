package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

func TestADeviceThatIsNeitherListedNorDeletedIsAskedAboutAfterFourteenDays(t *testing.T) {
	w := newWorld(t)
	flags := []cache.Quarantine{
		{ID: 1, Reason: "unreadable", Kept: "previous"},
		{ID: 2, Reason: "not_listed", Kept: "previous", Since: start},
		{ID: 3, Reason: "not_listed", Kept: "previous", Since: start.Add(24 * time.Hour)},
	}
	w.publish("schule-a", device.Computer, computers("AC", 1, 3), flags...)
	undecided := func() (count int, first string, decide int) {
		t.Helper()
		var health struct{ Kinds []struct{ Undecided int } }
		w.get("only-a", "/v1/sources/schule-a/health").decode(t, &health)
		var one struct {
			Kinds []struct {
				QuarantinedDevices []struct {
					UID    string
					Since  *string
					Decide bool
				}
			}
		}
		w.get("only-a", "/v1/sources/schule-a").decode(t, &one)
		all := one.Kinds[0].QuarantinedDevices
		for _, d := range all {
			if (d.Since != nil) != (d.UID != "schule-a:computer:1") {
				t.Errorf("%+v", d)
			}
			if d.Decide {
				decide++
			}
		}
		return health.Kinds[0].Undecided, all[0].UID, decide
	}
	for _, tc := range []struct {
		days, count int
		first       string
	}{{13, 0, "schule-a:computer:1"}, {1, 1, "schule-a:computer:2"}, {1, 2, "schule-a:computer:2"}} {
		w.clock.Add(time.Duration(tc.days) * 24 * time.Hour)
		if count, first, decide := undecided(); count != tc.count || decide != tc.count || first != tc.first {
			t.Errorf("%d undecided, %d to decide, first %s; want %+v", count, decide, first, tc)
		}
	}
}

func TestAnOpenWindowForRemovalsIsShown(t *testing.T) {
	w := newWorld(t)
	w.publishAll(1)
	paths := map[string]string{"/v1/sources/schule-a": w.base, "/v1/sources/schule-a/health": w.base, "/v1/admin/sources": w.admin, "/v1/admin/sources/schule-a/held": w.admin}
	see := func(want bool) {
		t.Helper()
		for path, door := range paths {
			header := []string{"Authorization", "Bearer " + w.token("all")}
			if door == w.admin {
				header = nil
			}
			r := w.do(http.MethodGet, door+path, "", header...)
			if got := strings.Contains(string(r.body), `"expectedRemovals":{"left":250,"until":"2026-12-24T00:00:00.000Z"}`); got != want || r.status != http.StatusOK {
				t.Errorf("%s: %s", path, r)
			}
		}
	}
	see(false)
	w.house.source("schule-a", func(s *server.SourceStatus) {
		s.Expected = &server.Expected{Left: 250, Until: time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC)}
	})
	see(true)
	if r := w.get("all", "/v1/sources"); strings.Contains(string(r.body), "expectedRemovals") {
		t.Errorf("in the list of sources: %s", r)
	}
}
