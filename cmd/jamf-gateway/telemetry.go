package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// telemetry is the SDK side of OpenTelemetry: Prometheus always, OTLP over HTTP when OTEL_* asks for it.
type telemetry struct {
	log     *slog.Logger
	tracers *sdktrace.TracerProvider
	meters  *metric.MeterProvider
	metrics http.Handler
}

// newTelemetry reads OTEL_* from the environment: OTEL_SDK_DISABLED, OTEL_TRACES_EXPORTER and OTEL_METRICS_EXPORTER
// (otlp or none), OTEL_EXPORTER_OTLP_ENDPOINT and its kin, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER.
// What of them is not supported is logged and not done: an inventory is served without telemetry, too.
func newTelemetry(ctx context.Context, env []string, log *slog.Logger) (*telemetry, error) {
	hearOTel(log)
	warnOfLogs(ctx, env, log)
	res, err := resource.New(ctx,
		resource.WithAttributes(semconv.ServiceName("jamf-gateway"), semconv.ServiceVersion(version)),
		resource.WithFromEnv(), resource.WithTelemetrySDK())
	switch {
	case errors.Is(err, resource.ErrPartialResource): // OTEL_RESOURCE_ATTRIBUTES in part
		log.WarnContext(ctx, "telemetry describes this program in part only", "error", err)
	case err != nil:
		return nil, fmt.Errorf("describe this program to telemetry: %w", err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	prom, err := otelprom.New(otelprom.WithRegisterer(registry), otelprom.WithoutScopeInfo(),
		otelprom.WithResourceAsConstantLabels(func(attribute.KeyValue) bool { return false }))
	if err != nil {
		return nil, fmt.Errorf("make the Prometheus exporter: %w", err)
	}
	meterOptions := []metric.Option{metric.WithResource(res), metric.WithReader(prom)}
	traceOptions := []sdktrace.TracerProviderOption{sdktrace.WithResource(res)}
	if asks(ctx, env, "METRICS", log) {
		e, err := otlpmetrichttp.New(ctx)
		if err != nil {
			return nil, fmt.Errorf("make the OTLP metric exporter: %w", err)
		}
		meterOptions = append(meterOptions, metric.WithReader(metric.NewPeriodicReader(e)))
	}
	if asks(ctx, env, "TRACES", log) {
		e, err := otlptracehttp.New(ctx)
		if err != nil {
			return nil, fmt.Errorf("make the OTLP trace exporter: %w", err)
		}
		traceOptions = append(traceOptions, sdktrace.WithBatcher(e))
	} else {
		// Without a receiver spans only lend their ids to the logs.
		traceOptions = append(traceOptions, sdktrace.WithSampler(sdktrace.NeverSample()))
	}
	return &telemetry{
		log:     log,
		tracers: sdktrace.NewTracerProvider(traceOptions...),
		meters:  metric.NewMeterProvider(meterOptions...),
		metrics: promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true, Registry: registry}),
	}, nil
}

// shutdown flushes what is still to be sent, for five seconds at most. A collector that is away costs a line of the log.
func (t *telemetry) shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := errors.Join(t.tracers.Shutdown(ctx), t.meters.Shutdown(ctx)); err != nil {
		t.log.WarnContext(ctx, "the last telemetry was not sent", "error", err)
	}
	hearOTel(slog.New(slog.DiscardHandler))
}

// traceHandler adds the ids of the current span to every log line.
type traceHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h traceHandler) Handle(ctx context.Context, r slog.Record) error {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		r.AddAttrs(slog.String("trace_id", sc.TraceID().String()), slog.String("span_id", sc.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h traceHandler) WithAttrs(a []slog.Attr) slog.Handler {
	return traceHandler{h.Handler.WithAttrs(a)}
}

// WithGroup implements slog.Handler.
func (h traceHandler) WithGroup(name string) slog.Handler {
	return traceHandler{h.Handler.WithGroup(name)}
}

// newLogger writes JSON lines to the error stream.
func newLogger(s streams, level string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	return slog.New(traceHandler{slog.NewJSONHandler(harmlessLines{s.err}, &slog.HandlerOptions{Level: l})})
}
