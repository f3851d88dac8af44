package usage_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
)

var update = flag.Bool("update", false, "write golden files")

func golden(t *testing.T, name string, v any) {
	t.Helper()
	file, got := filepath.Join("testdata", name), marshalled(t, v)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// aside is Options.Aside on a disk that works.
func aside(path string) (string, error) { return (&cache.Disk{}).SetAside(path) }

// contextUntil ends with the channel.
func contextUntil(t *testing.T, end <-chan struct{}) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-end
		cancel()
	}()
	return ctx
}
