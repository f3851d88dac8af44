package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// TestTimingTellsNoIDFromAnother asks TIMING=n times each, in turns and below the network, and compares medians: what a stranger measures
// through sockets is blurred by more than a hundred times as much. `make timing` runs it; on a busy machine it means little.
func TestTimingTellsNoIDFromAnother(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("TIMING"))
	if err != nil || n < 1000 {
		t.Skip("TIMING=200000 asks that often; make timing does")
	}
	const allowed = 150 * time.Nanosecond // the matrix has 5 us (D5)
	w := newWorld(t)
	w.publishAll(1)
	handle := w.server.PublicHandler()
	wrong := func(of string) string { return "x" + secretOf(of)[1:] }
	token := w.token("all")
	spoilt := func(at int) string {
		b := []byte(token)
		b[at] = map[bool]byte{true: 'B', false: 'A'}[b[at] == 'A']
		return string(b)
	}
	type way struct {
		name, target, form, token string
		status                    int
	}
	form := func(id, secret string) string {
		return url.Values{"client_id": {id}, "client_secret": {secret}, "grant_type": {"client_credentials"}}.Encode()
	}
	pairs := [][2]way{
		{{"wrong secret", "/oauth/token", form("all", wrong("all")), "", 401}, {"unknown id", "/oauth/token", form("alm", wrong("all")), "", 401}},
		{{"all but the last byte", "/oauth/token", form("all", secretOf("all")[:len(secretOf("all"))-1]+"x"), "", 401}, {"wrong secret", "/oauth/token", form("all", wrong("all")), "", 401}},
		{{"token spoilt in front", "/v1/sources", "", spoilt(20), 401}, {"token spoilt behind", "/v1/sources", "", spoilt(len(token) - 2), 401}},
		{{"unknown source", "/v1/sources/nothing", "", w.token("only-a"), 404}, {"foreign source", "/v1/sources/schule-b", "", w.token("only-a"), 404}},
	}
	ask := func(x way) time.Duration {
		var rc fasthttp.RequestCtx
		rc.Request.SetRequestURI(x.target)
		rc.Request.Header.SetHost("gateway.example")
		if x.form != "" {
			rc.Request.Header.SetMethod(http.MethodPost)
			rc.Request.Header.SetContentType("application/x-www-form-urlencoded")
			rc.Request.SetBodyString(x.form)
		} else {
			rc.Request.Header.Set("Authorization", "Bearer "+x.token)
		}
		begun := time.Now()
		handle(&rc)
		took := time.Since(begun)
		if rc.Response.StatusCode() != x.status {
			t.Fatalf("%s: %d %s", x.name, rc.Response.StatusCode(), rc.Response.Body())
		}
		return took
	}
	median := func(all []time.Duration) time.Duration { slices.Sort(all); return all[len(all)/2] }
	for _, pair := range pairs {
		one, other := make([]time.Duration, 0, n), make([]time.Duration, 0, n)
		for i := range n {
			if i%2 == 0 { // neither is always the first
				one, other = append(one, ask(pair[0])), append(other, ask(pair[1]))
			} else {
				other, one = append(other, ask(pair[1])), append(one, ask(pair[0]))
			}
		}
		a, b := median(one), median(other)
		line := fmt.Sprintf("%s %v, %s %v: %v", pair[0].name, a, pair[1].name, b, a-b)
		t.Log(line)
		if d := max(a-b, b-a); d > allowed {
			t.Error("the difference of the medians tells which it was: " + line)
		}
	}
}
