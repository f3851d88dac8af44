package jamf

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// SourceOptions describe one configured Jamf Pro instance.
type SourceOptions struct {
	Name                  string
	URL                   string // ends in /api
	ClientID              string
	ClientSecret          func() string // asked for at every call of the token endpoint, so that a rotated secret is used
	Reread                func()        // looks at once whether ClientSecret has become another, after a refusal; nil = it never does
	Second                *Login        // used while Jamf refuses the first; nil = there is none
	AllowInsecureLoopback bool
	UserAgent             string // "jamf-gateway/<version>"
	PropagateTrace        bool
	PageTimeout           time.Duration // 0 = 100 s
	Passed                []string      // further paths that clients may ask for: what they need is no right too many
	Logger                *slog.Logger  // nil = none
	Telemetry             Telemetry

	// Proxy is the address of the proxy, with its password; "" = HTTPS_PROXY and NO_PROXY of the environment, ProxyOff = none.
	Proxy   string
	RootCAs *x509.CertPool // nil = those of the system

	// Networks are the addresses that may be dialed: NetworkPublic, NetworkPrivate, NetworkLoopback and networks like 10.20.0.0/16;
	// none: what the URL says (an address: itself; Jamf Cloud: public; any other name: public and private). What no Jamf Pro can
	// have is never dialed. Where a proxy stands between, they bind the address in the URL alone: the proxy resolves names.
	Networks []string
	Resolver *net.Resolver                                                     // nil = net.DefaultResolver
	Dial     func(ctx context.Context, network, addr string) (net.Conn, error) // nil = net.Dialer, which looks at Networks

	// Turn is waited for before each attempt, and what it returns is called after it: a simulation lets one attempt go after
	// the other, so that it can be repeated. nil = nothing is waited for.
	Turn func(ctx context.Context, question string) (done func())
}

// Source is the client of one instance. Safe for concurrent use. Close it when it is no longer needed.
type Source struct {
	o         SourceOptions
	base      *url.URL
	proxy     *url.URL // nil = none
	host      *Host
	transport *http.Transport
	tokens    *tokens
	tracer    trace.Tracer
	meters    *sourceMeters
	log       *slog.Logger
	lookup    func(ctx context.Context, network, host string) ([]netip.Addr, error)

	mu        sync.Mutex
	version   versionMemory
	lastErr   *Error
	lastErrAt time.Time
	lastOK    time.Time
}

// NewSource makes the client of one instance on the host h. It sends nothing. An error is *Error with the code
// url_invalid or proxy_invalid, or says which option is missing.
func NewSource(h *Host, o SourceOptions) (*Source, error) {
	u, err := CheckURL(o.URL, o.AllowInsecureLoopback)
	if err != nil {
		return nil, err
	}
	if h == nil || o.ClientSecret == nil {
		return nil, errors.New("make a Jamf source: a host and a client secret are needed")
	}
	if o.PageTimeout <= 0 {
		o.PageTimeout = defaultPageTimeout
	}
	if o.UserAgent == "" {
		o.UserAgent = "jamf-gateway"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	proxy, err := proxyFor(o.Proxy, u)
	if err != nil {
		return nil, err
	}
	to, err := reachOf(o.Networks, u)
	if err != nil {
		return nil, err
	}
	if proxy != nil {
		if len(o.Networks) > 0 && !isAddress(u) {
			return nil, proxyInvalid(networksBehindProxy)
		}
		to = toProxy()
	}
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	s := &Source{
		o: o, base: u, proxy: proxy, host: h,
		transport: newTransport(o, to, proxy, h.limits.Connections),
		tracer:    o.Telemetry.tracer(),
		meters:    newSourceMeters(o.Telemetry, o.Name),
		log:       o.Logger,
		lookup:    o.Resolver.LookupNetIP,
	}
	s.tokens = newTokens(s, Login{ID: o.ClientID, Secret: o.ClientSecret, Reread: o.Reread}, o.Second)
	return s, nil
}

// Close ends a token renewal under way, waits for it, and closes idle connections. Calls after it are refused.
func (s *Source) Close() {
	s.Retire()
	s.tokens.close()
	s.transport.CloseIdleConnections()
}

// Retire ends the metrics of a source that is removed or whose place another one takes. Calls under way go on; a renewal of the token ends with
// the last call that waits for it.
func (s *Source) Retire() { s.tokens.retire() }

// NewWalk begins a session of calls with a cookie jar of its own, so that its pages come from one node of a cluster.
func (s *Source) NewWalk() *Walk {
	return &Walk{src: s, jar: newJar(), began: time.Now()}
}

// SecretChanged is told that the secret of an API client has become another: it is tried at the next call, whatever was refused before.
func (s *Source) SecretChanged(clientID string) { s.tokens.renewed(clientID) }

// turn waits for the turn of one attempt.
func (s *Source) turn(ctx context.Context, c *call) (done func()) {
	if s.o.Turn == nil {
		return func() {}
	}
	return s.o.Turn(ctx, c.path+"?"+c.query.Encode())
}

// Status is a snapshot for health. Token is "none", "valid", "renewing", "failed" or "auth_failed".
type Status struct {
	Token         string
	TokenExpires  time.Time // zero without a valid token
	Logins        []LoginStatus
	Breaker       string    // "closed", "open", "half-open"
	NotBefore     time.Time // nothing is sent before; zero = now is fine
	InFlight      int       // requests to the host under way, of all its sources
	LastError     *Error
	LastErrorAt   time.Time
	LastSuccessAt time.Time
}

// Status never blocks on the network.
func (s *Source) Status() Status {
	var st Status
	st.Token, st.TokenExpires = s.tokens.state()
	st.Logins = s.tokens.status()
	st.Breaker, st.NotBefore, st.InFlight = s.host.snapshot()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lastErr != nil {
		e := *s.lastErr
		st.LastError = &e
	}
	st.LastErrorAt, st.LastSuccessAt = s.lastErrAt, s.lastOK
	return st
}

// note remembers how a call ended. One that the breaker kept back is no news of Jamf; what made the breaker open is.
func (s *Source) note(err *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.lastOK = time.Now()
	case errors.Is(err, ErrBreakerOpen):
		if c := err.cause(); c != nil && c.At.After(s.lastErrAt) {
			e := *c.Failed
			s.lastErr, s.lastErrAt = &e, c.At
		}
	case err.Code != codeCanceled && err.Code != codeNotFound:
		e := *err
		s.lastErr, s.lastErrAt = &e, time.Now()
	}
}
