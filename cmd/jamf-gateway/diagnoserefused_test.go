package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestDiagnoseSaysThatAGatewayAnswersWhichRefusesTheToken(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/metrics" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"code":"admin_token"}`))
		}
	}))
	t.Cleanup(srv.Close)
	for lang, want := range map[string]string{
		"en": "The gateway answered and told nothing: the gateway at " + srv.URL + " refuses this admin token",
		"de": "Das Gateway hat geantwortet, aber keine Auskunft gegeben: das Gateway unter " + srv.URL + " lehnt dieses Verwaltungstoken ab",
	} {
		r := command(t, []string{"JAMF_GATEWAY_ADMIN_TOKEN=jga_of-another-gateway"}, "diagnose", "--admin", srv.URL, "--output", "-", "--lang", lang)
		if r.code != exitWrong || !strings.Contains(r.err, want) || strings.Contains(r.err, "No gateway") || strings.Contains(r.out, srv.URL) {
			t.Errorf("exit code %d, no %q in\n%s", r.code, want, r.err)
		}
	}
}
