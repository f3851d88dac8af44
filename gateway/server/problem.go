package server

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// This is the only file that chooses statuses.

// statusOf is the status of each code on every part of the public and the admin door.
func statusOf(code string) int {
	switch code {
	case codeBadRequest, codeMalformed, codeUnknownParameter, codeHiddenField, codeFilter, codeSort, codePageSize, codeCursorInvalid:
		return http.StatusBadRequest
	case codeUnauthorized, codeInvalidToken, codeInvalidClient, codeAdminToken:
		return http.StatusUnauthorized
	case codeKindDisabled, codeOutOfScope, codeNetwork, codeForbiddenOrigin:
		return http.StatusForbidden
	case codeNotFound, codeUnknownSource, codeUnknownDevice:
		return http.StatusNotFound
	case codeMethod:
		return http.StatusMethodNotAllowed
	case codeNotAcceptable:
		return http.StatusNotAcceptable
	case codeTimeout:
		return http.StatusRequestTimeout
	case codeSourceDisabled, codeSyncRunning, codeNotHeld, codeSourceInUse, codeSettingsRefused:
		return http.StatusConflict
	case codeCursorExpired:
		return http.StatusGone
	case codeBodyTooLarge:
		return http.StatusRequestEntityTooLarge
	case codeContentEncoding:
		return http.StatusUnsupportedMediaType
	case codeRateLimited:
		return http.StatusTooManyRequests
	case codeMisdirected:
		return http.StatusMisdirectedRequest
	case codeTooManyAttempts:
		return http.StatusTooManyRequests
	case codeHeadersTooLarge:
		return http.StatusRequestHeaderFieldsTooLarge
	case codeUnknownMethod:
		return http.StatusNotImplemented
	case codeHTTPVersion:
		return http.StatusHTTPVersionNotSupported
	}
	return serverStatus(code)
}

// status is that of the code, but for what depends on what was asked.
func (f *fault) status() int {
	if f.unread && f.code == codeSourceDisabled {
		return http.StatusServiceUnavailable
	}
	return statusOf(f.code)
}

// serverStatus is the status of the codes that are not the client's doing.
func serverStatus(code string) int {
	switch code {
	case codeNeverSynced, codeNotFresh, codeStaleLimit, codeDeviceStale, codeStoreLost, codeStoreNewer, codeStoreCorrupt,
		codeCredentials, codeRightsUnknown, codeNotReady, codeBusy, codeListExpired, codeNoColumns, codeRemapping, codeViewNotReady,
		codePassPaused, codeAuditFailed, codeAuditFull, codeUnfinished:
		return http.StatusServiceUnavailable
	case codePassFailed:
		return http.StatusBadGateway
	}
	return http.StatusInternalServerError
}

// style is the dialect in which a part of the public door reports errors.
type style uint8

const (
	styleOwn     style = iota // RFC 9457
	styleJamf                 // the envelope of the Jamf Pro API
	styleClassic              // the small HTML page of the Classic API
)

// styleOf chooses the dialect of a path that no route has claimed, and so the part of the public door that it lies in: routes have literal
// beginnings, and what is spelled otherwise is none of them.
func styleOf(path string) style {
	if rest, ok := strings.CutPrefix(path, "/jamf/"); ok {
		_, rest, _ = strings.Cut(rest, "/")
		path = "/" + rest
		if classicPath(path) {
			return styleClassic
		}
		return styleJamf
	}
	switch {
	case classicPath(path):
		return styleClassic
	case path == "/api" || strings.HasPrefix(path, "/api/") || path == "/jamf" || path == "/healthCheck.html":
		return styleJamf
	}
	return styleOwn
}

func classicPath(path string) bool {
	return path == "/JSSResource" || strings.HasPrefix(path, "/JSSResource/")
}

// asFault turns every error of a handler or of Fiber into a fault.
func asFault(err error) *fault {
	if f, ok := errors.AsType[*fault](err); ok {
		return f
	}
	fe, ok := errors.AsType[*fiber.Error](err)
	if !ok {
		return &fault{code: codeInternal, cause: err}
	}
	switch fe.Code {
	case http.StatusNotFound:
		return &fault{code: codeNotFound}
	case http.StatusMethodNotAllowed:
		return &fault{code: codeMethod}
	case http.StatusRequestTimeout:
		return &fault{code: codeTimeout, close: true}
	case http.StatusRequestEntityTooLarge:
		return &fault{code: codeBodyTooLarge, close: true}
	case http.StatusRequestHeaderFieldsTooLarge:
		return &fault{code: codeHeadersTooLarge, close: true}
	case http.StatusBadGateway, http.StatusBadRequest:
		// What fasthttp could not parse. Its text quotes the request: it is not passed on.
		return &fault{code: codeMalformed, close: true}
	}
	return &fault{code: codeInternal, cause: err}
}

// writeFault answers with a fault in the dialect of the exchange.
func (s *Server) writeFault(rc *fasthttp.RequestCtx, x *exchange, f *fault) {
	status := f.status()
	allow := f.allow
	if allow == "" && status == http.StatusMethodNotAllowed {
		allow = string(rc.Response.Header.Peek(fiber.HeaderAllow))
	}
	if f.code == codeNotFound && x.style != styleOwn && writeMethod(rc) {
		// Nothing below a Jamf base can be written, whether the path exists or not.
		f = &fault{code: codeMethod}
		status, allow = http.StatusMethodNotAllowed, allowRead
	}
	if f.code == codeMethod && allow != "" {
		f = useMethods(f, allow)
	}
	s.resetResponse(rc, x)
	rc.Response.SetStatusCode(status)
	x.code, x.parameter = f.code, f.field
	if allow != "" {
		rc.Response.Header.Set(fiber.HeaderAllow, allow)
	}
	switch {
	case f.code == codeAdminToken:
		rc.Response.Header.Set(fiber.HeaderWWWAuthenticate, adminChallenge(string(rc.Method())))
	case status == http.StatusUnauthorized:
		rc.Response.Header.Set(fiber.HeaderWWWAuthenticate, challenge(f))
	}
	if f.retryAfter > 0 && (status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests) {
		rc.Response.Header.Set(fiber.HeaderRetryAfter, wholeSeconds(f.retryAfter))
	}
	if f.limited {
		setLimitReached(rc, f.retryAfter)
	}
	if f.close {
		rc.Response.SetConnectionClose()
	}
	switch x.style {
	case styleJamf:
		writeEnvelope(rc, status, f)
	case styleClassic:
		writeStatusPage(rc, status)
	case styleOwn:
		writeProblem(rc, x, status, f)
	}
	s.logFault(x, status, f)
}

// useMethods says in the sentence, too, which methods are allowed: people read it before they look for a header.
func useMethods(f *fault, allow string) *fault {
	_, cause, _ := sentences(f.code)
	out := *f
	out.detail = "Use " + allow + "."
	if allow == allowRead {
		out.detail = cause + " " + out.detail
	}
	return &out
}

// writeMethod tells whether the request asks for a change.
func writeMethod(rc *fasthttp.RequestCtx) bool {
	switch string(rc.Method()) {
	case fiber.MethodPost, fiber.MethodPut, fiber.MethodPatch, fiber.MethodDelete:
		return true
	}
	return false
}

// challenge is RFC 6750, section 3: no error code when no token was given. Where a name and a password were wanted, it is RFC 7617.
func challenge(f *fault) string {
	switch f.code {
	case codeUnauthorized:
		return `Bearer realm="jamf-gateway"`
	case codeInvalidClient:
		return `Basic realm="jamf-gateway", charset="UTF-8"`
	}
	return `Bearer realm="jamf-gateway", error="invalid_token"`
}

// oauthError is RFC 6749, section 5.2.
type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	URI         string `json:"error_uri"`
}

// refusal is an error of the token endpoint.
type refusal struct {
	code, description string
	basic             bool // the client authenticated in the header
	retryAfter        time.Duration
}

// writeRefusal answers a token request that got no token.
func (s *Server) writeRefusal(rc *fasthttp.RequestCtx, x *exchange, r *refusal) {
	s.resetResponse(rc, x)
	noStore(rc)
	x.code = r.code
	status := http.StatusBadRequest
	switch r.code {
	case codeRateLimited:
		status = http.StatusTooManyRequests
		rc.Response.Header.Set(fiber.HeaderRetryAfter, wholeSeconds(r.retryAfter))
	case codeInvalidClient:
		status = http.StatusUnauthorized
		scheme := "Bearer"
		if r.basic {
			scheme = "Basic"
		}
		rc.Response.Header.Set(fiber.HeaderWWWAuthenticate, scheme+` realm="jamf-gateway"`)
	}
	body, err := marshal(oauthError{Error: r.code, Description: r.description, URI: "https://www.rfc-editor.org/rfc/rfc6749#section-5.2"})
	if err != nil {
		body = []byte(`{"error":"invalid_request"}`)
	}
	rc.Response.SetStatusCode(status)
	rc.Response.Header.SetContentType("application/json")
	rc.Response.SetBodyRaw(body)
}

// logFault is the place where a failed request is logged: loudly when the gateway is at fault, at info level when a client asks for
// a source that is not his or from a network that is not, else at debug level.
func (s *Server) logFault(x *exchange, status int, f *fault) {
	level := slog.LevelDebug
	switch f.code {
	case codeInternal, codeAuditFailed, codeAuditFull:
		level = slog.LevelError
	case codeStoreLost, codeStoreNewer, codeStoreCorrupt:
		level = slog.LevelWarn
	}
	if f.asked != "" || f.code == codeNetwork {
		level = max(level, slog.LevelInfo)
	}
	ctx := x.context()
	if !s.o.Logger.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("request_id", x.id), slog.String("route", x.route), slog.String("client", x.client()),
		slog.Int("status", status), slog.String("code", f.code),
	}
	if f.source != "" {
		attrs = append(attrs, slog.String("source", f.source))
	}
	if f.asked != "" {
		attrs = append(attrs, slog.String("asked_source", clip(printable(f.asked), 64)))
	}
	if f.cause != nil {
		attrs = append(attrs, slog.String("error", f.cause.Error()))
	}
	s.o.Logger.LogAttrs(ctx, level, "request refused", attrs...)
}

// retryAfter is a clamped wait until at.
func retryAfter(now, at time.Time) time.Duration {
	if at.IsZero() {
		return defaultRetryAfter
	}
	return min(max(at.Sub(now), shortestRetryAfter), longestRetryAfter)
}
