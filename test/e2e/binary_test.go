//go:build e2e

package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// program builds the real binary. It lies at one place, so that it is linked for the first test alone.
func program(t *testing.T) string {
	t.Helper()
	out, err := filepath.Abs(filepath.Join("..", "..", "bin", "e2e", "jamf-gateway"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", out, "../../cmd/jamf-gateway")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, b)
	}
	return out
}

// demo is a running `jamf-gateway demo` on free ports.
type demo struct {
	cmd     *exec.Cmd
	printed string // everything up to the last line that it prints
	base    string
	admin   string
	data    string
	stderr  *bytes.Buffer
}

func startDemo(t *testing.T, bin string, env []string, args ...string) *demo {
	t.Helper()
	d := &demo{data: t.TempDir(), stderr: &bytes.Buffer{}}
	listen, admin := unusedAddress(t), unusedAddress(t)
	d.base, d.admin = "http://"+listen, "http://"+admin
	args = append([]string{"demo", "--listen", listen, "--admin-listen", admin, "--jamf-listen", unusedAddress(t), "--data-dir", d.data}, args...)
	d.cmd = exec.Command(bin, args...)
	d.cmd.Env = append(os.Environ(), env...)
	d.cmd.Stderr = d.stderr
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	timer := time.AfterFunc(2*time.Minute, func() { _ = d.cmd.Process.Kill() })
	defer timer.Stop()
	for lines.Scan() {
		d.printed += lines.Text() + "\n"
		if strings.Contains(lines.Text(), "Ctrl-C ends the demo") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return d
		}
	}
	t.Fatalf("the demo ended early:\n%s\n%s", d.printed, d.stderr)
	return nil
}

// end sends SIGTERM and waits.
func (d *demo) end(t *testing.T) {
	t.Helper()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("the demo ended with %v\n%s", err, d.stderr)
	}
}

func TestEveryLineThatTheDemoPrintsWorks(t *testing.T) {
	d := startDemo(t, program(t), nil)
	for _, want := range []string{"Read 1200 computers", "Read 800 mobile devices"} {
		if !strings.Contains(d.printed, want) {
			t.Errorf("the demo does not say %q:\n%s", want, d.printed)
		}
	}
	_, lines, _ := strings.Cut(d.printed, "# 1.")
	var script strings.Builder
	script.WriteString("set -e\n")
	commands := 0
	for line := range strings.SplitSeq(lines, "\n") {
		if strings.HasPrefix(line, "curl") {
			commands++
			line = strings.Replace(line, "curl -s", "curl -sS --fail-with-body", 1) + "; echo; echo ---"
		}
		if strings.HasPrefix(line, "curl") || strings.HasPrefix(line, "TOKEN=") || strings.HasPrefix(line, "ADMIN_TOKEN_FILE=") {
			script.WriteString(line + "\n")
		}
	}
	sh := exec.CommandContext(t.Context(), "sh", "-c", script.String())
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%.3000s", err, out)
	}
	answers := strings.Split(string(out), "\n---\n")
	if commands < 8 || len(answers) != commands+1 {
		t.Fatalf("%d commands, %d answers", commands, len(answers)-1)
	}
	for i, want := range []string{`"items":[{`, `"uid":"demo:computer:`, `"status":"ok"`, `"ok":true`, `"totalCount":1200`, `"totalCount":800`, "jamf_devices", `"breaker":"closed"`} {
		if !strings.Contains(answers[i], want) {
			t.Errorf("answer %d holds no %s: %.400s", i+1, want, answers[i])
		}
	}
	d.end(t)
}

func TestSqlite3OpensAGeneration(t *testing.T) {
	sqlite, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Skip("witness skipped: sqlite3 is not installed")
	}
	d := startDemo(t, program(t), nil, "--computers", "50", "--mobiles", "50")
	d.end(t)
	files, err := filepath.Glob(filepath.Join(d.data, "data", "demo", "*", "*.sqlite"))
	if err != nil || len(files) != 2 {
		t.Fatalf("generation files %v, %v", files, err)
	}
	for _, f := range files {
		out, err := exec.CommandContext(t.Context(), sqlite, "-readonly", f, "pragma integrity_check; select count(*) from device;").CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != "ok\n50" {
			t.Errorf("%s: %v %s", filepath.Base(f), err, out)
		}
	}
}

func TestPromtoolAcceptsTheMetrics(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("witness skipped: promtool is not installed")
	}
	d := startDemo(t, program(t), nil, "--computers", "50", "--mobiles", "50")
	resp, err := web().Get(d.admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	cmd.Stdin = resp.Body
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
	d.end(t)
}

func TestTracesAreSentByOTLPWhenTheEnvironmentAsks(t *testing.T) {
	var posts, held atomic.Int64
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		posts.Add(1)
		if r.URL.Path == "/v1/traces" && bytes.Contains(body, []byte("jamf.source")) {
			held.Add(1)
		}
		if bytes.Contains(body, []byte("demo-secret")) {
			t.Error("a secret is sent to the collector")
		}
	}))
	defer collector.Close()
	env := []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL, "OTEL_EXPORTER_OTLP_COMPRESSION=none"}
	d := startDemo(t, program(t), env, "--computers", "50", "--mobiles", "50")
	d.end(t)
	if posts.Load() == 0 || held.Load() == 0 {
		t.Errorf("%d posts, %d with spans of Jamf calls", posts.Load(), held.Load())
	}
}

func TestServeDrainsOnSIGTERMAndKeepsItsTokens(t *testing.T) {
	bin := program(t)
	jamf := startDemo(t, bin, nil, "--computers", "30", "--mobiles", "30") // its Jamf side is the upstream
	upstream := regexp.MustCompile(`Simulated Jamf Pro: (\S+)`).FindStringSubmatch(jamf.printed)[1]
	dir := t.TempDir()
	listen := unusedAddress(t)
	settings := filepath.Join(dir, "gateway.yaml")
	write(t, settings, `
listen: `+listen+`
admin_listen: `+unusedAddress(t)+`
sources:
  - name: a
    url: `+upstream+`
    client_id: demo
    client_secret: env:JAMF_SECRET
    allow_insecure_loopback: true
clients:
  - id: i360
    secrets: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"]
`) // SHA-256 of "secret"
	start := func() *exec.Cmd {
		cmd := exec.Command(bin, "serve", "--config", settings)
		cmd.Env = append(os.Environ(), "JAMF_SECRET=demo-secret")
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		deadline := time.Now().Add(60 * time.Second)
		for {
			if resp, err := web().Get("http://" + listen + "/readyz"); err == nil {
				_ = resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					return cmd
				}
			}
			if time.Now().After(deadline) {
				t.Fatal("not ready in 60 s")
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	stop := func(cmd *exec.Cmd) {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("serve ended with %v", err)
		}
	}
	first := start()
	check := exec.CommandContext(t.Context(), bin, "check", "--config", settings, "--lang", "de")
	check.Env = append(os.Environ(), "JAMF_SECRET=demo-secret")
	if out, err := check.CombinedOutput(); err != nil || !strings.Contains(string(out), "Ergebnis: in Ordnung") {
		t.Errorf("check: %v\n%s", err, out)
	}
	wrong := exec.CommandContext(t.Context(), bin, "check", "--config", settings, "--json")
	wrong.Env = append(os.Environ(), "JAMF_SECRET=not-it")
	out, err := wrong.Output()
	if code := wrong.ProcessState.ExitCode(); code != 1 || err == nil || !bytes.Contains(out, []byte(`"auth_failed"`)) {
		t.Errorf("check with a wrong secret: exit code %d\n%s", code, out)
	}
	livez := exec.CommandContext(t.Context(), bin, "check", "--config", settings, "--livez")
	livez.Env = append(os.Environ(), "JAMF_SECRET=demo-secret")
	if out, err := livez.CombinedOutput(); err != nil {
		t.Errorf("check --livez: %v\n%s", err, out)
	}
	resp, err := web().PostForm("http://"+listen+"/oauth/token", map[string][]string{"grant_type": {"client_credentials"}, "client_id": {"i360"}, "client_secret": {"secret"}})
	if err != nil {
		t.Fatal(err)
	}
	var tok struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&tok); err != nil || tok.AccessToken == "" {
		t.Fatalf("token: %v", err)
	}
	_ = resp.Body.Close()
	stop(first)
	jamf.end(t) // Jamf is gone
	second := start()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+listen+"/api/v2/mobile-devices", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+tok.AccessToken)
	resp, err = web().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("with the token from before the restart: %d", resp.StatusCode)
	}
	stop(second)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWrongUseEndsWithTwo(t *testing.T) {
	bin := program(t)
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	write(t, bad, "listen: 127.0.0.1:8080\nsauces: []\n")
	for name, args := range map[string][]string{
		"unknown command": {"sync"}, "unknown flag": {"serve", "--what"}, "missing config": {"serve"},
		"unknown key": {"check", "--config", bad}, "no such file": {"serve", "--config", "nowhere.yaml"},
		"demo beyond loopback": {"demo", "--listen", "0.0.0.0:8080"},
	} {
		cmd := exec.CommandContext(t.Context(), bin, args...)
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != 2 || len(out) == 0 {
			t.Errorf("%s: exit code %d, %s", name, code, out)
		}
	}
	if out, err := exec.CommandContext(t.Context(), bin, "--help").CombinedOutput(); err != nil || !bytes.Contains(out, []byte("demo")) {
		t.Errorf("--help: %v %s", err, out)
	}
}

// unusedAddress is a loopback address on which nobody listens.
func unusedAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}
