package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/report"
)

// What the disk does not take of the history is written when it works again, in its order and with its time, and an operator knows meanwhile.
func TestPoliciesThatTheDiskDidNotTakeAreWrittenWithinTheHour(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var full atomic.Bool
		disk := &cache.Disk{Fail: func(op cache.Op, _ string) error {
			if full.Load() {
				return fmt.Errorf("%s: %w", op, syscall.ENOSPC)
			}
			return nil
		}}
		g := &Gateway{o: Options{Config: &config.Config{DataDir: dir}, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}}
		g.calendar = newCalendar(dir, &cache.Disk{}, time.Now, g.o.Logger)
		g.fit.Store(&outfit{config: g.o.Config})
		g.purger = newPurger(g, nil)
		g.policies = &policyHistory{disk: disk, dataDir: dir, log: g.o.Logger}
		ctx, end := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- g.tidy(ctx) }()

		policy := func(name string) report.Policy {
			return report.Policy{Sources: []report.KeptPolicy{{Source: name, Kind: device.Computer, Fields: []string{"id"}}}, Clients: []report.ClientPolicy{}}
		}
		var want []string
		for i, name := range []string{"a", "b", "c"} {
			full.Store(i > 0)
			g.policies.begin(ctx, policy(name), time.Now())
			want = append(want, policy(name).Digest()+" "+time.Now().UTC().Format(time.RFC3339))
			time.Sleep(5 * time.Minute)
		}
		said := fmt.Sprint(g.warnings())
		if since := time.Now().Add(-10 * time.Minute).UTC().Format(time.RFC3339); len(g.warnings()) != 1 || strings.Count(said, since) != 2 || !strings.Contains(said, "no space left") {
			t.Errorf("an operator is told %s", said)
		}
		time.Sleep(3 * time.Hour)
		if len(g.warnings()) != 1 {
			t.Errorf("hours later an operator is told %v", g.warnings())
		}
		full.Store(false)
		time.Sleep(time.Hour)
		if got := g.warnings(); len(got) != 0 {
			t.Errorf("when all is written: %v", got)
		}
		h, err := report.ReadHistory(dir)
		var got []string
		for _, e := range h.Entries {
			got = append(got, e.Digest+" "+e.Since.Format(time.RFC3339))
		}
		if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%v; the history is\n%s\nwant\n%s", err, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestWhatWaitsOfPoliciesIsBounded(t *testing.T) {
	h := &policyHistory{disk: &cache.Disk{Fail: func(cache.Op, string) error { return syscall.ENOSPC }}, dataDir: t.TempDir(), log: slog.New(slog.DiscardHandler)}
	for n := range mostUnwritten + 3 {
		h.begin(t.Context(), report.Policy{Sources: []report.KeptPolicy{{Source: fmt.Sprint(n)}}}, time.Now())
	}
	if len(h.waiting) != mostUnwritten || h.waiting[0].policy.Sources[0].Source != "3" {
		t.Errorf("%d wait, from %+v on", len(h.waiting), h.waiting[0])
	}
}

// The history may be long, and most reloads change no policy: it is read for another one alone.
func TestThePolicyThatIsInForceIsNotLookedUpAgain(t *testing.T) {
	dir := t.TempDir()
	h := &policyHistory{disk: &cache.Disk{}, dataDir: dir, log: slog.New(slog.DiscardHandler)}
	for i, name := range []string{"a", "a", "b"} {
		h.begin(t.Context(), report.Policy{Sources: []report.KeptPolicy{{Source: name, Kind: device.Computer}}}, time.Now())
		files, err := os.ReadDir(dir)
		if wrote := len(files) > 0; err != nil || wrote != (i != 1) {
			t.Errorf("policy %d: %v %v", i, files, err)
		}
		for _, f := range files { // whoever looks sees that none is in force
			if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
}
