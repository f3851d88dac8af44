package config_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"jamf-gateway/config"
)

// scannerRule reads the expression that docs/security.md gives to scanners.
func scannerRule(t *testing.T, id string) *regexp.Regexp {
	t.Helper()
	doc, err := os.ReadFile(filepath.Join("..", "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`id = "` + id + `"[\s\S]*?regex = '''(.*)'''`).FindSubmatch(doc)
	if m == nil {
		t.Fatalf("docs/security.md has no rule %s", id)
	}
	return regexp.MustCompile(string(m[1]))
}

func TestScannersFindEverySecret(t *testing.T) {
	rule, made := scannerRule(t, "jamf-gateway-secret"), 0
	for range 10_000 {
		secret := config.NewClientSecret()
		if made++; made%2 == 0 {
			secret = config.NewToken(config.AdminPrefix)
		}
		if config.Mistyped(secret) {
			t.Fatalf("%s is mistyped", secret)
		}
		for _, text := range []string{secret, `"` + secret + `"`, "client_secret=" + secret + "&x=y", "Secret:" + secret + "\n"} {
			if got := rule.FindString(text); got != secret {
				t.Fatalf("in %q was found %q", text, got)
			}
		}
	}
	for _, other := range []string{"jgw_", "jgw_short", strings.Repeat("0123456789abcdef", 4), "xjgw_" + strings.Repeat("a", 49), "jgw_" + strings.Repeat("a", 50)} {
		if got := rule.FindString(other); got != "" {
			t.Errorf("%q is taken for a secret", got)
		}
	}
}

func TestAMistypedSecretIsToldFromAWrongOne(t *testing.T) {
	secret := config.NewClientSecret()
	for i := range secret {
		for _, c := range []byte("a0Z-") {
			typed := secret[:i] + string(c) + secret[i+1:]
			if typed != secret && strings.HasPrefix(typed, "jgw_") && !config.Mistyped(typed) {
				t.Errorf("character %d of %s as %c is not noticed", i, secret, c)
			}
		}
		if i >= 4 && !config.Mistyped(secret[:i]) {
			t.Errorf("cut to %d characters it is not noticed", i)
		}
	}
	for _, typed := range []string{secret + "a", " " + secret, secret + "\n"} {
		if !config.Mistyped(typed) {
			t.Errorf("%q is not noticed", typed)
		}
	}
	for _, other := range []string{"", "word", strings.Repeat("0123456789abcdef", 4), strings.ToUpper(secret)} {
		if config.Mistyped(other) {
			t.Errorf("%q never was one of ours", other)
		}
	}
}

const twoSecrets = `
sources: [{name: a, url: https://a.jamfcloud.com/api, client_id: x, client_secret: "env:A"}]
clients:
  - id: inventory360
    secrets:
      - {hash: "sha256:` + hash + `", expires: 2026-12-24, name: autumn}
      - secret: file:next
        expires: 2027-01-31
`

func TestASecretCanHaveANameAndAnEndAndStandElsewhere(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "next"), "the next secret\n", 0o600)
	c, err := config.Parse([]byte(twoSecrets), "gateway.yaml", dir, env())
	if err != nil {
		t.Fatal(err)
	}
	old, next := config.HashSecret("secret"), config.HashSecret("the next secret")
	if got := c.Clients[0].Secrets; len(got) != 2 || got[0] != old || got[1] != next {
		t.Fatalf("%x", got)
	}
	ends := time.Date(2026, 12, 25, 0, 0, 0, 0, time.Local)
	if got := c.Clients[0].Terms[old]; got.Name != "autumn" || !got.Expires.Equal(ends) {
		t.Errorf("%+v, want an end at %s", got, ends)
	}
	for now, want := range map[time.Time]string{
		ends.AddDate(0, 0, -15): "",
		ends.AddDate(0, 0, -13): "gateway.yaml:6: clients.inventory360.secrets[0].expires: ends after 2026-12-24; if the client still uses it, make the next one: jamf-gateway client rotate inventory360",
		ends:                    "gateway.yaml:6: clients.inventory360.secrets[0].expires: has ended after 2026-12-24: whoever uses it is refused; remove it",
		time.Date(2027, 1, 31, 23, 0, 0, 0, time.Local): "gateway.yaml:6: clients.inventory360.secrets[0].expires: has ended after 2026-12-24: whoever uses it is refused; remove it\n" +
			"gateway.yaml:8: clients.inventory360.secrets[1].expires: ends after 2027-01-31; if the client still uses it, make the next one: jamf-gateway client rotate inventory360",
	} {
		var lines, german []string
		for _, p := range c.ExpiryWarnings(now) {
			lines, german = append(lines, p.String()), append(german, p.GermanText())
		}
		if got := strings.Join(lines, "\n"); got != want {
			t.Errorf("at %s: %s\nwant %s", now, got, want)
		}
		if strings.Contains(strings.Join(german, " "), "ended") || strings.Contains(strings.Join(german, " "), "make the next") {
			t.Errorf("not in German: %q", german)
		}
	}
}
