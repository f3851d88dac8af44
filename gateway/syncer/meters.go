package syncer

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"jamf-gateway/cache"
)

// meters are the metrics of the syncs. Attributes: configured source names, kinds, results and catalogue codes only.
type meters struct {
	ends     metric.Int64Counter
	duration metric.Float64Histogram
}

func newMeters(m metric.Meter, s *Syncer) (meters, error) {
	var out meters
	var errs []error
	var err error
	out.ends, err = m.Int64Counter("jamf_syncs", metric.WithDescription("Syncs that ended, by result and code."))
	errs = append(errs, err)
	out.duration, err = m.Float64Histogram("jamf_sync_duration", metric.WithUnit("s"), metric.WithDescription("Duration of a sync."),
		metric.WithExplicitBucketBoundaries(1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 21600))
	errs = append(errs, err)
	age, err := m.Float64ObservableGauge("jamf_data_age", metric.WithUnit("s"), metric.WithDescription("Age of the generation that is served."))
	errs = append(errs, err)
	devices, err := m.Int64ObservableGauge("jamf_devices", metric.WithDescription("Devices in the generation that is served."))
	errs = append(errs, err)
	stale, err := m.Int64ObservableGauge("jamf_data_stale", metric.WithDescription("1 when the data is stale or missing."))
	errs = append(errs, err)
	disabled, err := m.Int64ObservableGauge("jamf_source_disabled", metric.WithDescription("1 when the settings disable the source: its data is frozen and counts as stale."))
	errs = append(errs, err)
	quarantined, err := m.Int64ObservableGauge("jamf_records_quarantined", metric.WithDescription("Records that could not be read as usual."))
	errs = append(errs, err)
	held, err := m.Int64ObservableGauge("jamf_sync_held", metric.WithDescription("1 when a finished generation waits for a person's approval."))
	errs = append(errs, err)
	going, err := m.Int64ObservableGauge("jamf_sync_held_removed", metric.WithDescription("Devices that are served now and are not in the generation that is held."))
	errs = append(errs, err)
	_, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		now := s.crew.Load()
		for _, h := range now.hands {
			off := int64(0)
			if h.src.Disabled {
				off = 1
			}
			o.ObserveInt64(disabled, off, metric.WithAttributes(attribute.String("jamf.source", h.src.Name)))
		}
		for _, l := range now.lines {
			at := metric.WithAttributes(attribute.String("jamf.source", l.src.Name), attribute.String("jamf.kind", string(l.kind)))
			state, _ := s.state(l, l.book.kind(l.kind))
			down := int64(1)
			if state == "fresh" {
				down = 0
			}
			o.ObserveInt64(stale, down, at)
			_, waiting, isHeld := s.o.Store.Held(l.series())
			one := int64(0)
			if isHeld {
				one = 1
			}
			o.ObserveInt64(held, one, at)
			o.ObserveInt64(going, int64(waiting.Removed), at)
			info, err := s.o.Store.Look(l.series())
			if err != nil {
				continue
			}
			o.ObserveFloat64(age, max(0, s.now().Sub(info.Ended).Seconds()), at)
			o.ObserveInt64(devices, int64(info.Count), at)
			o.ObserveInt64(quarantined, int64(len(info.Quarantined)), at)
		}
		return nil
	}, age, devices, stale, disabled, quarantined, held, going)
	return out, errors.Join(append(errs, err)...)
}

func (m meters) ended(ctx context.Context, l *line, err error, took time.Duration) {
	result, code := "ok", ""
	if err != nil {
		result, code = "failed", codeOf(err)
	}
	if errors.Is(err, errHeld) {
		result = resultHeld
	}
	at := metric.WithAttributes(attribute.String("jamf.source", l.src.Name), attribute.String("jamf.kind", string(l.kind)),
		attribute.String("result", result), attribute.String("error.type", code))
	m.ends.Add(ctx, 1, at)
	m.duration.Record(ctx, took.Seconds(), at)
}

// storeCode names why a series cannot be opened.
func storeCode(err error) string {
	switch {
	case errors.Is(err, cache.ErrNewer):
		return "store_newer"
	case errors.Is(err, cache.ErrLost):
		return "store_lost"
	case errors.Is(err, cache.ErrCorrupt):
		return "store_corrupt"
	default:
		return "never_synced"
	}
}
