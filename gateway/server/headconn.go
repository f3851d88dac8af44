package server

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// errHead ends a connection whose peer ends lines otherwise than RFC 9112 wants it. fasthttp takes a bare LF for the end of a
// line; a proxy before it may not, and then the two see different requests in the same bytes.
var errHead = errors.New("the head of a request holds a byte that it must not")

// headListener counts connections, and checks the heads of the requests on every one.
type headListener struct {
	net.Listener
	doorman *doorman
}

// Accept returns the next connection. fasthttp knows TLS by its methods.
func (l headListener) Accept() (net.Conn, error) {
	c, g, err := l.doorman.accept(l.Listener)
	if err != nil {
		return nil, err
	}
	if t, ok := c.(*tls.Conn); ok {
		return &headTLSConn{headConn: headConn{Conn: t, guest: g}, tls: t}, nil
	}
	return &headConn{Conn: c, guest: g}, nil
}

// headConn is a connection of which no byte is read that is not allowed in the head of a request.
type headConn struct {
	net.Conn
	guest *guest // nil: of a connection that no door has let in
	heads heads
	bad   bool
}

func (c *headConn) guestOf() *guest { return c.guest }

// Close lets the next one in.
func (c *headConn) Close() error {
	defer c.guest.leave()
	return c.Conn.Close() //nolint:wrapcheck // fasthttp compares it
}

// Write gives up on a peer that does not keep pace.
func (c *headConn) Write(p []byte) (int, error) { return writePaced(c.Conn, p, paceTime) }

type headTLSConn struct {
	headConn
	tls  *tls.Conn
	deaf atomic.Bool // the peer does not read: a farewell would only wait for him again
}

// Write is that of headConn, and remembers that it failed.
func (c *headTLSConn) Write(p []byte) (int, error) {
	n, err := c.headConn.Write(p)
	if err != nil {
		c.deaf.Store(true)
	}
	return n, err
}

// Close says farewell (close_notify) to who reads.
func (c *headTLSConn) Close() error {
	if !c.deaf.Load() {
		return c.headConn.Close()
	}
	defer c.guest.leave()
	return c.tls.NetConn().Close() //nolint:wrapcheck // fasthttp compares it
}

// Handshake is what fasthttp does first on a connection with TLS.
func (c *headTLSConn) Handshake() error {
	if err := c.tls.SetWriteDeadline(time.Now().Add(paceTime)); err != nil {
		return err //nolint:wrapcheck // fasthttp compares it
	}
	return c.tls.Handshake() //nolint:wrapcheck,noctx // as tls.Conn does; fasthttp has set the deadline for reading
}

// ConnectionState tells fasthttp that the connection has TLS.
func (c *headTLSConn) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }

// unchecked tells that what follows the request on this connection is not looked at: it must end with its answer.
func (c *headConn) unchecked() bool { return c.heads.opaque }

// Read hands on what is in order. The first byte that is not becomes a NUL, which no parser takes for the end of a line, and
// is the last one: fasthttp answers 400 and closes. An error alone would be a connection that ends between two requests.
func (c *headConn) Read(p []byte) (int, error) {
	if c.bad {
		return 0, errHead
	}
	if c.heads.between() {
		c.guest.waits()
	}
	n, err := c.Conn.Read(p)
	if n > 0 && !c.guest.asks() {
		return 0, net.ErrClosed
	}
	if i := c.heads.check(p[:n]); i < n {
		c.bad = true
		p[i] = 0
		return i + 1, nil
	}
	return n, err //nolint:wrapcheck // fasthttp compares it
}

// heads follows the requests of a connection through its bytes, however they are cut into pieces. It knows where a body ends by
// its Content-Length. Behind a body without one it checks nothing: serve ends the connection there. Everything that could be
// understood in two ways is refused, here or by gate, so that fasthttp sees the same requests in the bytes.
type heads struct {
	begun  bool // a line of the head has been there
	opaque bool // chunks follow, and after them nothing
	cr     bool // the last byte was a CR
	body   uint64
	next   uint64 // length of the body that follows the head
	length int    // bytes of the line so far
	line   [64]byte
}

// between tells that every request whose bytes have come is whole. fasthttp reads on when it has answered them.
func (h *heads) between() bool { return !h.begun && !h.opaque && !h.cr && h.body == 0 && h.length == 0 }

// check returns the index of the first byte that is not allowed, len(p) when there is none.
func (h *heads) check(p []byte) int {
	for i := 0; i < len(p) && !h.opaque; {
		if h.body > 0 {
			n := min(h.body, uint64(len(p)-i))
			h.body -= n
			i += int(n)
			continue
		}
		n, ok := h.text(p[i:])
		if i += n; !ok {
			return i
		}
	}
	return len(p)
}

// text takes what it can of one line, and tells how much and whether the byte behind it is allowed.
func (h *heads) text(p []byte) (n int, ok bool) {
	if h.cr {
		h.cr = false
		if p[0] != '\n' || !h.endLine() {
			return 0, false
		}
		return 1, true
	}
	n = bytes.IndexByte(p, '\r')
	h.cr = n >= 0
	if !h.cr {
		n = len(p)
	}
	if bad := bytes.IndexByte(p[:n], '\n'); bad >= 0 {
		return bad, false
	}
	if bad := bytes.IndexByte(p[:n], 0); bad >= 0 {
		return bad, false
	}
	if h.length < len(h.line) {
		copy(h.line[h.length:], p[:n])
	}
	h.length += n
	if h.cr {
		n++
	}
	return n, true
}

// endLine takes the line that has ended; false when the length that it gives for the body has no single meaning.
func (h *heads) endLine() bool {
	length := h.length
	line := h.line[:min(length, len(h.line))]
	h.length = 0
	if length == 0 {
		if h.begun { // an empty line before a request is none of its lines (RFC 9112, 2.2)
			h.begun, h.body, h.next = false, h.next, 0
		}
		return true
	}
	if !h.begun {
		h.begun = true
		return true
	}
	name, value, _ := bytes.Cut(line, []byte{':'})
	switch {
	case equalFold(name, "transfer-encoding"):
		h.opaque = true
	case equalFold(name, "content-length"):
		if length > len(h.line) || h.next > 0 {
			return false
		}
		n, ok := bodyLength(bytes.Trim(value, " \t"))
		h.next = n
		return ok
	}
	return true
}

// bodyLength reads a Content-Length: digits and nothing else.
func bodyLength(digits []byte) (n uint64, ok bool) {
	for _, b := range digits {
		if b < '0' || b > '9' {
			return 0, false
		}
		n = n*10 + uint64(b-'0')
	}
	return n, len(digits) > 0 && len(digits) <= 18
}
