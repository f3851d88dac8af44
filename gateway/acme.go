package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"jamf-gateway/config"
)

const (
	acmeLook     = time.Hour        // between looks at every host, so that a certificate is there and renewed although nobody calls
	acmeAsk      = 30 * time.Second // a request to the authority
	acmeHoldOff  = time.Minute      // after the first failure; four times as long after each further one
	acmeMostHold = time.Hour
)

// errStrangeName is the answer to a handshake for another name: it ends without a certificate.
var errStrangeName = errors.New("the handshake names no host of tls.acme.hosts")

// authority gets certificates for the public door from an ACME authority, proves the names on the door itself (TLS-ALPN-01), and
// renews them in time. Safe for concurrent use.
type authority struct {
	manager *autocert.Manager
	hosts   []string
	log     *slog.Logger
	now     func() time.Time

	mu       sync.Mutex
	failures map[string]acmeFailure // host -> its last; gone with a success
	ends     time.Time              // the first end among the certificates of the last look, zero = none was there
}

// acmeFailure keeps an authority from being asked for the same name at every handshake: Let's Encrypt refuses a name for an hour
// after five failures.
type acmeFailure struct {
	err   error
	count int
	until time.Time
}

// newAuthority asks nobody. An error says which setting cannot be used.
func newAuthority(c *config.Config, log *slog.Logger, now func() time.Time) (*authority, error) {
	client := &http.Client{Timeout: acmeAsk}
	if file := c.TLS.ACME.CAFile; file != "" {
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("tls.acme.ca_file: %w", err)
		}
		if !roots.AppendCertsFromPEM(data) {
			return nil, fmt.Errorf("tls.acme.ca_file: %s holds no certificate", file)
		}
		client.Transport = &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}}
	}
	return &authority{
		manager: &autocert.Manager{
			Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(c.ACMEDir()), HostPolicy: autocert.HostWhitelist(c.TLS.ACME.Hosts...), Email: c.TLS.ACME.Email,
			Client: &acme.Client{DirectoryURL: c.TLS.ACME.DirectoryURL, HTTPClient: client, UserAgent: "jamf-gateway"},
		},
		hosts: c.TLS.ACME.Hosts, log: log, now: now, failures: map[string]acmeFailure{},
	}, nil
}

// tlsConfig is that of the public door. Only the authority's own handshake gets the protocol of the challenge: on it nothing is asked.
func (a *authority) tlsConfig() *tls.Config {
	challenge := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{acme.ALPNProto}, GetCertificate: a.manager.GetCertificate}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, GetCertificate: a.forHandshake,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == acme.ALPNProto {
				return challenge, nil
			}
			return nil, nil // the config of the listener counts
		},
	}
}

// forHandshake is tls.Config.GetCertificate. Probes that know only an address name no host: they get the first one's.
func (a *authority) forHandshake(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host := strings.TrimSuffix(strings.ToLower(hello.ServerName), ".")
	if host == "" {
		host = a.hosts[0]
	}
	return a.certificate(hello.Context(), host)
}

// certificate is that of a host, asked for where there is none. It is always ECDSA: otherwise whoever speaks RSA alone could have
// a second one asked for.
func (a *authority) certificate(ctx context.Context, host string) (*tls.Certificate, error) {
	if !slices.Contains(a.hosts, host) {
		return nil, errStrangeName
	}
	a.mu.Lock()
	before := a.failures[host]
	a.mu.Unlock()
	if before.err != nil && a.now().Before(before.until) {
		return nil, before.err
	}
	cert, err := a.manager.GetCertificate(&tls.ClientHelloInfo{
		ServerName: host, SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil {
		delete(a.failures, host)
		return cert, nil
	}
	if f := a.failures[host]; f.count == before.count { // of handshakes that waited together one counts
		hold := min(acmeHoldOff<<min(2*f.count, 10), acmeMostHold)
		a.failures[host] = acmeFailure{err: err, count: f.count + 1, until: a.now().Add(hold)}
		a.log.WarnContext(ctx, "the authority gives no certificate for the public door: it must reach this door at port 443 of the host",
			"host", host, "error", err, "again_in", hold.String())
	}
	return nil, err
}

// Run looks at every host at the start and once an hour, as a client would.
func (a *authority) Run(ctx context.Context) error {
	tick := time.NewTicker(acmeLook)
	defer tick.Stop()
	for {
		a.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look does not wait for an authority beyond ctx: what was begun ends by itself within five minutes.
func (a *authority) look(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		var first time.Time
		for _, host := range a.hosts {
			cert, err := a.certificate(ctx, host)
			if err == nil && cert.Leaf != nil && (first.IsZero() || cert.Leaf.NotAfter.Before(first)) {
				first = cert.Leaf.NotAfter
			}
		}
		a.mu.Lock()
		a.ends = first
		a.mu.Unlock()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// end is when the first of the certificates ends; zero = there is none yet.
func (a *authority) end() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ends
}
