package gateway

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/config"
)

func TestTheEndOfASecretIsLoggedAheadDailyAndWhenItComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedText
		hash := config.HashSecret("secret")
		ends := time.Now().Add(16 * 24 * time.Hour)
		c := &config.Config{Clients: []config.Client{{ID: "inventory360", Secrets: [][32]byte{hash}, Terms: map[[32]byte]config.SecretTerms{hash: {Expires: ends}}}}}
		g := &Gateway{o: Options{Now: time.Now, Logger: slog.New(slog.NewTextHandler(&out, nil))}}
		g.fit.Store(&outfit{config: c})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- g.watchExpiry(ctx) }()
		for _, step := range []struct {
			days        int
			soon, ended int
		}{{1, 0, 0}, {2, 2, 0}, {2, 4, 0}, {10, 14, 0}, {2, 14, 2}} {
			time.Sleep(time.Duration(step.days) * 24 * time.Hour)
			synctest.Wait()
			soon, ended := strings.Count(out.String(), "ends after"), strings.Count(out.String(), "has ended after")
			if soon != step.soon || ended != step.ended {
				t.Errorf("%v after the start: %d and %d lines, want %d and %d", time.Since(ends.Add(-16*24*time.Hour)), soon, ended, step.soon, step.ended)
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
