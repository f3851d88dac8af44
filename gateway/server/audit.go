package server

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/metric"

	"jamf-gateway/gateway/audit"
)

// adminActor is who acts at the admin door: all operators have one token.
const adminActor = "admin"

// act has an admin act written down, does it, and writes how it ended. What cannot be written down is not done. The event, and what
// the act is about, come from the caller; who and from where is filled in.
func (s *Server) act(c *fiber.Ctx, e audit.Entry, do func() error) *fault {
	x := exchangeOf(c)
	e.Actor, e.Address, e.RequestID = adminActor, x.address(), x.id
	ended, err := s.o.Audit.Act(e)
	switch {
	case errors.Is(err, audit.ErrFull):
		return &fault{code: codeAuditFull, source: e.Source, retryAfter: longestRetryAfter, cause: err}
	case err != nil:
		return &fault{code: codeAuditFailed, source: e.Source, retryAfter: defaultRetryAfter, cause: err}
	}
	outcome := codeInternal // of one that panics
	defer func() { ended(outcome) }()
	if err := do(); err != nil {
		f := controlFault(err, e.Source)
		outcome = cmp.Or(f.outcome, f.code)
		return f
	}
	outcome = audit.Done
	return nil
}

// audited notes what a request was: a token given or refused, a refusal at the admin door, or devices that were read.
func (s *Server) audited(rc *fasthttp.RequestCtx, x *exchange, status int) {
	switch {
	case s.o.Audit == nil:
	case !x.public:
		if x.code == codeAdminToken && len(rc.Request.Header.Peek(fiber.HeaderAuthorization)) > 0 || x.code == codeTooManyAttempts || x.code == codeForbiddenOrigin {
			s.o.Audit.Fold(audit.Entry{Event: audit.AdminRefused, Address: x.address(), Outcome: x.code})
		}
	case x.code == codeNetwork:
		s.o.Audit.Fold(audit.Entry{Event: "request.refused", Address: x.network(), Outcome: x.code, Actor: x.client(), Credential: hex.EncodeToString(x.credential[:4])})
	case x.method == http.MethodPost && issuesTokens(x.route):
		e := audit.Entry{Event: audit.TokenRefused, Address: x.address(), Outcome: x.code, Actor: x.client()}
		if _, known := x.rules.clients[x.claimed]; known {
			e.Actor = x.claimed // any other name may be a secret in the wrong field
		}
		if status != http.StatusOK {
			e.Address = x.network()
		} else {
			e.Event, e.Outcome, e.Credential = "token.issued", audit.Done, hex.EncodeToString(x.credential[:4])
		}
		s.o.Audit.Fold(e)
	case x.method == http.MethodGet && status == http.StatusOK:
		for _, r := range x.reads {
			r.Client = x.client()
			s.o.Audit.Read(r)
		}
	}
}

// issuesTokens tells whether a route is one of the token endpoints.
func issuesTokens(route string) bool {
	return strings.HasSuffix(route, "/oauth/token") || strings.HasSuffix(route, "/auth/token") || strings.HasSuffix(route, "/auth/keep-alive")
}

// address is the IP address of who asks.
func (x *exchange) address() string {
	if !x.peer.IsValid() {
		return ""
	}
	return x.peer.String()
}

// network is address, but of IPv6 the network of a customer: he has more addresses than there are lines.
func (x *exchange) network() string {
	if p := customer(x.peer); p.IsValid() && !p.IsSingleIP() {
		return p.String()
	}
	return x.address()
}

// readOf is that so many devices of a series are sent.
func (sr *series) readOf(rows int) audit.Read {
	return audit.Read{
		Source: sr.Source, Kind: string(sr.Kind), Profile: sr.profile.Name(), View: sr.filter.Digest(), Generation: sr.info.Number, Rows: rows,
	}
}

// pageOf is readOf for a page of a list.
func (sr *series) pageOf(rows int, list audit.List) []audit.Read {
	r := sr.readOf(rows)
	r.List = list
	return []audit.Read{r}
}

// reads is what the page sends of each series.
func (p devicePage) reads() []audit.Read {
	var out []audit.Read
	left := p.query.limit
	for i := p.from.series; i < len(p.reading.concerned); i++ {
		sr := p.reading.concerned[i]
		switch {
		case sr.generation == nil:
			continue
		case p.parts != nil: // what a filter finds is known to the rendering alone
			r := sr.readOf(left)
			r.AtMost = true
			out = append(out, r)
			continue
		}
		after := int64(0)
		if i == p.from.series {
			after = p.from.after
		}
		before, _ := slices.BinarySearch(sr.view.IDs(), after+1)
		r := sr.readOf(min(sr.count()-before, left))
		r.List = audit.List{ID: "by id", From: before, Of: sr.count()}
		if r.Rows > 0 || r.List.Of == 0 {
			out = append(out, r)
		}
		if before+r.Rows < r.List.Of {
			break
		}
		left -= r.Rows
	}
	return out
}

// countLost shows how many events the audit has lost.
func countLost(mp metric.MeterProvider, log *audit.Log, version string) error {
	if log == nil {
		return nil
	}
	meter := mp.Meter(instrumentation, metric.WithInstrumentationVersion(version))
	_, err := meter.Int64ObservableCounter("jamf_gateway.audit.lost", metric.WithUnit("{event}"),
		metric.WithDescription("Events that the audit could not write down: the disk was full for too long."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(log.Lost()))
			return nil
		}))
	if err != nil {
		return fmt.Errorf("server metrics: %w", err)
	}
	return nil
}
