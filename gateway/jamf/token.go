package jamf

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of the token source.
const (
	tokenTimeout    = 30 * time.Second // one call of the token endpoint
	flightTimeout   = 3 * time.Minute  // one renewal with its wait in the budget
	renewalPause    = 5 * time.Second  // between renewals that fail while the old token is still valid
	youngToken      = time.Minute      // a 401 on a younger token is a refusal of the credentials
	refusalWindow   = 15 * time.Minute
	refusalLimit    = 3
	refusalPause    = 30 * time.Second // doubled with each refusal in a row
	maxRefusalPause = 5 * time.Minute
)

// The two paths of the token endpoint, newest first.
const (
	tokenPathV1  = "/v1/oauth/token" //nolint:gosec // a path
	tokenPathOld = "/oauth/token"    //nolint:gosec // a path
)

// errStaleToken ends an attempt whose token ran out while it stood in the queue.
var errStaleToken = errors.New("token ran out in the queue")

// token is one access token.
type token struct {
	value   string
	by      *login
	born    time.Time
	expires time.Time
	renew   time.Time // from then on a new one is fetched; the lock of tokens guards it
}

func newToken(by *login, value string, asked time.Time, life time.Duration) *token {
	expires := asked.Add(life)
	return &token{value: value, by: by, born: asked, expires: expires, renew: expires.Add(-min(30*time.Second, life/4))}
}

func (t *token) validAt(now time.Time) bool { return t != nil && now.Before(t.expires) }

// flight is one renewal under way; err is set before done is closed.
type flight struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiting int // callers; the lock of tokens guards it
	err     error
}

// tokens keeps the token of one source. Safe for concurrent use; no lock is held across a call.
type tokens struct {
	src         *Source
	unversioned atomic.Bool    // the endpoint is the old one
	running     sync.WaitGroup // renewals
	unobserve   func()         // ends its metric

	mu       sync.Mutex
	logins   []*login // what the settings name, the first one first; one or two
	active   *login   // the one that brought the last token
	current  *token
	flight   *flight
	asked    time.Time // since when the endpoint is being asked; zero = it is not
	notAhead time.Time // no renewal ahead of need before
	lastErr  error     // of the last renewal
	retired  bool      // another source stands in its place: a renewal for nobody is given up
	closed   bool
}

// bearer gives a valid token. One renewal at a time serves all callers; each waits no longer than its own context.
func (t *tokens) bearer(ctx context.Context) (*token, error) {
	for {
		tok, f, err := t.currentOrFlight(ctx)
		if tok != nil || err != nil {
			return tok, err
		}
		select {
		case <-ctx.Done():
			t.leave(f)
			return nil, canceled(ctx, "token")
		case <-f.done:
			if f.err != nil {
				return nil, f.err
			}
		}
	}
}

// currentOrFlight gives the token at hand (and renews it in the background when it is time), or the renewal to wait for.
func (t *tokens) currentOrFlight(ctx context.Context) (*token, *flight, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if t.closed {
		return nil, nil, &Error{Kind: context.Canceled, Op: "token", Code: codeCanceled, Detail: "the source is closed"}
	}
	if t.current.validAt(now) {
		if t.flight == nil && !now.Before(t.current.renew) && !now.Before(t.notAhead) && t.pauseLocked(now) == 0 {
			t.startLocked(ctx)
		}
		return t.current, nil, nil
	}
	if t.flight == nil {
		if wait := t.pauseLocked(now); wait > 0 {
			return nil, nil, t.refusedLocked(wait)
		}
		t.startLocked(ctx)
	}
	t.flight.waiting++
	return nil, t.flight, nil
}

// leave is told that a caller waits no longer.
func (t *tokens) leave(f *flight) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f.waiting--
	t.giveUpLocked()
}

// retire is told that another source stands in the place of this one. Callers that still wait get their token.
func (t *tokens) retire() {
	t.unobserve()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.retired = true
	t.giveUpLocked()
}

// giveUpLocked ends a renewal that nobody waits for and that nobody will need. Who comes after all begins another.
func (t *tokens) giveUpLocked() {
	if f := t.flight; f != nil && t.retired && f.waiting == 0 {
		f.cancel()
		t.flight = nil
	}
}

// startLocked starts a renewal that outlives the caller who needed it first.
func (t *tokens) startLocked(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flightTimeout)
	f := &flight{done: make(chan struct{}), cancel: cancel}
	t.flight = f
	t.running.Go(func() {
		defer cancel()
		tok, err := t.fetch(ctx, entry{op: "token"})
		t.land(ctx, f, tok, err)
	})
}

// land takes over the outcome of a renewal.
func (t *tokens) land(ctx context.Context, f *flight, tok *token, err error) {
	t.mu.Lock()
	f.err = err
	if t.flight != f { // given up
		t.mu.Unlock()
		close(f.done)
		return
	}
	t.flight = nil
	t.lastErr = err
	now := time.Now()
	kept := false
	switch {
	case err == nil:
		t.current = tok
	case errors.Is(err, ErrAuthFailed):
		t.notAhead = now.Add(renewalPause)
		kept = t.current.validAt(now)
	default:
		t.notAhead = now.Add(renewalPause)
		kept = t.current.validAt(now)
	}
	dead := t.deadLocked()
	t.mu.Unlock()
	defer close(f.done)
	if kept { // nobody else gets to see this error
		t.src.log.WarnContext(ctx, "renew access token: the old one is still used", "source", t.src.o.Name, "code", outcomeOf(err))
	}
	if dead && errors.Is(err, ErrAuthFailed) {
		t.src.log.WarnContext(ctx, "jamf refuses the credentials", "source", t.src.o.Name, "code", codeAuthFailed)
	}
}

// fetch calls the token endpoint, the other path too when there is none at the first.
func (t *tokens) fetch(ctx context.Context, e entry) (*token, error) {
	ctx, span := t.src.startCall(ctx, "jamf token", "token")
	tok, err := t.fetchAny(ctx, e)
	t.src.meters.token(ctx, outcomeOf(err))
	endSpan(span, err)
	return tok, err
}

// fetchAny asks for the client in use, and for the other one when Jamf refuses that. A client that brought a token stays in use until it
// is refused itself.
func (t *tokens) fetchAny(ctx context.Context, e entry) (*token, error) {
	var first error
	for _, l := range t.ready() {
		tok, err := t.fetchFor(ctx, e, l)
		if err == nil || !errors.Is(err, ErrAuthFailed) {
			if err == nil {
				t.use(ctx, l)
			}
			return tok, err
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// fetchFor asks for one client. One whose secret was changed meanwhile is asked for once more, with the new one.
func (t *tokens) fetchFor(ctx context.Context, e entry, l *login) (*token, error) {
	used := l.Secret()
	tok, err := t.fetchEither(ctx, e, l, used)
	if err == nil || !errors.Is(err, ErrAuthFailed) {
		return tok, err
	}
	t.refuse(ctx, l)
	if l.Reread != nil {
		l.Reread()
	}
	if now := l.Secret(); now != used {
		t.renewed(l.ID)
		if tok, err = t.fetchEither(ctx, e, l, now); err != nil && errors.Is(err, ErrAuthFailed) {
			t.refuse(ctx, l)
		}
	}
	return tok, err
}

func (t *tokens) fetchEither(ctx context.Context, e entry, l *login, secret string) (*token, error) {
	old := t.unversioned.Load()
	tok, err := t.fetchAt(ctx, e, l, secret, old)
	if err != nil && errors.Is(err, ErrNotFound) {
		if tok, err = t.fetchAt(ctx, e, l, secret, !old); err == nil || !errors.Is(err, ErrNotFound) {
			t.unversioned.Store(!old)
		}
	}
	if err != nil {
		return nil, ofTheToken(err)
	}
	return tok, nil
}

// ofTheToken makes sure that a failure of the token endpoint never looks like one of a page or a record: a 404 here is
// no deleted device, a time-out no page that is too large.
func ofTheToken(e *Error) *Error {
	switch {
	case errors.Is(e, ErrAuthFailed), errors.Is(e, ErrThrottled), errors.Is(e, ErrBreakerOpen), errors.Is(e, ErrRedirect),
		errors.Is(e, ErrProxy), errors.Is(e, context.Canceled):
		return e
	}
	out := *e
	out.Kind = ErrUnavailable
	switch {
	case errors.Is(e, ErrNotFound):
		out.Detail = "there is no token endpoint below this URL: is it that of a Jamf Pro, ending in /api?"
	case errors.Is(e, context.DeadlineExceeded):
		out.Code, out.Detail = codeTimeout, "no token within 3 minutes: the budget towards this host is busy"
	case errors.Is(e, ErrTimeout):
		out.Detail = "the token endpoint did not answer in time"
	}
	return &out
}

func (t *tokens) fetchAt(ctx context.Context, e entry, l *login, secret string, old bool) (*token, *Error) {
	path := tokenPathV1
	if old {
		path = tokenPathOld
	}
	var tok *token
	err := t.src.host.do(ctx, e, func(ctx context.Context) error {
		defer t.asks()()
		form := url.Values{
			"client_id": {l.ID}, "client_secret": {secret}, "grant_type": {"client_credentials"},
		}
		asked := time.Now()
		return tokenFault(t.src.send(ctx, request{
			op: "token", method: http.MethodPost, path: path, template: path, form: form.Encode(), timeout: tokenTimeout,
		}, maxSmallBytes, func(r io.Reader) error {
			value, life, err := readToken(r)
			if err == nil {
				tok = newToken(l, value, asked, life)
			}
			return err
		}))
	})
	if err != nil {
		return nil, asError("token", err)
	}
	return tok, nil
}

// tokenFault gives the refusals of the token endpoint their own names: the API's 401 means another thing than this one.
func tokenFault(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Status < 400 || e.Status >= 500 || errors.Is(e, ErrNotFound) || errors.Is(e, ErrThrottled) || e.Code == codeHTML {
		return err
	}
	switch {
	case e.oauth != "":
		e.Kind, e.Code = ErrAuthFailed, codeAuthFailed
		e.Detail += ": the token endpoint refused the API client: " + e.oauth
	case e.html:
		e.Kind, e.Code = ErrUnavailable, codeHTML
		e.Detail += " and HTML to the token call: something in front of Jamf answered"
	case e.envelope && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden):
		e.Kind, e.Code = ErrAuthFailed, codeAuthFailed
		e.Detail += ": the token endpoint refused the API client"
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden:
		e.Kind, e.Code = ErrUnavailable, codeUnexpected
		e.Detail += " and no reason to the token call: something in front of Jamf answered"
	}
	return e
}

// refused is told of a 401 on the API. Exactly the token that got it is dropped, and counted once.
func (t *tokens) refused(tok *token) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current != tok {
		return
	}
	t.current = nil
	if now := time.Now(); now.Sub(tok.born) < youngToken {
		tok.by.refuse(now)
		t.explainLocked()
	}
}

// reissue drops a token that is good but may hold outdated rights.
func (t *tokens) reissue(tok *token) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current == tok {
		t.current = nil
	}
}

// prove fetches a token for a connection test. While Jamf refuses the credentials and the pause is not over, the secret stays
// here. A refusal counts like any other; a token takes back nothing until the API takes it.
func (t *tokens) prove(ctx context.Context) (*token, error) {
	t.mu.Lock()
	var paused *Error
	if wait := t.pauseLocked(time.Now()); wait > 0 {
		paused = t.refusedLocked(wait)
	}
	t.mu.Unlock()
	if paused != nil {
		return nil, paused
	}
	tok, err := t.fetch(ctx, entry{op: "token", probe: true})
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err == nil:
		t.current, t.lastErr = tok, nil
	case errors.Is(err, ErrAuthFailed):
		t.lastErr = err
	}
	return tok, err
}

// explainLocked gives refusals of the API a reason of their own.
func (t *tokens) explainLocked() {
	if t.lastErr == nil || !errors.Is(t.lastErr, ErrAuthFailed) {
		t.lastErr = &Error{Kind: ErrAuthFailed, Op: "token", Code: codeAuthFailed, Detail: "Jamf refuses tokens that it has just issued"}
	}
}

func (t *tokens) refusedLocked(wait time.Duration) *Error {
	return &Error{
		Kind: ErrAuthFailed, Op: "token", Code: codeAuthFailed, RetryAfter: wait,
		Detail: "Jamf refused the credentials 3 times: no token is asked for before " + time.Now().Add(wait).UTC().Format(time.RFC3339),
	}
}

// state is what Status shows.
func (t *tokens) state() (name string, expires time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	valid := t.current.validAt(time.Now())
	if valid {
		expires = t.current.expires
	}
	switch {
	case t.deadLocked():
		name = "auth_failed"
	case valid:
		name = "valid"
	case t.flight != nil:
		name = "renewing"
	case t.lastErr != nil:
		name = "failed"
	default:
		name = "none"
	}
	return name, expires
}

// close ends a renewal under way and waits for it.
func (t *tokens) close() {
	t.mu.Lock()
	t.closed = true
	f := t.flight
	t.mu.Unlock()
	if f != nil {
		f.cancel()
	}
	t.running.Wait()
}
