// Package server is the way in: Fiber, gate, authentication, façade, devices, health, problems.
// It answers from the store and from what Control tells; it knows no way to call Jamf.
package server

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"jamf-gateway/cache"
)

// Limits of every door. fasthttp's defaults wait for ever for a slow client.
const (
	readTimeout = 10 * time.Second
	idleTimeout = 60 * time.Second
	bodyLimit   = 8 << 10 // fasthttp takes the room for a body when it is announced: with more, a head of 90 bytes would cost a hundred times its size
	headerLimit = 16 << 10
)

// Server is the doors of the gateway. New builds it, Run keeps its house, the Serve methods open the doors.
type Server struct {
	o          Options
	rules      atomic.Pointer[rules] // by which requests that come in are answered; never nil
	sealer     *sealer
	ended      *ended
	cursors    *cursors
	runs       *runs
	traffic    *traffic
	refusals   *refusals
	adminTries *tries // wrong admin tokens
	telemetry  *telemetry
}

// New checks the options, takes up the client runs of before a restart, and starts nothing. Run ends them.
func New(o Options) (*Server, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	first, err := newRules(o.Settings)
	if err != nil {
		return nil, err
	}
	s := &Server{o: o, traffic: newTraffic(o.Traffic), refusals: newRefusals(o.Patience), adminTries: newTries(adminTries, adminTriesEvery), runs: newRuns(o.Store, o.Now, o.Logger, o.RunsFile)}
	s.rules.Store(first)
	s.ended = newEnded(o.Store.Disk(), o.EndedFile, o.Now, o.Logger)
	if s.sealer, err = newSealer(o.SealingKey); err != nil {
		return nil, err
	}
	if s.cursors, err = newCursors(o.SealingKey, o.Store.Identity()); err != nil {
		return nil, err
	}
	if s.telemetry, err = newTelemetry(o.TracerProvider, o.MeterProvider, o.Version); err != nil {
		return nil, err
	}
	if err := countLost(o.MeterProvider, o.Audit, o.Version); err != nil {
		return nil, err
	}
	s.runs.restore(first.mayRead)
	return s, nil
}

// Run ends client runs that nobody uses any more, until ctx ends. It must run for as long as a door is open, and end
// before the store is closed.
func (s *Server) Run(ctx context.Context) error {
	s.runs.janitor(ctx, func(client string, q cache.Series) bool { return s.rules.Load().mayRead(client, q) })
	return nil
}

// newApp is Fiber with the floor on which every door stands: strict, immutable, with limits, and without any of the
// middlewares that keep or share bodies.
func (s *Server) newApp(routes func(*fiber.App)) *fiber.App {
	app := fiber.New(fiber.Config{
		Immutable:                    true,
		StrictRouting:                true,
		CaseSensitive:                true,
		DisableStartupMessage:        true,
		DisableDefaultContentType:    true,
		DisablePreParseMultipartForm: true,
		EnableTrustedProxyCheck:      true,
		EnableIPValidation:           true,
		ReadTimeout:                  readTimeout,
		IdleTimeout:                  idleTimeout,
		BodyLimit:                    bodyLimit,
		ReadBufferSize:               headerLimit,
		Concurrency:                  2 * connections, // the doorman counts them; one that made room may still be ending
		ErrorHandler:                 s.handleError,
	})
	routes(app)
	next := app.Handler()
	app.Server().Handler = func(rc *fasthttp.RequestCtx) { s.serve(rc, next) }
	app.Server().CloseOnShutdown = true
	return app
}

// serve is the outermost handler: exchange, telemetry, recover, gate, and then Fiber. It stands before Fiber because
// Fiber answers some requests itself, and because fasthttp lets a panic end the process.
func (s *Server) serve(rc *fasthttp.RequestCtx, next fasthttp.RequestHandler) {
	x := s.begin(rc, methodName(rc.Method()))
	defer s.refusals.hold(rc, x, s.o.Now)
	defer s.end(rc, x)
	defer s.recover(rc, x)
	if c, ok := rc.Conn().(interface{ unchecked() bool }); ok && c.unchecked() {
		rc.SetConnectionClose()
	}
	if f := gate(rc); f != nil {
		s.writeFault(rc, x, f)
		return
	}
	next(rc)
}

// begin makes the exchange of a request and the headers of its response.
func (s *Server) begin(rc *fasthttp.RequestCtx, method string) *exchange {
	x := &exchange{
		rules: s.rules.Load(), method: method,
		id: requestID(rc.Request.Header.Peek(requestIDHeader)), start: s.o.Now(),
		style: styleOf(string(rc.URI().PathOriginal())), peer: remote(rc.RemoteAddr()),
	}
	rc.SetUserValue(exchangeKey{}, x)
	s.telemetry.begin(rc, x)
	baseHeaders(rc, x)
	return x
}

func (s *Server) end(rc *fasthttp.RequestCtx, x *exchange) {
	if x.counted && !x.sending {
		s.traffic.leave(x.client())
	}
	status, now := rc.Response.StatusCode(), s.o.Now()
	if x.style != styleOwn && (x.code == codeNotFound || x.style == styleClassic) {
		s.telemetry.notServed(x.context(), string(rc.URI().PathOriginal()))
	}
	s.telemetry.end(x, status, now)
	s.record(rc, x, status, now)
	s.audited(rc, x, status)
	s.accessLog(x, status, now)
}

// recover turns a panic of a handler into a 500 of this one request.
func (s *Server) recover(rc *fasthttp.RequestCtx, x *exchange) {
	if p := recover(); p != nil {
		s.writeFault(rc, x, &fault{code: codeInternal, cause: cache.Recovered(p)})
	}
}

// handleError answers every error of a handler, of Fiber's router and, without an exchange, of fasthttp's parser.
func (s *Server) handleError(c *fiber.Ctx, err error) error {
	rc := c.Context()
	x := exchangeOf(c)
	if x == nil {
		x = s.begin(rc, otherMethod) // whatever stands in the header was not read to its end
		x.style = styleOwn
		defer s.end(rc, x)
	}
	s.writeFault(rc, x, asFault(err))
	return nil
}
