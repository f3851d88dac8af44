package jamf

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
)

// How often a heartbeat proves the API client that is not in use: it must be good on the day it is needed, and whoever mends one that is
// refused shall see so.
const (
	proveGood    = 24 * time.Hour
	proveRefused = time.Hour
)

// LoginStatus is what Jamf thinks of one API client.
type LoginStatus struct {
	ID      string
	InUse   bool
	Refused time.Time // since when Jamf refuses it; zero = it does not, as far as is known
	Proved  time.Time // when it was last taken; zero = never, or it is refused
	Rights  Rights    // as v1/auth last said for its token; unknown when it was not asked
}

func newTokens(s *Source, first Login, second *Login) *tokens {
	t := &tokens{src: s, logins: []*login{{Login: first}}}
	if second != nil {
		t.logins = append(t.logins, &login{Login: *second})
	}
	t.active = t.logins[0]
	t.unobserve = observe(s.o.Telemetry, "jamf_client_refused", "API client that Jamf refuses: 1, else 0; by source and client (first, second).", func(see func(int64, ...attribute.KeyValue)) {
		for i, l := range t.status() {
			refused := int64(0)
			if !l.Refused.IsZero() {
				refused = 1
			}
			see(refused, attribute.String("jamf.source", s.o.Name), attribute.String("client", []string{"first", "second"}[i]))
		}
	})
	return t
}

// ready lists the clients that may be tried now, the one in use first.
func (t *tokens) ready() []*login {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	out := make([]*login, 0, len(t.logins))
	if t.active.pause(now) == 0 {
		out = append(out, t.active)
	}
	for _, l := range t.logins {
		if l != t.active && l.pause(now) == 0 {
			out = append(out, l)
		}
	}
	if len(out) == 0 { // the caller has waited for the pause, and another one was quicker
		out = append(out, t.active)
	}
	return out
}

// use notes which client is in use.
func (t *tokens) use(ctx context.Context, l *login) {
	t.mu.Lock()
	before := t.active
	t.active = l
	t.mu.Unlock()
	if before != l {
		t.src.log.WarnContext(ctx, "jamf refuses an API client: the other one of the source is used", "source", t.src.o.Name, "refused", before.ID, "used", l.ID)
	}
}

// refuse counts a refusal by the token endpoint.
func (t *tokens) refuse(ctx context.Context, l *login) {
	t.mu.Lock()
	news := l.since.IsZero()
	l.refuse(time.Now())
	t.mu.Unlock()
	if news {
		t.src.log.WarnContext(ctx, "jamf refuses an API client", "source", t.src.o.Name, "client_id", l.ID)
	}
}

// accepted is told that the API took the token.
func (t *tokens) accepted(tok *token) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tok.by.accept(time.Now(), tok.born)
}

// renewed is told that the secret of a client is another one: it is tried at once, whatever was refused before. A token that is still
// good is used until the new secret has brought one.
func (t *tokens) renewed(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range t.logins {
		if l.ID == id {
			l.changed(time.Now())
		}
	}
	if c := t.current; c != nil && c.by.ID == id {
		c.renew, t.notAhead = time.Now(), time.Time{}
	}
}

// deadLocked tells that Jamf refuses every client.
func (t *tokens) deadLocked() bool {
	return !slices.ContainsFunc(t.logins, func(l *login) bool { return !l.dead })
}

// pauseLocked tells how long no client may be tried.
func (t *tokens) pauseLocked(now time.Time) time.Duration {
	least := t.logins[0].pause(now)
	for _, l := range t.logins[1:] {
		least = min(least, l.pause(now))
	}
	return least
}

func (t *tokens) status() []LoginStatus {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]LoginStatus, 0, len(t.logins))
	for _, l := range t.logins {
		st := LoginStatus{ID: l.ID, InUse: l == t.active, Refused: l.since, Rights: l.rights}
		if l.since.IsZero() {
			st.Proved = l.asked
		}
		out = append(out, st)
	}
	return out
}

// idle is the client that is not in use, when it is time to prove it; always asks whatever the time. nil = none.
func (t *tokens) idle(always bool) *login {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	for _, l := range t.logins {
		every := proveGood
		if !l.since.IsZero() {
			every = proveRefused
		}
		if l != t.active && l.pause(now) == 0 && (always || l.asked.IsZero() || now.Sub(l.asked) >= every) {
			return l
		}
	}
	return nil
}

// proveIdle proves, as part of a heartbeat, the client that is not in use: one call for a token and one for its rights, now and then.
func (w *Walk) proveIdle(ctx context.Context) {
	if l := w.src.tokens.idle(false); l != nil {
		_, _ = w.src.tokens.proveLogin(ctx, l, entry{op: "token"}, w.jar)
	}
}

// proveLogin fetches a token for a client that is not in use and asks what it may do. The token is thrown away.
func (t *tokens) proveLogin(ctx context.Context, l *login, e entry, jar http.CookieJar) (Rights, error) {
	tok, err := t.fetchFor(ctx, e, l)
	if err != nil {
		return Rights{}, err
	}
	var got Rights
	c := rightsCall(&got)
	err = t.src.host.do(ctx, entry{op: c.op, probe: e.probe}, func(ctx context.Context) error {
		return t.src.send(ctx, request{op: c.op, method: http.MethodGet, path: c.path, template: c.templateOrPath(), token: tok.value, jar: jar, timeout: beatDeadline}, c.limit, c.read)
	})
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err == nil:
		l.accept(time.Now(), tok.born)
		l.rights = got
	case errors.Is(err, ErrUnauthorized):
		l.refuse(time.Now())
	}
	return got, err
}

// other proves the API client that is not in use and compares what both may do. A fault is a warning: the one in use does the work.
func (t *connectionTest) other(ctx context.Context) outcome {
	tokens := t.src.tokens
	n, used := 2, 1
	if !tokens.status()[0].InUse {
		n, used = 1, 2
	}
	l := tokens.idle(true)
	if l == nil {
		return outcome{result: resultWarning, code: codeAuthFailed, detail: fmt.Sprintf("API client %d is refused and not asked again yet, client %d is used", n, used)}
	}
	got, err := tokens.proveLogin(ctx, l, entry{op: "token", probe: true}, t.walk.jar)
	if err != nil {
		e := asError("token", err)
		return outcome{result: resultWarning, code: e.Code, detail: fmt.Sprintf("API client %d cannot be used (%s), client %d is used", n, e.Code, used)}
	}
	var missing []string
	for _, right := range t.want {
		if got.Known && !got.Has(right) {
			missing = append(missing, right)
		}
	}
	if len(missing) > 0 {
		return outcome{result: resultWarning, code: codeRightMissing, detail: fmt.Sprintf("API client %d lacks rights: %s", n, strings.Join(missing, ", "))}
	}
	return outcome{detail: fmt.Sprintf("API client %d is good as well, client %d is used", n, used)}
}
