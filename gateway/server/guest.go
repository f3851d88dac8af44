package server

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// guest is a connection that a door has let in. Everybody behind an address shares its places: the users of a machine that of its loopback, a
// whole school that of its NAT. Were they given out by address alone, anyone could keep the others out by holding them. So who shows a secret or a
// token keeps his place, and of the others the one that has been there the longest makes room for a newcomer.
type guest struct {
	door  *doorman
	conn  net.Conn
	from  *address
	key   netip.Prefix
	came  uint64        // the how-manyth of the door
	place *list.Element // of from.guests; nil = makes room for nobody, or has left

	state atomic.Int64 // one of those below, or since when it waits between requests, in unix nanoseconds
}

// States of a guest. One that is strange or waits may be ended; whoever ends it sets it to gone first, so that no request that has begun is cut.
const (
	guestGone    = -1 + iota
	guestStrange // has shown nothing yet
	guestPaying  // has shown something wrong, and its answer is held: who guesses keeps its place for as long
	guestBusy    // has shown something right, and asks
)

// address is what a door knows of one.
type address struct {
	open   int
	guests list.List // of *guest, the oldest first
}

// prove notes that a secret or a token was right.
func (g *guest) prove() {
	if g == nil {
		return
	}
	for s := g.state.Load(); (s == guestStrange || s == guestPaying) && !g.state.CompareAndSwap(s, guestBusy); s = g.state.Load() {
	}
}

// pay notes that an answer is held from here until paid is called. false = it need not be held: nobody is there any more to read it.
func (g *guest) pay() (paid func(), there bool) {
	if g == nil || !g.state.CompareAndSwap(guestStrange, guestPaying) {
		return func() {}, g == nil || g.state.Load() != guestGone
	}
	return func() { g.state.CompareAndSwap(guestPaying, guestStrange) }, true
}

// waits notes that all that was asked is answered and nothing more has come.
func (g *guest) waits() {
	if g != nil {
		g.state.CompareAndSwap(guestBusy, time.Now().UnixNano())
	}
}

// asks notes that bytes of a request have come, and tells whether they may be taken: one that is gone is not answered.
func (g *guest) asks() bool {
	if g == nil {
		return true
	}
	s := g.state.Load()
	return s != guestGone && (s <= guestBusy || g.state.CompareAndSwap(s, guestBusy))
}

// endLocked makes room, unless the guest has proven itself or asks meanwhile.
func (g *guest) endLocked() bool {
	s := g.state.Load()
	if s != guestStrange && s <= guestBusy || !g.state.CompareAndSwap(s, guestGone) {
		return false
	}
	if c := rawOf(g.conn); s == guestStrange {
		hangUp(c)
	} else {
		_ = c.Close()
	}
	g.leaveLocked()
	return true
}

// leave gives the place of a connection that has ended to the next one. It may be called twice.
func (g *guest) leave() {
	if g == nil {
		return
	}
	g.door.mu.Lock()
	defer g.door.mu.Unlock()
	g.leaveLocked()
}

func (g *guest) leaveLocked() {
	if g.from == nil {
		return
	}
	if g.place != nil {
		g.from.guests.Remove(g.place)
	}
	g.door.total--
	if g.from.open--; g.from.open <= 0 {
		delete(g.door.from, g.key)
	}
	g.place, g.from = nil, nil
}

// yieldLocked ends one guest of an address, and of all where that is nil, for a newcomer: the oldest that has proven nothing, or the one that has waited
// the longest between requests. At a door for operators who has proven himself makes room for nobody. false = there is none.
func (d *doorman) yieldLocked(from *address) bool {
	for { // one that is chosen may begin to ask
		var best *guest
		consider := func(a *address) {
			for e := a.guests.Front(); e != nil; e = e.Next() {
				if g, ok := e.Value.(*guest); ok && d.ahead(g, best) {
					best = g
				}
			}
		}
		if from != nil {
			consider(from)
		} else {
			for _, a := range d.from {
				consider(a)
			}
		}
		if best == nil {
			return false
		}
		if best.endLocked() {
			return true
		}
	}
}

// makeRoomLocked lets an address with few connections, nil for one with none, into a full door: the address with the most of them gives up one, also
// one whose answer to a guess is held, when no other is left. Those who guess from many addresses may not fill the door for all others by it, and not
// get around the wait for their answers: a newcomer has few, and so many a second are let in so. What is held behind a connection that made room ends
// by itself, in the seconds of a held answer.
func (d *doorman) makeRoomLocked(newcomer *address) bool {
	few, have := min(leastConnections, d.perAddress/4), 0
	if newcomer != nil {
		have = newcomer.open
	}
	if have >= few || !d.room.Allow() {
		return false
	}
	var most *address
	for _, a := range d.from {
		if a.open > few && (most == nil || a.open > most.open) {
			most = a
		}
	}
	return most != nil && (d.yieldLocked(most) || most.endPaying())
}

// endPaying ends the oldest guest whose answer to a guess is held.
func (a *address) endPaying() bool {
	for e := a.guests.Front(); e != nil; e = e.Next() {
		if g, ok := e.Value.(*guest); ok && g.state.CompareAndSwap(guestPaying, guestGone) {
			hangUp(rawOf(g.conn))
			g.leaveLocked()
			return true
		}
	}
	return false
}

// rawOf is a connection without TLS, whose farewell could wait for a peer that reads nothing.
func rawOf(c net.Conn) net.Conn {
	if t, ok := c.(*tls.Conn); ok {
		return t.NetConn()
	}
	return c
}

// ahead tells whether a guest is to make room rather than another one, which may be nil.
func (d *doorman) ahead(g, than *guest) bool {
	s := g.state.Load()
	if s != guestStrange && (s <= guestBusy || d.yields) {
		return false
	}
	if than == nil {
		return true
	}
	t := than.state.Load()
	switch strange := s == guestStrange; {
	case strange != (t == guestStrange):
		return strange
	case strange:
		return g.came < than.came
	}
	return s < t
}

// guestOf is the guest of a request; nil = there is none to speak of.
func guestOf(rc *fasthttp.RequestCtx) *guest {
	if c, ok := rc.Conn().(interface{ guestOf() *guest }); ok {
		return c.guestOf()
	}
	return nil
}
