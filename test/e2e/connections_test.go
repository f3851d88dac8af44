//go:build e2e

package e2e_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// mostOfAConnection is what the public door counts for a connection when it divides memory (gateway/server, connectionCost).
const mostOfAConnection = 72 << 10

// TestAConnectionCostsNoMoreThanTheDoorCounts opens CONNECTIONS connections with TLS in each of several states and holds what the real binary
// has in memory meanwhile against what its door counts for them. `make connections` runs it.
func TestAConnectionCostsNoMoreThanTheDoorCounts(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("CONNECTIONS"))
	if err != nil || n < 1 {
		t.Skip("CONNECTIONS=1000 opens a thousand in each state; make connections does")
	}
	const live = "GET /livez HTTP/1.1\r\nHost: x\r\n"
	b := besiege(t, true)
	for i, state := range []struct{ name, said string }{
		{"the handshake is done, nothing was asked", ""},
		{"half a request, short", live + "X-A: b"},
		{"a request was answered, nothing more", live + "\r\n"},
		{"half a request, 15 KB", live + "X-A: " + strings.Repeat("b", 15_000)},
	} {
		before := residentOf(t, b.pid)
		var all sync.WaitGroup
		for k := range byte(4) {
			all.Go(func() {
				for range n / 4 {
					c, err := dialerFrom(byte(10+4*i)+k).DialContext(t.Context(), "tcp", b.address)
					if err != nil {
						t.Error(err)
						return
					}
					t.Cleanup(func() { _ = c.Close() })
					s := tls.Client(c, &tls.Config{RootCAs: b.trust, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12})
					_, err = io.WriteString(s, state.said)
					if strings.HasSuffix(state.said, "\r\n\r\n") && err == nil {
						_, err = s.Read(make([]byte, 64))
					}
					if err == nil && state.said == "" {
						err = s.HandshakeContext(t.Context())
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		each := (residentOf(t, b.pid) - before) / n
		t.Logf("%s: %d bytes a connection", state.name, each)
		if each > mostOfAConnection {
			t.Errorf("%s: %d bytes a connection, and the door counts %d", state.name, each, mostOfAConnection)
		}
	}
}

// residentOf is what a process has in memory, in bytes.
func residentOf(t *testing.T, pid int) int {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(raw))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
