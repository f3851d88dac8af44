package server

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"regexp"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/usage"
)

// What the external tests look at below the doors.

// Sealer mints and verifies tokens.
type Sealer struct {
	s       *sealer
	clients map[string]*caller
}

// NewSealer builds a sealer over clients without sources.
func NewSealer(key [32]byte, clients []ClientOptions) (*Sealer, error) {
	s, err := newSealer(key)
	if err != nil {
		return nil, err
	}
	compiled, err := callers(nil, clients)
	return &Sealer{s, compiled}, err
}

func (s *Sealer) Seal(client string, secret [32]byte, expires time.Time) string {
	return s.s.seal(client, secret, nil, expires)
}

func (s *Sealer) Verify(token string, now time.Time) (string, error) {
	p, err := s.s.verify(token, now, s.clients, nil)
	if err != nil {
		return "", err
	}
	return p.who.id, nil
}

// AuthenticateSecret tells whether the secret is the client's.
func (s *Sealer) AuthenticateSecret(client, secret string) ([32]byte, bool) {
	_, hash, ok := authenticateSecret(s.clients, client, secret, time.Time{})
	return hash, ok
}

// Cursor is a place in a list.
type Cursor struct {
	Series      int
	After       int64
	Generations []uint64
}

// Cursors writes and reads cursors.
type Cursors struct{ c *cursors }

func NewCursors(key [32]byte, store string) (*Cursors, error) {
	c, err := newCursors(key, store)
	return &Cursors{c}, err
}

func (c *Cursors) Encode(at Cursor, policy, query string) string {
	return c.c.encode(cursor{at.Series, at.After, at.Generations}, policy, query)
}

func (c *Cursors) Decode(text, policy, query string, series int) (Cursor, error) {
	at, err := c.c.decode(text, policy, query, series)
	return Cursor{at.series, at.after, at.generations}, err
}

// The reasons why a cursor is refused.
var (
	ErrCursorInvalid = errCursorInvalid
	ErrCursorExpired = errCursorExpired
)

// GateTarget tells what is wrong with a request target.
func GateTarget(target string) string { return gateTarget([]byte(target)) }

// ParseDevicesQuery returns the canonical form of a query and the code of its refusal.
func ParseDevicesQuery(raw string) (canonical string, limit int, code string) {
	q, f := parseDevicesQuery(raw)
	if f != nil {
		return "", 0, f.code
	}
	return q.canonical(), q.limit, ""
}

// ParseJamfQuery reads the query of a façade list that takes filters and no sections.
func ParseJamfQuery(raw string) (page, size int, code string) {
	q, f := parseJamfQuery(raw, facadeList{shape: device.ComputerV4})
	if f != nil {
		return 0, 0, f.code
	}
	return q.page, q.size, ""
}

var (
	PageWindow       = pageWindow
	AcceptedEncoding = acceptedEncoding
	NotModified      = notModified
	Family           = family
	SpareFiles       = spareFilesOf
	RequestID        = requestID
)

// Codes are all codes that this room answers with, as they stand in fault.go.
func Codes() []string {
	source, err := os.ReadFile("fault.go")
	if err != nil {
		panic(err)
	}
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^\tcode\w+ += "([a-z_]+)"$`).FindAllSubmatch(source, -1) {
		out = append(out, string(m[1]))
	}
	return out
}

// PublicRoutes lists the public door: "GET /v1/devices/{uid}". HEAD and OPTIONS go without saying.
func PublicRoutes(s *Server) []string { return s.routesOf(false) }

// AdminRoutes lists the admin door in the same way.
func AdminRoutes(s *Server) []string { return s.routesOf(true) }

func (s *Server) routesOf(admin bool) []string {
	app := s.newApp(s.publicRoutes)
	if admin {
		app = s.adminApp(nil)
	}
	var out []string
	parameter := regexp.MustCompile(`:(\w+)`)
	for _, r := range app.GetRoutes(true) {
		if r.Method != http.MethodHead && r.Method != http.MethodOptions {
			out = append(out, r.Method+" "+parameter.ReplaceAllString(r.Path, "{$1}"))
		}
	}
	return out
}

// Shapes are the structs behind the bodies of the normalized API, by the schema that describes them.
func Shapes() map[string][]any {
	return map[string][]any{
		"Token": {tokenAnswer{}}, "TokenError": {oauthError{}}, "Problem": {problem{}}, "ListSource": {listSource{}},
		"Source": {sourceView{}}, "Source kinds": {sourceKind{}, kindView{}}, "Trouble": {trouble{}}, "SourceHealth": {healthView{}},
		"SourceHealth kinds": {kindHealth{}, kindView{}}, "SourceHealth kinds progress": {progress{}}, "SourceHealth heartbeat": {heartbeat{}},
		"Usage": {usageView{}, usage.Record{}}, "Usage tokens": {usage.Tokens{}}, "Usage secrets": {usage.Secret{}}, "Usage hours": {usage.Hour{}}, "Usage routes": {usage.Route{}},
		"Usage routes refusals": {usage.Refusal{}}, "Usage walks": {usage.Walk{}}, "Usage droppedFields": {usage.Dropped{}},
		"Comparison": {compared{}}, "Comparison clients": {clientSide{}}, "TestReport": {TestReport{}}, "TestReport steps": {TestStep{}},
	}
}

// StatusOf is the status of a code.
func StatusOf(code string) int { return statusOf(code) }

// Sweep does what is done every minute: it lets go of client runs that have ended, and writes.
func (s *Server) Sweep() {
	s.runs.sweep(s.o.Now())
	s.runs.save(context.Background(), true)
}

// HeldRuns counts the client runs that hold generations, and the generations.
func (s *Server) HeldRuns() (count, generations int) {
	s.runs.mu.Lock()
	defer s.runs.mu.Unlock()
	for _, r := range s.runs.held {
		before := generations
		for p := range r.all() {
			if p.generation != nil {
				generations++
			}
		}
		if generations > before {
			count++
		}
	}
	return count, generations
}

// HeldUp is a request for one device of a client that has opened the generation, the current one or that of a number, and goes on when the test says so.
func (s *Server) HeldUp(client string, q cache.Series, number uint64) (goOn func(), err error) {
	r, st, now := s.runs, step{ask: askOne}, s.o.Now()
	purges := r.purges.Load()
	if number != 0 {
		g, err := r.store.AcquireNumber(q, number)
		return func() {
			r.rejoin(client, q, g, purges)
			g.Release()
		}, err
	}
	g, err := r.store.Acquire(q)
	return func() {
		if pinned := r.pin(client, q, st, g, purges, now); pinned != nil {
			g = pinned
		}
		g.Release()
	}, err
}

// PanicHandler runs a handler that breaks behind everything that stands before Fiber.
func (s *Server) PanicHandler(rc *fasthttp.RequestCtx, broken func()) {
	s.serve(rc, func(*fasthttp.RequestCtx) { broken() })
}

// BrokenRendering is what is said of a rendering that breaks on a goroutine of the store.
func BrokenRendering(broken func()) error {
	_, err := guarded(context.Background(), func(context.Context) ([]byte, error) {
		broken()
		return nil, nil
	})
	return err
}

// PublicHandler is the public door without a socket.
func (s *Server) PublicHandler() fasthttp.RequestHandler {
	return s.newApp(s.publicRoutes).Server().Handler
}

// FirstBad is the index of the first byte that must not stand in the heads of a connection, read in pieces of a size.
func FirstBad(raw []byte, size int) int {
	var h heads
	for at := 0; at < len(raw); at += size {
		piece := raw[at:min(at+size, len(raw))]
		if i := h.check(piece); i < len(piece) {
			return at + i
		}
	}
	return len(raw)
}

// OtherConnections is how many connections the admin door takes, and that of the metrics.
const OtherConnections = otherConnections

// ClientRequests is how many requests one client may have at once.
const ClientRequests = clientRequests

// Ended are the tokens that were given back.
type Ended struct{ e *ended }

// MaxEnded is how many of one client are remembered at once.
const MaxEnded = maxEnded

func NewEnded(file string, now func() time.Time) *Ended {
	return NewEndedOn(nil, file, now)
}

// NewEndedOn is NewEnded on a disk that can fail.
func NewEndedOn(disk *cache.Disk, file string, now func() time.Time) *Ended {
	return &Ended{newEnded(disk, file, now, slog.New(slog.DiscardHandler))}
}

func (e *Ended) End(client, token string, expires time.Time) error {
	return e.e.end(context.Background(), client, token, expires)
}

func (e *Ended) Has(token string, expires time.Time) bool { return e.e.has(token, expires) }

// PlainFiber is Fiber as it comes, with one handler.
func PlainFiber() fasthttp.RequestHandler {
	app := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true})
	app.Get("/*", func(c *fiber.Ctx) error { return c.SendString("ok") })
	return app.Handler()
}

// Gate tells whether the gate lets a request pass.
func Gate(rc *fasthttp.RequestCtx) bool { return gate(rc) == nil }

// MemoryFor is how many connections so much memory allows.
func MemoryFor(limit int64) int { return memoryFor(limit) }

// PublicConnections is how many the public door takes.
func (s *Server) PublicConnections() int { return s.newDoorman("public", connections).max }

// NewDoor is what every connection comes through.
func NewDoor(ln net.Listener, most, perAddress int) net.Listener {
	return newDoor(ln, most, perAddress)
}

func newDoor(ln net.Listener, most, perAddress int) headListener {
	return headListener{ln, &doorman{
		door: "test", max: most, perAddress: perAddress, log: slog.New(slog.DiscardHandler),
		refused: func(context.Context, string, string) {}, from: map[netip.Prefix]*address{}, told: map[string]time.Time{},
		room: newRoom(most),
	}}
}

// Pay has the answer to a connection held until paid is called, as a wrong guess does.
func Pay(c net.Conn) (paid func(), there bool) {
	g, _ := c.(interface{ guestOf() *guest })
	return g.guestOf().pay()
}

// ServePublicTo is ServePublic for a small house.
func (s *Server) ServePublicTo(ctx context.Context, ln net.Listener, most, perAddress int) error {
	return serveUntil(ctx, s.newApp(s.publicRoutes), newDoor(ln, most, perAddress))
}

// NewDoorOfProxies is NewDoor where one network is that of a stated proxy.
func NewDoorOfProxies(ln net.Listener, most, perAddress int, proxies netip.Prefix) net.Listener {
	l, _ := NewDoor(ln, most, perAddress).(headListener)
	l.doorman.proxy = proxies.Contains
	return l
}

// Peer is who asks, over a connection from an address with X-Forwarded-For.
func Peer(proxies []netip.Prefix, from net.Addr, forwarded ...string) string {
	var rc fasthttp.RequestCtx
	var rq fasthttp.Request
	for _, line := range forwarded {
		rq.Header.Add("X-Forwarded-For", line)
	}
	rc.Init(&rq, from, nil)
	at, _ := (&rules{proxies: proxies}).peer(&rc)
	return at.String()
}

// AdminHandler is the admin door without a socket.
func (s *Server) AdminHandler() fasthttp.RequestHandler { return s.adminApp(nil).Server().Handler }

// How many wrong admin tokens are answered at once, and after what another one.
const (
	AdminTries      = adminTries
	AdminTriesEvery = adminTriesEvery
)

// How many refusals one address gets at once, and in each second.
const (
	AddressBurst    = addressBurst
	AddressRefusals = addressRefusals
)

// Token is a token of a client that was let in with a secret.
func (s *Server) Token(client string, secret [32]byte, expires time.Time) string {
	return s.sealer.seal(client, secret, nil, expires)
}

// Bytes answers the bytes of one connection without a socket: parser, gate and handlers of the public door.
func (s *Server) Bytes() func(raw []byte) (answer []byte) {
	fast := s.newApp(s.publicRoutes).Server()
	return func(raw []byte) []byte {
		c := &recordedConn{left: raw}
		_ = fast.ServeConn(&headConn{Conn: c}) // how a refused connection ends is no error of the door
		return c.answer
	}
}

// recordedConn is a peer that has said everything already and listens to all that is answered.
type recordedConn struct {
	net.Conn
	left, answer []byte
}

func (c *recordedConn) Read(p []byte) (int, error) {
	if len(c.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.left)
	c.left = c.left[n:]
	return n, nil
}

func (c *recordedConn) Write(p []byte) (int, error) {
	c.answer = append(c.answer, p...)
	return len(p), nil
}

func (*recordedConn) Close() error { return nil }
func (*recordedConn) LocalAddr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}
}

func (*recordedConn) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40000}
}
func (*recordedConn) SetDeadline(time.Time) error      { return nil }
func (*recordedConn) SetReadDeadline(time.Time) error  { return nil }
func (*recordedConn) SetWriteDeadline(time.Time) error { return nil }

// HoldRefusals refuses so often at once, and tells how long each refusal was held.
func HoldRefusals(patience time.Duration) func(n int) []time.Duration {
	r := newRefusals(patience)
	return func(n int) []time.Duration {
		out := make([]time.Duration, n)
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				var rc fasthttp.RequestCtx
				rc.Init(&fasthttp.Request{}, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}, nil)
				rc.Response.SetStatusCode(http.StatusUnauthorized)
				begun := time.Now()
				r.hold(&rc, &exchange{public: true}, time.Now)
				out[i] = time.Since(begun)
			})
		}
		all.Wait()
		return out
	}
}
