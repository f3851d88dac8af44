package jamf_test

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"jamf-gateway/gateway/jamf"
)

// moments finds every moment that v remembers, by its path, and whether it carries a reading of the monotonic clock.
func moments(v reflect.Value, path string, seen map[uintptr]bool, found map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && !seen[v.Pointer()] {
			seen[v.Pointer()] = true
			moments(v.Elem(), path, seen, found)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			moments(v.Index(i), path+"[]", seen, found)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			wall, ext := v.Field(0).Uint(), v.Field(1).Int()
			if wall != 0 || ext != 0 {
				monotonic := wall>>63 == 1
				if before, known := found[path]; !known || before {
					found[path] = monotonic
				}
			}
			return
		}
		for _, room := range []string{"jamf-gateway/", "github.com/sony/gobreaker", "golang.org/x/time/rate"} {
			if strings.HasPrefix(v.Type().PkgPath(), room) {
				for i := range v.NumField() {
					moments(v.Field(i), path+"."+v.Type().Field(i).Name, seen, found)
				}
				return
			}
		}
	}
}

// Tokens, pauses, the breaker and the limiter measure time by the monotonic clock of the machine: no step of the wall clock, of a year or an hour,
// forwards or back, and no change to summer time makes a token live longer, opens the breaker for a day or lets a throttle end early.
// A bubble has no monotonic clock: this runs in real time, and every call ends before it would wait.
func TestTheWayOutMeasuresNothingByTheWallClock(t *testing.T) {
	found := map[string]bool{}
	for name, u := range map[string]*upstream{
		"well": {},
		"throttled": {api: func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Retry-After", "90")
			giveEnvelope(w, 429)
		}},
		"down":    {api: func(w http.ResponseWriter, _ *http.Request, _ int) { giveHTML(w, 503) }},
		"refused": {token: func(w http.ResponseWriter, _ *http.Request, _ int) { giveJSON(w, 401, `{"error":"invalid_client"}`) }},
	} {
		t.Run(name, func(t *testing.T) {
			r := connect(t, u, fast, nil)
			w := r.src.NewWalk()
			for range 5 {
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				_, err := w.Page(ctx, jamf.MobilePlain, []string{"GENERAL"}, 0, 100)
				cancel()
				if (err == nil) != (name == "well") {
					t.Errorf("%v", err)
				}
			}
			r.src.Close() // a renewal in the background has landed
			moments(reflect.ValueOf(r.src), "source", map[uintptr]bool{}, found)
			moments(reflect.ValueOf(w), "walk", map[uintptr]bool{}, found)
		})
	}
	for path, monotonic := range found {
		if !monotonic {
			t.Errorf("%s is a moment of the wall clock", path)
		}
	}
	for _, want := range []string{
		"source.tokens.current.expires", "source.tokens.current.born", "source.tokens.current.renew", "source.tokens.logins[].refusals[]", "source.tokens.notAhead",
		"source.host.throttled", "source.host.paused", "source.host.failing", "source.host.limiter.last", "source.host.breaker.expiry", "walk.began",
	} {
		if _, ok := found[want]; !ok {
			t.Errorf("%s was never seen: this proves less than it says", want)
		}
	}
}
