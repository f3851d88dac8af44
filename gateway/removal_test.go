package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/config"
	"jamf-gateway/gateway"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// file is a settings file that says what a test says.
type file struct{ settings *config.Config }

func (f *file) Read(ctx context.Context, _ string, take func(context.Context, *config.Config) (gateway.Plan, error)) (gateway.Plan, error) {
	return take(ctx, f.settings)
}

func (f *file) Try(ctx context.Context, why string, take func(context.Context, *config.Config) (gateway.Plan, error)) (gateway.Plan, error) {
	return f.Read(ctx, why, take)
}

func (f *file) Refused() *gateway.Refused { return nil }

// reader asks a running gateway as a client.
type reader struct {
	t     *testing.T
	base  string
	token string
	host  string // that is asked for; "" = that of base
	http  *http.Client
}

func readerOf(t *testing.T, g *gateway.Gateway, id, secret string) *reader {
	t.Helper()
	r := &reader{t: t, base: "http://" + g.PublicAddr(), http: &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}}
	t.Cleanup(r.http.CloseIdleConnections)
	form := url.Values{"client_id": {id}, "client_secret": {secret}, "grant_type": {"client_credentials"}}
	var answer struct {
		Token string `json:"access_token"`
	}
	status, body, err := r.do(http.MethodPost, "/oauth/token", form.Encode())
	if err != nil || status != http.StatusOK || json.Unmarshal([]byte(body), &answer) != nil {
		t.Fatalf("a token of %s: %d %s %v", id, status, body, err)
	}
	r.token = answer.Token
	return r
}

func (r *reader) do(method, path, form string) (status int, body string, err error) {
	rq, err := http.NewRequestWithContext(context.Background(), method, r.base+path, strings.NewReader(form))
	if err != nil {
		return 0, "", err
	}
	rq.Host = r.host
	if form != "" {
		rq.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if r.token != "" {
		rq.Header.Set("Authorization", "Bearer "+r.token)
	}
	rs, err := r.http.Do(rq)
	if err != nil {
		return 0, "", err
	}
	raw, err := io.ReadAll(rs.Body)
	_ = rs.Body.Close()
	return rs.StatusCode, string(raw), err
}

func (r *reader) want(path string, status int, words string) {
	r.t.Helper()
	if got, body, err := r.do(http.MethodGet, path, ""); err != nil || got != status || !strings.Contains(body, words) {
		r.t.Errorf("%s: %d, want %d and %q: %.300s %v", path, got, status, words, body, err)
	}
}

// without is c in which a source does not stand any more, and no client names it.
func without(c *config.Config, source string) *config.Config {
	return but(c, func(next *config.Config) {
		next.Sources = slices.DeleteFunc(next.Sources, func(s config.Source) bool { return s.Name == source })
		for i := range next.Clients {
			next.Clients[i].Sources = slices.DeleteFunc(slices.Clone(next.Clients[i].Sources), func(name string) bool { return name == source })
		}
	})
}

// wantRefused holds why a removal is refused, in both languages, and that nothing came of it.
func wantRefused(t *testing.T, g *gateway.Gateway, source, outcome, en, de string) {
	t.Helper()
	_, err := g.Remove(t.Context(), source)
	refused, ok := errors.AsType[*server.SettingsError](err)
	if !ok || refused.Outcome != outcome || !strings.Contains(refused.Why.EN, en) || !strings.Contains(refused.Why.DE, de) {
		t.Errorf("the removal of %s: %+v", source, err)
	}
	if n := len(g.Status()); n != 2 {
		t.Errorf("after a refused removal there are %d sources", n)
	}
}

// TestASourceLeavesARunningGatewayByItsName alone: what a reload refuses, the act of an operator does, once, and for that source.
func TestASourceLeavesARunningGatewayByItsName(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	c.Sources[0].Default = true
	c.Clients[1].Sources = []string{"a", "b"}
	f := &file{c}
	g, ctx := runningWith(t, gateway.Options{Config: c, Follower: f})
	y := readerOf(t, g, "y", "y")
	y.want("/jamf/b/api/v1/computers-inventory", http.StatusOK, `"totalCount":3`)

	if _, err := g.Remove(ctx, "c"); !errors.Is(err, server.ErrUnknownSource) {
		t.Errorf("the removal of a source that is not there: %v", err)
	}
	wantRefused(t, g, "b", "refused", "b still stands in the settings file", "steht noch in der Einstellungsdatei")
	f.settings = but(without(without(c, "a"), "b"), func(next *config.Config) {
		next.Sources = []config.Source{c.Sources[0]}
		next.Sources[0].Name, next.Clients[1].Sources = "c", nil
	})
	wantRefused(t, g, "b", "source_missing", "beside b, a is not in the settings any more", "eine Quelle nach der anderen")
	f.settings = but(without(c, "b"), func(next *config.Config) { next.Clients[0].View.Prefixes = []string{"no such name"} })
	wantRefused(t, g, "b", "guarded", "view of client x", "Sicht des Clients x, empty: 3 von 3 Geräten")

	next := without(c, "b")
	_, err := g.Reload(ctx, "test", next)
	if !errors.Is(err, gateway.ErrSourceMissing) || !strings.Contains(err.Error(), "jamf-gateway source remove b") {
		t.Errorf("a refused removal allows a reload: %v", err)
	}
	f.settings = next
	gone, err := g.Remove(ctx, "b")
	want := server.Removed{Devices: 3, Clients: []string{"x", "y"}, Taken: server.Taken{Added: []string{}, Changed: []string{}, Restart: []string{}}}
	if diff := cmp.Diff(want, gone); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
	if s := g.Status(); len(s) != 1 || s[0].Source != "a" {
		t.Errorf("the sources are %+v", s)
	}
	y.want("/jamf/b/api/v1/computers-inventory", http.StatusUnauthorized, "INVALID_TOKEN") // as at a Jamf that is not the client's
	y.want("/jamf/b/api/v1/auth", http.StatusUnauthorized, "INVALID_TOKEN")
	y.want("/v1/devices?source=b", http.StatusNotFound, "unknown_source")
	y.want("/v1/devices/b:computer:1", http.StatusNotFound, "unknown_device")
	y.want("/v1/sources/b", http.StatusNotFound, "unknown_source")
	y.want("/v1/devices", http.StatusOK, `"uid":"a:computer:3"`)
	y.want("/api/v1/computers-inventory", http.StatusOK, `"totalCount":3`)
	if info, files := kept(t, g, c, series("b", device.Computer)); info.Count != 3 || files != 1 {
		t.Errorf("%d devices in %d files are left of it", info.Count, files)
	}
	if _, err := g.Remove(ctx, "b"); !errors.Is(err, server.ErrUnknownSource) {
		t.Errorf("the removal once more: %v", err)
	}
	if plan, err := g.Reload(ctx, "test", c); err != nil || !slices.Equal(plan.Added, []string{"b"}) {
		t.Errorf("the source comes back: %+v %v", plan, err)
	}
	y.want("/jamf/b/api/v1/computers-inventory", http.StatusOK, `"totalCount":3`)
	if _, err := g.Reload(ctx, "test", next); !errors.Is(err, gateway.ErrSourceMissing) {
		t.Errorf("the removal allows one more: %v", err)
	}
}

// A gateway that was not started from a file has none to read.
func TestASourceOfADemoIsNotRemoved(t *testing.T) {
	t.Parallel()
	g, _ := running(t, quiet(t))
	wantRefused(t, g, "b", "refused", "was not started from a settings file", "nicht aus einer Einstellungsdatei")
}

// TestTheAddressOfARemovedSourceIsNobodys: no other source answers where a client still asks.
func TestTheAddressOfARemovedSourceIsNobodys(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	c.Sources[0].Default, c.Sources[1].Hosts = true, []string{"b.example"}
	f := &file{without(c, "b")}
	g, ctx := runningWith(t, gateway.Options{Config: c, Follower: f})
	x := readerOf(t, g, "x", "s")
	x.host = "b.example"
	x.want("/api/v1/computers-inventory", http.StatusOK, `"totalCount":3`)
	wantRefused(t, g, "b", "refused", "its address b.example would be answered by a", "unter ihrer Adresse b.example die Quelle a antworten")
	f.settings = but(f.settings, func(next *config.Config) { next.Sources[0].Hosts = []string{"a.example"} })
	if gone, err := g.Remove(ctx, "b"); err != nil || len(gone.Restart) > 0 {
		t.Errorf("a source that stays has an address of its own: %+v %v", gone, err)
	}
	x.want("/api/v1/computers-inventory", http.StatusMisdirectedRequest, "misdirected")
}

func TestTheRootOfARemovedSourceIsNobodysUntilARestart(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	c.Sources[1].Default = true
	f := &file{but(without(c, "b"), func(next *config.Config) { next.Sources[0].Default = true })} // as the only one is
	g, ctx := runningWith(t, gateway.Options{Config: c, Follower: f})
	x := readerOf(t, g, "x", "s")
	x.want("/api/v1/computers-inventory", http.StatusOK, `"totalCount":3`)
	if gone, err := g.Remove(ctx, "b"); err != nil || !slices.Equal(gone.Restart, []string{"sources.a.default"}) {
		t.Errorf("%+v %v", gone, err)
	}
	x.want("/api/v1/computers-inventory", http.StatusNotFound, "not_found")
	x.want("/jamf/a/api/v1/computers-inventory", http.StatusOK, `"totalCount":3`)
}

// TestTheWalkOfARemovedSourceIsEnded: the removal waits for it, and not for Jamf, which is asked for no token for it either.
func TestTheWalkOfARemovedSourceIsEnded(t *testing.T) {
	t.Parallel()
	for name, tokens := range map[string]bool{"reading a page": true, "fetching a token": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begun, ended := make(chan struct{}, 100), make(chan struct{}, 100)
			jamf := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if r.Method == http.MethodPost && tokens {
					w.Header().Set("Content-Type", "application/json")
					_, _ = io.WriteString(w, `{"access_token":"t","expires_in":3600,"token_type":"Bearer"}`)
					return
				}
				begun <- struct{}{}
				<-r.Context().Done()
				ended <- struct{}{}
			}))
			t.Cleanup(jamf.Close)
			c := quiet(t)
			c.Sources[1].Disabled, c.Sources[1].URL = false, jamf.URL+"/api"
			f := &file{without(c, "b")}
			g, ctx := runningWith(t, gateway.Options{Config: c, Follower: f})
			<-begun
			asked := time.Now()
			if _, err := g.Remove(ctx, "b"); err != nil {
				t.Fatal(err)
			}
			<-ended
			if took := time.Since(asked); took > 20*time.Second { // Jamf has 30 s and more for each call
				t.Errorf("the call to Jamf ended after %v", took)
			}
			if s := g.Status(); len(s) != 1 {
				t.Errorf("the sources are %+v", s)
			}
		})
	}
}
