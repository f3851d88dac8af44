//go:build e2e

package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"jamf-gateway/test/fakejamf"
	"jamf-gateway/test/wire"
)

// behind is the real binary with a small fleet, its log at debug level, and a token.
type behind struct {
	address, token string
	log            *logBuffer
}

func serveWire(t *testing.T) behind {
	t.Helper()
	o := gentle(fakejamf.Options{Computers: 5, Mobiles: 5, Seed: 1})
	o.ClientID, o.ClientSecret = "demo", "demo-secret"
	jamf := httptest.NewServer(fakejamf.New(o))
	t.Cleanup(jamf.Close)
	b := behind{address: unusedAddress(t), log: &logBuffer{}}
	settings := filepath.Join(t.TempDir(), "gateway.yaml")
	write(t, settings, `
listen: `+b.address+`
admin_listen: `+unusedAddress(t)+`
telemetry: {log_level: debug}
sources:
  - {name: a, url: "`+jamf.URL+`/api", client_id: demo, client_secret: env:JAMF_SECRET, allow_insecure_loopback: true}
clients:
  - {id: i360, secrets: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"]}
`) // SHA-256 of "secret"
	bin := program(t)
	cmd := exec.Command(bin, "serve", "--config", settings)
	cmd.Env = append(os.Environ(), "JAMF_SECRET=demo-secret")
	cmd.Stderr = b.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("serve ended with %v\n%s", err, tail(b.log.String(), 3000))
		}
	})
	eventually(t, "a sync begins, before the one of the start does", func() bool {
		return exec.CommandContext(t.Context(), bin, "sync", "a", "--config", settings).Run() == nil
	})
	eventually(t, "both kinds are read", func() bool {
		resp, err := web().PostForm("http://"+b.address+"/oauth/token", map[string][]string{
			"grant_type": {"client_credentials"}, "client_id": {"i360"}, "client_secret": {"secret"},
		})
		if err != nil {
			return false
		}
		defer func() { _ = resp.Body.Close() }()
		var out struct {
			Token string `json:"access_token"`
		}
		if json.NewDecoder(resp.Body).Decode(&out) != nil || out.Token == "" {
			return false
		}
		b.token = out.Token
		rq, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+b.address+"/v1/devices?require=fresh", nil)
		if err != nil {
			t.Fatal(err)
		}
		rq.Header.Set("Authorization", "Bearer "+b.token)
		devices, err := web().Do(rq)
		if err != nil {
			return false
		}
		_ = devices.Body.Close()
		return devices.StatusCode == http.StatusOK
	})
	return b
}

// requests are the requests that the gateway answered: id -> statuses.
func (b behind) requests(t *testing.T) map[string][]int {
	t.Helper()
	out := map[string][]int{}
	for line := range strings.Lines(b.log.String()) {
		var entry struct {
			Msg    string `json:"msg"`
			ID     string `json:"request_id"`
			Status int    `json:"status"`
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "request answered" {
			out[entry.ID] = append(out[entry.ID], entry.Status)
		}
	}
	if len(out) == 0 {
		t.Fatalf("the log names no request:\n%s", tail(b.log.String(), 2000))
	}
	return out
}

// settle waits until the log holds everything that was answered until now.
func (b behind) settle(t *testing.T, id string) {
	t.Helper()
	rq, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+b.address+"/livez", nil)
	if err != nil {
		t.Fatal(err)
	}
	rq.Header.Set("X-Request-Id", id)
	resp, err := web().Do(rq)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	eventually(t, "the log is written", func() bool { return len(b.requests(t)[id]) == 1 })
}

func tables(t *testing.T) (hostile, benign []wire.Case) {
	t.Helper()
	hostile, err := wire.Hostile()
	if err != nil {
		t.Fatal(err)
	}
	if benign, err = wire.Benign(); err != nil {
		t.Fatal(err)
	}
	return hostile, benign
}

func statusesOf(answers []wire.Answer) string {
	out := []int{}
	for _, a := range answers {
		out = append(out, a.Status)
	}
	return fmt.Sprint(out)
}

// Behind a proxy a request is smuggled when the gateway answers one that the proxy did not send. Every request of the proxy
// carries an id that only the proxy knows: what the gateway could read has it, and what it could not is refused.
func TestNothingIsSmuggledIntoTheBinaryDirectlyOrThroughNginx(t *testing.T) {
	b := serveWire(t)
	hostile, benign := tables(t)
	t.Run("directly", func(t *testing.T) {
		for _, tc := range append(hostile, benign...) {
			answers, closed, err := wire.Send(t.Context(), b.address, strings.ReplaceAll(tc.Raw, "{token}", b.token), 0)
			if got := statusesOf(answers); err != nil || got != fmt.Sprint(tc.Statuses) || closed != tc.Closed {
				t.Errorf("%s: %v, answers %s, connection closed: %v; want %v, %v", tc.Name, err, got, closed, tc.Statuses, tc.Closed)
			}
		}
		t.Logf("%d hostile sequences, %d legal ones", len(hostile), len(benign))
	})
	nginx, err := exec.LookPath("nginx")
	for _, buffering := range []string{"on", "off"} {
		t.Run("through nginx, request buffering "+buffering, func(t *testing.T) {
			if err != nil {
				t.Skip("witness skipped: nginx is not installed (Debian package nginx-light)")
			}
			b.throughNginx(t, nginx, buffering)
		})
	}
}

func (b behind) throughNginx(t *testing.T, nginx, buffering string) {
	t.Helper()
	b.settle(t, "before-"+buffering)
	before := b.requests(t)
	proxy, access := startWireNginx(t, nginx, b.address, buffering)
	hostile, benign := tables(t)
	for _, tc := range hostile {
		if _, _, err := wire.Send(t.Context(), proxy, tc.Raw, 0); err != nil {
			t.Errorf("%s: %v", tc.Name, err)
		}
	}
	for _, tc := range benign {
		answers, _, err := wire.Send(t.Context(), proxy, strings.ReplaceAll(tc.Raw, "{token}", b.token), 0)
		if got := statusesOf(answers); err != nil || got != fmt.Sprint(tc.Statuses) {
			t.Errorf("%s: %v, answers %s; want %v", tc.Name, err, got, tc.Statuses)
		}
	}
	b.settle(t, "behind-"+buffering)
	var sent map[string]int
	var answered map[string][]int
	total := 0
	eventually(t, "the gateway has answered as many requests as nginx has sent", func() bool {
		sent, answered, total = sentBy(t, access), b.requests(t), 0
		for id, statuses := range answered {
			if _, old := before[id]; old || id == "behind-"+buffering || id == "before-"+buffering {
				delete(answered, id)
			} else {
				total += len(statuses)
			}
		}
		sum := 0
		for _, n := range sent {
			sum += n
		}
		return sum == total
	})
	for id, statuses := range answered {
		if read := sent[id] == 1 && len(statuses) == 1; !read && statuses[0] < http.StatusBadRequest {
			t.Errorf("smuggled: %s, which nginx sent %d times, was answered with %v", id, sent[id], statuses)
		}
	}
	if total < len(benign) {
		t.Errorf("nginx passed on %d requests, the legal ones are %d", total, len(benign))
	}
	t.Logf("%d hostile sequences, %d legal ones; nginx passed on %d requests, and the gateway answered these and no other", len(hostile), len(benign), total)
}

// startWireNginx runs nginx as a plain reverse proxy that keeps its connections; access gets a line for each request:
// id, status of the upstream or a dash.
func startWireNginx(t *testing.T, nginx, upstream, buffering string) (address, access string) {
	t.Helper()
	dir := t.TempDir()
	address, access = unusedAddress(t), filepath.Join(dir, "access.log")
	conf := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/error.log;
events {}
http {
  client_body_temp_path %[1]s/body; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s; proxy_temp_path %[1]s/p;
  log_format ids "$request_id $upstream_status"; access_log %[2]s ids; large_client_header_buffers 8 16k; merge_slashes off;
  upstream gateway { server %[3]s; keepalive 4; }
  server {
    listen %[4]s; server_name localhost;
    location / {
      proxy_pass http://gateway; proxy_http_version 1.1; proxy_request_buffering %[5]s;
      proxy_set_header Connection ""; proxy_set_header Host $host; proxy_set_header X-Request-Id $request_id;
    }
  }
}
`, dir, access, upstream, address, buffering)
	file := filepath.Join(dir, "nginx.conf")
	write(t, file, conf)
	var stderr bytes.Buffer
	cmd := exec.Command(nginx, "-c", file, "-p", dir, "-e", filepath.Join(dir, "error.log"))
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	eventually(t, "nginx answers", func() bool {
		resp, err := web().Get("http://" + address + "/livez")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return address, access
}

// sentBy reads which requests nginx has passed on: id -> how often.
func sentBy(t *testing.T, access string) map[string]int {
	t.Helper()
	raw, err := os.ReadFile(access)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for lines.Scan() {
		if id, status, _ := strings.Cut(lines.Text(), " "); status != "-" {
			out[id]++
		}
	}
	return out
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatalf("in 60 s it did not come to be that %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
