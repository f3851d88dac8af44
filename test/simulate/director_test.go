package simulate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/test/fakejamf"
)

// live is the whole life: everything goes wrong in its turn, and at the end everything is well and must be whole again.
func (w *world) live() {
	time.Sleep(time.Until(w.plan.begin))
	for _, u := range w.upstreams {
		ln, err := w.net.listen(context.Background(), "tcp", u.address)
		if err != nil {
			panic(err)
		}
		go func() { _ = u.server.Serve(ln) }()
	}
	w.log.note("director", "plan %v", w.plan)
	w.start(w.dir + "/life")
	over, end := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	for n, id := range []string{"cmdb", "strict"} {
		c := &client{w: w, name: fmt.Sprintf("client-%d", n), id: id, rng: w.rng("client", uint64(n)), http: w.caller()}
		clients.Go(func() { c.live(over) })
	}
	w.direct(time.Now().Add(w.plan.length))
	w.heal()
	end()
	clients.Wait()
	w.stop()
	w.zombies.Wait()
	for _, u := range w.upstreams {
		_ = u.server.Close()
	}
	time.Sleep(time.Minute) // fasthttp's cleaners look every 10 s whether they are needed
}

// direct lets things happen until then.
func (w *world) direct(until time.Time) {
	for time.Now().Before(until) {
		gap := time.Duration(w.dice.ExpFloat64() * float64(w.plan.interval) / 7)
		select {
		case act := <-w.kill:
			act()
			continue
		case <-time.After(min(gap, w.plan.interval) + time.Duration(w.dice.IntN(1000))):
		}
		u := w.upstreams[w.dice.IntN(len(w.upstreams))]
		w.act(u)
	}
}

func (w *world) act(u *upstream) {
	k := kinds()[w.dice.IntN(2)]
	switch p := w.dice.IntN(100); {
	case p < 22:
		w.trouble(u)
	case p < 33:
		w.calm(u)
	case p < 45:
		w.stir(u, k, 1+w.dice.IntN(6))
	case p < 54:
		w.outage(u)
	case p < 60:
		w.rights(u)
	case p < 64:
		w.rotate(u)
	case p < 69:
		w.poison(u)
	case p < 74:
		w.deleteMany(u, k)
	case p < 76:
		w.anotherJamf(u)
	case p < 84:
		w.syncNow(u)
	case p < 90:
		w.killSoon(u)
	case p < 93:
		w.restart()
	case p < 94:
		w.stepClock()
	case p < 97:
		w.breakDisk()
	default:
		w.operator(u)
	}
}

// trouble lets up to three things go wrong, seldom or always.
func (w *world) trouble(u *upstream) {
	var ts []trouble
	for range 1 + w.dice.IntN(3) {
		names := callTroubles()
		if w.dice.IntN(3) > 0 {
			names = pageTroubles()
		}
		t := trouble{pick(w.dice, names...), pick(w.dice, 0.03, 0.1, 0.3, 1)}
		if t.name == hiddenTail { // an index lags for all who ask
			t.p = 1
		}
		ts = append(ts, t)
	}
	u.set(func() {
		u.troubles = ts
		u.latency = pick(w.dice, 50*time.Millisecond, 400*time.Millisecond, 4*time.Second, 20*time.Second)
		u.churn = pick(w.dice, 0, 0.3, 0.6, 0.8)
	})
	w.log.note("director", "%s trouble %v", u.name, ts)
}

func (u *upstream) set(change func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	change()
}

// calm ends what went wrong; the fleet lives on.
func (w *world) calm(u *upstream) {
	u.set(func() {
		u.troubles, u.unheard, u.latency, u.churn = nil, false, 400*time.Millisecond, pick(w.dice, 0, 0.5, 0.8)
		u.jamf().SetFaults(fakejamf.Calm())
		u.jamf().SetPrivileges(fakejamf.ReadComputers, fakejamf.ReadMobileDevices)
	})
	w.disk.calm()
	switch wanted := u.wants(); {
	case w.secrets[u.name] != wanted: // an operator has seen it
		w.secrets[u.name] = wanted
		w.restart()
	case w.house == nil:
		w.start(w.last)
	}
	w.log.note("director", "%s calm", u.name)
}

func (w *world) stir(u *upstream, k device.Kind, n int) {
	for range n {
		u.set(func() { w.change(u, k, w.dice) })
	}
}

func (w *world) outage(u *upstream) {
	away := w.dice.IntN(3) > 0
	u.set(func() { u.unheard = away })
	w.log.note("director", "%s unheard %t", u.name, away)
}

func (w *world) rights(u *upstream) {
	names := pick(w.dice, []string{fakejamf.ReadComputers}, []string{fakejamf.ReadMobileDevices}, []string{},
		[]string{fakejamf.ReadComputers, fakejamf.ReadMobileDevices})
	u.set(func() { u.jamf().SetPrivileges(names...) })
	w.log.note("director", "%s rights %q", u.name, names)
}

// rotate changes the secret in Jamf; sooner or later an operator tells the gateway.
func (w *world) rotate(u *upstream) {
	next := fmt.Sprintf("secret-%d", w.dice.IntN(1_000_000))
	u.set(func() {
		u.jamf().RotateSecret(next)
		if w.dice.IntN(2) == 0 {
			u.jamf().RevokeTokens()
		}
	})
	w.log.note("director", "%s has another secret", u.name)
	u.secret(next)
	if w.dice.IntN(2) == 0 {
		w.secrets[u.name] = next
		w.restart()
	}
}

// poison makes records that no page and no question by id gives whole.
func (w *world) poison(u *upstream) {
	f := fakejamf.Calm()
	f.PoisonComputers, f.BrokenMobiles = w.dice.IntN(4), w.dice.IntN(4)
	u.set(func() { u.jamf().SetFaults(f) })
	w.log.note("director", "%s poison %d %d", u.name, f.PoisonComputers, f.BrokenMobiles)
}

func (w *world) deleteMany(u *upstream, k device.Kind) {
	u.set(func() {
		i := u.jamf()
		ids := i.Ledger().Alive(kindOf(k))
		if w.dice.IntN(5) == 0 {
			i.Empty(kindOf(k))
			i.emptied(k)
			w.log.note(u.name+" fleet", "no %s is left of %d", k, len(ids))
			return
		}
		share := pick(w.dice, 0.05, 0.12, 0.2, 0.4, 0.9)
		for _, id := range ids {
			if w.dice.Float64() < share {
				i.Delete(kindOf(k), id)
				i.wrote(k, id)
			}
		}
		w.log.note(u.name+" fleet", "%s: a share of %v of %d goes", k, share, len(ids))
	})
}

func (w *world) anotherJamf(u *upstream) {
	n := w.newJamf(w.plan.computers, w.plan.mobiles)
	n.RotateSecret(u.wants())
	u.replace(n)
	w.log.note("director", "%s is another Jamf", u.name)
}

func (w *world) syncNow(u *upstream) {
	w.oracle.doubt(u)
	w.admin(http.MethodPost, "/v1/admin/sources/"+u.name+"/sync")
	w.log.note("director", "%s sync asked for", u.name)
}

// doubt: whether a sync was due decides whether its failure counts, and that is not seen from outside.
func (o *oracle) doubt(u *upstream) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, k := range kinds() {
		o.of(cache.Series{Source: u.name, Kind: k}).unsure = true
	}
}

// operator approves what is held, at once or while a walk reads.
func (w *world) operator(u *upstream) {
	if w.dice.IntN(2) == 0 {
		w.approve(u)
		return
	}
	n := 1 + w.dice.IntN(2)
	u.set(func() { u.approveIn = n })
	w.log.note("director", "%s: an operator approves at page %d from now", u.name, n)
}

func (w *world) killSoon(u *upstream) {
	if w.dice.IntN(3) == 0 {
		w.crash()
		return
	}
	n := 1 + w.dice.IntN(3)
	u.set(func() { u.crashIn = n })
	w.log.note("director", "%s: the gateway is killed at page %d from now", u.name, n)
}

func (w *world) restart() {
	dir := w.dir + "/life"
	if w.last != "" {
		dir = w.last
	}
	w.stop()
	time.Sleep(time.Duration(w.dice.Int64N(int64(time.Hour))))
	w.start(dir)
}

func (w *world) stepClock() {
	step := pick(w.dice, time.Hour, -time.Hour, 25*time.Hour, -25*time.Hour, 3*time.Minute, -3*time.Minute, 366*24*time.Hour, -366*24*time.Hour)
	w.step.Add(int64(step))
	w.oracle.unsureAll()
	w.log.note("director", "the clock jumps by %v", step)
}

func (w *world) admin(method, path string) reply {
	c := &client{w: w, name: "operator", http: w.caller()}
	req, err := http.NewRequestWithContext(context.Background(), method, "http://"+adminDoor+path, nil)
	if err != nil {
		panic(err)
	}
	if h := w.house; h != nil {
		token, _ := os.ReadFile(filepath.Join(h.dir, "admin.token")) // without one it is refused
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return reply{}
	}
	defer func() { _ = resp.Body.Close() }()
	var body json.RawMessage
	_ = json.NewDecoder(resp.Body).Decode(&body)
	return reply{resp.StatusCode, resp.Header, body}
}
