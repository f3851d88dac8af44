package server

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"jamf-gateway/cache"
)

// Settings are all that a reload of the settings can change of what a request is told. The zero values of MaxPageSize (10,000) and
// MaxStale (30 days) are usable; Control must be given, and speaks of the sources that stand here.
type Settings struct {
	Control     Control
	Passthrough Passthrough // nil: nothing is passed on
	Sources     []SourceOptions
	Names       []string // other host names under which the gateway is known; they count where a source has Hosts
	Clients     []ClientOptions
	Proxies     []netip.Prefix // whose X-Forwarded-For is believed at the public door
	MaxPageSize int
	MaxStale    time.Duration
	Warnings    func() []Warning // what should not stay, for operators; nil = nothing
}

// Warning is a sentence to an operator: about a certificate or a secret that ends or is old.
type Warning struct {
	EN string `json:"en"`
	DE string `json:"de"`
}

const (
	defaultMaxPageSize = 10_000
	defaultMaxStale    = 30 * 24 * time.Hour
)

// rules are Settings, compiled. They are immutable: a request takes up one set when it comes in and is answered by it to its end.
type rules struct {
	control     Control
	passthrough Passthrough
	clients     map[string]*caller // id -> caller
	bases       bases
	proxies     networks
	passes      map[string][]PassPath // by source
	jamfs       map[string]string     // by source: whose answers are passed on
	maxPageSize int
	maxStale    time.Duration
	warnings    func() []Warning
}

// newRules compiles settings, or says what is wrong with them.
func newRules(o Settings) (*rules, error) {
	switch {
	case o.Control == nil:
		return nil, errors.New("server options: control is missing")
	case o.MaxPageSize < 0:
		return nil, fmt.Errorf("server options: max page size %d is negative", o.MaxPageSize)
	case o.MaxStale < 0:
		return nil, fmt.Errorf("server options: max stale %v is negative", o.MaxStale)
	}
	r := &rules{
		control: o.Control, passthrough: o.Passthrough, passes: passPaths(o.Sources), maxPageSize: o.MaxPageSize, maxStale: o.MaxStale,
		warnings: o.Warnings, proxies: slices.Clone(o.Proxies),
	}
	r.jamfs = make(map[string]string, len(o.Sources))
	for _, src := range o.Sources {
		r.jamfs[src.Name] = src.Jamf
	}
	if r.maxPageSize == 0 {
		r.maxPageSize = defaultMaxPageSize
	}
	if r.maxStale == 0 {
		r.maxStale = defaultMaxStale
	}
	var err error
	if r.clients, err = callers(o.Sources, o.Clients); err != nil {
		return nil, err
	}
	if r.bases, err = newBases(o.Sources, o.Names); err != nil {
		return nil, err
	}
	return r, nil
}

// statuses is a snapshot of every source of the rules.
func (r *rules) statuses(names ...string) statusIndex { return r.control.Status(names...) }

// statusesOf are those of the sources concerned.
func (r *rules) statusesOf(concerned []scope) statusIndex {
	names := make([]string, 0, len(concerned))
	for _, sc := range concerned { // sorted by source
		if n := len(names); n == 0 || names[n-1] != sc.Source {
			names = append(names, sc.Source)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return r.statuses(names...)
}

// mayRead tells whether a client of that name is shown the series.
func (r *rules) mayRead(client string, q cache.Series) bool {
	who, ok := r.clients[client]
	if ok {
		_, ok = who.scope(q.Source, q.Kind)
	}
	return ok
}

// Apply lets every request that comes in from now on be answered by other settings; those under way keep theirs. Where the settings are
// refused, nothing changes. Tokens of secrets that are gone have ended, and so have the runs of clients over what they may no longer read.
func (s *Server) Apply(o Settings) error {
	apply, err := s.Prepare(o)
	if err == nil {
		apply()
	}
	return err
}

// Prepare is Apply in two steps: what it returns cannot fail.
func (s *Server) Prepare(o Settings) (apply func(), err error) {
	next, err := newRules(o)
	if err != nil {
		return nil, err
	}
	return func() {
		s.rules.Store(next)
		s.runs.prune(next.mayRead)
	}, nil
}
