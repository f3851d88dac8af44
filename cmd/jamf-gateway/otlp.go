package main

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
)

// otlpProtocol is the only way in which OTLP is sent.
const otlpProtocol = "http/protobuf"

// asks tells whether the environment wants a signal (TRACES or METRICS) sent by OTLP, and logs what of it cannot be done.
func asks(ctx context.Context, env []string, signal string, log *slog.Logger) bool {
	have := func(name string) string { return variable(env, name) }
	if strings.EqualFold(have("OTEL_SDK_DISABLED"), "true") {
		return false
	}
	name := "OTEL_" + signal + "_EXPORTER"
	wanted := have("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || have("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT") != ""
	if exporters := listed(have(name)); len(exporters) > 0 {
		wanted = slices.Contains(exporters, "otlp")
		known := []string{"otlp", "none"}
		if signal == "METRICS" {
			known = append(known, "prometheus") // always there, at the admin door
		}
		for _, e := range exporters {
			if !slices.Contains(known, e) {
				log.WarnContext(ctx, "this telemetry exporter is not supported: otlp and none are", "variable", name, "value", e, "sent", wanted)
			}
		}
	}
	if !wanted {
		return false
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_" + signal + "_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		value := have(name)
		if value == "" {
			continue
		}
		if value == otlpProtocol {
			return true // the one of the signal counts
		}
		log.WarnContext(ctx, "this protocol of OTLP is not supported, so that nothing is sent: use "+otlpProtocol+", at a collector usually port 4318",
			"variable", name, "value", value, "signal", strings.ToLower(signal))
		return false
	}
	return true
}

// warnOfLogs says that logs are not sent.
func warnOfLogs(ctx context.Context, env []string, log *slog.Logger) {
	for _, e := range listed(variable(env, "OTEL_LOGS_EXPORTER")) {
		if e != "none" {
			log.WarnContext(ctx, "logs are not sent by telemetry: they are JSON lines on the error stream", "variable", "OTEL_LOGS_EXPORTER", "value", e)
		}
	}
}

// listed splits a list of an OTEL variable.
func listed(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
}

// hearOTel sends what the OpenTelemetry SDK has to say to the log; its own way is plain text on the error stream.
func hearOTel(log *slog.Logger) {
	otel.SetLogger(logr.FromSlogHandler(log.Handler()))
	otel.SetErrorHandler(&otelErrors{log: log})
}

// otelErrors logs the errors of the SDK: a collector that is away makes one at every try.
type otelErrors struct {
	log *slog.Logger

	mu       sync.Mutex
	said     time.Time
	silenced int
}

// otelPause is how long further errors are only counted.
const otelPause = time.Minute

// Handle implements otel.ErrorHandler.
func (e *otelErrors) Handle(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if now := time.Now(); e.said.IsZero() || now.Sub(e.said) >= otelPause {
		e.log.Warn("telemetry", "error", err, "not_logged_before", e.silenced)
		e.said, e.silenced = now, 0
		return
	}
	e.silenced++
}
