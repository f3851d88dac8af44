package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"jamf-gateway/gateway/device"
)

// However the clock is stepped: no age is negative, what is fresh stays served, and a client with a token of before, or a new one, gets in.
func TestASteppedClockMakesNoAgeNegativeAndLocksNobodyOut(t *testing.T) {
	for name, step := range map[string]time.Duration{
		"a second back": -time.Second, "an hour back": -time.Hour, "a year back": -365 * 24 * time.Hour, "an hour forwards": time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.publish("schule-a", device.Computer, computers("AC", 1, 2))
			before := w.token("only-a")
			w.clock.Add(step)
			for _, path := range []string{"/api/v1/computers-inventory", "/v1/devices?kind=computer", "/v1/devices/schule-a:computer:1"} {
				r := w.get("only-a", path)
				age := r.header.Get("Age")
				if r.status != http.StatusOK || age == "" || strings.HasPrefix(age, "-") || step < 0 && age != "0" {
					t.Errorf("%s: Age %q: %s", path, age, r)
				}
			}
			want := http.StatusOK
			if step < -24*time.Hour {
				want = http.StatusUnauthorized // it would live for a year
			}
			if got := w.alive(before); got != want {
				t.Errorf("the token of before: %d, want %d", got, want)
			}
		})
	}
	t.Run("a year forwards, and back", func(t *testing.T) {
		w := newWorld(t)
		w.publish("schule-a", device.Computer, computers("AC", 1, 2))
		w.clock.Add(365 * 24 * time.Hour)
		w.want(w.get("only-a", "/api/v1/computers-inventory"), http.StatusServiceUnavailable, "stale_limit")
		token := w.token("only-a")
		w.clock.Add(-365 * 24 * time.Hour)
		if r := w.get("only-a", "/api/v1/computers-inventory"); r.status != http.StatusOK || r.header.Get("Age") != "0" {
			t.Errorf("back again: %s", r)
		}
		if got := w.alive(token); got != http.StatusUnauthorized {
			t.Errorf("a token of the future: %d", got)
		}
	})
}

// A clock that goes back leaves runs whose times lie ahead: they must not last until that day comes.
func TestARunEndsThoughTheClockHasGoneBack(t *testing.T) {
	w := newWorld(t)
	w.publish("schule-a", device.Computer, computers("AC", 1, 10))
	if n := w.total("only-a", "?page=0&page-size=4"); n != 10 {
		t.Fatal(n)
	}
	w.publish("schule-a", device.Computer, computers("AC", 5, 30))
	w.clock.Add(-25 * time.Hour)
	if n := w.total("only-a", "?page=1&page-size=4"); n != 10 {
		t.Errorf("the second page knows %d computers", n)
	}
	n := 0
	for range 10 { // never idle
		w.clock.Add(4 * time.Minute)
		n = w.total("only-a", "?page=0&page-size=4")
	}
	if n != 26 {
		t.Errorf("a new walk knows %d computers", n)
	}
}
