package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"jamf-gateway/gateway/server"
)

func TestALineOfAHeadEndsWithCRLF(t *testing.T) {
	w := newWorld(t)
	const good = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
	body := fmt.Sprintf("POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", 11, "a\nb\r\n\n\n\x00\rcd")
	head := "HEAD /livez HTTP/1.1\r\nHost: x\r\nContent-length:\t5 \r\n\r\n\n\n\n\n\n"
	chunks := "POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\na\nb\nc\r\n0\r\n\r\n"
	for name, tc := range map[string]struct {
		raw      string
		statuses []int
		closed   bool
	}{
		"LF after the request line":               {"GET /livez HTTP/1.1\nHost: x\r\n\r\n" + smuggled, []int{400}, true},
		"LF after a header":                       {"GET /livez HTTP/1.1\r\nHost: x\nX-A: b\r\n\r\n" + smuggled, []int{400}, true},
		"LF after the last header":                {"GET /livez HTTP/1.1\r\nHost: x\n\r\n" + smuggled, []int{400}, true},
		"LF as the empty line":                    {"GET /livez HTTP/1.1\r\nHost: x\r\n\n" + smuggled, []int{400}, true},
		"LF alone everywhere":                     {"GET /livez HTTP/1.1\nHost: x\n\n", []int{400}, true},
		"HTTP/1.0 with LF alone":                  {"GET /livez HTTP/1.0\n\n", []int{400}, true},
		"LF before the request":                   {"\n" + good, []int{400}, true},
		"LF after an empty line before it":        {"\r\n\n" + good, []int{400}, true},
		"CR alone in a header":                    {"GET /livez HTTP/1.1\r\nHost: x\r\nX-A: a\rX-B: b\r\n\r\n" + smuggled, []int{400}, true},
		"NUL in the request line":                 {"GET /livez\x00 HTTP/1.1\r\nHost: x\r\n\r\n" + smuggled, []int{400}, true},
		"NUL in the name of a header":             {"GET /livez HTTP/1.1\r\nHost: x\r\nX\x00: a\r\n\r\n" + smuggled, []int{400}, true},
		"a good request, then LF":                 {good + "GET /livez HTTP/1.1\nHost: x\r\n\r\n" + smuggled, []int{200, 400}, true},
		"a good request, then LF before the next": {good + "\n" + smuggled, []int{200, 400}, true},
		"a body, then LF":                         {body + "GET /livez HTTP/1.1\nHost: x\r\n\r\n" + smuggled, []int{401, 400}, true},
		"a body with LF, NUL and CR, then a good": {body + good, []int{401, 200}, false},
		"a body of a HEAD, then a good":           {"\r\n" + head + good, []int{200, 200}, false},
		"a body in chunks ends the connection":    {chunks + smuggled, []int{401}, true},
		"three good ones":                         {good + "\r\n" + good + good, []int{200, 200, 200}, false},
		"a padded Content-Length":                 {"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: " + strings.Repeat(" ", 80) + "1\r\n\r\nx" + smuggled, []int{400}, true},
		"a Content-Length of more than 18 digits": {"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: " + strings.Repeat("0", 18) + "1\r\n\r\nx" + smuggled, []int{400}, true},
		"a folded Content-Length":                 {"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n 1\r\n\r\nx" + smuggled, []int{400}, true},
	} {
		for cut, pieces := range map[string]int{"whole": len(tc.raw), "byte by byte": 1} {
			statuses, closed := w.pieces(tc.raw, pieces)
			if fmt.Sprint(statuses) != fmt.Sprint(tc.statuses) || closed != tc.closed {
				t.Errorf("%s, %s: answers %v, connection closed: %v; want %v, %v", name, cut, statuses, closed, tc.statuses, tc.closed)
			}
		}
	}
}

// pieces sends bytes in pieces of a size and reads all answers; a connection that stays open is found out by one more request.
func (w *world) pieces(raw string, size int) (statuses []int, closed bool) {
	w.t.Helper()
	const last = "OPTIONS /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" // 204
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.base, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	go func() {
		for rest := raw + last; rest != ""; {
			n := min(size, len(rest))
			if _, err := io.WriteString(conn, rest[:n]); err != nil {
				return // refused before its end
			}
			rest = rest[n:]
		}
	}()
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		w.t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	for {
		method := http.MethodGet
		if strings.Contains(raw, "HEAD ") && len(statuses) == 0 {
			method = http.MethodHead
		}
		rs, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return statuses, true
		}
		_, _ = io.Copy(io.Discard, rs.Body)
		rs.Body.Close()
		if rs.StatusCode == http.StatusNoContent {
			return statuses, false
		}
		statuses = append(statuses, rs.StatusCode)
	}
}

// FuzzHeads: however the bytes are cut, the same one is refused.
func FuzzHeads(f *testing.F) {
	f.Add("GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\na\nbGET / HTTP/1.1\n", 3)
	f.Add("\r\nGET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\n", 1)
	f.Add("GET / HTTP/1.1\r\nX: a\rb", 7)
	f.Fuzz(func(t *testing.T, raw string, size int) {
		whole := server.FirstBad([]byte(raw), len(raw))
		if cut := server.FirstBad([]byte(raw), min(max(1, size), len(raw)+1)); cut != whole {
			t.Errorf("%q: byte %d is refused, in pieces of %d byte %d", raw, whole, size, cut)
		}
		if one := server.FirstBad([]byte(raw), 1); one != whole {
			t.Errorf("%q: byte %d is refused, one by one byte %d", raw, whole, one)
		}
	})
}

func BenchmarkHeads(b *testing.B) {
	raw := []byte("GET /api/v4/computers-inventory?section=GENERAL&section=HARDWARE&page-size=100 HTTP/1.1\r\nHost: gateway.example\r\n" +
		"Authorization: Bearer " + strings.Repeat("x", 180) + "\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\nUser-Agent: sync/1.0\r\n\r\n")
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if server.FirstBad(raw, len(raw)) != len(raw) {
			b.Fatal("refused")
		}
	}
}

// BenchmarkSocket is one request after the other on one connection.
func BenchmarkSocket(b *testing.B) {
	w := newWorld(b)
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.base, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.WriteString(conn, smuggled); err != nil {
			b.Fatal(err)
		}
		rs, err := http.ReadResponse(r, nil)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, rs.Body)
	}
}
