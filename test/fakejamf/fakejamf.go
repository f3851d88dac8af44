// Package fakejamf is a simulated Jamf Pro: an http.Handler that answers as Jamf's documents and recorded wire say, over a
// fleet made from a seed. It changes while it is read if asked to, its nodes may disagree, it misbehaves on demand, and its
// ledger knows the truth. It is written from Jamf's side and knows nothing of the gateway; it uses the standard library only.
package fakejamf

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Defaults of Options.
const (
	DefaultClientID      = "demo"
	DefaultClientSecret  = "demo-secret"
	DefaultTokenLifetime = 10 * time.Minute
	DefaultVersion       = "11.30.2-t1785446884863"
)

// The privileges that a path may ask for.
const (
	ReadComputers     = "Read Computers"
	ReadMobileDevices = "Read Mobile Devices"
	ReadDepartments   = "Read Departments"
	ReadBuildings     = "Read Buildings"
	ReadSites         = "Read Sites"
)

// Options shape a Server. The zero value is a calm instance of 120 computers and 80 mobile devices.
type Options struct {
	Computers, Mobiles int           // both 0 = 120 and 80; negative = none
	Seed               uint64        // decides the fleet, its changes and the faults
	Epoch              time.Time     // the day on which the fleet was last seen; zero = 2026-11-20T06:00:00Z, whatever the clock says
	ClientID           string        // "" = "demo"
	ClientSecret       string        // "" = "demo-secret"
	TokenLifetime      time.Duration // 0 = 10 min; expires_in is one second less
	Privileges         []string      // nil = Read Computers and Read Mobile Devices
	Faults             Faults        // zero = calm
	Mutate             bool          // the fleet changes after pages
	MutateRate         float64       // mean number of changes a page; 0 = 0.5
	Nodes              int           // web application servers behind the jpro-ingress cookie; 0 = 1, at most 2
	NodeLag            time.Duration // how long the second node stays behind
	NodeLagMutations   int           // how many changes it stays behind; both 0 = 5 changes
	Version            string        // "" = "11.30.2-t1785446884863"
	MaxAPIVersion      string        // newest computers-inventory: "v1" to "v4"; "" = "v4"; newer paths are 404
	OldTokenPathOnly   bool          // /api/v1/oauth/token is 404, as on servers before mid 2025
	ServerMillisPerRow int           // what a row of a list costs the server
	Now                func() time.Time
}

// Hostile returns the options with everything that tests shall survive by default: faults, changes, two nodes.
func (o Options) Hostile() Options {
	o.Faults, o.Mutate, o.Nodes = Hostile(), true, 2
	return o
}

// Server is a simulated Jamf Pro instance. It is safe for concurrent use; put it on any listener.
type Server struct {
	o      Options
	shapes *shapes
	mux    *http.ServeMux
	gzips  sync.Pool // *gzip.Writer

	mu         sync.Mutex
	dice       dice // changes and faults
	kinds      map[Kind]*registry
	events     []event
	nodes      []*node
	tokens     map[string]time.Time // token -> its end
	minted     uint64
	secret     string
	others     map[string]string // further API clients: id -> secret
	privileges []string
	faults     Faults
	poisoned   map[int64]bool
	broken     map[int64]bool
	newest     int    // version of computers-inventory
	release    string // of Jamf Pro
	down       bool
	noEntries  bool // departments, buildings and sites fail
	countLie   int
	stats      Stats
	requests   []Request
}

// New makes an instance. Equal options make equal fleets.
func New(o Options) *Server {
	o = o.withDefaults()
	s := &Server{
		o: o, shapes: newShapes(newWorld(o.Seed, o.Epoch)), dice: roll(o.Seed, saltOrder),
		kinds: map[Kind]*registry{
			Computer: newRegistry(Computer, o.Seed, o.Computers),
			Mobile:   newRegistry(Mobile, o.Seed, o.Mobiles),
		},
		tokens: map[string]time.Time{}, secret: o.ClientSecret, privileges: o.Privileges,
		newest: versionNumber(o.MaxAPIVersion), release: o.Version,
		stats: Stats{Requests: map[string]int{}, Statuses: map[int]int{}, Faults: map[string]int{}},
	}
	for range o.Nodes {
		s.nodes = append(s.nodes, newNode(s.kinds))
	}
	s.setFaultsLocked(o.Faults)
	s.mux = s.routes()
	return s
}

func (o Options) withDefaults() Options {
	if o.Computers == 0 && o.Mobiles == 0 {
		o.Computers, o.Mobiles = 120, 80
	}
	if o.Epoch.IsZero() {
		o.Epoch = time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)
	}
	o.ClientID = or(o.ClientID, DefaultClientID)
	o.ClientSecret = or(o.ClientSecret, DefaultClientSecret)
	o.TokenLifetime = or(o.TokenLifetime, DefaultTokenLifetime)
	o.MutateRate = or(o.MutateRate, 0.5)
	o.Version = or(o.Version, DefaultVersion)
	o.MaxAPIVersion = or(o.MaxAPIVersion, "v4")
	o.Nodes = min(max(o.Nodes, 1), 2)
	if o.NodeLag == 0 {
		o.NodeLagMutations = or(o.NodeLagMutations, 5)
	}
	if o.Privileges == nil {
		o.Privileges = []string{ReadComputers, ReadMobileDevices}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// String describes the instance in one line, with what is needed to make it again.
func (s *Server) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("simulated Jamf Pro %s: %d computers, %d mobile devices, seed %d, %d node(s), mutate %t, faults %+v",
		s.release, len(s.nodes[0].views[Computer].ids), len(s.nodes[0].views[Mobile].ids), s.o.Seed, len(s.nodes), s.o.Mutate, s.faults)
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &recorder{ResponseWriter: w}
	down := s.enter(r)
	defer s.leave(r, rec)
	if down {
		rec.Header().Set("Server", "awselb/2.0")
		html(rec, http.StatusServiceUnavailable, "503 Service Temporarily Unavailable")
		return
	}
	s.headers(rec)
	s.mux.ServeHTTP(rec, r)
}
