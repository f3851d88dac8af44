package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"golang.org/x/time/rate"
)

// Limits of the connections of a door.
const (
	connections      = 8192
	otherConnections = 64 // of the doors for operators
	addressShare     = 4  // one address may hold a quarter: a reverse proxy has one
	leastConnections = 16
	roomShare        = 64       // of the door: so many places a second are taken from an address with many for those with few
	connectionCost   = 72 << 10 // bytes of memory: make connections measures it
	memoryShare      = 4        // connections may take a quarter of what the process may use
	quietRefusals    = time.Minute
)

// doorman lets connections in. It keeps file descriptors in reserve for what is served from, so that strangers cannot take them
// all, and lets no single address hold the door. Whom it does not let in is cut off without an answer, which would cost more.
type doorman struct {
	door       string
	max        int
	perAddress int
	log        *slog.Logger
	refused    func(ctx context.Context, door, reason string)
	proxy      func(netip.Addr) bool // of whom many ask; nil = there is none

	room *rate.Limiter // of those that an address with many ends for one with few; see makeRoomLocked

	yields bool // at a full door, too, a newcomer takes the place of whoever has not shown the token of the door

	mu    sync.Mutex
	total int
	came  uint64 // connections so far
	from  map[netip.Prefix]*address
	told  map[string]time.Time // reason -> when it was last logged
}

func (s *Server) newDoorman(door string, most int) *doorman {
	n := min(most, spareFiles(), memoryFor(debug.SetMemoryLimit(-1)))
	return &doorman{
		door: door, max: n, perAddress: max(1, n/addressShare), log: s.o.Logger, refused: s.telemetry.connectionRefused,
		from: map[netip.Prefix]*address{}, told: map[string]time.Time{},
		room: newRoom(n),
	}
}

// newRoom is how many places a second of a full door go to those with few connections.
func newRoom(places int) *rate.Limiter {
	n := max(1, places/roomShare)
	return rate.NewLimiter(rate.Limit(n), n)
}

// memoryFor is how many connections the memory allows that the process may use: GOMEMLIMIT, or what limitMemory has found. Without a limit it
// is more than any door takes.
func memoryFor(limit int64) int {
	return int(min(1<<20, max(leastConnections, limit/memoryShare/connectionCost)))
}

// spareFiles is how many descriptors may go to the connections of the public door.
func spareFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return connections
	}
	return spareFilesOf(int(min(limit.Cur, 1<<20)))
}

// spareFilesOf is what of the allowed descriptors stays when the doors for operators are full and a reserve for files and for Jamf is kept.
func spareFilesOf(allowed int) int {
	return max(leastConnections, allowed-max(128, allowed/4)-2*otherConnections)
}

// Reasons to cut off a connection: there is no place left at all, none for its address, or it made room for another one of its address.
const (
	cutAll     = "all"
	cutAddress = "address"
	cutYielded = "yielded"
)

// enter gives a connection a place, which it must leave when it ends; nil = it may not come in. At an address that holds all that it may it takes the place of
// another one of that address.
func (d *doorman) enter(c net.Conn) *guest {
	at := remote(c.RemoteAddr())
	key, many := customer(at), d.proxy != nil && d.proxy(at)
	d.mu.Lock()
	defer d.mu.Unlock()
	from, reason, yielded := d.from[key], "", false
	switch {
	case from != nil && from.open >= d.perAddress && !many:
		reason, yielded = cutAddress, d.yieldLocked(from)
	case d.total >= d.max:
		if reason = cutAll; d.yields {
			yielded = d.yieldLocked(nil)
		} else {
			yielded = d.makeRoomLocked(from)
		}
	}
	switch {
	case yielded:
		d.tellLocked(cutYielded)
	case reason != "":
		d.tellLocked(reason)
		return nil
	}
	if from = d.from[key]; from == nil { // who made room may have been the last
		from = &address{}
		d.from[key] = from
	}
	d.total++
	d.came++
	from.open++
	g := &guest{door: d, conn: c, key: key, from: from, came: d.came}
	if !many { // behind a stated proxy are many, and it keeps order among them
		g.place = from.guests.PushBack(g)
	}
	return g
}

func (d *doorman) tellLocked(reason string) {
	ctx := context.Background()
	d.refused(ctx, d.door, reason)
	if now := time.Now(); now.Sub(d.told[reason]) >= quietRefusals {
		d.told[reason] = now
		text := "connections are refused"
		if reason == cutYielded {
			text = "connections make room for others"
		}
		d.log.WarnContext(ctx, text, "door", d.door, "reason", reason, "open", d.total, "limit", d.max, "limit_per_address", d.perAddress)
	}
}

// accept returns the next connection that may come in, and its place. That the system has no descriptor or memory left for one passes: it is
// waited for, where fasthttp would end the door.
func (d *doorman) accept(ln net.Listener) (net.Conn, *guest, error) {
	for wait := time.Duration(0); ; {
		c, err := ln.Accept()
		if err != nil {
			if !passes(err) {
				return nil, nil, err
			}
			wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			d.log.WarnContext(context.Background(), "no connection can be accepted", "door", d.door, "error", err.Error(), "again_in", wait.String())
			<-time.After(wait)
			continue
		}
		wait = 0
		if g := d.enter(c); g != nil {
			return c, g, nil
		}
		hangUp(c)
	}
}

// hangUp ends a connection without the wait that follows a polite end.
func hangUp(c net.Conn) {
	if tcp, ok := c.(interface{ SetLinger(sec int) error }); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// passes tells that accepting failed for want of something that comes back.
func passes(err error) bool {
	for _, e := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EINTR} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// Pace of a reader: so many bytes in so much time, or the connection ends. 6.4 KiB/s is slower than any line that is in use, and
// a page over a slow line takes as long as it must.
const (
	paceBytes = 64 << 10
	paceTime  = 10 * time.Second
)

// writePaced writes p in pieces, each of which has its own deadline.
func writePaced(c net.Conn, p []byte, pace time.Duration) (n int, err error) {
	for len(p) > 0 {
		if err := c.SetWriteDeadline(time.Now().Add(pace)); err != nil {
			return n, err //nolint:wrapcheck // fasthttp compares it
		}
		k, err := c.Write(p[:min(len(p), paceBytes)])
		n += k
		if err != nil {
			return n, err //nolint:wrapcheck // fasthttp compares it
		}
		p = p[k:]
	}
	return n, nil
}
