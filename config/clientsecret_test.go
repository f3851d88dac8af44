package config_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

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
