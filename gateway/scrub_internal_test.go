package gateway

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/cache"
)

func TestKeptFilesAreComparedOnceADay(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		store, err := cache.Open(t.Context(), cache.Options{Dir: dir, MaxBytes: 1 << 20, Keep: 3})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		var log strings.Builder
		g := &Gateway{store: store, o: Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- g.scrub(ctx) }()
		for days := range 3 {
			time.Sleep(24 * time.Hour)
			synctest.Wait()
			if n := strings.Count(log.String(), "kept files compared with their digests"); n != days+1 {
				t.Errorf("after %d days: %d times", days+1, n)
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
