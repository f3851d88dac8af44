//go:build e2e

package e2e_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"jamf-gateway/test/fakejamf"
)

// lastStage are the instructions of the image that is shipped.
func lastStage(t *testing.T) (out []string) {
	t.Helper()
	raw, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(strings.ReplaceAll(string(raw), "\\\n", " ")) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		if strings.HasPrefix(line, "FROM ") {
			out = nil
		}
		out = append(out, line)
	}
	return out
}

// The image holds the program, authorities and the licence, has no shell and nobody to become, and one place to write to.
func TestTheImageHasNoShellNoRootAndOneVolume(t *testing.T) {
	allowed := regexp.MustCompile(`^(FROM scratch|COPY --from=build (--chown=65532:65532 )?\S+ /(etc/ssl/certs/ca-certificates.crt|LICENSE|jamf-gateway|data|tmp)|` +
		`USER 65532:65532|WORKDIR /data|VOLUME /data|EXPOSE [\d ]+|HEALTHCHECK .* CMD \["/jamf-gateway", .*\]|ENTRYPOINT \["/jamf-gateway"\]|CMD \[.*\])$`)
	seen := map[string]int{}
	for _, line := range lastStage(t) {
		if !allowed.MatchString(line) {
			t.Errorf("the last stage has %q", line)
		}
		word, _, _ := strings.Cut(line, " ")
		seen[word]++
	}
	if seen["FROM"] != 1 || seen["USER"] != 1 || seen["VOLUME"] != 1 || seen["ENTRYPOINT"] != 1 || seen["HEALTHCHECK"] != 1 {
		t.Errorf("the last stage has %v", seen)
	}
}

// A root that cannot be written, with what the image has in it, no shell and no rights: the gateway reads its Jamf and serves.
func TestTheProgramServesFromAReadOnlyRootWithoutRights(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("skipped: needs root, for a root of its own")
	}
	for _, tool := range []string{"unshare", "chroot", "setpriv"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("witness skipped: %s is not installed", tool)
		}
	}
	jamf := httptest.NewServer(fakejamf.New(calm("the room is tested", fakejamf.Options{Computers: 5, Mobiles: 5, Seed: 1, ClientID: "demo", ClientSecret: "demo-secret"})))
	t.Cleanup(jamf.Close)
	root, data, address := t.TempDir(), t.TempDir(), unusedAddress(t)
	for _, dir := range []string{"data", "tmp", "proc"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	bin := program(t)
	// What is shipped is static (make reproduce looks). The binary of the tests may want the C library: it gets that and nothing else.
	libraries, _ := exec.Command("ldd", bin).Output()
	for _, file := range append(regexp.MustCompile(`/\S+`).FindAllString(string(libraries), -1), bin) {
		to := filepath.Join(root, "jamf-gateway")
		if file != bin {
			to = filepath.Join(root, file)
		}
		if out, err := exec.Command("sh", "-c", `mkdir -p "$(dirname "$1")" && cp -L "$0" "$1"`, file, to).CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
	}
	write(t, filepath.Join(data, "gateway.yaml"), fmt.Sprintf(`listen: %s
admin_listen: %s
data_dir: /data/data
sources:
  - {name: a, url: "%s/api", client_id: demo, client_secret: env:JAMF_SECRET, allow_insecure_loopback: true, limits: {requests_per_second: 50}}
clients:
  - {id: i360, secrets: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"]}
`, address, unusedAddress(t), jamf.URL))
	if out, err := exec.Command("chown", "-R", "65532:65532", data).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	log := &logBuffer{}
	cmd := exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-euc", `
		mount --bind "$0" "$0"
		mount --bind "$1" "$0/data"
		mount -o remount,ro,bind "$0"
		exec setpriv --no-new-privs chroot --userspec=65532:65532 "$0" /jamf-gateway serve --config /data/gateway.yaml`, root, data)
	cmd.Env = []string{"JAMF_SECRET=demo-secret", "PATH=" + os.Getenv("PATH")}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("serve ended with %v\n%s", err, tail(log.String(), 3000))
		}
	})
	eventually(t, "a sync is begun, before the one of the start is", func() bool {
		return exec.CommandContext(t.Context(), bin, "sync", "a", "--config", filepath.Join(data, "gateway.yaml")).Run() == nil
	})
	eventually(t, "both kinds are read and kept", func() bool {
		kept, err := filepath.Glob(filepath.Join(data, "data", "a", "*", "*.sqlite"))
		resp, failed := web().Get("http://" + address + "/readyz")
		if failed != nil {
			return false
		}
		_ = resp.Body.Close()
		return err == nil && len(kept) >= 2 && resp.StatusCode == 200
	})
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Uid:\t65532\t65532\t65532\t65532", "Gid:\t65532\t65532\t65532\t65532", "CapEff:\t0000000000000000", "NoNewPrivs:\t1"} {
		if !strings.Contains(string(status), want) {
			t.Errorf("the process has not %q:\n%s", want, status)
		}
	}
	mounts, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", cmd.Process.Pid))
	if err != nil || !regexp.MustCompile(`(?m) / ro\b`).Match(mounts) {
		t.Errorf("the root is not read-only: %v\n%s", err, mounts)
	}
}
