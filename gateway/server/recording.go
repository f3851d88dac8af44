package server

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/rsql"
	"jamf-gateway/gateway/usage"
)

// record enters a request of the public door in the record of its caller, or of nobody. Probes are nobody's business.
func (s *Server) record(rc *fasthttp.RequestCtx, x *exchange, status int, now time.Time) {
	if s.o.Usage == nil || !x.public || x.route == "/livez" || x.route == "/readyz" {
		return
	}
	if x.caller == nil && x.claimed != "" {
		s.o.Usage.Refused(x.claimed, now)
	}
	if x.caller != nil && x.credential != [32]byte{} {
		x.seen.Secret = x.caller.called(x.credential)
	}
	uri, header := rc.URI(), &rc.Request.Header
	rq := &x.seen
	rq.At, rq.Method, rq.Route, rq.Status, rq.Code, rq.Parameter = now, x.method, x.route, status, x.code, x.parameter
	rq.Path, rq.Query = uri.PathOriginal(), uri.QueryString()
	rq.UserAgent, rq.Accept, rq.AcceptEncoding = header.UserAgent(), header.Peek(fiber.HeaderAccept), header.Peek(fiber.HeaderAcceptEncoding)
	s.o.Usage.Record(x.client(), rq)
}

// sees notes what a query asks for, by its names.
func (x *exchange) sees(k device.Kind, size int, sections device.Sections, q question) {
	x.seen.Size, x.seen.Asked, x.seen.Names, x.seen.Sort = size, uint64(sections), device.SectionNames(k), q.sort
	if q.filter == nil {
		return
	}
	for _, c := range rsql.Selectors(q.filter) {
		x.seen.Filter = append(x.seen.Filter, usage.Comparison{Selector: c.Selector, Op: c.Op.String()})
	}
}

// seesFields notes the fields that were asked for.
func (x *exchange) seesFields(text string) {
	if text == "" {
		return
	}
	for name := range strings.SplitSeq(text, ",") {
		x.seen.Fields = append(x.seen.Fields, strings.TrimSpace(name))
	}
}

// step is the page of a walk that the query asks for. How long a selection is, only its rendering knows.
func (q devicesQuery) step(r *reading) usage.Step {
	s := usage.Step{Series: q.source, Size: q.limit, Cursor: true}
	if q.cursor != "" {
		s.Page = 1
	}
	if q.selects() {
		s.Total = -1
		return s
	}
	for _, sr := range r.concerned {
		s.Total += sr.count()
	}
	return s
}
