package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// total is what the façade says of the number of computers.
func (w *world) total(client, query string) int {
	w.t.Helper()
	r := w.get(client, "/jamf/schule-a/api/v1/computers-inventory"+query)
	if r.status != http.StatusOK {
		w.t.Fatal(r)
	}
	var p struct {
		TotalCount int                   `json:"totalCount"`
		Results    []struct{ ID string } `json:"results"`
	}
	r.decode(w.t, &p)
	return p.TotalCount
}

func TestAWalkSeesOneGenerationWhateverIsPublishedMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.publish("schule-a", device.Computer, computers("AC", 1, 10))
	first := w.devices("only-a", "?kind=computer&limit=4")
	if n := w.total("only-a", "?page=0&page-size=4"); n != 10 {
		t.Fatal(n)
	}
	for range 12 { // more than the store keeps: the run holds its generation itself
		w.publish("schule-a", device.Computer, computers("AC", 5, 30))
	}
	w.clock.Add(4 * time.Minute)
	if n := w.total("only-a", "?page=1&page-size=4"); n != 10 {
		t.Errorf("the second page knows %d computers", n)
	}
	if r := w.get("only-a", "/jamf/schule-a/api/v4/computers-inventory-detail/2"); r.status != http.StatusOK {
		t.Errorf("a device of the list is gone: %s", r)
	}
	if r := w.get("only-a", "/v1/devices/schule-a:computer:30"); r.status != http.StatusNotFound {
		t.Errorf("a device that the list did not have: %s", r)
	}
	uids := first.uids()
	for next := first.NextCursor; next != nil; {
		l := w.devices("only-a", "?kind=computer&limit=4&cursor="+*next)
		uids, next = append(uids, l.uids()...), l.NextCursor
	}
	if diff := cmp.Diff(expected(10, "schule-a")[:10], uids); diff != "" {
		t.Error(diff)
	}
	if n := w.total("all", ""); n != 26 {
		t.Errorf("another client begins with %d computers", n)
	}
}

func TestARunEndsWhenItIsIdleOldAndAskedForItsFirstPageOrTooLong(t *testing.T) {
	w := newWorld(t)
	size := 0
	publish := func() {
		size++
		w.publish("schule-a", device.Computer, computers("AC", 1, size))
	}
	step := func(name string, d time.Duration, query string, want int) {
		t.Helper()
		for ; d > 4*time.Minute; d -= 4 * time.Minute { // keep the run from being idle
			w.clock.Add(4 * time.Minute)
			w.total("only-a", "?page=1")
		}
		w.clock.Add(d)
		if n := w.total("only-a", query); n != want {
			t.Errorf("%s: %d computers, want %d", name, n, want)
		}
	}
	publish()
	step("the run begins", 0, "?page=0", 1)
	publish()
	step("the first page again within 30 minutes", 29*time.Minute, "?page=0", 1)
	step("another page after 31 minutes", 2*time.Minute, "?page=1", 1)
	step("the first page of a second walk after 32 minutes, while the first goes on", time.Minute, "?page=0", 1)
	step("another page of the first", 0, "?page=2", 1)
	w.clock.Add(4 * time.Minute)
	step("the first page does not keep a run old for ever", 0, "?page=0", 1)
	w.clock.Add(time.Minute)
	step("the first page when no walk is in progress", 0, "?page=0", 2)
	publish()
	step("another page of a walk that takes more than two hours", 121*time.Minute, "?page=1", 2)
	step("the first page after two hours", 0, "?page=0", 3)
	publish()
	w.clock.Add(5 * time.Minute)
	step("the first page after 5 idle minutes", 0, "?page=0", 4)
}

func TestAWalkThatWasLeftGoesOnWithItsOwnListOrIsToldThatItCannot(t *testing.T) {
	w := newWorld(t)
	w.publish("schule-a", device.Computer, computers("AC", 1, 10))
	w.total("only-a", "?page=0&page-size=4")
	w.publish("schule-a", device.Computer, computers("AC", 5, 30))
	w.clock.Add(20 * time.Minute)
	w.server.Sweep()
	if runs, generations := w.server.HeldRuns(); runs != 0 || generations != 0 {
		t.Errorf("%d ended runs hold %d generations", runs, generations)
	}
	if n := w.total("only-a", "?page=1&page-size=4"); n != 10 {
		t.Errorf("after 20 minutes the second page is one of %d computers", n)
	}
	w.clock.Add(20 * time.Minute)
	w.server.Sweep()
	for range 13 { // more than the store keeps
		w.publish("schule-a", device.Computer, computers("AC", 5, 30))
	}
	for range 2 { // a retry does not help, and does not mix either
		w.want(w.get("only-a", "/jamf/schule-a/api/v1/computers-inventory?page=2&page-size=4"), http.StatusServiceUnavailable, "list_expired")
	}
	if r := w.get("only-a", "/api/v4/computers-inventory-detail/30"); r.status != http.StatusOK {
		t.Errorf("a single device meanwhile: %s", r)
	}
	w.want(w.get("only-a", "/jamf/schule-a/api/v1/computers-inventory?page=2&page-size=4"), http.StatusServiceUnavailable, "list_expired")
	if n := w.total("only-a", "?page=0&page-size=4"); n != 26 {
		t.Errorf("a new walk begins with %d computers", n)
	}
	if n := w.total("only-a", "?page=1&page-size=4"); n != 26 {
		t.Errorf("and goes on with %d", n)
	}
	w.clock.Add(3 * time.Hour)
	w.publish("schule-a", device.Computer, computers("AC", 5, 40))
	if n := w.total("only-a", "?page=1&page-size=4"); n != 36 {
		t.Errorf("a walk that was left for three hours still counts: %d", n)
	}
}

// A client that watches with one first page and walks with another: what ends the run must not end the walk.
func TestAWalkStaysOnItsGenerationWhileAnotherListOfItsClientMovesOn(t *testing.T) {
	for name, tt := range map[string]struct {
		rest  time.Duration // before the other list is asked for
		again bool          // the program starts again afterwards
	}{
		"after two hours": {4 * time.Minute, false}, "after a rest": {6 * time.Minute, false}, "over a restart": {6 * time.Minute, true},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "runs.json")
			w := newWorld(t, func(o *server.Options) { o.RunsFile = file })
			w.publish("schule-a", device.Computer, computers("AC", 1, 10))
			w.total("only-a", "?page=0&page-size=4")
			w.publish("schule-a", device.Computer, computers("AC", 5, 30))
			for range 30 {
				w.clock.Add(4 * time.Minute)
				w.total("only-a", "?page=1&page-size=4")
			}
			w.clock.Add(tt.rest)
			if n := w.total("only-a", "?page=0&page-size=1"); n != 26 {
				t.Errorf("the other list begins with %d computers", n)
			}
			w.server.Sweep()
			if tt.again {
				w = w.restart(t, func(o *server.Options) { o.RunsFile = file })
			}
			if n := w.total("only-a", "?page=2&page-size=4"); n != 10 {
				t.Errorf("the walk goes on with %d computers", n)
			}
			if n := w.total("only-a", "?page=1&page-size=1"); n != 26 {
				t.Errorf("the other list goes on with %d", n)
			}
			if n := w.total("only-a", "?page=0&page-size=4"); n != 26 {
				t.Errorf("the walk begins again with %d", n)
			}
			if n := w.total("only-a", "?page=1&page-size=4"); n != 26 {
				t.Errorf("and goes on with %d", n)
			}
			w.clock.Add(7 * time.Minute)
			w.server.Sweep()
			if _, generations := w.server.HeldRuns(); generations != 0 {
				t.Errorf("nobody reads, and %d generations are held", generations)
			}
		})
	}
}

func TestSingleDevicesDoNotKeepAnOldGenerationForEver(t *testing.T) {
	w := newWorld(t)
	w.publish("schule-a", device.Computer, computers("AC", 1, 2))
	one := func() int { return w.get("only-a", "/v1/devices/schule-a:computer:3").status }
	one()
	w.publish("schule-a", device.Computer, computers("AC", 1, 4))
	for range 29 {
		w.clock.Add(4 * time.Minute)
		if status := one(); status != http.StatusNotFound {
			t.Fatalf("within two hours: %d", status)
		}
	}
	w.clock.Add(4 * time.Minute)
	if status := one(); status != http.StatusOK {
		t.Errorf("after two hours: %d", status)
	}
}

func TestAWalkGoesOnWithItsListAfterARestart(t *testing.T) {
	var file string
	w := newWorld(t, func(o *server.Options) {
		file = filepath.Join(t.TempDir(), "runs.json")
		o.RunsFile = file
	})
	w.publish("schule-a", device.Computer, computers("AC", 1, 10))
	w.total("only-a", "?page=0&page-size=4")
	w.publish("schule-a", device.Computer, computers("AC", 3, 30))
	kept, err := os.ReadFile(file) // what a kill would leave
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		after time.Duration
		file  []byte
		query string
		want  int
	}{
		"another page":                            {time.Minute, kept, "?page=1&page-size=4", 10},
		"another page after a long stop":          {time.Hour, kept, "?page=1&page-size=4", 10},
		"the first page of the walk, asked again": {time.Minute, kept, "?page=0&page-size=4", 10},
		"the first page after a long stop":        {time.Hour, kept, "?page=0&page-size=4", 28},
		"another page the next day":               {24 * time.Hour, kept, "?page=1&page-size=4", 28},
		"a file of another store":                 {time.Minute, bytes.ReplaceAll(kept, []byte(w.store.Identity()), []byte("other")), "?page=0&page-size=4", 28},
		"a broken file":                           {time.Minute, kept[:len(kept)/2], "?page=0&page-size=4", 28},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "runs.json")
			if err := os.WriteFile(file, tt.file, 0o600); err != nil {
				t.Fatal(err)
			}
			again := w.restart(t, func(o *server.Options) { o.RunsFile = file })
			again.clock.Add(tt.after)
			if n := again.total("only-a", tt.query); n != tt.want {
				t.Errorf("%d computers, want %d", n, tt.want)
			}
		})
	}
	w.total("only-a", "?page=0")
	var page struct{ Runs []struct{ Client string } }
	if err := json.Unmarshal(kept, &page); err != nil || len(page.Runs) != 1 || page.Runs[0].Client != "only-a" {
		t.Errorf("the file holds %s: %v", kept, err)
	}
}

func TestEachKindOfARunHasItsOwnAgeAndNoneIsIdleAlone(t *testing.T) {
	w := newWorld(t)
	w.publish("schule-a", device.Computer, computers("AC", 1, 1))
	w.publish("schule-a", device.Mobile, mobiles("AM", 1, 1))
	w.total("only-a", "?page=0")
	w.publish("schule-a", device.Computer, computers("AC", 1, 2))
	for range 5 { // twenty minutes of mobile devices
		w.clock.Add(4 * time.Minute)
		w.get("only-a", "/api/v2/mobile-devices?page=1")
	}
	if n := w.total("only-a", "?page=1"); n != 1 {
		t.Errorf("the computers moved on while the same run read mobile devices: %d", n)
	}
}

func TestACursorWhoseGenerationIsGoneIsGone(t *testing.T) {
	w := newWorld(t)
	w.publish("schule-a", device.Computer, computers("AC", 1, 10))
	query := "?kind=computer&limit=4&cursor=" + *w.devices("only-a", "?kind=computer&limit=4").NextCursor
	w.clock.Add(6 * time.Minute)
	w.publish("schule-a", device.Computer, computers("AC", 5, 10))
	if l := w.devices("only-a", query); len(l.Items) != 4 || *l.Sources[0].Generation != 1 {
		t.Errorf("the store still keeps the generation: %+v", l)
	}
	w.clock.Add(3 * time.Hour)
	w.server.Sweep()
	for range 3 {
		w.publish("schule-a", device.Computer, computers("AC", 5, 10))
	}
	w.want(w.get("only-a", "/v1/devices"+query), http.StatusGone, "cursor_expired")
	if r := w.get("only-a", "/v1/devices?limit=4&cursor="+query[len(query)-20:]); r.status != http.StatusBadRequest {
		t.Errorf("a piece of a cursor: %s", r)
	}
}

func TestTheJanitorLetsGoOfWhatNobodyReads(t *testing.T) {
	w := newWorld(t)
	w.publishAll(1)
	w.devices("all", "")
	w.devices("only-a", "")
	held := func(wantRuns, wantGenerations int) {
		t.Helper()
		if runs, generations := w.server.HeldRuns(); runs != wantRuns || generations != wantGenerations {
			t.Errorf("%d runs hold %d generations, want %d and %d", runs, generations, wantRuns, wantGenerations)
		}
	}
	held(3, 6)
	w.clock.Add(4 * time.Minute)
	w.devices("only-a", "")
	w.clock.Add(2 * time.Minute)
	w.server.Sweep()
	held(1, 2)
	for i := range 200 {
		w.get("only-a", fmt.Sprintf("/v1/devices/schule-a:computer:%d", i))
	}
	held(1, 2)
}
