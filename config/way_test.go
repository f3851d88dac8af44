package config_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jamf-gateway/config"
)

// with adds lines to the only source of small.
func with(lines string) string {
	return strings.Replace(small, `client_secret: "env:A"}`, `client_secret: "env:A", `+lines+`}`, 1)
}

func TestAHeartbeatIsSwitchedOffWithAWarning(t *testing.T) {
	c := parse(t, with(`heartbeat: off`))
	if c.Sources[0].Heartbeat != 0 || len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].String(), "sources.schule-a.heartbeat") {
		t.Errorf("heartbeat %v, warnings %v", c.Sources[0].Heartbeat, c.Warnings)
	}
	if c := parse(t, with(`heartbeat: 1m`)); c.Sources[0].Heartbeat != time.Minute || c.Warnings != nil {
		t.Errorf("heartbeat %v, warnings %v", c.Sources[0].Heartbeat, c.Warnings)
	}
}

func TestAProxyIsReadFromWhereverASecretMayStand(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "proxy.secret")
	write(t, file, "https://user:pw-4711@proxy.example.com:8443\n", 0o600)
	for text, want := range map[string]string{
		`proxy_url: "http://proxy:3128"`:         "http://proxy:3128",
		`proxy_url: "http://10.0.0.1:3128/"`:     "http://10.0.0.1:3128/",
		`proxy_url: "https://[2001:db8::1]:443"`: "https://[2001:db8::1]:443",
		`proxy_url: off`:                         config.ProxyOff,
		`proxy_url: "env:PROXY"`:                 "http://u:p%40w@proxy:3128",
		`proxy_url: "file:` + file + `"`:         "https://user:pw-4711@proxy.example.com:8443",
	} {
		c := parse(t, with(text), "PROXY=http://u:p%40w@proxy:3128")
		if got := c.Sources[0].Proxy.Reveal(); got != want || c.Warnings != nil {
			t.Errorf("%s: %q, warnings %v", text, got, c.Warnings)
		}
		if shown := fmt.Sprintf("%v %+v %#v", c, c.Sources[0], c.Sources[0]); strings.Contains(shown, "4711") || strings.Contains(shown, "p%40w") {
			t.Errorf("a password is printed: %s", shown)
		}
	}
}

func TestAPasswordOfAProxyInTheFileIsAWarningThatDoesNotRepeatIt(t *testing.T) {
	c := parse(t, with(`proxy_url: "http://user:pw-4711@proxy:3128"`))
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].String(), "proxy_url") || strings.Contains(c.Warnings[0].String(), "4711") {
		t.Errorf("warnings %v", c.Warnings)
	}
	text := refused(t, with(`proxy_url: "ftp://user:pw-4711@proxy:3128"`))
	if strings.Contains(text, "4711") || strings.Contains(text, "user") {
		t.Errorf("the message repeats the address: %s", text)
	}
}

func TestAFileOfCertificatesIsReadBeforeItIsNeeded(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "ca.crt"), "# ours\n"+read(t, "testdata/ca.crt"), 0o644)
	c := parse(t, with(fmt.Sprintf("ca_file: %q", filepath.Join(dir, "ca.crt"))))
	if c.Sources[0].CAFile != filepath.Join(dir, "ca.crt") {
		t.Errorf("ca_file %q", c.Sources[0].CAFile)
	}
	write(t, filepath.Join(dir, "bad.crt"), "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n", 0o644)
	if text := refused(t, with(fmt.Sprintf("ca_file: %q", filepath.Join(dir, "bad.crt")))); !strings.Contains(text, "certificate 1 in") {
		t.Error(text)
	}
}
