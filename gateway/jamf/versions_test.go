package jamf_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/jamf"
)

// aging is a Jamf whose newest computers-inventory can be changed while it is read.
type aging struct {
	upstream
	mu       sync.Mutex
	versions []string
	release  string
	gone     bool                        // records are 404
	html     bool                        // a path that is not there is answered with HTML
	missing  func(w http.ResponseWriter) // how else it is answered
}

func newAging(versions ...string) *aging {
	a := &aging{versions: versions, release: "11.20.0"}
	a.api = func(w http.ResponseWriter, r *http.Request, _ int) {
		a.mu.Lock()
		defer a.mu.Unlock()
		parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/"), "/")
		switch {
		case r.URL.Path == "/api/v1/jamf-pro-version":
			giveJSON(w, 200, `{"version":"`+a.release+`"}`)
		case !slices.Contains(a.versions, parts[0]) && a.missing != nil:
			a.missing(w)
		case !slices.Contains(a.versions, parts[0]) && a.html:
			giveHTML(w, 404)
		case !slices.Contains(a.versions, parts[0]) || len(parts) == 3 && a.gone:
			giveEnvelope(w, 404)
		case len(parts) == 3:
			giveJSON(w, 200, `{"id":"`+parts[2]+`"}`)
		default:
			givePage(w, 1)
		}
	}
	return a
}

func (a *aging) become(versions ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.versions = versions
}

// asked lists the versions of the calls from the nth on.
func (a *aging) asked(from int) []string {
	var out []string
	for _, s := range a.requests()[from:] {
		if strings.Contains(s.path, "computers-inventory") {
			out = append(out, strings.Split(s.path, "/")[2])
		}
	}
	return out
}

func readVersion(t *testing.T, w *jamf.Walk) string {
	t.Helper()
	p, err := page(t, w, jamf.Computers)
	if err != nil {
		t.Fatal(err)
	}
	return p.Version
}

func TestAnOlderJamfIsReadByItsNewestVersion(t *testing.T) {
	for newest, asked := range map[string][]string{
		"v4": {"v4", "v4"},
		"v3": {"v4", "v3", "v3"},
		"v2": {"v4", "v3", "v2", "v2"},
		"v1": {"v4", "v3", "v2", "v1", "v1"},
	} {
		for _, html := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				u := newAging(asked[len(asked)-1:]...)
				u.html = html
				w := connect(t, u, fast, nil).src.NewWalk()
				for range 2 {
					if got := readVersion(t, w); got != newest {
						t.Errorf("read by %s, want %s", got, newest)
					}
				}
				if diff := cmp.Diff(asked, u.asked(0)); diff != "" {
					t.Errorf("asked for (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// Which 404 speaks of a path that an older Jamf does not have, and which one of something else that answers there.
func TestOnlyA404OfJamfMovesToAnOlderVersion(t *testing.T) {
	say := func(kind, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			if kind != "" {
				w.Header().Set("Content-Type", kind)
			}
			w.WriteHeader(404)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, c := range map[string]struct {
		missing func(http.ResponseWriter)
		jamfs   bool
	}{
		"envelope":            {func(w http.ResponseWriter) { giveEnvelope(w, 404) }, true},
		"status page":         {func(w http.ResponseWriter) { giveHTML(w, 404) }, true},
		"Tomcat":              {say("text/html;charset=utf-8", "<!doctype html><html><head><title>HTTP Status 404 – Not Found</title></head></html>"), true},
		"Spring":              {say("application/json", `{"timestamp":"2026-11-23T04:00:00Z","status":404,"error":"Not Found","path":"/api/v4/computers-inventory"}`), true},
		"empty":               {say("", ""), true},
		"nginx":               {say("text/html", "<html><head><title>404 Not Found</title></head><body><center>nginx</center></body></html>"), false},
		"plain text":          {say("text/plain", "404 page not found"), false},
		"JSON of a gateway":   {say("application/json", `{"message":"no Route matched with those values"}`), false},
		"JSON, but no object": {say("application/json", `[]`), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := newAging("v1")
				u.missing = c.missing
				src := connect(t, u, fast, nil).src
				p, err := page(t, src.NewWalk(), jamf.Computers)
				if c.jamfs {
					if err != nil || p.Version != "v1" {
						t.Errorf("%+v, %v", p, err)
					}
					return
				}
				e, ok := errors.AsType[*jamf.Error](err)
				if !ok || !errors.Is(err, jamf.ErrUnavailable) || e.Code != "unexpected_answer" {
					t.Errorf("error is %v", err)
				}
				if diff := cmp.Diff([]string{"v4"}, u.asked(0)); diff != "" {
					t.Errorf("asked for (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestTheVersionIsRememberedUntilADayOrAReleaseLater(t *testing.T) {
	for name, upgrade := range map[string]struct {
		after   time.Duration
		release string // as Jamf says it at the start of the walk
		want    []string
	}{
		"the next heartbeat":       {5 * time.Minute, "11.20.0", []string{"v2"}},
		"a day later":              {24 * time.Hour, "11.20.0", []string{"v4"}},
		"another release, at once": {time.Minute, "11.30.2", []string{"v4"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := newAging("v1", "v2")
				r := connect(t, u, fast, nil)
				first := r.src.NewWalk()
				if _, err := first.Version(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := readVersion(t, first); got != "v2" {
					t.Fatalf("read by %s", got)
				}
				u.become("v1", "v2", "v3", "v4")
				u.release = upgrade.release
				time.Sleep(upgrade.after)
				if got := readVersion(t, first); got != "v2" {
					t.Errorf("a walk changed its version to %s", got)
				}
				from := len(u.requests())
				next := r.src.NewWalk()
				if _, err := next.Version(t.Context()); err != nil {
					t.Fatal(err)
				}
				readVersion(t, next)
				if diff := cmp.Diff(upgrade.want, u.asked(from)); diff != "" {
					t.Errorf("asked for (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestAVersionThatGoesInMidWalkDoesNotCostTheWalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newAging("v1", "v2", "v3")
		w := connect(t, u, fast, nil).src.NewWalk()
		if got := readVersion(t, w); got != "v3" {
			t.Fatalf("read by %s", got)
		}
		u.become("v4")
		if got := readVersion(t, w); got != "v4" {
			t.Errorf("read by %s", got)
		}
		u.become("v1")
		if got := readVersion(t, w); got != "v1" {
			t.Errorf("read by %s", got)
		}
	})
}

func TestAPathThatIsGoneDoesNotMakeADeviceLookDeleted(t *testing.T) {
	for _, html := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			u := newAging("v1", "v2", "v3")
			u.html = html
			r := connect(t, u, fast, nil)
			w := r.src.NewWalk()
			readVersion(t, w)
			u.become("v4")
			time.Sleep(time.Minute)
			raw, err := w.Record(t.Context(), jamf.Computers, nil, 7)
			if err != nil || string(raw) != `{"id":"7"}` {
				t.Errorf("a device that lives: %s, %v", raw, err)
			}
			time.Sleep(time.Minute)
			u.become() // no list at all
			_, err = w.Record(t.Context(), jamf.Computers, nil, 7)
			must(t, err, jamf.ErrUnavailable, "not_found")
			u.become("v4")
			u.mu.Lock()
			u.gone = true
			u.mu.Unlock()
			_, err = w.Record(t.Context(), jamf.Computers, nil, 7)
			must(t, err, jamf.ErrNotFound, "not_found")
		})
	}
}

func TestDeletionsInARowCostOneProofInHalfAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newAging("v4")
		u.gone = true
		r := connect(t, u, fast, nil)
		w := r.src.NewWalk()
		readVersion(t, w)
		for id := range int64(60) {
			time.Sleep(time.Second)
			_, err := w.Record(t.Context(), jamf.Computers, nil, id+1)
			must(t, err, jamf.ErrNotFound, "not_found")
		}
		if got := len(u.asked(0)); got > 1+60+3 {
			t.Errorf("%d calls for 60 deletions", got)
		}
	})
}
