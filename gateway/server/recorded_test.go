package server_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
)

// recorded is one request of a real client, as it was recorded or, of the last two, as its source says.
type recorded struct {
	client, method, target, body string
	header                       []string // name, value, ...; the token is added, in place of TOKEN where that stands
	shape                        string   // list, record, version, token, user token: what must come; "" = it is not served, and status is
	status                       int
}

const v1Accept = "application/x-x509-ca-cert;q=0.95,application/xml;q=0.65,application/json;q=0.5,*/*;q=0.05"

// recordedRequests are those of seven clients that were recorded and of two that were read.
func recordedRequests() []recorded {
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("all:"+secretOf("all")))
	form := "client_id=all&client_secret=" + secretOf("all") + "&grant_type=client_credentials"
	grantFirst := "grant_type=client_credentials&client_id=all&client_secret=" + secretOf("all")
	asForm := []string{"Content-Type", "application/x-www-form-urlencoded"}
	sdk2 := []string{"Accept", "application/json", "Content-Type", "application/json", "Accept-Encoding", "gzip, deflate", "User-Agent", "go-sdk-jamfpro-v2/0.9.0", "Cookie", "jpro-ingress=abc"}
	sdk1 := []string{"Accept", v1Accept, "Cookie", "jpro-ingress=abc"}
	python := []string{"Accept", "application/json", "User-Agent", "JamfProSDK/0.8a1 Linux/6.1", "Cookie", "jpro-ingress=abc"}
	get, post := http.MethodGet, http.MethodPost
	return []recorded{
		{"go-sdk-jamfpro-v2", post, "/api/v1/oauth/token", form, asForm, "token", 200},
		{"go-sdk-jamfpro-v2", post, "/api/v1/auth/token", "", []string{"Authorization", basic, "User-Agent", "go-resty/3.0.0-rc.3"}, "user token", 200},
		{"go-sdk-jamfpro-v2", get, "/api/v4/computers-inventory?page=0&page-size=200&section=GENERAL%2CHARDWARE%2COPERATING_SYSTEM%2CUSER_AND_LOCATION&sort=id%3Aasc", "", sdk2, "list", 200},
		{"go-sdk-jamfpro-v2", get, "/api/v3/computers-inventory?page=0&page-size=200", "", sdk2, "list", 200},
		{"go-sdk-jamfpro-v2", get, "/api/v4/computers-inventory-detail/1", "", sdk2, "record", 200},
		{"go-sdk-jamfpro-v2", get, "/api/v2/mobile-devices?page=0&page-size=200", "", sdk2, "list", 200},
		{"go-sdk-jamfpro-v2", get, "/api/v2/mobile-devices/detail?page=0&page-size=200&section=GENERAL%2CHARDWARE", "", sdk2, "list", 200},
		{"go-sdk-jamfpro-v2", get, "/api/v1/jamf-pro-version", "", sdk2, "version", 200},
		{"go-sdk-jamfpro-v2", get, "/JSSResource/computers", "", []string{"Accept", "application/xml"}, "", 404},
		{"go-api-sdk-jamfpro", post, "/api/v1/oauth/token", form, asForm, "token", 200},
		{"go-api-sdk-jamfpro", get, "/api/v1/computers-inventory?page=0&page-size=100&section=GENERAL&section=HARDWARE&sort=id%3Aasc", "null", sdk1, "list", 200},
		{"go-api-sdk-jamfpro", get, "/api/v1/computers-inventory/1?section=GENERAL&section=HARDWARE&section=PLUGINS&section=FONTS", "null", sdk1, "record", 200},
		{"go-api-sdk-jamfpro", get, "/api/v1/jamf-pro-version", "", sdk1, "version", 200},
		{"go-api-sdk-jamfpro", get, "/JSSResource/computers", "", sdk1, "", 404},
		{"go-api-sdk-jamfpro", get, "/JSSResource/mobiledevices", "", sdk1, "", 404},
		{"jamf-pro-sdk-python", post, "/api/v1/oauth/token", form, append([]string{"Accept", "application/json"}, asForm...), "token", 200},
		{"jamf-pro-sdk-python", post, "/api/v1/auth/token", "", []string{"Authorization", basic}, "user token", 200},
		{"jamf-pro-sdk-python", post, "/api/v1/auth/keep-alive", "", []string{"Authorization", "Bearer TOKEN"}, "user token", 200},
		{"jamf-pro-sdk-python", get, "/api/v1/computers-inventory?page=0&page-size=2&section=GENERAL%2CHARDWARE", "", python, "list", 200},
		{"jamf-pro-sdk-python", get, "/api/v2/mobile-devices/detail?page=0&page-size=100&section=GENERAL%2CHARDWARE", "", python, "list", 200},
		{"jamf-pro-sdk-python", get, "/JSSResource/computers", "", python, "", 404},
		{"jamf-mcp-server", post, "/api/oauth/token", grantFirst, asForm, "token", 200},
		{"jamf-mcp-server", get, "/api/v2/mobile-devices?page-size=500", "", nil, "list", 200},
		{"jamf-mcp-server", get, "/api/v1/computers-inventory?page-size=1", "", nil, "list", 200},
		{"jamf-mcp-server", get, "/api/v1/computers-inventory?page-size=500", "", nil, "list", 200},
		{"jamf-mcp-server", get, "/api/v1/computers-inventory?page-size=50&filter=general.name%3D%3D%22*mac*%22", "", nil, "list", 200},
		{"jamf-mcp-server", get, `/api/v2/mobile-devices?page-size=10&filter=name=="*ipad*",serialNumber=="*ipad*",udid=="*ipad*"`, "", nil, "list", 200},
		{"jamf-mcp-server", get, "/api/v1/computers-inventory-detail/1", "", nil, "record", 200},
		{"jamf-mcp-server", get, "/api/v2/mobile-devices/1/detail", "", nil, "record", 200},
		{"jamf-mcp-server", get, "/JSSResource/advancedcomputersearches", "", nil, "", 404},
		{"jamf-mcp-server", get, "/JSSResource/policies", "", nil, "", 404},
		{"jamf2snipe", get, "/", "", nil, "home", 200},
		{"jamf2snipe", post, "/api/v1/auth/token", "", []string{"Authorization", basic, "Content-Type", "application/json"}, "user token", 200},
		{"jamf2snipe", get, "/JSSResource/computers/id/1", "", []string{"Accept", "application/json"}, "", 404},
		{"jamf2snipe", get, "/JSSResource/computers", "", []string{"Accept", "application/json"}, "", 404},
		{"jamf2snipe", get, "/JSSResource/mobiledevices", "", []string{"Accept", "application/json"}, "", 404},
		{"jamf2snipe", get, "/JSSResource/mobiledevices/id/1", "", []string{"Accept", "application/json"}, "", 404},
		{"graph-jamf", post, "/api/v1/auth/token", "", []string{"Authorization", basic, "Accept-Encoding", "identity", "User-Agent", "node-fetch/1.0"}, "user token", 200},
		{"graph-jamf", get, "/api/v1/jamf-pro-version", "", []string{"Accept-Encoding", "identity"}, "version", 200},
		{"graph-jamf", get, "/JSSResource/computers/subset/basic", "", nil, "", 404},
		{"graph-jamf", get, "/JSSResource/computers/id/1", "", nil, "", 404},
		{"graph-jamf", get, "/JSSResource/mobiledevices", "", nil, "", 404},
		{"graph-jamf", get, "/JSSResource/mobiledevices/id/1", "", nil, "", 404},
		{"graph-jamf", get, "/JSSResource/accounts", "", nil, "", 404},
		{"graph-jamf", get, "/JSSResource/osxconfigurationprofiles", "", nil, "", 404},
		{"jamfplatform-go-sdk", post, "/auth/token", "grant_type=client_credentials", append([]string{"Authorization", basic}, asForm...), "", 401},
		{"jamfplatform-go-sdk", get, "/api/pro/v3/tenant/t1/computers-inventory?page=0&page-size=100&section=GENERAL%2CHARDWARE&sort=id%3Aasc", "", nil, "", 404},
		{"jamfplatform-go-sdk", get, "/api/pro/v2/tenant/t1/mobile-devices", "", nil, "", 404},
		{"jamfplatform-go-sdk", get, "/api/pro/v2/tenant/t1/mobile-devices/detail", "", nil, "", 404},
		{"jamfplatform-go-sdk", get, "/api/proclassic/tenant/t1/computers", "", []string{"Accept", "application/xml"}, "", 404},
		{"jamf-cli", post, "/api/oauth/token", form, append([]string{"User-Agent", "jamf-cli/1.0"}, asForm...), "token", 200},
		{"jamf-cli", get, "/api/v4/computers-inventory?page=3&page-size=2&sort=id:asc", "", []string{"User-Agent", "jamf-cli/1.0"}, "list", 200},
		{"Snipe-IT", post, "/api/oauth/token", form, asForm, "token", 200},
		{"Snipe-IT", get, "/api/v1/computers-inventory?page=0&page-size=100&section=GENERAL&section=HARDWARE&section=OPERATING_SYSTEM&section=USER_AND_LOCATION", "", nil, "list", 200},
		{"Snipe-IT", get, "/api/v1/sites", "", nil, "", 404},
		{"Snipe-IT", http.MethodPatch, "/api/v1/computers-inventory-detail/1", "{}", []string{"Content-Type", "application/json"}, "", 405},
	}
}

// Each request of a real client is answered in Jamf's shape, or refused as docs/compatibility.md says, line by line.
func TestRecordedRequestsOfRealClientsAreAnsweredAsDocumented(t *testing.T) {
	w := newWorld(t)
	w.publishAll(10)
	var proved []string
	for _, rq := range recordedRequests() {
		header := rq.header
		if rq.method != http.MethodPost {
			header = append([]string{"Authorization", "Bearer " + w.token("all")}, header...) // a token per request
		}
		for i, value := range header {
			header[i] = strings.Replace(value, "TOKEN", w.token("all"), 1)
		}
		r := w.do(rq.method, w.base+strings.ReplaceAll(rq.target, `"`, "%22"), rq.body, header...)
		result := "works"
		if rq.shape == "" {
			result = "not served, " + http.StatusText(rq.status)
		}
		if r.status != rq.status {
			t.Errorf("%s: %s %s: %s", rq.client, rq.method, rq.target, r)
		}
		rq.inShape(t, r)
		path, _, _ := strings.Cut(rq.target, "?")
		row := "| " + rq.client + " | `" + rq.method + " " + path + "` | " + result + " |"
		if !slices.Contains(proved, row) {
			proved = append(proved, row)
		}
	}
	if diff := cmp.Diff(proved, clientTable(t)); diff != "" {
		t.Errorf("the table of docs/compatibility.md (-seen +written):\n%s", diff)
	}
}

// clientTable are the rows of docs/compatibility.md that say what works for which client.
func clientTable(t *testing.T) []string {
	t.Helper()
	doc, err := os.ReadFile("../../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(doc), "| client | call | result |\n|---|---|---|\n")
	if !found {
		t.Fatal("docs/compatibility.md has no table of clients")
	}
	var rows []string
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		rows = append(rows, strings.TrimSuffix(line, "\n"))
	}
	return rows
}

// inShape tells that an answer is one of Jamf's, errors included.
func (rq recorded) inShape(t *testing.T, r reply) {
	t.Helper()
	contentType := r.header.Get("Content-Type")
	if strings.HasPrefix(rq.target, "/JSSResource") {
		if !strings.HasPrefix(contentType, "text/html") || !strings.Contains(string(r.body), "<title>Status page</title>") {
			t.Errorf("%s: %s: no status page: %s %s", rq.client, rq.target, contentType, r)
		}
		return
	}
	if rq.shape == "home" || !strings.HasPrefix(rq.target, "/api") {
		return
	}
	if r.header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		if r.body, err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
	}
	var got map[string]any
	r.decode(t, &got)
	keys := map[string][]string{
		"list": {"totalCount", "results"}, "record": {"general"}, "version": {"version"},
		"token": {"access_token", "expires_in", "scope", "token_type"}, "user token": {"token", "expires"}, "": {"httpStatus", "errors"},
	}[rq.shape]
	if strings.Contains(rq.target, "mobile-devices/1/detail") {
		keys = []string{"id", "serialNumber"}
	}
	for _, key := range keys {
		if got[key] == nil || got[key] == "" {
			t.Errorf("%s: %s: no %s in %s", rq.client, rq.target, key, r)
		}
	}
	if !strings.HasPrefix(contentType, "application/json") {
		t.Errorf("%s: %s: %s", rq.client, rq.target, contentType)
	}
}

// The Python SDK reads page 0, then the others five at a time.
func TestConcurrentPagesOfOneClientAreOneList(t *testing.T) {
	w := newWorld(t)
	w.publish("schule-a", device.Computer, computers("AC", 1, 41))
	const query = "/api/v1/computers-inventory?page-size=2&section=GENERAL%2CHARDWARE"
	seen := map[string]int{}
	for _, id := range ids(w.page(query+"&page=0"), "id") {
		seen[id]++
	}
	w.publish("schule-a", device.Computer, computers("N", 30, 60)) // between the first page and the others
	var mu sync.Mutex
	var group sync.WaitGroup
	pages := make(chan string, 20)
	for page := 1; page <= 20; page++ {
		pages <- fmt.Sprintf("%s&page=%d", query, page)
	}
	close(pages)
	for range 5 {
		group.Go(func() {
			for target := range pages {
				p := w.page(target)
				mu.Lock()
				for _, id := range ids(p, "id") {
					seen[id]++
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	for id, times := range seen {
		if times != 1 {
			t.Errorf("computer %s comes %d times", id, times)
		}
	}
	if len(seen) != 41 {
		t.Errorf("%d computers, want 41", len(seen))
	}
}
