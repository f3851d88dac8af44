package cache_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// gather reads all metrics: name, then its attributes in order -> value.
func gather(t *testing.T, reader *metric.ManualReader) map[string]float64 {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &data); err != nil {
		t.Fatal(err)
	}
	all := make(map[string]float64)
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch points := m.Data.(type) {
			case metricdata.Sum[int64]:
				if !strings.HasSuffix(m.Name, "_total") {
					t.Errorf("counter %s does not end in _total", m.Name)
				}
				addPoints(all, m.Name, points.DataPoints)
			case metricdata.Gauge[int64]:
				addPoints(all, m.Name, points.DataPoints)
			case metricdata.Gauge[float64]:
				addPoints(all, m.Name, points.DataPoints)
			default:
				t.Errorf("%s is a %T", m.Name, points)
			}
		}
	}
	return all
}

func addPoints[N int64 | float64](all map[string]float64, name string, points []metricdata.DataPoint[N]) {
	for _, p := range points {
		key := name
		for _, a := range p.Attributes.ToSlice() {
			key += " " + a.Value.AsString()
		}
		all[key] = float64(p.Value)
	}
}

func TestMetricsTellWhatRistrettoLosesAndWhatIsKept(t *testing.T) {
	ctx := context.Background()
	reader := metric.NewManualReader()
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	o := options(t.TempDir())
	o.MaxBytes = 256 << 10
	o.MeterProvider = provider
	s := openStore(t, o)
	publish(t, s, computers, fleet(600, 1))
	publish(t, s, computers, fleet(601, 2))
	g := acquire(t, s, computers)
	n, err := s.Warm(ctx, g, []*device.Profile{profile(t, "full")})
	if err != nil {
		t.Fatal(err)
	}
	answer(t, s, cache.Key{Query: "a"}, fixed("x"))
	answer(t, s, cache.Key{Query: "a"}, fixed("x"))
	answer(t, s, cache.Key{Query: "a"}, fixed("x"))
	answer(t, s, cache.Key{Query: "b"}, fixed("x"))
	got := gather(t, reader)
	want := map[string]float64{
		"cache_hits_total answer": 2, "cache_misses_total answer": 2, "cache_hit_ratio answer": 0.5,
		"cache_hits_total device": 0, "cache_misses_total device": 0,
		"cache_max_bytes": 256 << 10, "cache_sets_dropped_total": 0, "generation_open_errors_total": 0, "generation_read_errors_total": 0,
		"cache_warmed_devices computer school-a": float64(n), "cache_warmed_bytes computer school-a": float64(s.WarmedBytes(computers)),
		"generations_kept computer school-a": 2, "generation_current computer school-a": 2, "generation_devices computer school-a": 601,
	}
	for name, value := range want {
		if diff := cmp.Diff(value, got[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got["cache_bytes"] < 100_000 || got["generation_file_bytes computer school-a"] < 100_000 {
		t.Errorf("cache_bytes %v, generation_file_bytes %v", got["cache_bytes"], got["generation_file_bytes computer school-a"])
	}
	for i := range 3000 { // more than fits
		answer(t, s, cache.Key{Query: string(rune(i + 256))}, fixed(strings.Repeat("y", 500)))
	}
	full := gather(t, reader)
	if full["cache_evicted_total"] == 0 {
		t.Error("nothing was evicted")
	}
	s.Flush()
	empty := gather(t, reader)
	for _, name := range []string{"cache_evicted_total", "cache_sets_rejected_total", "cache_hits_total answer"} {
		if empty[name] < full[name] {
			t.Errorf("%s went back from %v to %v", name, full[name], empty[name])
		}
	}
	if empty["cache_bytes"] != 0 {
		t.Errorf("cache_bytes is %v after a flush", empty["cache_bytes"])
	}
	closeStore(t, s)
	if after := gather(t, reader); len(after) != 0 {
		t.Errorf("a closed store still tells %v", after)
	}
}

func TestOpenErrorsAreCounted(t *testing.T) {
	dir := damaged(t, func(t *testing.T, dir string) { remove(t, generationFile(dir, computers, 2)) })
	reader := metric.NewManualReader()
	o := options(dir)
	o.MeterProvider = metric.NewMeterProvider(metric.WithReader(reader))
	openStore(t, o)
	got := gather(t, reader)
	if got["generation_open_errors_total"] != 1 || got["generation_current computer school-a"] != 1 {
		t.Errorf("open errors %v, current %v", got["generation_open_errors_total"], got["generation_current computer school-a"])
	}
}
