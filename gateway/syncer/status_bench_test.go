package syncer_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/syncer"
)

// Every request asks for the state of all sources.
func BenchmarkStatusOf300Sources(b *testing.B) {
	dir := b.TempDir()
	store, err := cache.Open(b.Context(), cache.Options{Dir: dir, MaxBytes: 1 << 20, Keep: 3})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	profile, _ := device.BuiltinProfile("minimal")
	o := syncer.Options{Store: store, Dir: filepath.Join(dir, ".schedule"), DataDir: dir}
	for i := range 300 {
		o.Sources = append(o.Sources, syncer.Source{
			Name: fmt.Sprintf("school-%d", i), Kinds: []device.Kind{device.Computer, device.Mobile}, Profile: profile, Interval: 24 * time.Hour, Heartbeat: 5 * time.Minute,
		})
	}
	s, err := syncer.New(o)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if n := len(s.Status()); n != 300 {
			b.Fatalf("%d sources", n)
		}
	}
}
