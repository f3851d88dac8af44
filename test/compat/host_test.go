package compat_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hostSuffix ends the host names of these tests. There is no name service: whatever ends in it is this machine.
const hostSuffix = ".gateway.example"

// resolveHere lets the process, and so the SDK, which cannot be given a client, find those names.
func resolveHere() {
	transport, _ := http.DefaultTransport.(*http.Transport)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, port, err := net.SplitHostPort(address); err == nil && strings.HasSuffix(host, hostSuffix) {
			address = net.JoinHostPort("127.0.0.1", port)
		}
		return dial(ctx, network, address)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// run starts the binary and ends it with the test.
func run(t *testing.T, binary string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	cmd.Stdout, cmd.Stderr = io.Discard, os.Stderr
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
	})
}

// answers waits until a GET is answered with 200.
func answers(t *testing.T, address string) {
	t.Helper()
	last := errors.New("never asked")
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		resp, err := http.Get(address)
		if err != nil {
			last = err
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
		last = errors.New(resp.Status)
	}
	t.Fatalf("%s: %v", address, last)
}

// hostedGateway serves two simulated Jamf Pros, of 7 and of 11 computers, each at the root of a host name, the first one as the default too.
func hostedGateway(t *testing.T) (public string) {
	t.Helper()
	g, err := demo() // for its binary
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	public = freeAddress(t)
	settings := fmt.Sprintf("listen: %s\nadmin_listen: %s\ndata_dir: %s\nsources:\n", public, freeAddress(t), filepath.Join(dir, "data"))
	for name, computers := range map[string]string{"small": "7", "large": "11"} {
		jamf := freeAddress(t)
		run(t, g.binary, "fakejamf", "--listen", jamf, "--computers", computers, "--mobiles", "5", "--client-id", "gw", "--client-secret", "gateway-secret")
		answers(t, "http://"+jamf+"/healthCheck.html")
		settings += fmt.Sprintf("  - {name: %s, url: 'http://%s/api', client_id: gw, client_secret: 'env:JAMF_SECRET', allow_insecure_loopback: true, default: %t, hosts: [%s%s]}\n",
			name, jamf, name == "small", name, hostSuffix)
	}
	settings += fmt.Sprintf("clients:\n  - {id: compat, secrets: ['sha256:%x']}\n", sha256.Sum256([]byte("compat-secret")))
	file := filepath.Join(dir, "gateway.yaml")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("JAMF_SECRET", "gateway-secret")
	run(t, g.binary, "serve", "--config", file)
	answers(t, "http://"+public+"/readyz")
	return public
}

// A client that cannot use a path reaches each source at the root of its own host name, and nothing at any other name.
func TestTheSDKReachesASourceAtTheRootOfItsHostName(t *testing.T) {
	if os.Getenv("GATEWAY_URL") != "" {
		t.Skip("a given gateway has no host names of this test")
	}
	public := hostedGateway(t)
	_, port, _ := net.SplitHostPort(public)
	for host, want := range map[string]int{"small" + hostSuffix: 7, "large" + hostSuffix: 11, "127.0.0.1": 7} {
		c := connected(t, target{url: "http://" + net.JoinHostPort(host, port), id: "compat", secret: "compat-secret"})
		list, err := c.GetComputersInventory(url.Values{"page-size": {"3"}, "section": {"GENERAL", "HARDWARE"}, "sort": {"id:asc"}})
		if err != nil {
			t.Fatalf("%s: %v", host, err)
		}
		if list.TotalCount != want || len(list.Results) != want {
			t.Fatalf("%s: %d computers of %d, want %d", host, len(list.Results), list.TotalCount, want)
		}
		if got, err := c.GetComputerInventoryByID(list.Results[0].ID); err != nil || got.UDID != list.Results[0].UDID {
			t.Errorf("%s: by id: %v", host, err)
		}
		if ids := listed(t, c, "/api/v2/mobile-devices", "id", nil); len(ids) != 5 {
			t.Errorf("%s: mobile devices %v", host, ids)
		}
	}
	unknown := target{url: "http://" + net.JoinHostPort("other"+hostSuffix, port), id: "compat", secret: "compat-secret"}
	if c, err := client(t, unknown, unknown.secret); err == nil {
		if list, err := c.GetComputersInventory(url.Values{}); err == nil {
			t.Errorf("an unknown host name lists %d computers", list.TotalCount)
		}
	}
}
