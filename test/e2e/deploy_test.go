//go:build e2e

package e2e_test

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

const deployDir = "../../docs/deploy/"

var (
	metricName = regexp.MustCompile(`\b(?:jamf|cache|generation|http|process)s?_[a-z_]+\b`)
	selector   = regexp.MustCompile(`\b([a-z_]+)\{([a-z_]+)=`)
)

// TestAlarmsAndDashboardAskForWhatTheGatewayExposes holds docs/deploy to /metrics: names and labels.
func TestAlarmsAndDashboardAskForWhatTheGatewayExposes(t *testing.T) {
	d := startDemo(t, program(t), nil, "--computers", "50", "--mobiles", "50")
	exposed := get(t, d.admin+"/metrics")
	get(t, d.base+"/livez")
	exposed += get(t, d.admin+"/metrics") // now with a request that was served
	d.end(t)

	for file, queries := range map[string][]string{
		"alerts.yml": expressions(t, deployDir+"alerts.yml"),
		"compose/grafana/dashboards/jamf-gateway.json": dashboardQueries(t, deployDir+"compose/grafana/dashboards/jamf-gateway.json"),
	} {
		if len(queries) < 5 {
			t.Errorf("%s: only %d queries found", file, len(queries))
		}
		for _, q := range queries {
			labels := regexp.MustCompile(`by \([^)]*\)|"[^"]*"`).ReplaceAllString(q, "")
			for _, name := range metricName.FindAllString(labels, -1) {
				if strings.HasSuffix(name, "_source") || strings.HasSuffix(name, "_kind") {
					continue // a label
				}
				if !regexp.MustCompile(`(?m)^` + name + `[{ ]`).MatchString(exposed) {
					t.Errorf("%s: the gateway exposes no metric %s: %s", file, name, q)
				}
			}
			for _, m := range selector.FindAllStringSubmatch(q, -1) {
				if m[2] != "job" && !regexp.MustCompile(`(?m)^`+m[1]+`\{[^}]*\b`+m[2]+`=`).MatchString(exposed) {
					t.Errorf("%s: %s has no label %s: %s", file, m[1], m[2], q)
				}
			}
		}
	}
}

func TestPromtoolTestsTheAlarms(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("witness skipped: promtool is not installed")
	}
	cmd := exec.CommandContext(t.Context(), promtool, "test", "rules", "alerts.test.yml")
	cmd.Dir = deployDir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := web().Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func expressions(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^\s*expr: (.*)$`).FindAllStringSubmatch(string(data), -1) {
		if !strings.HasPrefix(m[1], "up{") {
			out = append(out, m[1])
		}
	}
	return out
}

func dashboardQueries(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(data, &board); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			out = append(out, target.Expr)
		}
	}
	return out
}
