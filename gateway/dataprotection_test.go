package gateway_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway"
	"jamf-gateway/gateway/catalogue"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/report"
)

// protected are settings with what a policy is made of, after some words were exchanged.
func protected(t *testing.T, dir string, exchange ...string) *config.Config {
	t.Helper()
	file := filepath.Join(dir, "gateway.yaml")
	text := strings.NewReplacer(exchange...).Replace(`
sources:
  - {name: a, url: "https://a.jamfcloud.com/api", client_id: x, client_secret: y, profile: standard, passthrough: [{path: "/v1/sites", ttl: 1h}]}
  - {name: b, url: "https://b.jamfcloud.com/api", client_id: x, client_secret: y, kinds: [mobile]}
clients:
  - {id: all, secrets: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"], on_stale: serve}
  - id: north
    secrets: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25c"]
    sources: [a]
    profile: minimal
    passthrough: true
    view: {managed_only: true, groups: [Pool], names: serial, sentinels: keep}
`)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func facts(t *testing.T, c *config.Config) report.Facts {
	t.Helper()
	f, err := gateway.DataProtection(c, "1.0", time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTheReportNamesThePolicyWithWhichTheGatewayStarted(t *testing.T) {
	dir := t.TempDir()
	start := func(c *config.Config) {
		t.Helper()
		g, err := gateway.New(t.Context(), gateway.Options{Config: c, Version: "1.0"})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
	}
	c := protected(t, dir)
	if f := facts(t, c); len(f.History.Entries) != 0 {
		t.Fatalf("%+v", f.History)
	}
	start(c)
	start(c)
	before := facts(t, c)
	if before.History.Current() != before.Policy.Digest() || len(before.History.Entries) != 1 {
		t.Fatalf("%s is in force, the settings say %s", before.History.Current(), before.Policy.Digest())
	}
	wider := protected(t, dir, "profile: minimal", "profile: standard")
	if text := report.Markdown(facts(t, wider), catalogue.DE); !strings.Contains(text, "| Richtlinie in Kraft | EINE ANDERE, "+before.Policy.Digest()) {
		t.Errorf("settings that were not taken up yet are not told:\n%.2000s", text)
	}
	start(wider)
	f := facts(t, wider)
	if f.History.Current() != f.Policy.Digest() || len(f.History.Entries) != 2 {
		t.Fatalf("%+v", f.History)
	}
	text := report.Markdown(f, catalogue.DE)
	if !strings.Contains(text, "Empfänger north aus a (Computer): zusätzlich gezeigt: general.jamfBinaryVersion, general.barcode1") || !strings.Contains(text, "| Dieselbe, seit ") {
		t.Errorf("%s", text[strings.Index(text, "## 15"):])
	}
}

// Whatever changes what is kept or shown changes the digest, and what does not leaves it alone.
func TestTheDigestOfThePolicyChangesWithWhatIsKeptAndShown(t *testing.T) {
	dir := t.TempDir()
	digest := facts(t, protected(t, dir)).Policy.Digest()
	for _, exchange := range [][]string{
		{"profile: standard", "profile: with-user"},
		{"kinds: [mobile]", "kinds: [computer]"},
		{"/v1/sites", "/v1/categories"},
		{"sources: [a]", "sources: [b]"},
		{"    profile: minimal\n", ""},
		{"passthrough: true", "passthrough: false"},
		{"managed_only: true", "no_byod: true"},
		{"[Pool]", "[Pool, Loans]"},
		{"names: serial", "names: pseudonym"},
		{"names: serial", "users: drop"},
		{"sentinels: keep", "sentinels: drop"},
		{"on_stale: serve", "kinds: [mobile]"},
		{"on_stale: serve", "endpoints: [facade]"},
		{"id: all", "id: everybody"},
		{"name: b", "name: c"},
	} {
		if facts(t, protected(t, dir, exchange...)).Policy.Digest() == digest {
			t.Errorf("%q for %q changes nothing", exchange[1], exchange[0])
		}
	}
	for _, exchange := range [][]string{
		{"527a25c", "527a25d"}, {"client_secret: y", "client_secret: z"}, {"on_stale: serve", "on_stale: fail"}, {"\nsources:", "\nlisten: 127.0.0.1:8081\nsources:"},
	} {
		if facts(t, protected(t, dir, exchange...)).Policy.Digest() != digest {
			t.Errorf("%q for %q is another policy", exchange[1], exchange[0])
		}
	}
}

// The figures of the report are those of the tables, which are those of fields.
func TestTheReportTellsWhatFieldsTells(t *testing.T) {
	c := protected(t, t.TempDir())
	f := facts(t, c)
	all, err := gateway.Leaving(c)
	if err != nil {
		t.Fatal(err)
	}
	text := report.Markdown(f, catalogue.EN)
	for i, one := range all {
		if f.Clients[i].Policy != one.Policy || len(f.Clients[i].Shown) != len(one.Sources) {
			t.Fatalf("%+v", f.Clients[i])
		}
		for j, s := range one.Sources {
			if len(f.Clients[i].Shown[j].Fields) != len(s.Fields) {
				t.Errorf("%s: %d fields, want %d", one.Client, len(f.Clients[i].Shown[j].Fields), len(s.Fields))
			}
			for _, field := range s.Fields {
				if !strings.Contains(text, "| `"+field.Path+"` |") {
					t.Errorf("%s is not in the report", field.Path)
				}
			}
		}
	}
	minimal, _ := device.BuiltinProfile("minimal")
	mobile := f.Sources[1].Kinds[0]
	if len(mobile.Fields) != len(minimal.Paths(device.Mobile)) || mobile.Asked <= mobile.Kept.Fields || mobile.Asked >= device.Opened(device.Mobile).Fields {
		t.Errorf("%d of %d fields that are sent are kept", len(mobile.Fields), mobile.Asked)
	}
	if a := f.Sources[0].Kinds[0]; strings.Join(a.Sections, ",") == strings.Join(mobile.Sections, ",") || !strings.Contains(strings.Join(a.Sections, ","), "GROUP_MEMBERSHIPS") {
		t.Errorf("groups are asked for, to tell who is in one: %v", a.Sections)
	}
}

// What the report says of the public door and of erasing is what these settings do.
func TestTheReportSaysHowTheDoorIsClosedAndHowDataLeaves(t *testing.T) {
	c := protected(t, t.TempDir())
	plain := report.Markdown(facts(t, c), catalogue.EN)
	c.TLS.CertFile, c.TLS.KeyFile = "/tls/gateway.crt", "/tls/gateway.key"
	files := report.Markdown(facts(t, c), catalogue.EN)
	c.TLS = config.TLS{ACME: config.ACME{Hosts: []string{"gateway.example.com"}, DirectoryURL: "https://acme.example/directory"}}
	c.Clients[0].Networks, c.Clients[1].Certificate.DNS = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, "north.example"
	acme := report.Markdown(facts(t, c), catalogue.DE)
	for _, has := range []struct{ text, words string }{
		{plain, "from the same machine alone"},
		{files, "TLS 1.2 or newer with a certificate of its own"},
		{files, "/tls/gateway.key"},
		{acme, "bezieht und erneuert sein Zertifikat bei https://acme.example/directory"},
		{acme, c.ACMEDir()},
		{acme, "nur aus festgelegten Netzen: all"},
		{acme, "nur mit einem Zertifikat des Empfängers: north"},
		{acme, "purge QUELLE:ART:ID"},
		{acme, "Frist: 30 Tage"},
		{acme, "show --serial"},
	} {
		if !strings.Contains(has.text, has.words) {
			t.Errorf("the report does not say %q", has.words)
		}
	}
	for _, hasNot := range []string{"festgelegten Netzen", "only from networks", "/tls/gateway.key", "acme"} {
		if strings.Contains(plain, hasNot) {
			t.Errorf("the report says %q of settings without it", hasNot)
		}
	}
}

// The digest of a client changes with its kinds and its API, and with nothing that only says who may ask.
func TestScopesOfAClientAreInItsDigestAndInTheReport(t *testing.T) {
	dir := t.TempDir()
	before := facts(t, protected(t, dir)).Clients
	for scope, same := range map[string]bool{
		"kinds: [mobile]": false, "endpoints: [normalized]": false,
		"kinds: [mobile, computer]": true, "endpoints: [normalized, facade]": true, "networks: [203.0.113.0/24]": true, `certificate: "dns:i360.example.com"`: true,
	} {
		after := facts(t, protected(t, dir, "on_stale: serve", scope, "\nsources:", behindTLS(t)+"sources:")).Clients
		if (after[0].Policy == before[0].Policy) != same || after[1].Policy != before[1].Policy {
			t.Errorf("%s: digests %s, %s, before %s, %s", scope, after[0].Policy, after[1].Policy, before[0].Policy, before[1].Policy)
		}
	}
	f := facts(t, protected(t, dir, "on_stale: serve", `endpoints: [normalized], networks: [203.0.113.0/24], certificate: "dns:i360.example.com"`, "\nsources:", behindTLS(t)+"sources:"))
	text := report.Markdown(f, catalogue.DE)
	for _, want := range []string{
		"| Zulässige Schnittstellen | nur die eigene Schnittstelle des Gateways |", "| Zulässige Schnittstellen | Jamf-Schnittstelle und eigene Schnittstelle des Gateways |",
		"| Zulässige Netze | nur 203.0.113.0/24 |", "| Zulässige Netze | jede Adresse, die das Gateway erreicht |", "| Weist sich aus durch | Geheimnis und eigenes Zertifikat |",
		"| Vorgeschaltete Proxys | 10.9.0.0/16: Nur was sie", "älter als 100 Tage ist", "spätestens 45 Tage nach dem Lesen dieses Standes",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	if text := report.Markdown(facts(t, protected(t, dir)), catalogue.DE); strings.Contains(text, "Vorgeschaltete") || !strings.Contains(text, "| Weist sich aus durch | Geheimnis |") {
		t.Error("what is not set is told")
	}
}

// behindTLS are settings of the whole with a certificate of an authority, proxies and terms.
func behindTLS(t *testing.T) string {
	t.Helper()
	ca, err := filepath.Abs("../config/testdata/ca.crt")
	if err != nil {
		t.Fatal(err)
	}
	return `
trusted_proxies: [10.9.0.0/16]
secret_max_age: 100d
retention: {deleted_devices: 45d}
data_dir: data
tls:
  client_ca_file: ` + ca + `
  acme: {hosts: [gw.example.com], directory_url: "https://acme.example.com/directory"}
`
}
