package server_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// hiding are the profiles that the twins are asked with.
func hiding(t testing.TB) map[string]*device.Profile {
	t.Helper()
	out := map[string]*device.Profile{}
	for name, fields := range map[string][]string{
		"named": {"name", "os", "computer:hardware.modelIdentifier", "mobile:hardware.modelIdentifier", "management.managed"},
		"asset": {"identity.assetTag", "user.username", "computer:STORAGE", "mobile:GROUPS"},
	} {
		p, err := device.NewProfile(name, nil, fields)
		if err != nil {
			t.Fatal(err)
		}
		out[name], out[name+"-slim"] = p, p.Omitting(true)
	}
	return out
}

// twin is a world whose fleet has these texts in fields that none of the profiles shows.
func twin(t *testing.T, serial func(id int) string, secret string) *world {
	t.Helper()
	w := newWorld(t, hidingClients(t))
	w.publishTwin(serial, secret)
	return w
}

// hidingClients are clients with these profiles.
func hidingClients(t *testing.T) option {
	t.Helper()
	return func(o *server.Options) {
		for name, p := range hiding(t) {
			o.Clients = append(o.Clients, server.ClientOptions{ID: name, Secrets: [][32]byte{sum(name)}, Profile: p})
		}
	}
}

// publishTwin publishes the fleet of twin.
func (w *world) publishTwin(serial func(id int) string, secret string) {
	w.t.Helper()
	macs, pads := fleet{}, fleet{}
	for id := 1; id <= 12; id++ {
		name := fmt.Sprintf("device %d", id%5)
		mac := strings.NewReplacer("UDID-", "U"+secret, "MacBook Pro", secret, "2026-11-20T10", secret[:0]+"2026-11-2"+fmt.Sprint(len(serial(id))%9)+"T10").
			Replace(computer(id, serial(id), name))
		macs[id] = strings.TrimSuffix(mac, "}") + fmt.Sprintf(`,"purchasing":{"vendor":%q,"poNumber":%q},"extensionAttributes":[{"definitionId":"7","name":%q,"values":[%q]}]}`,
			secret, serial(id), secret, serial(id))
		pad := strings.NewReplacer("MUDID-", "U"+secret, "(9th generation)", secret, "00:11:22:33:44:55", fmt.Sprintf("00:11:22:33:44:%02d", len(secret))).
			Replace(mobile(id, serial(id), name))
		pads[id] = strings.TrimSuffix(pad, "}") + fmt.Sprintf(`,"purchasing":{"vendor":%q},"network":{"imei":%q},"extensionAttributes":[{"id":"7","name":%q,"value":[%q]}]}`,
			secret, serial(id), secret, serial(id))
	}
	for _, source := range []string{"schule-a", "schule-b"} {
		w.publish(source, device.Computer, macs)
		w.publish(source, device.Mobile, pads)
	}
}

// questions are all paths with all filters and sorts of the table.
func questions(t testing.TB) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "device", "selectors.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string][]string{}
	for line := range strings.Lines(string(b)) {
		if c := strings.Split(line, "\t"); line[0] != '#' {
			for _, letter := range c[0] {
				names[string(letter)] = append(names[string(letter)], c[1])
			}
		}
	}
	paths := map[string]string{
		"1": "/api/v1/computers-inventory", "2": "/api/v2/computers-inventory", "3": "/api/v3/computers-inventory", "4": "/api/v4/computers-inventory",
		"d": "/api/v2/mobile-devices/detail", "l": "/api/v2/mobile-devices", "c": "/v1/devices", "m": "/v1/devices",
	}
	out := []string{
		"/v1/sources", "/v1/sources/schule-a", "/v1/health", "/v1/sources/schule-a/health", "/api/v1/auth", "/api/v1/computers-inventory-detail/3",
		"/api/v4/computers-inventory-detail/3", "/api/v2/mobile-devices/3", "/api/v2/mobile-devices/3/detail", "/api/v1/computers-inventory/3?section=ALL",
		"/v1/devices/schule-a:computer:3", "/v1/devices/schule-a:mobile:3", "/v1/devices/schule-a:computer:3/applications", "/v1/devices?fields=identity,os,sync",
		"/v1/devices?serialNumber=AC0003", "/v1/devices?udid=x", "/v1/devices?name=device%201", "/v1/devices?platform=macos", "/v1/devices/schule-a:computer:3?fields=purchasing,user",
	}
	for letter, path := range paths {
		rest := "?page-size=5&section=GENERAL&section=HARDWARE&section=PURCHASING&section=EXTENSION_ATTRIBUTES&section=USER_AND_LOCATION"
		if path == "/v1/devices" {
			rest = "?limit=5&kind=" + map[string]string{"c": "computer", "m": "mobile"}[letter]
		}
		for _, name := range names[letter] {
			for _, question := range []string{
				"filter=" + url.QueryEscape(name+"==*0*"), "filter=" + url.QueryEscape(`general.name=="*",`+name+`=out=("")`), "sort=" + name + ":desc",
			} {
				out = append(out, path+rest+"&"+question)
			}
		}
		out = append(out, path+rest, path+rest+"&sort=general.name:asc,general.assetTag:desc", path+rest+"&filter=general.name==x;hardware.serialNumbr==1")
		if path != "/v1/devices" {
			out = append(out, path+"?page-size=5&page=1&section="+strings.Join([]string{"STORAGE", "SECURITY", "GROUPS", "NONSENSE"}, ","))
		}
	}
	return out
}

// heard is all of an answer that may not differ.
func (w *world) heard(token, path string) string {
	w.t.Helper()
	rq, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.base+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	rq.Header = http.Header{}
	rq.Header.Set("Authorization", "Bearer "+token)
	rq.Header.Set("X-Request-Id", "twin")
	rs, err := w.http.Do(rq)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rs.Body.Close()
	body, err := io.ReadAll(rs.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	rs.Header.Del("Date")
	rs.Header.Set("Cache-Status", strings.Replace(rs.Header.Get("Cache-Status"), "detail=memory", "detail=generation", 1)) // memory may forget
	body, _, _ = bytes.Cut(body, []byte(`"nextCursor":"`))                                                                 // sealed anew each time
	if rs.Header.Get("Etag") != "" && len(body) > 0 && bytes.Contains(body, []byte(`"items":`)) && !bytes.HasSuffix(body, []byte("}")) {
		rs.Header.Del("Etag")
		rs.Header.Del("Content-Length")
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%d\n", rs.StatusCode)
	if err := rs.Header.Write(&out); err != nil {
		w.t.Fatal(err)
	}
	return out.String() + string(body)
}

// TestFleetsThatDifferInHiddenFieldsAreAnsweredAlike asks two gateways, whose devices differ only in what the client is not shown, everything that Jamf's
// document and the normalized API let a client ask: status, headers and body must be the same.
func TestFleetsThatDifferInHiddenFieldsAreAnsweredAlike(t *testing.T) {
	if raceEnabled {
		t.Skip("one goroutine, and slow under the race detector")
	}
	a := twin(t, func(id int) string { return fmt.Sprintf("AC%04d", id) }, "QXZ")
	b := twin(t, func(id int) string { return fmt.Sprintf("AC%d", id%3) }, "other text")
	asked := questions(t)
	for _, client := range []string{"named", "asset-slim"} {
		ta, tb := a.token(client), b.token(client)
		seen := 0
		for _, path := range asked {
			left, right := a.heard(ta, path), b.heard(tb, path)
			if diff := cmp.Diff(left, right); diff != "" {
				t.Errorf("%s %s:\n%s", client, path, diff)
			}
			if strings.HasPrefix(left, "200") {
				seen++
			}
		}
		if seen < 60 {
			t.Errorf("%s: only %d of %d were answered", client, seen, len(asked))
		}
	}
}

// TestTheClientsSideOfShowTellsOfNoHiddenField: the twins differ in what is stored, and in nothing that a client is said to see.
func TestTheClientsSideOfShowTellsOfNoHiddenField(t *testing.T) {
	const secret = `QXZ\u001b[2J<b>`
	var sidesOf [2]map[string]string // device and client -> both shapes
	for i, text := range []string{secret, "other text"} {
		a := newAudited(t, hidingClients(t))
		a.publishTwin(func(id int) string { return fmt.Sprintf("%s%04d", "AB"[i:i+1], id) }, text)
		sidesOf[i] = map[string]string{}
		for _, uid := range []string{"schule-a:computer:3", "schule-a:computer:12", "schule-b:mobile:3", "schule-b:mobile:12"} {
			d := a.shown("uid=" + uid).Devices[0]
			if i == 0 && !strings.Contains(string(d.Record), "QXZ") {
				t.Fatalf("stored is %s", d.Record)
			}
			for _, c := range d.Clients {
				if c.Client == "named" || strings.HasPrefix(c.Client, "asset") || c.Client == "named-slim" {
					sidesOf[i][uid+" "+c.Client] = fmt.Sprintf("%s\n%s", c.Jamf, c.Normalized)
				}
			}
		}
	}
	if diff := cmp.Diff(sidesOf[0], sidesOf[1]); diff != "" || len(sidesOf[0]) != 16 {
		t.Errorf("%d sides: %s", len(sidesOf[0]), diff)
	}
}

// TestNoHoldAndNoQuarantineTellsOfAHiddenField holds that what guards and proofs count is not told to who does not see the fields.
func TestNoHoldAndNoQuarantineTellsOfAHiddenField(t *testing.T) {
	p, err := device.NewProfile("tags", nil, []string{"computer:general.assetTag", "computer:PURCHASING"})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(o *server.Options) {
		o.Clients = append(o.Clients, server.ClientOptions{ID: "tags", Secrets: [][32]byte{sum("tags")}, Profile: p})
	})
	w.publish("schule-a", device.Computer, computers("AC", 1, 3), cache.Quarantine{ID: 1, Reason: "blank purchasing", Kept: "previous"},
		cache.Quarantine{ID: 2, Reason: "blank security", Kept: "previous"})
	w.holding()
	w.house.source("schule-a", func(s *server.SourceStatus) {
		k := &s.Kinds[0]
		k.LastErrorDetail = "serial: 7 of 60 devices; blanked: security.firewallEnabled"
		k.Hold.Findings = append(k.Hold.Findings, server.Finding{Guard: "serial", Count: 7, Of: 60, Limit: 5}, server.Finding{Guard: "instance", Count: 7, Of: 60, Limit: 30},
			server.Finding{Guard: "blanked", Count: 59, Of: 60, Limit: 30, Names: []string{"purchasing", "security.firewallEnabled"}})
	})
	for _, path := range []string{"/v1/sources", "/v1/sources/schule-a", "/v1/sources/schule-a/health", "/v1/health"} {
		told := string(w.get("tags", path).body)
		for _, secret := range []string{"firewall", "blank security", `"serial"`, `"instance"`, "59", "7 of 60"} {
			if strings.Contains(told, secret) {
				t.Errorf("%s tells %q: %s", path, secret, told)
			}
		}
	}
	one := string(w.get("tags", "/v1/sources/schule-a").body)
	for _, said := range []string{"general.assetTag", `"guard":"removed"`, "blank purchasing", `"reason":"blank"`, "0123456789abcdef01234567"} {
		if !strings.Contains(one, said) {
			t.Errorf("%s is not said: %s", said, one)
		}
	}
	if all := string(w.get("all", "/v1/sources/schule-a/health").body); strings.Count(all, "firewallEnabled") != 2 {
		t.Errorf("who sees all is told: %s", all)
	}
	if admin := string(w.do(http.MethodGet, w.admin+"/v1/admin/sources", "").body); strings.Count(admin, "firewallEnabled") != 2 {
		t.Errorf("the admin door says: %s", admin)
	}
}
