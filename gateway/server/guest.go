package server

import (
	"net"
	"net/netip"
	"slices"

	"github.com/valyala/fasthttp"
)

// guest is a connection of the admin door that has not shown the token. Everybody on a machine has the address of its loopback: were places
// there given out by address alone, any local user could keep the operator out by holding them. So who shows the token keeps his place, and of the
// others the one that has been there the longest makes room.
type guest struct {
	doorman *doorman
	from    netip.Prefix
	conn    net.Conn
	leave   func()
}

// seat notes a connection of a door that yields; nil at every other door.
func (d *doorman) seat(c net.Conn, leave func()) *guest {
	if !d.yields {
		return nil
	}
	g := &guest{doorman: d, from: customer(remote(c.RemoteAddr())), conn: c, leave: leave}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.guests = append(d.guests, g)
	return g
}

// known takes a guest from among those who make room: he has shown the token, or has left.
func (g *guest) known() {
	if g == nil {
		return
	}
	g.doorman.mu.Lock()
	defer g.doorman.mu.Unlock()
	if i := slices.Index(g.doorman.guests, g); i >= 0 {
		g.doorman.guests = slices.Delete(g.doorman.guests, i, i+1)
	}
}

// yield ends the connection of the oldest guest in whose place one from there can come in, and tells whether there was any.
func (d *doorman) yield(a net.Addr) bool {
	if !d.yields {
		return false
	}
	from := customer(remote(a))
	d.mu.Lock()
	own := d.from[from] >= d.perAddress
	i := slices.IndexFunc(d.guests, func(g *guest) bool { return !own || g.from == from })
	if i < 0 {
		d.mu.Unlock()
		return false
	}
	g := d.guests[i]
	d.guests = slices.Delete(d.guests, i, i+1)
	d.mu.Unlock()
	_ = g.conn.Close()
	g.leave()
	return true
}

// provenGuest notes that the token of the door came over a connection.
func provenGuest(rc *fasthttp.RequestCtx) {
	if c, ok := rc.Conn().(interface{ guestOf() *guest }); ok {
		c.guestOf().known()
	}
}
