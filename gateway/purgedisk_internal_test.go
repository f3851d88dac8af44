package gateway

import (
	"fmt"
	"log/slog"
	"slices"
	"syscall"
	"testing"

	"jamf-gateway/cache"
	"jamf-gateway/config"
)

// Whichever operation of writing down what is to be purged fails, for once: it is told, what was due stays due, a start reads the list of before
// or of now, whole, and the same act works afterwards.
func TestNoFailingWriteLosesAPurge(t *testing.T) {
	t.Parallel()
	a, b := purge{Source: "a", By: "erika"}, purge{Source: "b", By: "erika"}
	for name, tt := range map[string]struct{ before, now []purge }{
		"the first": {nil, []purge{a}}, "another one": {[]purge{a}, []purge{a, b}}, "one is done": {[]purge{a, b}, []purge{b}}, "all are done": {[]purge{a}, nil},
	} {
		for n, more := 1, true; more; n++ {
			left := 0 // it works
			disk := &cache.Disk{Fail: func(op cache.Op, _ string) error {
				if left--; left == 0 {
					return fmt.Errorf("%s: %w", op, syscall.ENOSPC)
				}
				return nil
			}}
			dir := t.TempDir()
			store, err := cache.Open(t.Context(), cache.Options{Dir: dir, MaxBytes: 1 << 20, Keep: 3, Disk: disk})
			if err != nil {
				t.Fatal(err)
			}
			start := func() *purger {
				t.Helper()
				p := newPurger(&Gateway{store: store, o: Options{Config: &config.Config{DataDir: dir}, Logger: slog.New(slog.DiscardHandler)}}, nil)
				if err := p.open(); err != nil {
					t.Errorf("%s, operation %d: a start: %v", name, n, err)
				}
				return p
			}
			p := start()
			if err := p.write(tt.before); err != nil {
				t.Fatal(err)
			}
			left = n
			err = p.write(tt.now)
			more = left <= 0
			left = 0
			if want := tt.before; (err != nil) != more || more && !slices.Equal(p.pending, want) {
				t.Errorf("%s, operation %d: %v, due is %v", name, n, err, p.pending)
			}
			if due := start().pending; !slices.Equal(due, tt.now) && (!more || !slices.Equal(due, tt.before)) {
				t.Errorf("%s, operation %d: after a start due is %v", name, n, due)
			}
			if err := p.write(tt.now); err != nil || !slices.Equal(start().pending, tt.now) {
				t.Errorf("%s, operation %d: again: %v, due is %v", name, n, err, start().pending)
			}
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
