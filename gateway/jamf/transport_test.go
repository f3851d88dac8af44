package jamf_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"jamf-gateway/gateway/jamf"
)

func zipped(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// raw answers the API with bytes as they are and closes the connection.
func raw(answer []byte) *upstream {
	return &upstream{api: func(w http.ResponseWriter, _ *http.Request, _ int) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = conn.Write(answer)
		_ = conn.Close()
	}}
}

func head(extra string) string {
	return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + extra + "\r\n"
}

func TestABodyThatBreaksOffIsNeverAPage(t *testing.T) {
	const list = `{"totalCount":1,"results":[{"id":"1"}]}`
	z := zipped(t, []byte(list))
	for name, c := range map[string]struct {
		answer string
		kind   error
		code   string
	}{
		"nothing":                    {"", jamf.ErrUnavailable, "connect_failed"},
		"half a header":              {"HTTP/1.1 200 OK\r\nContent-", jamf.ErrUnavailable, "connect_failed"},
		"no HTTP":                    {"SSH-2.0-OpenSSH_9.6\r\n", jamf.ErrUnavailable, "connect_failed"},
		"header without end":         {"HTTP/1.1 200 OK\r\nX-Pad: " + strings.Repeat("x", 128<<10) + "\r\n\r\n", jamf.ErrUnavailable, "connect_failed"},
		"Content-Length too long":    {head("Content-Length: 1000\r\n") + list, jamf.ErrUnavailable, "connect_failed"},
		"chunked, cut in a chunk":    {head("Transfer-Encoding: chunked\r\n") + "400\r\n" + list, jamf.ErrUnavailable, "connect_failed"},
		"chunked, last one missing":  {head("Transfer-Encoding: chunked\r\n") + "27\r\n" + list + "\r\n", jamf.ErrUnavailable, "connect_failed"},
		"ended by the connection":    {head("Connection: close\r\n") + list[:30], jamf.ErrSchema, "unexpected_answer"},
		"gzip cut":                   {head("Connection: close\r\nContent-Encoding: gzip\r\n") + string(z[:len(z)-4]), jamf.ErrSchema, "unexpected_answer"},
		"gzip with a bad checksum":   {head("Connection: close\r\nContent-Encoding: gzip\r\n") + string(z[:len(z)-8]) + "\x00\x00\x00\x00" + string(z[len(z)-4:]), jamf.ErrSchema, "unexpected_answer"},
		"gzip with something behind": {head("Connection: close\r\nContent-Encoding: gzip\r\n") + string(z) + "garbage", jamf.ErrSchema, "unexpected_answer"},
		"gzip in gzip":               {head("Connection: close\r\nContent-Encoding: gzip, gzip\r\n") + string(z), jamf.ErrSchema, "unexpected_answer"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := raw([]byte(c.answer))
				r := connect(t, u, fast, nil)
				p, err := page(t, r.src.NewWalk(), jamf.MobilePlain)
				if p != nil {
					t.Fatalf("a page: %+v", p)
				}
				must(t, err, c.kind, c.code)
				if _, calls, _ := u.counts(); calls < 3 {
					t.Errorf("%d attempts, want 3", calls)
				}
			})
		})
	}
}

func TestGzipIsInflatedUnderACap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		list := []byte(`{"totalCount":1,"results":[{"id":"1"}]}`)
		row := `{"id":"1","pad":"` + strings.Repeat(" ", 1<<20) + `"}`
		bomb := slices.Concat( // members of one gzip stream: 65 KiB on the wire
			zipped(t, []byte(`{"totalCount":65,"results":[`)), bytes.Repeat(zipped(t, []byte(row+",")), 64), zipped(t, []byte(row+`]}`)),
		)
		u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, n int) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			if n > 1 {
				_, _ = w.Write(bomb)
				return
			}
			_, _ = w.Write(zipped(t, list))
		}}
		w := connect(t, u, fast, nil).src.NewWalk()
		p, err := page(t, w, jamf.MobilePlain)
		if err != nil || p.Bytes != int64(len(list)) || string(p.Rows[0].Raw) != `{"id":"1"}` {
			t.Fatalf("%+v, %v", p, err)
		}
		_, err = page(t, w, jamf.MobilePlain)
		must(t, err, jamf.ErrTooLarge, "answer_too_large")
		if _, calls, _ := u.counts(); calls != 2 {
			t.Errorf("%d calls: the bomb was asked for again", calls)
		}
	})
}

func TestNoSecretAndNoTokenFollowsARedirect(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, onToken := range []bool{true, false} {
			var caught []string
			target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				caught = append(caught, r.Method+r.URL.String()+r.Header.Get("Authorization")+string(b))
			}))
			srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				isToken := strings.HasSuffix(r.URL.Path, "/oauth/token")
				if isToken == onToken {
					w.Header().Set("Location", target.URL+"/steal?CANARY=1")
					w.WriteHeader(status)
					return
				}
				giveToken(w, 1, 600)
			}))
			src := overTLS(t, srv, func(o *jamf.SourceOptions) { o.Dial = nil })
			_, err := src.NewWalk().Page(t.Context(), jamf.MobilePlain, nil, 0, 1)
			e := must(t, err, jamf.ErrRedirect, "redirect_refused")
			if len(caught) != 0 || !strings.HasSuffix(e.Detail, " to 127.0.0.1") {
				t.Errorf("%d, on the token call %v: the target saw %v, detail %q", status, onToken, caught, e.Detail)
			}
			src.Close()
			srv.Close()
			target.Close()
		}
	}
}

func TestAConnectionThatIsResetIsNamed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1)) // the connection test's own connection ends here
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
			_ = c.Close()
		}
	}()
	src, err := jamf.NewSource(jamf.NewHost("reset", fast, jamf.Telemetry{}), jamf.SourceOptions{
		Name: "a", URL: "http://" + listener.Addr().String() + "/api", ClientSecret: func() string { return secretCanary },
		AllowInsecureLoopback: true, Dial: onlyTo(listener.Addr().String()),
	})
	if err != nil {
		t.Fatal(err)
	}
	got := src.Test(t.Context(), both())
	if s := got.Steps[4]; s.Name != "token" || s.Code != "connect_failed" {
		t.Errorf("%v", results(got))
	}
	src.Close()
	_ = listener.Close()
	<-done
	got = src.Test(t.Context(), both()) // nobody listens any more
	if s := got.Steps[2]; s.Name != "tcp" || s.Code != "connect_failed" || s.Result != "failed" {
		t.Errorf("%v", results(got))
	}
}

func TestTraceContextGoesToJamfOnlyWhenAllowed(t *testing.T) {
	for _, allowed := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			u := &upstream{}
			r := connect(t, u, fast, func(o *jamf.SourceOptions) {
				o.PropagateTrace = allowed
				o.Telemetry.TracerProvider = newTracer(nil)
			})
			if _, err := page(t, r.src.NewWalk(), jamf.MobilePlain); err != nil {
				t.Fatal(err)
			}
			for _, s := range u.requests() {
				if (s.header.Get("Traceparent") != "") != allowed {
					t.Errorf("allowed %v: traceparent %q", allowed, s.header.Get("Traceparent"))
				}
			}
		})
	}
}
