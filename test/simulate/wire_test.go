package simulate_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"syscall"
)

// network joins the rooms of a simulation without a socket: synctest's clock moves only while everybody waits for something
// inside the bubble, and a socket lies outside.
type network struct {
	mu    sync.Mutex
	doors map[string]*door // address -> who listens there
}

func newNetwork() *network { return &network{doors: map[string]*door{}} }

func (n *network) listen(_ context.Context, _, address string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.doors[address] != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, syscall.EADDRINUSE)
	}
	d := &door{of: n, address: address, come: make(chan net.Conn), closed: make(chan struct{})}
	n.doors[address] = d
	return d, nil
}

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	d := n.doors[address]
	n.mu.Unlock()
	if d == nil {
		return nil, refused()
	}
	near, far := net.Pipe()
	select {
	case d.come <- &line{Conn: far, local: d.Addr()}:
		return near, nil
	case <-d.closed:
		return nil, refused()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// shut closes doors from outside, as the end of a process does.
func (n *network) shut(addresses ...string) {
	for _, a := range addresses {
		n.mu.Lock()
		d := n.doors[a]
		n.mu.Unlock()
		if d != nil {
			_ = d.Close()
		}
	}
}

func refused() error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
}

// door is a net.Listener at one address.
type door struct {
	of      *network
	address string
	come    chan net.Conn
	once    sync.Once
	closed  chan struct{}
}

func (d *door) Accept() (net.Conn, error) {
	select {
	case c := <-d.come:
		return c, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

func (d *door) Close() error {
	d.once.Do(func() {
		d.of.mu.Lock()
		delete(d.of.doors, d.address)
		d.of.mu.Unlock()
		close(d.closed)
	})
	return nil
}

func (d *door) Addr() net.Addr {
	addr, err := net.ResolveTCPAddr("tcp", d.address)
	if err != nil {
		panic(err)
	}
	return addr
}

// line is one connection, with addresses as TCP has them.
type line struct {
	net.Conn
	local net.Addr
}

func (l *line) LocalAddr() net.Addr { return l.local }

func (l *line) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40000} }
