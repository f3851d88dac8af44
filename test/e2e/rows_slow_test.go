package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"jamf-gateway/config"
)

func slowRows() map[string]play {
	return map[string]play{
		"A4":  {simulated: rowTenTimesSlower},
		"A5":  {simulated: rowHangs},
		"A6":  {simulated: rowDrips},
		"A8":  {simulated: rowMalformedAnswers},
		"A10": {simulated: rowThrottled},
		"A11": {simulated: rowStormOf503},
		"A12": {simulated: rowFlaps},
		"A15": {simulated: rowRedirects},
		"A17": {simulated: rowMaintenance},
		"A18": {simulated: rowAThousandClients},
	}
}

func (b *board) breakerOf(h *house) string {
	b.Helper()
	var health struct{ Breaker string }
	h.get("/v1/sources/schule-a/health").decode(b.T, &health)
	return health.Breaker
}

func rowTenTimesSlower(b *board) {
	h := b.open(small(), nil)
	f := rough()
	f.MaxLatency = 3 * time.Second
	h.jamf.SetFaults(f)
	for range 3 {
		b.nextSync(h)
		if state := b.breakerOf(h); state != "closed" {
			b.wrong("the breaker is %s: slow is not down", state)
		}
		if k := h.gateway.Status()[0].Kinds[0]; k.LastResult != "ok" {
			b.wrong("a slow sync: %+v", k)
		}
	}
	b.healed()
	b.recovered(h, time.Minute)
	b.judge(h)
}

// hung is a connection that was accepted and is never read.
type hung struct {
	net.Conn
	once sync.Once
	gone func()
}

func (c *hung) Close() error { c.once.Do(c.gone); return c.Conn.Close() }

func rowHangs(b *board) {
	h := b.open(small(), nil)
	var open, most atomic.Int64
	b.net.breakTo(h.address(), func() (net.Conn, error) {
		c, s := net.Pipe()
		if n := open.Add(1); n > most.Load() {
			most.Store(n)
		}
		return &hung{Conn: c, gone: func() { open.Add(-1); _ = s.Close() }}, nil
	})
	h.upstream.CloseClientConnections()
	b.nextSync(h)
	b.failed(h, "a Jamf that hangs", "timeout", "breaker_open")
	b.sleep(10 * time.Minute)
	if n := most.Load(); n > 2 || n == 0 {
		b.wrong("%d connections hang at once, 2 are allowed", n)
	}
	b.net.breakTo(h.address(), nil)
	b.healed()
	b.recovered(h, 16*time.Minute)
	b.judge(h)
}

func rowDrips(b *board) {
	h := b.open(small(), nil)
	var slowest atomic.Int64
	h.bender.to(func(w http.ResponseWriter, r *http.Request) bool {
		if !isPage(r) {
			return false
		}
		began := time.Now()
		w.Header().Set("Content-Type", "application/json")
		for r.Context().Err() == nil && time.Since(began) < time.Hour {
			_, _ = w.Write([]byte(" "))
			_ = http.NewResponseController(w).Flush()
			time.Sleep(time.Second)
		}
		slowest.Store(max(slowest.Load(), int64(time.Since(began))))
		return true
	})
	b.nextSync(h)
	b.failed(h, "a body that drips", "timeout", "breaker_open")
	if d := time.Duration(slowest.Load()); d > 102*time.Second || d < 50*time.Second {
		b.wrong("a page was waited for during %v, the deadline is 100 s", d)
	}
	b.note("a page is given up after %v", time.Duration(slowest.Load()).Round(time.Second))
	h.bender.to(nil)
	b.healed()
	b.recovered(h, 16*time.Minute)
	b.judge(h)
}

func rowMalformedAnswers(b *board) {
	h := b.open(small(), nil)
	before := h.generation("computer").Number
	const page = `{"totalCount":1,"results":[{"id":"1","general":{"name":"x"},"hardware":{"serialNumber":"C02"}}]}`
	for name, answer := range malformed(page) {
		h.bender.to(func(w http.ResponseWriter, r *http.Request) bool {
			if isPage(r) {
				raw(w, answer, false)
			}
			return isPage(r)
		})
		b.nextSync(h)
		k := h.gateway.Status()[0].Kinds[0]
		if k.LastResult != "failed" || h.generation("computer").Number != before {
			b.wrong("%s: %s, generation %d", name, k.LastResult, h.generation("computer").Number)
		}
		h.bender.to(nil)
		b.healed()
		b.recovered(h, 61*time.Minute)
		before = h.generation("computer").Number
	}
	b.judge(h)
	b.note("%d kinds of answers", len(malformed(page)))
}

func rowThrottled(b *board) {
	h := b.open(small(), nil)
	for _, c := range []struct {
		name        string
		header      func(http.Header)
		least, most time.Duration
	}{
		{"120 s", func(h http.Header) { h.Set("Retry-After", "120") }, 120 * time.Second, 135 * time.Second},
		{"a date", func(h http.Header) {
			h.Set("Retry-After", time.Now().Add(200*time.Second).UTC().Format(http.TimeFormat))
		}, 199 * time.Second, 222 * time.Second},
		{"a past date", func(h http.Header) {
			h.Set("Retry-After", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
		}, time.Second, 3 * time.Second},
		{"ten years", func(h http.Header) { h.Set("Retry-After", "315360000") }, 15 * time.Minute, 17 * time.Minute},
		{"x-ratelimit-reset", func(h http.Header) { h.Set("X-Ratelimit-Reset", fmt.Sprint(time.Now().Add(90*time.Second).Unix())) }, 89 * time.Second, 100 * time.Second},
		{"nonsense", func(h http.Header) { h.Set("Retry-After", "soon") }, time.Second, 62 * time.Second},
		{"nothing", func(http.Header) {}, time.Second, 62 * time.Second},
	} {
		var mu sync.Mutex
		var refused time.Time
		var next time.Duration
		h.bender.to(func(w http.ResponseWriter, r *http.Request) bool {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case refused.IsZero() && isPage(r):
				refused = time.Now()
				c.header(w.Header())
				w.WriteHeader(http.StatusTooManyRequests)
				return true
			case !refused.IsZero() && next == 0:
				next = time.Since(refused)
			}
			return false
		})
		b.nextSync(h)
		mu.Lock()
		// What was under way beside the refused page may still come: one request within its latency.
		if next < c.least-time.Second/10 || next > c.most {
			b.wrong("%s: asked again after %v, want %v to %v", c.name, next, c.least, c.most)
		}
		mu.Unlock()
		h.bender.to(nil)
		if k := h.gateway.Status()[0].Kinds[0]; k.LastResult != "ok" {
			b.wrong("%s: %+v", c.name, k)
		}
	}
	b.healed()
	b.recovered(h, time.Minute)
	b.judge(h)
}

func rowStormOf503(b *board) {
	h := b.open(small(), nil)
	dice := rand.New(rand.NewPCG(b.score.Seed, 11))
	var mu sync.Mutex
	h.bender.to(func(w http.ResponseWriter, _ *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if dice.IntN(2) == 0 {
			return false
		}
		http.Error(w, "<html>503</html>", http.StatusServiceUnavailable)
		return true
	})
	before := h.attempts()
	for range 4 {
		b.nextSync(h)
	}
	b.note("%d calls in 4 syncs", h.attempts()-before)
	h.bender.to(nil)
	b.healed()
	b.recovered(h, 61*time.Minute)
	b.judge(h)
}

func rowFlaps(b *board) {
	h := b.open(small(), func(c *config.Config) { c.Sources[0].Sync.Interval = 5 * time.Minute })
	before := h.attempts()
	b.sleep(30 * time.Minute)
	healthy := h.attempts() - before
	before = h.attempts()
	for range 90 {
		b.net.breakTo(h.address(), refuse)
		h.upstream.CloseClientConnections()
		b.sleep(10 * time.Second)
		b.net.breakTo(h.address(), nil)
		b.sleep(10 * time.Second)
	}
	flapping := h.attempts() - before
	if flapping > 2*healthy {
		b.wrong("%d calls in half an hour that flaps, %d in a good one", flapping, healthy)
	}
	b.note("%d calls in half an hour that flaps, %d in a good one", flapping, healthy)
	b.healed()
	b.recovered(h, 61*time.Minute)
	b.judge(h)
}

func rowRedirects(b *board) {
	h := b.open(small(), nil)
	var seen atomic.Int64
	other, err := b.net.Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	target := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen.Add(1) }), ReadHeaderTimeout: time.Minute}
	go func() { _ = target.Serve(other) }()
	b.Cleanup(func() { _ = target.Close() })
	for _, where := range []string{"http://" + other.Addr().String(), "http://elsewhere.example:80", "http://" + h.address(), "https://" + h.address()} {
		for _, status := range []int{301, 302, 307, 308} {
			h.bender.to(func(w http.ResponseWriter, r *http.Request) bool {
				if isPage(r) || isToken(r) && status == 307 {
					http.Redirect(w, r, where+r.URL.Path, status)
					return true
				}
				return false
			})
			if status == 307 {
				h.jamf.RevokeTokens()
			}
			b.nextSync(h)
			b.failed(h, fmt.Sprintf("%d to %s", status, where), "redirect_refused")
		}
	}
	if n := seen.Load(); n > 0 {
		b.wrong("a redirect was followed %d times", n)
	}
	h.bender.to(nil)
	b.healed()
	b.recovered(h, 61*time.Minute)
	b.judge(h)
}

// rowMaintenance: Jamf answers with 200, and a whole section of every record is not there.
func rowMaintenance(b *board) {
	h := b.open(small(), nil)
	before := h.serials()
	for _, gone := range []func(map[string]any){
		func(d map[string]any) { d["hardware"] = nil },
		func(d map[string]any) { delete(d, "hardware") },
		func(d map[string]any) { d["hardware"], d["general"] = nil, nil },
	} {
		h.bender.pages(func(_ *http.Request, page map[string]any) {
			for _, d := range rowsOf(page) {
				gone(d)
			}
		})
		b.nextSync(h)
		b.forgetWalks(h)
		for id, serial := range h.serials() {
			if serial != before[id] {
				b.wrong("computer %s lost its serial number %q to %q", id, before[id], serial)
			}
		}
	}
	h.bender.to(nil)
	b.healed()
	b.recovered(h, 61*time.Minute)
	b.judge(h)
}

// serials are the serial numbers of the computers as the gateway shows them, by uid.
func (h *house) serials() map[string]string {
	h.t.Helper()
	var list struct {
		Items []struct {
			UID      string
			Identity struct{ SerialNumber string }
		}
	}
	h.get("/v1/devices?limit=1000&kind=computer").decode(h.t, &list)
	out := map[string]string{}
	for _, d := range list.Items {
		out[d.UID] = d.Identity.SerialNumber
	}
	return out
}

func rowAThousandClients(b *board) {
	h := b.open(small(), nil)
	b.sleep(6 * time.Minute) // between two heartbeats
	storm := func(what string) {
		before := h.bender.since(time.Time{})
		var wg sync.WaitGroup
		for i := range 1000 {
			wg.Go(func() {
				r := &reader{b: b, h: h, patient: true}
				r.read(b.Context(), i)
			})
		}
		wg.Wait()
		if n := h.bender.since(time.Time{}) - before; n > 0 {
			b.wrong("%s: 1,000 clients cost %d calls to Jamf", what, n)
		}
	}
	storm("warm")
	h.gateway.Store().Flush()
	storm("with an empty cache")
	h.stop()
	h.start()
	b.sleep(time.Minute)
	storm("after a start")
	b.judge(h)
	b.note("3,000 clients, no call of theirs reached Jamf")
}
