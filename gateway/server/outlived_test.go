package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"jamf-gateway/gateway/device"
)

// walkTooLong begins walks on a generation that is just inside max_stale, and lets it grow older than that.
func walkTooLong(t *testing.T, newer bool) (w *world, cursor string) {
	t.Helper()
	w = newWorld(t)
	w.publish("schule-a", device.Computer, computers("AC", 1, 10))
	w.publish("schule-a", device.Mobile, mobiles("AM", 1, 3))
	w.clock.Add(30*24*time.Hour - time.Minute)
	cursor = *w.devices("only-a", "?kind=computer&limit=4").NextCursor
	if n := w.total("only-a", "?page=0&page-size=4"); n != 10 {
		t.Fatal(n)
	}
	if n := w.total("only-a", "?page=1&page-size=4"); n != 10 {
		t.Errorf("just inside max_stale: %d", n)
	}
	if newer {
		w.publish("schule-a", device.Computer, computers("AC", 1, 12))
	}
	w.clock.Add(2 * time.Minute)
	return w, cursor
}

// A walk keeps its generation, and with it the generation's age: beyond max_stale its next page is refused like everything else of that age.
func TestAWalkWhoseDataGrowsOlderThanMaxStaleIsRefused(t *testing.T) {
	w, cursor := walkTooLong(t, false)
	for _, path := range []string{
		"/v1/devices?kind=computer&limit=4&cursor=" + cursor, "/v1/devices?kind=computer", "/v1/devices/schule-a:computer:1", "/v1/devices/schule-a:computer:77",
		"/api/v1/computers-inventory?page=2&page-size=4", "/api/v1/computers-inventory?page=0&page-size=4", "/api/v1/computers-inventory/1",
		"/api/v4/computers-inventory-detail/77",
	} {
		w.answers(w.get("only-a", path), path, http.StatusServiceUnavailable, "stale_limit")
	}
	r := w.get("only-a", "/api/v1/computers-inventory?page=2&page-size=4")
	if strings.Contains(string(r.body), "newer data") {
		t.Errorf("nothing newer is there: %s", r)
	}
}

// Where newer data is there, the walk alone is refused, and says how to go on; a first page and single devices come from what is newer at once.
func TestAClientLeavesDataThatIsOlderThanMaxStaleForNewer(t *testing.T) {
	w, cursor := walkTooLong(t, true)
	for _, path := range []string{"/v1/devices?kind=computer&limit=4&cursor=" + cursor, "/api/v1/computers-inventory?page=2&page-size=4"} {
		r := w.get("only-a", path)
		w.answers(r, path, http.StatusServiceUnavailable, "stale_limit")
		if !strings.Contains(string(r.body), "Begin again with") || r.header.Get("Retry-After") != "10" {
			t.Errorf("%s does not say how to go on: %s", path, r)
		}
	}
	for _, path := range []string{"/v1/devices/schule-a:computer:12", "/api/v1/computers-inventory/12"} {
		if r := w.get("only-a", path); r.status != http.StatusOK {
			t.Errorf("%s: %s", path, r)
		}
	}
	w.answers(w.get("only-a", "/api/v1/computers-inventory?page=2&page-size=4"), "the walk after single devices", http.StatusServiceUnavailable, "stale_limit")
	if n := w.total("only-a", "?page=0&page-size=4"); n != 12 {
		t.Errorf("the first page of another walk knows %d computers", n)
	}
	if n := w.total("only-a", "?page=1&page-size=4"); n != 12 {
		t.Errorf("its second page knows %d computers", n)
	}
	if l := w.devices("only-a", "?kind=computer"); len(l.Items) != 12 || l.Stale {
		t.Errorf("the normalized list: %+v", l)
	}
	// A second walk that was begun on the old data is still one of the old data.
	w.answers(w.get("only-a", "/v1/devices?kind=computer&limit=4&cursor="+cursor), "cursor", http.StatusServiceUnavailable, "stale_limit")
	// Over several kinds it is the last good of one of them, and says so.
	if l := w.devices("only-a", ""); len(l.Items) != 15 || !l.Stale {
		t.Errorf("with the other kind, that is too old: %+v", l)
	}
}
