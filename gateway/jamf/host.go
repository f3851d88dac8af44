package jamf

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

// Defaults and bounds of Limits.
const (
	defaultConnections = 2
	maxConnections     = 5 // Jamf: "no more than 5 concurrent connections"
	defaultRate        = 5
	defaultBurst       = 5
)

// The breaker.
const (
	breakerWindow      = 5 * time.Minute
	breakerBucket      = 10 * time.Second
	breakerOpen        = 30 * time.Second
	breakerConsecutive = 5
	breakerMinimum     = 6
	maxBreakerPause    = 5 * time.Minute
)

// Limits towards one Jamf host. Zero values mean the defaults of DESIGN.md (2, 5, 5). Connections are at most 5.
type Limits struct {
	Connections       int
	RequestsPerSecond float64
	Burst             int

	Jitter func(most time.Duration) time.Duration // in [0, most); nil: random
}

func (l Limits) withDefaults() Limits {
	if l.Connections <= 0 {
		l.Connections = defaultConnections
	}
	l.Connections = min(l.Connections, maxConnections)
	if l.RequestsPerSecond <= 0 {
		l.RequestsPerSecond = defaultRate
	}
	if l.Burst <= 0 {
		l.Burst = defaultBurst
	}
	if l.Jitter == nil {
		l.Jitter = rand.N[time.Duration]
	}
	return l
}

// Host is the budget shared by all sources on one Jamf host: semaphore -> limiter -> breaker -> timed attempt, and the
// moment before which nothing may be sent. Safe for concurrent use.
type Host struct {
	authority string
	limits    Limits
	slots     *semaphore.Weighted
	limiter   *rate.Limiter
	breaker   *gobreaker.CircuitBreaker[struct{}]
	share     share // of calls for somebody else
	meters    *hostMeters

	// mu is also taken inside the breaker's callback, so the breaker is never called under it.
	mu        sync.Mutex
	throttled time.Time   // Jamf asked for quiet until then
	rejected  int         // 429s in a row without a word on how long
	paused    time.Time   // the breaker's own pause, longer each time it opens again
	opens     int         // in a row, none of them more than the window after the breaker closed
	closed    time.Time   // when the breaker last closed
	cause     *CauseError // of the breaker's state; nil = no call failed yet
	failing   time.Time   // since when calls fail and none is answered; zero = they do not
	well      time.Time   // when Jamf last answered for itself
	inFlight  int
}

// NewHost makes the budget towards the host named by authority (see Authority). It starts nothing.
func NewHost(authority string, l Limits, t Telemetry) *Host {
	l = l.withDefaults()
	h := &Host{
		authority: authority,
		limits:    l,
		slots:     semaphore.NewWeighted(int64(l.Connections)),
		limiter:   rate.NewLimiter(rate.Limit(l.RequestsPerSecond), l.Burst),
		share:     newShare(l),
	}
	h.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name:         authority,
		Interval:     breakerWindow,
		BucketPeriod: breakerBucket,
		Timeout:      breakerOpen,
		ReadyToTrip: func(c gobreaker.Counts) bool {
			done := c.TotalSuccesses + c.TotalFailures // Requests also counts what is running
			return c.ConsecutiveFailures >= breakerConsecutive || (done >= breakerMinimum && 2*c.TotalFailures >= done)
		},
		IsSuccessful:  func(err error) bool { return verdictOf(err) == healthy },
		IsExcluded:    func(err error) bool { return verdictOf(err) == noVerdict },
		OnStateChange: func(_ string, from, to gobreaker.State) { h.breakerChanged(from, to) },
	})
	h.meters = newHostMeters(t, h)
	return h
}

// Close ends the metrics of a host that no source is on any more. Calls under way go on.
func (h *Host) Close() { h.meters.unobserve() }

// verdict is what one attempt says of the health of Jamf.
type verdict uint8

const (
	healthy verdict = iota + 1
	sick
	noVerdict
)

// verdictOf judges an attempt. 401, 403, 404 and other 4xx come from a host that is well; 429, a record that cannot be
// rendered, a redirect and everything that ended on our side say nothing about it.
func verdictOf(err error) verdict {
	switch {
	case err == nil:
		return healthy
	case errors.Is(err, errStaleToken), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return noVerdict
	case errors.Is(err, ErrThrottled), errors.Is(err, ErrServerError), errors.Is(err, ErrRedirect), errors.Is(err, ErrTooLarge),
		errors.Is(err, ErrProxy):
		return noVerdict
	case errors.Is(err, ErrUnauthorized), errors.Is(err, ErrForbidden), errors.Is(err, ErrNotFound),
		errors.Is(err, ErrBadRequest), errors.Is(err, ErrAuthFailed):
		return healthy
	case answeredClientError(err):
		return noVerdict // HTML with a 4xx: something in front of Jamf answered
	default:
		return sick
	}
}

func answeredClientError(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Status >= 400 && e.Status < 500
}

// breakerChanged runs under the breaker's lock.
func (h *Host) breakerChanged(from, to gobreaker.State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	switch to {
	case gobreaker.StateOpen:
		if from == gobreaker.StateClosed && now.Sub(h.closed) > breakerWindow {
			h.opens = 0
		}
		pause := min(breakerOpen<<min(h.opens, 8), maxBreakerPause)
		h.opens++
		// A hair later than the breaker's own end, so that who waits for it does not come too early.
		h.paused = now.Add(pause + time.Millisecond)
	case gobreaker.StateClosed:
		// The pause keeps its length for a while: one good answer, of the token endpoint perhaps, is no recovery.
		h.closed, h.paused = now, time.Time{}
	case gobreaker.StateHalfOpen:
	}
	h.meters.breakerChanged(from, to)
}

// entry is how a call enters the budget.
type entry struct {
	op    string
	probe bool // an explicit connection test: passes the breaker and is not counted by it
	guest bool // a call for somebody else: goes out while the breaker is closed and is not counted by it
	// patience is how long the call may wait for a throttle to end before it is told so; 0 = not at all.
	patience time.Duration
}

// do runs one attempt inside the budget. The errors that it makes itself (a throttle longer than the patience, an open
// breaker, a caller who gave up) have sent = false. Nothing is held while it waits for a throttle.
func (h *Host) do(ctx context.Context, e entry, attempt func(context.Context) error) error {
	if err := h.place(ctx, e); err != nil {
		return err
	}
	defer h.slots.Release(1)
	return h.enter(ctx, e, attempt)
}

// hold takes a place in the budget from the opening of a connection to its end, over several steps. Without an error, release
// must be called. It is for probes only: the breaker neither stops nor counts it.
func (h *Host) hold(ctx context.Context, op string) (release func(), err error) {
	if err := h.place(ctx, entry{op: op, probe: true}); err != nil {
		return nil, err
	}
	if err := h.pace(ctx, op); err != nil {
		h.slots.Release(1)
		return nil, err
	}
	h.flight(ctx, 1)
	return sync.OnceFunc(func() {
		h.flight(context.WithoutCancel(ctx), -1)
		h.slots.Release(1)
	}), nil
}

// place waits for the end of a throttle and takes a slot of the semaphore.
func (h *Host) place(ctx context.Context, e entry) error {
	for {
		if err := h.awaitThrottle(ctx, e); err != nil {
			return err
		}
		if !e.probe {
			if wait := h.breakerPause(); wait > 0 {
				return h.breakerError(e.op, wait)
			}
		}
		if err := h.slots.Acquire(ctx, 1); err != nil {
			return canceled(ctx, e.op)
		}
		if h.throttleLeft() <= 0 {
			return nil
		}
		h.slots.Release(1) // changed while we stood in the queue
	}
}

// pace waits for the limiter.
func (h *Host) pace(ctx context.Context, op string) error {
	if err := h.limiter.Wait(ctx); err != nil {
		// Also when the caller's deadline is nearer than the next token: rate says so before the deadline comes.
		c := canceled(ctx, op)
		if ctx.Err() == nil {
			c.Kind = context.DeadlineExceeded
		}
		return c
	}
	return nil
}

// enter runs with a slot of the semaphore held.
func (h *Host) enter(ctx context.Context, e entry, attempt func(context.Context) error) error {
	if err := h.pace(ctx, e.op); err != nil {
		return err
	}
	run := func() (struct{}, error) {
		h.flight(ctx, 1)
		defer h.flight(ctx, -1)
		return struct{}{}, attempt(ctx)
	}
	if e.guest && h.breaker.State() != gobreaker.StateClosed {
		return h.breakerError(e.op, max(h.breakerPause(), time.Second))
	}
	began := time.Now()
	if e.probe || e.guest {
		_, err := run()
		h.account(e, began, err)
		h.learn(err)
		return err
	}
	_, err := h.breaker.Execute(func() (struct{}, error) {
		_, err := run()
		h.account(e, began, err) // before the breaker opens for it, so that who is turned away knows why
		return struct{}{}, err
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return h.breakerError(e.op, max(h.breakerPause(), time.Second))
	}
	h.learn(err)
	return err
}

// learn takes over what an answer says about when to come again.
func (h *Host) learn(err error) {
	e, ok := errors.AsType[*Error](err)
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err == nil:
		h.rejected = 0
	case ok && e.RetryAfter > 0:
		h.throttled = later(h.throttled, time.Now().Add(e.RetryAfter))
	case ok && errors.Is(e, ErrThrottled):
		h.rejected++
		e.RetryAfter = h.backoff(h.rejected)
		h.throttled = later(h.throttled, time.Now().Add(e.RetryAfter))
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// awaitThrottle waits until Jamf may be asked again, with a little jitter so that waiters do not come in one burst.
func (h *Host) awaitThrottle(ctx context.Context, e entry) error {
	for first := true; ; first = false {
		left := h.throttleLeft()
		if left <= 0 {
			return nil
		}
		if left > e.patience {
			return &Error{
				Kind: ErrThrottled, Op: e.op, Code: codeThrottled, RetryAfter: left,
				Detail: "Jamf asked for fewer requests: nothing is sent before " + time.Now().Add(left).UTC().Format(time.RFC3339),
			}
		}
		if first {
			left += h.limits.Jitter(min(left/10, time.Second) + 1)
		}
		if err := sleep(ctx, left); err != nil {
			return canceled(ctx, e.op)
		}
	}
}

func (h *Host) throttleLeft() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Until(h.throttled)
}

func (h *Host) breakerPause() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Until(h.paused)
}

func (h *Host) flight(ctx context.Context, n int) {
	h.mu.Lock()
	h.inFlight += n
	h.mu.Unlock()
	h.meters.flight(ctx, n)
}

// snapshot is what Status shows of the host.
func (h *Host) snapshot() (breaker string, notBefore time.Time, inFlight int) {
	state := h.breaker.State()
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if state == gobreaker.StateHalfOpen && h.paused.After(now) {
		state = gobreaker.StateOpen // the longer pause of a host that keeps failing
	}
	if notBefore = later(h.throttled, h.paused); !notBefore.After(now) {
		notBefore = time.Time{}
	}
	return state.String(), notBefore, h.inFlight
}

// backoff is the wait before the n-th retry: 1 s plus full jitter up to a ceiling that doubles and ends at 60 s.
func (h *Host) backoff(n int) time.Duration {
	ceiling := min(2*time.Second<<min(n, 8), time.Minute)
	return time.Second + h.limits.Jitter(ceiling-time.Second)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
