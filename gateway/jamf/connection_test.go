package jamf_test

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"jamf-gateway/gateway/jamf"
)

func both() []string { return []string{jamf.ReadComputers, jamf.ReadMobileDevices} }

func rightsSay(names ...string) func(http.ResponseWriter, *http.Request) {
	return say(200, `{"account":{"privilegesBySite":{"-1":["`+strings.Join(names, `","`)+`"]}}}`)
}

// healthy is a Jamf with 12 computers and 34 mobile devices.
func healthy(changes answers) answers {
	out := answers{
		"/api/v1/auth": rightsSay(both()...), "/api/v1/jamf-pro-version": say(200, `{"version":"11.30.2"}`),
		v4List: say(200, `{"totalCount":12,"results":[{"id":"1"}]}`), plain: say(200, `{"totalCount":34,"results":[{"id":"1"}]}`),
	}
	maps.Copy(out, changes)
	return out
}

// results puts a report as "name:result[:code]" in order.
func results(r jamf.Report) []string {
	var out []string
	for _, s := range r.Steps {
		line := s.Name + ":" + s.Result
		if s.Code != "" {
			line += ":" + s.Code
		}
		out = append(out, line)
	}
	return out
}

func TestAConnectionTestOfAJamfThatIsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := script(healthy(nil))
		r := connect(t, u, jamf.Limits{}, nil)
		got := r.src.Test(t.Context(), both())
		want := []string{"url:ok", "dns:ok", "tcp:ok", "tls:ok", "token:ok", "rights:ok", "mobile_devices:ok", "computers:ok", "version:ok"}
		if diff := cmp.Diff(want, results(got)); diff != "" {
			t.Error(diff)
		}
		if !got.OK || got.Computers != 12 || got.Mobiles != 34 || got.JamfVersion != "11.30.2" || len(got.Present) != 2 || got.Missing != nil || got.Surplus != nil || !got.Started.Before(time.Now()) {
			t.Errorf("report %+v", got)
		}
		for _, s := range u.requests() {
			if s.path == plain && !strings.Contains(s.query, "page-size=1&") || s.path == v4List && !strings.Contains(s.query, "page-size=1&") {
				t.Errorf("asked for %s?%s", s.path, s.query)
			}
		}
		if last := got.Steps[len(got.Steps)-1]; last.Detail != "11.30.2" || last.Latency == 0 {
			t.Errorf("the sixth call did not pass the limiter: %+v", last)
		}
	})
}

func TestAConnectionTestClassesWhatIsWrong(t *testing.T) {
	const head = "url:ok,dns:ok,tcp:ok,tls:ok,"
	const end = "mobile_devices:skipped,computers:skipped,version:skipped"
	for name, c := range map[string]struct {
		give  answers
		token func(http.ResponseWriter, *http.Request, int)
		want  []string
		steps string
		ok    bool
	}{
		"wrong secret": {
			nil, func(w http.ResponseWriter, _ *http.Request, _ int) { giveJSON(w, 401, `{"error":"invalid_client"}`) }, both(),
			head + "token:failed:auth_failed,rights:skipped," + end, false,
		},
		"HTML instead of a token": {
			nil, func(w http.ResponseWriter, _ *http.Request, _ int) { giveHTML(w, 403) }, both(),
			head + "token:failed:html_instead_of_json,rights:skipped," + end, false,
		},
		"token refused": {
			answers{"/api/v1/auth": func(w http.ResponseWriter, _ *http.Request) { giveEnvelope(w, 401) }},
			nil, both(),
			head + "token:ok,rights:failed:token_refused," + end, false,
		},
		"one right missing": {
			answers{"/api/v1/auth": rightsSay(jamf.ReadMobileDevices)},
			nil, both(),
			head + "token:ok,rights:failed:right_missing,mobile_devices:ok,computers:skipped,version:ok", false,
		},
		"too many rights": {
			answers{"/api/v1/auth": rightsSay(jamf.ReadComputers, jamf.ReadMobileDevices, "Delete Computers")},
			nil, both(),
			head + "token:ok,rights:warning:rights_surplus,mobile_devices:ok,computers:ok,version:ok", true,
		},
		"one kind only": {
			nil, nil,
			[]string{jamf.ReadComputers},
			head + "token:ok,rights:warning:rights_surplus,mobile_devices:skipped,computers:ok,version:ok", true,
		},
		"rights not told": {
			answers{"/api/v1/auth": say(200, `{}`)},
			nil, both(),
			head + "token:ok,rights:warning:rights_unknown,mobile_devices:ok,computers:ok,version:ok", true,
		},
		"no introspection": {
			answers{"/api/v1/auth": func(w http.ResponseWriter, _ *http.Request) { giveEnvelope(w, 404) }},
			nil, both(),
			head + "token:ok,rights:warning:rights_unknown,mobile_devices:ok,computers:ok,version:ok", true,
		},
		"a list is forbidden": {
			answers{plain: func(w http.ResponseWriter, _ *http.Request) { giveEnvelope(w, 403) }},
			nil, both(),
			head + "token:ok,rights:ok,mobile_devices:failed:right_missing,computers:ok,version:ok", false,
		},
		"a list is no list": {
			answers{plain: say(200, `{}`)},
			nil, both(),
			head + "token:ok,rights:ok,mobile_devices:failed:unexpected_answer,computers:skipped,version:skipped", false,
		},
		"only v1": {
			answers{v4List: func(w http.ResponseWriter, _ *http.Request) { giveEnvelope(w, 404) }, v1List: say(200, `{"totalCount":3,"results":[]}`)},
			nil, both(),
			head + "token:ok,rights:ok,mobile_devices:ok,computers:ok,version:ok", true,
		},
		"throttled": {
			answers{"/api/v1/auth": func(w http.ResponseWriter, _ *http.Request) { giveEnvelope(w, 429) }},
			nil, both(),
			head + "token:ok,rights:failed:throttled," + end, false,
		},
		"hangs": {
			answers{plain: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
			nil, both(),
			head + "token:ok,rights:ok,mobile_devices:failed:timeout,computers:skipped,version:skipped", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := script(healthy(c.give))
				u.token = c.token
				r := connect(t, u, fast, nil)
				began := time.Now()
				got := r.src.Test(t.Context(), c.want)
				if diff := cmp.Diff(strings.Split(c.steps, ","), results(got)); diff != "" {
					t.Error(diff)
				}
				if got.OK != c.ok {
					t.Errorf("OK = %v", got.OK)
				}
				if took := time.Since(began); took > 31*time.Second {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

func TestAConnectionTestSendsNoSecretWhileJamfRefusesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sick := true
		u := &upstream{
			token: func(w http.ResponseWriter, _ *http.Request, n int) {
				if sick {
					giveJSON(w, 400, `{"error":"invalid_client"}`)
					return
				}
				giveToken(w, n, 600)
			},
			api: func(w http.ResponseWriter, r *http.Request, _ int) { healthyHandler(w, r) },
		}
		r := connect(t, u, fast, nil)
		for range 10 {
			got := r.src.Test(t.Context(), both())
			if s := got.Steps[4]; got.OK || s.Code != "auth_failed" {
				t.Fatalf("step %+v", s)
			}
			time.Sleep(time.Second)
		}
		if tokens, _, _ := u.counts(); tokens != 3 {
			t.Errorf("the secret was sent %d times, want 3", tokens)
		}
		if st := r.src.Status(); st.Token != "auth_failed" || st.Breaker != "closed" {
			t.Errorf("status %+v", st)
		}
		sick = false
		if s := r.src.Test(t.Context(), both()).Steps[4]; !strings.Contains(s.Detail, "no token is asked for before 2") {
			t.Errorf("the pause is not told: %+v", s)
		}
		time.Sleep(15 * time.Minute)
		r.host.PauseUntil(time.Now().Add(time.Hour))
		if got := r.src.Test(t.Context(), both()); !got.OK {
			t.Fatalf("after the pause, with an open breaker: %v", results(got))
		}
		r.host.PauseUntil(time.Time{})
		if st := r.src.Status(); st.Token != "valid" {
			t.Errorf("a good test does not end auth_failed: %+v", st)
		}
	})
}

func TestATokenThatTheAPIRefusesCountsInAConnectionTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, _ int) { giveEnvelope(w, 401) }}
		r := connect(t, u, fast, nil)
		for range 5 {
			r.src.Test(t.Context(), both())
		}
		if tokens, _, _ := u.counts(); tokens != 3 || r.src.Status().Token != "auth_failed" {
			t.Errorf("%d tokens were asked for, status %+v", tokens, r.src.Status())
		}
	})
}

func TestTheConnectionOfATestIsWithinTheBudgetUntilItIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dials atomic.Int32
		r := connect(t, &upstream{}, jamf.Limits{Connections: 1, RequestsPerSecond: 100, Burst: 100}, func(o *jamf.SourceOptions) {
			o.URL = "https://127.0.0.1/api"
			o.Dial = func(context.Context, string, string) (net.Conn, error) {
				dials.Add(1)
				near, far := net.Pipe() // nobody ever shakes hands at the other end
				t.Cleanup(func() { _ = far.Close() })
				return near, nil
			}
		})
		tested := make(chan jamf.Report)
		go func() { tested <- r.src.Test(t.Context(), both()) }()
		synctest.Wait()
		go func() { _, _ = page(t, r.src.NewWalk(), jamf.MobilePlain) }()
		synctest.Wait()
		if st := r.src.Status(); dials.Load() != 1 || st.InFlight != 1 {
			t.Errorf("while the test shakes hands: %d connections, %d under way, want 1", dials.Load(), st.InFlight)
		}
		if got := <-tested; got.Steps[3].Code != "timeout" {
			t.Errorf("%v", results(got))
		}
		synctest.Wait()
		if dials.Load() != 2 {
			t.Errorf("after the test: %d connections, want the page's too", dials.Load())
		}
	})
}

func TestFailingConnectionTestsDoNotOpenTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, &upstream{}, fast, func(o *jamf.SourceOptions) {
			o.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("nobody is there") }
		})
		for range 10 {
			if s := r.src.Test(t.Context(), both()).Steps[2]; s.Name != "tcp" || s.Code != "connect_failed" {
				t.Fatalf("step %+v", s)
			}
		}
		if st := r.src.Status(); st.Breaker != "closed" {
			t.Errorf("breaker %s", st.Breaker)
		}
	})
}

func healthyHandler(w http.ResponseWriter, r *http.Request) {
	if give, ok := healthy(nil)[r.URL.Path]; ok {
		give(w, r)
		return
	}
	giveEnvelope(w, 404)
}

func TestAConnectionTestWaitsForAFreePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := script(healthy(answers{detail: func(w http.ResponseWriter, _ *http.Request) { time.Sleep(10 * time.Second); givePage(w, 1) }}))
		r := connect(t, u, jamf.Limits{Connections: 1, RequestsPerSecond: 100, Burst: 100}, nil)
		go func() { _, _ = r.src.NewWalk().Page(t.Context(), jamf.MobileDetail, nil, 0, 1) }()
		time.Sleep(time.Second)
		got := r.src.Test(t.Context(), both())
		if !got.OK || got.Steps[2].Latency != 9*time.Second {
			t.Errorf("%v, the connection was opened after %v", results(got), got.Steps[2].Latency)
		}
	})
}

func TestANameThatCannotBeResolvedIsSaidAtTheStepDNS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, script(healthy(nil)), fast, func(o *jamf.SourceOptions) { o.URL = "https://schule.jamfcloud.example/api" })
		r.src.ResolveWith(func(context.Context, string, string) ([]netip.Addr, error) {
			return nil, &net.DNSError{Err: "no such host", Name: "schule.jamfcloud.example", IsNotFound: true}
		})
		got := r.src.Test(t.Context(), both())
		if diff := cmp.Diff([]string{"url:ok", "dns:failed:dns_failed", "tcp:skipped", "tls:skipped"}, results(got)[:4]); diff != "" || got.OK {
			t.Error(diff)
		}
	})
}

// overTLS makes a source in front of a TLS server on a real socket.
func overTLS(t *testing.T, srv *httptest.Server, fit func(*jamf.SourceOptions)) *jamf.Source {
	t.Helper()
	o := jamf.SourceOptions{
		Name: "schule-a", URL: "https://" + srv.Listener.Addr().String() + "/api", ClientID: "client-1",
		ClientSecret: func() string { return secretCanary }, UserAgent: "jamf-gateway/test",
	}
	if tr, ok := srv.Client().Transport.(*http.Transport); ok && tr.TLSClientConfig != nil {
		o.RootCAs = tr.TLSClientConfig.RootCAs
	}
	o.Dial = onlyTo(srv.Listener.Addr().String())
	if fit != nil {
		fit(&o)
	}
	src, err := jamf.NewSource(jamf.NewHost(srv.Listener.Addr().String(), fast, jamf.Telemetry{}), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(src.Close)
	return src
}

// onlyTo refuses any address that the test did not open.
func onlyTo(addr string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, to string) (net.Conn, error) {
		if to != addr {
			return nil, errors.New("stray dial to " + to)
		}
		return (&net.Dialer{}).DialContext(ctx, network, to)
	}
}

func TestHTTP2OverTLSIsSpokenAndTheCertificateIsShown(t *testing.T) {
	var proto string
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proto = r.Proto
		if strings.HasSuffix(r.URL.Path, "/oauth/token") {
			giveToken(w, 1, 600)
			return
		}
		healthyHandler(w, r)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	got := overTLS(t, srv, nil).Test(t.Context(), both())
	if !got.OK || proto != "HTTP/2.0" {
		t.Fatalf("%v over %s", results(got), proto)
	}
	if s := got.Steps[3]; s.Name != "tls" || !strings.Contains(s.Detail, "TLS 1.3, the certificate is valid until 20") {
		t.Errorf("step %+v", s)
	}
}

func TestABadCertificateStopsBeforeAnySecretIsSent(t *testing.T) {
	for name, c := range map[string]struct {
		server func(*httptest.Server)
		fit    func(*jamf.SourceOptions)
		detail string
	}{
		"unknown authority": {nil, func(o *jamf.SourceOptions) { o.RootCAs = nil }, "not trusted"},
		"another name": {nil, func(o *jamf.SourceOptions) {
			dial := o.Dial
			to := strings.TrimSuffix(strings.TrimPrefix(o.URL, "https://"), "/api")
			o.URL = "https://schule.example.org/api"
			o.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) { return dial(ctx, network, to) }
		}, "another name"},
		"old TLS": {func(s *httptest.Server) {
			s.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
		}, nil, "no TLS connection"},
	} {
		t.Run(name, func(t *testing.T) {
			requests := 0
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests++ }))
			if c.server != nil {
				c.server(srv)
			}
			srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			srv.StartTLS()
			defer srv.Close()
			spans := tracetest.NewSpanRecorder()
			src := overTLS(t, srv, func(o *jamf.SourceOptions) {
				o.Telemetry.TracerProvider = newTracer(spans)
				if c.fit != nil {
					c.fit(o)
				}
			})
			src.ResolveWith(func(context.Context, string, string) ([]netip.Addr, error) {
				return []netip.Addr{netip.IPv6Loopback()}, nil
			})
			got := src.Test(t.Context(), both())
			step := got.Steps[3]
			if got.OK || step.Name != "tls" || step.Code != "tls_failed" || !strings.Contains(step.Detail, c.detail) {
				t.Errorf("step %+v", step)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond) // the second attempt is not waited for
			defer cancel()
			_, err := src.NewWalk().Page(ctx, jamf.MobilePlain, nil, 0, 1)
			if err == nil || requests != 0 {
				t.Errorf("page: %v, %d requests reached the server", err, requests)
			}
			if got := outcomes(spans, "POST /v1/oauth/token"); len(got) != 1 || got[0] != "tls_failed" {
				t.Errorf("attempts ended with %v", got)
			}
		})
	}
}
