package gateway_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway"
	"jamf-gateway/gateway/device"
)

// lettered are three computers of a source that is not read, with the names a1, b2 and b3.
func lettered(t *testing.T) *config.Config {
	t.Helper()
	c := storedBy(t, device.MappingVersion, func(_ cache.Series, id int64) string {
		return fmt.Sprintf(`{"id":"%d","udid":"U%d","general":{"name":"%c%d"}}`, id, id, "-abb"[id], id)
	}, series("a", device.Computer))
	for i := range c.Sources {
		c.Sources[i].Profile, c.Sources[i].Disabled, c.Sources[i].Guard = "full", true, config.DefaultGuard()
	}
	return c
}

// named is c with a client that is shown what begins so.
func named(c *config.Config, prefixes ...string) *config.Config {
	return but(c, func(next *config.Config) { next.Clients[0].View.Prefixes = prefixes })
}

// starts a gateway as far as it weighs what clients lose by it.
func starts(t *testing.T, c *config.Config) (warnings, log string) {
	t.Helper()
	var logs bytes.Buffer
	g, err := gateway.New(context.Background(), gateway.Options{Config: c, StartJitter: -1, Logger: slog.New(slog.NewTextHandler(&logs, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range g.WeighStart(t.Context()) {
		warnings += w.EN + "\n" + w.DE + "\n"
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	return warnings, logs.String()
}

// TestAStartKnowsWhatNobodyAsksForAnyMore: filters of before are still answered when it is told what clients lose by others.
func TestAStartKnowsWhatNobodyAsksForAnyMore(t *testing.T) {
	t.Parallel()
	c := lettered(t)
	if warnings, log := starts(t, named(c, "b", "a")); warnings != "" {
		t.Fatalf("the first start: %s%s", warnings, log)
	}
	warnings, log := starts(t, named(c, "x"))
	if !strings.Contains(warnings, "since the start with other settings client x is shown 3 of 3 devices (computer) of a no more") || strings.Contains(log, "cannot be told") {
		t.Errorf("%s%s", warnings, log)
	}
}

// TestAStartTellsByTheirNumberWhatClientsLost where what they were shown is not known any more.
func TestAStartTellsByTheirNumberWhatClientsLost(t *testing.T) {
	t.Parallel()
	c := lettered(t)
	for _, prefixes := range [][]string{nil, {"a", "b"}} {
		if warnings, log := starts(t, named(c, prefixes...)); warnings != "" {
			t.Fatalf("%q: %s%s", prefixes, warnings, log)
		}
	}
	if err := os.WriteFile(filepath.Join(c.DataDir, ".views.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	warnings, log := starts(t, named(c, "x"))
	if !strings.Contains(warnings, "since the start with other settings client x is shown 0 devices (computer) of a, before it were 3") ||
		!strings.Contains(warnings, "werden dem Client x von a (computer) 0 Geräte gezeigt, vorher waren es 3") || !strings.Contains(log, "cannot be read") {
		t.Errorf("%s%s", warnings, log)
	}
}

// TestReloadsOfAWeekAreAddedUp also where a filter comes and goes, and a restart is no reload.
func TestReloadsOfAWeekAreAddedUp(t *testing.T) {
	t.Parallel()
	c := lettered(t)
	g, ctx := running(t, c)
	for _, prefixes := range [][]string{{"a"}, nil} {
		if _, err := g.Reload(ctx, "test", named(c, prefixes...)); err != nil {
			t.Fatalf("%q: %v", prefixes, err)
		}
	}
	if _, err := g.Reload(ctx, "test", named(c, "a")); !guarded(err) || !strings.Contains(err.Error(), "view of client x, week: 4 of 3 devices, at most 3 are") {
		t.Errorf("the same two devices once more: %v", err)
	}

	c = lettered(t)
	for _, prefixes := range [][]string{nil, {"a"}, nil, {"a"}, nil} {
		if warnings, log := starts(t, named(c, prefixes...)); warnings != "" {
			t.Fatalf("%q: %s%s", prefixes, warnings, log)
		}
	}
	g, ctx = running(t, c)
	if _, err := g.Reload(ctx, "test", named(c, "a")); err != nil {
		t.Errorf("after restarts alone: %v", err)
	}
}

// TestDuplicatesThatAReloadLeavesOutCountForTheWeek as whatever else a reload takes from a client.
func TestDuplicatesThatAReloadLeavesOutCountForTheWeek(t *testing.T) {
	t.Parallel()
	c := storedBy(t, device.MappingVersion-1, func(_ cache.Series, id int64) string {
		return fmt.Sprintf(`{"id":"%d","udid":"U%d","general":{"name":"m"},"hardware":{"serialNumber":"0123456789"}}`, id, id)
	}, series("a", device.Computer))
	for i := range c.Sources {
		c.Sources[i].Profile, c.Sources[i].Disabled, c.Sources[i].Guard = "full", true, config.DefaultGuard()
	}
	newest := but(c, func(next *config.Config) { next.Clients[0].View.NewestDuplicate = true })
	g, ctx := running(t, c)
	for _, next := range []*config.Config{newest, c} {
		if _, err := g.Reload(ctx, "test", next); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := g.Reload(ctx, "test", newest); !guarded(err) || !strings.Contains(err.Error(), "view of client x, week: 4 of 3 devices") {
		t.Errorf("two of three once more: %v", err)
	}
}
