package server_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// slow asks for a page and reads nothing of it but the first line.
func (w *world) slow(client string, size int) (status string, conn net.Conn) {
	w.t.Helper()
	conn, err := (&net.Dialer{}).DialContext(w.t.Context(), "tcp", strings.TrimPrefix(w.base, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4096)
	}
	if _, err := fmt.Fprintf(conn, "GET /api/v1/computers-inventory?page-size=%d HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", size, w.token(client)); err != nil {
		w.t.Fatal(err)
	}
	line := make([]byte, 12)
	if _, err := io.ReadFull(conn, line); err != nil {
		w.t.Fatal(err)
	}
	return string(line[9:]), conn
}

func TestLargeAnswersToSlowReadersAreBoundedAndGiveTheirRoomBack(t *testing.T) {
	w := newWorld(t, func(o *server.Options) { o.Traffic = 100 << 20 })
	large := computers("AC", 1, 60)
	for id, record := range large {
		large[id] = strings.Replace(record, `"name":"mac`, `"name":"`+strings.Repeat("x", 400_000)+`mac`, 1)
	}
	w.publish("schule-a", device.Computer, large)
	if r := w.get("only-a", "/api/v1/computers-inventory?page-size=60"); r.status != http.StatusOK || len(r.body) < 20<<20 {
		t.Fatalf("a large page alone: %d, %d bytes", r.status, len(r.body))
	}
	status, first := w.slow("only-a", 59)
	if status != "200" {
		t.Fatalf("the first slow reader: %s", status)
	}
	status, second := w.slow("only-a", 59)
	if status != "200" {
		t.Errorf("the same page again: %s", status)
	}
	r := w.get("only-a", "/api/v1/computers-inventory?page-size=58")
	w.want(r, http.StatusServiceUnavailable, "busy")
	if r.header.Get("Retry-After") == "" {
		t.Error("there is no Retry-After")
	}
	if got := r.header.Get("RateLimit"); got != "" {
		t.Errorf("RateLimit %q, but it is not the client that is at its limit", got)
	}
	if r := w.get("only-a", "/v1/devices/schule-a:computer:1"); r.status != http.StatusOK {
		t.Errorf("a small answer meanwhile: %d", r.status)
	}
	_, _ = first.Close(), second.Close()
	for range 5 { // each waits for room
		if r = w.get("only-a", "/api/v1/computers-inventory?page-size=58"); r.status == http.StatusOK {
			return
		}
	}
	t.Errorf("the readers have gone and their room did not come back: %s", r)
}
