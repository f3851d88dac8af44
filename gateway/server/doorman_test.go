package server_test

import (
	"errors"
	"io"
	"math"
	"net"
	"os"
	"runtime/debug"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/gateway/server"
)

// dry is a listener that has no descriptors left for a while.
type dry struct {
	net.Listener
	left int
	last error
}

func (d *dry) Accept() (net.Conn, error) {
	if d.left--; d.left >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	if d.last != nil {
		return nil, d.last
	}
	client, end := net.Pipe()
	_ = client.Close()
	return end, nil
}

func TestADoorOutlivesALackOfDescriptors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		c, err := server.NewDoor(&dry{left: 12}, 10, 10).Accept()
		if err != nil || time.Since(began) > 10*time.Second {
			t.Fatalf("after %v: %v", time.Since(began), err)
		}
		_ = c.Close()
		if _, err := server.NewDoor(&dry{last: net.ErrClosed}, 10, 10).Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a closed door: %v", err)
		}
	})
}

func TestNobodyHoldsTheDoor(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	door := server.NewDoor(ln, 3, 2)
	accepted := make(chan net.Conn, 10)
	go func() {
		defer close(accepted)
		for {
			c, err := door.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("x"))
			accepted <- c
		}
	}()
	dial := func(from string) (let bool) {
		t.Helper()
		c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext(t.Context(), "tcp", ln.Addr().String())
		if errors.Is(err, syscall.ECONNRESET) {
			return false
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if err := c.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadFull(c, make([]byte, 1))
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s is neither let in nor refused", from)
		}
		return err == nil
	}
	for i, step := range []struct {
		from string
		let  bool
	}{{"127.0.0.1", true}, {"127.0.0.1", true}, {"127.0.0.2", true}, {"127.0.0.3", false}} {
		if got := dial(step.from); got != step.let {
			t.Errorf("connection %d from %s: let in: %v", i, step.from, got)
		}
	}
	first := <-accepted
	_, _ = first.Close(), first.Close() // closed twice, counted once
	if !dial("127.0.0.1") || dial("127.0.0.3") {
		t.Error("a place that became free is not one place")
	}
	_ = ln.Close()
	for c := range accepted {
		_ = c.Close()
	}
}

func TestAReaderMustKeepPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, end := net.Pipe()
		c, err := server.NewDoor(&one{c: end}, 1, 1).Accept()
		if err != nil {
			t.Fatal(err)
		}
		const pieces = 20
		done := make(chan error, 1)
		go func() {
			_, err := c.Write(make([]byte, (pieces+5)*64<<10))
			done <- err
		}()
		for range pieces { // slow, and for more than three minutes in all
			time.Sleep(9 * time.Second)
			if _, err := io.CopyN(io.Discard, client, 64<<10); err != nil {
				t.Fatalf("a slow reader is cut off: %v", err)
			}
		}
		began := time.Now()
		if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) > 11*time.Second {
			t.Errorf("one who does not read: %v after %v", err, time.Since(began))
		}
		_, _ = c.Close(), client.Close()
	})
}

// Connections never take more than a quarter of the memory that the process may use, at what one costs at most.
func TestTheDoorTakesAsManyConnectionsAsTheMemoryAllows(t *testing.T) {
	for limit, want := range map[int64]int{
		math.MaxInt64: 1 << 20, 4 << 30: 14_563, 2304 << 20: 8192, 512 << 20: 1820, 256 << 20: 910, 64 << 20: 227, 1 << 20: 16, 0: 16,
	} {
		if n := server.MemoryFor(limit); n != want {
			t.Errorf("%d bytes allow %d connections, want %d", limit, n, want)
		}
	}
	w := newWorldWithoutDoors(t)
	before := debug.SetMemoryLimit(144 << 20)
	n := w.server.PublicConnections()
	debug.SetMemoryLimit(before)
	if n != 512 {
		t.Errorf("with 144 MiB the public door takes %d connections", n)
	}
}

type one struct {
	net.Listener
	c net.Conn
}

func (o *one) Accept() (net.Conn, error) { return o.c, nil }

func TestAllDoorsTogetherLeaveDescriptorsForFilesAndForJamf(t *testing.T) {
	for _, allowed := range []int{300, 400, 512, 1024, 4096, 65_536, 1 << 20} {
		public := server.SpareFiles(allowed)
		if rest := allowed - public - 2*server.OtherConnections; rest < 128 || rest < allowed/4 || public < 16 {
			t.Errorf("of %d descriptors the public door takes %d and %d stay", allowed, public, rest)
		}
	}
}
