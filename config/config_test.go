package config_test

import (
	"crypto/sha256"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"jamf-gateway/config"
)

// small is the shortest settings file that is accepted, without a secret in the file.
const small = `
sources:
  - {name: schule-a, url: "https://a.jamfcloud.com/api", client_id: cid, client_secret: "env:A"}
clients:
  - {id: inventory360, secrets: ["sha256:` + hash + `"]}
`

const hash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b" // of "secret"

func env(extra ...string) []string { return append([]string{"A=geheim", "HOME=/home/x"}, extra...) }

func parse(t *testing.T, text string, extra ...string) *config.Config {
	t.Helper()
	c, err := config.Parse([]byte(text), "gateway.yaml", t.TempDir(), env(extra...))
	if err != nil {
		t.Fatalf("the settings are refused:\n%v", err)
	}
	return c
}

// refused parses settings that must be refused and returns the message.
func refused(t *testing.T, text string, extra ...string) string {
	t.Helper()
	c, err := config.Parse([]byte(text), "gateway.yaml", t.TempDir(), env(extra...))
	if err == nil {
		t.Fatalf("the settings are accepted: %+v", c)
	}
	if _, ok := errors.AsType[*config.InvalidError](err); !ok {
		t.Fatalf("the error is a %T, want *config.InvalidError", err)
	}
	return err.Error()
}

func ignoreSecrets() cmp.Option {
	return cmp.Comparer(func(a, b config.Secret) bool { return a.Reveal() == b.Reveal() })
}

func TestDefaultsAreThoseOfTheDocuments(t *testing.T) {
	dir := t.TempDir()
	got, err := config.Parse([]byte(small), "gateway.yaml", dir, env())
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Config{
		File: "gateway.yaml", Listen: "127.0.0.1:8080", AdminListen: "127.0.0.1:9480", MaxPageSize: 10_000, MaxStale: 30 * 24 * time.Hour, SecretMaxAge: 365 * 24 * time.Hour,
		KeyFile: filepath.Join(dir, "gateway.key"), AdminTokenFile: filepath.Join(dir, "admin.token"), DataDir: filepath.Join(dir, "data"), Cache: config.Cache{MaxBytes: 256 << 20},
		Audit: config.Audit{Dir: filepath.Join(dir, "data", ".audit"), Keep: 90 * 24 * time.Hour}, Retention: config.Retention{DeletedDevices: 30 * 24 * time.Hour},
		Sources: []config.Source{{
			Name: "schule-a", URL: "https://a.jamfcloud.com/api", ClientID: "cid", ClientSecret: config.NewSecret("geheim"),
			Kinds: []string{"computer", "mobile"}, Default: true, Profile: "minimal",
			Sync: config.Sync{Interval: 24 * time.Hour, PageSize: 800}, Limits: config.Limits{Connections: 2, RequestsPerSecond: 5},
			Guard: config.Guard{
				RemovedPercent: 15, RemovedCount: 25, UnconfirmedPercent: 3, UnconfirmedCount: 10, SmallPercent: 20, SmallCount: 3,
				WeekPercent: 25, SerialPercent: 2, SerialCount: 5, HardwarePercent: 50, BlankedPoints: 50, GrownPercent: 50,
			},
			Heartbeat: 5 * time.Minute,
		}},
		Clients:   []config.Client{{ID: "inventory360", Secrets: [][32]byte{sha256.Sum256([]byte("secret"))}, RequestsPerSecond: 5000}},
		Profiles:  map[string]config.Profile{},
		Telemetry: config.Telemetry{LogLevel: "info"},
	}
	if diff := cmp.Diff(want, got, ignoreSecrets(), cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Errorf("defaults differ (-want +got):\n%s", diff)
	}
}

func TestEverySettingCanBeWritten(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	certPEM, keyPEM := pair(t)
	write(t, cert, certPEM, 0o644)
	write(t, key, keyPEM, 0o600)
	write(t, filepath.Join(dir, "b.secret"), "from a file\n", 0o600)
	write(t, filepath.Join(dir, "cred", "c"), "from systemd\n", 0o400)
	got, err := config.Parse([]byte(`
listen: ":443"
admin_listen: off
metrics_listen: 0.0.0.0:9481
insecure_http: true
public_url: https://gateway.example.com/
max_page_size: 2000
max_stale: 7d12h
key_file: /var/lib/gateway.key
tls: {cert_file: tls.crt, key_file: tls.key, client_ca_file: tls.crt}
data_dir: /var/lib/jamf-gateway
cache: {max_bytes: 1GiB}
sources:
  - name: a
    url: https://a.jamfcloud.com/api
    client_id: 0123
    client_secret: env:A
    default: true
  - name: b
    url: http://127.0.0.1:8081/jamf/api
    client_id: cid
    client_secret: file:b.secret
    status: disabled
    allow_insecure_loopback: true
    kinds: [mobile]
    profile: own
    sync: {interval: 12h, at: 04:30, page_size: 400}
    limits: {connections: 5, requests_per_second: 2.5}
    guard: {removed_percent: 10, removed_count: 5, unconfirmed_percent: 2, unconfirmed_count: 9, small_percent: 10, small_count: 2,
      week_percent: 20, serial_percent: 1, serial_count: 4, hardware_percent: 60, blanked_points: 40, grown_percent: 30}
    names: false
  - name: c
    url: https://c.example.com:8443/api
    client_id: cid
    client_secret: cred:c
clients:
  - id: Inventory_360.x
    secrets: [sha256:`+hash+`, "sha256:`+strings.Repeat("AB", 32)+`"]
    sources: [b, a]
    profile: full
    view: {managed_only: true, no_byod: true, with_serial: true, sites: [Nord, 7], groups: [Lehrer], prefixes: [SN-], duplicates: newest, names: serial, users: pseudonym, sentinels: drop}
    on_stale: fail
    requests_per_second: 12.5
    kinds: [mobile]
    endpoints: [normalized, facade]
    networks: [10.20.0.0/16, "2001:db8::1"]
    certificate: dns:Inventory360.example.com
profiles:
  own: {extends: minimal, fields: [os.version, "computer:general.barcode1"], dropped_fields: omit}
telemetry: {log_level: debug, propagate_to_jamf: true}
admin_token_file: door.token
audit: {dir: log, keep: 365d}
secret_max_age: 180d
retention: {deleted_devices: 14d}
admin_hosts: [Admin.example.com, "192.0.2.7"]
trusted_proxies: [127.0.0.1]
`), "gateway.yaml", dir, env("CREDENTIALS_DIRECTORY="+filepath.Join(dir, "cred")))
	if err != nil {
		t.Fatal(err)
	}
	usual := config.Sync{Interval: 24 * time.Hour, PageSize: 800}
	want := &config.Config{
		File: "gateway.yaml", Listen: ":443", MetricsListen: "0.0.0.0:9481", InsecureHTTP: true, PublicURL: "https://gateway.example.com",
		MaxPageSize: 2000, MaxStale: 7*24*time.Hour + 12*time.Hour, SecretMaxAge: 180 * 24 * time.Hour, KeyFile: "/var/lib/gateway.key", AdminTokenFile: filepath.Join(dir, "door.token"), AdminHosts: []string{"admin.example.com", "192.0.2.7"}, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Audit: config.Audit{Dir: filepath.Join(dir, "log"), Keep: 365 * 24 * time.Hour},
		Retention: config.Retention{DeletedDevices: 14 * 24 * time.Hour},
		TLS:       config.TLS{CertFile: cert, KeyFile: key, ClientCAFile: cert}, DataDir: "/var/lib/jamf-gateway", Cache: config.Cache{MaxBytes: 1 << 30},
		Sources: []config.Source{
			{
				Name: "a", URL: "https://a.jamfcloud.com/api", ClientID: "0123", ClientSecret: config.NewSecret("geheim"),
				Kinds: []string{"computer", "mobile"}, Default: true, Profile: "minimal", Sync: usual,
				Limits:    config.Limits{Connections: 2, RequestsPerSecond: 5},
				Guard:     config.DefaultGuard(),
				Heartbeat: 5 * time.Minute,
			},
			{
				Name: "b", URL: "http://127.0.0.1:8081/jamf/api", ClientID: "cid", ClientSecret: config.NewSecret("from a file"),
				Disabled: true, AllowInsecureLoopback: true, Kinds: []string{"mobile"}, Profile: "own", SkipNames: true,
				Sync:   config.Sync{Interval: 12 * time.Hour, At: "04:30", PageSize: 400},
				Limits: config.Limits{Connections: 5, RequestsPerSecond: 2.5},
				Guard: config.Guard{
					RemovedPercent: 10, RemovedCount: 5, UnconfirmedPercent: 2, UnconfirmedCount: 9, SmallPercent: 10, SmallCount: 2,
					WeekPercent: 20, SerialPercent: 1, SerialCount: 4, HardwarePercent: 60, BlankedPoints: 40, GrownPercent: 30,
				},
				Heartbeat: 5 * time.Minute,
			},
			{
				Name: "c", URL: "https://c.example.com:8443/api", ClientID: "cid", ClientSecret: config.NewSecret("from systemd"),
				Kinds: []string{"computer", "mobile"}, Profile: "minimal", Sync: usual,
				Limits:    config.Limits{Connections: 2, RequestsPerSecond: 5},
				Guard:     config.DefaultGuard(),
				Heartbeat: 5 * time.Minute,
			},
		},
		Clients: []config.Client{{
			ID:      "Inventory_360.x",
			Secrets: [][32]byte{sha256.Sum256([]byte("secret")), [32]byte(slices.Repeat([]byte{0xab}, 32))},
			Sources: []string{"b", "a"}, Profile: "full", OnlyFresh: true, RequestsPerSecond: 12.5, Kinds: []string{"mobile"}, Endpoints: []string{"facade", "normalized"},
			Networks: []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16"), netip.MustParsePrefix("2001:db8::1/128")}, Certificate: config.Certificate{DNS: "inventory360.example.com"},
			View: config.View{
				ManagedOnly: true, NoBYOD: true, WithSerial: true, Sites: []string{"Nord", "7"}, Groups: []string{"Lehrer"}, Prefixes: []string{"SN-"}, NewestDuplicate: true,
				Names: "serial", Users: "pseudonym", DropSentinels: true,
			},
		}},
		Profiles: map[string]config.Profile{"own": {Extends: "minimal", Fields: []string{"os.version", "computer:general.barcode1"}, Dropped: "omit", Places: []config.Problem{
			{File: "gateway.yaml", Line: 49, Setting: "profiles.own.fields[0]"}, {File: "gateway.yaml", Line: 49, Setting: "profiles.own.fields[1]"},
		}}},
		Telemetry: config.Telemetry{LogLevel: "debug", PropagateToJamf: true},
		Places: map[string]config.Problem{
			"clients.Inventory_360.x.profile": {File: "gateway.yaml", Line: 40, Setting: "clients.Inventory_360.x.profile"},
			"admin_token_file":                {File: "gateway.yaml", Line: 51, Setting: "admin_token_file"},
			"key_file":                        {File: "gateway.yaml", Line: 9, Setting: "key_file"}, "data_dir": {File: "gateway.yaml", Line: 11, Setting: "data_dir"},
			"sources.b.client_secret": {File: "gateway.yaml", Line: 22, Setting: "sources.b.client_secret"},
			"sources.c.client_secret": {File: "gateway.yaml", Line: 35, Setting: "sources.c.client_secret"},
			"audit.dir":               {File: "gateway.yaml", Line: 52, Setting: "audit.dir"},
			"tls.cert_file":           {File: "gateway.yaml", Line: 10, Setting: "tls.cert_file"},
		},
	}
	if diff := cmp.Diff(want, got, ignoreSecrets(), cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Errorf("settings differ (-want +got):\n%s", diff)
	}
}

func TestListenIsOpenOnlyWithTLS(t *testing.T) {
	dir := t.TempDir()
	certPEM, keyPEM := pair(t)
	write(t, filepath.Join(dir, "c"), certPEM+keyPEM, 0o600)
	c, err := config.Parse([]byte(small+"tls: {cert_file: c, key_file: c}\n"), "gateway.yaml", dir, env())
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != ":8443" || len(c.Warnings) != 0 {
		t.Errorf("with TLS listen is %q with warnings %q, want :8443 and none", c.Listen, c.Warnings)
	}
	for _, address := range []string{"127.0.0.1:80", "[::1]:80", "localhost:80", "127.9.9.9:0"} {
		if c := parse(t, small+"listen: \""+address+"\"\n"); len(c.Warnings) != 0 {
			t.Errorf("%s: warnings %q, want none", address, c.Warnings)
		}
	}
	for _, address := range []string{":80", "0.0.0.0:80", "[::]:80", "192.0.2.1:80", "gateway.example.com:80"} {
		text := small + "listen: \"" + address + "\"\n"
		if got := refused(t, text); !strings.Contains(got, "can be reached from other machines, and there is no TLS") {
			t.Errorf("%s is refused with %q", address, got)
		}
		if c := parse(t, text+"insecure_http: true\n"); len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].Text, "in the clear") {
			t.Errorf("%s with insecure_http: warnings %q, want one", address, c.Warnings)
		}
	}
}

func TestWarningsNameWhatShouldNotStay(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "open.secret"), "geheim", 0o644)
	certPEM, keyPEM := pair(t)
	write(t, filepath.Join(dir, "tls.key"), certPEM+keyPEM, 0o640)
	path := filepath.Join(dir, "gateway.yaml")
	write(t, path, `
admin_listen: 0.0.0.0:9480
tls: {cert_file: tls.key, key_file: tls.key}
sources:
  - {name: a, url: "https://a.jamfcloud.com/api", client_id: cid, client_secret: "file:open.secret"}
  - {name: b, url: "https://b.jamfcloud.com/api", client_id: cid, client_secret: "sehr geheim"}
clients:
  - {id: x, secrets: ["sha256:`+strings.Repeat("0", 64)+`"]}
`, 0o644)
	c, err := config.Load(path, env())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"gateway.yaml:2: admin_listen: the admin door can be reached from other machines, and its token crosses the network in the clear",
		"gateway.yaml:3: tls.key_file: tls.key can be read by others (mode 0640); set it to 0600",
		"gateway.yaml:5: sources.a.client_secret: the secret's file open.secret can be read by others (mode 0644); set it to 0600",
		"gateway.yaml:6: sources.b.client_secret: the secret stands in the file; write file:PATH, env:NAME or cred:NAME instead",
		"gateway.yaml:8: clients.x.secrets[0]: is the placeholder of the example: no secret matches it",
		"gateway.yaml: the file holds a secret and can be read by others (mode 0644); set it to 0600",
	}
	var got []string
	for _, w := range c.Warnings {
		got = append(got, strings.ReplaceAll(w.String(), dir+string(filepath.Separator), ""))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("warnings differ (-want +got):\n%s", diff)
	}
}

func TestOneSourceIsTheDefaultByItself(t *testing.T) {
	two := strings.Replace(small, "clients:", `  - {name: b, url: "https://b.jamfcloud.com/api", client_id: cid, client_secret: "env:A"}`+"\nclients:", 1)
	if c := parse(t, small); !c.Sources[0].Default {
		t.Error("a single source is not the default")
	}
	if c := parse(t, two); c.Sources[0].Default || c.Sources[1].Default {
		t.Error("one of two sources is the default although none says so")
	}
	if c := parse(t, two, "JAMF_GATEWAY_SOURCES_B_DEFAULT=true"); c.Sources[0].Default || !c.Sources[1].Default {
		t.Error("the source that says default: true is not the only default")
	}
}

func TestLoadSaysWhichFileCannotBeRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.yaml")
	if _, err := config.Load(path, nil); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want one that names the file", err)
	}
	write(t, path, strings.Repeat("#", 1<<20+1), 0o600)
	if _, err := config.Load(path, nil); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("error %v, want one about the size", err)
	}
}

func TestKeptDataThatOthersCanReadIsWarnedOf(t *testing.T) {
	dir := t.TempDir()
	for mode, want := range map[os.FileMode]int{0o700: 0, 0o770: 0, 0o701: 1, 0o755: 1} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		c := parse(t, small+"data_dir: "+dir+"\n")
		if len(c.Warnings) != want || want == 1 && (!strings.Contains(c.Warnings[0].String(), "data_dir: "+dir+" can be read by others") || !strings.Contains(c.Warnings[0].German(), "auf 0700")) {
			t.Errorf("mode %o: warnings %q", mode, c.Warnings)
		}
	}
}

func TestAnOutlineNeedsNeitherSecretsNorFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	write(t, path, strings.Replace(small, `"env:A"`, `"env:JAMF_GATEWAY_A"`, 1)+"tls: {cert_file: none.crt, key_file: none.key}\n", 0o600)
	if _, err := config.Load(path, nil); err == nil {
		t.Error("Load accepts settings whose files are missing")
	}
	c, err := config.LoadOutline(path, []string{"JAMF_GATEWAY_A=x"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Sources[0].Name != "schule-a" || c.Clients[0].ID != "inventory360" || c.Sources[0].ClientSecret.Reveal() != "" {
		t.Errorf("%+v", c)
	}
	write(t, path, small+"listn: x\n", 0o600)
	if _, err := config.LoadOutline(path, nil); err == nil || !strings.Contains(err.Error(), "did you mean listen") {
		t.Errorf("error %v, want one about listn", err)
	}
}

func TestNearbyHostsShareOneBudget(t *testing.T) {
	two := func(url string) string {
		return strings.Replace(small, "clients:", `  - {name: b, url: "`+url+`", client_id: cid, client_secret: "env:A", limits: {connections: 3}}`+"\nclients:", 1)
	}
	for _, same := range []string{"https://a.jamfcloud.com/api", "https://A.jamfcloud.COM:443/api", "https://a.jamfcloud.com/other/api"} {
		if got := refused(t, two(same)); !strings.Contains(got, "a Jamf host has one budget") {
			t.Errorf("%s: %s", same, got)
		}
	}
	parse(t, two("https://a.jamfcloud.com:8443/api"))
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
}
