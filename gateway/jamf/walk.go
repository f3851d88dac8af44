package jamf

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Bounds of a call.
const (
	maxAttempts    = 3
	maxBreakerWait = 15 * time.Minute
	maxFirstWait   = 10 * time.Second // of a call that begins a walk: until somebody else's probe has ended
	minRetries     = 3
	retryShare     = 10 // one retry in so many requests
	retryTrickle   = 10 * time.Second
	opRecord       = "record"
)

// Walk is a session of calls with one cookie jar and one retry budget. Safe for concurrent use.
type Walk struct {
	src   *Source
	jar   http.CookieJar
	began time.Time

	mu       sync.Mutex
	version  string    // of computers-inventory, proved in this walk
	provedAt time.Time // when that version last answered
	requests int
	retries  int
	reissued bool // the token was issued anew after a 403
}

// call is one question with its attempts.
type call struct {
	op       string
	path     string
	template string // "" = path
	query    url.Values
	limit    int64
	read     func(io.Reader) error
	first    bool          // begins a walk: nothing is lost when it fails, so it does not wait for an open breaker to close
	optional bool          // a missing right is no failure: neither remembered nor a reason for a new token
	elapsed  time.Duration // of the attempt that succeeded
}

// ask runs the attempts of a call.
func (w *Walk) ask(ctx context.Context, c *call) *Error {
	a := &asking{walk: w, call: c}
	for {
		err := a.attempt(ctx)
		if err == nil {
			w.src.note(nil)
			return nil
		}
		if ctx.Err() != nil {
			return canceled(ctx, c.op)
		}
		again, stop := a.again(ctx, err)
		if stop != nil {
			return stop
		}
		if !again {
			if !c.optional || !errors.Is(err, ErrForbidden) {
				w.src.note(err)
			}
			return err
		}
	}
}

// asking is the state of one call between its attempts.
type asking struct {
	walk    *Walk
	call    *call
	tok     *token
	sent    int // attempts
	waited  time.Duration
	renewed bool // after a 401
	broken  int  // 500 with Jamf's envelope
}

// attempt gets a token and sends the request once. nil is success.
func (a *asking) attempt(ctx context.Context) *Error {
	s, c := a.walk.src, a.call
	defer s.turn(ctx, c)()
	tok, err := s.tokens.bearer(ctx)
	if err != nil {
		a.tok = nil
		return asError(c.op, err)
	}
	a.tok = tok
	err = s.host.do(ctx, entry{op: c.op, patience: maxThrottle}, func(ctx context.Context) error {
		if !tok.validAt(time.Now()) {
			return errStaleToken
		}
		a.walk.countRequest()
		began := time.Now()
		err := s.send(ctx, request{
			op: c.op, method: http.MethodGet, path: c.path, template: c.templateOrPath(), query: c.query,
			token: tok.value, jar: a.walk.jar, timeout: s.o.PageTimeout, resend: a.sent,
		}, c.limit, c.read)
		c.elapsed = time.Since(began)
		return err
	})
	switch {
	case err == nil:
		s.tokens.accepted(tok)
		return nil
	case errors.Is(err, errStaleToken):
		return &Error{Kind: errStaleToken, Op: c.op}
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrServerError):
		s.tokens.accepted(tok) // Jamf's own envelope: the token got past the door
	}
	return asError(c.op, err)
}

func (c *call) templateOrPath() string {
	if c.template != "" {
		return c.template
	}
	return c.path
}

// again decides after a failure whether to send once more, and waits for the moment. stop is set when the caller gave up.
func (a *asking) again(ctx context.Context, err *Error) (again bool, stop *Error) {
	if err.sent {
		a.sent++
	}
	switch {
	case errors.Is(err, errStaleToken):
		return true, nil
	case errors.Is(err, ErrBreakerOpen):
		return a.awaitBreaker(ctx, err)
	case errors.Is(err, ErrThrottled) && !err.sent:
		return a.wait(ctx, err.RetryAfter)
	case errors.Is(err, ErrUnauthorized) && a.tok != nil:
		return a.renew() && a.sent < maxAttempts, nil
	case errors.Is(err, ErrForbidden) && a.tok != nil:
		return !a.call.optional && a.reissue(err) && a.sent < maxAttempts, nil
	}
	if !retriable(err) || a.sent >= maxAttempts {
		return false, nil
	}
	if errors.Is(err, ErrServerError) {
		// A list is asked for again in smaller pages by the caller; only a single record has no other way.
		if a.broken++; a.broken > 1 || a.call.op != opRecord {
			return false, nil
		}
	}
	if !a.walk.spendRetry() {
		return false, nil
	}
	a.walk.src.meters.retry(ctx, a.call.op)
	if err.RetryAfter > 0 {
		return true, nil // the host's own pause comes before the next attempt
	}
	return a.wait(ctx, a.walk.src.host.backoff(a.sent))
}

// retriable: what may be over in a moment. A time-out is not: the same size would time out again.
func retriable(err *Error) bool {
	switch {
	case errors.Is(err, ErrThrottled), errors.Is(err, ErrServerError), errors.Is(err, ErrSchema):
		return true
	case errors.Is(err, ErrProxy):
		return err.Code != codeProxyLogin
	case errors.Is(err, ErrUnavailable):
		return err.Status < 400 || err.Status >= 500 // what stands in front of Jamf will say no again
	default:
		return false
	}
}

// awaitBreaker waits for a breaker that opened in mid-walk, 15 min in all. A call that begins a walk waits for a probe alone.
func (a *asking) awaitBreaker(ctx context.Context, err *Error) (again bool, stop *Error) {
	left := maxBreakerWait - a.waited
	if a.call.first {
		left = maxFirstWait - a.waited
	}
	if left <= 0 || a.call.first && err.RetryAfter > left {
		return false, nil
	}
	wait := min(max(err.RetryAfter, time.Second), left)
	a.waited += wait
	return a.wait(ctx, wait)
}

func (a *asking) wait(ctx context.Context, d time.Duration) (again bool, stop *Error) {
	if err := sleep(ctx, d); err != nil {
		return false, canceled(ctx, a.call.op)
	}
	return true, nil
}

// renew drops the token that got a 401; the first time there is another attempt with a fresh one.
func (a *asking) renew() bool {
	a.walk.src.tokens.refused(a.tok)
	first := !a.renewed
	a.renewed = true
	return first
}

// reissue: rights are taken over by live tokens according to one author, by new tokens according to another. So one
// 403 in a walk is answered with a token issued anew.
func (a *asking) reissue(err *Error) bool {
	if !err.html {
		a.walk.src.tokens.accepted(a.tok)
	}
	a.walk.mu.Lock()
	first := !a.walk.reissued
	a.walk.reissued = true
	a.walk.mu.Unlock()
	if first {
		a.walk.src.tokens.reissue(a.tok)
	}
	return first
}

func (w *Walk) countRequest() {
	w.mu.Lock()
	w.requests++
	w.mu.Unlock()
}

// spendRetry takes one retry from the walk's budget: max(3, 10 % of its requests), plus one in 10 s of its life.
func (w *Walk) spendRetry() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.retries >= max(minRetries, w.requests/retryShare)+int(time.Since(w.began)/retryTrickle) {
		return false
	}
	w.retries++
	return true
}
