package cache

import (
	"context"
	"fmt"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// counts are the store's own counters, and what makes them seen.
type counts struct {
	openErrors   atomic.Int64
	readErrors   atomic.Int64
	registration metric.Registration
}

func newCounts() *counts { return &counts{} }

// gauges are the instruments; all are observed from what is counted anyway.
type gauges struct {
	hits, misses, dropped, rejected, evicted, openErrors, readErrors         metric.Int64ObservableCounter
	bytes, maxBytes, kept, current, records, fileBytes, warmBytes, warmCount metric.Int64ObservableGauge
	ratio                                                                    metric.Float64ObservableGauge
}

// observe registers the metrics. Their attributes are configured names and kinds, never anything of a device.
func (c *counts) observe(provider metric.MeterProvider, s *Store) error {
	meter := provider.Meter("jamf-gateway/cache")
	var g gauges
	var all []metric.Observable
	var first error
	counter := func(to *metric.Int64ObservableCounter, name, what string) {
		made, err := meter.Int64ObservableCounter(name, metric.WithDescription(what))
		if err != nil && first == nil {
			first = err
		}
		*to, all = made, append(all, made)
	}
	gauge := func(to *metric.Int64ObservableGauge, name, unit, what string) {
		made, err := meter.Int64ObservableGauge(name, metric.WithDescription(what), metric.WithUnit(unit))
		if err != nil && first == nil {
			first = err
		}
		*to, all = made, append(all, made)
	}
	counter(&g.hits, "cache_hits_total", "Answers and devices that ristretto had.")
	counter(&g.misses, "cache_misses_total", "Answers and devices that were rendered from a generation.")
	counter(&g.dropped, "cache_sets_dropped_total", "Entries that ristretto dropped because its buffer was full.")
	counter(&g.rejected, "cache_sets_rejected_total", "Entries that ristretto did not find worth keeping.")
	counter(&g.evicted, "cache_evicted_total", "Entries that ristretto gave up for others.")
	gauge(&g.bytes, "cache_bytes", "By", "Bytes in ristretto.")
	gauge(&g.maxBytes, "cache_max_bytes", "By", "Byte budget of ristretto.")
	gauge(&g.warmBytes, "cache_warmed_bytes", "By", "Bytes that the last warming of a series put into ristretto.")
	gauge(&g.warmCount, "cache_warmed_devices", "", "Rendered devices that were readable after the last warming of a series.")
	gauge(&g.kept, "generations_kept", "", "Generations kept on disk.")
	gauge(&g.current, "generation_current", "", "Number of the generation that is served, 0 = none.")
	gauge(&g.records, "generation_devices", "", "Devices in the generation that is served.")
	gauge(&g.fileBytes, "generation_file_bytes", "By", "Bytes of the kept generation files.")
	counter(&g.openErrors, "generation_open_errors_total", "Generations that could not be served: missing, foreign or damaged.")
	counter(&g.readErrors, "generation_read_errors_total", "Reads that found a generation file damaged.")
	ratio, err := meter.Float64ObservableGauge("cache_hit_ratio", metric.WithDescription("Hits of all look-ups since the start."), metric.WithUnit("1"))
	if err != nil && first == nil {
		first = err
	}
	g.ratio, all = ratio, append(all, ratio)
	if first != nil {
		return fmt.Errorf("make cache metrics: %w", first)
	}
	registration, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		g.observeHot(o, s)
		for _, l := range s.allLines() {
			g.observeLine(o, s, l)
		}
		return nil
	}, all...)
	if err != nil {
		return fmt.Errorf("register cache metrics: %w", err)
	}
	c.registration = registration
	return nil
}

func (g *gauges) observeHot(o metric.Observer, s *Store) {
	h := s.hot
	for entry, lookups := range map[string]*lookups{"device": &h.devices, "answer": &h.answers, "selection": &h.selections, "passthrough": &h.passed} {
		of := metric.WithAttributes(attribute.String("cache.entry", entry))
		hits, misses := lookups.hits.Load(), lookups.misses.Load()
		o.ObserveInt64(g.hits, hits, of)
		o.ObserveInt64(g.misses, misses, of)
		if hits+misses > 0 {
			o.ObserveFloat64(g.ratio, float64(hits)/float64(hits+misses), of)
		}
	}
	lost := h.counts()
	o.ObserveInt64(g.dropped, lost.dropped)
	o.ObserveInt64(g.rejected, lost.rejected)
	o.ObserveInt64(g.evicted, lost.evicted)
	o.ObserveInt64(g.bytes, h.bytes())
	o.ObserveInt64(g.maxBytes, h.maxBytes)
	o.ObserveInt64(g.openErrors, s.counts.openErrors.Load())
	o.ObserveInt64(g.readErrors, s.counts.readErrors.Load())
}

func (g *gauges) observeLine(o metric.Observer, s *Store, l *line) {
	of := metric.WithAttributes(attribute.String("jamf.source", l.series.Source), attribute.String("jamf.kind", string(l.series.Kind)))
	warm := s.warmth.snapshot(l.series)
	o.ObserveInt64(g.warmBytes, warm.bytes, of)
	o.ObserveInt64(g.warmCount, warm.devices, of)
	l.mu.RLock()
	defer l.mu.RUnlock()
	var bytes int64
	for _, k := range l.kept {
		bytes += k.Bytes
	}
	o.ObserveInt64(g.kept, int64(len(l.kept)), of)
	o.ObserveInt64(g.fileBytes, bytes, of)
	var number, records int64
	if l.serving != nil {
		number, records = int64(l.serving.info.Number), int64(l.serving.info.Count)
	}
	o.ObserveInt64(g.current, number, of)
	o.ObserveInt64(g.records, records, of)
}

func (c *counts) stop() {
	if c.registration != nil {
		_ = c.registration.Unregister() // its only error is a provider that is shut down
	}
}
