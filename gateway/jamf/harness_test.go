package jamf_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"jamf-gateway/gateway/jamf"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// canary is the secret of every test: it must not turn up anywhere but in the token call.
const (
	secretCanary = "s3cret-CANARY-a+b&c=d"
	tokenCanary  = "tok-CANARY-"
)

// pipes is a listener whose connections are pipes in memory, so that a server can live inside a synctest bubble.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.done:
		return nil, errors.New("the listener is closed")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// seen is one request as it reached the server.
type seen struct {
	at            time.Time
	method, path  string
	query         string
	authorization string
	header        http.Header
	form          string
}

// upstream is a scripted Jamf. Nil handlers mean one that is well.
type upstream struct {
	token func(w http.ResponseWriter, r *http.Request, n int) // n counts from 1
	api   func(w http.ResponseWriter, r *http.Request, n int)

	mu     sync.Mutex
	log    []seen
	tokens int
	calls  int
	now    int // in flight on the API
	peak   int
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	isToken := strings.HasSuffix(r.URL.Path, "/oauth/token")
	u.mu.Lock()
	u.log = append(u.log, seen{
		time.Now(), r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Authorization"), r.Header.Clone(), string(body),
	})
	var n int
	if isToken {
		u.tokens++
		n = u.tokens
	} else {
		u.calls++
		n = u.calls
	}
	u.now++
	u.peak = max(u.peak, u.now)
	u.mu.Unlock()
	defer func() { u.mu.Lock(); u.now--; u.mu.Unlock() }()
	switch {
	case isToken && u.token != nil:
		u.token(w, r, n)
	case isToken:
		giveToken(w, n, 600)
	case u.api != nil:
		u.api(w, r, n)
	default:
		givePage(w, 0)
	}
}

func (u *upstream) requests() []seen {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]seen(nil), u.log...)
}

// apiTimes are the moments of the calls other than for tokens.
func (u *upstream) apiTimes() []time.Time {
	var out []time.Time
	for _, s := range u.requests() {
		if !strings.HasSuffix(s.path, "/oauth/token") {
			out = append(out, s.at)
		}
	}
	return out
}

func (u *upstream) counts() (tokens, calls, peak int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.tokens, u.calls, u.peak
}

func (u *upstream) busy() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.now > 0
}

func giveToken(w http.ResponseWriter, n, life int) {
	giveJSON(w, 200, fmt.Sprintf(`{"access_token":"%s%d","scope":"api-role:2","token_type":"Bearer","expires_in":%d}`, tokenCanary, n, life))
}

func giveJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func giveHTML(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "<!DOCTYPE html><html><body>Status page</body></html>")
}

func giveEnvelope(w http.ResponseWriter, status int) {
	giveJSON(w, status, fmt.Sprintf("{\n  \"httpStatus\" : %d,\n  \"errors\" : [ ]\n}", status))
}

// givePage answers with rows 1..n.
func givePage(w http.ResponseWriter, n int) {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf(`{"id":"%d","mobileDeviceId":"%d"}`, i+1, i+1)
	}
	giveJSON(w, 200, fmt.Sprintf(`{"totalCount":%d,"results":[%s]}`, n, strings.Join(rows, ",")))
}

// safeBuffer takes log lines of all goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// rig is a source in front of an upstream, over pipes.
type rig struct {
	host *jamf.Host
	src  *jamf.Source
	logs *safeBuffer
}

// connect makes a rig; only inside a synctest bubble. fit changes the options.
func connect(t *testing.T, u http.Handler, l jamf.Limits, fit func(*jamf.SourceOptions)) *rig {
	t.Helper()
	listener := newPipes()
	srv := &http.Server{Handler: u, ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = srv.Serve(listener) }()
	logs := &safeBuffer{}
	o := jamf.SourceOptions{
		Name: "schule-a", URL: "http://127.0.0.1/api", ClientID: "client-1", ClientSecret: func() string { return secretCanary },
		AllowInsecureLoopback: true, UserAgent: "jamf-gateway/test", Dial: listener.dial,
		Logger: slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if fit != nil {
		fit(&o)
	}
	host := jamf.NewHost("127.0.0.1:80", l, o.Telemetry)
	src, err := jamf.NewSource(host, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		src.Close()
		_ = srv.Close()
		<-ended
		if u, ok := u.(*upstream); ok {
			for u.busy() { // http.Server.Close does not wait for handlers
				time.Sleep(time.Second)
			}
		}
		if strings.Contains(logs.String(), "CANARY") {
			t.Errorf("a secret in the log: %s", logs)
		}
	})
	return &rig{host: host, src: src, logs: logs}
}

// fast lets tests that are not about the budget run without waiting for it.
var fast = jamf.Limits{Connections: 5, RequestsPerSecond: 10_000, Burst: 10_000}

// must asserts kind and code of an error, and that it holds nothing secret.
func must(t *testing.T, err, kind error, code string) *jamf.Error {
	t.Helper()
	e, ok := errors.AsType[*jamf.Error](err)
	if !ok {
		t.Fatalf("error = %v, want a *jamf.Error of kind %v", err, kind)
	}
	if !errors.Is(err, kind) || e.Code != code {
		t.Errorf("error = %v (code %s), want kind %v and code %s", err, e.Code, kind, code)
	}
	for _, text := range []string{err.Error(), fmt.Sprintf("%+v", *e), e.Detail, fmt.Sprint(e.Err)} {
		if strings.Contains(text, "CANARY") {
			t.Errorf("an error holds a secret: %s", text)
		}
	}
	return e
}

func page(t *testing.T, w *jamf.Walk, l jamf.List) (*jamf.Page, error) {
	t.Helper()
	return w.Page(t.Context(), l, []string{"GENERAL", "HARDWARE"}, 0, 100)
}
