package server_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

func TestTheAdminDoorPurgesWhatIsNamedTwice(t *testing.T) {
	w := newWorld(t)
	post := func(path string) reply { return w.do(http.MethodPost, w.admin+"/v1/admin/"+path, "") }
	for path, body := range map[string]string{
		"sources/schule-a/purge?confirm=schule-a&by=anna":                            `{"source":"schule-a","status":"purged"}`,
		"devices/schule-a:computer:42/purge?confirm=schule-a:computer:42":            `{"source":"schule-a","uid":"schule-a:computer:42","status":"purged","returns":true}`,
		"devices/schule-b:mobile:7/purge?confirm=schule-b%3Amobile%3A7&by=b%C3%B6se": `{"source":"schule-b","uid":"schule-b:mobile:7","status":"purged","returns":false}`,
	} {
		if r := post(path); r.status != http.StatusOK || string(r.body) != body {
			t.Errorf("%s: %s", path, r)
		}
	}
	for path, code := range map[string]string{
		"sources/schule-a/purge":                              "bad_request",
		"sources/schule-a/purge?confirm=schule-b":             "bad_request",
		"sources/schule-a/purge?confirm=schule-a&force=1":     "unknown_parameter",
		"devices/schule-a:computer:42/purge?confirm=schule-a": "bad_request",
		"devices/schule-a/purge?confirm=schule-a":             "bad_request",
		"devices/..:computer:42/purge?confirm=..:computer:42": "bad_request",
	} {
		w.want(post(path), http.StatusBadRequest, code)
	}
	for _, path := range []string{"sources/schule-a/purge?confirm=schule-a", "devices/schule-a:computer:42/purge?confirm=schule-a:computer:42"} {
		address := w.admin + "/v1/admin/" + path
		w.want(w.do(http.MethodPost, address, "", "Authorization", ""), http.StatusUnauthorized, "admin_token")
		w.want(w.do(http.MethodPost, address, "", "Host", "evil.example"), http.StatusForbidden, "forbidden_origin")
		w.want(w.do(http.MethodPost, address, "", "Content-Encoding", "gzip"), http.StatusUnsupportedMediaType, "content_encoding")
		for range server.AdminTries {
			w.do(http.MethodPost, address, "", "Authorization", "Bearer jga_guess")
		}
		w.want(w.do(http.MethodPost, address, "", "Authorization", "Bearer jga_guess"), http.StatusTooManyRequests, "too_many_attempts")
	}
	w.house.mu.Lock()
	acts := fmt.Sprint(len(w.house.acts), " ", w.house.acts)
	w.house.mu.Unlock()
	if len(w.house.acts) != 3 {
		t.Errorf("what was refused was done: %s", acts)
	}
	for err, want := range map[error]string{
		server.ErrUnknownSource: "404 unknown_source", server.ErrInUse: "409 source_in_use", server.ErrSyncRunning: "409 sync_running",
		server.ErrUnknownDevice: "404 unknown_device", server.ErrUnfinished: "503 purge_unfinished",
	} {
		w.house.mu.Lock()
		w.house.syncErr = err
		w.house.mu.Unlock()
		for _, path := range []string{"sources/schule-a/purge?confirm=schule-a", "devices/schule-a:computer:42/purge?confirm=schule-a:computer:42"} {
			r := post(path)
			var status int
			var code string
			_, _ = fmt.Sscan(want, &status, &code)
			w.want(r, status, code)
		}
	}
}

// What clients are reading goes from under them: a list that goes on is told so, a single device is answered from what is there.
func TestListsOverWhatWasPurgedAreToldAndNotContinuedElsewhere(t *testing.T) {
	w := newWorld(t)
	w.publish("schule-a", device.Computer, computers("AC", 1, 10))
	first := w.devices("only-a", "?kind=computer&limit=4")
	if n := w.total("only-a", "?page=0&page-size=4"); n != 10 {
		t.Fatal(n)
	}
	if _, err := w.store.Erase(t.Context(), cache.Series{Source: "schule-a", Kind: device.Computer}, 3); err != nil {
		t.Fatal(err)
	}
	w.server.Forget(t.Context(), "schule-a", device.Computer)
	if _, generations := w.server.HeldRuns(); generations != 0 {
		t.Errorf("%d generations are held open", generations)
	}
	w.want(w.get("only-a", "/jamf/schule-a/api/v1/computers-inventory?page=1&page-size=4"), http.StatusServiceUnavailable, "list_expired")
	w.want(w.get("only-a", "/v1/devices?kind=computer&limit=4&cursor="+*first.NextCursor), http.StatusGone, "cursor_expired")
	w.want(w.get("only-a", "/v1/devices/schule-a:computer:3"), http.StatusNotFound, "unknown_device")
	if n := w.total("only-a", "?page=0&page-size=4"); n != 9 {
		t.Errorf("the next walk begins with %d computers", n)
	}
	w.server.Forget(t.Context(), "schule-a", "")
	if runs, _ := w.server.HeldRuns(); runs != 0 {
		t.Errorf("%d runs are remembered", runs)
	}
}

// TestARequestThatWasUnderWayDuringAPurgeKeepsNothingOfIt: it had opened a generation, by its number or as the current one, and would have its
// client's run hold it for two hours.
func TestARequestThatWasUnderWayDuringAPurgeKeepsNothingOfIt(t *testing.T) {
	q := cache.Series{Source: "schule-a", Kind: device.Computer}
	for name, read := range map[string]bool{"the client reads already": true, "it is its first request": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.publish(q.Source, q.Kind, computers("AC", 1, 10))
			number := uint64(0)
			if read {
				number = *w.devices("only-a", "?kind=computer&limit=4").Sources[0].Generation
				w.clock.Add(6 * time.Minute)
				w.server.Sweep() // the run lets go of it
			}
			goOn, err := w.server.HeldUp("only-a", q, number)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.store.Erase(t.Context(), q, 3); err != nil {
				t.Fatal(err)
			}
			w.server.Forget(t.Context(), q.Source, q.Kind)
			goOn()
			w.want(w.get("only-a", "/api/v1/computers-inventory/3"), http.StatusNotFound, "unknown_device")
			if n := w.total("only-a", "?page=0&page-size=4"); n != 9 {
				t.Errorf("the client is still shown %d devices", n)
			}
		})
	}
}
