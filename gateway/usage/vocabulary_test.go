package usage_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/usage"
)

func TestOfAPathOnlyWhatIsNoValueIsKept(t *testing.T) {
	for path, want := range map[string]string{
		"/JSSResource/computers/id/42":                      "/JSSResource/computers/id/{}",
		"/JSSResource/computers/name/max":                   "/JSSResource/computers/name/{}",
		"/JSSResource/computers/subset/basic":               "/JSSResource/computers/subset/basic",
		"/api/v1/sites":                                     "/api/v1/sites",
		"/api/v9/sites":                                     "/api/v9/sites",
		"/api/v2/brand-new-thing/17/maxmuster":              "/api/v2/{}/{}/{}",
		"/api/v1/computers-inventory/17/attachments/3":      "/api/v1/computers-inventory/{}/attachments/{}",
		"/jamf/schule-a/api/v1/sites":                       "/jamf/{source}/api/v1/sites",
		"/jamf/schule-a":                                    "/jamf/{source}",
		"/jamf":                                             "/jamf",
		"/brandnew":                                         "/{}",
		"/auth/token":                                       "/auth/token",
		"/api/pro/v3/tenant/t1/computers-inventory":         "/api/pro/v3/tenant/{}/computers-inventory",
		"/api/v1/C02XL0GTJGH5":                              "/api/v1/{}",
		"/api/v1/eyJhbGciOiJIUzI1NiJ9":                      "/api/v1/{}",
		"/api/v1/secret%20name":                             "/api/v1/{}",
		"/api/v1/" + strings.Repeat("a", 41):                "/api/v1/{}",
		"/api/v1/sites/":                                    "/api/v1/sites/",
		"/":                                                 "/",
		"/api" + strings.Repeat("/x", 30):                   "/api" + strings.Repeat("/{}", 9) + "/...",
		"/api/v1/computers-inventory/macbook-von-sekretaer": "/api/v1/computers-inventory/{}",
	} {
		if got := usage.Template(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// A file of an earlier release may hold paths that only looked like names of resources.
func TestPathsThatAnEarlierReleaseKeptAreCutWhenTheyAreRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "usage.json")
	line := func(route string, served bool) string {
		return fmt.Sprintf(`{"method":"GET","route":%q,"served":%t,"requests":3,"parameters":[],"lastSeenAt":"2026-11-27T04:12:09.000Z"}`, route, served)
	}
	text := `{"format":1,"clients":[{"client":"a","routes":[` + strings.Join([]string{
		line("/api/v1/c-canary", false), line("/api/v1/d-canary", false), line("/jamf/{source}/api/v1/sites", false), line("/api/v1/computers-inventory/{id}", true),
	}, ",") + `]}]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for _, r := range of(t, recorder(t, usage.Options{File: file, Aside: aside, Write: func(string, []byte) error { return nil }}), "a").Routes {
		got[r.Route] += r.Requests
	}
	if diff := cmp.Diff(map[string]uint64{"/api/v1/{}": 6, "/jamf/{source}/api/v1/sites": 3, "/api/v1/computers-inventory/{id}": 3}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOfAQueryOnlyNamesAreKept(t *testing.T) {
	for query, want := range map[string][]string{
		"page=0&page-size=100&section=GENERAL&section=HARDWARE": {"page", "page-size", "section"},
		"page%2Dsize=5":                           {"page-size"},
		"isLenient=true&colour=x":                 {"colour", "isLenient"},
		"C02XL0GTJGH5=1&00:11:22:33:44:55=1":      {"other"},
		"f81d4fae-7dec-11d0-a765-00a0c91e6bf6=1":  {"other"},
		"max.mustermann=1&Max=2&=3&&%zz=1":        {"other"},
		"abcdefghijklmnopqrstuvwxyz=1":            {"other"},
		"a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1&j=1": strings.Fields("a b c d e f g h"),
		"": {},
	} {
		if diff := cmp.Diff(want, usage.Named(query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

func TestOfFieldsProgramsAndMediaTypesOnlyNamesAreKept(t *testing.T) {
	for name, want := range map[string]string{
		"general.name": "general.name", "name": "name", "general.maxmuster": "other", "C02XL0GTJGH5": "other", "": "other", ".": "other",
		strings.Repeat("name.", 20) + "name": "other",
	} {
		if got := usage.Field(name, "general", "name"); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	for header, want := range map[string]string{
		"go-sdk-jamfpro-v2/0.9.0": "go-sdk-jamfpro-v2/0.9.0", "JamfProSDK/0.8a1 Linux/6.1": "JamfProSDK/0.8a1", "Go-http-client/1.1": "Go-http-client/1.1",
		"go-resty/3.0.0-rc.3 (https://x)": "go-resty/3.0.0-rc.3", "Mozilla/5.0 (Macintosh)": "Mozilla/5.0",
		"C02XL0GTJGH5/1.0": "", "secret": "", "name/eyJhbGciOiJIUzI1NiJ9": "", "a/1deadbeefcafe": "", "": "", "/1": "", "a/": "",
	} {
		if got := usage.Product(header); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
	for header, want := range map[string]string{
		"application/json": "application/json", "": "none", "application/x-x509-ca-cert;q=0.95,application/xml;q=0.65,application/json;q=0.5,*/*;q=0.05": "application/json, application/xml, */*, other",
		"Text/HTML; secret=x": "text/html", "x-secret": "other",
	} {
		if got := usage.Listed(header); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
	if diff := cmp.Diff([]string{"id asc", "general.name desc", "udid", "other other"}, usage.Orders("id:asc, general.name:DESC,udid,,C02XL0GTJGH5:x", "id", "general", "name", "udid")); diff != "" {
		t.Error(diff)
	}
}
