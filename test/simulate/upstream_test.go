package simulate_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"jamf-gateway/gateway/device"
	"jamf-gateway/test/fakejamf"
)

// upstream is what stands behind the URL of one source: a Jamf Pro, with everything that can go wrong on the way to it.
type upstream struct {
	w       *world
	name    string
	address string
	server  *http.Server

	mu        sync.Mutex
	rng       *rand.Rand // of the calls; they come one after the other
	tokens    *rand.Rand // of calls for a token, which may come beside another call
	all       []*instance
	troubles  []trouble
	latency   time.Duration
	unheard   bool    // connections are refused
	churn     float64 // chance of a change after a page
	crashIn   int     // pages until the gateway is killed; 0 = it is not
	approveIn int     // pages until an operator approves what is held
	wanted    string  // the secret that Jamf knows
	open      map[device.Kind]*window
}

// window is the time in which one walk reads.
type window struct {
	jamf    *instance // at its beginning
	from    fakejamf.Mark
	others  map[*instance]fakejamf.Mark // that came behind the URL since, and where they stood
	blanked bool                        // a section was taken away in it
	hidden  bool                        // the list did not show its last devices
	listed  bool                        // one answer at least was no false empty list
}

func newUpstream(w *world, n int, first *instance) *upstream {
	u := &upstream{
		w: w, name: fmt.Sprintf("source-%d", n), address: fmt.Sprintf("127.0.0.%d:8081", n+1), all: []*instance{first},
		rng: w.rng("calls", uint64(n)), tokens: w.rng("tokens", uint64(n)), open: map[device.Kind]*window{}, wanted: "secret", latency: 400 * time.Millisecond,
	}
	u.churn = pick(u.rng, 0, 0.5, 0.8, 0.8) // the first walk has no parent that could tell what is missing
	if first := w.rng("first walk", uint64(n)); first.IntN(3) == 0 {
		u.troubles = []trouble{{pick(first, lostRow, lostRow, totalHigh, shortPage, doubled), pick(first, 0.1, 0.3)}}
	}
	u.server = &http.Server{Handler: u, ReadHeaderTimeout: time.Minute}
	return u
}

func (u *upstream) jamf() *instance { return u.all[len(u.all)-1] }

// question is what a call asks for.
type question struct {
	kind  device.Kind // of a list or a record
	page  bool        // of a list that a walk reads: heartbeats ask for one row
	token bool
}

func ask(r *http.Request) question {
	var q question
	path, size := r.URL.Path, r.URL.Query().Get("page-size")
	switch {
	case strings.HasSuffix(path, "/oauth/token"):
		q.token = true
	case strings.Contains(path, "computers-inventory"):
		q.kind = device.Computer
	case strings.Contains(path, "mobile-devices"):
		q.kind = device.Mobile
	}
	q.page = q.kind != "" && size != "" && size != "1" && !r.URL.Query().Has("filter")
	return q
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := ask(r)
	what, wait := u.decide(q)
	u.w.log.note(u.name, "%s %s?%s: %s", r.Method, r.URL.Path, r.URL.RawQuery, what)
	if what == hang {
		wait = 4 * time.Minute
	}
	if !rest(r.Context(), wait) {
		return
	}
	switch what {
	case "":
		u.pass(w, r, q, what)
	case reset, hang:
		panic(http.ErrAbortHandler)
	case sick500, page500:
		answer(w, http.StatusInternalServerError, "application/json", `{"httpStatus":500,"errors":[]}`)
	case sick502, sick503, sick504:
		status, _ := strconv.Atoi(what)
		answer(w, status, "text/html", "<html><body>"+what+"</body></html>")
	case html200:
		answer(w, http.StatusOK, "text/html", "<html><body>Jamf Pro Login</body></html>")
	case tokenRefused:
		answer(w, http.StatusUnauthorized, "application/json", `{"httpStatus":401,"errors":[{"code":"INVALID_TOKEN","description":"Unauthorized","id":"0","field":null}]}`)
	default:
		u.pass(w, r, q, what)
	}
}

// decide throws what goes wrong with a call and how long it takes.
func (u *upstream) decide(q question) (what string, wait time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	rng := u.rng
	if q.token {
		rng = u.tokens
	}
	wait = time.Duration(rng.Int64N(int64(u.latency))) + time.Duration(rng.Int64N(int64(time.Millisecond)))
	for _, t := range u.troubles {
		hit := rng.Float64() < t.p
		switch {
		case !hit, what != "", isOfPages(t.name) && !q.page, t.name == tokenRefused && q.token:
		case t.name == slow:
			wait *= 10
		default:
			what = t.name
		}
	}
	if q.page {
		u.begin(q.kind)
		if what == blankAll || what == blankSome || q.kind == device.Mobile && len(u.jamf().Broken()) > 0 {
			u.open[q.kind].blanked = true
		}
		if what == hiddenTail {
			u.open[q.kind].hidden = true
		}
		if what != falseEmpty {
			u.open[q.kind].listed = true
		}
	}
	if what != "" {
		u.w.log.count("fault "+what, 1)
	}
	return what, wait
}

// begin notes where Jamf stands at the first page of a walk.
func (u *upstream) begin(k device.Kind) {
	if u.open[k] == nil {
		u.open[k] = &window{jamf: u.jamf(), from: u.jamf().Mark(), others: map[*instance]fakejamf.Mark{}}
	}
}

func isOfPages(name string) bool { return slices.Contains(pageTroubles(), name) }

// pass lets Jamf answer, and bends the answer.
func (u *upstream) pass(w http.ResponseWriter, r *http.Request, q question, what string) {
	r.Header.Del("Accept-Encoding")
	rec := httptest.NewRecorder()
	u.jamf().ServeHTTP(rec, r)
	body := rec.Body.Bytes()
	maps.Copy(w.Header(), rec.Header())
	status := rec.Code
	switch {
	case what == tooMany, what == tooManyOdd:
		status = http.StatusTooManyRequests
		if v := retryAfter(what, u.rng); v != "" {
			w.Header().Set("Retry-After", v)
		}
	case q.page && isOfPages(what) && status == http.StatusOK:
		body = bend(what, body, r.URL.Query(), u.rng)
	}
	if q.page {
		switch killed, interrupted := u.paged(q.kind); {
		case killed:
			rest(r.Context(), time.Hour) // nobody reads that any more
			panic(http.ErrAbortHandler)
		case interrupted:
			rest(r.Context(), time.Second) // somebody else acts first
		}
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if what == truncated {
		_, _ = w.Write(body[:len(body)/2])
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body)
}

// paged lets the fleet live on behind a page, and kills the gateway where that is planned.
func (u *upstream) paged(k device.Kind) (killed, interrupted bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for u.rng.Float64() < u.churn {
		u.w.change(u, k, u.rng)
	}
	if u.crashIn > 0 {
		if u.crashIn--; u.crashIn == 0 {
			u.w.kill <- u.w.crash
			return true, false
		}
	}
	if u.approveIn > 0 {
		if u.approveIn--; u.approveIn == 0 {
			u.w.kill <- func() { u.w.approve(u) }
			return false, true
		}
	}
	return false, false
}

func answer(w http.ResponseWriter, status int, media, body string) {
	w.Header().Set("Content-Type", media)
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// dial reaches whoever stands behind an address.
func (w *world) dial(ctx context.Context, network, address string) (net.Conn, error) {
	for _, u := range w.upstreams {
		u.mu.Lock()
		unheard := u.address == address && u.unheard
		u.mu.Unlock()
		if unheard {
			return nil, refused()
		}
	}
	return w.net.dial(ctx, network, address)
}

// replace puts another Jamf behind the URL.
func (u *upstream) replace(next *instance) {
	u.mu.Lock()
	defer u.mu.Unlock()
	last := u.jamf()
	last.left, last.gone = last.Mark(), true
	for _, win := range u.open {
		if win != nil {
			win.others[next] = next.Mark()
		}
	}
	u.all = append(u.all, next)
}
