package usage

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Record is what is known of how one client calls the gateway. Lists are sorted and never nil.
type Record struct {
	Since         Moment            `json:"since"` // when it was begun
	FirstSeen     Moment            `json:"firstSeenAt"`
	LastSeen      Moment            `json:"lastSeenAt"`
	LastToken     Moment            `json:"lastTokenAt"`   // when a token was last given
	LastRequest   Moment            `json:"lastRequestAt"` // when one was last used
	Secrets       []Secret          `json:"secrets"`
	Requests      uint64            `json:"requests"`
	OtherRequests uint64            `json:"otherRequests"` // of them on routes beyond the bound, which have no line
	MostAtOnce    int               `json:"mostAtOnce"`
	Tokens        Tokens            `json:"tokens"`
	Hours         []Hour            `json:"hours"` // the last ones with requests, oldest first
	Routes        []Route           `json:"routes"`
	Walks         []Walk            `json:"walks"`
	UserAgents    []Counted[string] `json:"userAgents"` // the first product of each
	Accept        []Counted[string] `json:"accept"`
	Encodings     []Counted[string] `json:"acceptEncoding"`
	Dropped       []Dropped         `json:"droppedFields"` // for whoever knows the client's profile: here there are none
}

// Dropped is what a client has asked for of one kind of devices and its profile does not show.
type Dropped struct {
	API    string   `json:"api"` // whose names the fields have: jamf or normalized
	Kind   string   `json:"kind"`
	Fields []string `json:"fields"`
}

// Counted is a name or a number and how often it came.
type Counted[K cmp.Ordered] struct {
	Value K      `json:"value"`
	Count uint64 `json:"count"`
}

// Tokens is how a client gets and uses its access tokens.
type Tokens struct {
	Issued      []Counted[string] `json:"issued"` // by how the client proved itself: basic, body, renewed, user
	Refused     uint64            `json:"refused"`
	LastRefused Moment            `json:"lastRefusedAt"`
	PerRequests []Counted[string] `json:"byRequests"` // tokens by the number of their requests: 1, 2-9, 10-99, 100-999, 1000+
}

// Hour is one hour with requests.
type Hour struct {
	At       Moment `json:"at"`
	Requests uint64 `json:"requests"` // without those for a token
	Tokens   uint64 `json:"tokens"`   // issued
}

// Route is what was asked on one route with one method and one set of parameters.
type Route struct {
	Method     string            `json:"method"`
	Route      string            `json:"route"`
	Served     bool              `json:"served"` // false: there is no such path here
	Parameters []string          `json:"parameters"`
	Requests   uint64            `json:"requests"`
	FirstSeen  Moment            `json:"firstSeenAt"`
	LastSeen   Moment            `json:"lastSeenAt"`
	Statuses   []Counted[int]    `json:"statuses"`
	Refusals   []Refusal         `json:"refusals"`
	Sections   []Counted[string] `json:"sections"`
	PageSizes  []Counted[int]    `json:"pageSizes"` // 0 = others
	Filters    []Counted[string] `json:"filters"`   // selector and operator
	Sorts      []Counted[string] `json:"sorts"`     // name and direction
	Fields     []Counted[string] `json:"fields"`
}

// Refusal is one reason why requests were refused.
type Refusal struct {
	Code      string `json:"code"`
	Parameter string `json:"parameter"` // "" = none is at fault
	Count     uint64 `json:"count"`
}

// Walk is one list that is read page by page in one way.
type Walk struct {
	Route      string         `json:"route"`
	Source     string         `json:"source"`
	Parameters []string       `json:"parameters"` // without page and cursor
	PageSize   int            `json:"pageSize"`
	Rows       *int           `json:"rows"` // of the list when it was last begun; null = not known
	Begun      uint64         `json:"begun"`
	Complete   uint64         `json:"complete"`
	Left       uint64         `json:"left"`       // the next one began before the last page
	Ended      uint64         `json:"ended"`      // the next one began, and the length of the list is not known
	Unfinished int            `json:"unfinished"` // pages of one that is in progress or was left
	Lengths    []Counted[int] `json:"lengths"`    // walks by their pages; 0 = others
	LastSeen   Moment         `json:"lastSeenAt"`
}

// Moment is a time as it stands in answers: RFC 3339 in UTC with three digits, null when it is zero.
type Moment struct{ time.Time }

const momentForm = "2006-01-02T15:04:05.000Z"

// MarshalJSON implements json.Marshaler.
func (m Moment) MarshalJSON() ([]byte, error) {
	if m.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(m.UTC().Format(momentForm))
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *Moment) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*m = Moment{}
		return nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return fmt.Errorf("read a moment: %w", err)
	}
	m.Time = t
	return nil
}

// page is the record as it is now.
func (c *client) page() Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := Record{
		Since: Moment{c.since}, FirstSeen: Moment{c.first}, LastSeen: Moment{c.last}, LastToken: Moment{c.used.token},
		LastRequest: Moment{c.used.request}, Secrets: c.secrets.page(), Requests: c.requests, OtherRequests: c.others,
		MostAtOnce: c.atOnce, Tokens: c.tokens.page(), Hours: c.hours.page(), Routes: []Route{}, Walks: []Walk{}, Dropped: []Dropped{}, UserAgents: counted(c.products),
		Accept:    sets(c.accepts, c.words.media),
		Encodings: sets(c.codings, c.words.codings),
	}
	for key, line := range c.routes {
		r.Routes = append(r.Routes, line.page(key, c.words))
	}
	slices.SortFunc(r.Routes, func(a, b Route) int {
		return cmp.Or(cmp.Compare(a.Route, b.Route), cmp.Compare(a.Method, b.Method), slices.Compare(a.Parameters, b.Parameters))
	})
	for key, one := range c.walks {
		r.Walks = append(r.Walks, one.page(key, c.words))
	}
	slices.SortFunc(r.Walks, func(a, b Walk) int {
		return cmp.Or(cmp.Compare(a.Route, b.Route), cmp.Compare(a.Source, b.Source), cmp.Compare(a.PageSize, b.PageSize), slices.Compare(a.Parameters, b.Parameters))
	})
	return r
}

func (l *route) page(key routeKey, words *vocabulary) Route {
	out := Route{
		Method: key.method, Route: key.route, Served: l.served, Parameters: words.names(key.known, key.others), Requests: l.requests,
		FirstSeen: Moment{l.first}, LastSeen: Moment{l.last}, Statuses: counted(l.statuses), Refusals: []Refusal{}, Sections: counted(l.sections),
		PageSizes: counted(l.sizes), Filters: counted(l.filters), Sorts: counted(l.sorts), Fields: counted(l.fields),
	}
	for of, n := range l.refusals {
		out.Refusals = append(out.Refusals, Refusal{of.code, of.parameter, n})
	}
	slices.SortFunc(out.Refusals, func(a, b Refusal) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Parameter, b.Parameter))
	})
	return out
}

func (w *walk) page(key walkKey, words *vocabulary) Walk {
	out := Walk{
		Route: key.route, Source: key.series, Parameters: words.names(key.known, ""), PageSize: key.size, Begun: w.begun, Complete: w.complete,
		Left: w.left, Ended: w.ended, Lengths: counted(w.lengths), LastSeen: Moment{w.last},
	}
	if w.open {
		out.Unfinished = w.pages
	}
	if total := w.total; total >= 0 {
		out.Rows = &total
	}
	return out
}

func (t *tokens) page() Tokens {
	of, requests, served := ways(), spans(), t.bySpan()
	return Tokens{Issued: named(of[:], t.issued[:]), Refused: t.refused, LastRefused: Moment{t.refusedAt}, PerRequests: named(requests[:], served[:])}
}

// named lists the numbers that are not 0 with their names.
func named(names []string, numbers []uint64) []Counted[string] {
	out := []Counted[string]{}
	for i, n := range numbers {
		if n > 0 {
			out = append(out, Counted[string]{names[i], n})
		}
	}
	return out
}

// unnamed is named, read back.
func unnamed(list []Counted[string], names []string, numbers []uint64) {
	for _, one := range list {
		if i := slices.Index(names, one.Value); i >= 0 {
			numbers[i] = one.Count
		}
	}
}

func (h *hours) page() []Hour {
	out := []Hour{}
	for i := range keptHours {
		if one := h.ring[(h.next+i)%keptHours]; one.at != 0 {
			out = append(out, Hour{Moment{time.Unix(one.at*3600, 0)}, one.requests, one.tokens})
		}
	}
	return out
}

// counted lists a map by its keys.
func counted[K cmp.Ordered](m map[K]uint64) []Counted[K] {
	out := make([]Counted[K], 0, len(m))
	for value, n := range m {
		out = append(out, Counted[K]{value, n})
	}
	slices.SortFunc(out, func(a, b Counted[K]) int { return cmp.Compare(a.Value, b.Value) })
	return out
}

// sets lists sets of words by their texts.
func sets(m map[uint16]uint64, words []string) []Counted[string] {
	texts := map[string]uint64{}
	for set, n := range m {
		texts[spelled(set, words)] += n
	}
	return counted(texts)
}

// load takes up a record of before a restart, within the bounds of this release.
func (c *client) load(r Record) {
	c.since, c.first, c.last = r.Since.Time, r.FirstSeen.Time, r.LastSeen.Time
	c.requests, c.others, c.atOnce = r.Requests, r.OtherRequests, max(r.MostAtOnce, 0)
	c.tokens.load(r.Tokens)
	c.used = lastUse{r.LastToken.Time, r.LastRequest.Time}
	c.secrets.load(r.Secrets)
	c.hours.load(r.Hours)
	for _, p := range r.UserAgents {
		if p.Value != noneWord && product([]byte(p.Value)) == nil {
			p.Value = otherWord
		}
		give(c, c.products, p.Value, p.Count, maxProducts, otherWord)
	}
	for _, a := range r.Accept {
		give(c, c.accepts, unspelled(a.Value, c.words.media), a.Count, maxSets, 1<<len(c.words.media))
	}
	for _, e := range r.Encodings {
		give(c, c.codings, unspelled(e.Value, c.words.codings), e.Count, maxSets, 1<<len(c.words.codings))
	}
	for _, line := range r.Routes {
		key := routeKey{method: line.Method, route: line.Route}
		key.known, key.others = c.words.set(line.Parameters)
		if !line.Served { // an earlier release kept more of it
			key.route = c.words.template([]byte(line.Route))
		}
		if there := c.routes[key]; there != nil {
			there.requests += line.Requests
		} else if l := c.route(key); l != nil {
			l.load(c, line)
		}
	}
	for _, one := range r.Walks {
		known, _ := c.words.set(one.Parameters)
		if len(c.walks) <= maxWalks { // one of them is the others
			c.walks[walkKey{one.Route, one.Source, one.PageSize, known}] = loadedWalk(one)
		}
	}
}

func (l *route) load(c *client, r Route) {
	l.served, l.requests, l.first, l.last = r.Served, r.Requests, r.FirstSeen.Time, r.LastSeen.Time
	for _, s := range r.Statuses {
		if s.Value >= 100 && s.Value < 600 {
			l.statuses[s.Value] += s.Count
		}
	}
	for _, f := range r.Refusals {
		tallied(c, &l.refusals, refusal{f.Code, c.words.parameter(f.Parameter, true)}, f.Count, maxCodes, refusal{code: otherWord})
	}
	for _, s := range r.PageSizes {
		tallied(c, &l.sizes, s.Value, s.Count, maxSizes, 0)
	}
	for _, m := range []struct {
		into *map[string]uint64
		from []Counted[string]
	}{{&l.sections, r.Sections}, {&l.filters, r.Filters}, {&l.sorts, r.Sorts}, {&l.fields, r.Fields}} {
		for _, one := range m.from {
			tallied(c, m.into, one.Value, one.Count, maxAsked, otherWord)
		}
	}
}

func loadedWalk(r Walk) *walk {
	w := &walk{begun: r.Begun, complete: r.Complete, left: r.Left, ended: r.Ended, total: -1, lengths: map[int]uint64{}, last: r.LastSeen.Time}
	if r.Rows != nil {
		w.total = *r.Rows
	}
	if r.Unfinished > 0 {
		w.left++ // its pages are not known any more
	}
	for _, l := range r.Lengths[:min(len(r.Lengths), maxLengths)] {
		w.lengths[l.Value] += l.Count
	}
	return w
}

func (t *tokens) load(r Tokens) {
	t.refused, t.refusedAt = r.Refused, r.LastRefused.Time
	of, requests := ways(), spans()
	unnamed(r.Issued, of[:], t.issued[:])
	unnamed(r.PerRequests, requests[:], t.spent[:])
}

func (h *hours) load(list []Hour) {
	for _, one := range list[max(0, len(list)-keptHours):] {
		if one.At.Unix() < 3600 {
			continue // no gateway wrote this
		}
		*h.at(one.At.Time) = hour{one.At.Unix() / 3600, one.Requests, one.Tokens}
	}
}

func tallied[K comparable](c *client, m *map[K]uint64, key K, n uint64, most int, other K) {
	if *m == nil {
		*m = map[K]uint64{}
	}
	give(c, *m, key, n, most, other)
}

// give is add with a number.
func give[K comparable](c *client, m map[K]uint64, key K, n uint64, most int, other K) {
	if n == 0 {
		return
	}
	before := m[key]
	add(c, m, key, most, other)
	if m[key] != before {
		m[key] += n - 1
	} else {
		m[other] += n - 1
	}
}
