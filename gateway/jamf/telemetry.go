package jamf

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/sony/gobreaker/v2"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

const scope = "jamf-gateway/gateway/jamf"

// Telemetry carries the providers; nil fields mean the global ones.
type Telemetry struct {
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider
}

func (t Telemetry) tracer() trace.Tracer {
	p := t.TracerProvider
	if p == nil {
		p = otel.GetTracerProvider()
	}
	return p.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL))
}

func (t Telemetry) meter() metric.Meter {
	p := t.MeterProvider
	if p == nil {
		p = otel.GetMeterProvider()
	}
	return p.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL))
}

// instruments makes instruments; one that the provider refuses is replaced by one that does nothing and the error goes
// to OpenTelemetry's own handler, because a metric must not stop a sync.
type instruments struct{ m metric.Meter }

func (i instruments) counter(name, what string) metric.Int64Counter {
	c, err := i.m.Int64Counter(name, metric.WithDescription(what))
	if err != nil {
		otel.Handle(err)
		return noop.Int64Counter{}
	}
	return c
}

func (i instruments) seconds(name, what string) metric.Float64Histogram {
	h, err := i.m.Float64Histogram(name, metric.WithDescription(what), metric.WithUnit("s"),
		metric.WithExplicitBucketBoundaries(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 90, 120, 300))
	if err != nil {
		otel.Handle(err)
		return noop.Float64Histogram{}
	}
	return h
}

// hostMeters are the metrics of one host. The host is a configured name, so the series are bounded.
type hostMeters struct {
	inFlight metric.Int64UpDownCounter
	changes  metric.Int64Counter
	at       metric.MeasurementOption
	host     string

	unobserve func() // ends the metric of the breaker
}

func newHostMeters(t Telemetry, h *Host) *hostMeters {
	i := instruments{t.meter()}
	m := &hostMeters{
		changes: i.counter("jamf_breaker_changes_total", "Changes of the circuit breaker's state, by host and new state."),
		at:      metric.WithAttributeSet(attribute.NewSet(semconv.ServerAddress(h.authority))),
		host:    h.authority,
	}
	var err error
	if m.inFlight, err = i.m.Int64UpDownCounter("jamf_requests_in_flight", metric.WithDescription("Requests to Jamf under way, by host.")); err != nil {
		otel.Handle(err)
		m.inFlight = noop.Int64UpDownCounter{}
	}
	m.unobserve = observe(t, "jamf_breaker_state", "Circuit breaker by host: 0 closed, 1 half-open, 2 open.", func(see func(int64, ...attribute.KeyValue)) {
		state, _, _ := h.snapshot()
		see(breakerValue(state), semconv.ServerAddress(h.authority))
	})
	return m
}

// observe makes a gauge that is read by look. It is there until end is called.
func observe(t Telemetry, name, what string, look func(see func(int64, ...attribute.KeyValue))) (end func()) {
	m := t.meter()
	gauge, err := m.Int64ObservableGauge(name, metric.WithDescription(what))
	if err != nil {
		otel.Handle(err)
		return func() {}
	}
	seen, err := m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		look(func(n int64, at ...attribute.KeyValue) { o.ObserveInt64(gauge, n, metric.WithAttributes(at...)) })
		return nil
	}, gauge)
	if err != nil {
		otel.Handle(err)
		return func() {}
	}
	return func() {
		if err := seen.Unregister(); err != nil {
			otel.Handle(err)
		}
	}
}

func breakerValue(state string) int64 {
	switch state {
	case gobreaker.StateOpen.String():
		return 2
	case gobreaker.StateHalfOpen.String():
		return 1
	default:
		return 0
	}
}

func (m *hostMeters) flight(ctx context.Context, n int) { m.inFlight.Add(ctx, int64(n), m.at) }

func (m *hostMeters) breakerChanged(_, to gobreaker.State) {
	m.changes.Add(context.Background(), 1, m.at, metric.WithAttributes(attribute.String("state", to.String())))
}

// sourceMeters are the metrics of one source.
type sourceMeters struct {
	source    string
	duration  metric.Float64Histogram
	retries   metric.Int64Counter
	throttles metric.Int64Counter
	tokens    metric.Int64Counter
}

func newSourceMeters(t Telemetry, source string) *sourceMeters {
	i := instruments{t.meter()}
	return &sourceMeters{
		source:    source,
		duration:  i.seconds("jamf_request_duration_seconds", "Latency of single requests to Jamf, by source, operation and outcome."),
		retries:   i.counter("jamf_retries_total", "Requests to Jamf that repeat one that failed, by source and operation."),
		throttles: i.counter("jamf_throttles_total", "Answers with 429, by source."),
		tokens:    i.counter("jamf_token_fetches_total", "Calls of the token endpoint, by source and outcome."),
	}
}

// attempt records one request; outcome is "ok" or a code of the catalogue.
func (m *sourceMeters) attempt(ctx context.Context, op, outcome string, took time.Duration) {
	m.duration.Record(ctx, took.Seconds(), metric.WithAttributes(
		attribute.String("jamf.source", m.source), attribute.String("jamf.operation", op), attribute.String("outcome", outcome)))
	if outcome == codeThrottled {
		m.throttles.Add(ctx, 1, metric.WithAttributes(attribute.String("jamf.source", m.source)))
	}
}

func (m *sourceMeters) retry(ctx context.Context, op string) {
	m.retries.Add(ctx, 1, metric.WithAttributes(attribute.String("jamf.source", m.source), attribute.String("jamf.operation", op)))
}

func (m *sourceMeters) token(ctx context.Context, outcome string) {
	m.tokens.Add(ctx, 1, metric.WithAttributes(attribute.String("jamf.source", m.source), attribute.String("outcome", outcome)))
}

func outcomeOf(err error) string {
	if err == nil {
		return "ok"
	}
	if e, ok := errors.AsType[*Error](err); ok && e.Code != "" {
		return e.Code
	}
	return codeUnavailable
}

// startCall begins the span of a token, page or record.
func (s *Source) startCall(ctx context.Context, name, op string) (context.Context, trace.Span) {
	return s.tracer.Start(ctx, name, trace.WithAttributes( //nolint:spancheck // the caller ends it
		attribute.String("jamf.source", s.o.Name), attribute.String("jamf.operation", op)))
}

// startAttempt begins the client span of one request. template is the path with {id} in place of an id; no query.
func (s *Source) startAttempt(ctx context.Context, method, op, template string, resend int) (context.Context, trace.Span) {
	full := url.URL{Scheme: s.base.Scheme, Host: s.base.Host, Path: s.base.Path}
	attrs := []attribute.KeyValue{
		requestMethod(method),
		semconv.ServerAddress(s.base.Hostname()),
		semconv.URLFull(full.String() + template),
		semconv.URLTemplate(template),
		attribute.String("jamf.source", s.o.Name),
		attribute.String("jamf.operation", op),
	}
	if port, err := strconv.Atoi(s.base.Port()); err == nil {
		attrs = append(attrs, semconv.ServerPort(port))
	}
	if resend > 0 {
		attrs = append(attrs, semconv.HTTPRequestResendCount(resend))
	}
	return s.tracer.Start(ctx, method+" "+template, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...)) //nolint:spancheck // the caller ends it
}

func requestMethod(method string) attribute.KeyValue {
	if method == http.MethodPost {
		return semconv.HTTPRequestMethodPost
	}
	return semconv.HTTPRequestMethodGet
}

// endSpan closes a span with what became of it. Only the code goes out: details may name hosts.
func endSpan(span trace.Span, err error) {
	if err != nil {
		code := outcomeOf(err)
		span.SetAttributes(semconv.ErrorTypeKey.String(code))
		span.SetStatus(codes.Error, code)
	}
	span.End()
}
