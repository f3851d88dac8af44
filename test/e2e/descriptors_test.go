//go:build e2e

package e2e_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"jamf-gateway/test/fakejamf"
	"jamf-gateway/test/wire"
)

// Of 300 descriptors the public door takes 44, and one address 11: strangers that open connections and shake no hands leave the
// rest to files, to Jamf and to operators.
const (
	fewDescriptors = 300
	fewConnections = 44
	ofOneAddress   = 11
)

func TestStrangersWhoShakeNoHandsLeaveDescriptorsAndRoomForOthers(t *testing.T) {
	o := calm("descriptors are counted, and a sync shall take no time", fakejamf.Options{Computers: 40, Mobiles: 40, Seed: 1})
	o.ClientID, o.ClientSecret = "demo", "demo-secret"
	jamf := httptest.NewServer(fakejamf.New(o))
	t.Cleanup(jamf.Close)
	dir, address, admin := t.TempDir(), unusedAddress(t), unusedAddress(t)
	trust := writeCertificate(t, dir)
	settings := filepath.Join(dir, "gateway.yaml")
	write(t, settings, fmt.Sprintf(`
listen: %s
admin_listen: %s
tls: {cert_file: %s, key_file: %s}
sources:
  - {name: a, url: "%s/api", client_id: demo, client_secret: env:JAMF_SECRET, allow_insecure_loopback: true, limits: {requests_per_second: 50}}
clients:
  - {id: i360, secrets: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"]}
`, address, admin, filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), jamf.URL))
	bin, log := program(t), &logBuffer{}
	cmd := exec.Command("sh", "-c", fmt.Sprintf(`ulimit -n %d; exec "$0" serve --config "$1"`, fewDescriptors), bin, settings)
	cmd.Env = append(os.Environ(), "JAMF_SECRET=demo-secret")
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
	synced := func() bool {
		return exec.CommandContext(t.Context(), bin, "sync", "a", "--wait", "--config", settings).Run() == nil
	}
	eventually(t, "a sync goes through", synced)

	holders := strangers(t, address, 1, 5*ofOneAddress)
	eventually(t, "one address holds its share, and no more", func() bool { return alive(holders) == ofOneAddress })
	if status, err := askFrom(t, address, 1, trust); err != nil || status != http.StatusOK {
		t.Errorf("another one at the address that holds its share: %d, %v", status, err)
	}
	if status, err := askFrom(t, address, 2, trust); err != nil || status != http.StatusOK {
		t.Errorf("another address meanwhile: %d, %v", status, err)
	}
	for from := byte(3); from < 8; from++ {
		holders = append(holders, strangers(t, address, from, 2*ofOneAddress)...)
	}
	eventually(t, "the door holds what it may, and no more", func() bool { return alive(holders) == fewConnections })
	if status, err := askFrom(t, address, 2, trust); err == nil {
		t.Errorf("one more than the door takes is answered %d", status)
	}
	if !synced() {
		t.Errorf("no sync while the door is full\n%s", tail(log.String(), 3000))
	}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", cmd.Process.Pid))
	if err != nil || len(open) > fewDescriptors-128 {
		t.Errorf("%d descriptors are open: %v", len(open), err)
	}
}

// strangers opens connections from 127.0.0.from and says nothing. They stay until the test ends, or the gateway ends them.
func strangers(t *testing.T, address string, from byte, n int) (all []net.Conn) {
	t.Helper()
	for range n {
		c, err := dialerFrom(from).DialContext(t.Context(), "tcp", address)
		if err != nil {
			continue // refused so quickly that the dial saw it
		}
		t.Cleanup(func() { _ = c.Close() })
		all = append(all, c)
	}
	return all
}

// alive counts the connections that the gateway has not ended.
func alive(all []net.Conn) (n int) {
	for _, c := range all {
		_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := c.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
			n++
		}
	}
	return n
}

func dialerFrom(last byte) *net.Dialer {
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, last)}, Timeout: 5 * time.Second}
}

func askFrom(t *testing.T, address string, from byte, trust *x509.CertPool) (status int, err error) {
	t.Helper()
	web := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, DialContext: dialerFrom(from).DialContext, TLSClientConfig: &tls.Config{RootCAs: trust, MinVersion: tls.VersionTLS12},
	}}
	rq, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://"+address+"/livez", nil)
	if err != nil {
		return 0, err
	}
	resp, err := web.Do(rq)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// writeCertificate makes cert.pem and key.pem for 127.0.0.1, good for an hour.
func writeCertificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	cert, key, trust, err := wire.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "cert.pem"), string(cert))
	write(t, filepath.Join(dir, "key.pem"), string(key))
	return trust
}
