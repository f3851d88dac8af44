package simulate_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"jamf-gateway/gateway/device"
	"jamf-gateway/test/fakejamf"
)

// world is one life: Jamf, disk, clock, network and clients of one gateway, all from one seed.
type world struct {
	seed      uint64
	plan      plan
	log       *journal
	net       *network
	dice      *rand.Rand // of the director
	oracle    *oracle
	upstreams []*upstream
	secrets   map[string]string // source -> what the settings say
	dir       string            // for all data directories of this life
	house     *house            // nil while no process runs
	zombies   sync.WaitGroup    // killed processes that still wind down
	kill      chan func()       // what the director does at once
	disk      *disk
	last      string       // data directory of the last process
	step      atomic.Int64 // by which the gateway's clock is wrong
	next      int          // number of the next Jamf
	expected  map[string]time.Time
}

// plan is what a seed decides once.
type plan struct {
	sources, computers, mobiles int
	profile                     string
	interval                    time.Duration
	at                          string
	heartbeat, maxStale         time.Duration
	pageSize, connections       int
	nodes                       int
	lag                         time.Duration
	begin                       time.Time
	length                      time.Duration
}

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

func newPlan(rng *rand.Rand) plan {
	p := plan{
		sources: 1, computers: rng.IntN(55), mobiles: rng.IntN(50),
		interval:  pick(rng, 4*time.Hour, 4*time.Hour, 6*time.Hour, 8*time.Hour, 24*time.Hour),
		heartbeat: pick(rng, 0, time.Hour, 3*time.Hour), pageSize: pick(rng, 50, 50, 60, 100, 200), connections: pick(rng, 1, 2, 2, 3),
		nodes: pick(rng, 1, 1, 2), lag: time.Duration(rng.Int64N(int64(time.Minute))),
		begin: pick(rng,
			time.Date(2026, 10, 24, 5, 0, 0, 0, time.UTC), // the clocks go back
			time.Date(2027, 3, 27, 5, 0, 0, 0, time.UTC),  // and forth
			time.Date(2026, 12, 31, 5, 0, 0, 0, time.UTC), time.Date(2028, 2, 28, 5, 0, 0, 0, time.UTC)),
	}
	if p.profile = "minimal"; rng.IntN(6) == 0 { // records ten times as large
		p.profile, p.computers = "full", p.computers/2
	}
	if rng.IntN(3) > 0 { // more than one page
		p.computers += 45
	}
	if rng.IntN(6) == 0 {
		p.sources = 2
	}
	p.maxStale = pick(rng, 30*24*time.Hour, 30*24*time.Hour, 2*p.interval)
	if p.interval == 24*time.Hour {
		p.at = pick(rng, "", "02:30", "23:59", "00:00")
	}
	p.begin = p.begin.Add(time.Duration(rng.Int64N(int64(24 * time.Hour))))
	p.length = 3*p.interval + time.Duration(rng.Int64N(int64(2*p.interval)))
	if p.interval == 24*time.Hour {
		p.length = 40*time.Hour + time.Duration(rng.Int64N(int64(24*time.Hour)))
	}
	return p
}

func (p plan) String() string {
	return fmt.Sprintf("sources %d computers %d mobiles %d profile %s interval %v at %q heartbeat %v max_stale %v page %d connections %d nodes %d lag %v length %v",
		p.sources, p.computers, p.mobiles, p.profile, p.interval, p.at, p.heartbeat, p.maxStale, p.pageSize, p.connections, p.nodes, p.lag, p.length)
}

func (w *world) rng(what string, n uint64) *rand.Rand {
	salt := n
	for _, b := range []byte(what) {
		salt = salt*1099511628211 + uint64(b)
	}
	return rand.New(rand.NewPCG(w.seed, salt))
}

func newWorld(seed uint64, dir string) *world {
	w := &world{
		seed: seed, log: newJournal(), net: newNetwork(), secrets: map[string]string{}, dir: dir, kill: make(chan func(), 8),
		expected: map[string]time.Time{},
	}
	w.plan = newPlan(w.rng("plan", 0))
	w.dice = w.rng("director", 0)
	w.oracle = newOracle(w)
	w.disk = &disk{w: w, asked: map[string]int{}}
	for n := range w.plan.sources {
		u := newUpstream(w, n, w.newJamf(w.plan.computers, w.plan.mobiles))
		w.secrets[u.name] = "secret"
		w.upstreams = append(w.upstreams, u)
	}
	return w
}

func (w *world) newJamf(computers, mobiles int) *instance {
	w.next++
	none := func(n int) int {
		if n == 0 {
			return -1
		}
		return n
	}
	return newInstance(w.next, fakejamf.Options{
		Computers: none(computers), Mobiles: none(mobiles), Seed: w.seed*31 + uint64(w.next), ClientID: "gw", ClientSecret: "secret",
		TokenLifetime: 20 * time.Minute, Nodes: w.plan.nodes, NodeLag: w.plan.lag + time.Second,
	})
}

// now is the gateway's clock: the bubble's, and wrong by as much as it was put forward or back.
func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.step.Load())).Round(0) }

// jitter depends on the moment alone: who asks first at a moment does not matter.
func (w *world) jitter(most time.Duration) time.Duration {
	rng := rand.New(rand.NewPCG(w.seed, uint64(time.Now().UnixNano())))
	return time.Duration(rng.Int64N(int64(most)))
}

func (w *world) upstream(name string) *upstream {
	for _, u := range w.upstreams {
		if u.name == name {
			return u
		}
	}
	return nil
}

// announced: an operator expects removals of a source.
func (w *world) announced(source string) bool { return time.Now().Before(w.expected[source]) }

// change lets one device come, go, be renamed, get another board, or come back under another id.
func (w *world) change(u *upstream, k device.Kind, rng *rand.Rand) {
	i := u.jamf()
	ids := i.Ledger().Alive(kindOf(k))
	if p := rng.IntN(100); p < 30 || len(ids) == 0 {
		id := i.Add(kindOf(k))
		i.wrote(k, id)
		w.log.note(u.name+" fleet", "%s %d comes", k, id)
		return
	}
	id := ids[rng.IntN(len(ids))]
	if rng.IntN(3) == 0 {
		id = ids[rng.IntN(min(8, len(ids)))] // behind the point where a walk reads
	}
	did := "is written"
	switch p := rng.IntN(100); {
	case p < 45:
		i.Delete(kindOf(k), id)
		did = "goes"
	case p < 65:
		i.Rename(kindOf(k), id, fmt.Sprintf("neu %d", rng.IntN(1000)))
		did = "is renamed"
	case p < 70:
		i.Reserial(kindOf(k), id, fmt.Sprintf("SIM%08d", rng.IntN(100_000_000)))
		did = "has another serial number"
	case p < 80:
		i.Delete(kindOf(k), id)
		did = "is enrolled again"
		again := i.Add(kindOf(k))
		i.wrote(k, again)
	default:
		i.Touch(kindOf(k), id)
	}
	i.wrote(k, id)
	w.log.note(u.name+" fleet", "%s %d %s", k, id, did)
}
