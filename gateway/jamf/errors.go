package jamf

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"syscall"
	"time"
)

// Kinds of failure; asked with errors.Is on any error of this package. A call that its own caller ended has the kind
// context.Canceled or context.DeadlineExceeded instead.
var (
	ErrUnavailable  = errors.New("jamf unavailable")             // connection, TLS, 5xx, HTML from the edge: retried within the budget
	ErrTimeout      = errors.New("jamf timed out")               // page deadline or 504 of the edge: never retried, halve the page
	ErrServerError  = errors.New("jamf cannot render")           // 500 with Jamf's envelope: a record is asked for once more, a list never: bisect it
	ErrThrottled    = errors.New("jamf throttles")               // 429: retried after the pause that Jamf asks for
	ErrBreakerOpen  = errors.New("circuit breaker open")         // in mid-walk waited for up to 15 min
	ErrAuthFailed   = errors.New("jamf refuses the credentials") // token endpoint: RFC 6749 error, or auth_failed: not retried
	ErrUnauthorized = errors.New("jamf refuses the token")       // 401 after one renewal
	ErrForbidden    = errors.New("right missing")                // 403, also with a token issued anew
	ErrNotFound     = errors.New("not found")                    // 404
	ErrSchema       = errors.New("unexpected answer")            // 200 that is no list: never an empty list; retried within the budget
	ErrTooLarge     = errors.New("answer too large")             // 64 MiB a page, 4 MiB a record: not retried
	ErrRedirect     = errors.New("redirect refused")             // any 3xx: not retried
	ErrProxy        = errors.New("no way through the proxy")     // says nothing about Jamf; retried but for 407
	ErrBadRequest   = errors.New("jamf rejects the request")     // other 4xx: not retried
)

// Codes of the catalogue that errors and steps of this package carry.
const (
	codeDNS          = "dns_failed"
	codeConnect      = "connect_failed"
	codeAddress      = "address_refused"
	codeTLS          = "tls_failed"
	codeTimeout      = "timeout"
	codeRedirect     = "redirect_refused"
	codeHTML         = "html_instead_of_json"
	codeUnexpected   = "unexpected_answer"
	codeTooLarge     = "answer_too_large"
	codeUnavailable  = "jamf_unavailable"
	codeCannotRender = "jamf_cannot_render"
	codeThrottled    = "throttled"
	codeBreakerOpen  = "breaker_open"
	codeAuthFailed   = "auth_failed"
	codeTokenRefused = "token_refused"
	codeRightMissing = "right_missing"
	codeNotFound     = "not_found"
	codeBadRequest   = "bad_request"
	codeProxyInvalid = "proxy_invalid"
	codeProxyDown    = "proxy_unreachable"
	codeProxyLogin   = "proxy_login_refused"
	codeProxyRefused = "proxy_refused"
	codeURL          = "url_invalid"
	codeSurplus      = "rights_surplus"
	codeNoRights     = "rights_unknown"
	codeCanceled     = "canceled"
)

// Error is every error of a call. It never holds a secret, a token, a query or a body of Jamf's.
type Error struct {
	Kind       error         // one of the kinds of this package, or context.Canceled, context.DeadlineExceeded
	Op         string        // "token", "computers", "mobile_detail", "mobile_list", "auth", "version", "record", "departments", "buildings", "sites", "passthrough", "url", "connect"
	Status     int           // HTTP status, 0 = none
	Code       string        // catalogue code: "auth_failed", "dns_failed", "tls_failed", "timeout", "html_instead_of_json", ...
	RetryAfter time.Duration // as obeyed, clamped
	Detail     string        // one safe sentence
	Err        error         // a cause that is safe to print, or nil

	sent     bool // a request reached the wire, or tried to
	envelope bool // the answer was Jamf's own error envelope
	server   bool // the answer can be that of Jamf's own server to a path that it does not have
	html     bool
	oauth    string // the error of RFC 6749 §5.2
}

// Error says the act, the kind and the detail.
func (e *Error) Error() string {
	out := e.Op
	if e.Kind != nil {
		out += ": " + e.Kind.Error()
	}
	if e.Detail != "" {
		out += ": " + e.Detail
	}
	return out
}

// Unwrap gives Kind and Err.
func (e *Error) Unwrap() []error {
	out := make([]error, 0, 2)
	if e.Kind != nil {
		out = append(out, e.Kind)
	}
	if e.Err != nil {
		out = append(out, e.Err)
	}
	return out
}

// ErrorType names the failure for telemetry: its code.
func (e *Error) ErrorType() string { return e.Code }

// asError gives err as *Error; nil for nil.
func asError(op string, err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Kind: ErrUnavailable, Op: op, Code: codeUnavailable, Detail: "the call ended in an unknown way", Err: safeCause(err)}
}

// canceled is the error of a call whose caller gave up.
func canceled(ctx context.Context, op string) *Error {
	kind := ctx.Err()
	if kind == nil {
		kind = context.Canceled
	}
	return &Error{Kind: kind, Op: op, Code: codeCanceled, Detail: "the caller ended the call"}
}

// safeCause keeps only causes whose text cannot hold a query, a proxy password or a body. Time-outs of our own are
// left out too: a page deadline must not look like the end of the caller's context.
func safeCause(err error) error {
	if e, ok := errors.AsType[*net.DNSError](err); ok { // one that timed out wraps a context's error
		return &net.DNSError{Err: e.Err, Name: e.Name, Server: e.Server, IsTimeout: e.IsTimeout, IsTemporary: e.IsTemporary, IsNotFound: e.IsNotFound}
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e
	}
	if e, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return e
	}
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		return e
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.ErrUnexpectedEOF
	}
	return nil
}
