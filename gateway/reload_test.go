package gateway_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway"
	"jamf-gateway/gateway/device"
)

// TestReloadGoesOverToOtherSettingsOrChangesNothing holds what a reload refuses and what it does, on one running gateway.
func TestReloadGoesOverToOtherSettingsOrChangesNothing(t *testing.T) {
	t.Parallel()
	q := series("a", device.Computer)
	c := storedBy(t, device.MappingVersion, record, q, series("b", device.Computer))
	c.Listen = "127.0.0.1:0"
	for i := range c.Sources {
		c.Sources[i].Profile, c.Sources[i].Disabled = "full", true
	}
	g := open(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := g.Listen(ctx); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	token := func(id, secret string) int {
		form := url.Values{"client_id": {id}, "client_secret": {secret}, "grant_type": {"client_credentials"}}
		rq, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+g.PublicAddr()+"/oauth/token", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		rq.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		rs, err := client.Do(rq)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, rs.Body)
		_ = rs.Body.Close()
		return rs.StatusCode
	}
	changed := func(change func(*config.Config)) *config.Config {
		next := *c
		next.Sources, next.Clients = slices.Clone(c.Sources), slices.Clone(c.Clients)
		next.Clients = append(next.Clients, config.Client{ID: "y", Secrets: [][32]byte{sha256.Sum256([]byte("y"))}})
		change(&next)
		return &next
	}

	_, err := g.Reload(ctx, "test", changed(func(next *config.Config) { next.Sources = next.Sources[:1] }))
	if !errors.Is(err, gateway.ErrSourceMissing) || !strings.Contains(err.Error(), "sources: b ") {
		t.Errorf("settings without a source: %v", err)
	}
	_, err = g.Reload(ctx, "test", changed(func(next *config.Config) { next.Clients[0].View.Prefixes = []string{"no such name"} }))
	if guard, ok := errors.AsType[*gateway.GuardError](err); !ok || guard.Digest == "" || guard.Findings[0].Count != 3 {
		t.Errorf("a filter that leaves nothing: %v", err)
	}
	_, err = g.Reload(ctx, "test", changed(func(next *config.Config) { next.Sources[0].Profile = "no such profile" }))
	if err == nil {
		t.Error("an unknown profile is taken")
	}
	if status := token("y", "y"); status != http.StatusUnauthorized {
		t.Errorf("a client of refused settings gets %d", status)
	}
	if info, _ := kept(t, g, c, q); info.ProfileName != "full" {
		t.Errorf("refused settings cut the data to %s", info.ProfileName)
	}

	plan, err := g.Reload(ctx, "test", changed(func(next *config.Config) {
		next.Sources[0].Profile, next.Listen = "minimal", "127.0.0.1:1"
		added := next.Sources[1]
		added.Name = "c"
		next.Sources = append(next.Sources, added)
	}))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(plan.Added, []string{"c"}) || !slices.Equal(plan.Changed, []string{"a"}) || !slices.Equal(plan.Restart, []string{"listen"}) {
		t.Errorf("the plan is %+v", plan)
	}
	if status := token("y", "y"); status != http.StatusOK {
		t.Errorf("the added client gets %d", status)
	}
	if info, files := kept(t, g, c, q); info.ProfileName != "minimal" || files != 1 {
		t.Errorf("the data is cut to %s, in %d files", info.ProfileName, files)
	}
	if info, _ := kept(t, g, c, cache.Series{Source: "b", Kind: device.Computer}); info.ProfileName != "full" {
		t.Errorf("the data of the source that did not change is cut to %s", info.ProfileName)
	}
	if names := g.Status(); len(names) != 3 || names[2].Source != "c" {
		t.Errorf("the sources are %+v", names)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
