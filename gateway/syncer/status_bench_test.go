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

// A request asks for the state of the sources that it is about: of one, as a rule.
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
	for name, asked := range map[string][]string{"all": nil, "one": {"school-150"}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if n := len(s.Status(asked...)); n != 300 && n != len(asked) {
					b.Fatalf("%d sources", n)
				}
			}
		})
	}
}
