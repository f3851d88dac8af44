package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"jamf-gateway/config"
	"jamf-gateway/test/fakejamf"
)

// board runs one row: it makes houses, reads from them all the time, and measures.
type board struct {
	*testing.T
	score score

	net         *memory // nil = sockets
	connections int     // most requests at one moment that a Jamf may see
	rss         int     // MiB
	failures    bool    // reads may be refused: with an error, never with a short list
	slack       int     // retries beyond the formula, where a row makes others than those of a walk

	every    atomic.Int64 // nanoseconds between two reads; 0 = the usual
	baseline struct{ goroutines, fds int }
	houses   []*house
	began    time.Time
	mended   time.Time
	stop     func() // of the reader
	said     sync.Mutex
}

// wrong notes what is not as it should be; the first one is the reason of the line.
func (b *board) wrong(format string, args ...any) {
	b.Helper()
	if b.score.Reason == "" {
		b.score.Reason = fmt.Sprintf(format, args...)
	}
	b.Errorf(format, args...)
}

func (b *board) note(format string, args ...any) { b.score.Note = fmt.Sprintf(format, args...) }

// prepare makes a house with the usual heartbeat that is not started yet.
func (b *board) prepare(o fakejamf.Options, change func(*config.Config)) *house {
	b.Helper()
	if b.net != nil {
		o.Epoch = time.Now() // simulated time begins in 2000
	}
	o.Seed += b.score.Seed
	h := newHouseOn(b.T, b.net, o, func(c *config.Config) {
		c.Sources[0].Heartbeat = 5 * time.Minute
		if b.net != nil {
			c.Sources[0].Sync.Interval = time.Hour
		}
		if change != nil {
			change(c)
		}
	})
	b.houses = append(b.houses, h)
	if b.began.IsZero() {
		b.began = time.Now()
	}
	return h
}

// open makes a house that has read its Jamf, measures the baseline and begins to read all the time.
func (b *board) open(o fakejamf.Options, change func(*config.Config)) *house {
	b.Helper()
	h := b.prepare(o, change)
	h.start()
	h.waitSynced()
	b.settled(h)
	b.watch(h)
	return h
}

// settled takes the house as it is now as the one to come back to.
func (b *board) settled(h *house) {
	b.Helper()
	for _, k := range []fakejamf.Kind{fakejamf.Computer, fakejamf.Mobile} {
		h.devices[k] = len(h.jamf.Ledger().Alive(k))
	}
	b.baseline.goroutines, b.baseline.fds = runtime.NumGoroutine(), openFiles(b.T)
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // the peak counts from here, where the system allows
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// pause is how long the reader waits between two reads, and who waits for something between two looks.
func (b *board) pause() time.Duration {
	switch every := time.Duration(b.every.Load()); {
	case every > 0:
		return every
	case b.net != nil:
		return time.Minute
	}
	return 30 * time.Millisecond
}

// watch reads lists of a house until the row ends: short ones, empty ones and refusals are counted.
func (b *board) watch(h *house) {
	b.Helper()
	b.unwatch()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		r := &reader{b: b, h: h}
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-time.After(b.pause()):
			}
			if h.closed.Load() {
				r.token = ""
				continue
			}
			r.read(ctx, n)
		}
	})
	b.stop = func() { cancel(); wg.Wait(); b.stop = nil }
	b.Cleanup(b.unwatch)
}

func (b *board) unwatch() {
	if b.stop != nil {
		b.stop()
	}
}

// reader is a client that reads whole lists.
type reader struct {
	b     *board
	h     *house
	token string
	until time.Time

	patient bool          // a gateway that is busy is asked again when it says
	pace    time.Duration // between two pieces of a body of 4 KiB; 0 = as fast as it comes
}

// paced is a body that is read slowly.
type paced struct {
	io.Reader
	pause time.Duration
}

func (p paced) Read(into []byte) (int, error) {
	if p.pause > 0 {
		<-time.After(p.pause)
		into = into[:min(len(into), 4096)]
	}
	return p.Reader.Read(into)
}

func (r *reader) client() *http.Client {
	t := &http.Transport{DisableKeepAlives: true}
	if r.h.net != nil {
		t.DialContext = r.h.net.Dial
	}
	return &http.Client{Transport: t, Timeout: 30 * time.Second}
}

func (r *reader) renew(ctx context.Context) error {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"inventory360"}, "client_secret": {clientSecret}}
	rq, err := http.NewRequestWithContext(ctx, http.MethodPost, r.h.base+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	rq.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rs, err := r.client().Do(rq)
	if err != nil {
		return err
	}
	defer func() { _ = rs.Body.Close() }()
	var out struct {
		Token string `json:"access_token"`
	}
	err = json.NewDecoder(rs.Body).Decode(&out)
	if err == nil && out.Token == "" {
		err = fmt.Errorf("no token: %s", rs.Status)
	}
	r.token, r.until = out.Token, time.Now().Add(time.Hour)
	return err
}

// listAnswer is a list in both shapes.
type listAnswer struct {
	Complete, Stale bool
	Sources         []struct {
		State  string
		Reason *string
	}
	Items   []struct{ Kind string }
	Total   *int `json:"totalCount"`
	Results []json.RawMessage
}

// read asks for one list, another one each time, and judges it.
func (r *reader) read(ctx context.Context, n int) {
	path, want := "/v1/devices?limit=1000", r.h.devices[fakejamf.Computer]+r.h.devices[fakejamf.Mobile]+r.h.others
	switch n % 3 {
	case 1:
		path, want = "/api/v4/computers-inventory?page-size=2000", r.h.devices[fakejamf.Computer]
	case 2:
		path, want = "/api/v2/mobile-devices?page-size=2000", r.h.devices[fakejamf.Mobile]
	}
	if want == 0 && n%3 != 0 {
		return
	}
	status, header, body, err := r.get(ctx, path)
	if status == http.StatusUnauthorized { // as a client does whose token has ended
		r.token = ""
		status, header, body, err = r.get(ctx, path)
	}
	for range 300 {
		if !r.patient || status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
			break
		}
		r.b.sleep(time.Second)
		status, header, body, err = r.get(ctx, path)
	}
	r.b.said.Lock()
	defer r.b.said.Unlock()
	s := &r.b.score
	if ctx.Err() != nil || r.h.closed.Load() && (err != nil || status != http.StatusOK) { // an end that is said is none of a list
		return
	}
	s.Reads++
	if err != nil || status != http.StatusOK {
		s.FailedReads++
		if !r.b.failures {
			r.b.wrong("read %s: %d %.200s, %v", path, status, body, err)
		}
		return
	}
	var a listAnswer
	if err := json.Unmarshal(body, &a); err != nil {
		r.b.wrong("read %s: %v", path, err)
	}
	rows := len(a.Items) + len(a.Results)
	switch {
	case rows == 0 && want > 0:
		s.FalseEmpties++
		r.b.wrong("read %s: an empty list, %d devices live", path, want)
	case rows < want, a.Total != nil && *a.Total != rows:
		s.ShortLists++
		r.b.wrong("read %s: %d devices of %d", path, rows, want)
	}
	if told := a.Stale || strings.Contains(header.Get("Cache-Status"), "stale"); told {
		s.StaleOK++
		if a.Stale && len(a.Sources) > 0 && a.Sources[0].State == "" {
			r.b.wrong("read %s: stale, and no state is told", path)
		}
	}
}

func (r *reader) get(ctx context.Context, path string) (status int, header http.Header, body []byte, err error) {
	return r.send(ctx, http.MethodGet, path)
}

func (r *reader) post(ctx context.Context, path string) (status int, header http.Header, body []byte, err error) {
	return r.send(ctx, http.MethodPost, path)
}

func (r *reader) send(ctx context.Context, method, path string) (status int, header http.Header, body []byte, err error) {
	if r.token == "" || time.Now().After(r.until) {
		if err := r.renew(ctx); err != nil {
			return 0, nil, nil, err
		}
	}
	rq, err := http.NewRequestWithContext(ctx, method, r.h.base+path, nil)
	if err != nil {
		return 0, nil, nil, err
	}
	rq.Header.Set("Authorization", "Bearer "+r.token)
	rs, err := r.client().Do(rq)
	if err != nil {
		return 0, nil, nil, err
	}
	defer func() { _ = rs.Body.Close() }()
	body, err = io.ReadAll(paced{rs.Body, r.pace})
	return rs.StatusCode, rs.Header, body, err
}

// sleep lets time pass: simulated, or the real one.
func (b *board) sleep(d time.Duration) { <-time.After(d) }

// healed says that the fault is over: from here on it is measured how long the house needs.
func (b *board) healed() { b.mended = time.Now() }

// nextSync lets time pass until every kind has ended a sync that was due after now.
func (b *board) nextSync(h *house) {
	b.Helper()
	began := time.Now()
	for range 26 * 360 {
		b.sleep(10 * time.Second)
		done := true
		for _, k := range h.gateway.Status()[0].Kinds {
			done = done && !k.Syncing && k.LastAttempt.After(began)
		}
		if done {
			return
		}
	}
	b.wrong("no sync in 26 hours: %+v", h.gateway.Status()[0].Kinds)
}

// failed tells that the last sync of the computers was refused with one of the codes, and that the data before is served as stale.
func (b *board) failed(h *house, what string, codes ...string) {
	b.Helper()
	k := h.gateway.Status()[0].Kinds[0]
	if k.LastResult != "failed" || !slices.Contains(codes, k.ErrorCode) || k.State != "stale" {
		b.wrong("%s: %s, %s is %s (%s), want one of %v", what, k.LastResult, k.ErrorCode, k.State, k.ErrorDetail, codes)
	}
}

// recovered waits until every kind of the house is fresh by a sync that ended after the fault, and keeps how long it took.
func (b *board) recovered(h *house, within time.Duration) {
	b.Helper()
	for {
		good := true
		for _, k := range h.gateway.Status()[0].Kinds {
			good = good && k.State == "fresh" && !k.Syncing
		}
		took := time.Since(b.mended)
		if good {
			b.score.Recovered = max(b.score.Recovered, took.Seconds())
			return
		}
		if took > within {
			b.wrong("not fresh %v after the fault: %+v", took, h.gateway.Status()[0].Kinds)
			return
		}
		b.sleep(min(b.pause(), time.Second))
	}
}

// judge reads everything once more and holds it against the ledger: what lived all the time must be there.
func (b *board) judge(h *house) {
	b.Helper()
	h.jamf.SetMutate(false, 0)
	h.jamf.SetFaults(rough())
	h.jamf.Settle()
	from := h.jamf.Mark()
	h.syncNow()
	b.compare(h, from)
}

// compare holds what is served against what lived since from.
func (b *board) compare(h *house, from fakejamf.Mark) {
	b.Helper()
	b.forgetWalks(h)
	to := h.jamf.Mark()
	for kind, list := range map[fakejamf.Kind][2]string{
		fakejamf.Computer: {"/api/v4/computers-inventory", "id"}, fakejamf.Mobile: {"/api/v2/mobile-devices", "id"},
	} {
		alive := h.jamf.Ledger().AliveThroughout(kind, from, to)
		if len(alive) == 0 {
			continue
		}
		seen := map[string]bool{}
		for _, id := range h.walk(list[0], list[1], 500) {
			if seen[id] {
				b.wrong("%v %s stands twice", kind, id)
			}
			seen[id] = true
			n, err := strconv.ParseInt(id, 10, 64)
			if err != nil || !h.jamf.Ledger().AliveDuring(kind, n, from, to) && !h.keptAsMissing(kind, id) {
				b.wrong("%v %s is served and did not live then", kind, id)
			}
		}
		b.score.Expected += len(alive)
		b.score.Served += len(seen)
		for _, id := range alive {
			if !seen[strconv.FormatInt(id, 10)] {
				b.score.Lost++
			}
		}
	}
	if b.score.Lost > 0 {
		b.wrong("%d devices are lost", b.score.Lost)
	}
}

// keptAsMissing tells that a device is served under the flag that Jamf neither lists it nor confirms that it is gone.
func (h *house) keptAsMissing(kind fakejamf.Kind, id string) bool {
	h.t.Helper()
	word := "computer"
	if kind == fakejamf.Mobile {
		word = "mobile"
	}
	var one struct{ Sync struct{ State string } }
	h.get("/v1/devices/schule-a:"+word+":"+id).decode(h.t, &one)
	return one.Sync.State == "missing"
}

// forgetWalks lets the client runs end, so that the newest generation is shown.
func (b *board) forgetWalks(h *house) {
	b.Helper()
	if b.net != nil {
		b.sleep(6 * time.Minute)
		return
	}
	b.unwatch()
	h.stop()
	h.forgetRuns()
	h.start()
}

// end stops what runs and holds the numbers against the bars.
func (b *board) end() {
	b.Helper()
	b.unwatch()
	b.upstream()
	if b.baseline.goroutines > 0 {
		for deadline := time.Now().Add(30 * time.Second); ; b.sleep(min(b.pause(), time.Second)) {
			b.score.Goroutines, b.score.FDs = runtime.NumGoroutine()-b.baseline.goroutines, openFiles(b.T)-b.baseline.fds
			if b.score.Goroutines <= 5 && b.score.FDs <= 5 || time.Now().After(deadline) {
				break
			}
		}
	}
	if b.score.Goroutines > 5 || b.score.FDs > 5 {
		b.wrong("%d goroutines and %d files more than before, after 30 s", b.score.Goroutines, b.score.FDs)
	}
	for _, h := range b.houses {
		if h.stop != nil {
			h.stop()
		}
	}
	if b.net != nil {
		synctest.Wait()
	}
	if b.score.RSSPeak == 0 { // otherwise the row measured the real binary
		b.score.RSSPeak = peakMemory(b.T)
	}
	if b.score.RSSPeak > b.rss {
		b.wrong("%d MiB of memory, %d are allowed", b.score.RSSPeak, b.rss)
	}
	if b.score.ShortLists > 0 || b.score.FalseEmpties > 0 {
		b.wrong("%d short lists, %d false empties", b.score.ShortLists, b.score.FalseEmpties)
	}
	if b.score.Peak > b.connections {
		b.wrong("%d requests at once, %d are allowed", b.score.Peak, b.connections)
	}
}

// upstream counts what Jamf was asked, as the gateway itself traced it and as the simulated Jamf saw it; the higher number counts.
func (b *board) upstream() {
	b.Helper()
	for _, h := range b.houses {
		calls, retries, walks, worst := 0, 0, 0, 0
		for _, spans := range h.recorders {
			for _, s := range spans.Ended() {
				n, attempt := resent(s)
				if attempt {
					calls++
				}
				if n > 0 {
					retries++
				}
				if s.Name() == "walk" {
					walks++
				}
				worst = max(worst, n)
			}
		}
		seen := h.bender.since(time.Time{})
		b.score.UpstreamCalls += max(calls, seen)
		b.score.Peak = max(b.score.Peak, h.bender.peak)
		if calls > retries {
			b.score.RetryRatio = max(b.score.RetryRatio, float64(calls)/float64(calls-retries))
		}
		allowed := 3*walks + calls/10 + int(time.Since(b.began)/(10*time.Second)) + b.slack
		if retries > allowed || worst > 2 {
			b.wrong("%d retries of %d calls in %d walks, %d of one call: %d are allowed, and 2 of one call", retries, calls, walks, worst, allowed)
		}
	}
}

// resent tells how often the attempt of a span repeats one before it.
func resent(s sdktrace.ReadOnlySpan) (times int, attempt bool) {
	jamf, method := false, false
	for _, a := range s.Attributes() {
		switch string(a.Key) {
		case "http.request.resend_count":
			times = int(a.Value.AsInt64())
		case "http.request.method":
			method = true
		case "jamf.operation":
			jamf = true
		}
	}
	return times, jamf && method
}

// peakMemory is the most memory that the process had, in MiB.
func peakMemory(t *testing.T) int { t.Helper(); return memoryOf(t, "self", "VmHWM:") }

// memoryOf is a line of the status of a process, in MiB.
func memoryOf(t *testing.T, pid, word string) int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("/proc", pid, "status"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if text, ok := strings.CutPrefix(line, word); ok {
			kib, err := strconv.Atoi(strings.Fields(text)[0])
			if err != nil {
				t.Fatal(err)
			}
			return kib >> 10
		}
	}
	return 0
}
