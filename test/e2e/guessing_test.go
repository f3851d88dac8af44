//go:build e2e

package e2e_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"jamf-gateway/test/fakejamf"
)

const guess = "grant_type=client_credentials&client_id=i360&client_secret=wrong"

// besieged is the real binary, in a process of its own whose processor time is measured.
type besieged struct {
	t       *testing.T
	address string
	pid     int
	trust   *x509.CertPool // nil: without TLS
}

// TestGuessingCostsAtMostOneCore guesses secrets for GUESSING=seconds in each of several ways, and holds the processor time of the gateway against
// that of one core; the rightful client gets its tokens meanwhile. `make guessing` runs it.
func TestGuessingCostsAtMostOneCore(t *testing.T) {
	seconds, err := strconv.Atoi(os.Getenv("GUESSING"))
	if err != nil || seconds < 1 {
		t.Skip("GUESSING=10 guesses for ten seconds in each way; make guessing does")
	}
	for _, way := range []struct {
		name      string
		secure    bool
		addresses byte // that guess
		each      int  // guessers of each
		hangUp    bool // a connection for each guess, whose answer is not waited for
	}{
		{"one address, connections that stay", false, 1, 1000, false},
		{"30 addresses, connections that stay", false, 30, 200, false},
		{"one address, a connection for each guess", false, 1, 500, true},
		{"30 addresses, a connection for each guess", false, 30, 50, true},
		{"TLS, one address, connections that stay", true, 1, 500, false},
		{"TLS, one address, a connection for each guess", true, 1, 500, true},
	} {
		t.Run(way.name, func(t *testing.T) {
			b := besiege(t, way.secure)
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(seconds)*time.Second)
			defer cancel()
			var guesses atomic.Int64
			var all sync.WaitGroup
			before, begun := cpuOf(t, b.pid), time.Now()
			for from := range way.addresses {
				for range way.each {
					all.Go(func() { b.guess(ctx, 10+from, way.hangUp, &guesses) })
				}
			}
			var kept, fresh waits
			all.Go(func() { kept = b.rightful(ctx, true) })
			all.Go(func() { fresh = b.rightful(ctx, false) })
			<-ctx.Done()
			spent, took := cpuOf(t, b.pid)-before, time.Since(begun)
			all.Wait()
			cores, each := spent.Seconds()/took.Seconds(), spent/time.Duration(max(1, guesses.Load()))
			t.Logf("%s: %d guesses in %.1f s (%.0f a second), %.2f cores of %d, %v a guess; tokens for the rightful client on a kept connection: %s; on new ones: %s",
				way.name, guesses.Load(), took.Seconds(), float64(guesses.Load())/took.Seconds(), cores, runtime.NumCPU(), each.Round(time.Microsecond), kept, fresh)
			if cores > 1 {
				t.Errorf("guessing costs %.2f cores", cores)
			}
			if kept.failed+fresh.failed > 0 {
				t.Errorf("the rightful client was refused %d times on a kept connection (%v) and %d on new ones (%v)", kept.failed, kept.last, fresh.failed, fresh.last)
			}
		})
	}
}

func besiege(t *testing.T, secure bool) *besieged {
	t.Helper()
	jamf := httptest.NewServer(fakejamf.New(calm("processor time is measured", fakejamf.Options{Computers: 5, Mobiles: 5, Seed: 1, ClientID: "demo", ClientSecret: "demo-secret"})))
	t.Cleanup(jamf.Close)
	dir := t.TempDir()
	b := &besieged{t: t, address: unusedAddress(t)}
	door := ""
	if secure {
		b.trust = writeCertificate(t, dir)
		door = fmt.Sprintf("tls: {cert_file: %q, key_file: %q}\n", filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	}
	settings := filepath.Join(dir, "gateway.yaml")
	write(t, settings, fmt.Sprintf(`listen: %s
admin_listen: %s
%ssources:
  - {name: a, url: "%s/api", client_id: demo, client_secret: env:JAMF_SECRET, allow_insecure_loopback: true}
clients:
  - {id: i360, secrets: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"]}
`, b.address, unusedAddress(t), door, jamf.URL)) // SHA-256 of "secret"
	log := &logBuffer{}
	cmd := exec.Command(program(t), "serve", "--config", settings)
	cmd.Env = append(os.Environ(), "JAMF_SECRET=demo-secret")
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b.pid = cmd.Process.Pid
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("serve ended with %v\n%s", err, tail(log.String(), 2000))
		}
	})
	eventually(t, "the gateway answers", func() bool {
		_, err := b.token(context.Background(), b.client(2, false))
		return err == nil
	})
	return b
}

func (b *besieged) client(from byte, keep bool) *http.Client {
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: !keep, DialContext: dialerFrom(from).DialContext, TLSClientConfig: &tls.Config{RootCAs: b.trust, MinVersion: tls.VersionTLS12},
	}}
}

func (b *besieged) scheme() string {
	if b.trust != nil {
		return "https://"
	}
	return "http://"
}

func (b *besieged) ask(ctx context.Context, c *http.Client, form string) (status int, err error) {
	rq, err := http.NewRequestWithContext(ctx, http.MethodPost, b.scheme()+b.address+"/oauth/token", strings.NewReader(form))
	if err != nil {
		return 0, err
	}
	rq.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rs, err := c.Do(rq)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, rs.Body)
	return rs.StatusCode, errors.Join(err, rs.Body.Close())
}

func (b *besieged) token(ctx context.Context, c *http.Client) (took time.Duration, err error) {
	begun := time.Now()
	status, err := b.ask(ctx, c, url.Values{"grant_type": {"client_credentials"}, "client_id": {"i360"}, "client_secret": {"secret"}}.Encode())
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("HTTP %d", status)
	}
	return time.Since(begun), err
}

// guess guesses until ctx ends.
func (b *besieged) guess(ctx context.Context, from byte, hangUp bool, guesses *atomic.Int64) {
	c := b.client(from, true)
	defer c.CloseIdleConnections()
	for ctx.Err() == nil {
		if !hangUp {
			if status, err := b.ask(ctx, c, guess); err == nil && status == http.StatusUnauthorized {
				guesses.Add(1)
			}
			continue
		}
		if b.hurl(ctx, from) == nil {
			guesses.Add(1)
		}
	}
}

// hurl guesses and goes.
func (b *besieged) hurl(ctx context.Context, from byte) error {
	conn, err := dialerFrom(from).DialContext(ctx, "tcp", b.address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // or this machine runs out of ports
	}
	c := net.Conn(conn)
	if b.trust != nil {
		c = tls.Client(conn, &tls.Config{RootCAs: b.trust, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12})
	}
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	_, err = fmt.Fprintf(c, "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", len(guess), guess)
	if err == nil { // a moment, so that it is read before the connection is reset
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		_, _ = c.Read(make([]byte, 1))
	}
	return err
}

// waits are how long the rightful client waited for its tokens.
type waits struct {
	all    []time.Duration
	failed int
	last   error
}

// rightful asks for a token ten times a second, from an address at which nobody guesses.
func (b *besieged) rightful(ctx context.Context, keep bool) (w waits) {
	c := b.client(2, keep)
	defer c.CloseIdleConnections()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if took, err := b.token(context.WithoutCancel(ctx), c); err == nil {
			w.all = append(w.all, took)
		} else {
			w.failed, w.last = w.failed+1, err
		}
		select {
		case <-ctx.Done():
			return w
		case <-tick.C:
		}
	}
}

func (w waits) String() string {
	if len(w.all) == 0 {
		return fmt.Sprintf("none, %d failed", w.failed)
	}
	slices.Sort(w.all)
	return fmt.Sprintf("%d, p50 %v, longest %v, %d failed", len(w.all), w.all[len(w.all)/2].Round(10*time.Microsecond), w.all[len(w.all)-1].Round(time.Millisecond), w.failed)
}

// cpuOf is the processor time of a process so far.
func cpuOf(t *testing.T, pid int) time.Duration {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100
}
