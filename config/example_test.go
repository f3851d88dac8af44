package config_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"jamf-gateway/config"
)

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestTheExampleIsAcceptedAndSaysTheDefaults(t *testing.T) {
	dir := t.TempDir()
	got, err := config.Parse([]byte(read(t, "../gateway.example.yaml")), "gateway.example.yaml", dir, nil)
	if err != nil {
		t.Fatalf("the example is refused:\n%v", err)
	}
	want, err := config.Parse([]byte(`
sources:
  - name: schule-a
    url: https://example.jamfcloud.com/api
    client_id: 00000000-0000-0000-0000-000000000000
    client_secret: put-the-client-secret-of-jamf-here
clients:
  - id: inventory360
    secrets: [sha256:`+strings.Repeat("0", 64)+`]
`), "gateway.yaml", dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, ignoreSecrets(), cmpopts.IgnoreFields(config.Config{}, "File", "Warnings", "Places")); diff != "" {
		t.Errorf("the example does not say the defaults (-defaults +example):\n%s", diff)
	}
	if len(got.Warnings) != 4 {
		t.Errorf("warnings %q, want those about the four placeholders", got.Warnings)
	}
}

// The lines of the example that are commented out are settings as well: they must be accepted when somebody uncomments them.
func TestTheExampleIsAcceptedWithEverythingUncommented(t *testing.T) {
	dir := t.TempDir()
	certPEM, keyPEM := pair(t)
	write(t, filepath.Join(dir, "tls.crt"), certPEM, 0o600)
	write(t, filepath.Join(dir, "tls.key"), keyPEM, 0o600)
	setting := regexp.MustCompile(`(?m)^( *)# ((?: *)(?:public_url|trusted_proxies|certificate|client_ca_file|tls|cert_file|key_file|at|hosts|passthrough|- path|ttl|proxy_url|ca_file|networks|sites|groups|prefixes|kinds|endpoints|sources|profile|profiles|asset-labels|extends|fields|dropped_fields):(?: .*)?)$`)
	text := setting.ReplaceAllString(read(t, "../gateway.example.yaml"), "$1$2")
	text = strings.ReplaceAll(text, "/etc/jamf-gateway/tls", filepath.Join(dir, "tls"))
	write(t, filepath.Join(dir, "ca.crt"), read(t, "testdata/ca.crt"), 0o600)
	text = strings.ReplaceAll(text, "/etc/jamf-gateway/ca", filepath.Join(dir, "ca"))
	c, err := config.Parse([]byte(text), "gateway.example.yaml", dir, nil)
	if err != nil {
		t.Fatalf("refused:\n%v", err)
	}
	if c.PublicURL == "" || c.TrustedProxies == nil || c.Clients[0].Networks == nil || c.Clients[0].Endpoints == nil || c.Clients[0].Certificate.DNS == "" || c.TLS.ClientCAFile == "" || c.TLS.CertFile == "" || c.Sources[0].Sync.At == "" || c.Sources[0].CAFile == "" || c.Sources[0].Proxy.Reveal() == "" || c.Clients[0].Sources == nil ||
		c.Clients[0].Profile == "" || c.Clients[0].View.Prefixes == nil || c.Clients[0].View.Sites == nil || c.Profiles["asset-labels"].Extends == "" || c.Profiles["asset-labels"].Dropped == "" {
		t.Errorf("not every commented setting was found: %+v", c)
	}
}

// every lists all settings as patterns, also those of own profiles.
func every(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, s := range config.Settings([]byte(strings.Replace(small, "client_id: cid", "passthrough: [{path: /v1/sites}], client_id: cid", 1) + "profiles: {x: {extends: minimal}}\n")) {
		all[s] = true
	}
	if len(all) < 34 {
		t.Fatalf("only %d settings are known: %v", len(all), all)
	}
	return all
}

func TestEverySettingStandsInTheExampleAndInTheDocuments(t *testing.T) {
	example, docs := read(t, "../gateway.example.yaml"), read(t, "../docs/configuration.md")
	for s := range every(t) {
		key := s[strings.LastIndexByte(s, '.')+1:]
		if !regexp.MustCompile(`(?m)^[ #-]*` + regexp.QuoteMeta(key) + `:`).MatchString(example) {
			t.Errorf("%s does not stand in gateway.example.yaml", s)
		}
		if !strings.Contains(docs, "| `"+s+"` |") {
			t.Errorf("%s does not stand in docs/configuration.md", s)
		}
		variable := config.VariableName(strings.NewReplacer("sources[].", "sources.<name>.", "clients[].", "clients.<id>.", "profiles.NAME.", "profiles.<name>.").Replace(s))
		variable = strings.NewReplacer("_NAME_", "<NAME>", "_ID_", "<ID>").Replace(variable)
		if s != "sources[].name" && s != "clients[].id" && !strings.Contains(s, "passthrough[]") && !strings.Contains(s, "secrets[]") && !strings.Contains(docs, "`"+variable+"`") {
			t.Errorf("%s: variable %s does not stand in docs/configuration.md", s, variable)
		}
	}
}

func TestTheDocumentsNameNoSettingThatIsUnknown(t *testing.T) {
	known := every(t)
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_.\\[\\]A-Z]+)` \\|").FindAllStringSubmatch(read(t, "../docs/configuration.md"), -1) {
		if !known[row[1]] {
			t.Errorf("docs/configuration.md describes %s, which does not exist", row[1])
		}
	}
}
