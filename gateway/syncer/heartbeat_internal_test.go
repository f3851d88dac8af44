package syncer

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/availability"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
)

// sickJamf is a Jamf that can be told how it is. It counts what reaches it.
type sickJamf struct {
	mu    sync.Mutex
	state string // "", down, refused, no computers
	calls []string
}

func (j *sickJamf) become(state string) {
	j.mu.Lock()
	j.state, j.calls = state, nil
	j.mu.Unlock()
}

func (j *sickJamf) seen() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.calls)
}

func (j *sickJamf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	j.mu.Lock()
	j.calls = append(j.calls, r.URL.Path+"?"+r.URL.RawQuery)
	state := j.state
	j.mu.Unlock()
	say := func(status int, body string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
	rights := `["Read Computers","Read Mobile Devices"]`
	if state == "no computers" {
		rights = `["Read Mobile Devices"]`
	}
	path := r.URL.Path
	switch {
	case state == "down":
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusServiceUnavailable)
	case state == "refused":
		say(401, `{"error":"invalid_client"}`)
	case strings.HasSuffix(path, "/oauth/token"):
		say(200, `{"access_token":"t","token_type":"Bearer","expires_in":600}`)
	case strings.HasSuffix(path, "/v1/auth"):
		time.Sleep(40 * time.Millisecond)
		say(200, `{"account":{"privilegesBySite":{"-1":`+rights+`}}}`)
	case state == "no computers" && strings.Contains(path, "computers-inventory"):
		say(403, `{"httpStatus":403,"errors":[]}`)
	case strings.Contains(path, "jamf-pro-version"):
		say(200, `{"version":"11.30.2"}`)
	default:
		say(200, `{"totalCount":1,"results":[{"id":"1","mobileDeviceId":"1"}]}`)
	}
}

// pipeListener is a listener of pipes in memory, for a bubble.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipeListener) Close() error { return nil }

func (p *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// beating runs a syncer with one source in front of a Jamf in memory, and calls the test with it.
func beating(t *testing.T, j *sickJamf, fit func(*Source), test func(s *Syncer, dir string)) {
	t.Helper()
	beatingBy(t, nil, j, fit, test)
}

// beatingBy is beating by a clock of the gateway that may be wrong.
func beatingBy(t *testing.T, now func() time.Time, j *sickJamf, fit func(*Source), test func(s *Syncer, dir string)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ln := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
		srv := &http.Server{Handler: j, ReadHeaderTimeout: time.Minute}
		ended := make(chan struct{})
		go func() { defer close(ended); _ = srv.Serve(ln) }()
		src, err := jamf.NewSource(jamf.NewHost("127.0.0.1:80", jamf.Limits{}, jamf.Telemetry{}), jamf.SourceOptions{
			Name: "a", URL: "http://127.0.0.1/api", ClientID: "c", ClientSecret: func() string { return "s" }, AllowInsecureLoopback: true,
			Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				client, server := net.Pipe()
				select {
				case ln.conns <- server:
					return client, nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		store, err := cache.Open(t.Context(), cache.Options{Dir: dir, MaxBytes: 1 << 20, Keep: 3})
		if err != nil {
			t.Fatal(err)
		}
		minimal, _ := device.BuiltinProfile("minimal")
		source := Source{
			Name: "a", Kinds: []device.Kind{device.Computer, device.Mobile}, Profile: minimal, Interval: 24 * time.Hour,
			NewWalk: func() Walk { return src.NewWalk() }, Heartbeat: 5 * time.Minute, Pulse: src,
		}
		if fit != nil {
			fit(&source)
		}
		s, err := New(Options{Store: store, Dir: filepath.Join(dir, ".schedule"), DataDir: dir, StartJitter: -1, Sources: []Source{source}, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- s.Run(ctx) }()
		test(s, dir)
		cancel()
		if err := errors.Join(<-ran, store.Close()); err != nil {
			t.Error(err)
		}
		src.Close()
		close(ln.done)
		_ = srv.Close()
		<-ended
		time.Sleep(time.Minute) // handlers end
	})
}

// onlyBeats leaves the syncs out.
func onlyBeats(s *Source) { s.NewWalk = func() Walk { return deafWalk{} } }

// deafWalk is a walk whose every question fails with a lost row, which no heartbeat can heal.
type deafWalk struct{}

var errDeaf = reject("count_mismatch", "nothing")

func (deafWalk) Page(context.Context, jamf.List, []string, int, int) (*jamf.Page, error) {
	return nil, errDeaf
}

func (deafWalk) Record(context.Context, jamf.List, []string, int64) ([]byte, error) {
	return nil, errDeaf
}

func (deafWalk) Rights(context.Context) (jamf.Rights, error) { return jamf.Rights{}, errDeaf }

func (deafWalk) Names(context.Context, jamf.NameList) (map[int64]string, error) { return nil, errDeaf }

func (deafWalk) Version(context.Context) (string, error) { return "", errDeaf }

func history(t *testing.T, dir string) []availability.Entry {
	t.Helper()
	entries, damaged, err := availability.Read(availability.Dir(dir, "a"), time.Now().Add(-24*time.Hour), time.Now())
	if err != nil || damaged > 0 {
		t.Fatalf("%d damaged lines, %v", damaged, err)
	}
	return entries
}

func TestAHeartbeatAsksTheRightsAndOneRowOfEachKind(t *testing.T) {
	j := &sickJamf{}
	beating(t, j, onlyBeats, func(s *Syncer, dir string) {
		time.Sleep(time.Hour)
		got := j.seen()
		beats := 0
		for _, c := range got {
			switch {
			case strings.Contains(c, "/v1/auth"):
				beats++
			case strings.Contains(c, "page-size=") && !strings.Contains(c, "page-size=1&"):
				t.Errorf("asked for %s", c)
			}
		}
		if beats < 11 || beats > 14 || len(got) < 3*beats || len(got) > 3*beats+8 {
			t.Errorf("%d heartbeats, %d calls in an hour", beats, len(got))
		}
		st := s.Status()[0].Heartbeat
		if st.State != availability.Up || st.Code != "" || st.Latency < 40*time.Millisecond || !st.DownSince.IsZero() || st.At.IsZero() {
			t.Errorf("status %+v", st)
		}
		entries := history(t, dir)
		if e := entries[len(entries)-1]; e.Counts["computer"].Total != 1 || e.Counts["mobile"].Total != 1 || len(e.Rights) != 2 || e.AuthMS < 40 || e.Next < 270 || e.Next > 331 {
			t.Errorf("entry %+v", e)
		}
		info, err := os.Stat(filepath.Join(availability.Dir(dir, "a"), time.Now().UTC().Format(time.DateOnly)+".jsonl"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
	})
}

// The budget of an outage: syncs, retries, tokens and heartbeats together (reliability A1).
func TestAnHourWithoutJamfCostsAtMost120Calls(t *testing.T) {
	for name, fit := range map[string]func(*Source){
		"usual":      nil,
		"every 1m":   func(s *Source) { s.Heartbeat = time.Minute },
		"only beats": onlyBeats,
	} {
		t.Run(name, func(t *testing.T) {
			j := &sickJamf{state: "down"}
			beating(t, j, fit, func(s *Syncer, dir string) {
				time.Sleep(time.Hour)
				n := len(j.seen())
				t.Logf("%d calls in an hour without Jamf", n)
				if n > 120 || n < 10 {
					t.Errorf("%d calls in an hour without Jamf", n)
				}
				down := s.Status()[0].Heartbeat
				if down.State != availability.Down || time.Since(down.DownSince) < 59*time.Minute {
					t.Errorf("status %+v", down)
				}
				j.become("")
				time.Sleep(6 * time.Minute)
				if up := s.Status()[0].Heartbeat; up.State != availability.Up || !up.DownSince.IsZero() {
					t.Errorf("six minutes after the outage: %+v", up)
				}
				r := availability.Make(history(t, dir), time.Now().Add(-2*time.Hour), time.Now(), time.UTC)
				if len(r.Errors) != 1 || r.Errors[0].Code != "jamf_unavailable" || down.Code != "jamf_unavailable" {
					t.Errorf("errors %+v, last of the heartbeats %s: the evidence names another thing than the 503", r.Errors, down.Code)
				}
				if len(r.Outages) != 1 || !r.Outages[0].Ended || r.Outages[0].Seconds < 3500 || r.Outages[0].Seconds > 3960 {
					t.Errorf("outages %+v", r.Outages)
				}
			})
		})
	}
}

func TestAHeartbeatThatFindsJamfBackBringsTheRetryForward(t *testing.T) {
	j := &sickJamf{state: "down"}
	beating(t, j, nil, func(s *Syncer, _ string) {
		time.Sleep(60 * time.Minute) // the third retry has failed at once, the next is an hour away
		before := s.Status()[0].Kinds[0]
		if before.LastResult != "failed" || time.Until(before.NextSync) < 20*time.Minute {
			t.Fatalf("%+v, next in %s", before, time.Until(before.NextSync))
		}
		j.become("")
		time.Sleep(7 * time.Minute)
		for _, k := range s.Status()[0].Kinds {
			if k.LastAttempt.Before(time.Now().Add(-7*time.Minute)) || k.State == "stale" {
				t.Errorf("%s was not tried again: %+v", k.Kind, k)
			}
		}
	})
}

func TestWhatJamfNoLongerGrantsShowsAfterAHeartbeatAndMakesNoDataStale(t *testing.T) {
	j := &sickJamf{}
	beating(t, j, onlyBeats, func(s *Syncer, dir string) {
		time.Sleep(6 * time.Minute)
		if st := s.Status()[0]; len(st.Rights) != 2 || st.CredentialsRefused {
			t.Fatalf("%+v", st)
		}
		failed := s.Status()[0].Kinds
		j.become("no computers")
		time.Sleep(12 * time.Minute)
		st := s.Status()[0]
		if !slices.Equal(st.Rights, []string{jamf.ReadMobileDevices}) || st.Heartbeat.State != availability.Up || st.Heartbeat.Code != "right_missing" {
			t.Errorf("rights %v, heartbeat %+v", st.Rights, st.Heartbeat)
		}
		j.become("refused")
		time.Sleep(30 * time.Minute)
		st = s.Status()[0]
		if !st.CredentialsRefused || st.Heartbeat.Code != "auth_failed" || !st.Heartbeat.DownSince.IsZero() {
			t.Errorf("%+v", st)
		}
		if n := len(j.seen()); n > 12 {
			t.Errorf("refused credentials were tried %d times in half an hour", n)
		}
		for i, k := range st.Kinds {
			if k.State != failed[i].State || k.Reason != failed[i].Reason {
				t.Errorf("a heartbeat changed the state of the data: %+v, before %+v", k, failed[i])
			}
		}
		j.become("")
		time.Sleep(20 * time.Minute)
		if st = s.Status()[0]; st.CredentialsRefused || len(st.Rights) != 2 {
			t.Errorf("%+v", st)
		}
		for _, e := range history(t, dir) {
			if e.State == availability.Down {
				t.Errorf("a refusal counts as an outage: %+v", e)
			}
		}
	})
}

func TestADisabledSourceAndOneWithoutHeartbeatAreNotAsked(t *testing.T) {
	for name, fit := range map[string]func(*Source){
		"disabled": func(s *Source) { s.Disabled = true },
		"off":      func(s *Source) { onlyBeats(s); s.Heartbeat = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			j := &sickJamf{}
			beating(t, j, fit, func(s *Syncer, dir string) {
				time.Sleep(time.Hour)
				if n := len(j.seen()); n != 0 {
					t.Errorf("%d calls", n)
				}
				if st := s.Status()[0].Heartbeat; st.Every != 0 || len(history(t, dir)) != 0 {
					t.Errorf("%+v", st)
				}
			})
		})
	}
}
