// Package acme_test lets the real binary get its certificate from Pebble, the test authority of Let's Encrypt.
package acme_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/letsencrypt/challtestsrv"
	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
)

const host = "gateway.example.com"

// freePort is one that nobody listens on now, of the kind that the kernel hands out.
func freePort(t *testing.T, network string) int {
	t.Helper()
	if network == "udp" {
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.LocalAddr().(*net.UDPAddr).Port
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// pebble is the authority: it proves names at 127.0.0.1:door, which its own name server says every name is.
func pebble(t *testing.T, door int) (directory string, authority []byte, roots *x509.CertPool) {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "20") // percent of the requests that are to be repeated with a new nonce
	quiet := log.New(io.Discard, "", 0)
	dns := fmt.Sprintf("127.0.0.1:%d", freePort(t, "udp"))
	names, err := challtestsrv.New(challtestsrv.Config{DNSAddrs: []string{dns}, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	names.SetDefaultDNSIPv4("127.0.0.1")
	names.SetDefaultDNSIPv6("")
	go names.Run()
	t.Cleanup(names.Shutdown)
	store := db.NewMemoryStore()
	issuer := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {ValidityPeriod: 90 * 24 * 3600}})
	prover := va.New(quiet, freePort(t, "tcp"), door, false, dns, store)
	front := wfe.New(quiet, store, prover, issuer, []string{"pebble.letsencrypt.org"}, false, false, 1, 1)
	srv := httptest.NewTLSServer(front.Handler())
	t.Cleanup(srv.Close)
	roots = x509.NewCertPool()
	roots.AddCert(issuer.GetRootCert(0).Cert)
	return srv.URL + wfe.DirectoryPath, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), roots
}

// gateway builds the real binary and runs it until the test ends.
func gateway(t *testing.T, binary, dir string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, binary, "serve", "--config", filepath.Join(dir, "gateway.yaml"))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	said := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(said)
		}
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheGatewayGetsItsCertificateFromAnAuthority(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "jamf-gateway")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/jamf-gateway")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build jamf-gateway: %v\n%s", err, out)
	}
	door := freePort(t, "tcp")
	directory, authority, roots := pebble(t, door)
	write(t, filepath.Join(dir, "authority.pem"), string(authority))
	write(t, filepath.Join(dir, "gateway.yaml"), fmt.Sprintf(`
listen: 127.0.0.1:%d
admin_listen: "off"
tls:
  acme:
    hosts: [%s]
    email: it@example.com
    directory_url: %s
    ca_file: authority.pem
sources:
  - {name: a, url: "http://127.0.0.1:9/api", allow_insecure_loopback: true, client_id: cid, client_secret: "env:A", status: disabled}
clients:
  - {id: inventory360, secrets: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"]}
`, door, host, directory))
	t.Setenv("A", "geheim")
	t.Run("at the start", func(t *testing.T) {
		gateway(t, binary, dir)
		first := served(t, door, roots)
		if first.DNSNames[0] != host {
			t.Errorf("a certificate for %v", first.DNSNames)
		}
		strangers(t, door)
		out, err := exec.CommandContext(t.Context(), binary, "check", "--livez", "--config", filepath.Join(dir, "gateway.yaml")).CombinedOutput()
		if err != nil {
			t.Errorf("the health check of the container: %v\n%s", err, out)
		}
	})
	t.Run("what is kept", func(t *testing.T) {
		kept := filepath.Join(dir, "data", ".acme")
		if info, err := os.Stat(kept); err != nil || info.Mode().Perm() != 0o700 {
			t.Fatalf("%s: %v, %v, want mode 0700", kept, info, err)
		}
		files, err := os.ReadDir(kept)
		if err != nil || len(files) < 2 {
			t.Fatalf("%v, %v: want the account and the certificate", files, err)
		}
		for _, f := range files {
			if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v, want mode 0600", f.Name(), info, err)
			}
		}
	})
	t.Run("after a restart without the authority", func(t *testing.T) {
		text, err := os.ReadFile(filepath.Join(dir, "gateway.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "gateway.yaml"), strings.Replace(string(text), directory, "https://127.0.0.1:9/dir", 1))
		gateway(t, binary, dir)
		served(t, door, roots)
	})
}

// served asks for /livez until the door has a certificate that the authority has signed.
func served(t *testing.T, door int, roots *x509.CertPool) *x509.Certificate {
	t.Helper()
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, ForceAttemptHTTP2: true, DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, fmt.Sprintf("127.0.0.1:%d", door))
		},
	}}
	until := time.Now().Add(25 * time.Second)
	for {
		resp, err := client.Get("https://" + host + "/livez")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 1 {
				t.Errorf("GET /livez: %s %s", resp.Proto, resp.Status)
			}
			return resp.TLS.PeerCertificates[0]
		}
		if time.Now().After(until) {
			t.Fatal(err)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// strangers get no certificate: whoever asks for another name, or for the challenge when there is none.
func strangers(t *testing.T, door int) {
	t.Helper()
	probe, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", door))
	if err != nil {
		t.Errorf("a probe that knows only the address: %v", err)
	} else {
		_ = probe.Close()
	}
	for name, c := range map[string]*tls.Config{
		"another name":                {ServerName: "other.example.com"},
		"no challenge":                {ServerName: host, NextProtos: []string{"acme-tls/1"}},
		"only HTTP/2":                 {ServerName: host, NextProtos: []string{"h2"}},
		"RSA alone, no second asking": {ServerName: host, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}},
	} {
		c.InsecureSkipVerify = true
		conn, err := (&tls.Dialer{Config: c}).DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", door))
		if err == nil {
			_ = conn.Close()
			t.Errorf("%s: the handshake succeeds", name)
		}
	}
}
