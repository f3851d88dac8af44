package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway"
	"jamf-gateway/gateway/audit"
	"jamf-gateway/gateway/device"
)

// running is a gateway of these settings that runs until the test ends.
func running(t *testing.T, c *config.Config) (*gateway.Gateway, context.Context) {
	t.Helper()
	return runningWith(t, gateway.Options{Config: c})
}

func runningWith(t *testing.T, o gateway.Options) (*gateway.Gateway, context.Context) {
	t.Helper()
	o.Config.Listen, o.StartJitter = "127.0.0.1:0", -1
	g, err := gateway.New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	if err := g.Listen(ctx); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return g, ctx
}

// quiet is what is kept of two sources that are not read, with two clients.
func quiet(t *testing.T) *config.Config {
	t.Helper()
	c := storedBy(t, device.MappingVersion, record, series("a", device.Computer), series("b", device.Computer))
	c.Listen = "127.0.0.1:0"
	for i := range c.Sources {
		c.Sources[i].Profile, c.Sources[i].Disabled = "full", true
	}
	c.Clients = append(c.Clients, config.Client{ID: "y", Secrets: [][32]byte{config.HashSecret("y")}})
	return c
}

// but is c with a change.
func but(c *config.Config, change func(*config.Config)) *config.Config {
	next := *c
	next.Sources, next.Clients = slices.Clone(c.Sources), slices.Clone(c.Clients)
	change(&next)
	return &next
}

func guarded(err error) bool {
	_, ok := errors.AsType[*gateway.GuardError](err)
	return ok
}

// TestAReloadThatTakesASeriesFromAClientIsRefused whatever setting does it; that a client as a whole goes is written in the settings.
func TestAReloadThatTakesASeriesFromAClientIsRefused(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	g, ctx := running(t, c)
	for name, change := range map[string]func(*config.Config){
		"kinds of a source":   func(next *config.Config) { next.Sources[0].Kinds = []string{"mobile"} },
		"sources of a client": func(next *config.Config) { next.Clients[0].Sources = []string{"b"} },
		"kinds of a client":   func(next *config.Config) { next.Clients[0].Kinds = []string{"mobile"} },
		"filter of a client":  func(next *config.Config) { next.Clients[1].View.Prefixes = []string{"no such name"} },
	} {
		if _, err := g.Reload(ctx, "test", but(c, change)); !guarded(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*config.Config){
		"a kind that nobody was shown": func(next *config.Config) { next.Sources[0].Kinds = []string{"computer"} },
		"another profile":              func(next *config.Config) { next.Sources[1].Profile = "minimal" },
		"a client as a whole":          func(next *config.Config) { next.Clients = next.Clients[:1] },
	} {
		if _, err := g.Reload(ctx, "test", but(c, change)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := g.Reload(ctx, "test", c); err != nil {
			t.Errorf("%s, and back: %v", name, err)
		}
	}
}

// TestAReloadThatShowsOfManyDuplicatesTheNewestAloneIsRefused: machines that were cloned have one serial number, and all of them but one would be
// deleted devices to the client.
func TestAReloadThatShowsOfManyDuplicatesTheNewestAloneIsRefused(t *testing.T) {
	t.Parallel()
	clone := func(_ cache.Series, id int64) string {
		return fmt.Sprintf(`{"id":"%d","udid":"U%d","general":{"name":"m"},"hardware":{"serialNumber":"0123456789"}}`, id, id)
	}
	c := storedBy(t, device.MappingVersion-1, clone, series("a", device.Computer))
	for i := range c.Sources {
		c.Sources[i].Profile, c.Sources[i].Disabled = "full", true
	}
	g, ctx := running(t, c)
	_, err := g.Reload(ctx, "test", but(c, func(next *config.Config) { next.Clients[0].View.NewestDuplicate = true }))
	if guard, ok := errors.AsType[*gateway.GuardError](err); !ok || guard.Findings[0].Count != 2 || guard.Findings[0].Client != "x" {
		t.Errorf("two of three devices would go: %v", err)
	}
	newest := but(c, func(next *config.Config) {
		next.Clients[0].View.NewestDuplicate = true
		next.Sources[0].Guard.SmallCount, next.Sources[0].Guard.SmallPercent = 2, 100
	})
	for _, next := range []*config.Config{newest, newest, c} {
		if _, err := g.Reload(ctx, "test", next); err != nil {
			t.Errorf("no more than the guard lets go, the same again, all of them again: %v", err)
		}
	}
}

// TestAReloadThatCannotBeWeighedIsRefused: what a client would lose is not known while the store is in use, or of records that nobody can read.
func TestAReloadThatCannotBeWeighedIsRefused(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	g, ctx := running(t, c)
	fewer := but(c, func(next *config.Config) { next.Clients[0].View.Prefixes = []string{"no such name"} })
	info, _ := kept(t, g, c, series("a", device.Computer))
	b, err := g.Store().Begin(ctx, cache.Draft{
		Series: series("a", device.Computer), Parent: info.Number, SourceEpoch: info.SourceEpoch, MappingVersion: info.MappingVersion,
		ProfileName: info.ProfileName, ProfileDigest: info.ProfileDigest, ProfilePaths: info.ProfilePaths,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Reload(ctx, "test", fewer); !errors.Is(err, cache.ErrBusy) {
		t.Errorf("while a generation is being built: %v", err)
	}
	b.Abort()
	if _, err := g.Reload(ctx, "test", fewer); !guarded(err) {
		t.Errorf("afterwards: %v", err)
	}

	c = storedBy(t, device.MappingVersion, func(cache.Series, int64) string { return "no JSON" }, series("a", device.Computer))
	for i := range c.Sources {
		c.Sources[i].Profile, c.Sources[i].Disabled = "full", true
	}
	g, ctx = running(t, c)
	if _, err := g.Reload(ctx, "test", but(c, func(next *config.Config) { next.Clients[0].View.Prefixes = []string{"m"} })); !errors.Is(err, cache.ErrNoView) {
		t.Errorf("of records that do not say it: %v", err)
	}
}

// TestARefusedReloadEndsNoSync although the source that is read is changed by it.
func TestARefusedReloadEndsNoSync(t *testing.T) {
	t.Parallel()
	began, ended := make(chan struct{}, 8), make(chan struct{}, 8)
	jamf := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, rq *http.Request) {
		_, _ = io.Copy(io.Discard, rq.Body) // else nobody notices that the caller has gone
		began <- struct{}{}
		<-rq.Context().Done()
		ended <- struct{}{}
	}))
	t.Cleanup(jamf.Close)
	c := quiet(t)
	c.Sources[1].Disabled, c.Sources[1].URL = false, jamf.URL+"/api"
	g, ctx := running(t, c)
	select {
	case <-began:
	case <-ctx.Done():
		t.Fatal("no sync begins")
	}
	change := func(next *config.Config) { next.Sources[1].Sync.Interval = 2 * time.Hour }
	_, err := g.Reload(ctx, "test", but(c, func(next *config.Config) {
		change(next)
		next.Clients[0].Sources = []string{"b"}
	}))
	if !guarded(err) {
		t.Error(err)
	}
	for _, st := range g.Status() {
		if st.Source == "b" && !st.Kinds[0].Syncing {
			t.Error("the sync has ended")
		}
	}
	if len(began) > 0 || len(ended) > 0 {
		t.Errorf("%d calls began and %d ended by a refused reload", len(began), len(ended))
	}
}

// TestNoReloadAfterTheEndAndNoneOfACallerWhoLeft touches anything: the store is closed, or the program is about to end.
func TestNoReloadAfterTheEndAndNoneOfACallerWhoLeft(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	c.Listen = "127.0.0.1:0"
	g := open(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	more := but(c, func(next *config.Config) {
		next.Sources = append(next.Sources, next.Sources[1])
		next.Sources[2].Name = "c"
	})
	if _, err := g.Reload(ctx, "test", c); err != nil { // it waits until all runs
		t.Fatal(err)
	}
	left, leave := context.WithCancel(t.Context())
	leave()
	if _, err := g.Reload(left, "test", more); !errors.Is(err, context.Canceled) || len(g.Status()) != 2 {
		t.Errorf("a reload of a caller who left: %v, %d sources", err, len(g.Status()))
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := g.Reload(t.Context(), "test", more); !errors.Is(err, gateway.ErrEnded) || len(g.Status()) != 2 {
		t.Errorf("a reload after the end: %v, %d sources", err, len(g.Status()))
	}
}

// TestEveryReloadIsAudited with what came of it, and none is done that is not.
func TestEveryReloadIsAudited(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	c.Audit = config.Audit{Dir: filepath.Join(t.TempDir(), "audit"), Keep: 24 * time.Hour}
	c.Listen = "127.0.0.1:0"
	g := open(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	for _, change := range []func(*config.Config){
		func(*config.Config) {},
		func(next *config.Config) { next.Sources = next.Sources[:1] },
		func(next *config.Config) { next.Clients[0].Sources = []string{"b"} },
		func(next *config.Config) { next.Sources[0].Profile = "no such profile" },
	} {
		_, _ = g.Reload(ctx, "SIGHUP", but(c, change)) // the audit tells
	}
	for _, text := range []string{"a: s3cr3t-value\n\tb: s3cr3t-value\n", "listen: 127.0.0.1:8080\nsources:\n  - {name: a, url: s3cr3t-value}\n"} {
		_, err := config.Parse([]byte(text), "gateway.yaml", t.TempDir(), nil)
		g.Unread("SIGHUP", err)
	}
	_, err := config.Load("no such file", nil)
	g.Unread("SIGHUP", err)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	files, err := filepath.Glob(filepath.Join(c.Audit.Dir, "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var asked int
	var came, unread []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			if bytes.Contains(line, []byte("s3cr3t")) {
				t.Errorf("the audit holds what stands in settings: %s", line)
			}
			var e audit.Entry
			if err := json.Unmarshal(line, &e); err != nil {
				t.Fatal(err)
			}
			switch {
			case e.Event == "settings.reload" && (e.Outcome == "invalid" || e.Outcome == "unreadable"):
				unread = append(unread, e.Outcome+" "+e.Target)
			case e.Event != "settings.reload" || e.Target != "SIGHUP":
			case e.Outcome == audit.Asked:
				asked++
			default:
				came = append(came, e.Outcome)
			}
		}
	}
	if want := []string{"ok", "source_missing", "guarded", "refused"}; asked != 4 || !slices.Equal(came, want) {
		t.Errorf("asked for %d times, with the outcomes %q, want %q", asked, came, want)
	}
	slices.Sort(unread)
	if want := []string{"invalid SIGHUP, line 1", "invalid SIGHUP, line 2", "unreadable SIGHUP"}; !slices.Equal(unread, want) {
		t.Errorf("of settings that were none the audit says %q, want %q", unread, want)
	}
}

// TestAReloadThatCannotBeAuditedIsNotDone as any act of an operator.
func TestAReloadThatCannotBeAuditedIsNotDone(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	c.Audit = config.Audit{Dir: filepath.Join(t.TempDir(), "audit"), Keep: 24 * time.Hour}
	g, ctx := running(t, c)
	if err := os.RemoveAll(c.Audit.Dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.Audit.Dir, nil, 0o600); err != nil { // no directory any more
		t.Fatal(err)
	}
	_, err := g.Reload(ctx, "SIGHUP", but(c, func(next *config.Config) {
		next.Sources = append(next.Sources, next.Sources[1])
		next.Sources[2].Name = "c"
	}))
	if err == nil || !strings.Contains(err.Error(), "audit") || len(g.Status()) != 2 {
		t.Errorf("%v, and there are %d sources", err, len(g.Status()))
	}
}
