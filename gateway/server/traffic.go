package server

import (
	"context"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"jamf-gateway/cache"
)

// Bounds of the answers in flight. Nobody reads them from a setting: memory is the operator's, cache.max_bytes says how much.
const (
	defaultTraffic  = 256 << 20
	smallAnswer     = 256 << 10 // estimated bytes below which an answer is not accounted for
	renderingFactor = 3         // an answer being rendered needs its records, its growing body and the spare room of both
	usualRow        = 16 << 10  // bytes a row, until an endpoint was seen
	trafficWait     = 2 * time.Second
	clientRequests  = 64 // of one client at once, until their answers are written
)

// traffic bounds the bytes of the answers that are rendered or still being written to slow readers: fasthttp keeps a
// body until the last byte is gone. Equal answers are one body, counted once. One client gets half of the room at most, and an
// answer that is larger than the room passes when nothing else is under way.
type traffic struct {
	room int64

	mu       sync.Mutex
	used     int64
	byClient map[string]int64 // client -> bytes
	requests map[string]int   // client -> requests
	freed    chan struct{}    // closed and replaced whenever there is more room
	sending  map[string]*sent // key of the answer
	rows     map[string]int64 // endpoint -> bytes a row, smoothed
}

// sent is one answer under way.
type sent struct {
	client  string // who is charged
	weight  int64
	readers int
	ready   chan struct{}
	answer  cache.Answer // valid when ready is closed and err is nil
	err     error
}

func newTraffic(room int64) *traffic {
	return &traffic{
		room: room, byClient: map[string]int64{}, requests: map[string]int{}, freed: make(chan struct{}),
		sending: map[string]*sent{}, rows: map[string]int64{},
	}
}

// enter counts a request of a client in and tells how many he has now; false when he has too many at once. Every true needs
// one leave.
func (t *traffic) enter(client string) (atOnce int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.requests[client] >= clientRequests {
		return clientRequests, false
	}
	t.requests[client]++
	return t.requests[client], true
}

func (t *traffic) leave(client string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.requests[client]--; t.requests[client] <= 0 {
		delete(t.requests, client)
	}
}

// estimate guesses the bytes of an answer of so many rows.
func (t *traffic) estimate(endpoint string, rows int) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	row, seen := t.rows[endpoint]
	if !seen {
		row = usualRow
	}
	return int64(rows) * row
}

// learn takes over how large the rows of an endpoint really are.
func (t *traffic) learn(endpoint string, rows int, body []byte) {
	if rows < 10 {
		return // mostly envelope
	}
	row := int64(len(body)/rows) + 1
	t.mu.Lock()
	defer t.mu.Unlock()
	if old, seen := t.rows[endpoint]; seen && old > row {
		row = (7*old + row) / 8 // down slowly, up at once
	}
	t.rows[endpoint] = row
}

// get returns the answer under the key: the one under way, or that of ask, for which there must be room first.
// A *fault with the code busy when there is none within a short wait. Every success needs one done.
func (t *traffic) get(ctx context.Context, client, key string, weight int64, ask func() (cache.Answer, error)) (*sent, error) {
	e, first := t.join(client, key)
	if !first {
		select {
		case <-e.ready:
		case <-ctx.Done():
			t.done(key, e)
			return nil, ctx.Err()
		}
		if e.err != nil {
			t.done(key, e)
			return nil, e.err
		}
		return e, nil
	}
	if e.err = t.reserve(ctx, e, weight*renderingFactor); e.err == nil {
		e.answer, e.err = ask()
	}
	t.settle(key, e)
	close(e.ready)
	if e.err != nil {
		t.done(key, e)
		return nil, e.err
	}
	return e, nil
}

func (t *traffic) join(client, key string) (e *sent, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e, ok := t.sending[key]; ok {
		e.readers++
		return e, false
	}
	e = &sent{client: client, readers: 1, ready: make(chan struct{})}
	t.sending[key] = e
	return e, true
}

// reserve waits for room.
func (t *traffic) reserve(ctx context.Context, e *sent, weight int64) error {
	wait := time.NewTimer(trafficWait)
	defer wait.Stop()
	for {
		freed := t.take(e, weight)
		if freed == nil {
			return nil
		}
		select {
		case <-freed:
		case <-wait.C:
			return &fault{code: codeBusy, retryAfter: shortestRetryAfter}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// take charges the weight if there is room for it, or tells what to wait for.
func (t *traffic) take(e *sent, weight int64) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	mine := t.byClient[e.client]
	if t.used > 0 && t.used+weight > t.room || mine > 0 && mine+weight > t.room/2 {
		return t.freed
	}
	t.chargeLocked(e, weight)
	return nil
}

// settle replaces the estimate by what the answer takes. One that failed is no longer joined.
func (t *traffic) settle(key string, e *sent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.err != nil {
		delete(t.sending, key)
	}
	t.chargeLocked(e, int64(cap(e.answer.Body)))
}

// done counts a reader out; the last one gives the room back.
func (t *traffic) done(key string, e *sent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.readers--; e.readers > 0 {
		return
	}
	if t.sending[key] == e {
		delete(t.sending, key)
	}
	t.chargeLocked(e, 0)
}

func (t *traffic) chargeLocked(e *sent, weight int64) {
	more := weight - e.weight
	e.weight = weight
	t.used += more
	if t.byClient[e.client] += more; t.byClient[e.client] <= 0 {
		delete(t.byClient, e.client)
	}
	if more < 0 {
		close(t.freed)
		t.freed = make(chan struct{})
	}
}

// bodyStream writes a body without copying it and tells when it is written or given up. A short write breaks the
// response: the length is announced.
type bodyStream struct {
	left []byte
	once sync.Once
	gone func()
}

// Read is used where the body cannot be written in one piece.
func (b *bodyStream) Read(p []byte) (int, error) {
	if len(b.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, b.left)
	b.left = b.left[n:]
	return n, nil
}

// WriteTo writes the body in one piece.
func (b *bodyStream) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(b.left)
	b.left = b.left[n:]
	return int64(n), err
}

// Close is called by fasthttp when the response is written, reset or broken.
func (b *bodyStream) Close() error {
	b.once.Do(b.gone)
	return nil
}

// fetched is an answer to be sent.
type fetched struct {
	answer  cache.Answer
	hit     bool   // it was there already, in ristretto or under way to another reader
	release func() // nil for a small one; called when nobody needs the body any more: send hands it on to the response
}

// fetch gets an answer from the store, a large one within the bounds.
func (s *Server) fetch(ctx context.Context, x *exchange, rows int, key cache.Key, render func(context.Context) ([]byte, error)) (fetched, error) {
	weight := s.traffic.estimate(key.Endpoint, rows)
	hit, asked := false, false
	ask := func() (a cache.Answer, err error) {
		asked = true
		a, hit, err = s.o.Store.Answer(ctx, key, func(ctx context.Context) ([]byte, error) {
			body, err := render(ctx)
			if err == nil {
				s.traffic.learn(key.Endpoint, rows, body)
			}
			return body, err
		})
		return a, err
	}
	if weight < smallAnswer {
		a, err := ask()
		return fetched{answer: a, hit: hit}, err
	}
	name := answerName(key)
	e, err := s.traffic.get(ctx, x.client(), name, weight, ask)
	if err != nil {
		return fetched{}, err
	}
	return fetched{e.answer, hit || !asked, func() { s.traffic.done(name, e) }}, nil
}

// answerName tells two answers apart; no part holds a zero byte.
func answerName(k cache.Key) string {
	parts := append(append(make([]string, 0, len(k.Generations)+5), k.Generations...), k.State, k.Policy, k.Endpoint, k.Query, k.Encoding)
	return strings.Join(parts, "\x00")
}

// send sets the body of a response. Until it is written, a large one and its request are counted.
func (s *Server) send(rc *fasthttp.RequestCtx, x *exchange, body []byte, release func()) {
	if release == nil {
		rc.Response.SetBodyRaw(body)
		return
	}
	x.sending = true
	client := x.client()
	rc.Response.SetBodyStream(&bodyStream{left: body, gone: func() {
		release()
		s.traffic.leave(client)
	}}, len(body))
}
