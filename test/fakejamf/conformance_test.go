package fakejamf_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"jamf-gateway/test/fakejamf"
)

// shared finds third-party data that lies beside the checkout, or skips the test.
func shared(t *testing.T, name string) []byte {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if filepath.Dir(dir) == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	b, err := os.ReadFile(filepath.Join(filepath.Dir(dir), "shared", name))
	if err != nil {
		t.Skipf("witness absent: shared/%s does not stand beside the checkout", name)
	}
	return b
}

type schema struct {
	Ref           string             `json:"$ref"`
	Type          string             `json:"type"`
	Format        string             `json:"format"`
	Enum          []string           `json:"enum"`
	Required      []string           `json:"required"`
	Properties    map[string]*schema `json:"properties"`
	Additional    any                `json:"additionalProperties"`
	Items         *schema            `json:"items"`
	AllOf         []*schema          `json:"allOf"`
	Discriminator *struct {
		Property string            `json:"propertyName"`
		Mapping  map[string]string `json:"mapping"`
	} `json:"discriminator"`
}

type document struct {
	Components struct {
		Schemas map[string]*schema `json:"schemas"`
	} `json:"components"`
	Paths map[string]map[string]struct {
		Responses map[string]struct {
			Content map[string]struct {
				Schema *schema `json:"schema"`
			} `json:"content"`
		} `json:"responses"`
	} `json:"paths"`
}

// laterFields came with 11.32; the document is of 11.30.2.
var laterFields = []string{"appleEnrollmentType", "awaitingConfiguration", "lockdownModeEnabled", "returnToServiceEnabled", "systemHealth", fakejamf.UnknownField}

type validator struct {
	doc      *document
	problems map[string]int // problem -> times
	values   int            // values that a schema was held against
	unknown  int            // planted enum values met
}

func (v *validator) complain(path, format string, args ...any) {
	v.problems[path+": "+fmt.Sprintf(format, args...)]++
}

func (v *validator) resolve(s *schema) *schema {
	for s.Ref != "" {
		s = v.doc.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	return s
}

// check holds a value against a schema. Null is good anywhere: the wire has it where the document does not.
func (v *validator) check(s *schema, value any, path string) {
	s = v.resolve(s)
	if value == nil {
		return
	}
	v.values++
	switch x := value.(type) {
	case map[string]any:
		v.object(s, x, path)
	case []any:
		if s.Type != "array" {
			v.complain(path, "an array where %s is documented", s.Type)
			return
		}
		for _, one := range x {
			v.check(s.Items, one, path+"[]")
		}
	case string:
		v.text(s, x, path)
	case bool:
		if s.Type != "boolean" {
			v.complain(path, "a boolean where %s is documented", s.Type)
		}
	case json.Number:
		if s.Type != "number" && (s.Type != "integer" || strings.Contains(x.String(), ".")) {
			v.complain(path, "number %s where %s is documented", x, s.Type)
		}
	}
}

func (v *validator) text(s *schema, x, path string) {
	if s.Type != "string" {
		v.complain(path, "a string where %s is documented", s.Type)
		return
	}
	if s.Enum != nil && !slices.Contains(s.Enum, x) {
		if x == fakejamf.UnknownEnum {
			v.unknown++
			return
		}
		v.complain(path, "%q is not in the enumeration", x)
	}
	layout := map[string]string{"date-time": time.RFC3339, "date": time.DateOnly}[s.Format]
	if layout != "" {
		if _, err := time.Parse(layout, x); err != nil {
			v.complain(path, "no %s: %q", s.Format, x)
		}
	}
}

// properties gathers what an object may and must have, through allOf.
func (v *validator) properties(s *schema, into map[string]*schema, required *[]string) (open bool) {
	s = v.resolve(s)
	for _, part := range s.AllOf {
		open = v.properties(part, into, required) || open
	}
	maps.Copy(into, s.Properties)
	*required = append(*required, s.Required...)
	return open || s.Additional != nil && s.Additional != false || len(s.AllOf) == 0 && len(s.Properties) == 0
}

func (v *validator) object(s *schema, x map[string]any, path string) {
	if d := s.Discriminator; d != nil && len(s.Properties) == 0 {
		name, _ := x[d.Property].(string)
		ref := d.Mapping[name]
		if ref == "" {
			ref = "#/components/schemas/MobileDeviceInventory" // what no document maps has the common part only
		}
		v.object(v.resolve(&schema{Ref: ref}), x, path+"("+name+")")
		return
	}
	if s.Type != "object" && len(s.AllOf) == 0 && len(s.Properties) == 0 {
		v.complain(path, "an object where %s is documented", s.Type)
		return
	}
	props, required := map[string]*schema{}, []string{}
	open := v.properties(s, props, &required)
	for _, k := range required {
		if _, ok := x[k]; !ok {
			v.complain(path, "%s is required", k)
		}
	}
	for k, one := range x {
		switch p := props[k]; {
		case p != nil:
			v.check(p, one, path+"."+k)
		case !open && !slices.Contains(laterFields, k):
			v.complain(path, "%s is not documented", k)
		}
	}
}

func loadDocument(t *testing.T) *document {
	t.Helper()
	doc := &document{}
	if err := json.Unmarshal(shared(t, "jamf-openapi/jamf-pro-11.30.2-inventory-subset.json"), doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func allOf(names string) string {
	return "section=" + strings.Join(strings.Fields(names), "&section=")
}

const (
	computerSections = "GENERAL DISK_ENCRYPTION PURCHASING APPLICATIONS STORAGE USER_AND_LOCATION CONFIGURATION_PROFILES PRINTERS SERVICES HARDWARE " +
		"LOCAL_USER_ACCOUNTS CERTIFICATES ATTACHMENTS PACKAGE_RECEIPTS SECURITY OPERATING_SYSTEM LICENSED_SOFTWARE IBEACONS SOFTWARE_UPDATES " +
		"EXTENSION_ATTRIBUTES CONTENT_CACHING GROUP_MEMBERSHIPS"
	mobileSections = "GENERAL HARDWARE USER_AND_LOCATION PURCHASING SECURITY APPLICATIONS EBOOKS NETWORK SERVICE_SUBSCRIPTIONS CERTIFICATES PROFILES " +
		"USER_PROFILES PROVISIONING_PROFILES SHARED_USERS GROUPS EXTENSION_ATTRIBUTES"
)

func TestAnswersConformToJamfsOpenAPIDocument(t *testing.T) {
	if raceEnabled {
		t.Skip("one goroutine, and slow under the race detector")
	}
	doc := loadDocument(t)
	s := fakejamf.New(fakejamf.Options{Computers: 300, Mobiles: 500, Seed: 7})
	c := newClient(t, s)
	mobile, computer := s.Ledger().Alive(fakejamf.Mobile), s.Ledger().Alive(fakejamf.Computer)[0]
	requests := []struct{ template, path string }{
		{"/v1/computers-inventory", "?page-size=300&" + allOf(computerSections+" PLUGINS FONTS")},
		{"/v2/computers-inventory", "?page-size=300&" + allOf(computerSections)},
		{"/v3/computers-inventory", "?page-size=300&" + allOf(computerSections)},
		{"/v4/computers-inventory", "?page-size=300&" + allOf(computerSections)},
		{"/v4/computers-inventory", ""},
		{"/v4/computers-inventory/{id}", ""},
		{"/v1/computers-inventory-detail/{id}", ""},
		{"/v4/computers-inventory-detail/{id}", ""},
		{"/v2/mobile-devices", "?page-size=500"},
		{"/v2/mobile-devices/detail", "?page-size=500&" + allOf(mobileSections)},
		{"/v1/auth", ""},
		{"/v1/jamf-pro-version", ""},
		{"/startup-status", ""},
	}
	v := &validator{doc: doc, problems: map[string]int{}}
	for _, r := range requests {
		path := strings.Replace(r.template, "{id}", fmt.Sprint(computer), 1)
		v.answer(t, c, r.template, "/api"+path+r.path)
	}
	for _, id := range mobile {
		v.answer(t, c, "/v2/mobile-devices/{id}", fmt.Sprintf("/api/v2/mobile-devices/%d", id))
		v.answer(t, c, "/v2/mobile-devices/{id}/detail", fmt.Sprintf("/api/v2/mobile-devices/%d/detail", id))
	}
	for p, n := range v.problems {
		t.Errorf("%s (%d times)", p, n)
	}
	if v.values < 100_000 || v.unknown == 0 {
		t.Errorf("held %d values against the document and met %d unknown enum values: too few to prove anything", v.values, v.unknown)
	}
}

func (v *validator) answer(t *testing.T, c *client, template, path string) {
	t.Helper()
	res := c.get(path)
	if res.Code != 200 {
		t.Fatalf("GET %s: %d", path, res.Code)
	}
	d := json.NewDecoder(res.Body)
	d.UseNumber()
	var body any
	if err := d.Decode(&body); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	op, ok := v.doc.Paths[template]["get"]
	if !ok {
		t.Fatalf("the document has no %s", template)
	}
	v.check(op.Responses["200"].Content["application/json"].Schema, body, template)
}

func TestErrorsConformToJamfsOpenAPIDocument(t *testing.T) {
	doc := loadDocument(t)
	c := newClient(t, fakejamf.New(fakejamf.Options{}))
	v := &validator{doc: doc, problems: map[string]int{}}
	for _, path := range []string{"/api/v4/computers-inventory/999999", "/api/v4/computers-inventory/x", "/api/v4/none", "/api/v1/departments", "/api/v4/computers-inventory?sort=x"} {
		var body any
		decode(t, c.get(path), &body)
		v.check(doc.Components.Schemas["ApiError"], number(t, body), path)
	}
	var refused any
	decode(t, c.post("/api/v1/oauth/token", url.Values{}), &refused)
	v.check(doc.Components.Schemas["OAuthTokenEndpointErrorResponse"], refused, "token")
	for p := range v.problems {
		t.Error(p)
	}
}

// number gives a decoded body the numbers that the validator reads.
func number(t *testing.T, body any) any {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	var out any
	if err := d.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRealErrorBodyIsMatchedByteForByte(t *testing.T) {
	want := strings.TrimSpace(string(shared(t, "fixtures/error-401-invalid-token.real.json")))
	c := newClient(t, fakejamf.New(fakejamf.Options{}))
	c.token = "wrong"
	if got := c.get("/api/v1/auth").Body.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// keys lists the members of an object in their order, with those of its first array elements.
func keys(t *testing.T, raw json.RawMessage, prefix string, into map[string][]string) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(raw)))
	open, err := d.Token()
	if err != nil {
		t.Fatal(err)
	}
	switch open {
	case json.Delim('['):
		if d.More() {
			var first json.RawMessage
			if err := d.Decode(&first); err != nil {
				t.Fatal(err)
			}
			keys(t, first, prefix+"[]", into)
		}
	case json.Delim('{'):
		for d.More() {
			k, err := d.Token()
			if err != nil {
				t.Fatal(err)
			}
			var v json.RawMessage
			if err := d.Decode(&v); err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprint(k)
			if !slices.Contains(into[prefix], name) {
				into[prefix] = append(into[prefix], name)
			}
			keys(t, v, prefix+"."+name, into)
		}
	}
}

func elements(t *testing.T, body []byte) []json.RawMessage {
	t.Helper()
	var l struct {
		Results []json.RawMessage `json:"results"`
	}
	if err := json.Unmarshal(body, &l); err != nil {
		t.Fatal(err)
	}
	return l.Results
}

// The recorded page is of 10.43: a key of it may have gone since, and new ones have come, but what both have must stand in the same order.
func TestRecordHasTheKeysOfTheRecordedPageInItsOrder(t *testing.T) {
	recorded := map[string][]string{}
	keys(t, elements(t, shared(t, "fixtures/computers-inventory-v1-page.real-redacted.json"))[0], "", recorded)
	c := newClient(t, fakejamf.New(fakejamf.Options{Computers: 200, Seed: 3}))
	ours := map[string][]string{}
	page := c.get("/api/v1/computers-inventory?page-size=200&section=GENERAL,HARDWARE,LOCAL_USER_ACCOUNTS").Body.Bytes()
	for _, r := range elements(t, page) {
		keys(t, r, "", ours)
	}
	for at, want := range recorded {
		for _, k := range want {
			if !slices.Contains(ours[at], k) {
				t.Errorf("%s.%s is missing", at, k)
			}
		}
	}
	both := func(a, b []string) []string {
		return slices.DeleteFunc(slices.Clone(a), func(k string) bool { return !slices.Contains(b, k) })
	}
	if got, want := both(ours[""], recorded[""]), both(recorded[""], ours[""]); !slices.Equal(got, want) {
		t.Errorf("top level keys\n got %v\nwant %v", got, want)
	}
}

func TestEveryKeyOfTheSpecExamplesIsServed(t *testing.T) {
	if raceEnabled {
		t.Skip("one goroutine, and slow under the race detector")
	}
	s := fakejamf.New(fakejamf.Options{Computers: 400, Mobiles: 700, Seed: 5})
	c := newClient(t, s)
	check := func(name string, want, got map[string][]string) {
		for at, list := range want {
			if strings.Contains(at, "contentCaching") {
				continue // parents and alerts below it are null here
			}
			if rare := len(got[at]) == 0; rare && name != "iOS" && name != "computer" {
				continue // written by what writes it for iOS, but no device of this rarer type has it
			}
			for _, k := range list {
				if !slices.Contains(got[at], k) {
					t.Errorf("%s: %s.%s is missing", name, at, k)
				}
			}
		}
	}
	want, got := map[string][]string{}, map[string][]string{}
	keys(t, elements(t, shared(t, "fixtures/computers-inventory-v4-all-sections.spec-example.json"))[0], "", want)
	for _, r := range elements(t, c.get("/api/v4/computers-inventory?page-size=400&"+allOf(computerSections)).Body.Bytes()) {
		keys(t, r, "", got)
	}
	delete(want, ".userAndLocation.extensionAttributes[]")
	for _, section := range []string{"purchasing", "userAndLocation", "hardware", "operatingSystem"} {
		delete(want, "."+section+".extensionAttributes[]") // these sections show none
	}
	check("computer", want, got)

	types := map[string]map[string][]string{}
	for _, r := range elements(t, c.get("/api/v2/mobile-devices/detail?page-size=700&"+allOf(mobileSections)).Body.Bytes()) {
		var head struct {
			Type string `json:"deviceType"`
		}
		if err := json.Unmarshal(r, &head); err != nil {
			t.Fatal(err)
		}
		if types[head.Type] == nil {
			types[head.Type] = map[string][]string{}
		}
		keys(t, r, "", types[head.Type])
	}
	for _, r := range elements(t, shared(t, "fixtures/mobile-devices-v2-detail-all-types-all-sections.spec-example.json")) {
		var head struct {
			Type string `json:"deviceType"`
		}
		if err := json.Unmarshal(r, &head); err != nil {
			t.Fatal(err)
		}
		want := map[string][]string{}
		keys(t, r, "", want)
		for at := range want {
			if strings.HasSuffix(at, ".extensionAttributes[]") && at != ".extensionAttributes[]" && at != ".general.extensionAttributes[]" {
				delete(want, at)
			}
		}
		check(head.Type, want, types[head.Type])
		top := slices.DeleteFunc(slices.Clone(types[head.Type][""]), func(k string) bool { return k == fakejamf.UnknownField })
		slices.Sort(top)
		slices.Sort(want[""])
		if !slices.Equal(top, want[""]) {
			t.Errorf("%s has the sections %v, want %v", head.Type, top, want[""])
		}
	}
}
