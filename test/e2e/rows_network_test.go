package e2e_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"jamf-gateway/config"
	"jamf-gateway/test/fakejamf"
)

func networkRows() map[string]play {
	return map[string]play{
		"A7":  {sockets: rowResets},
		"A13": {sockets: rowNames},
		"A14": {simulated: rowTLS},
		"A16": {simulated: rowOneOfTen},
	}
}

// toxic is a toxiproxy between the gateway and its Jamf.
type toxic struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
}

// poison puts a toxiproxy before the Jamf of a house that has not started.
func (h *house) poison() *toxic {
	h.t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.New(io.Discard).Level(zerolog.Disabled))
	p := toxiproxy.NewProxy(server, "jamf", "127.0.0.1:0", h.address())
	if err := p.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(p.Stop)
	h.settings.Sources[0].URL = "http://" + p.Listen + "/api"
	return &toxic{h.t, p}
}

// with adds a toxic on the way from Jamf, and takes it away afterwards.
func (x *toxic) with(kind, attributes string, f func()) {
	x.t.Helper()
	text := fmt.Sprintf(`{"name":"it","type":%q,"stream":"downstream","attributes":{%s}}`, kind, attributes)
	if _, err := x.proxy.Toxics.AddToxicJson(strings.NewReader(text)); err != nil {
		x.t.Fatalf("%s: %v", text, err)
	}
	f()
	if err := x.proxy.Toxics.RemoveToxic(context.Background(), "it"); err != nil {
		x.t.Fatal(err)
	}
}

// rowResets: faults of the network by toxiproxy, resets and malformed bytes over sockets: what hurts one attempt costs a retry,
// what goes on costs the sync, and never the list.
func rowResets(b *board) {
	h := b.prepare(small(), nil)
	b.connections = 4 // Jamf is still in an answer whose connection the network has cut
	x := h.poison()
	h.start()
	h.waitSynced()
	b.settled(h)
	b.watch(h)
	good := func(what string) {
		h.syncNow()
		if k := h.gateway.Status()[0].Kinds[0]; k.LastResult != "ok" {
			b.wrong("%s: %s %s", what, k.ErrorCode, k.ErrorDetail)
		}
	}
	x.with("latency", `"latency":40,"jitter":30`, func() { good("latency") })
	x.with("bandwidth", `"rate":100`, func() { good("100 KB/s") })
	x.with("slicer", `"average_size":200,"size_variation":100,"delay":500`, func() { good("drip") })
	x.with("slow_close", `"delay":300`, func() { good("slow close") })

	const page = `{"totalCount":1,"results":[{"id":"1","general":{"name":"x"},"hardware":{"serialNumber":"C02"}}]}`
	answers := malformed(page)
	answers["reset on accept"], answers["reset after the head"] = "", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"
	answers["reset in mid-body"] = answers["reset after the head"] + page
	once := make(chan string, len(answers))
	for name := range answers {
		once <- name
	}
	h.bender.to(func(w http.ResponseWriter, r *http.Request) bool {
		if !isPage(r) || r.URL.Query().Get("page") != "0" {
			return false
		}
		select {
		case name := <-once: // each for one attempt
			raw(w, answers[name], strings.HasPrefix(name, "reset"))
			return true
		default:
			return false
		}
	})
	for len(once) > 0 {
		h.syncNow()
	}
	h.bender.to(nil)
	before := h.generation("computer").Number
	for kind, attributes := range map[string]string{"reset_peer": `"timeout":0`, "limit_data": `"bytes":700`, "timeout": `"timeout":200`} {
		x.with(kind, attributes, func() {
			h.jamf.RevokeTokens()
			h.syncNow()
			if k := h.gateway.Status()[0].Kinds[0]; k.LastResult != "failed" || h.generation("computer").Number != before {
				b.wrong("%s: %s, generation %d", kind, k.LastResult, h.generation("computer").Number)
			}
		})
	}
	b.healed()
	for deadline := time.Now().Add(2 * time.Minute); ; b.sleep(time.Second) {
		h.syncNow()
		if h.gateway.Status()[0].Kinds[0].LastResult == "ok" || time.Now().After(deadline) {
			break
		}
	}
	b.recovered(h, 2*time.Minute)
	b.note("7 toxics, %d answers over sockets", len(answers))
	b.judge(h)
}

// authority issues certificates for the Jamf of a test.
type authority struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a private authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(1000 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{t, key, cert}
}

// file is a ca_file.
func (a *authority) file() string {
	a.t.Helper()
	path := filepath.Join(a.t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

// issue makes a certificate for a name or an address, good until then.
func (a *authority) issue(name string, until time.Time) tls.Certificate {
	a.t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until, DNSNames: []string{name}}
	if ip := net.ParseIP(name); ip != nil {
		template.DNSNames, template.IPAddresses = nil, []net.IP{ip}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &a.key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.key}
}

// rowTLS: a Jamf that cannot prove who it is gets no request at all, and health says why.
func rowTLS(b *board) {
	trusted, stranger := newAuthority(b.T), newAuthority(b.T)
	good := trusted.issue("127.0.0.1", time.Now().Add(1000*time.Hour))
	var now atomic.Pointer[tls.Config]
	serve := func(c tls.Certificate, versions ...uint16) *tls.Config {
		conf := &tls.Config{Certificates: []tls.Certificate{c}, MinVersion: tls.VersionTLS10}
		if len(versions) > 0 {
			conf.MaxVersion = versions[0]
		}
		return conf
	}
	now.Store(serve(good))
	h := b.prepare(small(), func(c *config.Config) { c.Sources[0].CAFile = trusted.file() })
	var seen atomic.Int64
	secured := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		h.bender.ServeHTTP(w, r)
	}))
	secured.Config.ErrorLog = log.New(io.Discard, "", 0)
	ln, err := b.net.Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	_ = secured.Listener.Close()
	secured.Listener = ln
	stalls := atomic.Bool{}
	secured.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		if stalls.Load() {
			<-time.After(15 * time.Second)
		}
		return now.Load(), nil
	}}
	secured.StartTLS()
	b.Cleanup(secured.Close)
	h.settings.Sources[0].URL = secured.URL + "/api"
	h.start()
	h.waitSynced()
	b.settled(h)
	b.watch(h)
	for _, c := range []struct {
		what string
		tls  *tls.Config
	}{
		{"expired", serve(trusted.issue("127.0.0.1", time.Now().Add(-time.Hour)))},
		{"another host", serve(trusted.issue("jamf.example.com", time.Now().Add(1000*time.Hour)))},
		{"another authority", serve(stranger.issue("127.0.0.1", time.Now().Add(1000*time.Hour)))},
		{"its own authority", serve(tls.Certificate{Certificate: [][]byte{stranger.cert.Raw}, PrivateKey: stranger.key})},
		{"TLS 1.1", serve(good, tls.VersionTLS11)},
	} {
		now.Store(c.tls)
		secured.CloseClientConnections()
		before := seen.Load()
		b.nextSync(h)
		b.refusedTLS(h, c.what)
		if n := seen.Load() - before; n > 0 {
			b.wrong("%s: %d requests were sent", c.what, n)
		}
		now.Store(serve(good))
		b.healed()
		b.recovered(h, 2*time.Hour)
	}
	stalls.Store(true)
	secured.CloseClientConnections()
	before := seen.Load()
	b.nextSync(h)
	if k := h.gateway.Status()[0].Kinds[0]; k.LastResult != "failed" || seen.Load() != before {
		b.wrong("a handshake that stalls: %s, %d requests", k.LastResult, seen.Load()-before)
	}
	stalls.Store(false)
	b.healed()
	b.recovered(h, 2*time.Hour)
	swapped := atomic.Bool{} // in mid-sync: the next connection meets a stranger
	h.bender.to(func(_ http.ResponseWriter, r *http.Request) bool {
		if isPage(r) && !swapped.Swap(true) {
			now.Store(serve(stranger.issue("127.0.0.1", time.Now().Add(1000*time.Hour))))
			go secured.CloseClientConnections()
		}
		return false
	})
	b.nextSync(h)
	h.bender.to(nil)
	b.refusedTLS(h, "swapped in mid-sync")
	now.Store(serve(good))
	b.healed()
	b.recovered(h, 2*time.Hour)
	b.judge(h)
}

func (b *board) refusedTLS(h *house, what string) {
	b.Helper()
	if k := h.gateway.Status()[0].Kinds[0]; k.LastResult != "failed" || k.ErrorCode != "tls_failed" && k.ErrorCode != "breaker_open" {
		b.wrong("%s: %s, %s (%s)", what, k.LastResult, k.ErrorCode, k.ErrorDetail)
	}
}

// rowOneOfTen: one source fails in every way, nine stay fresh.
func rowOneOfTen(b *board) {
	size := fakejamf.Options{Computers: 40, Mobiles: 20}
	others := map[string]*fakejamf.Server{}
	h := b.prepare(size, func(c *config.Config) {
		for i := range 9 {
			jamf := fakejamf.New(fakejamf.Options{
				Computers: 40, Mobiles: 20, Seed: uint64(100 + i), Epoch: time.Now(), ClientID: "gw", ClientSecret: jamfSecret, Faults: rough(),
			})
			ln, err := b.net.Listen(b.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			srv := &http.Server{Handler: jamf, ReadHeaderTimeout: time.Minute}
			go func() { _ = srv.Serve(ln) }()
			b.Cleanup(func() { _ = srv.Close() })
			src := c.Sources[0]
			src.Name, src.Default, src.URL = fmt.Sprintf("schule-%d", i), false, "http://"+ln.Addr().String()+"/api"
			c.Sources = append(c.Sources, src)
			others[src.Name] = jamf
		}
	})
	h.others = 9 * 60
	h.start()
	h.waitSynced()
	fresh := func(what string) {
		for _, s := range h.gateway.Status()[1:] {
			for _, k := range s.Kinds {
				if k.State != "fresh" || k.LastResult != "ok" {
					b.wrong("%s: %s of %s is %s, %s", what, k.Kind, s.Source, k.State, k.ErrorCode)
				}
			}
		}
	}
	b.settled(h)
	b.watch(h)
	for range 4 { // as many generations as are kept and read, with their files
		b.nextSync(h)
	}
	b.sleep(2 * time.Minute)
	fresh("at first")
	b.settled(h)
	hangs := func(_ http.ResponseWriter, r *http.Request) bool {
		_, _ = io.Copy(io.Discard, r.Body) // only then a connection that ends is noticed
		<-r.Context().Done()
		return true
	}
	for name, fault := range map[string]func(){
		"refused":     func() { b.net.breakTo(h.address(), refuse); h.upstream.CloseClientConnections() },
		"503":         func() { h.jamf.Down(true) },
		"hangs":       func() { h.bender.to(hangs) },
		"refused 401": func() { h.jamf.RotateSecret("another"); h.jamf.RevokeTokens() },
		"HTML":        func() { h.jamf.SetFaults(fakejamf.Faults{HTMLPage: 1}) },
		"wrong count": func() { h.jamf.BreakTotalCount(7) },
		"empty":       func() { h.jamf.SetFaults(fakejamf.Faults{FalseEmpty: true}) },
		"no rights":   func() { h.jamf.SetPrivileges() },
	} {
		fault()
		b.nextSync(h)
		if h.gateway.Status()[0].Kinds[0].LastResult != "failed" {
			b.wrong("%s: the sync of the source that fails was %s", name, h.gateway.Status()[0].Kinds[0].LastResult)
		}
		fresh(name)
		b.net.breakTo(h.address(), nil)
		h.jamf.Down(false)
		h.bender.to(nil)
		h.jamf.RotateSecret(jamfSecret)
		h.jamf.SetFaults(rough())
		h.jamf.BreakTotalCount(0)
		h.jamf.SetPrivileges(fakejamf.ReadComputers, fakejamf.ReadMobileDevices)
		b.healed()
		b.recovered(h, 2*time.Hour)
	}
	for name, jamf := range others {
		if n := jamf.Stats().PeakConcurrency; n > 2 {
			b.wrong("%s: %d requests at once", name, n)
		}
	}
	b.judge(h)
}
