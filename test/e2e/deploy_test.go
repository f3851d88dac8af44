//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
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
	exposed += metricsWithTLS(t)

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

// metricsWithTLS is what a gateway exposes that has a certificate. Its Jamf is not there.
func metricsWithTLS(t *testing.T) string {
	t.Helper()
	dir, admin := t.TempDir(), unusedAddress(t)
	writeCertificate(t, dir)
	settings := filepath.Join(dir, "gateway.yaml")
	write(t, settings, fmt.Sprintf(`
listen: %s
admin_listen: %s
tls: {cert_file: %s, key_file: %s}
sources:
  - {name: a, url: "http://%s", client_id: demo, client_secret: env:JAMF_SECRET, allow_insecure_loopback: true}
clients:
  - {id: i360, secrets: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"]}
`, unusedAddress(t), admin, filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), unusedAddress(t)))
	cmd := exec.Command(program(t), "serve", "--config", settings)
	cmd.Env = append(os.Environ(), "JAMF_SECRET=demo-secret")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("serve ended with %v", err)
		}
	})
	eventually(t, "the admin door is open", func() bool {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", admin)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return get(t, "http://"+admin+"/metrics")
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
