package usage

import (
	"net/http"
	"sync"
	"time"
)

// Bounds of the record of one client. What is beyond them is counted as other.
const (
	maxRoutes   = 256  // routes with a method and a set of parameters
	maxDistinct = 4096 // different names and numbers beside them
	maxSizes    = 16   // page sizes of a route
	maxAsked    = 64   // comparisons, orders or fields of a route
	maxProducts = 16
	maxSets     = 16 // of media types or codings
	maxCodes    = 64 // refusals of a route
	keptFor     = 90 * 24 * time.Hour
)

// client is the record of one client.
type client struct {
	words *vocabulary

	mu       sync.Mutex
	since    time.Time
	first    time.Time
	last     time.Time
	requests uint64
	others   uint64 // requests on routes beyond the bound
	atOnce   int
	distinct int
	routes   map[routeKey]*route
	products map[string]uint64

	lastProduct string
	accepts     map[uint16]uint64
	codings     map[uint16]uint64
	tokens      tokens
	used        lastUse
	secrets     secrets
	hours       hours
	walks       walks
}

// routeKey is what one line of the record is about.
type routeKey struct {
	method, route string
	known         uint64 // parameters of the vocabulary
	others        string // names of other parameters
}

// route is one line of the record.
type route struct {
	served      bool
	requests    uint64
	first, last time.Time
	statuses    map[int]uint64
	refusals    map[refusal]uint64
	sections    map[string]uint64
	sizes       map[int]uint64
	filters     map[string]uint64
	sorts       map[string]uint64
	fields      map[string]uint64
}

type refusal struct{ code, parameter string }

func newClient(words *vocabulary, since time.Time) *client {
	return &client{
		words: words, since: since, routes: map[routeKey]*route{}, products: map[string]uint64{}, accepts: map[uint16]uint64{},
		codings: map[uint16]uint64{}, walks: walks{}, secrets: secrets{},
	}
}

// record counts one request. trusted: a client of the settings has sent it.
func (c *client) record(rq *Request, trusted bool) {
	key := routeKey{method: rq.Method, route: rq.Route}
	if key.route == "" {
		key.route = c.words.template(rq.Path)
	}
	key.known, key.others = c.words.named(rq.Query, trusted)
	accepts, codings := listed(rq.Accept, c.words.media), listed(rq.AcceptEncoding, c.words.codings)
	name := product(rq.UserAgent)

	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests++
	if c.first.IsZero() {
		c.first = rq.At
	}
	c.last = rq.At
	c.atOnce = max(c.atOnce, rq.AtOnce)
	c.product(name, len(rq.UserAgent) > 0)
	add(c, c.accepts, accepts, maxSets, 1<<len(c.words.media))
	add(c, c.codings, codings, maxSets, 1<<len(c.words.codings))
	c.hours.at(rq.At).count(rq.Issued != "")
	c.tokens.use(rq.Token)
	c.tokens.issue(rq.Issued)
	if trusted {
		c.used.note(rq.Issued != "", rq.At)
		c.secrets.use(rq.Secret, rq.Issued != "", rq.At)
	}
	if rq.Walk.Size > 0 && rq.Status < http.StatusBadRequest {
		c.walks.step(walkKey{key.route, rq.Walk.Series, rq.Walk.Size, key.known &^ c.words.places}, rq.Walk, rq.At)
	}
	if line := c.route(key); line != nil {
		line.count(c, rq, trusted)
	}
}

// product counts a User-Agent without keeping more of it than its first product.
func (c *client) product(name []byte, given bool) {
	switch {
	case !given:
		add(c, c.products, noneWord, maxProducts, otherWord)
		return
	case len(name) == 0:
		add(c, c.products, otherWord, maxProducts, otherWord)
		return
	case string(name) != c.lastProduct: // mostly it is, and no text must be made of it
		c.lastProduct = string(name)
	}
	add(c, c.products, c.lastProduct, maxProducts, otherWord)
}

// route finds the line of a request, nil when it is beyond the bound.
func (c *client) route(key routeKey) *route {
	line, ok := c.routes[key]
	if !ok {
		if len(c.routes) >= maxRoutes {
			c.others++
			return nil
		}
		line = &route{statuses: map[int]uint64{}}
		c.routes[key] = line
	}
	return line
}

func (l *route) count(c *client, rq *Request, trusted bool) {
	l.requests++
	if l.first.IsZero() {
		l.first = rq.At
	}
	l.last = rq.At
	l.served = l.served || rq.Route != ""
	l.statuses[rq.Status]++
	if rq.Code != "" {
		tally(c, &l.refusals, refusal{rq.Code, c.words.parameter(rq.Parameter, trusted)}, maxCodes, refusal{code: otherWord})
	}
	if rq.Size > 0 {
		tally(c, &l.sizes, rq.Size, maxSizes, 0)
	}
	for bit, name := range rq.Names {
		if rq.Asked>>bit&1 == 1 {
			tally(c, &l.sections, name, maxAsked, otherWord)
		}
	}
	for _, cmp := range rq.Filter {
		tally(c, &l.filters, c.words.field(cmp.Selector)+" "+cmp.Op, maxAsked, otherWord)
	}
	if rq.Sort != "" {
		for _, order := range c.words.orders(rq.Sort) {
			tally(c, &l.sorts, order, maxAsked, otherWord)
		}
	}
	for _, field := range rq.Fields {
		tally(c, &l.fields, c.words.field(field), maxAsked, otherWord)
	}
}

// refused counts a refused token request.
func (c *client) refused(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tokens.refused++
	c.tokens.refusedAt = at
}

// prune forgets the routes that were not asked for so long that they tell nothing of the client of today.
func (c *client) prune(date time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, line := range c.routes {
		if date.Sub(line.last) > keptFor {
			c.distinct -= line.distinct()
			delete(c.routes, key)
		}
	}
}

// distinct is how many of the client's different names and numbers are in the line.
func (l *route) distinct() int {
	return len(l.refusals) + len(l.sizes) + len(l.sections) + len(l.filters) + len(l.sorts) + len(l.fields)
}

// tally is add to a map that is made when it is needed.
func tally[K comparable](c *client, m *map[K]uint64, key K, most int, other K) {
	if *m == nil {
		*m = map[K]uint64{}
	}
	add(c, *m, key, most, other)
}

// add counts a key; one beyond the bounds of its map or of the client is counted as other.
func add[K comparable](c *client, m map[K]uint64, key K, most int, other K) {
	if _, there := m[key]; !there {
		if len(m) >= most || c.distinct >= maxDistinct {
			key = other
		}
		if _, there := m[key]; !there {
			c.distinct++
		}
	}
	m[key]++
}
