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
	acmePatience = 5 * time.Second // of a handshake whose certificate is being got
)

// errStrangeName is the answer to a handshake for another name: it ends without a certificate.
var errStrangeName = errors.New("the handshake names no host of tls.acme.hosts")

// errNotYet is the answer to a handshake that would have to wait: an authority may take minutes.
var errNotYet = errors.New("the authority has not given a certificate for this host yet")

// authority gets certificates for the public door from an ACME authority, proves the names on the door itself (TLS-ALPN-01), and
// renews them in time. Safe for concurrent use.
type authority struct {
	manager *autocert.Manager
	get     func(*tls.ClientHelloInfo) (*tls.Certificate, error) // of manager; it may take minutes
	hosts   []string
	log     *slog.Logger
	now     func() time.Time

	mu       sync.Mutex
	asking   map[string]*asking     // host -> the question that is under way
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

// asking is one question for the certificate of a host. All who need it wait for the same one.
type asking struct {
	done chan struct{} // closed when cert and err are there
	cert *tls.Certificate
	err  error
	told bool // that handshakes are refused meanwhile
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
	a := &authority{
		manager: &autocert.Manager{
			Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(c.ACMEDir()), HostPolicy: autocert.HostWhitelist(c.TLS.ACME.Hosts...), Email: c.TLS.ACME.Email,
			Client: &acme.Client{DirectoryURL: c.TLS.ACME.DirectoryURL, HTTPClient: client, UserAgent: "jamf-gateway"},
		},
		hosts: c.TLS.ACME.Hosts, log: log, now: now, failures: map[string]acmeFailure{}, asking: map[string]*asking{},
	}
	a.get = a.manager.GetCertificate
	return a, nil
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

// forHandshake is tls.Config.GetCertificate. It waits for five seconds at most, whatever the authority does. Probes that know only an address name no host: they get the first one's.
func (a *authority) forHandshake(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host := strings.TrimSuffix(strings.ToLower(hello.ServerName), ".")
	if host == "" {
		host = a.hosts[0]
	}
	ctx := hello.Context()
	if ctx == nil {
		ctx = context.Background() // of a handshake without one
	}
	ctx, cancel := context.WithTimeout(ctx, acmePatience)
	defer cancel()
	return a.certificate(ctx, host)
}

// certificate is that of a host, asked for where there is none. It waits until ctx ends; the question goes on without it.
func (a *authority) certificate(ctx context.Context, host string) (*tls.Certificate, error) {
	if !slices.Contains(a.hosts, host) {
		return nil, errStrangeName
	}
	a.mu.Lock()
	if before := a.failures[host]; before.err != nil && a.now().Before(before.until) {
		a.mu.Unlock()
		return nil, before.err
	}
	q := a.asking[host]
	if q == nil {
		q = &asking{done: make(chan struct{})}
		a.asking[host] = q
		go a.ask(context.WithoutCancel(ctx), host, q)
	}
	a.mu.Unlock()
	select {
	case <-q.done:
		return q.cert, q.err
	case <-ctx.Done():
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !q.told && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		q.told = true
		a.log.WarnContext(ctx, "handshakes are refused until the authority has given a certificate for the public door", "host", host)
	}
	return nil, errNotYet
}

// ask answers a question. The certificate is always ECDSA: otherwise whoever speaks RSA alone could have a second one asked for.
func (a *authority) ask(ctx context.Context, host string, q *asking) {
	q.cert, q.err = a.get(&tls.ClientHelloInfo{
		ServerName: host, SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	defer close(q.done)
	delete(a.asking, host)
	if q.err == nil {
		delete(a.failures, host)
		return
	}
	count := a.failures[host].count
	hold := min(acmeHoldOff<<min(2*count, 10), acmeMostHold)
	a.failures[host] = acmeFailure{err: q.err, count: count + 1, until: a.now().Add(hold)}
	a.log.WarnContext(ctx, "the authority gives no certificate for the public door: it must reach this door at port 443 of the host",
		"host", host, "error", q.err, "again_in", hold.String())
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
	var first time.Time
	for _, host := range a.hosts {
		cert, err := a.certificate(ctx, host)
		if err == nil && cert.Leaf != nil && (first.IsZero() || cert.Leaf.NotAfter.Before(first)) {
			first = cert.Leaf.NotAfter
		}
	}
	if ctx.Err() != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ends = first
}

// end is when the first of the certificates ends; zero = there is none yet.
func (a *authority) end() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ends
}
