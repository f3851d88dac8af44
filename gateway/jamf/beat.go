package jamf

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// Bounds of a heartbeat.
const (
	beatDeadline = 10 * time.Second // each question, once it is on the wire
	beatPatience = time.Minute      // all of it, the waits for a free place in the budget included
	beatPoll     = 250 * time.Millisecond
)

// Health is what one heartbeat says about Jamf.
type Health string

// The three healths. Unasked is neither for nor against Jamf: nothing was sent, or it did not get past the proxy.
const (
	Up      Health = "up"      // Jamf answered for itself, a refusal included
	Down    Health = "down"    // it did not, or something else did; or the breaker is open for a call that shows so
	Unasked Health = "unasked" // the budget had no place, Jamf asked for quiet, the proxy was in the way, the program ends
)

// Beat is the outcome of one heartbeat.
type Beat struct {
	Err    *Error        // the failure that decides; nil = every question was answered
	Since  time.Time     // when calls of any kind began to fail with no answer since; zero = they do not
	Rights Rights        // as v1/auth said; unknown when it did not
	Auth   time.Duration // v1/auth on the wire, 0 = not answered
	Counts []BeatCount   // in the order of the lists asked for; shorter after a failure that ended the heartbeat
}

// BeatCount is the answer to the count of one list.
type BeatCount struct {
	List  List
	Total int
	Took  time.Duration // on the wire
	Err   *Error
}

// Health judges the heartbeat.
func (b Beat) Health() Health {
	switch err := b.Err; {
	case err == nil:
		return Up
	case err.cause() != nil:
		return Down // other calls have proved it
	case !err.sent, errors.Is(err, ErrProxy), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return Unasked
	case errors.Is(err, ErrThrottled), verdictOf(err) == healthy:
		return Up
	default:
		return Down
	}
}

// Beat asks v1/auth and one row of each list, once each, through the budget and the breaker, whose probe it is. It gives
// up after a minute, its waits in the budget included; a question on the wire has 10 s.
func (s *Source) Beat(ctx context.Context, lists ...List) Beat {
	ctx, span := s.startCall(ctx, "jamf heartbeat", "heartbeat")
	defer span.End()
	ctx, cancel := context.WithTimeout(ctx, beatPatience)
	defer cancel()
	var out Beat
	w := s.NewWalk()
	c := rightsCall(&out.Rights)
	switch err := w.beat(ctx, c); {
	case err == nil:
		out.Auth = c.elapsed
	case verdictOf(err) == healthy && err.sent && !errors.Is(err, ErrUnauthorized) && !errors.Is(err, ErrAuthFailed):
		out.Err = err // Jamf does not say; the lists will
	default:
		out.Err = err
		return s.ended(out)
	}
	for _, l := range lists {
		n := BeatCount{List: l}
		n.Total, n.Took, n.Err = w.beatCount(ctx, l)
		out.Counts = append(out.Counts, n)
		if n.Err == nil {
			continue
		}
		if failed := (Beat{Err: n.Err}).Health(); out.Err == nil || failed != Up {
			out.Err = n.Err
			if failed != Up {
				break
			}
		}
	}
	if out.Err == nil {
		w.proveIdle(ctx)
	}
	return s.ended(out)
}

// ended remembers what a heartbeat met; that there was no place for it is no news.
func (s *Source) ended(b Beat) Beat {
	b.Since = s.host.failingSince()
	if b.Health() != Unasked || errors.Is(b.Err, ErrProxy) {
		s.note(b.Err)
	}
	return b
}

// beatCount asks for one row of a list.
func (w *Walk) beatCount(ctx context.Context, l List) (total int, took time.Duration, err *Error) {
	versions, probe := []string{"v2"}, false
	if l == Computers {
		versions, probe = w.candidates()
	}
	for _, version := range versions {
		var p *Page
		c := &call{op: l.op(), path: l.path(version), query: l.query([]string{"GENERAL"}, 0, 1), limit: maxPageBytes, read: func(r io.Reader) error {
			var err error
			p, err = decodePage(r, 1)
			return err
		}}
		if err = w.beat(ctx, c); err == nil {
			if l == Computers {
				w.learnVersion(ctx, version, probe)
			}
			return p.Total, c.elapsed, nil
		}
		if missing, why := pathMissing(err); !missing {
			return 0, 0, asError(l.op(), why)
		}
	}
	return 0, 0, err
}

// beat asks once; a token that is refused or ran out in the queue is renewed once.
func (w *Walk) beat(ctx context.Context, c *call) *Error {
	for renewed := false; ; renewed = true {
		err := w.beatOnce(ctx, c)
		if err == nil {
			return nil
		}
		if renewed || !errors.Is(err, ErrUnauthorized) && !errors.Is(err, errStaleToken) {
			return asError(c.op, err)
		}
	}
}

// beatOnce is one attempt of beat.
func (w *Walk) beatOnce(ctx context.Context, c *call) error {
	s := w.src
	defer s.turn(ctx, c)()
	tok, err := s.tokens.bearerSoon(ctx)
	if err != nil {
		return asError(c.op, err)
	}
	err = s.host.do(ctx, entry{op: c.op}, func(ctx context.Context) error {
		if !tok.validAt(time.Now()) {
			return errStaleToken
		}
		began := time.Now()
		err := s.send(ctx, request{
			op: c.op, method: http.MethodGet, path: c.path, template: c.templateOrPath(), query: c.query,
			token: tok.value, jar: w.jar, timeout: beatDeadline,
		}, c.limit, c.read)
		c.elapsed = time.Since(began)
		return err
	})
	switch {
	case err == nil:
		s.tokens.accepted(tok)
	case errors.Is(err, ErrUnauthorized):
		s.tokens.refused(tok)
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrServerError), errors.Is(err, ErrForbidden):
		s.tokens.accepted(tok)
	}
	return err
}

// bearerSoon is bearer for somebody who waits no longer than beatDeadline once the token endpoint is being asked. The
// renewal itself goes on.
func (t *tokens) bearerSoon(ctx context.Context) (*token, error) {
	for {
		tok, f, err := t.currentOrFlight(ctx)
		if tok != nil || err != nil {
			return tok, err
		}
		poll := time.NewTimer(beatPoll)
		select {
		case <-ctx.Done():
			poll.Stop()
			return nil, canceled(ctx, "token")
		case <-f.done:
			poll.Stop()
			if f.err != nil {
				return nil, f.err
			}
		case <-poll.C:
			if asked := t.askedAt(); !asked.IsZero() && time.Since(asked) >= beatDeadline {
				return nil, &Error{Kind: ErrTimeout, Op: "token", Code: codeTimeout, Detail: "the token endpoint did not answer within 10 s", sent: true}
			}
		}
	}
}

// asks notes that the token endpoint is being asked, until the function that it returns is called.
func (t *tokens) asks() (answered func()) {
	t.mu.Lock()
	t.asked = time.Now()
	t.mu.Unlock()
	return func() {
		t.mu.Lock()
		t.asked = time.Time{}
		t.mu.Unlock()
	}
}

func (t *tokens) askedAt() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.asked
}
