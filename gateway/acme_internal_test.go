package gateway

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jamf-gateway/config"
)

func TestAnAuthorityThatRefusesIsLeftAloneForLongerEachTime(t *testing.T) {
	var asked atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		http.Error(w, "no", http.StatusForbidden)
	}))
	defer srv.Close()
	var logs bytes.Buffer
	now := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	c := &config.Config{DataDir: t.TempDir(), TLS: config.TLS{ACME: config.ACME{Hosts: []string{"gateway.example.com"}, DirectoryURL: srv.URL}}}
	a, err := newAuthority(c, slog.New(slog.NewTextHandler(&logs, nil)), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	for _, stranger := range []string{"other.example.com", "gateway.example.com.evil.example", "../gateway.example.com"} {
		if _, err := a.forHandshake(&tls.ClientHelloInfo{ServerName: stranger}); err == nil || asked.Load() > 0 {
			t.Errorf("%q: %v after %d questions, want a refusal that asks nobody", stranger, err, asked.Load())
		}
	}
	var waits []time.Duration
	for range 5 {
		if _, err := a.certificate(t.Context(), "gateway.example.com"); err == nil {
			t.Fatal("a certificate from nowhere")
		}
		a.mu.Lock()
		until := a.failures["gateway.example.com"].until
		a.mu.Unlock()
		waits = append(waits, until.Sub(now))
		before := logs.Len()
		now = until.Add(-time.Second)
		if _, err := a.forHandshake(&tls.ClientHelloInfo{ServerName: "GATEWAY.example.com."}); err == nil || logs.Len() != before {
			t.Errorf("before %v: %v, log %q: want the same refusal, said once", until, err, logs.String()[before:])
		}
		now = until
	}
	if want := []time.Duration{time.Minute, 4 * time.Minute, 16 * time.Minute, time.Hour, time.Hour}; !slices.Equal(waits, want) {
		t.Errorf("asked again after %v, want %v", waits, want)
	}
	if n := strings.Count(logs.String(), "level=WARN"); n != 5 {
		t.Errorf("%d warnings, want one for each refusal:\n%s", n, logs.String())
	}
}
