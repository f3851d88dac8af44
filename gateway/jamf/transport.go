package jamf

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// Bounds of one attempt.
const (
	defaultPageTimeout = 100 * time.Second // the edge gives up at 90 s
	connectTimeout     = 10 * time.Second
	keepAlive          = 30 * time.Second
	maxHeaderBytes     = 64 << 10
	maxPageBytes       = 64 << 20
	maxRecordBytes     = 4 << 20
	maxSmallBytes      = 1 << 20 // token, rights, version
	maxErrorBytes      = 64 << 10
)

// newTransport makes the one way to the wire. It is used by RoundTrip alone: there is no code that could follow a
// redirect, and so none that could carry a secret or a token to another host.
func newTransport(o SourceOptions, to reach, proxy *url.URL, connections int) *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyURL(proxy),
		OnProxyConnectResponse: onProxyAnswer,
		DialContext:            dialerOf(o, to),
		TLSClientConfig:        tlsConfigOf(o),
		TLSHandshakeTimeout:    connectTimeout,
		DisableCompression:     true, // inflated here, under a cap
		MaxIdleConns:           connections,
		MaxIdleConnsPerHost:    connections,
		MaxConnsPerHost:        connections,
		IdleConnTimeout:        90 * time.Second,
		ResponseHeaderTimeout:  o.PageTimeout,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: maxHeaderBytes,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}
}

func dialerOf(o SourceOptions, to reach) func(context.Context, string, string) (net.Conn, error) {
	if o.Dial != nil {
		return o.Dial
	}
	return to.dialer(o.Resolver)
}

func tlsConfigOf(o SourceOptions) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs}
}

// request is one attempt, ready to be sent.
type request struct {
	op       string
	method   string
	path     string // below /api
	template string // path with {id} for an id
	query    url.Values
	form     string // body of a token call
	token    string
	jar      http.CookieJar // nil: no cookies
	timeout  time.Duration  // absolute: connect, headers and body
	resend   int
}

// send does one attempt: a timed request whose answer is read to its end by read. read gets the inflated body, capped
// at limit bytes. The error is *Error, sent.
func (s *Source) send(ctx context.Context, r request, limit int64, read func(io.Reader) error) error {
	ctx, span := s.startAttempt(ctx, r.method, r.op, r.template, r.resend)
	began := time.Now()
	status, err := s.roundTrip(ctx, r, limit, read)
	if status > 0 {
		span.SetAttributes(semconv.HTTPResponseStatusCode(status))
	}
	s.meters.attempt(ctx, r.op, outcomeOf(err), time.Since(began))
	endSpan(span, err)
	return err
}

func (s *Source) roundTrip(parent context.Context, r request, limit int64, read func(io.Reader) error) (status int, err error) {
	ctx, cancel := context.WithTimeout(parent, r.timeout)
	defer cancel()
	w := &wire{proxied: s.proxy != nil}
	req, err := s.newRequest(httptrace.WithClientTrace(ctx, w.trace()), r)
	if err != nil {
		return 0, &Error{Kind: ErrBadRequest, Op: r.op, Code: codeBadRequest, Detail: "the request cannot be built"}
	}
	resp, err := s.transport.RoundTrip(req)
	if err != nil {
		return 0, w.failure(parent, ctx, r.op, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if r.jar != nil {
		r.jar.SetCookies(req.URL, resp.Cookies())
	}
	body := &sensed{r: resp.Body}
	if resp.StatusCode != http.StatusOK {
		return resp.StatusCode, refusalOf(r.op, resp, body)
	}
	err = readAnswer(r.op, resp, body, limit, read)
	if err != nil && body.err != nil && !errors.Is(err, ErrTooLarge) {
		// The wire broke, whatever the parser made of what came before.
		err = w.failure(parent, ctx, r.op, body.err)
	}
	if e, ok := errors.AsType[*Error](err); ok {
		e.Op, e.Status, e.sent = r.op, resp.StatusCode, true
	}
	return resp.StatusCode, err
}

func (s *Source) newRequest(ctx context.Context, r request) (*http.Request, error) {
	u := *s.base
	u.Path += r.path
	u.RawQuery = r.query.Encode()
	var body io.Reader
	if r.form != "" {
		body = strings.NewReader(r.form)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("User-Agent", s.o.UserAgent)
	if r.form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	if r.jar != nil {
		for _, c := range r.jar.Cookies(req.URL) {
			req.AddCookie(c)
		}
	}
	if s.o.PropagateTrace {
		propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(req.Header))
	}
	return req, nil
}

// sensed remembers how the wire ended.
type sensed struct {
	r   io.Reader
	err error // other than io.EOF
}

func (s *sensed) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		s.err = err
	}
	return n, err
}

// errCap ends a body that is larger than allowed.
var errCap = errors.New("body over the cap")

// capped hands out at most left bytes and then fails, where io.LimitReader would end cleanly.
type capped struct {
	r    io.Reader
	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left < 0 {
		return 0, errCap
	}
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.r.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return n - 1, errCap
	}
	return n, err
}

// readAnswer inflates and caps a 200 and hands it to read.
func readAnswer(op string, resp *http.Response, body io.Reader, limit int64, read func(io.Reader) error) error {
	fault := func(kind error, code, detail string) *Error {
		return &Error{Kind: kind, Op: op, Status: resp.StatusCode, Code: code, Detail: detail, sent: true}
	}
	plain, err := inflated(resp.Header, &capped{r: body, left: limit})
	if err == nil {
		in := &capped{r: plain, left: limit}
		switch kind := contentKind(resp.Header); kind {
		case contentJSON:
			err = read(in)
		case contentHTML:
			return fault(ErrSchema, codeHTML, "HTML came where JSON was due: something in front of Jamf answered")
		default:
			if looksLikeHTML(in) {
				return fault(ErrSchema, codeHTML, "HTML came where JSON was due: something in front of Jamf answered")
			}
			return fault(ErrSchema, codeUnexpected, "the answer is not declared as JSON")
		}
	}
	if err == nil {
		return nil
	}
	if errors.Is(err, errCap) {
		return fault(ErrTooLarge, codeTooLarge, "the answer is larger than "+strconv.FormatInt(limit>>20, 10)+" MiB")
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return fault(ErrSchema, codeUnexpected, "the answer is not what Jamf documents")
}

func inflated(h http.Header, r io.Reader) (io.Reader, error) {
	switch enc := strings.ToLower(strings.TrimSpace(strings.Join(h.Values("Content-Encoding"), ","))); enc {
	case "", "identity":
		return r, nil
	case "gzip", "x-gzip":
		return gzip.NewReader(r)
	default:
		return nil, &Error{Kind: ErrSchema, Code: codeUnexpected, Detail: "the answer has an encoding that was not asked for"}
	}
}

// Content kinds that matter.
const (
	contentOther = iota
	contentJSON
	contentHTML
)

func contentKind(h http.Header) int {
	t, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	switch {
	case err != nil && t == "":
		return contentOther
	case t == "application/json", strings.HasPrefix(t, "application/") && strings.HasSuffix(t, "+json"):
		return contentJSON
	case t == "text/html", t == "application/xhtml+xml":
		return contentHTML
	default:
		return contentOther
	}
}

// looksLikeHTML reads the first bytes of r.
func looksLikeHTML(r io.Reader) bool {
	head := make([]byte, 64)
	n, _ := io.ReadFull(r, head)
	return startsLikeHTML(head[:n])
}

func startsLikeHTML(b []byte) bool {
	s := strings.TrimLeft(strings.TrimPrefix(string(b), "\ufeff"), " \t\r\n")
	return strings.HasPrefix(s, "<")
}

// wire notes how far a request came, so that a failure can be named.
type wire struct {
	connected atomic.Bool
	tlsFailed atomic.Bool
	inTLS     atomic.Bool
	proxied   bool
}

func (w *wire) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn:           func(httptrace.GotConnInfo) { w.connected.Store(true) },
		TLSHandshakeStart: func() { w.inTLS.Store(true) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			w.inTLS.Store(false)
			if err != nil {
				w.tlsFailed.Store(true)
			}
		},
	}
}

// failure names what went wrong below HTTP. parent is the caller's context, attempt the one with our deadline.
func (w *wire) failure(parent, attempt context.Context, op string, err error) *Error {
	if parent.Err() != nil {
		e := canceled(parent, op)
		e.sent = true
		return e
	}
	if refused, ok := errors.AsType[*addressError](err); ok {
		e := &Error{Kind: ErrUnavailable, Op: op, Code: codeAddress, Detail: refused.Error(), sent: true}
		if w.proxied { // it is the proxy's
			e.Kind = ErrProxy
		}
		return e
	}
	if e := throughProxy(op, err); e != nil {
		return e
	}
	e := &Error{Kind: ErrUnavailable, Op: op, Err: safeCause(err), sent: true}
	netErr, isNet := errors.AsType[net.Error](err)
	_, dns := errors.AsType[*net.DNSError](err)
	switch {
	case w.connected.Load() && (attempt.Err() != nil || isNet && netErr.Timeout()):
		e.Kind, e.Code, e.Detail = ErrTimeout, codeTimeout, "Jamf did not answer in full before the deadline"
	case dns:
		e.Code, e.Detail = codeDNS, "the name of the host cannot be resolved"
	case w.tlsFailed.Load() || w.inTLS.Load() || tlsTrouble(err):
		e.Code, e.Detail = codeTLS, tlsDetail(err)
	case w.proxied && !w.connected.Load() && attempt.Err() != nil:
		e.Kind, e.Code, e.Detail = ErrProxy, codeProxyRefused, "the proxy gave no way to Jamf before the deadline"
	case !w.connected.Load():
		e.Code, e.Detail = codeConnect, "no connection to the host"
	default:
		e.Code, e.Detail = codeConnect, "the connection broke before the answer was complete"
	}
	return e
}

func tlsTrouble(err error) bool {
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}

// tlsDetail says why a handshake failed in words of our own.
func tlsDetail(err error) string {
	if inv, ok := errors.AsType[x509.CertificateInvalidError](err); ok && inv.Reason == x509.Expired {
		return "the certificate of the host has expired or is not valid yet"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the certificate of the host is for another name"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the certificate of the host comes from an authority that is not trusted here"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the host does not speak TLS on this port"
	}
	return "no TLS connection to the host could be agreed on"
}
