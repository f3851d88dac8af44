package jamf

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

// Bounds of a call for somebody else.
const (
	opFetch       = "passthrough"
	fetchDeadline = 20 * time.Second // on the wire: a walk may be waiting for the connection
	sharePace     = 1.0              // requests a second, and never more than a fifth of the host's
	sharePart     = 5
)

// share is what calls for somebody else get of a host's budget: one connection and a slow pace, before they stand in line
// with everybody else. So a walk never waits for more than one of them.
type share struct {
	slot *semaphore.Weighted
	pace *rate.Limiter
}

func newShare(l Limits) share {
	return share{
		slot: semaphore.NewWeighted(1),
		pace: rate.NewLimiter(rate.Limit(min(sharePace, l.RequestsPerSecond/sharePart)), 1),
	}
}

// enter waits for the share. Without an error, leave must be called.
func (s share) enter(ctx context.Context) (leave func(), err error) {
	if err := s.slot.Acquire(ctx, 1); err != nil {
		return nil, canceled(ctx, opFetch)
	}
	if err := s.pace.Wait(ctx); err != nil {
		s.slot.Release(1)
		e := canceled(ctx, opFetch)
		if ctx.Err() == nil {
			e.Kind = context.DeadlineExceeded // the deadline is nearer than the next turn
		}
		return nil, e
	}
	return func() { s.slot.Release(1) }, nil
}

// Fetch asks once for a path of the settings, like /v1/departments or, with a positive id, /v1/computer-groups/{id}, in
// the small share of the budget. The answer is a strict JSON array or a JSON object that is not empty, at most 4 MiB, its bytes
// as they came; where it looks like a page of a list, it is a whole one. ErrNotFound and ErrBadRequest only when Jamf itself said so.
//
// Whatever happens says nothing about the health of the source: it is neither remembered nor counted by the breaker, and
// a token that is refused here stays in use. A path that Jamf serves badly must not stop a walk.
func (s *Source) Fetch(ctx context.Context, template string, id int64, query url.Values) ([]byte, error) {
	ctx, span := s.startCall(ctx, "jamf passthrough", opFetch)
	body, err := s.fetch(ctx, template, id, query)
	endSpan(span, err)
	return body, err
}

func (s *Source) fetch(ctx context.Context, template string, id int64, query url.Values) ([]byte, error) {
	leave, err := s.host.share.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	body, err := s.fetchOnce(ctx, template, id, query)
	if errors.Is(err, errStaleToken) { // it ran out in the queue
		body, err = s.fetchOnce(ctx, template, id, query)
	}
	e := asError(opFetch, err)
	switch {
	case e == nil:
		return body, nil
	case (errors.Is(e, ErrNotFound) || errors.Is(e, ErrBadRequest)) && !e.envelope:
		return nil, &Error{
			Kind: ErrUnavailable, Op: opFetch, Status: e.Status, Code: codeUnexpected,
			Detail: "a refusal without Jamf's envelope: something in front of Jamf answered",
		}
	}
	return nil, e
}

func (s *Source) fetchOnce(ctx context.Context, template string, id int64, query url.Values) (body []byte, err error) {
	tok, err := s.tokens.bearerSoon(ctx)
	if err != nil {
		return nil, err
	}
	err = s.host.do(ctx, entry{op: opFetch, guest: true}, func(ctx context.Context) error {
		if !tok.validAt(time.Now()) {
			return errStaleToken
		}
		return s.send(ctx, request{
			op: opFetch, method: http.MethodGet, path: strings.Replace(template, "{id}", strconv.FormatInt(id, 10), 1), template: template,
			query: query, token: tok.value, timeout: min(s.o.PageTimeout, fetchDeadline),
		}, maxRecordBytes, func(r io.Reader) (err error) {
			body, err = readDocument(r)
			return err
		})
	})
	return body, err
}

// readDocument reads an answer whose shape nobody here knows.
func readDocument(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	v := jsontext.Value(b)
	if !v.IsValid() || deeper(b, maxDepth) {
		return nil, notAPage("the answer is truncated or no strict JSON")
	}
	switch v.Kind() {
	case '[':
		return b, nil
	case '{':
	default:
		return nil, notAPage("the answer is neither a JSON object nor an array")
	}
	var members map[string]jsontext.Value
	if err := json.Unmarshal(b, &members); err != nil || len(members) == 0 {
		return nil, notAPage("the answer is an empty object")
	}
	results, list := members["results"]
	if _, counted := members["totalCount"]; list != counted || list && results.Kind() != '[' {
		return nil, notAPage("the answer lacks totalCount or results: it is no list")
	}
	return b, nil
}
