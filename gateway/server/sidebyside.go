package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/audit"
	"jamf-gateway/gateway/device"
)

// Bounds of one answer: a serial number of a virtual machine may stand a thousand times.
const (
	mostCompared  = 20
	mostFound     = 10_000
	comparedBytes = 24 << 20
)

const (
	paramNumber = "serial"
	paramUID    = "uid"
	paramClient = "client"
)

// Why a client is not shown a device, beside the reasons of its filter and the codes of the catalogue.
const (
	notItsSource = "other_source"
	notItsKind   = "other_kind"
)

// comparison is what is stored of the devices that were asked for, and what clients see of them.
type comparison struct {
	Found   int            `json:"found"` // so many devices; the first of them are in Devices
	Devices []compared     `json:"devices"`
	Unread  []unreadSeries `json:"unread"` // of these it is not known whether they have such a device
}

// unreadSeries is a series that cannot be read, and why.
type unreadSeries struct {
	Source string      `json:"source"`
	Kind   device.Kind `json:"kind"`
	Code   string      `json:"code"`
}

// compared is one device: the record as Jamf sent it, cut to what the source keeps, and beside it what each client is answered.
type compared struct {
	UID        string          `json:"uid"`
	Source     string          `json:"source"`
	Kind       device.Kind     `json:"kind"`
	State      string          `json:"state"` // present, quarantined, missing
	AsOf       *string         `json:"asOf"`
	Generation uint64          `json:"generation"`
	Profile    string          `json:"profile"` // by which it was cut
	NotKept    []string        `json:"notKept"` // Jamf's sections of which nothing is kept; null = not known
	Record     json.RawMessage `json:"record"`
	Clients    []clientSide    `json:"clients"`
}

// clientSide is one device as one client would be answered now: in the newest of Jamf's shapes with all sections, and normalized.
type clientSide struct {
	Client     string          `json:"client"`
	Reason     *string         `json:"reason"` // why it is not shown; null = it is
	Profile    *string         `json:"profile"`
	Jamf       json.RawMessage `json:"jamf"`
	Normalized json.RawMessage `json:"normalized"`
}

// adminShow is POST /v1/admin/show?serial=S|uid=U[&source=S][&client=C][&by=...]: the one place where an operator is shown values of devices.
// It changes nothing. It is a POST because it is an act: each device that is shown stands in the audit before it is.
func (s *Server) adminShow(c *fiber.Ctx) error {
	x := exchangeOf(c)
	q, f := parseShow(x.rules, rawQuery(c))
	if f != nil {
		return f
	}
	ctx, cancel := x.deadline()
	defer cancel()
	x.source = q.source
	side := s.newComparing(x.rules, q)
	defer side.release()
	found, f := side.find(ctx)
	if f != nil {
		return s.act(c, audit.Entry{Event: "admin.show", By: q.by, Source: q.source}, func() error { return f })
	}
	out := comparison{Found: len(found), Devices: []compared{}, Unread: side.unread}
	bytes := 0
	for _, at := range found[:min(len(found), mostCompared)] {
		e := audit.Entry{Event: "admin.show", By: q.by, Source: at.Source, Kind: string(at.Kind), Target: device.UID(at.Source, at.Kind, at.id)}
		var one compared
		f := s.act(c, e, func() (err error) {
			one, err = side.compare(ctx, at)
			return err
		})
		if f != nil {
			return f
		}
		if bytes += one.size(); bytes > comparedBytes && len(out.Devices) > 0 {
			break
		}
		out.Devices = append(out.Devices, one)
	}
	return sendJSON(c, http.StatusOK, out)
}

func (d compared) size() int {
	n := len(d.Record)
	for _, c := range d.Clients {
		n += len(c.Jamf) + len(c.Normalized)
	}
	return n
}

// showQuery is what an operator wants to see; by its uid, or by its serial number.
type showQuery struct {
	serial, source, client, by string
	series                     cache.Series // of a uid
	id                         int64        // of a uid, 0 = asked by serial number
}

func parseShow(ru *rules, query string) (q showQuery, f *fault) {
	values, f := onlyParameters(query, paramNumber, paramUID, paramSource, paramClient, paramBy)
	if f != nil {
		return q, f
	}
	q = showQuery{serial: strings.ToUpper(strings.TrimSpace(values.Get(paramNumber))), source: values.Get(paramSource), client: values.Get(paramClient), by: actor(values)}
	uid := values.Get(paramUID)
	switch {
	case (q.serial == "") == (uid == ""):
		return q, badParameter(paramNumber, "either serial or uid must be given.")
	case !utf8.ValidString(q.serial):
		return q, badParameter(paramNumber, "serial holds a byte that is no text.")
	case uid != "" && q.source != "":
		return q, badParameter(paramSource, "a uid names its source itself.")
	case values.Has(paramClient) && ru.clients[q.client] == nil:
		return q, &fault{code: codeNotFound, detail: "The settings have no client of that id."}
	}
	if uid != "" {
		var err error
		if q.series.Source, q.series.Kind, q.id, err = device.ParseUID(uid); err != nil {
			return q, badParameter(paramUID, "a device is named SOURCE:KIND:ID, like schule-a:computer:42.")
		}
		q.source = q.series.Source
	}
	if _, known := ru.statuses().source(q.source); q.source != "" && !known {
		return q, &fault{code: codeUnknownSource, source: q.source}
	}
	return q, nil
}

// foundDevice is one device of a series.
type foundDevice struct {
	cache.Series
	id int64
}

// comparing holds the generations of one comparison open: record and clients' sides come from the same ones.
type comparing struct {
	server      *Server
	rules       *rules
	query       showQuery
	generations map[cache.Series]*cache.Generation
	order       []cache.Series
	unread      []unreadSeries
	why         *fault // of the first series that cannot be read
	readings    map[string]*reading
}

func (s *Server) newComparing(ru *rules, q showQuery) *comparing {
	c := &comparing{server: s, rules: ru, query: q, generations: map[cache.Series]*cache.Generation{}, unread: []unreadSeries{}, readings: map[string]*reading{}}
	for _, st := range ru.statuses() {
		for _, k := range st.Kinds {
			q := cache.Series{Source: st.Name, Kind: k.Kind}
			g, err := s.o.Store.Acquire(q)
			if err == nil {
				c.generations[q], c.order = g, append(c.order, q)
				continue
			}
			if !c.asked(q) {
				continue
			}
			f := storeFault(err, q.Source)
			c.unread = append(c.unread, unreadSeries{q.Source, q.Kind, f.code})
			if c.why == nil {
				c.why = f
			}
		}
	}
	slices.SortFunc(c.order, compareSeries)
	return c
}

// asked tells whether a series is among those in which the operator looks.
func (c *comparing) asked(q cache.Series) bool {
	if c.query.id != 0 {
		return q == c.query.series
	}
	return c.query.source == "" || c.query.source == q.Source
}

// release lets go of everything.
func (c *comparing) release() {
	for _, r := range c.readings {
		r.release()
	}
	for _, g := range c.generations {
		g.Release()
	}
}

// find looks for the devices. Where there is none it says so only if all that was asked could be read.
func (c *comparing) find(ctx context.Context) (found []foundDevice, f *fault) {
	for _, q := range c.order {
		if !c.asked(q) {
			continue
		}
		ids := []int64{c.query.id}
		if c.query.id == 0 {
			var err error
			if ids, err = c.generations[q].OfSerial(ctx, c.query.serial, mostFound); err != nil {
				return nil, storeFault(err, q.Source)
			}
		} else if has, err := c.generations[q].IDs(ctx); err != nil {
			return nil, storeFault(err, q.Source)
		} else if _, ok := slices.BinarySearch(has, c.query.id); !ok {
			ids = nil
		}
		for _, id := range ids {
			found = append(found, foundDevice{q, id})
		}
	}
	switch {
	case len(found) > 0:
		return found, nil
	case c.why != nil:
		return nil, c.why
	}
	return nil, &fault{code: codeUnknownDevice, source: c.query.source}
}

// compare puts one record and the sides of the clients together.
func (c *comparing) compare(ctx context.Context, at foundDevice) (compared, error) {
	g := c.generations[at.Series]
	record, err := g.Get(ctx, at.id)
	if err != nil {
		return compared{}, storeFault(err, at.Source)
	}
	info := g.Info()
	out := compared{
		UID: device.UID(at.Source, at.Kind, at.id), Source: at.Source, Kind: at.Kind, State: record.State, AsOf: stamp(info.Ended), Generation: info.Number,
		Profile: info.ProfileName, NotKept: notKept(at.Kind, info.ProfilePaths), Record: record.Body, Clients: []clientSide{},
	}
	ids := slices.Sorted(maps.Keys(c.rules.clients))
	if c.query.client != "" {
		ids = []string{c.query.client}
	}
	for _, id := range ids {
		side, err := c.side(ctx, c.rules.clients[id], at, record)
		if err != nil {
			return compared{}, fmt.Errorf("what %s sees of %s: %w", id, out.UID, err)
		}
		out.Clients = append(out.Clients, side)
	}
	return out, nil
}

// side is what one client would be answered about a device by a run that begins now.
func (c *comparing) side(ctx context.Context, who *caller, at foundDevice, record cache.Record) (clientSide, error) {
	out := clientSide{Client: who.id}
	not := func(reason string) (clientSide, error) {
		out.Reason = &reason
		return out, nil
	}
	sc, ok := who.scope(at.Source, at.Kind)
	switch {
	case !who.sees(at.Source):
		return not(notItsSource)
	case !ok:
		return not(notItsKind)
	}
	name := sc.profile.Name()
	out.Profile = &name
	reason, err := c.generations[at.Series].LeftOut(ctx, sc.filter, at.id)
	switch {
	case errors.Is(err, cache.ErrNoView):
		return not(codeViewNotReady)
	case err != nil:
		return out, storeFault(err, at.Source)
	case reason != "":
		return not(string(reason))
	}
	r := c.reading(who)
	place := slices.IndexFunc(r.concerned, func(sr *series) bool { return sr.Series == at.Series })
	sr := r.concerned[place]
	if sr.overdue {
		return not(codeStaleLimit)
	}
	shape := device.MobileDetail
	if at.Kind == device.Computer {
		shape = device.ComputerV4
	}
	if !who.noFacade {
		if out.Jamf, err = device.AppendJamf(nil, shape, device.AllSections(shape), sr.profile, record.Body); err != nil {
			return out, err
		}
	}
	if who.noNormal {
		return out, nil
	}
	duplicates, err := c.server.duplicates(ctx, r)
	if err != nil {
		return out, err
	}
	out.Normalized, err = c.server.appendDevices(ctx, nil, sr, []int64{at.id}, duplicates, nil)
	return out, err
}

// reading is all that a client sees, of these generations.
func (c *comparing) reading(who *caller) *reading {
	if r := c.readings[who.id]; r != nil {
		return r
	}
	r, statuses, now := &reading{holders: 1}, c.rules.statuses(), c.server.o.Now()
	for _, sc := range who.scopes {
		g := c.generations[sc.Series]
		if g == nil {
			continue
		}
		sr := c.server.observe(c.rules, sc, g.Retain(), statuses, now)
		if r.concerned = append(r.concerned, sr); sr.look(now) != nil {
			sr.view = nil
		}
	}
	c.readings[who.id] = r
	return r
}

// notKept lists the sections of a kind of which a source keeps nothing: they were not asked for, or only to tell views apart.
func notKept(k device.Kind, kept []string) []string {
	if kept == nil {
		return nil
	}
	out := []string{}
	for _, f := range device.FieldsOf(k) {
		section, _, below := strings.Cut(f.Path, ".")
		section = strings.TrimSuffix(section, "[]")
		if !below || slices.Contains(out, section) || slices.ContainsFunc(kept, func(path string) bool {
			return strings.HasPrefix(path, section+".") || strings.HasPrefix(path, section+"[]")
		}) {
			continue
		}
		out = append(out, section)
	}
	return out
}
