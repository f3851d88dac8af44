package jamf_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"jamf-gateway/gateway/jamf"
)

// proxyCanary is the password of every proxy: it must not turn up anywhere but at the proxy.
const proxyCanary = "pw-CANARY-4711"

// connectProxy is a small HTTP proxy: CONNECT only, every target leads to one server. status 0 = 200.
type connectProxy struct {
	target, user, password string
	status                 int

	mu      sync.Mutex
	asked   []string // targets of CONNECT
	sniffed safeBuffer
}

func (p *connectProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, _ := (&http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}).BasicAuth()
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+r.Host)
	p.mu.Unlock()
	switch {
	case r.Method != http.MethodConnect:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case user != p.user || password != p.password:
		w.Header().Set("Proxy-Authenticate", "Basic")
		w.WriteHeader(http.StatusProxyAuthRequired)
	case p.status != 0:
		http.Error(w, "<html>blocked</html>", p.status)
	default:
		p.splice(w, r)
	}
}

func (p *connectProxy) splice(w http.ResponseWriter, r *http.Request) {
	out, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", p.target)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer func() { _ = out.Close() }()
	in, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = in.Close() }()
	_, _ = io.WriteString(in, "HTTP/1.1 200 Connection established\r\n\r\n")
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(out, io.TeeReader(in, &p.sniffed))
		_ = out.Close()
	}()
	_, _ = io.Copy(in, out)
	_ = in.Close()
	<-done
}

func (p *connectProxy) targets() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.asked...)
}

// tlsJamf is a Jamf that is well, with the certificate of httptest (example.com, 127.0.0.1).
func tlsJamf(t *testing.T) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/oauth/token") {
			giveToken(w, 1, 600)
			return
		}
		healthyHandler(w, r)
	}))
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

func startProxy(t *testing.T, p *connectProxy, secure bool) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(p)
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	if secure {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	return srv
}

// behind is a source on https://example.com that can only dial what the test opened.
func behind(t *testing.T, roots *x509.CertPool, proxy string, open ...string) (*jamf.Source, *safeBuffer) {
	t.Helper()
	logs := &safeBuffer{}
	src, err := jamf.NewSource(jamf.NewHost("example.com:443", fast, jamf.Telemetry{}), jamf.SourceOptions{
		Name: "schule-a", URL: "https://example.com/api", ClientID: "client-1", ClientSecret: func() string { return secretCanary },
		Proxy: proxy, RootCAs: roots, Logger: slog.New(slog.NewTextHandler(logs, nil)),
		Dial: func(ctx context.Context, network, to string) (net.Conn, error) {
			if !slices.Contains(open, to) {
				return nil, errors.New("stray dial to " + to)
			}
			return (&net.Dialer{}).DialContext(ctx, network, to)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	src.ResolveWith(func(context.Context, string, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.IPv6Loopback()}, nil
	})
	t.Cleanup(src.Close)
	return src, logs
}

func rootsOf(srv *httptest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	return pool
}

func TestEverythingGoesThroughTheProxyOfTheSource(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS to the proxy %v", secure), func(t *testing.T) {
			srv := tlsJamf(t)
			p := &connectProxy{target: srv.Listener.Addr().String(), user: "gate", password: proxyCanary}
			front := startProxy(t, p, secure)
			scheme := "http"
			if secure {
				scheme = "https"
			}
			addr := front.Listener.Addr().String()
			src, _ := behind(t, rootsOf(srv), scheme+"://gate:"+proxyCanary+"@"+addr, addr)
			got := src.Test(t.Context(), both())
			want := "url:ok dns:ok tcp:ok proxy:ok tls:ok token:ok rights:ok mobile_devices:ok computers:ok version:ok"
			if steps := strings.Join(results(got), " "); steps != want {
				t.Fatalf("steps %s", steps)
			}
			if s := got.Steps[4]; !strings.Contains(s.Detail, "valid until") {
				t.Errorf("the certificate of Jamf is not shown: %+v", s)
			}
			if pg, err := src.NewWalk().Page(t.Context(), jamf.MobilePlain, nil, 0, 1); err != nil || pg.Total != 34 {
				t.Errorf("page %+v, %v", pg, err)
			}
			if shown := fmt.Sprintf("%+v", got); strings.Contains(shown, "CANARY") {
				t.Errorf("the report holds a secret: %s", shown)
			}
			if n := len(p.targets()); n < 2 || p.targets()[0] != "CONNECT example.com:443" {
				t.Errorf("the proxy was asked for %v", p.targets())
			}
		})
	}
}

func TestWhatAProxyRefusesIsNamedAndHoldsNoPassword(t *testing.T) {
	srv := tlsJamf(t)
	for name, c := range map[string]struct {
		proxy    *connectProxy
		password string
		code     string
		detail   string
		attempts int // of one page: a login is not tried again
	}{
		"wrong password": {&connectProxy{user: "gate", password: "other"}, proxyCanary, "proxy_login_refused", "407", 1},
		"bad gateway":    {&connectProxy{user: "gate", password: proxyCanary, status: 502}, proxyCanary, "proxy_refused", "502: it cannot reach Jamf", 1},
		"forbidden":      {&connectProxy{user: "gate", password: proxyCanary, status: 403}, proxyCanary, "proxy_refused", "403", 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := c.proxy
			p.target = srv.Listener.Addr().String()
			front := startProxy(t, p, false)
			addr := front.Listener.Addr().String()
			src, logs := behind(t, rootsOf(srv), "http://gate:"+c.password+"@"+addr, addr)
			got := src.Test(t.Context(), both())
			step := got.Steps[3]
			if got.OK || step.Name != "proxy" || step.Code != c.code || !strings.Contains(step.Detail, c.detail) {
				t.Errorf("step %+v", step)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond) // a second attempt is not waited for
			defer cancel()
			asked := len(p.targets())
			_, err := src.NewWalk().Page(ctx, jamf.MobilePlain, nil, 0, 1)
			if n := len(p.targets()) - asked; n != c.attempts {
				t.Errorf("%d attempts, want %d", n, c.attempts)
			}
			if c.code == "proxy_login_refused" {
				must(t, err, jamf.ErrProxy, c.code)
			}
			if last := src.Status().LastError; last != nil && strings.Contains(fmt.Sprintf("%+v", *last), "CANARY") {
				t.Errorf("the status holds the password: %+v", *last)
			}
			if shown := fmt.Sprint(err, logs.String(), got); strings.Contains(shown, "CANARY") || strings.Contains(shown, "blocked") {
				t.Errorf("a password or a body is shown: %s", shown)
			}
		})
	}
}

func TestAProxyThatIsNotThereIsNoFailureOfJamf(t *testing.T) {
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	_ = ln.Close()
	src, _ := behind(t, nil, "http://gate:"+proxyCanary+"@"+addr, addr)
	if got := src.Test(t.Context(), both()); got.OK || got.Steps[2].Name != "tcp" || got.Steps[2].Code != "proxy_unreachable" {
		t.Errorf("%v", results(got))
	}
	for range 8 {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err = src.NewWalk().Page(ctx, jamf.MobilePlain, nil, 0, 1)
		cancel()
	}
	if err == nil || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("error %v", err)
	}
	if st := src.Status(); st.Breaker != "closed" {
		t.Errorf("breaker %s: the proxy's failures were counted against Jamf", st.Breaker)
	}
}

func TestAPrivateAuthorityIsTrustedOnlyWhereItIsNamed(t *testing.T) {
	srv := tlsJamf(t)
	addr := srv.Listener.Addr().String()
	p := &connectProxy{target: addr}
	front := startProxy(t, p, false)
	proxy := front.Listener.Addr().String()
	src, _ := behind(t, x509.NewCertPool(), "http://"+proxy, proxy)
	got := src.Test(t.Context(), both())
	if s := got.Steps[4]; s.Name != "tls" || s.Code != "tls_failed" || !strings.Contains(s.Detail, "not trusted") {
		t.Errorf("step %+v", s)
	}
	if strings.Contains(p.sniffed.String(), secretCanary) {
		t.Error("a secret crossed the proxy in the clear")
	}
}

func TestTheProxyOfTheEnvironmentCountsUnlessTheSourceSaysOtherwise(t *testing.T) {
	srv := tlsJamf(t)
	p := &connectProxy{target: srv.Listener.Addr().String()}
	front := startProxy(t, p, false)
	addr := front.Listener.Addr().String()
	t.Setenv("HTTPS_PROXY", "http://"+addr)
	t.Setenv("NO_PROXY", "")
	src, _ := behind(t, rootsOf(srv), "", addr)
	if got := src.Test(t.Context(), both()); !got.OK || len(p.targets()) == 0 {
		t.Errorf("%v, the proxy was asked for %v", results(got), p.targets())
	}
	before := len(p.targets())
	t.Setenv("NO_PROXY", "other.org,.com")
	for _, setting := range []string{"", jamf.ProxyOff} {
		src, _ = behind(t, rootsOf(srv), setting, addr)
		if got := src.Test(t.Context(), both()); got.OK || len(p.targets()) != before || strings.Contains(got.Steps[0].Detail, "proxy") {
			t.Errorf("setting %q: %v, the proxy was asked for %v", setting, results(got), p.targets())
		}
		t.Setenv("NO_PROXY", "")
	}
	t.Setenv("HTTPS_PROXY", "ftp://gate:"+proxyCanary+"@"+addr)
	_, err := jamf.NewSource(jamf.NewHost("example.com:443", fast, jamf.Telemetry{}), jamf.SourceOptions{
		Name: "a", URL: "https://example.com/api", ClientSecret: func() string { return "" },
	})
	must(t, err, jamf.ErrProxy, "proxy_invalid")
}
