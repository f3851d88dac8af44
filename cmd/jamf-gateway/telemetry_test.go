package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// otelEnvironment sets variables for the exporters, which read those of the process, and returns them.
func otelEnvironment(t *testing.T, env ...string) []string {
	t.Helper()
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
	}
	return append(env, "JAMF_SECRET=jamf-secret")
}

// logLines reads a log; a line that is no JSON fails the test.
func logLines(t *testing.T, log string) []map[string]any {
	t.Helper()
	var out []map[string]any
	for line := range strings.Lines(log) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Errorf("not a line of the log: %q", line)
		}
		out = append(out, m)
	}
	return out
}

// serveOnce runs a gateway until it has read everything, and returns how it ended.
func serveOnce(t *testing.T, env []string) result {
	t.Helper()
	file := settings(t, jamf(t), "")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return serving(t, file, regexp.MustCompile(`(?m)^listen: (\S+)`).FindStringSubmatch(string(raw))[1], env)()
}

func TestADeadCollectorCostsALineOfTheLogAndNoExitCode(t *testing.T) {
	dead := unused(t)
	r := serveOnce(t, otelEnvironment(t, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+dead))
	if r.code != exitGood {
		t.Errorf("exit code %d", r.code)
	}
	said := false
	for _, line := range logLines(t, r.err) {
		text, _ := line["error"].(string)
		said = said || strings.Contains(text, dead) || line["msg"] == "the last telemetry was not sent"
	}
	if !said {
		t.Errorf("nothing in the log says that %s was away:\n%s", dead, r.err)
	}
}

func TestTelemetryThatIsNotSupportedIsSaidAtTheStart(t *testing.T) {
	for name, tc := range map[string]struct {
		env  []string
		want string
	}{
		"grpc":              {[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}, "this protocol of OTLP is not supported, so that nothing is sent: use http/protobuf"},
		"grpc for traces":   {[]string{"OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=grpc"}, `"variable":"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL","value":"grpc","signal":"traces"`},
		"another exporter":  {[]string{"OTEL_TRACES_EXPORTER=zipkin"}, `"variable":"OTEL_TRACES_EXPORTER","value":"zipkin"`},
		"logs":              {[]string{"OTEL_LOGS_EXPORTER=otlp"}, "logs are not sent by telemetry"},
		"attributes":        {[]string{"OTEL_RESOURCE_ATTRIBUTES=nonsense"}, "telemetry describes this program in part only"},
		"impossible target": {[]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://[::1", "OTEL_METRICS_EXPORTER=none"}, `[::1`},
	} {
		t.Run(name, func(t *testing.T) {
			r := serveOnce(t, otelEnvironment(t, tc.env...))
			logLines(t, r.err)
			if r.code != exitGood || !strings.Contains(r.err, tc.want) {
				t.Errorf("exit code %d, no %q in\n%s", r.code, tc.want, r.err)
			}
		})
	}
}

func TestTheEnvironmentDecidesWhatIsSent(t *testing.T) {
	const to = "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318"
	for _, tc := range []struct {
		env             []string
		traces, metrics bool
		lines           int
	}{
		{nil, false, false, 0},
		{[]string{to}, true, true, 0},
		{[]string{to, "OTEL_SDK_DISABLED=TRUE"}, false, false, 0},
		{[]string{to, "OTEL_METRICS_EXPORTER=none"}, true, false, 0},
		{[]string{to, "OTEL_METRICS_EXPORTER=prometheus"}, true, false, 0},
		{[]string{"OTEL_METRICS_EXPORTER=prometheus, otlp"}, false, true, 0},
		{[]string{"OTEL_TRACES_EXPORTER=otlp,console"}, true, false, 1},
		{[]string{"OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}, false, false, 0}, // nothing is asked for
		{[]string{to, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}, false, false, 2},
		{[]string{to, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"}, true, true, 0},
		{[]string{to, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf"}, true, false, 1},
	} {
		var b bytes.Buffer
		log := slog.New(slog.NewJSONHandler(&b, nil))
		if traces, metrics := asks(t.Context(), tc.env, "TRACES", log), asks(t.Context(), tc.env, "METRICS", log); traces != tc.traces || metrics != tc.metrics {
			t.Errorf("%v: traces %v, metrics %v; want %v, %v", tc.env, traces, metrics, tc.traces, tc.metrics)
		}
		if n := strings.Count(b.String(), "\n"); n != tc.lines {
			t.Errorf("%v: %d lines, want %d\n%s", tc.env, n, tc.lines, b.String())
		}
	}
}

func TestErrorsOfTheSDKAreLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		e := &otelErrors{log: slog.New(slog.NewJSONHandler(&b, nil))}
		for range 13 { // at 0, 5, ..., 60 s
			e.Handle(errors.New("no collector"))
			time.Sleep(5 * time.Second)
		}
		lines := logLines(t, b.String())
		if len(lines) != 2 || lines[1]["not_logged_before"] != 11.0 {
			t.Errorf("%d lines\n%s", len(lines), b.String())
		}
	})
}
