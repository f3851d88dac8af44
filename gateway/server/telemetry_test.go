package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// watched is a world with a recorder of spans and a reader of metrics.
func watched(t *testing.T) (*world, *tracetest.SpanRecorder, *metric.ManualReader) {
	t.Helper()
	spans, reader := tracetest.NewSpanRecorder(), metric.NewManualReader()
	w := newWorld(t, func(o *server.Options) {
		o.TracerProvider = trace.NewTracerProvider(trace.WithSpanProcessor(spans))
		o.MeterProvider = metric.NewMeterProvider(metric.WithReader(reader))
	})
	return w, spans, reader
}

func attributes(set []attribute.KeyValue) map[string]string {
	out := map[string]string{}
	for _, kv := range set {
		out[string(kv.Key)] = kv.Value.String()
	}
	return out
}

func TestASpanNamesTheRouteAndTheSourceAndNothingOfTheClient(t *testing.T) {
	w, spans, _ := watched(t)
	w.publish("schule-a", device.Computer, computers("AC", 1, 2))
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	w.get("all", "/v1/devices/schule-a:computer:2", "traceparent", parent, "User-Agent", "CANARY")
	w.get("all", "/jamf/schule-a/api/v1/computers-inventory?page=1&CANARY=1", "traceparent", "00-zz-CANARY-01")
	w.get("all", "/v1/CANARY")
	byName := map[string]trace.ReadOnlySpan{}
	for _, s := range spans.Ended() {
		byName[s.Name()] = s
		if text := fmt.Sprint(s.Name(), s.Attributes(), s.Events(), s.Status()); strings.Contains(text, "CANARY") || strings.Contains(text, "127.0.0.1") {
			t.Errorf("a span holds what a client sent: %s", text)
		}
	}
	one, ok := byName["GET /v1/devices/{uid}"]
	if !ok {
		t.Fatalf("spans: %v", byName)
	}
	if one.SpanContext().TraceID().String() != "0af7651916cd43dd8448eb211c80319c" || one.Parent().SpanID().String() != "b7ad6b7169203331" {
		t.Errorf("it does not continue the trace: %v", one.SpanContext())
	}
	got := attributes(one.Attributes())
	for key, want := range map[string]string{
		"http.request.method": "GET", "http.route": "/v1/devices/{uid}", "http.response.status_code": "200", "url.scheme": "http", "jamf.source": "schule-a",
	} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
	facade, ok := byName["GET /jamf/{source}/api/v1/computers-inventory"]
	if !ok || facade.Parent().IsValid() || !facade.SpanContext().IsValid() {
		t.Errorf("an invalid traceparent does not begin a new trace: %v", byName)
	}
	if _, ok := byName["GET"]; !ok {
		t.Errorf("an unknown path has no bare name: %v", byName)
	}
}

func TestSeriesStayFewWhateverClientsSend(t *testing.T) {
	w, _, reader := watched(t)
	w.publishAll(1)
	token := "Bearer " + w.token("all")
	for i := range 60 {
		w.do(http.MethodGet, fmt.Sprintf("%s/v1/devices/schule-a:computer:%d?x%d=1", w.base, i, i), "", "Authorization", token, "Host", fmt.Sprintf("h%d.example", i), "User-Agent", fmt.Sprint(i))
		w.do(http.MethodGet, fmt.Sprintf("%s/api/v1/thing%d/%d", w.base, i, i), "", "Authorization", token)
		w.do(http.MethodGet, fmt.Sprintf("%s/nothing/%d", w.base, i), "")
		w.do(fmt.Sprintf("M%d", i), w.base+"/livez", "")
	}
	w.do(http.MethodGet, w.base+"/api/v1/departments", "", "Authorization", token)
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			seen[m.Name] = true
			switch data := m.Data.(type) {
			case metricdata.Histogram[float64]:
				if m.Name == "http.server.request.duration" && len(data.DataPoints) > 8 {
					t.Errorf("%d series of %s", len(data.DataPoints), m.Name)
				}
				others := false
				for _, p := range data.DataPoints {
					method, _ := p.Attributes.Value("http.request.method")
					others = others || method.AsString() == "_OTHER"
				}
				if !others {
					t.Error("unknown methods are not counted as _OTHER")
				}
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					family, _ := p.Attributes.Value("jamf.family")
					if m.Name == "jamf_gateway.facade.not_found" && (family.AsString() == "other") != (p.Value == 60) {
						t.Errorf("%s: %s %d", m.Name, family.AsString(), p.Value)
					}
					if m.Name == "http.server.active_requests" && p.Value != 0 {
						t.Errorf("%s: %d are still active", m.Name, p.Value)
					}
				}
				if len(data.DataPoints) > 4 {
					t.Errorf("%d series of %s", len(data.DataPoints), m.Name)
				}
			}
		}
	}
	for _, name := range []string{"http.server.request.duration", "http.server.active_requests", "jamf_gateway.facade.not_found"} {
		if !seen[name] {
			t.Errorf("%s is missing", name)
		}
	}
}
