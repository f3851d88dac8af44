package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// asked sends a request to a gateway and reads the JSON of the answer, whatever its status.
func asked(t *testing.T, method, address string, form url.Values, into any, header ...string) {
	t.Helper()
	rq, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		rq.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		rq.Header.Set(header[i], header[i+1])
	}
	rs, err := (&http.Client{}).Do(rq)
	if err != nil {
		t.Fatal(err)
	}
	defer rs.Body.Close()
	_ = json.NewDecoder(rs.Body).Decode(into) // a status page is none
}

// diagnosed runs `diagnose` and reads its file.
func diagnosed(t *testing.T, want int, env []string, args ...string) (raw string, d map[string]any) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "out.json")
	r := command(t, env, append([]string{"diagnose", "--output", file}, args...)...)
	if r.code != want {
		t.Fatalf("exit code %d, want %d\n%s%s", r.code, want, r.out, r.err)
	}
	raw = content(t, file)
	if err := json.Unmarshal([]byte(raw), &d); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	return raw, d
}

// planted is a gateway full of what must not get into a file, and the list of it.
func planted(t *testing.T) (file string, env, canaries []string, end func() result) {
	t.Helper()
	file = settings(t, jamf(t), `  - {id: reports, secrets: ["sha256:`+strings.Repeat("ab", 32)+`"]}
  - {id: pads, secrets: [{hash: "sha256:`+strings.Repeat("ac", 32)+`", name: canary-secret-name, expires: 2099-01-01}], kinds: [mobile], endpoints: [facade], networks: [198.51.100.0/24, "2001:db8:77::/48"], view: {no_byod: true, groups: [canary-group], users: drop}}
public_url: https://canary-door.example.com
trusted_proxies: [203.0.113.0/24]
retention: {deleted_devices: 45d}
`)
	text := strings.Replace(content(t, file), "clients:\n", `  - {name: schule-b, url: "https://canary-tenant.jamfcloud.com/api", client_id: canary-jamf-client, client_secret: "env:CANARY", hosts: [canary-host.example.org], status: disabled, proxy_url: "http://canary-user:canary-pass@canary-proxy.example.net:3128"}
clients:
`, 1)
	write(t, file, text)
	env = []string{"JAMF_SECRET=jamf-secret", "CANARY=canary-secret-77ab", "JAMF_GATEWAY_SOURCES_SCHULE_A_PROFILE=full", "HTTPS_PROXY="}
	listen := regexp.MustCompile(`(?m)^listen: (\S+)`).FindStringSubmatch(text)[1]
	end = serving(t, file, listen, env)

	var token struct {
		AccessToken string `json:"access_token"`
	}
	asked(t, http.MethodPost, "http://"+listen+"/oauth/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"inventory360"}, "client_secret": {"secret"}}, &token)
	auth := []string{"Authorization", "Bearer " + token.AccessToken}
	var list struct {
		Items []struct {
			UID      string
			Name     string
			Identity struct{ SerialNumber, UDID string }
			User     struct{ Username, Email, RealName string }
			Network  struct{ ServerSeenIP string }
		}
	}
	asked(t, http.MethodGet, "http://"+listen+"/v1/devices?limit=1000", nil, &list, auth...)
	if len(list.Items) != 19 {
		t.Fatalf("%d devices", len(list.Items))
	}
	canaries = []string{"canary", "198.51.100", "2001:db8:77", "203.0.113", token.AccessToken, "jamf-secret", "jamf-client", filepath.Dir(file), "127.0.0.1"}
	for _, i := range list.Items {
		for _, value := range []string{i.Name, i.Identity.SerialNumber, i.Identity.UDID, i.User.Username, i.User.Email, i.User.RealName, i.Network.ServerSeenIP} {
			if len(value) > 3 {
				canaries = append(canaries, value)
			}
		}
	}
	if len(canaries) < 60 {
		t.Fatalf("only %d values to look for: %q", len(canaries), canaries)
	}
	var none any
	for _, value := range canaries {
		for _, target := range []string{
			"/api/v1/computers-inventory/" + url.PathEscape(value), "/JSSResource/computers/name/" + url.PathEscape(value), "/api/v1/computers-inventory?section=" + url.QueryEscape(value),
			"/api/v1/computers-inventory?filter=" + url.QueryEscape(`general.name=="`+value+`"`), "/v1/devices?serialNumber=" + url.QueryEscape(value), "/v1/devices?cursor=" + url.QueryEscape(value),
		} {
			asked(t, http.MethodGet, "http://"+listen+target, nil, &none, append(auth, "User-Agent", value)...)
		}
		asked(t, http.MethodPost, "http://"+listen+"/oauth/token", url.Values{"grant_type": {value}, "client_id": {value}, "client_secret": {value}}, &none)
	}
	return file, env, canaries, end
}

func holdsNone(t *testing.T, raw string, canaries []string) {
	t.Helper()
	// A name like "inventory360" of a device would be no leak: none is.
	for _, value := range canaries {
		if i := strings.Index(raw, value); i >= 0 {
			t.Errorf("%q stands in the file: %s", value, raw[max(0, i-200):min(len(raw), i+100)])
		}
	}
}

func keys(d map[string]any) []string {
	var out []string
	for key := range d {
		out = append(out, key)
	}
	slices.Sort(out)
	return out
}

func TestADiagnosisHoldsWhatHelpsAndNothingElse(t *testing.T) {
	file, env, canaries, end := planted(t)
	raw, d := diagnosed(t, exitGood, env, "--config", file)
	holdsNone(t, raw, canaries)
	want := []string{"about", "availability", "createdAt", "environment", "gateway", "metrics", "missing", "platform", "settings", "settingsProblems", "settingsWarnings", "sources", "syncs", "usage", "version"}
	if diff := cmp.Diff(want, keys(d)); diff != "" {
		t.Error(diff)
	}
	for _, part := range []string{
		`"answers": true`, `"missing": []`, `"address": "https, Jamf Cloud, path /api"`, `"listen": "loopback, port `, `"id": "inventory360"`, `"secrets": 1`,
		`"route": "/JSSResource/computers/name/{}"`, `"code": "not_found"`, `"droppedFields": []`, `"count": 12`, `"profile": "full"`, `"JAMF_GATEWAY_SOURCES_SCHULE_A_PROFILE"`,
		`jamf_requests_in_flight{`, `"lastResult": "ok"`, `"heartbeats": `, `"publicUrl": "https, a host of its own, path "`,
		`"tls": "off"`, `"clientCertificates": false`, `"trustedProxies": 1`, `"secretMaxAge": "8760h0m0s"`, `"deletedDevicesKept": "1080h0m0s"`, `"auditKept": "2160h0m0s"`,
	} {
		if !strings.Contains(raw, part) {
			t.Errorf("no %s in the file", part)
		}
	}
	pads := d["settings"].(map[string]any)["clients"].([]any)[2]
	if diff := cmp.Diff(any(map[string]any{
		"id": "pads", "secrets": 1.0, "endingSecrets": 1.0, "sources": nil, "kinds": []any{"mobile"}, "endpoints": []any{"facade"}, "networks": 2.0, "certificate": "none", "profile": "",
		"passthrough": false, "onlyFresh": false, "requestsPerSecond": 5000.0, "view": []any{"personal", "other_group"}, "names": "", "users": "drop", "dropSentinels": false,
	}), pads); diff != "" {
		t.Error(diff)
	}
	if _, withoutSettings := diagnosed(t, exitGood, append(slices.Clone(env), adminEnv(t, file)...), "--admin", regexp.MustCompile(`admin_listen: (\S+)`).FindStringSubmatch(content(t, file))[1]); withoutSettings["settings"] != nil || len(withoutSettings["missing"].([]any)) != 1 {
		t.Errorf("without settings: %v", withoutSettings["missing"])
	}
	if r := end(); r.code != exitGood {
		t.Fatalf("%d %s", r.code, r.err)
	}

	book := filepath.Join(filepath.Dir(file), "data", ".schedule", "schule-a.json")
	write(t, book, strings.Replace(content(t, book), `"kinds"`, `"approved": {"evidence": {"removed": "canary-ids"}}, "kinds"`, 1))
	raw, d = diagnosed(t, exitWrong, env, "--config", file)
	holdsNone(t, raw, canaries)
	if d["sources"] != nil || len(d["metrics"].([]any)) != 0 || d["gateway"].(map[string]any)["answers"] != false {
		t.Errorf("of a gateway that is not running: %v", d["gateway"])
	}
	for _, part := range []string{`"answers": false`, `no gateway answers at`, `"route": "/JSSResource/computers/name/{}"`, `"count": 12`, `"lastResult": "ok"`} {
		if !strings.Contains(raw, part) {
			t.Errorf("no %s in the file of a gateway that is not running", part)
		}
	}
}

func TestADiagnosisOfSettingsThatAreRefusedNamesThemWithoutValues(t *testing.T) {
	file := settings(t, jamf(t), "listn: canary-secret\nmax_stale: \"canary-secret-C02XL0GTJGH5\"\n")
	raw, d := diagnosed(t, exitWrong, nil, "--config", file, "--lang", "de")
	holdsNone(t, raw, []string{"canary", filepath.Dir(file)})
	if d["settings"] != nil || len(d["settingsProblems"].([]any)) < 2 || !strings.Contains(raw, "listn") || !strings.Contains(raw, "max_stale") || !strings.Contains(raw, "Sie werden abgelehnt") {
		t.Errorf("%v", d["settingsProblems"])
	}
}

func TestDiagnoseSaysWhereTheFileIsAndReplacesNone(t *testing.T) {
	t.Chdir(t.TempDir())
	file := settings(t, jamf(t), "")
	var out, errs strings.Builder
	at := time.Date(2026, 11, 27, 4, 12, 9, 0, time.UTC)
	args := []string{"diagnose", "--config", file, "--lang", "de"}
	s := streams{out: &out, err: &errs, now: func() time.Time { return at }}
	if code := run(context.Background(), args, s); code != exitWrong {
		t.Errorf("exit code %d", code)
	}
	const name = "jamf-gateway-diagnose-20261127T041209Z.json"
	if _, err := os.Stat(name); err != nil || !strings.HasPrefix(out.String(), name+" ist geschrieben. Die Datei enthält kein Secret") || !strings.HasPrefix(errs.String(), "Kein Gateway hat geantwortet: ") {
		t.Errorf("%v\n%s%s", err, out.String(), errs.String())
	}
	if code := run(context.Background(), args, s); code != exitUsage || !strings.Contains(errs.String(), name+" gibt es schon") {
		t.Errorf("exit code %d, %s", code, errs.String())
	}
	door := "http://" + regexp.MustCompile(`admin_listen: (\S+)`).FindStringSubmatch(content(t, file))[1]
	r := command(t, nil, "diagnose", "--config", file, "--output", "-")
	if r.code != exitWrong || !json.Valid([]byte(r.out)) || !strings.Contains(r.err, "No gateway answered: no gateway answers at "+door+": it is") {
		t.Errorf("%d %s", r.code, r.err)
	}
	if strings.Contains(r.out, door) || !strings.Contains(r.out, "no gateway answers at <address>: it is") {
		t.Errorf("the file says %s", r.out)
	}
	for _, args := range [][]string{{"--config", "nowhere.yaml"}, {"--config", file, "--admin", "x"}, {"--admin", "ftp://x"}, {"--config", file, "--output", "nowhere/x.json"}} {
		want := exitUsage
		if args[len(args)-1] == "nowhere/x.json" {
			want = exitWrong
		}
		if r := command(t, nil, append([]string{"diagnose"}, args...)...); r.code != want {
			t.Errorf("%v: exit code %d, want %d: %s", args, r.code, want, r.err)
		}
	}
	off := appended(t, file, "")
	write(t, off, regexp.MustCompile(`admin_listen: \S+`).ReplaceAllString(content(t, off), `admin_listen: "off"`))
	if r := command(t, nil, "diagnose", "--config", off, "--output", "-"); r.code != exitWrong || !strings.Contains(r.out, "the admin door is off") {
		t.Errorf("%d %s", r.code, r.err)
	}
}

func TestARedactorTakesOutAddressesNamesAndIds(t *testing.T) {
	r := newRedactor()
	r.hideHost("schule.jamfcloud.com:443")
	r.hideHost("127.0.0.1")
	for in, want := range map[string]string{
		"lookup schule.jamfcloud.com: no such host":             "lookup <host 1>: no such host",
		"dial tcp 10.1.2.3:443: refused":                        "dial tcp <address>: refused",
		"dial tcp [fe80::1]:443: refused":                       "dial tcp <address>: refused",
		"Get https://x.example/api?a=b: EOF":                    "Get <address>: EOF",
		"of max@example.org":                                    "of <address>",
		"of max@example.org, at http://10.1.2.3:80/.":           "of <address>, at <address>.",
		"open /home/max/data/1.sqlite: no":                      "open <home>: no",
		"proxy.intern.example:3128 says 407":                    "<name> says 407",
		"computer C02XL0GTJGH5 has 00:11:22:33:44:55":           "computer <id> has <address>",
		"3 of 4, at 04:12:09, Jamf 11.30.2":                     "3 of 4, at 04:12:09, Jamf 11.30.2",
		"the walk ended with 12 rows, totalCount 13 (page 800)": "the walk ended with 12 rows, totalCount 13 (page 800)",
	} {
		if got := r.sentence(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"stat /etc/goethe-schule/ca.pem: no such file or directory":    "stat <file>: no such file or directory",
		"open /srv/Schule am Berg/a secret: permission denied":         "open <file>: permission denied",
		"stat certs/anna: no such file or directory":                   "stat <file>: no such file or directory",
		"the file /var/lib/goethe/x is not 0600":                       "the file <file> is not 0600",
		"must be a path like /v1/departments or /v1/computer-groups/1": "must be a path like /v1/departments or /v1/computer-groups/1",
		"read the journal: open /data/goethe/beats/1: permission":      "read the journal: open <file>: permission",
	} {
		if got := r.problem(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		`jamf_breaker_state{server_address="jss:8443"} 0`:                    `jamf_breaker_state{server_address="<host>"} 0`,
		`jamf_breaker_state{server_address="schule.jamfcloud.com:443"} 0`:    `jamf_breaker_state{server_address="<host 1>:443"} 0`,
		`jamf_breaker_state{jamf_source="a",server_address="127.0.0.1:1"} 0`: `jamf_breaker_state{jamf_source="a",server_address="<address>"} 0`,
	} {
		if got := r.metric(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := r.problem(`must be one of a, b, not "canary"`); got != `must be one of a, b, not "..."` {
		t.Error(got)
	}
}

// whole counts the members of decoded JSON.
func whole(v any) (n int) {
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			n += 1 + whole(member)
		}
	case []any:
		for _, member := range v {
			n += whole(member)
		}
	}
	return n
}

// What the admin door shows today is known member by member: nothing of it is lost but the ids of API clients, and nothing else
// is passed on.
func TestADiagnosisKnowsEveryMemberOfASource(t *testing.T) {
	file, admin := running(t)
	var shown struct {
		Items []any `json:"items"`
	}
	asked(t, http.MethodGet, "http://"+admin+"/v1/admin/sources", nil, &shown, "Authorization", "Bearer "+content(t, filepath.Join(filepath.Dir(file), "admin.token"))[:53])
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(shown) })) // of that moment
	t.Cleanup(srv.Close)
	_, d := diagnosed(t, exitGood, nil, "--admin", srv.URL)
	sent, err := json.Marshal(shown.Items)
	if err != nil {
		t.Fatal(err)
	}
	ids := strings.Count(string(sent), `"clientId"`)
	if a, b := whole(shown.Items)-ids, whole(d["sources"]); a != b || a < 30 || ids == 0 {
		t.Errorf("%d members are shown, %d stand in the file", a, b)
	}
	r := newRedactor()
	got := r.value(map[string]any{"name": "a", "devices": []any{"x"}, "kinds": []any{map[string]any{"kind": "computer", "uid": "a:computer:1"}}}, "", membersOf(sourceMembers))
	if diff := cmp.Diff(any(map[string]any{"name": "a", "kinds": []any{map[string]any{"kind": "computer"}}}), got); diff != "" {
		t.Error(diff)
	}
}
