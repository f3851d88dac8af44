// Package e2e_test runs the whole house - gateway, store, doors - against the simulated Jamf Pro over real sockets.
package e2e_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway"
	"jamf-gateway/test/fakejamf"
)

const (
	jamfSecret   = "canary-jamf-secret-9c1f"
	clientSecret = "canary-client-secret-77ab"
)

// gentle is a hostile Jamf that does not waste the time of a test.
func gentle(o fakejamf.Options) fakejamf.Options {
	o = o.Hostile()
	o.Faults.MaxLatency = 5 * time.Millisecond
	return o
}

// rough is the Jamf of a test that says nothing else: it refuses good tokens, answers with errors and foreign pages, is
// slow and lists in another order what was not asked to be sorted. The fleet stays as it is, so that a test can count it.
func rough() fakejamf.Faults {
	f := fakejamf.Hostile()
	f.MaxLatency, f.Throttle = 5*time.Millisecond, 0 // of Jamf's own, whole seconds
	f.PoisonComputers, f.BrokenMobiles = 0, 0
	return f
}

// house is one gateway in front of one simulated Jamf Pro. It can be stopped and started again on the same data.
type house struct {
	t        *testing.T
	jamf     *fakejamf.Server
	upstream *httptest.Server
	settings *config.Config
	base     string
	admin    string
	logs     *logBuffer
	spans    *tracetest.SpanRecorder
	metrics  *metric.ManualReader
	now      func() time.Time // of the gateway; nil = time.Now
	net      *memory          // nil = the system's
	resolver *net.Resolver    // of the name of the Jamf; nil = the system's
	gateway  *gateway.Gateway
	stop     func()

	bender    *bender
	recorders []*tracetest.SpanRecorder
	devices   map[fakejamf.Kind]int // that every list holds, for who reads all the time
	others    int                   // devices of further sources
	disk      *cache.Disk           // nil = the file system as it is
	closed    atomic.Bool
	secrets   secrets
	refusals  logBuffer // bodies of refusals and of the admin door
}

// logBuffer is a buffer that many goroutines may write.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newHouse makes the simulated Jamf and the settings; change may bend them before the start.
func newHouse(t *testing.T, o fakejamf.Options, change func(*config.Config)) *house {
	t.Helper()
	return newHouseOn(t, nil, o, change)
}

// newHouseOn makes a house on a network; nil is the system's.
func newHouseOn(t *testing.T, network *memory, o fakejamf.Options, change func(*config.Config)) *house {
	t.Helper()
	o.ClientID, o.ClientSecret = "gw", jamfSecret
	if o.Faults == (fakejamf.Faults{}) {
		o.Faults = rough()
	}
	h := &house{t: t, jamf: fakejamf.New(o), logs: &logBuffer{}, net: network, devices: map[fakejamf.Kind]int{}}
	h.bender = &bender{next: h.jamf}
	h.upstream = httptest.NewUnstartedServer(h.bender)
	if network != nil {
		ln, err := network.Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_ = h.upstream.Listener.Close()
		h.upstream.Listener = ln
	}
	h.upstream.Start()
	t.Cleanup(h.upstream.Close)
	dir := t.TempDir()
	t.Cleanup(h.secretsAreKept)
	h.settings = &config.Config{
		Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", MaxPageSize: 10000, MaxStale: 30 * 24 * time.Hour,
		KeyFile: filepath.Join(dir, "gateway.key"), AdminTokenFile: filepath.Join(dir, "admin.token"), DataDir: filepath.Join(dir, "data"), Cache: config.Cache{MaxBytes: 64 << 20},
		Sources: []config.Source{{
			Name: "schule-a", URL: h.upstream.URL + "/api", ClientID: "gw", ClientSecret: config.NewSecret(jamfSecret),
			AllowInsecureLoopback: true, Default: true, Profile: "minimal",
			Sync: config.Sync{Interval: 24 * time.Hour, PageSize: 60}, Limits: config.Limits{Connections: 2, RequestsPerSecond: 500},
		}},
		Clients: []config.Client{{ID: "inventory360", Secrets: [][32]byte{sha256.Sum256([]byte(clientSecret))}}},
	}
	if change != nil {
		change(h.settings)
	}
	return h
}

// start runs the house; it is stopped at the end of the test, or by h.stop.
func (h *house) start() {
	h.t.Helper()
	h.spans = tracetest.NewSpanRecorder()
	h.recorders = append(h.recorders, h.spans)
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(h.spans))
	h.metrics = metric.NewManualReader()
	meters := metric.NewMeterProvider(metric.WithReader(h.metrics))
	ctx, cancel := context.WithCancel(context.Background())
	o := gateway.Options{
		Config: h.settings, Version: "e2e", StartJitter: -1, Now: h.now, Disk: h.disk, Resolver: h.resolver,
		Logger: slog.New(slog.NewJSONHandler(h.logs, &slog.HandlerOptions{Level: slog.LevelDebug})), TracerProvider: tracers, MeterProvider: meters,
	}
	if h.net != nil {
		o.Dial, o.Listen = h.net.Dial, h.net.Listen
	}
	g, err := gateway.New(ctx, o)
	if err != nil {
		cancel()
		h.t.Fatalf("build the gateway: %v", err)
	}
	if err := g.Listen(ctx); err != nil {
		cancel()
		h.t.Fatalf("listen: %v", err)
	}
	h.gateway, h.base, h.admin = g, "http://"+g.PublicAddr(), "http://"+g.AdminAddr()
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	h.closed.Store(false)
	h.stop = sync.OnceFunc(func() {
		h.closed.Store(true)
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				h.t.Errorf("run: %v", err)
			}
		case <-time.After(30 * time.Second):
			h.t.Error("the gateway does not stop")
		}
	})
	h.t.Cleanup(h.stop)
}

// reply is one answer, read whole.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) decode(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal(r.body, into); err != nil {
		t.Fatalf("decode %.200s: %v", r.body, err)
	}
}

// call sends one request with headers given as name, value, ...
func (h *house) call(method, path string, body url.Values, headers ...string) reply {
	h.t.Helper()
	target := path
	if !strings.HasPrefix(path, "http") {
		target = h.base + path
	}
	var in io.Reader
	if body != nil {
		in = strings.NewReader(body.Encode())
	}
	req, err := http.NewRequestWithContext(h.t.Context(), method, target, in)
	if err != nil {
		h.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if strings.HasPrefix(target, h.admin+"/") {
		req.Header.Set("Authorization", "Bearer "+h.adminToken())
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true}
	if h.net != nil {
		transport.DialContext = h.net.Dial
	}
	client := &http.Client{Transport: transport, Timeout: 60 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatalf("%s %s: read the body: %v", method, path, err)
	}
	r := reply{resp.StatusCode, resp.Header, data}
	h.noteSecrets(target, req, r)
	if target, ours := strings.CutPrefix(target, h.base); ours {
		h.described(method, target, r)
	}
	return r
}

// adminToken is what opens the admin door.
func (h *house) adminToken() string {
	h.t.Helper()
	token, err := os.ReadFile(h.settings.AdminTokenFile)
	if err != nil {
		h.t.Fatal(err)
	}
	return strings.TrimSpace(string(token))
}

func (h *house) token() string {
	h.t.Helper()
	r := h.call(http.MethodPost, "/api/v1/oauth/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"inventory360"}, "client_secret": {clientSecret},
	})
	var out struct {
		Token string `json:"access_token"`
	}
	r.decode(h.t, &out)
	if r.status != http.StatusOK || out.Token == "" {
		h.t.Fatalf("no token: %d %s", r.status, r.body)
	}
	return out.Token
}

// get asks with a fresh token, as Inventory360 does.
func (h *house) get(path string, headers ...string) reply {
	h.t.Helper()
	return h.call(http.MethodGet, path, nil, append([]string{"Authorization", "Bearer " + h.token()}, headers...)...)
}

// forgetRuns ends the client runs of a house that is stopped: they outlive a restart otherwise. After the next start every list begins with page 0.
func (h *house) forgetRuns() {
	h.t.Helper()
	if err := os.RemoveAll(filepath.Join(h.settings.DataDir, ".runs.json")); err != nil {
		h.t.Fatal(err)
	}
}

// waitFor polls until the condition holds.
func (h *house) waitFor(what string, cond func() bool) {
	h.t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	for !cond() {
		if time.Now().After(deadline) {
			h.t.Fatalf("%s did not happen; log:\n%s", what, tail(h.logs.String(), 4000))
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// waitSynced waits until every kind has ended its first sync well.
func (h *house) waitSynced() {
	h.t.Helper()
	h.waitFor("the first sync", func() bool {
		for _, k := range h.gateway.Status()[0].Kinds {
			if k.State != "fresh" || k.Syncing || k.LastResult != "ok" {
				return false
			}
		}
		return true
	})
}

// syncNow asks for a sync at the admin door and waits until every kind has ended one that began after the call: a sync that runs
// already is waited for first, and one that the schedule starts meanwhile is as good.
func (h *house) syncNow() {
	h.t.Helper()
	before := map[string]time.Time{}
	h.waitFor("the end of the sync that runs", func() bool {
		running := false
		for _, k := range h.gateway.Status()[0].Kinds {
			before[string(k.Kind)] = k.LastAttempt
			running = running || k.Syncing
		}
		return !running
	})
	r := h.call(http.MethodPost, h.admin+"/v1/admin/sources/schule-a/sync", nil)
	if r.status != http.StatusAccepted && !strings.Contains(string(r.body), `"code":"sync_running"`) {
		h.t.Fatalf("sync: %d %s", r.status, r.body)
	}
	h.waitFor("a sync on demand", func() bool {
		for _, k := range h.gateway.Status()[0].Kinds {
			if k.Syncing || !k.LastAttempt.After(before[string(k.Kind)]) {
				return false
			}
		}
		return true
	})
}

// walk reads a Jamf list page by page, as an unchanged client does, and returns the ids in order.
func (h *house) walk(path, idKey string, size int) []string {
	h.t.Helper()
	var ids []string
	for page := 0; ; page++ {
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		r := h.get(fmt.Sprintf("%s%spage=%d&page-size=%d", path, sep, page, size))
		if r.status != http.StatusOK {
			h.t.Fatalf("page %d of %s: %d %s", page, path, r.status, r.body)
		}
		var out struct {
			Total   int              `json:"totalCount"`
			Results []map[string]any `json:"results"`
		}
		r.decode(h.t, &out)
		for _, d := range out.Results {
			id, ok := d[idKey].(string)
			if !ok {
				h.t.Fatalf("%s is no string in %v", idKey, d)
			}
			ids = append(ids, id)
		}
		if (page+1)*size >= out.Total {
			if len(ids) != out.Total {
				h.t.Fatalf("%s: %d rows, totalCount %d", path, len(ids), out.Total)
			}
			return ids
		}
	}
}

// metric sums a metric's data points whose attributes hold the given ones.
func (h *house) metric(name string, attrs map[string]string) float64 {
	h.t.Helper()
	var all metricdata.ResourceMetrics
	if err := h.metrics.Collect(h.t.Context(), &all); err != nil {
		h.t.Fatal(err)
	}
	sum, found := 0.0, false
	for _, sm := range all.ScopeMetrics {
		for _, m := range sm.Metrics {
			if m.Name == name {
				found = true
				sum += sumOf(m.Data, attrs)
			}
		}
	}
	if !found {
		h.t.Fatalf("no metric %s", name)
	}
	return sum
}

func sumOf(data metricdata.Aggregation, attrs map[string]string) (sum float64) {
	switch d := data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range d.DataPoints {
			if holds(p.Attributes.ToSlice(), attrs) {
				sum += float64(p.Value)
			}
		}
	case metricdata.Gauge[int64]:
		for _, p := range d.DataPoints {
			if holds(p.Attributes.ToSlice(), attrs) {
				sum += float64(p.Value)
			}
		}
	case metricdata.Gauge[float64]:
		for _, p := range d.DataPoints {
			if holds(p.Attributes.ToSlice(), attrs) {
				sum += p.Value
			}
		}
	case metricdata.Histogram[float64]:
		for _, p := range d.DataPoints {
			if holds(p.Attributes.ToSlice(), attrs) {
				sum += float64(p.Count)
			}
		}
	}
	return sum
}
