package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"jamf-gateway/cache"
)

// stateHeader tells clients that read no body members that what they got is not fresh.
const stateHeader = "X-Jamf-Gateway-State"

// errAbandoned ends a rendering whose last reader has left before it began.
var errAbandoned = errors.New("the request has gone")

// answer sends what the store renders for the key, with validator, encoding, age and state. The body holds no clock.
func (s *Server) answer(c *fiber.Ctx, r *reading, key cache.Key, render func(context.Context) ([]byte, error)) error {
	x := exchangeOf(c)
	encoding, acceptable := acceptedEncoding(c.Get(fiber.HeaderAcceptEncoding))
	if !acceptable {
		return &fault{code: codeNotAcceptable}
	}
	key.Encoding = encoding
	ctx, cancel := x.deadline()
	defer cancel()
	got, err := s.fetch(ctx, x, max(1, r.rows), key, func(ctx context.Context) ([]byte, error) {
		if !r.retain() {
			return nil, errAbandoned
		}
		defer r.release()
		return guarded(ctx, render)
	})
	if err != nil {
		return s.answerFault(x, r, err)
	}
	a := got.answer
	h := &c.Response().Header
	h.Set(fiber.HeaderETag, a.ETag)
	h.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	h.Set("Cache-Status", cacheStatus(got.hit))
	setAge(c, r.oldest(), s.o.Now())
	if state, reason := r.worst(); state != stateFresh {
		if reason != "" {
			state += "; reason=" + reason
		}
		h.Set(stateHeader, state)
	}
	if notModified(c.Get(fiber.HeaderIfNoneMatch), a.ETag) {
		if got.release != nil {
			got.release()
		}
		c.Response().SetStatusCode(fiber.StatusNotModified)
		return nil
	}
	if key.Encoding != "" {
		h.Set(fiber.HeaderContentEncoding, key.Encoding)
	}
	h.SetContentType("application/json")
	s.send(c.Context(), x, a.Body, got.release)
	return nil
}

// cacheStatus is RFC 9211: towards Jamf every answer is a hit, because none is ever forwarded. detail tells whether the
// bytes were in memory or were made from the generation on disk.
func cacheStatus(inMemory bool) string {
	if inMemory {
		return "jamf-gateway; hit; detail=memory"
	}
	return "jamf-gateway; hit; detail=generation"
}

// guarded turns a panic of a rendering into its error: it runs on a goroutine of the store.
func guarded(ctx context.Context, render func(context.Context) ([]byte, error)) (body []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("render: %w", cache.Recovered(p))
		}
	}()
	return render(ctx)
}

// answerFault says why there is no answer, and lets the caller's run go of a generation that cannot be read.
func (s *Server) answerFault(x *exchange, r *reading, err error) error {
	if f, ok := errors.AsType[*fault](err); ok {
		return f
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errAbandoned) {
		return &fault{code: codeBusy, retryAfter: shortestRetryAfter, cause: err}
	}
	if errors.Is(err, cache.ErrCorrupt) {
		for _, sr := range slices.Concat(r.concerned, r.others) {
			s.runs.drop(x.client(), sr.Series, sr.info.Number)
		}
	}
	source := ""
	if len(r.concerned) == 1 {
		source = r.concerned[0].Source
	}
	return storeFault(err, source)
}

// setAge tells how old the data are (RFC 9111, 5.1), in whole seconds, never negative.
func setAge(c *fiber.Ctx, asOf, now time.Time) {
	if asOf.IsZero() {
		return
	}
	c.Response().Header.Set(fiber.HeaderAge, strconv.FormatInt(max(0, int64(now.Sub(asOf)/time.Second)), 10))
}

// notModified compares weakly, as If-None-Match wants it (RFC 9110, 13.1.2).
func notModified(header, etag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimSpace(part)
		if part == "*" || part != "" && strings.TrimPrefix(part, "W/") == etag {
			return true
		}
	}
	return false
}

// asOfFormat is RFC 3339 in UTC with three digits always.
const asOfFormat = "2006-01-02T15:04:05.000Z"

// stamp is a time as it stands in bodies; nil for the zero time.
func stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	out := t.UTC().Format(asOfFormat)
	return &out
}
