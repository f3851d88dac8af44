package cache_test

import (
	"testing"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// SQLite's file: URIs have no relative form; data_dir may be relative.
func TestRelativeDataDirectoryHoldsGenerations(t *testing.T) {
	t.Chdir(t.TempDir())
	s, err := cache.Open(t.Context(), cache.Options{Dir: "data", MaxBytes: 1 << 20, Keep: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	b, err := s.Begin(t.Context(), cache.Draft{Series: cache.Series{Source: "a", Kind: device.Computer}})
	if err != nil {
		t.Fatalf("begin below a relative directory: %v", err)
	}
	b.Abort()
}
