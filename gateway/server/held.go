package server

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/audit"
	"jamf-gateway/gateway/device"
)

// What an operator says of held generations. All operators have one token: `by` is who of them the caller says he is, for the log.
const (
	paramDigest = "digest"
	paramCount  = "count"
	paramUntil  = "until"
	paramBy     = "by"
	maxBy       = 64
	maxDigest   = 64
	maxExpected = 5_000_000
	maxWindow   = 366 * 24 * time.Hour
)

// heldView is what is held of one kind, with the first devices that would go.
type heldView struct {
	Kind device.Kind `json:"kind"`
	*holdView
	Devices []goingDevice `json:"devices"`
}

// goingDevice is one device that is served now and is not in the held generation.
type goingDevice struct {
	UID    string `json:"uid"`
	Name   string `json:"name"`
	Serial string `json:"serialNumber"`
}

// adminHeld is GET /v1/admin/sources/{name}/held[?by=...]: what waits for approval.
func (s *Server) adminHeld(c *fiber.Ctx) error {
	values, f := onlyParameters(rawQuery(c), paramBy)
	if f != nil {
		return f
	}
	x, name := exchangeOf(c), c.Params("name")
	st, known := x.rules.statuses(name).source(name)
	if !known {
		return &fault{code: codeUnknownSource, source: name}
	}
	x.source = name
	items := []heldView{}
	for _, k := range st.Kinds {
		if k.Hold == nil {
			continue
		}
		v := heldView{Kind: k.Kind, holdView: newHold(k.Hold), Devices: []goingDevice{}}
		if k.Hold.Generation == 0 { // nothing is served either
			items = append(items, v)
			continue
		}
		g, err := s.o.Store.Acquire(cache.Series{Source: name, Kind: k.Kind})
		if err != nil {
			return storeFault(err, name)
		}
		for _, id := range k.Hold.First {
			d := goingDevice{UID: device.UID(name, k.Kind, id)}
			if r, err := g.Get(x.context(), id); err == nil {
				d.Name, d.Serial = device.Label(k.Kind, r.Body)
			}
			v.Devices = append(v.Devices, d)
		}
		g.Release()
		items = append(items, v)
	}
	if len(items) > 0 { // names and serial numbers
		s.o.Audit.Fold(audit.Entry{Event: "admin.held", Actor: adminActor, By: actor(values), Address: exchangeOf(c).address(), Source: name, Outcome: audit.Done})
	}
	return sendJSON(c, http.StatusOK, struct {
		Source   string        `json:"source"`
		Items    []heldView    `json:"items"`
		Expected *expectedView `json:"expectedRemovals,omitempty"`
	}{name, items, newExpected(st.Expected)})
}

// adminApprove is POST /v1/admin/sources/{name}/approve?digest=...[&by=...].
func (s *Server) adminApprove(c *fiber.Ctx) error {
	name := c.Params("name")
	values, f := onlyParameters(rawQuery(c), paramDigest, paramBy)
	if f != nil {
		return f
	}
	digest := values.Get(paramDigest)
	if digest == "" || len(digest) > maxDigest {
		return badParameter(paramDigest, "digest names what is approved: see /v1/admin/sources/{name}/held.")
	}
	x, status := exchangeOf(c), "approved"
	if st, known := x.rules.statuses(name).source(name); known && slices.ContainsFunc(st.Kinds, func(k KindStatus) bool { return k.Hold != nil && k.Hold.Digest == digest && k.Hold.Generation == 0 }) {
		status = "reading" // nothing was kept: it is read again
	}
	e := audit.Entry{Event: "admin.approve", By: actor(values), Source: name, Target: digest}
	if f := s.act(c, e, func() error { return x.rules.control.Approve(x.context(), name, digest, e.By) }); f != nil {
		return f
	}
	x.source = name
	return sendJSON(c, http.StatusOK, struct {
		Source string `json:"source"`
		Digest string `json:"digest"`
		Status string `json:"status"`
	}{name, digest, status})
}

// adminExpect is POST /v1/admin/sources/{name}/expect-removals?count=N&until=2026-12-01T00:00:00Z[&by=...].
func (s *Server) adminExpect(c *fiber.Ctx) error {
	name := c.Params("name")
	values, f := onlyParameters(rawQuery(c), paramCount, paramUntil, paramBy)
	if f != nil {
		return f
	}
	count, err := strconv.Atoi(values.Get(paramCount))
	if err != nil || count < 0 || count > maxExpected {
		return badParameter(paramCount, "count is a number of devices from 0 to 5000000; 0 closes the window.")
	}
	now := s.o.Now()
	until, err := time.Parse(time.RFC3339, values.Get(paramUntil))
	if count > 0 && (err != nil || !until.After(now) || until.Sub(now) > maxWindow) {
		return badParameter(paramUntil, "until is a time like 2026-12-01T00:00:00Z, in the future and within a year.")
	}
	x := exchangeOf(c)
	e := audit.Entry{Event: "admin.expect-removals", By: actor(values), Source: name, Target: strconv.Itoa(count)}
	if count > 0 {
		e.Target += " until " + until.UTC().Format(time.RFC3339)
	}
	if f := s.act(c, e, func() error { return x.rules.control.Expect(x.context(), name, count, until, e.By) }); f != nil {
		return f
	}
	x.source = name
	return sendJSON(c, http.StatusOK, struct {
		Source string  `json:"source"`
		Count  int     `json:"count"`
		Until  *string `json:"until"`
	}{name, count, stamp(until)})
}

// onlyParameters reads a query that may have these parameters, each once.
func onlyParameters(query string, known ...string) (url.Values, *fault) {
	values, f := queryValues(query, maxJamfValue)
	if f != nil {
		return nil, f
	}
	for name, all := range values {
		if !slices.Contains(known, name) {
			return nil, unknownParameter(name, known...)
		}
		if len(all) > 1 {
			return nil, badParameter(name, name+" stands twice.")
		}
	}
	return values, nil
}

func actor(values url.Values) string { return printable(clip(values.Get(paramBy), maxBy)) }
