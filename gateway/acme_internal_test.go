package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/config"
)

func TestAnAuthorityThatRefusesIsLeftAloneForLongerEachTime(t *testing.T) {
	var asked atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		http.Error(w, "no", http.StatusForbidden)
	}))
	defer srv.Close()
	var logs bytes.Buffer
	now := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	c := &config.Config{DataDir: t.TempDir(), TLS: config.TLS{ACME: config.ACME{Hosts: []string{"gateway.example.com"}, DirectoryURL: srv.URL}}}
	a, err := newAuthority(c, slog.New(slog.NewTextHandler(&logs, nil)), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	for _, stranger := range []string{"other.example.com", "gateway.example.com.evil.example", "../gateway.example.com"} {
		if _, err := a.forHandshake(&tls.ClientHelloInfo{ServerName: stranger}); err == nil || asked.Load() > 0 {
			t.Errorf("%q: %v after %d questions, want a refusal that asks nobody", stranger, err, asked.Load())
		}
	}
	var waits []time.Duration
	for range 5 {
		if _, err := a.certificate(t.Context(), "gateway.example.com"); err == nil {
			t.Fatal("a certificate from nowhere")
		}
		a.mu.Lock()
		until := a.failures["gateway.example.com"].until
		a.mu.Unlock()
		waits = append(waits, until.Sub(now))
		before := logs.Len()
		now = until.Add(-time.Second)
		if _, err := a.forHandshake(&tls.ClientHelloInfo{ServerName: "GATEWAY.example.com."}); err == nil || logs.Len() != before {
			t.Errorf("before %v: %v, log %q: want the same refusal, said once", until, err, logs.String()[before:])
		}
		now = until
	}
	if want := []time.Duration{time.Minute, 4 * time.Minute, 16 * time.Minute, time.Hour, time.Hour}; !slices.Equal(waits, want) {
		t.Errorf("asked again after %v, want %v", waits, want)
	}
	if n := strings.Count(logs.String(), "level=WARN"); n != 5 {
		t.Errorf("%d warnings, want one for each refusal:\n%s", n, logs.String())
	}
}

// An authority may take minutes. A handshake waits for five seconds and is refused, many ask it once, and the certificate is there when it is there.
func TestAHandshakeWaitsForAnAuthorityForFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logs bytes.Buffer
		c := &config.Config{DataDir: t.TempDir(), TLS: config.TLS{ACME: config.ACME{Hosts: []string{"a.example", "b.example"}, DirectoryURL: "https://acme.invalid/directory"}}}
		a, err := newAuthority(c, slog.New(slog.NewTextHandler(&logs, nil)), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		var asked atomic.Int64
		given := &tls.Certificate{Leaf: &x509.Certificate{NotAfter: time.Now().Add(time.Hour)}}
		a.get = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if asked.Add(1); hello.ServerName == "a.example" {
				time.Sleep(3 * time.Minute)
			}
			return given, nil
		}
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- a.Run(ctx) }()
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				began := time.Now()
				_, err := a.forHandshake(&tls.ClientHelloInfo{ServerName: "a.example"})
				if took := time.Since(began); !errors.Is(err, errNotYet) || took != acmePatience {
					t.Errorf("a handshake was answered after %v: %v", took, err)
				}
			})
		}
		all.Wait()
		began := time.Now()
		if cert, err := a.forHandshake(&tls.ClientHelloInfo{ServerName: "b.example"}); cert != given || err != nil || time.Since(began) > 0 {
			t.Errorf("the other host after %v: %v", time.Since(began), err)
		}
		time.Sleep(3 * time.Minute)
		if !a.end().Equal(given.Leaf.NotAfter) {
			t.Errorf("nobody called, and the certificate that is there ends at %v", a.end())
		}
		if n := asked.Load(); n != 3 { // a once, b by a handshake and by the look
			t.Errorf("the authority was asked %d times", n)
		}
		if n := strings.Count(logs.String(), "handshakes are refused until"); n != 1 {
			t.Errorf("said %d times that handshakes are refused:\n%s", n, logs.String())
		}
		end()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// A door with the certificate of an authority asks its clients for theirs, and the authority's own handshake for none: it has none of ours.
func TestADoorOfAnAuthorityAsksClientsForCertificates(t *testing.T) {
	dir := t.TempDir()
	c := &config.Config{DataDir: dir, TLS: config.TLS{ACME: config.ACME{Hosts: []string{"gateway.example"}, DirectoryURL: "https://acme.invalid/directory"}, ClientCAFile: filepath.Join(dir, "clients.crt")}}
	served, servedKey := pairFor(t, 1, 90*24*time.Hour)
	ours, oursKey := pairFor(t, 2, time.Hour)
	others, othersKey := pairFor(t, 3, time.Hour)
	if err := os.Mkdir(c.ACMEDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	writeSecret(t, filepath.Join(c.ACMEDir(), "gateway.example"), servedKey+served)
	writeSecret(t, c.TLS.ClientCAFile, ours)
	g := &Gateway{o: Options{Config: c, Logger: slog.New(slog.DiscardHandler), Now: time.Now}}
	door, err := g.tlsConfig()
	if err != nil {
		t.Fatal(err)
	}
	if err := askForCertificates(door, c.TLS.ClientCAFile); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(served))
	shake := func(cert, key string) (seen [][]*x509.Certificate, err error) {
		t.Helper()
		client := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: "gateway.example"}
		if cert != "" {
			pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
			if err != nil {
				t.Fatal(err)
			}
			client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		}
		near, far := net.Pipe()
		defer near.Close()
		defer far.Close()
		said := make(chan error, 1)
		go func() {
			conn := tls.Client(near, client)
			said <- conn.HandshakeContext(t.Context())
			_, _ = conn.Read(make([]byte, 1)) // the refusal of a certificate comes after the handshake
		}()
		conn := tls.Server(far, door)
		err = conn.HandshakeContext(t.Context())
		if err := <-said; err != nil {
			t.Errorf("the client: %v", err)
		}
		return conn.ConnectionState().VerifiedChains, err
	}
	if seen, err := shake("", ""); err != nil || len(seen) != 0 {
		t.Errorf("without a certificate: %d, %v", len(seen), err)
	}
	if seen, err := shake(ours, oursKey); err != nil || len(seen) != 1 || seen[0][0].SerialNumber.Int64() != 2 {
		t.Errorf("with one of the authority: %v, %v", seen, err)
	}
	if _, err := shake(others, othersKey); err == nil {
		t.Error("with one that nobody vouches for: no error")
	}
	for protocol, asked := range map[string]bool{"acme-tls/1": false, "http/1.1": true} {
		chosen, err := door.GetConfigForClient(&tls.ClientHelloInfo{SupportedProtos: []string{protocol}})
		if chosen == nil {
			chosen = door
		}
		if err != nil || (chosen.ClientAuth == tls.VerifyClientCertIfGiven) != asked {
			t.Errorf("%s: %v, %v", protocol, chosen.ClientAuth, err)
		}
	}
}
