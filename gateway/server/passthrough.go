package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/audit"
)

// Passthrough fetches a path of the settings of a source from Jamf, within its budget. id stands for {id}, 0 where there
// is none. Its errors are *PassError.
type Passthrough interface {
	Fetch(ctx context.Context, source, template string, id int64, query url.Values) ([]byte, error)
}

// PassPath is a path that a source passes on, below /api.
type PassPath struct {
	Template string // /v1/computer-groups/{id}
	TTL      time.Duration
}

// PassError says why nothing came from Jamf.
type PassError struct {
	Status     int    // 404 or 400 when Jamf itself said so of the path or the query, 0 = anything else
	Code       string // of the catalogue
	Unsent     bool   // nothing went out: the budget, a pause, no token
	RetryAfter time.Duration
	Err        error
}

func (e *PassError) Error() string { return "pass on: " + e.Code }

func (e *PassError) Unwrap() error { return e.Err }

const (
	passGrace    = 24 * time.Hour
	passPause    = 30 * time.Second
	passPatience = 45 * time.Second // waits for the share of the budget included
	passPageSize = 2000             // Jamf cuts larger pages without a word
)

// passThrough serves the further paths of a source to the clients that may ask for them. To all others there is nothing.
func (s *Server) passThrough(c *fiber.Ctx) error {
	x := exchangeOf(c)
	p, id, ok := passed(x, c.Path())
	if !ok {
		return c.Next()
	}
	name := x.base.source
	x.style, x.route, x.source = styleJamf, "/api"+p.Template, name
	if _, below := prefixOf(c.Path()); below {
		x.route = "/jamf/{source}" + x.route
	}
	switch c.Method() {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		c.Response().SetStatusCode(http.StatusNoContent)
		c.Response().Header.Set(fiber.HeaderAllow, allowRead)
		return nil
	default:
		return &fault{code: codeMethod, allow: allowRead}
	}
	query, f := passQuery(rawQuery(c))
	if f != nil {
		return f
	}
	if size, err := strconv.Atoi(query.Get("page-size")); err == nil {
		x.seen.Size = size
	}
	if st, known := x.rules.statuses(name).source(name); known && st.Disabled {
		return disabledFault(name, "")
	}
	ctx, cancel := x.deadline()
	defer cancel()
	key := cache.Key{Generations: []string{name, x.rules.jamfs[name]}, Endpoint: "passthrough " + p.Template, Query: strconv.FormatInt(id, 10) + "?" + query.Encode()}
	terms := cache.Terms{TTL: p.TTL, Grace: passGrace, Pause: passPause, Final: func(err error) bool { return passError(err).Status != 0 }}
	through := x.rules.passthrough // the exchange may have ended before the fetch
	got, hit, err := s.o.Store.Passed(ctx, key, terms, func(ctx context.Context) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, passPatience)
		defer cancel()
		return through.Fetch(ctx, name, p.Template, id, query)
	})
	if err != nil {
		return passFault(err, name)
	}
	if got.Late != nil && x.caller.onlyFresh {
		e := passError(got.Late)
		return &fault{
			code: codeNotFresh, source: name, detail: "on_stale: fail of this client: Jamf gave no newer answer (" + e.Code + ").",
			retryAfter: min(max(e.RetryAfter, shortestRetryAfter), longestRetryAfter),
		}
	}
	return s.sendPassed(c, key, got, hit, p)
}

// passed finds the path of the settings that a request asks for, literal ones first.
func passed(x *exchange, path string) (found PassPath, id int64, ok bool) {
	if x.rules.passthrough == nil || x.caller == nil || !x.caller.passthrough || !x.caller.sees(x.base.source) {
		return PassPath{}, 0, false
	}
	if prefix, below := prefixOf(path); below {
		path = strings.TrimPrefix(path, "/jamf/"+prefix)
	}
	path, below := strings.CutPrefix(path, "/api")
	if !below {
		return PassPath{}, 0, false
	}
	for _, p := range x.rules.passes[x.base.source] {
		before, after, typed := strings.Cut(p.Template, "{id}")
		if !typed && path == p.Template {
			return p, 0, true
		}
		text, starts := strings.CutPrefix(path, before)
		text, ends := strings.CutSuffix(text, after)
		n, err := strconv.ParseInt(text, 10, 64)
		if typed && starts && ends && err == nil && n > 0 && strconv.FormatInt(n, 10) == text {
			found, id, ok = p, n, true
		}
	}
	return found, id, ok
}

// passQuery keeps what may be passed on. An unknown parameter is a 400: without it Jamf would answer another question.
func passQuery(raw string) (url.Values, *fault) {
	values, f := queryValues(strings.ReplaceAll(raw, ";", "%3B"), maxJamfValue)
	if f != nil {
		return nil, f
	}
	for name, list := range values {
		switch name {
		case "page", "page-size":
			least := 0
			if name == "page-size" {
				least = 1
			}
			n, f := jamfNumber(values, 0, least, name)
			if f != nil {
				return nil, f
			}
			if name == "page-size" && n > passPageSize {
				return nil, &fault{code: codePageSize, field: name, detail: fmt.Sprintf("page-size can be %d at most.", passPageSize)}
			}
			values[name] = []string{strconv.Itoa(n)}
		case paramFilter:
			filter, f := jamfFilter(list)
			if f != nil {
				return nil, f
			}
			values[name] = []string{filter}
		case paramSort, "section":
		default:
			return nil, unknownParameter(name)
		}
	}
	return values, nil
}

// sendPassed sends an answer of Jamf's with how old it is and why there is no newer one.
func (s *Server) sendPassed(c *fiber.Ctx, key cache.Key, got cache.Passed, hit bool, p PassPath) error {
	x := exchangeOf(c)
	encoding, acceptable := acceptedEncoding(c.Get(fiber.HeaderAcceptEncoding))
	if !acceptable {
		return &fault{code: codeNotAcceptable}
	}
	h := &c.Response().Header
	status := "jamf-gateway; fwd=miss; stored"
	left := int64((p.TTL - s.o.Now().Sub(got.At)) / time.Second)
	switch {
	case got.Late != nil:
		reason := passError(got.Late).Code
		status = fmt.Sprintf("jamf-gateway; hit; ttl=%d; detail=%s", min(left, -1), reason)
		h.Set(stateHeader, stateStale+"; reason="+reason)
	case hit:
		status = fmt.Sprintf("jamf-gateway; hit; ttl=%d", left)
	}
	body, etag := got.Body, got.ETag
	var release func()
	if encoding != "" {
		ctx, cancel := x.deadline()
		defer cancel()
		key.Query, key.Encoding = key.Query+" "+got.ETag, encoding
		packed, err := s.fetch(ctx, x, 1, key, func(context.Context) ([]byte, error) { return got.Body, nil })
		if err != nil {
			return &fault{code: codeBusy, retryAfter: shortestRetryAfter, cause: err}
		}
		body, etag, release = packed.answer.Body, packed.answer.ETag, packed.release
		h.Set(fiber.HeaderContentEncoding, encoding)
	}
	h.Set(fiber.HeaderETag, etag)
	h.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	h.Set("Cache-Status", status)
	setAge(c, got.At, s.o.Now())
	h.SetContentType("application/json")
	if notModified(c.Get(fiber.HeaderIfNoneMatch), etag) {
		if release != nil {
			release()
		}
		h.Del(fiber.HeaderContentEncoding)
		c.Response().SetStatusCode(fiber.StatusNotModified)
		return nil
	}
	x.reads = []audit.Read{{Source: x.source, Passed: p.Template}}
	s.send(c.Context(), x, body, release)
	return nil
}

// passError is the reason of a failure; one that is not Jamf's is the gateway's own business.
func passError(err error) *PassError {
	if e, ok := errors.AsType[*PassError](err); ok {
		return e
	}
	return &PassError{Code: codeBusy, Unsent: true, Err: err}
}

// passFault is what a failure is to a client. No status of Jamf's but 404 and 400 is passed on: after a 401 a client would renew its
// own token for ever.
func passFault(err error, source string) *fault {
	e := passError(err)
	switch {
	case e.Status == http.StatusNotFound:
		return &fault{code: codeNotFound, source: source, detail: "Jamf has nothing under this path."}
	case e.Status != 0:
		return &fault{code: codeBadRequest, source: source, detail: "Jamf does not accept this query."}
	case e.Unsent:
		return &fault{
			code: codePassPaused, source: source, detail: "Jamf was not asked: " + e.Code + ".",
			retryAfter: min(max(e.RetryAfter, shortestRetryAfter), longestRetryAfter), cause: err,
		}
	}
	return &fault{code: codePassFailed, source: source, detail: "Jamf gave no answer that can be passed on: " + e.Code + ".", cause: err}
}

// passPaths are the paths of each source: name -> paths.
func passPaths(sources []SourceOptions) map[string][]PassPath {
	out := map[string][]PassPath{}
	for _, src := range sources {
		out[src.Name] = slices.Clone(src.Passthrough)
	}
	return out
}
