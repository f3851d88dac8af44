package gateway

import (
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"jamf-gateway/config"
	"jamf-gateway/gateway/jamf"
)

// gauges counts what is shown of sources and hosts.
func gauges(t *testing.T, reader *sdkmetric.ManualReader) (sources, hosts int) {
	t.Helper()
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &rm); err != nil {
		t.Fatal(err)
	}
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			points, _ := m.Data.(metricdata.Gauge[int64])
			switch m.Name {
			case "jamf_client_refused":
				sources = len(points.DataPoints)
			case "jamf_breaker_state":
				hosts = len(points.DataPoints)
			}
		}
	}
	return sources, hosts
}

// ownRoots is a certificate in PEM.
func ownRoots(t *testing.T) string {
	t.Helper()
	srv := httptest.NewTLSServer(http.NotFoundHandler())
	defer srv.Close()
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}))
}

func TestASourceKeepsItsClientAsLongAsItIsReachedAsBefore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca, secret := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "secret")
	writeSecret(t, ca, ownRoots(t))
	settings := func(value string) *config.Config {
		writeSecret(t, secret, value)
		return &config.Config{Sources: []config.Source{
			{Name: "a", URL: "https://a.example/api", ClientID: "c", ClientSecret: config.SecretFromFile(value, secret), CAFile: ca},
			{Name: "b", URL: "https://b.example/api", ClientID: "c", ClientSecret: config.NewSecret("s")},
		}}
	}
	reader := sdkmetric.NewManualReader()
	o := Options{Config: settings("one"), Logger: slog.New(slog.DiscardHandler), MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))}
	build := func(c *config.Config, was *outfit) *outfit {
		t.Helper()
		to, err := buildUpstreams(o, c, was)
		if err != nil {
			t.Fatal(err)
		}
		return &outfit{reach: to, config: c}
	}
	first := build(o.Config, nil)
	second := build(settings("two"), first)
	if second.upstreams["a"] != first.upstreams["a"] || second.secrets[0] != first.secrets[0] {
		t.Error("a secret that was rotated in its file makes another client of Jamf")
	}

	bad := settings("two")
	bad.Sources[1].URL = "https://new.example/api"
	bad.Sources = append(bad.Sources, config.Source{Name: "c", URL: "https://c.example/api", ClientID: "c", ClientSecret: config.NewSecret("s"), CAFile: secret})
	if _, err := buildUpstreams(o, bad, second); err == nil {
		t.Error("a file without certificates is taken")
	}
	if sources, hosts := gauges(t, reader); sources != 2 || hosts != 2 || len(second.hosts) != 2 {
		t.Errorf("after settings that were refused %d sources and %d hosts are shown, of %d", sources, hosts, len(second.hosts))
	}

	writeSecret(t, ca, ownRoots(t)+ownRoots(t)+"# another content\n")
	one := settings("two")
	one.Sources = one.Sources[:1]
	third := build(one, second)
	if third.upstreams["a"] == second.upstreams["a"] {
		t.Error("other authorities in the ca_file change nothing")
	}
	if third.hosts["a.example"] != second.hosts["a.example"] || len(third.hosts) != 1 {
		t.Errorf("the budget is another one, or that of a host without a source stays: %v", third.hosts)
	}
	second.retire(third.reach, (*jamf.Source).Close)
	if sources, hosts := gauges(t, reader); sources != 1 || hosts != 1 {
		t.Errorf("after a source and its host went, %d sources and %d hosts are shown", sources, hosts)
	}
}
