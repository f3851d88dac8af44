package e2e_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"
)

// memory is a network of pipes for a whole house inside a synctest bubble: hours of simulated time take no time.
type memory struct {
	mu        sync.Mutex
	listeners map[string]*pipes
	port      int
	fault     map[string]func() (net.Conn, error)
}

func newMemory() *memory {
	return &memory{listeners: map[string]*pipes{}, port: 10_000, fault: map[string]func() (net.Conn, error){}}
}

// inBubble runs f in simulated time. What a library starts once in a process and never ends is started outside of it.
func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	warm := &fasthttp.Server{Handler: func(*fasthttp.RequestCtx) {}}
	c, s := net.Pipe()
	go func() {
		_, _ = c.Write([]byte("GET / HTTP/1.0\r\n\r\n"))
		_, _ = c.Read(make([]byte, 4096))
		_ = c.Close()
	}()
	_ = warm.ServeConn(s)
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { time.Sleep(time.Minute) }) // the last: workers of the doors look every 10 s whether they shall end
		f(t)
	})
}

// Listen opens a door of the network; port 0 takes the next one.
func (m *memory) Listen(_ context.Context, _, address string) (net.Listener, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if port == "0" {
		m.port++
		port = fmt.Sprint(m.port)
	}
	address = net.JoinHostPort(host, port)
	if m.listeners[address] != nil {
		return nil, &net.OpError{Op: "listen", Err: syscall.EADDRINUSE}
	}
	p := &pipes{net: m, address: address, conns: make(chan net.Conn), done: make(chan struct{})}
	m.listeners[address] = p
	return p, nil
}

// Dial opens a connection, or does what the fault of the address says.
func (m *memory) Dial(ctx context.Context, _, address string) (net.Conn, error) {
	m.mu.Lock()
	p, fault := m.listeners[address], m.fault[address]
	m.mu.Unlock()
	if fault != nil {
		if c, err := fault(); c != nil || err != nil {
			return c, err
		}
	}
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	if p == nil {
		return nil, refused
	}
	client, server := net.Pipe()
	select {
	case p.conns <- wired{server, address}:
		return wired{client, address}, nil
	case <-p.done:
		return nil, refused
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// breakTo sets what happens to new connections to an address; nil mends it.
func (m *memory) breakTo(address string, fault func() (net.Conn, error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault[address] = fault
}

// refuse is a port on which nobody listens.
func refuse() (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
}

// wired is a pipe with addresses.
type wired struct {
	net.Conn
	address string
}

func (w wired) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40_000} }

func (w wired) LocalAddr() net.Addr {
	a, _ := net.ResolveTCPAddr("tcp", w.address)
	return a
}

type pipes struct {
	net     *memory
	address string
	conns   chan net.Conn
	done    chan struct{}
	once    sync.Once
}

// Accept implements net.Listener.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *pipes) Close() error {
	p.once.Do(func() {
		close(p.done)
		p.net.mu.Lock()
		delete(p.net.listeners, p.address)
		p.net.mu.Unlock()
	})
	return nil
}

// Addr implements net.Listener.
func (p *pipes) Addr() net.Addr { return wired{nil, p.address}.LocalAddr() }
