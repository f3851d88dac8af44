package visitor_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway"
	"jamf-gateway/gateway/catalogue"
	"jamf-gateway/gateway/visitor"
	"jamf-gateway/test/fakejamf"
)

const (
	secret = "canary-client-secret-4711"
	host   = "gateway.example.com"
	own    = "jamf-a.example.com" // the source's own
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

var serial int64

func issue(t *testing.T, by *authority, template x509.Certificate) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial++
	template.SerialNumber = big.NewInt(serial)
	if template.NotBefore.IsZero() {
		template.NotBefore = time.Now().Add(-90 * 24 * time.Hour)
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(90 * 24 * time.Hour)
	}
	parent, signer := &template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	raw, err := x509.CreateCertificate(rand.Reader, &template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key}
}

func ca(t *testing.T, by *authority, name string) *authority {
	t.Helper()
	return issue(t, by, x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
}

func leaf(t *testing.T, by *authority, name string, notAfter time.Time) *authority {
	t.Helper()
	return issue(t, by, x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotAfter: notAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
}

// chain is what a server sends: the first one is its own.
func chain(certs ...*authority) tls.Certificate {
	out := tls.Certificate{PrivateKey: certs[0].key}
	for _, c := range certs {
		out.Certificate = append(out.Certificate, c.cert.Raw)
	}
	return out
}

// house runs a real gateway that has read a simulated Jamf Pro, and returns its address.
func house(t *testing.T, mobiles int) *url.URL {
	t.Helper()
	jamf := httptest.NewServer(fakejamf.New(fakejamf.Options{Computers: 5, Mobiles: mobiles, Seed: 1, ClientID: "gw", ClientSecret: "jamf-secret"}))
	t.Cleanup(jamf.Close)
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	g, err := gateway.New(ctx, gateway.Options{Version: "test", StartJitter: -1, Config: &config.Config{
		Listen: "127.0.0.1:0", MaxPageSize: 10000, MaxStale: 30 * 24 * time.Hour,
		KeyFile: filepath.Join(dir, "gateway.key"), DataDir: filepath.Join(dir, "data"), Cache: config.Cache{MaxBytes: 64 << 20},
		Sources: []config.Source{{
			Name: "schule-a", URL: jamf.URL + "/api", ClientID: "gw", ClientSecret: config.NewSecret("jamf-secret"), AllowInsecureLoopback: true,
			Default: true, Hosts: []string{own}, Profile: "minimal", Sync: config.Sync{Interval: 24 * time.Hour, PageSize: 200},
			Limits: config.Limits{Connections: 2, RequestsPerSecond: 50},
		}},
		Clients: []config.Client{{ID: "inventory360", Secrets: [][32]byte{sha256.Sum256([]byte(secret))}}},
	}})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	if err := g.Listen(ctx); err != nil {
		cancel()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	deadline := time.After(30 * time.Second)
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		ready := 0
		for _, k := range g.Status()[0].Kinds {
			if k.LastResult == "ok" {
				ready++
			}
		}
		if ready == 2 {
			tick.Stop()
			return &url.URL{Scheme: "http", Host: g.PublicAddr()}
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the gateway did not read the simulated Jamf in 30 s")
		}
	}
}

// serveTLS serves h with a chain and returns its address.
func serveTLS(t *testing.T, c tls.Certificate, h http.Handler) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{c}, MinVersion: tls.VersionTLS12}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String()
}

// visit goes to https://gateway.example.com, which is at address.
func visit(t *testing.T, address string, roots *x509.CertPool, change func(*visitor.Options)) visitor.Report {
	t.Helper()
	o := visitor.Options{
		PublicURL: "https://" + host, API: "https://" + host + "/jamf/schule-a/api", ClientID: "inventory360", ClientSecret: secret, Mobile: true,
		UserAgent: "test", Roots: roots,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
		Lookup: func(context.Context, string) ([]string, error) { return []string{"192.0.2.7"}, nil },
	}
	if change != nil {
		change(&o)
	}
	return visitor.Visit(t.Context(), o)
}

// failed is the step that failed, its code and its detail.
func failed(r visitor.Report) (step, code, detail string) {
	for _, s := range r.Steps {
		if s.Result == "failed" {
			return s.Name, s.Code, s.Detail.EN
		}
	}
	return "", "", ""
}

func pool(certs ...*authority) *x509.CertPool {
	p := x509.NewCertPool()
	for _, c := range certs {
		p.AddCert(c.cert)
	}
	return p
}

func TestTheCertificateChainIsJudgedAsItIsSent(t *testing.T) {
	root := ca(t, nil, "Test Root")
	middle := ca(t, root, "Test Intermediate R3")
	private := ca(t, nil, "Private Root")
	later := time.Time{}
	good := leaf(t, middle, host, later)
	old := issue(t, root, x509.Certificate{
		Subject: pkix.Name{CommonName: "Old Intermediate"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotAfter: time.Now().Add(-48 * time.Hour),
	})
	alone := issue(t, nil, x509.Certificate{Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}})
	empty := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for name, tc := range map[string]struct {
		chain      tls.Certificate
		code, says string
	}{
		"whole":                    {chain(good, middle), "", ""},
		"without its intermediate": {chain(good), "door_intermediate_missing", `was issued by "Test Intermediate R3", whose certificate was not sent`},
		"expired":                  {chain(leaf(t, middle, host, time.Now().Add(-24*time.Hour)), middle), "door_certificate_expired", "gateway.example.com expired on"},
		"expired intermediate":     {chain(leaf(t, old, host, later), old), "door_certificate_expired", "Old Intermediate expired on"},
		"another name":             {chain(leaf(t, middle, "other.example.com", later), middle), "door_wrong_name", "gateway.example.com is not among: other.example.com"},
		"self-signed":              {chain(alone), "door_self_signed", "vouches for itself"},
		"private authority":        {chain(leaf(t, private, host, later), private), "door_unknown_authority", `the chain ends at "Private Root"`},
		"expires soon":             {chain(leaf(t, middle, host, time.Now().Add(72*time.Hour)), middle), "door_certificate_expires", "valid until"},
	} {
		t.Run(name, func(t *testing.T) {
			r := visit(t, serveTLS(t, tc.chain, empty), pool(root), nil)
			step := r.Steps[3]
			if step.Name != "tls" || step.Code != tc.code || !strings.Contains(step.Detail.EN, tc.says) {
				t.Errorf("step %+v, want %s %q", step, tc.code, tc.says)
			}
			if tc.code != "" && step.Detail.EN == step.Detail.DE {
				t.Errorf("the detail is not said in German: %+v", step)
			}
		})
	}
}

// mangle stands between the client and the gateway like a badly set proxy.
func mangle(target *url.URL, change func(*httputil.ReverseProxy)) http.Handler {
	p := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			http.Error(w, "<html>502 Bad Gateway</html>", http.StatusBadGateway)
		},
	}
	if change != nil {
		change(p)
	}
	return p
}

func rewrite(target *url.URL, change func(*http.Request)) func(*httputil.ReverseProxy) {
	return func(p *httputil.ReverseProxy) {
		p.Rewrite = func(r *httputil.ProxyRequest) {
			change(r.Out)
			r.SetURL(target)
		}
	}
}

func body(change func(string) string) func(*httputil.ReverseProxy) {
	return func(p *httputil.ReverseProxy) {
		p.ModifyResponse = func(rs *http.Response) error {
			raw, err := io.ReadAll(rs.Body)
			if err != nil {
				return err
			}
			changed := []byte(change(string(raw)))
			rs.Body = io.NopCloser(bytes.NewReader(changed))
			rs.Header.Set("Content-Length", strconv.Itoa(len(changed)))
			rs.ContentLength = int64(len(changed))
			return nil
		}
	}
}

func TestWhatAProxyBreaksIsNamed(t *testing.T) {
	target := house(t, 7)
	root := ca(t, nil, "Test Root")
	cert := chain(leaf(t, root, host, time.Time{}))
	page := func(status int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<!DOCTYPE html><title>Login</title>")
		})
	}
	closed := httptest.NewServer(nil)
	gone, err := url.Parse(closed.URL)
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	after := func(n int, what http.Handler) http.Handler {
		good := mangle(target, nil)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n--; n < 0 {
				what.ServeHTTP(w, r)
				return
			}
			good.ServeHTTP(w, r)
		})
	}
	for name, tc := range map[string]struct {
		proxy      http.Handler
		step, code string
	}{
		"nothing":               {mangle(target, nil), "", ""},
		"login page":            {page(200), "visit_token", "door_html"},
		"forbidden page":        {page(403), "visit_token", "door_html"},
		"login page later":      {after(2, page(200)), "visit_list", "door_html"},
		"redirect":              {http.RedirectHandler("https://login.example.com/sso?x=geheim", http.StatusFound), "visit_token", "door_redirect"},
		"upstream gone":         {mangle(gone, nil), "visit_token", "door_bad_gateway"},
		"gateway timeout later": {after(3, page(504)), "visit_detail", "door_bad_gateway"},
		"refused without words": {http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(405) }), "visit_token", "door_refused"},
		"not found":             {http.NotFoundHandler(), "visit_token", "door_path_lost"},
		"prefix cut off": {mangle(target, rewrite(target, func(r *http.Request) {
			r.URL.Path = strings.TrimPrefix(r.URL.Path, "/jamf")
		})), "visit_token", "door_path_lost"},
		"api cut off later": {mangle(target, rewrite(target, func(r *http.Request) {
			r.URL.Path = strings.Replace(r.URL.Path, "/api/v", "/v", 1)
		})), "visit_auth", "door_path_lost"},
		"Authorization stripped": {mangle(target, rewrite(target, func(r *http.Request) { r.Header.Del("Authorization") })), "visit_auth", "door_authorization_lost"},
		"Authorization replaced": {mangle(target, rewrite(target, func(r *http.Request) {
			if r.Header.Get("Authorization") != "" {
				r.Header.Set("Authorization", "Bearer of-the-proxy")
			}
		})), "visit_auth", "door_token_foreign"},
		"Basic of the proxy": {mangle(target, rewrite(target, func(r *http.Request) {
			if r.Header.Get("Authorization") != "" {
				r.Header.Set("Authorization", "Basic cHJveHk6cHJveHk=")
			}
		})), "visit_auth", "door_authorization_lost"},
		"query dropped":  {mangle(target, rewrite(target, func(r *http.Request) { r.URL.RawQuery = "" })), "visit_list", "door_query_lost"},
		"values changed": {mangle(target, body(func(s string) string { return strings.ReplaceAll(s, `"totalCount":7`, `"totalCount":8`) })), "visit_list", "door_body_changed"},
		"text inserted":  {mangle(target, body(func(s string) string { return s + "<script>" })), "visit_token", "door_body_changed"},
		"shortened":      {mangle(target, body(func(s string) string { return s[:len(s)/2] })), "visit_token", "door_body_changed"},
	} {
		t.Run(name, func(t *testing.T) {
			r := visit(t, serveTLS(t, cert, tc.proxy), pool(root), nil)
			step, code, detail := failed(r)
			if step != tc.step || code != tc.code || r.OK != (tc.code == "") {
				t.Errorf("step %q with %q (%s), want %q with %q\n%+v", step, code, detail, tc.step, tc.code, r.Steps)
			}
			if strings.Contains(detail, "geheim") || strings.Contains(detail, secret) {
				t.Errorf("the detail holds what it must not: %s", detail)
			}
			if _, ok := catalogue.Lookup(code); code != "" && !ok {
				t.Errorf("the catalogue does not know %q", code)
			}
		})
	}
}

func TestTheGatewaysOwnRefusalsArePassedOn(t *testing.T) {
	target := house(t, 7)
	root := ca(t, nil, "Test Root")
	address := serveTLS(t, chain(leaf(t, root, host, time.Time{})), mangle(target, nil))
	for name, tc := range map[string]struct {
		change     func(*visitor.Options)
		step, code string
	}{
		"wrong secret": {func(o *visitor.Options) { o.ClientSecret = "wrong" }, "visit_token", "invalid_client"},
		"wrong source": {func(o *visitor.Options) { o.API = "https://" + host + "/jamf/other/api" }, "visit_token", "invalid_client"},
		"no such name": {func(o *visitor.Options) {
			o.Lookup = func(context.Context, string) ([]string, error) { return nil, errors.New("no") }
		}, "dns", "door_dns_failed"},
		"nobody there": {func(o *visitor.Options) {
			o.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no") }
		}, "tcp", "door_connect_failed"},
		"computers":        {func(o *visitor.Options) { o.Mobile = false }, "", ""},
		"the default root": {func(o *visitor.Options) { o.API = "https://" + host + "/api" }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := visit(t, address, pool(root), tc.change)
			if step, code, detail := failed(r); step != tc.step || code != tc.code {
				t.Errorf("step %q with %q (%s), want %q with %q", step, code, detail, tc.step, tc.code)
			}
		})
	}
}

// A source at the root of a host name of its own is visited there. Where a proxy changes Host, the default source would answer, or nobody.
func TestASourceIsVisitedAtItsOwnHostName(t *testing.T) {
	target := house(t, 7)
	root := ca(t, nil, "Test Root")
	hostIs := func(change func(in string) string) http.Handler {
		return mangle(target, func(p *httputil.ReverseProxy) {
			p.Rewrite = func(r *httputil.ProxyRequest) {
				r.SetURL(target)
				r.Out.Host = change(r.In.Host)
			}
		})
	}
	same := hostIs(func(in string) string { return in })
	for name, tc := range map[string]struct {
		proxy            http.Handler
		certificate      string
		step, code, says string
	}{
		"passed on":           {same, own, "", "", ""},
		"of the upstream":     {hostIs(func(string) string { return target.Host }), own, "visit_token", "door_host_lost", own},
		"unknown":             {hostIs(func(string) string { return "upstream.internal" }), own, "visit_token", "misdirected", "421"},
		"not in certificate":  {same, host, "tls", "door_wrong_name", "jamf-a.example.com is not among: gateway.example.com"},
		"a page for the rest": {onlyAPI(same), own, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := visit(t, serveTLS(t, chain(leaf(t, root, tc.certificate, time.Time{})), tc.proxy), pool(root), func(o *visitor.Options) { o.API = "https://" + own + "/api" })
			step, code, detail := failed(r)
			if step != tc.step || code != tc.code || !strings.Contains(detail, tc.says) || r.OK != (tc.code == "") {
				t.Errorf("step %q with %q (%s), want %q with %q (%s)", step, code, detail, tc.step, tc.code, tc.says)
			}
			if _, ok := catalogue.Lookup(code); code != "" && !ok {
				t.Errorf("the catalogue does not know %q", code)
			}
		})
	}
}

// onlyAPI is a proxy that lets nothing through but Jamf's API.
func onlyAPI(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/") {
			http.Error(w, "<html>403 Forbidden</html>", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func TestPlainHTTPIsAWarningAndNoTLSOnTheTLSPortIsSaid(t *testing.T) {
	target := house(t, 0)
	r := visit(t, target.Host, nil, func(o *visitor.Options) { o.PublicURL, o.API = target.String(), target.String()+"/jamf/schule-a/api" })
	if !r.OK || r.Steps[0].Code != "door_plain_http" || r.Steps[0].Result != "warning" || r.Steps[7].Result != "skipped" {
		t.Errorf("%+v", r)
	}
	r = visit(t, target.Host, nil, nil)
	if step, code, detail := failed(r); step != "tls" || code != "door_tls_failed" || detail != "what answers speaks no TLS" {
		t.Errorf("%s %s %s", step, code, detail)
	}
}
