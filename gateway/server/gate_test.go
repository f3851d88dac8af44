package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"jamf-gateway/gateway/server"
)

// wire sends bytes and reads all answers until the peer closes or says nothing for a moment.
func (w *world) wire(raw string) (statuses []int, closed bool) {
	w.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.base, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, raw); err != nil {
		w.t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	for {
		if err := conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
			w.t.Fatal(err)
		}
		rs, err := http.ReadResponse(r, nil)
		if err != nil {
			return statuses, !errors.Is(err, os.ErrDeadlineExceeded)
		}
		body, _ := io.ReadAll(rs.Body)
		rs.Body.Close()
		method, target, _ := strings.Cut(raw, " ")
		target, _, _ = strings.Cut(target, " ")
		if len(statuses) == 0 && strings.HasPrefix(target, "/") { // of the others it is not known what they answer
			w.described(method, w.base+target, reply{rs.StatusCode, rs.Header, body})
		}
		statuses = append(statuses, rs.StatusCode)
	}
}

// smuggled is a second request: whoever answers it has read the first one differently.
const smuggled = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"

func TestABodyOfAGetIsReadAndIgnored(t *testing.T) {
	w := newWorld(t)
	// A real SDK sends GETs with the body null. It must not be taken for the next request.
	raw := fmt.Sprintf("GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(smuggled), smuggled)
	if statuses, _ := w.wire(raw); len(statuses) != 1 || statuses[0] != http.StatusOK {
		t.Errorf("answers %v, want one 200", statuses)
	}
	if statuses, _ := w.wire(raw + smuggled); len(statuses) != 2 {
		t.Errorf("pipelined after it: answers %v, want two", statuses)
	}
}

func TestATargetHasOneMeaning(t *testing.T) {
	for target, good := range map[string]bool{
		"/": true, "/v1/devices": true, "/v1/devices/schule-a:computer:1": true, "/v1/devices/schule-a%3Acomputer%3A1": true,
		"/v1/devices?name=%2e%2e%2f": true, "/api/v1/computers-inventory?filter=a%3B%20b": true, "/a.b/c..d": true,
		"": false, "*": false, "http://x/": false, "//v1/devices": false, "/v1//devices": false, "/v1/./devices": false, "/v1/..": false,
		"/v1/../v1/devices": false, "/v1/%2e%2e/x": false, "/v1/%2E": false, "/v1/a%2fb": false, "/v1/a%5Cb": false, `/v1\x`: false,
		"/v1/%252e": false, "/v1/;a=b": false, "/v1/%3Ba": false, "/v1/%00": false, "/v1/%0a": false, "/v1/%7f": false, "/v1/%": false,
		"/v1/%4": false, "/v1/%zz": false, "/v1/a b": false, "/v1/ä": false, "/v1/%C3%A4": true, "/v1/%c0%ae": false, "/v1/%ff": false, "/v1/\x01": false, "/v1#f": false, "/v1?a#f": false,
		"/?" + strings.Repeat("a&", 99): true, "/?" + strings.Repeat("a&", 100): false,
	} {
		if reason := server.GateTarget(target); (reason == "") != good {
			t.Errorf("%q: %q", clip(target), reason)
		}
	}
}

func FuzzGateTarget(f *testing.F) {
	for _, seed := range []string{"/v1/devices?limit=1", "/v1/%2e%2e", "//", "/a;b", "/%25", "*"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		if server.GateTarget(target) != "" {
			return
		}
		path, _, _ := strings.Cut(target, "?")
		lower := strings.ToLower(path)
		for _, bad := range []string{"//", "/../", "/./", "%2e", "%2f", "%5c", "%25", "%00", "\\", ";", "\r", "\n", " ", "%c0%ae"} {
			if strings.Contains(lower+"/", bad) && !strings.HasSuffix(path, "/") {
				t.Errorf("%q passed with %q", target, bad)
			}
		}
	})
}

func TestEveryAnswerCarriesTheHeaders(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/livez", "/v1/devices", "/api/v1/nothing", "/v1//x", "/"} {
		r := w.do(http.MethodGet, w.base+path, "", "X-Request-Id", "my-id")
		for name, want := range map[string]string{
			"X-Request-Id": "my-id", "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Referrer-Policy": "no-referrer", "Server": "",
		} {
			if got := r.header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
	if r := w.do(http.MethodGet, w.base+"/livez", "", "X-Request-Id", "two words"); r.header.Get("X-Request-Id") == "two words" {
		t.Error("an unusable request id was echoed")
	}
}
