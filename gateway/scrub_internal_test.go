package gateway

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/cache"
)

// lockedText is a text that goroutines write.
type lockedText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestKeptFilesAreComparedOnceADay(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		store, err := cache.Open(t.Context(), cache.Options{Dir: dir, MaxBytes: 1 << 20, Keep: 3})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		var log lockedText
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
