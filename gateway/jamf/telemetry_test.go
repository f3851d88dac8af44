package jamf_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"jamf-gateway/gateway/jamf"
)

func newTracer(spans *tracetest.SpanRecorder) *sdktrace.TracerProvider {
	if spans == nil {
		return sdktrace.NewTracerProvider()
	}
	return sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
}

// outcomes are the error types of the spans of a name, "" for one that went well.
func outcomes(spans *tracetest.SpanRecorder, name string) []string {
	out := []string{}
	for _, s := range spans.Ended() {
		if s.Name() == name {
			set := attribute.NewSet(s.Attributes()...)
			v, _ := set.Value("error.type")
			out = append(out, v.AsString())
		}
	}
	return out
}

func TestSpansTellOfEachAttemptAndOfNoDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spans := tracetest.NewSpanRecorder()
		u := &upstream{api: func(w http.ResponseWriter, r *http.Request, n int) {
			switch {
			case n == 1:
				giveHTML(w, 503)
			case strings.HasSuffix(r.URL.Path, "/4711"):
				giveJSON(w, 200, `{"id":"4711"}`)
			default:
				givePage(w, 1)
			}
		}}
		r := connect(t, u, fast, func(o *jamf.SourceOptions) { o.Telemetry.TracerProvider = newTracer(spans) })
		w := r.src.NewWalk()
		if _, err := page(t, w, jamf.Computers); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Record(t.Context(), jamf.Computers, []string{"GENERAL"}, 4711); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range spans.Ended() {
			set := attribute.NewSet(s.Attributes()...)
			var attrs []string
			for _, kv := range set.ToSlice() {
				attrs = append(attrs, fmt.Sprintf("%s=%s", kv.Key, kv.Value.String()))
				if text := kv.Value.String(); strings.Contains(text, "4711") || strings.ContainsAny(text, "?&") || strings.Contains(text, "CANARY") {
					t.Errorf("attribute %s = %s", kv.Key, text)
				}
			}
			if (s.SpanKind() == trace.SpanKindClient) != strings.HasPrefix(s.Name(), "GET ") && !strings.HasPrefix(s.Name(), "POST ") {
				t.Errorf("kind of %s is %v", s.Name(), s.SpanKind())
			}
			got = append(got, s.Name()+" "+strings.Join(attrs, " "))
		}
		const at = "server.address=127.0.0.1 url.full=http://127.0.0.1/api"
		want := []string{
			"POST /v1/oauth/token http.request.method=POST http.response.status_code=200 jamf.operation=token jamf.source=schule-a " + at + "/v1/oauth/token url.template=/v1/oauth/token",
			"jamf token jamf.operation=token jamf.source=schule-a",
			"GET /v4/computers-inventory error.type=jamf_unavailable http.request.method=GET http.response.status_code=503 jamf.operation=computers jamf.source=schule-a " + at + "/v4/computers-inventory url.template=/v4/computers-inventory",
			"GET /v4/computers-inventory http.request.method=GET http.request.resend_count=1 http.response.status_code=200 jamf.operation=computers jamf.source=schule-a " + at + "/v4/computers-inventory url.template=/v4/computers-inventory",
			"jamf page jamf.operation=computers jamf.source=schule-a",
			"GET /v4/computers-inventory/{id} http.request.method=GET http.response.status_code=200 jamf.operation=record jamf.source=schule-a " + at + "/v4/computers-inventory/{id} url.template=/v4/computers-inventory/{id}",
			"jamf record jamf.operation=record jamf.source=schule-a",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// series collects "name{attributes} value" of every series.
func series(t *testing.T, reader *sdkmetric.ManualReader) []string {
	t.Helper()
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &rm); err != nil {
		t.Fatal(err)
	}
	var out []string
	add := func(name string, set attribute.Set, v any) {
		out = append(out, fmt.Sprintf("%s{%s} %v", name, set.Encoded(attribute.DefaultEncoder()), v))
	}
	for _, sm := range rm.ScopeMetrics {
		for _, m := range sm.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					add(m.Name, p.Attributes, p.Value)
				}
			case metricdata.Gauge[int64]:
				for _, p := range data.DataPoints {
					add(m.Name, p.Attributes, p.Value)
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					if p.Bounds[len(p.Bounds)-1] != 300 {
						t.Errorf("buckets end at %v", p.Bounds)
					}
					add(m.Name, p.Attributes, p.Count)
				}
			default:
				t.Errorf("%s is a %T", m.Name, data)
			}
		}
	}
	slices.Sort(out)
	return out
}

func TestMetricsCountRequestsRetriesThrottlesTokensAndTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader := sdkmetric.NewManualReader()
		u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, n int) {
			switch {
			case n == 1:
				giveHTML(w, 503)
			case n == 2:
				giveEnvelope(w, 429)
			case n > 3:
				giveHTML(w, 502)
			default:
				givePage(w, 1)
			}
		}}
		r := connect(t, u, fast, func(o *jamf.SourceOptions) {
			o.Telemetry.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
		})
		w := r.src.NewWalk()
		if _, err := page(t, w, jamf.Computers); err != nil {
			t.Fatal(err)
		}
		if _, err := page(t, r.src.NewWalk(), jamf.MobileDetail); err == nil {
			t.Fatal("no error")
		}
		want := []string{
			"jamf_breaker_changes_total{server.address=127.0.0.1:80,state=open} 1",
			"jamf_breaker_state{server.address=127.0.0.1:80} 2",
			"jamf_request_duration_seconds{jamf.operation=computers,jamf.source=schule-a,outcome=jamf_unavailable} 1",
			"jamf_request_duration_seconds{jamf.operation=computers,jamf.source=schule-a,outcome=ok} 1",
			"jamf_request_duration_seconds{jamf.operation=computers,jamf.source=schule-a,outcome=throttled} 1",
			"jamf_request_duration_seconds{jamf.operation=mobile_detail,jamf.source=schule-a,outcome=jamf_unavailable} 3",
			"jamf_request_duration_seconds{jamf.operation=token,jamf.source=schule-a,outcome=ok} 1",
			"jamf_requests_in_flight{server.address=127.0.0.1:80} 0",
			"jamf_retries_total{jamf.operation=computers,jamf.source=schule-a} 2",
			"jamf_retries_total{jamf.operation=mobile_detail,jamf.source=schule-a} 2",
			"jamf_throttles_total{jamf.source=schule-a} 1",
			"jamf_token_fetches_total{jamf.source=schule-a,outcome=ok} 1",
		}
		got := series(t, reader)
		for _, line := range want {
			if !slices.Contains(got, line) {
				t.Errorf("missing: %s\nin:\n%s", line, strings.Join(got, "\n"))
			}
		}
	})
}
