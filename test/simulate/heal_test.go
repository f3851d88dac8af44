package simulate_test

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// approve lets an operator release what is held of a source.
func (w *world) approve(u *upstream) {
	r := w.admin(http.MethodGet, "/v1/admin/sources/"+u.name+"/held")
	var held struct{ Items []struct{ Digest string } }
	_ = json.Unmarshal(r.body, &held)
	for _, h := range held.Items {
		r := w.admin(http.MethodPost, "/v1/admin/sources/"+u.name+"/approve?digest="+h.Digest)
		w.log.note("director", "%s approve %s: %d", u.name, h.Digest, r.status)
	}
}

// heal ends everything that goes wrong, lets the schedule do the rest, and holds what is served then against what lives.
func (w *world) heal() {
	w.crashed()
	for _, u := range w.upstreams {
		w.calm(u)
		u.set(func() { u.churn, u.crashIn, u.approveIn = 0, 0, 0 })
	}
	began := time.Now()
	w.log.note("director", "all is well from here on")
	time.Sleep(w.plan.interval*5/4 + 2*time.Hour)
	for _, u := range w.upstreams {
		w.approve(u)
	}
	for _, u := range w.upstreams {
		for _, k := range kinds() {
			w.whole(u, k, began)
		}
	}
}

// crashed does what was planned and not done yet.
func (w *world) crashed() {
	select {
	case act := <-w.kill:
		act()
	default:
	}
}

// whole: what is served is what lives, read since then.
func (w *world) whole(u *upstream, k device.Kind, began time.Time) {
	q := cache.Series{Source: u.name, Kind: k}
	w.oracle.mu.Lock()
	c := w.oracle.of(q)
	s := c.published[c.newest]
	w.oracle.mu.Unlock()
	if s == nil || s.at.Before(began) {
		w.log.wrong(q.Source+" "+string(k), "all was well for %v and nothing was published: the last sync is %q", time.Since(began), c.result)
		return
	}
	alive := u.jamf().Ledger().Alive(kindOf(k))
	for _, id := range alive {
		if r, there := s.rows[id]; !there || r.state != cache.StatePresent {
			w.log.wrong(q.Source+" "+string(k), "at the end device %d lives and is %q", id, r.state)
			return
		}
	}
	if len(alive) != len(s.rows) {
		w.log.wrong(q.Source+" "+string(k), "at the end %d devices live and %d are served", len(alive), len(s.rows))
	}
	end := &client{w: w, name: "client-end " + u.name + " " + string(k), id: "cmdb", rng: w.rng("end", 0), http: w.caller(), began: time.Now()}
	w.log.note(end.name, "%s", end.walkFacade(context.Background(), q))
}

func (u *upstream) secret(next string) { u.set(func() { u.wanted = next }) }

func (u *upstream) wants() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.wanted
}

func (o *oracle) unsureAll() {
	for _, u := range o.w.upstreams {
		o.doubt(u)
	}
}
