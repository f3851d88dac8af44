package server_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"

	"jamf-gateway/gateway/device"
)

const (
	quickAsk = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
	longAsk  = "GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: aaaaaaaaaaaaaaaaaaaa\r\n\r\n"
	largeAsk = "GET /api/v1/computers-inventory?page-size=100 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
	formAsk  = "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 60\r\n\r\n"
)

// slowCase is somebody who takes his time.
type slowCase struct {
	name string
	tls  bool // there is no such thing without TLS
	act  func(*slowPeer)
	cut  time.Duration // after which he is cut off, from slowPeer.since on; 0 = he gets all of a long answer
}

func slowCases() []slowCase {
	return []slowCase{
		{name: "says nothing", act: func(p *slowPeer) { p.deaf(p.raw) }, cut: 10 * time.Second},
		{name: "shakes hands byte by byte", tls: true, act: func(p *slowPeer) {
			p.raw = &drops{p.raw}
			_ = p.shake()
		}, cut: 10 * time.Second},
		{name: "shakes hands and says no more", tls: true, act: func(p *slowPeer) { p.deaf(p.open()) }, cut: 10 * time.Second},
		{name: "sends a head byte by byte", act: func(p *slowPeer) {
			c := p.open()
			p.deaf(c)
			_, _ = io.WriteString(&drops{c}, longAsk)
		}, cut: 10 * time.Second},
		{name: "sends a body byte by byte", act: func(p *slowPeer) {
			c := p.open()
			p.deaf(c)
			_, _ = io.WriteString(c, formAsk)
			_, _ = io.WriteString(&drops{c}, strings.Repeat("a", 60))
		}, cut: 10 * time.Second},
		{name: "stays and asks nothing", act: func(p *slowPeer) {
			c := p.open()
			p.ask(c, quickAsk, c)
			p.deaf(c)
		}, cut: 60 * time.Second},
		{name: "asks again after a while, byte by byte", act: func(p *slowPeer) {
			c := p.open()
			p.ask(c, quickAsk, c)
			time.Sleep(50 * time.Second)
			p.since = time.Now()
			p.deaf(c)
			_, _ = io.WriteString(&drops{c}, longAsk)
		}, cut: 10 * time.Second},
		{name: "reads nothing", act: func(p *slowPeer) { _, _ = io.WriteString(p.open(), p.filled(largeAsk)) }, cut: 10 * time.Second},
		{name: "reads below the pace", act: func(p *slowPeer) {
			c := p.open()
			_, _ = io.WriteString(c, p.filled(largeAsk))
			p.deaf(&sips{r: c, size: 24 << 10, pause: 9 * time.Second})
		}, cut: 10 * time.Second},
		{name: "reads above the pace", act: func(p *slowPeer) {
			c := p.open()
			p.got = p.ask(c, p.filled(largeAsk), &sips{r: c, size: 96 << 10, pause: 9 * time.Second})
			_ = p.raw.Close()
		}},
	}
}

// Whatever somebody does slowly costs him his connection after the same time with TLS as without, and who reads a long answer at a
// modest pace gets all of it. The clock is that of a bubble, so the limits are the real ones.
func TestTheSlowAreCutOffWithTLSAsWithout(t *testing.T) {
	_ = (&fasthttp.Response{}).Header.String() // its clock of the Date header runs for ever, and must not begin in a bubble
	for _, secure := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			d := openSlowDoor(t, secure)
			for _, tc := range slowCases() {
				if tc.tls && !secure {
					continue
				}
				p := d.come(1)
				tc.act(p)
				took := p.cutOff()
				if tc.cut > 0 && (took < tc.cut-time.Second || took > tc.cut+time.Second) {
					t.Errorf("TLS %v: one who %s is cut off after %v, want %v", secure, tc.name, took, tc.cut)
				}
				if tc.cut == 0 && (p.got < 600<<10 || took < 50*time.Second) {
					t.Errorf("TLS %v: one who %s got %d bytes in %v", secure, tc.name, p.got, took)
				}
			}
			d.isHeldByNobody(t)
			d.close()
		})
	}
}

// isHeldByNobody: connections count from when they are there, not from when they have shaken hands or asked.
func (d *slowDoor) isHeldByNobody(t *testing.T) {
	t.Helper()
	first := d.come(1)
	one, two := d.come(1), d.come(1)
	if took := first.cutOff(); took != 0 {
		t.Errorf("a connection lived for %v beside two more of its address", took)
	}
	if status := d.quick(2); status != http.StatusOK {
		t.Errorf("another address is answered %d", status)
	}
	d.come(2)
	if took := d.come(3).cutOff(); took != 0 {
		t.Errorf("one more than the door takes lived for %v", took)
	}
	one.deaf(one.raw)
	two.deaf(two.raw)
	if a, b := one.cutOff(), two.cutOff(); a > 11*time.Second || b > 11*time.Second {
		t.Errorf("the silent are cut off after %v and %v", a, b)
	}
	if status := d.quick(1); status != http.StatusOK {
		t.Errorf("the address that was full is answered %d when its connections have gone", status)
	}
}

// slowDoor is a public door for three connections, two of one address, in a bubble, where nothing is a socket.
type slowDoor struct {
	t      *testing.T
	token  string
	trust  *x509.CertPool // nil: without TLS
	coming chan net.Conn
	end    context.CancelFunc
	served sync.WaitGroup
}

func openSlowDoor(t *testing.T, secure bool) *slowDoor {
	t.Helper()
	return openSlowDoorFor(t, secure, 3, 2)
}

// openSlowDoorFor so many connections, and so many of one address.
func openSlowDoorFor(t *testing.T, secure bool, most, perAddress int) *slowDoor {
	t.Helper()
	w := newWorldWithoutDoors(t)
	fleet := computers("AC", 1, 30)
	for id, record := range fleet {
		fleet[id] = strings.Replace(record, `"name":"mac`, `"name":"`+strings.Repeat("x", 25_000)+`mac`, 1)
	}
	w.publish("schule-a", device.Computer, fleet)
	ctx, cancel := context.WithCancel(t.Context())
	d := &slowDoor{t: t, coming: make(chan net.Conn), end: cancel, token: w.server.Token("only-a", sum("only-a"), start.Add(time.Hour))}
	var ln net.Listener = &comers{d.coming, ctx}
	if secure {
		var pair tls.Certificate
		pair, d.trust = ownCertificate(t)
		ln = tls.NewListener(ln, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}})
	}
	d.served.Go(func() {
		if err := w.server.ServePublicTo(ctx, ln, most, perAddress); err != nil {
			t.Error(err)
		}
	})
	d.served.Go(func() { _ = w.server.Run(ctx) })
	return d
}

func (d *slowDoor) close() {
	d.end()
	d.served.Wait()
	time.Sleep(30 * time.Second) // fasthttp's workers look for their end now and then
}

// come opens a connection from an address.
func (d *slowDoor) come(from byte) *slowPeer {
	near, far := net.Pipe()
	p := &slowPeer{door: d, raw: near, since: time.Now(), closed: make(chan time.Time, 1)}
	d.t.Cleanup(func() { _ = near.Close() })
	d.coming <- &comer{Conn: far, from: from, closed: p.closed}
	return p
}

// quick asks for something small, and goes.
func (d *slowDoor) quick(from byte) (status int) {
	p := d.come(from)
	c := p.open()
	_, _ = io.WriteString(c, quickAsk)
	rs, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		d.t.Error(err)
		return 0
	}
	_ = rs.Body.Close()
	_ = p.raw.Close()
	p.cutOff()
	return rs.StatusCode
}

// comers is a listener whose connections come by a channel.
type comers struct {
	coming chan net.Conn
	ctx    context.Context //nolint:containedctx // ends it as Close would
}

func (l *comers) Accept() (net.Conn, error) {
	select {
	case c := <-l.coming:
		return c, nil
	case <-l.ctx.Done():
		return nil, net.ErrClosed
	}
}
func (*comers) Close() error   { return nil }
func (*comers) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443} }

// comer is the end of the server of a connection; it tells when the server ends it.
type comer struct {
	net.Conn
	from   byte
	closed chan time.Time
}

func (c *comer) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(192, 0, 2, c.from), Port: 40000}
}

func (c *comer) Close() error {
	select {
	case c.closed <- time.Now():
	default: // not for the first time
	}
	return c.Conn.Close()
}

// slowPeer is the other end.
type slowPeer struct {
	door   *slowDoor
	raw    net.Conn
	since  time.Time // the last time at which he did all that one could ask of him
	got    int64     // bytes of a body
	closed chan time.Time
}

// cutOff waits for the end of the connection and tells how long it took.
func (p *slowPeer) cutOff() time.Duration {
	select {
	case at := <-p.closed:
		return at.Sub(p.since)
	case <-time.After(10 * time.Minute):
		return 10 * time.Minute
	}
}

// open does what must be done before one may ask.
func (p *slowPeer) open() net.Conn {
	if p.door.trust == nil {
		return p.raw
	}
	c := p.shake()
	p.since = time.Now()
	return c
}

func (p *slowPeer) shake() net.Conn {
	c := tls.Client(p.raw, &tls.Config{RootCAs: p.door.trust, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12})
	if err := c.HandshakeContext(context.Background()); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrClosedPipe) {
		p.door.t.Error(err)
	}
	return c
}

// ask writes a request and reads its answer from r.
func (p *slowPeer) ask(c net.Conn, raw string, r io.Reader) (body int64) {
	if _, err := io.WriteString(c, raw); err != nil {
		p.door.t.Error(err)
	}
	rs, err := http.ReadResponse(bufio.NewReader(r), nil)
	if err != nil {
		p.door.t.Error(err)
		return 0
	}
	defer func() { _ = rs.Body.Close() }()
	n, err := io.Copy(io.Discard, rs.Body)
	if err != nil || rs.StatusCode != http.StatusOK {
		p.door.t.Errorf("%d, %d bytes: %v", rs.StatusCode, n, err)
	}
	if raw == quickAsk {
		p.since = time.Now()
	}
	return n
}

func (p *slowPeer) filled(raw string) string { return strings.Replace(raw, "{token}", p.door.token, 1) }

// deaf reads what comes and does nothing about it, as a system that buffers does.
func (p *slowPeer) deaf(r io.Reader) { go func() { _, _ = io.Copy(io.Discard, r) }() }

// drops writes a byte a second.
type drops struct{ net.Conn }

func (d *drops) Write(b []byte) (int, error) {
	for i := range b {
		if _, err := d.Conn.Write(b[i : i+1]); err != nil {
			return i, fmt.Errorf("after %d bytes: %w", i, err)
		}
		time.Sleep(time.Second)
	}
	return len(b), nil
}

// sips rests whenever it has read so much.
type sips struct {
	r     io.Reader
	size  int
	pause time.Duration
	had   int
}

func (s *sips) Read(b []byte) (int, error) {
	if s.had >= s.size {
		s.had = 0
		time.Sleep(s.pause)
	}
	n, err := s.r.Read(b[:min(len(b), s.size-s.had)])
	s.had += n
	return n, err
}
