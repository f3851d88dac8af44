package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/config"
)

func TestAnAuthorityStandsInPlaceOfTheFiles(t *testing.T) {
	c := parse(t, small+"tls: {acme: {hosts: [Gateway.Example.com., b.example.com], email: it@example.com}}\n")
	want := config.ACME{Hosts: []string{"gateway.example.com", "b.example.com"}, Email: "it@example.com", DirectoryURL: "https://acme-v02.api.letsencrypt.org/directory"}
	if diff := cmp.Diff(want, c.TLS.ACME); diff != "" {
		t.Error(diff)
	}
	if !c.TLS.On() || c.Listen != ":8443" {
		t.Errorf("TLS %v at %s, want it on at :8443", c.TLS.On(), c.Listen)
	}
	files, _ := c.CertificateFiles()
	if len(files) != 2 || files[0] != filepath.Join(c.DataDir, ".acme", "gateway.example.com") {
		t.Errorf("certificates in %v", files)
	}
}

func TestAnAuthorityThatCannotBeAskedIsRefused(t *testing.T) {
	for name, tc := range map[string]struct{ text, want, german string }{
		"beside files":    {"cert_file: x, key_file: x, acme: {hosts: [a.example.com]}", "tls.acme: stands beside cert_file and key_file", "steht neben"},
		"no host":         {"acme: {email: it@example.com}", "tls.acme.hosts: names no host for which a certificate is wanted", "nennt keinen"},
		"wildcard":        {"acme: {hosts: ['*.example.com']}", "tls.acme.hosts[0]: must be a host name like", "muss ein Hostname"},
		"one word":        {"acme: {hosts: [gateway]}", "tls.acme.hosts[0]: must be a host name like", "muss ein Hostname"},
		"address":         {"acme: {hosts: [192.0.2.1]}", "tls.acme.hosts[0]: must be a host name like", "muss ein Hostname"},
		"path":            {"acme: {hosts: [a.example.com/../x]}", "tls.acme.hosts[0]: must be a host name like", "muss ein Hostname"},
		"twice":           {"acme: {hosts: [a.example.com, A.example.com.]}", "tls.acme.hosts[1]: a.example.com stands twice", "steht zweimal da"},
		"too many":        {"acme: {hosts: [" + strings.Join(hostsTo(21), ", ") + "]}", "tls.acme.hosts: at most 20 can be named", "höchstens 20"},
		"email":           {"acme: {hosts: [a.example.com], email: 'it@example.com, x@example.com'}", "tls.acme.email: must be one address", "einzelne Adresse"},
		"plain directory": {"acme: {hosts: [a.example.com], directory_url: 'http://ca.example.com/dir'}", "tls.acme.directory_url: must be the directory", "Verzeichnis"},
		"no CA":           {"acme: {hosts: [a.example.com], ca_file: none.pem}", "tls.acme.ca_file: stat ", "gibt es nicht"},
	} {
		_, err := config.Parse([]byte(small+"tls: {"+tc.text+"}\n"), "gateway.yaml", t.TempDir(), env())
		invalid, ok := err.(*config.InvalidError) //nolint:errorlint // Parse returns it bare
		if !ok {
			t.Errorf("%s: %v, want a refusal", name, err)
			continue
		}
		if !strings.Contains(invalid.Error(), "gateway.yaml:6: "+tc.want) || !strings.Contains(invalid.German(), tc.german) {
			t.Errorf("%s:\n%v\n%s\nwant %q, %q", name, invalid, invalid.German(), tc.want, tc.german)
		}
	}
}

func hostsTo(n int) (out []string) {
	for i := range n {
		out = append(out, string(rune('a'+i))+".example.com")
	}
	return out
}

func TestACertificateThatEndsIsWarnedOf(t *testing.T) {
	dir := t.TempDir()
	cert, key := pair(t) // ends in an hour
	write(t, filepath.Join(dir, "tls.crt"), cert, 0o600)
	write(t, filepath.Join(dir, "tls.key"), key, 0o600)
	files, err := config.Parse([]byte(small+"tls: {cert_file: tls.crt, key_file: tls.key}\n"), "gateway.yaml", dir, env())
	if err != nil {
		t.Fatal(err)
	}
	authority := parse(t, small+"tls: {acme: {hosts: [gateway.example.com, not-yet.example.com]}}\n")
	write(t, filepath.Join(authority.ACMEDir(), "gateway.example.com"), key+cert, 0o600)
	for _, tc := range []struct {
		c            *config.Config
		after        time.Duration
		want, german string
	}{
		{files, -22 * 24 * time.Hour, "", ""},
		{files, 0, "gateway.yaml:6: tls.cert_file: the certificate for gateway.example.com ends on ", "erneuern Sie es"},
		{files, 2 * time.Hour, "gateway.yaml:6: tls.cert_file: the certificate for gateway.example.com ended on ", "ist am"},
		{authority, -22 * 24 * time.Hour, "", ""},
		{authority, 0, "gateway.yaml:6: tls.acme.hosts: the certificate for gateway.example.com ends on ", "wurde nicht erneuert"},
		{authority, 2 * time.Hour, "and was not renewed: clients refuse it", "wurde nicht erneuert"},
	} {
		got, german := "", ""
		for _, w := range tc.c.ExpiryWarnings(time.Now().Add(tc.after)) {
			got, german = got+w.String(), german+w.German()
		}
		if (tc.want == "") != (got == "") || !strings.Contains(got, tc.want) || !strings.Contains(german, tc.german) {
			t.Errorf("after %v: %q, %q; want %q, %q", tc.after, got, german, tc.want, tc.german)
		}
	}
}

func TestASecretThatIsOldIsWarnedOf(t *testing.T) {
	dir := t.TempDir()
	for _, file := range []string{"one", "two"} {
		write(t, filepath.Join(dir, file), "geheim-"+file, 0o600)
	}
	text := strings.Replace(small, `client_secret: "env:A"`, `client_secret: "file:one", second_client: {client_id: other, client_secret: "file:two"}`, 1)
	c, err := config.Parse([]byte(text+"secret_max_age: 90d\n"), "gateway.yaml", dir, env())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	old := now.Add(-91 * 24 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "two"), old, old); err != nil {
		t.Fatal(err)
	}
	got := c.ExpiryWarnings(now)
	want := "gateway.yaml:3: sources.schule-a.second_client.client_secret: the secret's file was last changed on " + old.UTC().Format(time.DateOnly) + ", which is longer ago than secret_max_age (90d): rotate the secret in Jamf Pro"
	if len(got) != 1 || got[0].String() != want || !strings.Contains(got[0].German(), "Erneuern Sie das Secret in Jamf Pro") {
		t.Errorf("%v, want %q", got, want)
	}
	if got := c.ExpiryWarnings(now.Add(90 * 24 * time.Hour)); len(got) != 2 || !strings.Contains(got[0].String(), "gateway.yaml:3: sources.schule-a.client_secret: ") {
		t.Errorf("later: %v, want both", got)
	}
	if got := parse(t, small).ExpiryWarnings(now.AddDate(9, 0, 0)); len(got) != 0 {
		t.Errorf("a secret from a variable: %v", got)
	}
}
