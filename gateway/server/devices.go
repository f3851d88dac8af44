package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/audit"
	"jamf-gateway/gateway/device"
)

// listDevices is GET /v1/devices.
func (s *Server) listDevices(c *fiber.Ctx) error {
	x := exchangeOf(c)
	q, f := parseDevicesQuery(rawQuery(c))
	x.sees("", q.asked.limit, 0, q.question)
	x.seesFields(q.asked.fields)
	if f != nil {
		return f
	}
	concerned, f := concernedScopes(x.caller, q)
	if f != nil {
		return f
	}
	if q.source != "" {
		x.source = q.source
	}
	r, from, f := s.readList(x, concerned, q)
	if f != nil {
		return f
	}
	defer r.release()
	if f := r.refuse(s.o.Now(), q.fresh); f != nil {
		return f
	}
	s.widen(x.caller, r)
	r.rows = q.limit
	x.seen.Walk = q.step(r)
	page := devicePage{server: s, reading: r, query: q, from: from, policy: x.caller.policy}
	if q.selects() {
		page.parts, f = q.parts(r)
		switch {
		case f != nil && f.code == codeRemapping && q.cursor != "":
			return &fault{code: codeCursorExpired} // the walk was begun by another release
		case f != nil:
			return f
		}
	}
	key := cache.Key{
		Generations: append(r.refs(), r.othersDigest()), State: r.epoch(), Policy: x.caller.policy, Endpoint: x.route,
		Query: fmt.Sprintf("%s limit=%d from=%d/%d fields=%s", q.canonical(), q.limit, from.series, from.after, q.show.Canonical()),
	}
	x.reads = page.reads()
	return s.answer(c, r, key, page.render)
}

// concernedScopes are the series that a query asks for, in the caller's order. Asking for what is not there is an
// error: an empty list would say that there are no devices.
func concernedScopes(c *caller, q devicesQuery) ([]scope, *fault) {
	if q.source != "" && !c.sees(q.source) {
		return nil, &fault{code: codeUnknownSource, field: paramSource, asked: q.source}
	}
	var out []scope
	for _, sc := range c.scopes {
		if q.source != "" && sc.Source != q.source || q.kind != "" && sc.Kind != q.kind {
			continue
		}
		for field, param := range q.filtered() {
			if !sc.profile.Allows(sc.Kind, field) {
				return nil, &fault{
					code: codeHiddenField, field: param, source: sc.Source,
					detail: fmt.Sprintf("%s filters by %s, which the profile does not show for %s %s.", param, field, sc.Source, sc.Kind),
				}
			}
		}
		out = append(out, sc)
	}
	if len(out) == 0 {
		return nil, &fault{code: codeKindDisabled, field: paramKind, source: q.source}
	}
	return out, nil
}

// readList opens the generations of a page: those of the caller's run for a first page, those of the cursor after it.
func (s *Server) readList(x *exchange, concerned []scope, q devicesQuery) (*reading, cursor, *fault) {
	list := newListID("devices", fmt.Sprintf("%s limit=%d", q.canonical(), q.limit))
	if q.cursor == "" {
		r, err := s.read(x, concerned, step{ask: askFirst, list: list, columns: q.selects()})
		if err != nil {
			return nil, cursor{}, asFault(err)
		}
		return r, cursor{}, nil
	}
	from, err := s.cursors.decode(q.cursor, x.caller.policy, q.canonical(), len(concerned))
	switch {
	case errors.Is(err, errCursorExpired):
		return nil, cursor{}, &fault{code: codeCursorExpired}
	case err != nil:
		return nil, cursor{}, &fault{code: codeCursorInvalid, field: paramCursor}
	}
	r, err := s.readNumbers(x, concerned, from.generations, list)
	if err != nil {
		return nil, cursor{}, asFault(err)
	}
	return r, from, nil
}

// othersDigest stands in the key for the generations that only duplicateOf depends on.
func (r *reading) othersDigest() string {
	if len(r.others) == 0 {
		return ""
	}
	var refs []byte
	for _, sr := range r.others {
		refs = append(append(refs, sr.generation.Ref()...), 0)
	}
	sum := sha256.Sum256(refs)
	return hex.EncodeToString(sum[:16])
}

// devicePage renders one page of the normalized list.
type devicePage struct {
	server  *Server
	reading *reading
	query   devicesQuery
	from    cursor
	policy  string
	parts   []cache.Part // of the filter and sort, when one was asked for
}

// listHead is everything of the envelope but the items.
type listHead struct {
	Complete       bool         `json:"complete"`
	Stale          bool         `json:"stale"`
	AsOf           *string      `json:"asOf"`
	ConfirmedEmpty bool         `json:"confirmedEmpty,omitempty"`
	Sources        []listSource `json:"sources"`
}

// listSource is one series of a list.
type listSource struct {
	Name           string      `json:"name"`
	Kind           device.Kind `json:"kind"`
	SourceState    string      `json:"sourceState,omitempty"` // disabled
	State          string      `json:"state"`
	Reason         *string     `json:"reason"`
	AsOf           *string     `json:"asOf"`
	Generation     *uint64     `json:"generation"`
	Count          *int        `json:"count"`
	Quarantined    *int        `json:"quarantined"`
	Held           *string     `json:"held"` // digest of a generation that waits for approval
	ConfirmedEmpty bool        `json:"confirmedEmpty,omitempty"`
}

func (r *reading) head() listHead {
	h := listHead{Complete: true, AsOf: stamp(r.oldest()), ConfirmedEmpty: true}
	for _, sr := range r.concerned {
		entry := sr.entry()
		h.Complete = h.Complete && (sr.generation != nil || sr.state == stateDisabled)
		h.Stale = h.Stale || sr.generation != nil && sr.state != stateFresh
		h.ConfirmedEmpty = h.ConfirmedEmpty && entry.ConfirmedEmpty
		h.Sources = append(h.Sources, entry)
	}
	return h
}

func (sr *series) entry() listSource {
	e := listSource{Name: sr.Source, Kind: sr.Kind, State: sr.state}
	if sr.state == stateDisabled {
		e.SourceState = stateDisabled
	}
	if sr.reason != "" {
		e.Reason = &sr.reason
	}
	if sr.generation == nil {
		if sr.state == stateDisabled {
			e.Count = new(int) // nothing of it is in the list, and nothing is awaited
		}
		return e
	}
	e.Held = optional(sr.held)
	count, quarantined := sr.count(), len(sr.quarantined())
	e.AsOf, e.Generation, e.Count, e.Quarantined = stamp(sr.info.Ended), &sr.info.Number, &count, &quarantined
	e.ConfirmedEmpty = sr.info.Count == 0 && sr.info.ConfirmedEmpty
	return e
}

func (p devicePage) render(ctx context.Context) ([]byte, error) {
	duplicates, err := p.server.duplicates(ctx, p.reading)
	if err != nil {
		return nil, err
	}
	head, err := marshal(p.reading.head())
	if err != nil {
		return nil, err
	}
	body := append(make([]byte, 0, len(head)+p.query.limit*1536), head[:len(head)-1]...)
	body = append(body, `,"items":[`...)
	next, body, err := p.items(ctx, body, duplicates)
	if err != nil {
		return nil, err
	}
	body = append(body, `],"nextCursor":`...)
	if next == nil {
		return append(body, `null}`...), nil
	}
	body = append(body, '"')
	body = append(body, p.server.cursors.encode(*next, p.policy, p.query.canonical())...)
	return append(body, `"}`...), nil
}

// items appends up to limit devices and tells where the next page begins, nil when this one is the last.
func (p devicePage) items(ctx context.Context, body []byte, duplicates map[string][]string) (*cursor, []byte, error) {
	if p.parts != nil {
		return p.selected(ctx, body, duplicates)
	}
	left, last := p.query.limit, p.from
	for i := p.from.series; i < len(p.reading.concerned); i++ {
		sr := p.reading.concerned[i]
		if sr.generation == nil {
			continue
		}
		after := int64(0)
		if i == p.from.series {
			after = p.from.after
		}
		ids := sr.view.After(after, left+1)
		if len(ids) > left {
			// One more exists: the page ends here, in this series or, when nothing is left of it, in the one before.
			next := cursor{series: last.series, after: last.after, generations: p.numbers()}
			if left > 0 {
				next.series, next.after = i, ids[left-1]
			}
			body, err := p.server.appendDevices(ctx, body, sr, ids[:left], duplicates, p.query.show)
			return &next, body, err
		}
		if len(ids) > 0 {
			var err error
			if body, err = p.server.appendDevices(ctx, body, sr, ids, duplicates, p.query.show); err != nil {
				return nil, nil, err
			}
			left -= len(ids)
			last = cursor{series: i, after: ids[len(ids)-1]}
		}
	}
	return nil, body, nil
}

// selected is items of a filtered or sorted list: the cursor counts the devices that were shown.
func (p devicePage) selected(ctx context.Context, body []byte, duplicates map[string][]string) (*cursor, []byte, error) {
	selection, err := p.server.o.Store.Select(ctx, p.parts)
	if err != nil {
		return nil, nil, fmt.Errorf("select devices: %w", err)
	}
	from := int(p.from.after)
	places := selection.Places(from, p.query.limit)
	for len(places) > 0 {
		run := 1
		for run < len(places) && places[run].Part == places[0].Part {
			run++
		}
		ids := make([]int64, run)
		for i, place := range places[:run] {
			ids[i] = place.ID
		}
		if body, err = p.server.appendDevices(ctx, body, p.seriesOf(places[0].Part), ids, duplicates, p.query.show); err != nil {
			return nil, nil, err
		}
		places = places[run:]
	}
	if from+p.query.limit >= selection.Len() {
		return nil, body, nil
	}
	return &cursor{after: int64(from + p.query.limit), generations: p.numbers()}, body, nil
}

// seriesOf is the series of a part: those without a generation have none.
func (p devicePage) seriesOf(part int) *series {
	for _, sr := range p.reading.concerned {
		if sr.generation == nil {
			continue
		}
		if part == 0 {
			return sr
		}
		part--
	}
	return nil
}

func (p devicePage) numbers() []uint64 {
	out := make([]uint64, len(p.reading.concerned))
	for i, sr := range p.reading.concerned {
		if sr.generation != nil {
			out[i] = sr.info.Number
		}
	}
	return out
}

// appendDevices appends the devices of one series, with a comma between any two of a list.
func (s *Server) appendDevices(ctx context.Context, body []byte, sr *series, ids []int64, duplicates map[string][]string, show *device.Projection) ([]byte, error) {
	if len(ids) == 0 {
		return body, nil
	}
	fragments, err := s.o.Store.Normalized(ctx, sr.generation, sr.profile, ids)
	if err != nil {
		return nil, fmt.Errorf("read devices of %s %s: %w", sr.Source, sr.Kind, err)
	}
	if len(fragments) != len(ids) {
		return nil, fmt.Errorf("read devices of %s %s: %d of %d rendered", sr.Source, sr.Kind, len(fragments), len(ids))
	}
	for i, id := range ids {
		if len(body) > 0 && body[len(body)-1] != '[' {
			body = append(body, ',')
		}
		one := fragments[i]
		if twins := duplicates[device.UID(sr.Source, sr.Kind, id)]; len(twins) > 0 {
			if one, err = appendTwin(ctx, nil, sr, id, twins); err != nil {
				return nil, err
			}
		}
		if show == nil {
			body = append(body, one...)
		} else if body, err = show.Append(body, one); err != nil {
			return nil, err
		}
	}
	return body, nil
}

// appendTwin renders a device that others share their serial number with.
func appendTwin(ctx context.Context, body []byte, sr *series, id int64, twins []string) ([]byte, error) {
	record, err := sr.generation.Get(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read device of %s %s: %w", sr.Source, sr.Kind, err)
	}
	body, err = device.AppendNormalized(body, device.View{
		Source: sr.Source, Kind: sr.Kind, ID: record.ID, Record: record.Body, Profile: sr.profile, State: record.State,
		Names: sr.generation.Names(), DuplicateOf: twins,
	})
	if err != nil {
		return nil, fmt.Errorf("render device of %s %s: %w", sr.Source, sr.Kind, err)
	}
	return body, nil
}

// duplicates finds the serial numbers that stand more than once in the caller's view: uid -> the other uids. Where the
// profile hides serial numbers, it also hides that two are equal.
func (s *Server) duplicates(ctx context.Context, r *reading) (map[string][]string, error) {
	generations := r.serials()
	if len(generations) == 0 {
		return nil, nil
	}
	out, err := s.o.Store.Duplicates(ctx, generations)
	if err != nil {
		return nil, fmt.Errorf("find duplicates: %w", err)
	}
	return out, nil
}

// oneDevice is GET /v1/devices/{uid}.
func (s *Server) oneDevice(c *fiber.Ctx) error {
	q, f := parseDeviceQuery(rawQuery(c))
	if f != nil {
		return f
	}
	return s.ofDevice(c, q, func(ctx context.Context, r *reading, id int64) ([]byte, error) {
		duplicates, err := s.duplicates(ctx, r)
		if err != nil {
			return nil, err
		}
		return s.appendDevices(ctx, nil, r.concerned[0], []int64{id}, duplicates, q.show)
	})
}

// deviceApplications is GET /v1/devices/{uid}/applications.
func (s *Server) deviceApplications(c *fiber.Ctx) error {
	fresh, f := parseRequireOnly(rawQuery(c))
	if f != nil {
		return f
	}
	return s.ofDevice(c, deviceQuery{fresh: fresh}, func(ctx context.Context, r *reading, id int64) ([]byte, error) {
		sr := r.concerned[0]
		if !sr.profile.Allows(sr.Kind, fieldApplications) {
			return nil, &fault{code: codeHiddenField, source: sr.Source, detail: "The profile keeps no applications."}
		}
		record, err := sr.generation.Get(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("read device of %s %s: %w", sr.Source, sr.Kind, err)
		}
		return device.AppendApplications(nil, device.View{Source: sr.Source, Kind: sr.Kind, ID: id, Record: record.Body, Profile: sr.profile})
	})
}

// ofDevice answers about the one device that the path names.
func (s *Server) ofDevice(c *fiber.Ctx, q deviceQuery, render func(ctx context.Context, r *reading, id int64) ([]byte, error)) error {
	x := exchangeOf(c)
	x.seesFields(q.fields)
	uid, err := url.PathUnescape(c.Params("uid"))
	if err != nil {
		return &fault{code: codeUnknownDevice}
	}
	source, kind, id, err := device.ParseUID(uid)
	if err != nil {
		return &fault{code: codeUnknownDevice}
	}
	sc, ok := x.caller.scope(source, kind)
	if !ok && !x.caller.sees(source) {
		return &fault{code: codeUnknownDevice, asked: source}
	}
	if !ok { // a 404 would be taken for a device that was deleted
		return &fault{code: codeKindDisabled, source: source}
	}
	x.source = source
	r, err := s.read(x, []scope{sc}, step{ask: askOne})
	if err != nil {
		return err
	}
	defer r.release()
	if f := r.refuse(s.o.Now(), q.fresh); f != nil {
		return f
	}
	s.widen(x.caller, r)
	key := cache.Key{
		Generations: append(r.refs(), r.othersDigest()), Policy: x.caller.policy, Endpoint: x.route,
		Query: fmt.Sprintf("%s:%s:%d fields=%s", source, kind, id, q.show.Canonical()),
	}
	x.reads = []audit.Read{r.concerned[0].readOf(1)}
	err = s.answer(c, r, key, func(ctx context.Context) ([]byte, error) {
		if err := r.concerned[0].shows(id); err != nil {
			return nil, err
		}
		return render(ctx, r, id)
	})
	return r.unknownWhileStale(err, s)
}

// shows answers about a device that the caller is not shown as about one that there is not.
func (sr *series) shows(id int64) error {
	if sr.view != nil && !sr.view.Has(id) {
		return fmt.Errorf("device %d of %s %s: %w", id, sr.Source, sr.Kind, cache.ErrNotFound)
	}
	return nil
}

// record reads a device that the caller is shown.
func (sr *series) record(ctx context.Context, id int64) (cache.Record, error) {
	if err := sr.shows(id); err != nil {
		return cache.Record{}, err
	}
	return sr.generation.Get(ctx, id)
}

// unknownWhileStale turns "no such device" into a 503 while the source is not fresh: a device that Jamf has by now
// may only be missing here.
func (r *reading) unknownWhileStale(err error, s *Server) error {
	if err == nil {
		return nil
	}
	f := asFault(err)
	if sr := r.concerned[0]; f.code == codeUnknownDevice && sr.state != stateFresh {
		return &fault{code: codeDeviceStale, source: sr.Source, retryAfter: retryAfter(s.o.Now(), sr.next)}
	}
	return f
}

// rawQuery is the query as it came, as a string of its own.
func rawQuery(c *fiber.Ctx) string { return string(c.Request().URI().QueryString()) }
