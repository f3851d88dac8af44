package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
	"go.opentelemetry.io/otel/trace"
)

const (
	instrumentation = "jamf-gateway/gateway/server"
	otherMethod     = "_OTHER" // what the HTTP conventions call a method that is not a known one
)

// telemetry is the span, the two instruments of the HTTP conventions and the count of what the façade does not
// serve. No attribute comes from a client: methods, routes and statuses are closed sets, and neither Host, query,
// path, address nor user agent is ever recorded.
type telemetry struct {
	tracer    trace.Tracer
	duration  httpconv.ServerRequestDuration
	active    httpconv.ServerActiveRequests
	unserved  metric.Int64Counter
	refused   metric.Int64Counter
	durations sync.Map // seriesKey -> attribute.Set
}

// seriesKey is one series of the duration histogram.
type seriesKey struct {
	method, route, scheme string
	status                int
}

func newTelemetry(tp trace.TracerProvider, mp metric.MeterProvider, version string) (*telemetry, error) {
	meter := mp.Meter(instrumentation, metric.WithInstrumentationVersion(version))
	t := &telemetry{tracer: tp.Tracer(instrumentation, trace.WithInstrumentationVersion(version))}
	var err error
	if t.duration, err = httpconv.NewServerRequestDuration(meter); err != nil {
		return nil, fmt.Errorf("server metrics: %w", err)
	}
	if t.active, err = httpconv.NewServerActiveRequests(meter); err != nil {
		return nil, fmt.Errorf("server metrics: %w", err)
	}
	t.unserved, err = meter.Int64Counter("jamf_gateway.facade.not_found", metric.WithUnit("{request}"),
		metric.WithDescription("Requests below a Jamf base that the façade does not serve, by family of the Jamf API."))
	if err != nil {
		return nil, fmt.Errorf("server metrics: %w", err)
	}
	t.refused, err = meter.Int64Counter("jamf_gateway.connections.refused", metric.WithUnit("{connection}"),
		metric.WithDescription("Connections that a door did not let in (all of them are in use, or one address holds its share), or that made room for another one of their address."))
	if err != nil {
		return nil, fmt.Errorf("server metrics: %w", err)
	}
	return t, nil
}

// connectionRefused counts a connection that was not let in, or that made room; reason is all, address or yielded.
func (t *telemetry) connectionRefused(ctx context.Context, door, reason string) {
	t.refused.Add(ctx, 1, metric.WithAttributes(attribute.String("door", door), attribute.String("reason", reason)))
}

// headerCarrier reads the trace headers of a request.
type headerCarrier struct{ h *fasthttp.RequestHeader }

// Get returns a header of the request.
func (c headerCarrier) Get(key string) string { return string(c.h.Peek(key)) }

// Set does nothing: requests are only read.
func (c headerCarrier) Set(string, string) {}

// Keys is not asked for by the W3C propagator.
func (c headerCarrier) Keys() []string { return nil }

// begin starts the span of an exchange. A trace context that does not parse starts a new trace (W3C Trace Context, 4.3).
func (t *telemetry) begin(rc *fasthttp.RequestCtx, x *exchange) {
	x.scheme = "http"
	if rc.IsTLS() {
		x.scheme = "https"
	}
	parent := propagation.TraceContext{}.Extract(context.Background(), headerCarrier{&rc.Request.Header})
	_, x.span = t.tracer.Start(parent, x.method, trace.WithSpanKind(trace.SpanKindServer)) //nolint:spancheck // end ends it
	t.active.Add(x.context(), 1, httpconv.RequestMethodAttr(x.method), x.scheme)
}

// end closes the span and records the duration.
func (t *telemetry) end(x *exchange, status int, now time.Time) {
	ctx := x.context()
	t.active.Add(ctx, -1, httpconv.RequestMethodAttr(x.method), x.scheme)
	t.duration.RecordSet(ctx, now.Sub(x.start).Seconds(), t.series(seriesKey{x.method, x.route, x.scheme, status}))
	if x.span.IsRecording() {
		if x.route != "" {
			x.span.SetName(x.method + " " + x.route)
			x.span.SetAttributes(semconv.HTTPRoute(x.route))
		}
		if x.source != "" {
			x.span.SetAttributes(attribute.String("jamf.source", x.source))
		}
		x.span.SetAttributes(semconv.HTTPRequestMethodKey.String(x.method), semconv.URLScheme(x.scheme),
			semconv.HTTPResponseStatusCode(status))
		if x.code != "" {
			x.span.SetAttributes(attribute.String("jamf_gateway.code", x.code))
		}
		if status >= http.StatusInternalServerError {
			x.span.SetStatus(codes.Error, "")
			x.span.SetAttributes(semconv.ErrorTypeKey.String(x.code))
		}
	}
	x.span.End()
}

// series returns the attribute set of one series; there are as many as methods, routes and statuses, all closed sets.
func (t *telemetry) series(k seriesKey) attribute.Set {
	if set, ok := t.durations.Load(k); ok {
		return set.(attribute.Set) //nolint:forcetypeassert // only sets are stored
	}
	attrs := []attribute.KeyValue{
		semconv.HTTPRequestMethodKey.String(k.method), semconv.URLScheme(k.scheme), semconv.HTTPResponseStatusCode(k.status),
	}
	if k.route != "" {
		attrs = append(attrs, semconv.HTTPRoute(k.route))
	}
	set := attribute.NewSet(attrs...)
	t.durations.Store(k, set)
	return set
}

// methodName keeps the method attribute a closed set.
func methodName(method []byte) string {
	switch m := string(method); m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodTrace, http.MethodConnect:
		return m
	}
	return otherMethod
}

// notServed counts a façade path that is not there, by its family: what clients miss, without saying what they sent.
func (t *telemetry) notServed(ctx context.Context, path string) {
	t.unserved.Add(ctx, 1, metric.WithAttributes(attribute.String("jamf.family", family(path))))
}

// family names the part of Jamf's API that a path belongs to; "other" for everything that is not a known part.
func family(path string) string {
	if strings.Contains(path, "/JSSResource") {
		return "classic"
	}
	_, rest, ok := strings.Cut(path, "/api/")
	if !ok {
		return "other"
	}
	if v, after, cut := strings.Cut(rest, "/"); cut && len(v) == 2 && v[0] == 'v' && v[1] >= '1' && v[1] <= '9' {
		rest = after
	}
	name, _, _ := strings.Cut(rest, "/")
	switch name {
	case "computers-inventory", "computers-inventory-detail", "mobile-devices", "auth", "oauth", "departments", "buildings", "sites",
		"categories", "scripts", "computer-groups", "mobile-device-groups", "computer-prestages", "mobile-device-prestages",
		"computer-extension-attributes", "mobile-device-extension-attributes", "jamf-pro-information", "jamf-pro-version",
		"inventory-information", "health-status", "webhooks", "users", "policies", "packages", "api-roles", "api-integrations":
		return name
	}
	return "other"
}

// accessLog is one line a request, at debug level only. The logger of the house adds the trace to it, as to every line.
func (s *Server) accessLog(x *exchange, status int, now time.Time) {
	ctx := x.context()
	if !s.o.Logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	s.o.Logger.LogAttrs(ctx, slog.LevelDebug, "request answered",
		slog.String("request_id", x.id), slog.String("client", x.client()),
		slog.String("method", x.method), slog.String("route", x.route), slog.Int("status", status),
		slog.Float64("duration_ms", float64(now.Sub(x.start).Microseconds())/1000))
}
