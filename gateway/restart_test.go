package gateway_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway"
	"jamf-gateway/gateway/audit"
)

// TestAStartThatTakesDevicesFromAClientSaysSo in log, audit and status, once: at the next start nothing more is lost.
func TestAStartThatTakesDevicesFromAClientSaysSo(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	c.Audit = config.Audit{Dir: filepath.Join(t.TempDir(), "audit"), Keep: 24 * time.Hour}
	start := func(c *config.Config) (warnings, log string) {
		t.Helper()
		var logs bytes.Buffer
		g, err := gateway.New(context.Background(), gateway.Options{Config: c, StartJitter: -1, Logger: slog.New(slog.NewTextHandler(&logs, nil))})
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range g.WeighStart(t.Context()) {
			warnings += w.EN + "\n" + w.DE + "\n"
		}
		g.Audit().Flush(true)
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
		return warnings, logs.String()
	}
	if warnings, log := start(c); warnings != "" || strings.Contains(log, "start with other settings") {
		t.Fatalf("the first start: %s%s", warnings, log)
	}
	for name, change := range map[string]func(*config.Config){
		"kinds of a source":   func(next *config.Config) { next.Sources[0].Kinds = []string{"mobile"} },
		"sources of a client": func(next *config.Config) { next.Clients[0].Sources = []string{"b"} },
		"kinds of a client":   func(next *config.Config) { next.Clients[0].Kinds = []string{"mobile"} },
		"filter of a client":  func(next *config.Config) { next.Clients[0].View.Prefixes = []string{"no such name"} },
	} {
		next := but(c, change)
		warnings, log := start(next)
		if !strings.Contains(warnings, "since the start with other settings client x is shown 3 of 3 devices (computer) of a no more") ||
			!strings.Contains(warnings, "dem Client x von a (computer) 3 von 3 Geräten nicht mehr") || !strings.Contains(log, "level=ERROR msg=\"since the start") {
			t.Errorf("%s: %s%s", name, warnings, log)
		}
		if warnings, _ := start(next); warnings != "" {
			t.Errorf("%s, the start after it: %s", name, warnings)
		}
		if warnings, _ := start(c); warnings != "" {
			t.Errorf("%s, and back: %s", name, warnings)
		}
	}
	next := but(c, func(next *config.Config) { next.Sources = next.Sources[:1] })
	warnings, log := start(next)
	if !strings.Contains(warnings, "since the start with other settings source b is gone: 3 devices are served no more, clients that were shown them: x, y") ||
		!strings.Contains(warnings, "fehlt die Quelle b: 3 Geräte") || !strings.Contains(log, "level=ERROR msg=\"since the start") {
		t.Errorf("a source that is gone: %s%s", warnings, log)
	}
	if warnings, _ := start(next); warnings != "" {
		t.Errorf("a source that is gone, the start after it: %s", warnings)
	}
	if warnings, _ := start(c); warnings != "" {
		t.Errorf("a source that comes back: %s", warnings)
	}
	if warnings, _ := start(but(c, func(next *config.Config) { next.Clients = next.Clients[:1] })); warnings != "" {
		t.Errorf("a client as a whole: %s", warnings)
	}
	noted := 0
	if err := audit.Lines(c.Audit.Dir, time.Time{}, func(e audit.Entry, _ []byte) {
		if e.Event == "settings.start" && e.Outcome == "guarded" && e.Target == "x" {
			noted++
		}
	}); err != nil || noted < 4 {
		t.Errorf("the audit has %d lines, %v", noted, err)
	}
	if err := os.WriteFile(filepath.Join(c.DataDir, ".views.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if warnings, log := start(c); warnings != "" || !strings.Contains(log, "cannot be read") {
		t.Errorf("a damaged file: %s%s", warnings, log)
	}
}
