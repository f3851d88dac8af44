package server_test

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"jamf-gateway/gateway/server"
	"jamf-gateway/test/wire"
)

// What a request may cost in bytes of the request (Envoy's rule). A connection takes its buffers whatever comes over it: they are bounded
// by the connections that a door takes.
const (
	mostTimes       = 100
	mostAnswer      = 2 << 10
	shortestRequest = len("GET / HTTP/1.0\r\n\r\n")
	connectionBytes = 2 << 10
)

// expense is what a sequence of bytes costs, each time.
type expense struct {
	name      string
	status    int // of the first answer
	sent      int
	answers   int
	largest   int // of the answers
	answered  int
	allocated int
	cpu       time.Duration
}

// times is how often its own size something is.
func (e expense) times(n int) float64 { return float64(n) / float64(max(e.sent, shortestRequest)) }

// taken is what was allocated beyond what the connection takes.
func (e expense) taken() int { return max(0, e.allocated-connectionBytes) }

// strangers are requests of somebody without a token: the hostile ones, each route of the public door, and what is long, many or deep.
func strangers(t *testing.T, w *world) map[string]string {
	t.Helper()
	hostile, err := wire.Hostile()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, c := range hostile {
		out["hostile: "+c.Name] = c.Raw
	}
	parameter := regexp.MustCompile(`\{\w+\}`)
	for _, route := range server.PublicRoutes(w.server) {
		method, path, _ := strings.Cut(route, " ")
		path = parameter.ReplaceAllString(path, "schule-a")
		for name, head := range map[string]string{"": "", ", a wrong token": "Authorization: Bearer jgt_" + strings.Repeat("A", 150) + "\r\n", ", a wrong login": "Authorization: Basic YTpi\r\n"} {
			for _, m := range []string{method, http.MethodOptions, http.MethodDelete} {
				out[m+" "+path+name] = m + " " + path + " HTTP/1.1\r\nHost: x\r\n" + head + "\r\n"
			}
		}
	}
	form := func(path, body string) string {
		return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
	}
	get := func(target, head string) string { return "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + head + "\r\n" }
	maps.Copy(out, map[string]string{
		"wrong secret":        form("/oauth/token", "grant_type=client_credentials&client_id=all&client_secret=wrong"),
		"wrong secret, Jamf":  form("/api/oauth/token", "grant_type=client_credentials&client_id=all&client_secret=wrong"),
		"no such grant":       form("/oauth/token", "grant_type="+strings.Repeat("x", 8000)),
		"many parameters":     form("/oauth/token", strings.Repeat("a=b&", 2000)),
		"many escapes":        form("/oauth/token", "client_id="+strings.Repeat("%41", 2600)),
		"an announced body":   "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 8192\r\n\r\n",
		"a too long body":     "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 8193\r\n\r\n",
		"a packed body":       "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
		"a long unknown path": get("/"+strings.Repeat("x", 12_000), ""),
		"a long façade path":  get("/api/v1/"+strings.Repeat("x", 12_000), ""),
		"a deep path":         get("/api"+strings.Repeat("/x", 5000), ""),
		"a long classic path": get("/JSSResource/"+strings.Repeat("x", 12_000), ""),
		"a long query":        get("/livez?"+strings.Repeat("a", 12_000), ""),
		"a deep filter":       get("/v1/devices?filter="+strings.Repeat("(", 4000)+"a==b"+strings.Repeat(")", 4000), ""),
		"a hundred headers":   get("/v1/devices", strings.Repeat("X-Some: "+strings.Repeat("v", 100)+"\r\n", 98)),
		"a long request id":   get("/v1/devices", "X-Request-Id: "+strings.Repeat("a", 8000)+"\r\n"),
		"a long host":         "GET /v1/devices HTTP/1.1\r\nHost: " + strings.Repeat("a", 8000) + "\r\n\r\n",
		"the shortest":        "GET / HTTP/1.1\r\nHost:x\r\n\r\n",
		"the shortest, 1.0":   "GET / HTTP/1.0\r\n\r\n",
		"a letter":            "G",
		"an empty line":       "\r\n",
		"a new trace":         get("/v1/devices", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\ntracestate: "+strings.Repeat("a=b,", 100)+"\r\n"),
		"a long language":     get("/v1/devices", "Accept-Encoding: "+strings.Repeat("gzip;q=0.1,", 700)+"\r\n"),
		"a long bearer":       get("/v1/devices", "Authorization: Bearer "+strings.Repeat("A", 14_000)+"\r\n"),
	})
	return out
}

// clientsAtTheirWorst are requests of somebody with a token that ask for more than anybody may: status and bytes.
func clientsAtTheirWorst(token string) map[string]string {
	get := func(target string) string {
		return "GET " + target + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\n\r\n"
	}
	out := map[string]string{
		"415 a packed body": "POST /v1/sources/schule-a/test HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
	}
	for name, target := range map[string]string{
		"a deep filter":               "?filter=" + strings.Repeat("(", 5000) + "name==b" + strings.Repeat(")", 5000),
		"a filter that does not end":  "?filter=" + strings.Repeat("(", 11_000),
		"many comparisons":            "?filter=" + strings.Repeat("name==b,", 1400) + "name==b",
		"a long list":                 "?filter=name=in=(" + strings.Repeat("a,", 5000) + "a)",
		"many wildcards":              "?filter=name==" + strings.Repeat("*a", 5000),
		"many parameters":             "?" + strings.Repeat("a=b&", 2900),
		"the same one often":          "?" + strings.Repeat("limit=1&", 99),
		"many sorts":                  "?sort=" + strings.Repeat("name,", 2300) + "name",
		"many fields":                 "?fields=" + strings.Repeat("name,", 2300) + "name",
		"a long cursor":               "?cursor=" + strings.Repeat("A", 11_000),
		"a number without an end":     "?limit=" + strings.Repeat("9", 11_000),
		"a word that is nearly right": "?filter=" + strings.Repeat("hardwaree", 1200) + "==b",
	} {
		out["400 "+name] = get("/v1/devices" + target)
	}
	for name, target := range map[string]string{
		"a deep filter":    "?filter=" + strings.Repeat("(", 5000) + "general.name==b" + strings.Repeat(")", 5000),
		"many comparisons": "?filter=" + strings.Repeat("general.name==b,", 700) + "general.name==b",
		"many sections":    "?" + strings.Repeat("section=GENERAL&", 700),
		"unknown sections": "?section=" + strings.Repeat("X", 11_000),
		"many sorts":       "?sort=" + strings.Repeat("general.name:asc,", 690) + "id:asc",
		"a page beyond":    "?page-size=" + strings.Repeat("9", 11_000),
	} {
		out["400 façade, "+name] = get("/api/v1/computers-inventory" + target)
	}
	return out
}

// No answer to a stranger is 2 KiB, and nothing that a stranger sends, or a client that is refused, costs a hundred times its size: in
// bytes of the answer and in bytes that are taken for it. AMPLIFICATION=n measures the time as well, n times each, and prints the
// dearest; make amplification does.
func TestNothingCostsAHundredTimesItsSize(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector takes memory of its own")
	}
	n, err := strconv.Atoi(os.Getenv("AMPLIFICATION"))
	measured := err == nil && n >= 100
	if !measured {
		n = 5
	}
	w := newWorldWithoutDoors(t)
	w.publishAll(50)
	answer := w.server.Bytes()
	usual := price(t, answer, "GET /livez", "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", 10*n)
	token := w.server.Token("all", sum("all"), start.Add(time.Hour))
	for who, cases := range map[string]map[string]string{"a stranger": strangers(t, w), "a client": clientsAtTheirWorst(token)} {
		all := []expense{}
		for name, raw := range cases {
			e := price(t, answer, name, raw, n)
			all = append(all, e)
			if status, _, _ := strings.Cut(name, " "); who == "a client" && strconv.Itoa(e.status) != status {
				t.Errorf("%s: %d", name, e.status)
			}
			if e.largest >= mostAnswer {
				t.Errorf("%s: %s is answered with %d bytes", who, name, e.largest)
			}
			if e.times(e.answered) >= mostTimes || e.times(e.taken()) >= mostTimes {
				t.Errorf("%s: %s: %d bytes are answered with %d and take %d", who, name, e.sent, e.answered, e.allocated)
			}
		}
		if !measured {
			continue
		}
		for what, by := range map[string]func(e expense) float64{
			"its size in bytes of the answer": func(e expense) float64 { return e.times(e.answered) },
			"its size in bytes taken":         func(e expense) float64 { return e.times(e.taken()) },
			"the time of GET /livez":          func(e expense) float64 { return float64(e.cpu) / float64(usual.cpu) },
		} {
			slices.SortFunc(all, func(a, b expense) int { return cmp.Compare(by(b), by(a)) })
			for _, e := range all[:2] {
				t.Logf("%s: %.1f times %s: %s: %d bytes, answered with %d, %d taken, %v", who, by(e), what, e.name, e.sent, e.answered, e.allocated, e.cpu)
			}
			if by(all[0]) >= mostTimes {
				t.Errorf("%s: %s costs %.0f times %s", who, all[0].name, by(all[0]), what)
			}
		}
	}
	t.Logf("GET /livez: %d bytes, answered with %d, %d taken, %v", usual.sent, usual.answered, usual.allocated, usual.cpu)
}

// price is what an answer to bytes costs. Time is that of this thread, so that other work does not count.
func price(t *testing.T, answer func([]byte) []byte, name, raw string, n int) expense {
	t.Helper()
	e := expense{name: name, sent: len(raw)}
	got := answer([]byte(raw)) // fills the pools
	e.answered = len(got)
	for r := bufio.NewReader(bytes.NewReader(got)); ; e.answers++ {
		before := r.Buffered()
		rs, err := http.ReadResponse(r, nil)
		if err != nil {
			break
		}
		if e.answers == 0 {
			e.status = rs.StatusCode
		}
		body, err := io.ReadAll(rs.Body)
		if err != nil {
			break // to a HEAD
		}
		_ = rs.Body.Close()
		e.largest = max(e.largest, len(body), before-r.Buffered())
	}
	if e.answers == 0 {
		e.largest = len(got)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	bytesOf := []byte(raw)
	for round := range 3 { // the collector empties pools, and others take memory too: the least counts
		var m0, m1 runtime.MemStats
		runtime.ReadMemStats(&m0)
		begun := threadTime(t)
		for range n {
			answer(bytesOf)
		}
		cpu := (threadTime(t) - begun) / time.Duration(n)
		runtime.ReadMemStats(&m1)
		allocated := int(m1.TotalAlloc-m0.TotalAlloc)/n - cap(got) // the peer is ours as well
		if round == 0 {
			e.cpu, e.allocated = cpu, allocated
		}
		e.cpu, e.allocated = min(e.cpu, cpu), min(e.allocated, allocated)
	}
	return e
}

// threadTime is how long this thread has worked.
func threadTime(t *testing.T) time.Duration {
	t.Helper()
	const ofThisThread = 1 // RUSAGE_THREAD
	var u syscall.Rusage
	if err := syscall.Getrusage(ofThisThread, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
