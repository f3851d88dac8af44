//go:build e2e

package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"jamf-gateway/config"
	"jamf-gateway/test/fakejamf"
)

// violation is one place of an answer that Jamf's document does not allow, as Prism tells it.
type violation struct {
	Location []string `json:"location"`
	Code     string   `json:"code"`
	Message  string   `json:"message"`
}

// at finds the value that a violation is about; false when there is none.
func (v violation) at(body any) (any, bool) {
	if len(v.Location) < 3 {
		return nil, false
	}
	for _, key := range v.Location[2:] { // after "response" and "body"
		switch part := body.(type) {
		case map[string]any:
			next, ok := part[key]
			if !ok {
				return nil, false
			}
			body = next
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(part) {
				return nil, false
			}
			body = part[i]
		default:
			return nil, false
		}
	}
	return body, true
}

// place is the location without the numbers of rows.
func (v violation) place() string {
	keys := slices.Clone(v.Location)
	for i, key := range keys {
		if _, err := strconv.Atoi(key); err == nil {
			keys[i] = "*"
		}
	}
	return strings.Join(keys, ".")
}

// knownViolations are the end of a place and Prism's word for the rule. docs/compatibility.md has a row for each that says why.
func knownViolations() [][2]string {
	return [][2]string{
		{"response", "status"},
		{"results.*", "oneOf"},
		{"hardware.batteryCapacityPercent", "minimum"},
		{"batteryHealth", "enum"},
		{"general.deviceOwnershipType", "enum"},
	}
}

// documentWitness asks the façade through Prism, which holds each answer against Jamf's document, and without it.
type documentWitness struct {
	*house
	front   string
	nulls   map[string]int // by place
	known   map[[2]string]int
	answers int
}

func (w *documentWitness) ask(method, path string, body url.Values, headers ...string) {
	w.t.Helper()
	w.answers++
	through := w.call(method, w.front+"/api"+path, body, headers...)
	direct := w.call(method, "/api"+path, body, headers...)
	header := through.header.Get("sl-violations")
	if header == "" {
		if through.status != direct.status || direct.status >= http.StatusInternalServerError {
			w.t.Errorf("%s %s: %d through Prism, %d without: %.300s", method, path, through.status, direct.status, through.body)
		}
		return
	}
	var value any
	direct.decode(w.t, &value)
	for _, v := range violationsOf(w.t, header, through.body) {
		at, there := v.at(value)
		switch {
		case there && at == nil:
			w.nulls[v.place()]++
		case !w.knows(v):
			w.t.Errorf("%s %s: %s (%s): %s, it is %v", method, path, v.place(), v.Code, v.Message, at)
		}
	}
}

// violationsOf reads the whole list: Prism shortens the header when there are many, and puts its own problem in place of the answer.
func violationsOf(t *testing.T, header string, body []byte) []violation {
	t.Helper()
	var problem struct {
		Type       string
		Validation []violation
	}
	_ = json.Unmarshal(body, &problem) // the answer itself, when there are but warnings
	if strings.HasSuffix(problem.Type, "#VIOLATIONS") {
		return problem.Validation
	}
	var warnings []violation
	if err := json.Unmarshal([]byte(header), &warnings); err != nil {
		t.Fatalf("sl-violations: %v in %s", err, header)
	}
	return warnings
}

func (w *documentWitness) knows(v violation) bool {
	if v.Code == "" && strings.HasPrefix(v.Message, "Unable to match the returned status code") {
		v.Code = "status"
	}
	for _, known := range knownViolations() {
		if v.Code == known[1] && (v.place() == known[0] || strings.HasSuffix(v.place(), "."+known[0])) {
			w.known[known]++
			return true
		}
	}
	return false
}

// Prism, which we did not write, holds what the façade answers against Jamf's document. Besides nulls, which Jamf sends as well, it may find
// nothing but what docs/compatibility.md lists.
func TestTheFacadeIsHeldAgainstJamfsDocumentByPrism(t *testing.T) {
	h := newHouse(t, fakejamf.Options{Computers: 40, Mobiles: 60, Seed: 7}, func(c *config.Config) { c.Sources[0].Profile = "full" })
	h.start()
	h.waitSynced()
	front := httptest.NewServer(adapter(startPrism(t, "proxy", h.base+"/api", "--errors", "--validate-request=false")))
	defer front.Close()
	w := &documentWitness{house: h, front: front.URL, nulls: map[string]int{}, known: map[[2]string]int{}}

	grant := url.Values{"grant_type": {"client_credentials"}, "client_id": {"inventory360"}, "client_secret": {clientSecret}}
	w.ask(http.MethodPost, "/v1/oauth/token", grant) // the adapter puts an Authorization header in
	w.ask(http.MethodPost, "/v1/oauth/token", url.Values{"grant_type": {"password"}})
	w.ask(http.MethodPost, "/v1/auth/token", nil, "Authorization", basic("inventory360", clientSecret))
	w.ask(http.MethodPost, "/v1/auth/token", nil, "Authorization", basic("inventory360", "wrong"))
	bearer := []string{"Authorization", "Bearer " + h.token()}
	w.ask(http.MethodPost, "/v1/auth/keep-alive", nil, bearer...)
	w.ask(http.MethodGet, "/v4/computers-inventory", nil, "Authorization", "Bearer wrong")
	for _, path := range slices.Concat(openReads(), computerReads(), mobileReads()) {
		w.ask(http.MethodGet, path, nil, bearer...)
	}

	doc, err := os.ReadFile("../../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, known := range knownViolations() {
		if w.known[known] == 0 {
			t.Errorf("%v is known and was not found: it need not be known any more", known)
		}
		if row := "| `" + known[0] + "` | " + known[1] + " |"; !strings.Contains(string(doc), row) {
			t.Errorf("docs/compatibility.md lacks %s", row)
		}
	}
	for place := range w.nulls {
		for _, never := range []string{"id", "mobileDeviceId", "deviceType", "totalCount", "results", "token", "version"} {
			if place == "response.body."+never || place == "response.body.results.*."+never {
				t.Errorf("%s is null", place)
			}
		}
	}
	if len(w.nulls) < 100 {
		t.Errorf("only %d places are null: Prism did not look", len(w.nulls))
	}
	t.Logf("%d answers held against the document, %d places null, known: %v", w.answers, len(w.nulls), w.known)
}

// openReads have no devices.
func openReads() []string {
	return []string{"/v1/auth", "/v1/jamf-pro-version", "/v1/health-check", "/startup-status"}
}

// computerReads are lists, sections, pages, sorts, filters, records and refusals of all versions.
func computerReads() []string {
	const sections = "section=GENERAL&section=DISK_ENCRYPTION&section=PURCHASING&section=APPLICATIONS&section=STORAGE&section=USER_AND_LOCATION" +
		"&section=CONFIGURATION_PROFILES&section=PRINTERS&section=SERVICES&section=HARDWARE&section=LOCAL_USER_ACCOUNTS&section=CERTIFICATES" +
		"&section=ATTACHMENTS&section=PACKAGE_RECEIPTS&section=SECURITY&section=OPERATING_SYSTEM&section=LICENSED_SOFTWARE&section=IBEACONS" +
		"&section=SOFTWARE_UPDATES&section=EXTENSION_ATTRIBUTES&section=CONTENT_CACHING&section=GROUP_MEMBERSHIPS"
	var out []string
	for version := 1; version <= 4; version++ {
		root := fmt.Sprintf("/v%d/computers-inventory", version)
		out = append(out, root, root+"?page-size=40&"+sections, root+"?page=3&page-size=7&section=HARDWARE&sort=general.name:desc,id",
			root+"?section=GENERAL,HARDWARE&filter="+url.QueryEscape(`general.name=="*a*" and hardware.make==Apple`), root+"?page=99",
			root+"?filter="+url.QueryEscape(`general.reportDate>="2020-01-01T00:00:00Z"`)+"&sort=general.reportDate:asc",
			root+"?page=x", root+"?filter=nothing==1", root+"?sort=nothing", root+"?section=NOWHERE", root+"/999999", root+"-detail/999999")
		for id := 1; id <= 5; id++ {
			out = append(out, fmt.Sprintf("%s/%d", root, id), fmt.Sprintf("%s/%d?section=STORAGE", root, id), fmt.Sprintf("%s-detail/%d", root, id))
		}
	}
	return out
}

// mobileReads are the same of the mobile devices; the first twenty are of every type.
func mobileReads() []string {
	const root, detail = "/v2/mobile-devices", "/v2/mobile-devices/detail"
	const sections = "section=GENERAL&section=HARDWARE&section=USER_AND_LOCATION&section=PURCHASING&section=SECURITY&section=APPLICATIONS" +
		"&section=EBOOKS&section=NETWORK&section=SERVICE_SUBSCRIPTIONS&section=CERTIFICATES&section=PROFILES&section=USER_PROFILES" +
		"&section=PROVISIONING_PROFILES&section=SHARED_USERS&section=GROUPS&section=EXTENSION_ATTRIBUTES"
	out := []string{
		root, root + "?page=2&page-size=7&sort=name:desc", root + "?filter=" + url.QueryEscape(`name=="*ipad*"`), root + "?page=99", root + "/999999",
		detail, detail + "?page-size=60&" + sections, detail + "?page=1&page-size=7&section=HARDWARE&sort=displayName:desc",
		detail + "?filter=" + url.QueryEscape(`supervised==true`) + "&sort=serialNumber", detail + "?page=99", root + "/999999/detail",
	}
	for id := 1; id <= 20; id++ {
		out = append(out, fmt.Sprintf("%s/%d", root, id), fmt.Sprintf("%s/%d/detail", root, id))
	}
	return out
}

func basic(name, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
}
