package server

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"net/netip"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/trace"

	"jamf-gateway/gateway/audit"
	"jamf-gateway/gateway/usage"
)

// requestIDHeader carries the id of an exchange both ways.
const requestIDHeader = "X-Request-Id"

// handlerTime bounds what a handler may spend before it answers. fasthttp tells nobody when a client leaves.
const handlerTime = 55 * time.Second

// exchange is what is known of one request while it is answered. It belongs to one goroutine.
type exchange struct {
	rules       *rules // by which it is answered, whatever is applied meanwhile
	id          string
	route       string // template; "" until a route claims the request
	style       style
	method      string // as telemetry names it
	scheme      string
	peer        netip.Addr        // who asks; behind a stated proxy the one that it names
	named       bool              // that is told: no stated proxy keeps to itself for whom it asks; public door alone
	shown       *x509.Certificate // that the client has proved to be its own; public door alone
	base        base              // where it came in; public door alone
	source      string            // set once the caller was found to see it
	code        string            // of the answer, when it is no success
	deprecation string            // of the endpoint that answers, "" when it is current
	caller      *caller           // nil until authenticated
	start       time.Time
	span        trace.Span

	public    bool          // came in at the public door
	seen      usage.Request // what the record of its caller takes of it
	claimed   string        // the client that a token request named
	parameter string        // the one at fault

	credential [32]byte     // the hash of the secret behind a token that was given
	reads      []audit.Read // what the answer sends, once it is a success

	counted bool // among the requests of its caller
	sending bool // the response is written after the exchange has ended, and counts itself out then
}

// context carries the trace of the exchange; it ends with nothing but the deadline that the handler gives it.
func (x *exchange) context() context.Context {
	return trace.ContextWithSpan(context.Background(), x.span)
}

// deadline is the context of a handler.
func (x *exchange) deadline() (context.Context, context.CancelFunc) {
	return context.WithTimeout(x.context(), handlerTime)
}

// exchangeKey finds the exchange in fasthttp's and Fiber's locals.
type exchangeKey struct{}

// exchangeOf returns the exchange of a Fiber request; Server.serve has put it there.
func exchangeOf(c *fiber.Ctx) *exchange {
	x, _ := c.Locals(exchangeKey{}).(*exchange)
	return x
}

func (x *exchange) client() string {
	if x.caller == nil {
		return ""
	}
	return x.caller.id
}

func (x *exchange) traceID() string {
	if sc := x.span.SpanContext(); sc.HasTraceID() {
		return sc.TraceID().String()
	}
	return ""
}

// requestID takes the client's id when it is a harmless one, and mints one otherwise.
func requestID(given []byte) string {
	if len(given) == 0 || len(given) > 64 {
		return rand.Text()
	}
	for _, b := range given {
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '-', b == '_', b == '.':
		default:
			return rand.Text()
		}
	}
	return string(given)
}

// resetResponse drops whatever a handler had begun and puts back the headers that every response carries.
func (s *Server) resetResponse(rc *fasthttp.RequestCtx, x *exchange) {
	closing := rc.Response.ConnectionClose()
	rc.Response.Reset()
	if closing {
		rc.Response.SetConnectionClose()
	}
	baseHeaders(rc, x)
}

// baseHeaders stand on every response, errors of the parser included.
func baseHeaders(rc *fasthttp.RequestCtx, x *exchange) {
	h := &rc.Response.Header
	h.SetNoDefaultContentType(true)
	h.Set(requestIDHeader, x.id)
	h.Set(fiber.HeaderCacheControl, "private, no-cache")
	h.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	h.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'")
	h.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	setDeprecation(rc, x.deprecation)
	if x.caller != nil {
		setLimitPolicy(rc)
	}
	if rc.IsTLS() {
		h.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
}

// setDeprecation says, as Jamf does, since when an endpoint is deprecated.
func setDeprecation(rc *fasthttp.RequestCtx, value string) {
	if value != "" {
		rc.Response.Header.Set("Deprecation", value)
	}
}

// noStore is for answers that hold a credential.
func noStore(rc *fasthttp.RequestCtx) {
	rc.Response.Header.Set(fiber.HeaderCacheControl, "no-store")
	rc.Response.Header.Set(fiber.HeaderPragma, "no-cache")
}
