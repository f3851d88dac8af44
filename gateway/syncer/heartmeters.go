package syncer

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"jamf-gateway/gateway/availability"
)

// beatMeters are the metrics of the heartbeats.
type beatMeters struct{ latency metric.Float64Histogram }

func newBeatMeters(m metric.Meter, s *Syncer) (beatMeters, error) {
	var out beatMeters
	var errs []error
	var err error
	out.latency, err = m.Float64Histogram("jamf_heartbeat_duration", metric.WithUnit("s"),
		metric.WithDescription("Latency of the questions of heartbeats that were answered, by source and operation."),
		metric.WithExplicitBucketBoundaries(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10))
	errs = append(errs, err)
	up, err := m.Int64ObservableGauge("jamf_up", metric.WithDescription("1 when Jamf answered the last heartbeat that asked it, 0 when it did not."))
	errs = append(errs, err)
	_, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, h := range s.crew.Load().hearts {
			st := h.status()
			if st.At.IsZero() || st.State == availability.Unasked && st.DownSince.IsZero() {
				continue // nothing is known
			}
			value := int64(1)
			if !st.DownSince.IsZero() {
				value = 0
			}
			o.ObserveInt64(up, value, metric.WithAttributes(attribute.String("jamf.source", h.src.Name)))
		}
		return nil
	}, up)
	return out, errors.Join(append(errs, err)...)
}

func (m beatMeters) took(ctx context.Context, source string, e availability.Entry) {
	record := func(operation string, ms float64) {
		m.latency.Record(ctx, ms/1000, metric.WithAttributes(
			attribute.String("jamf.source", source), attribute.String("jamf.operation", operation)))
	}
	if e.AuthMS > 0 {
		record("auth", e.AuthMS)
	}
	for kind, c := range e.Counts {
		record(kind, c.MS)
	}
}
