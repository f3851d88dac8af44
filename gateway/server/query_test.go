package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"jamf-gateway/gateway/server"
)

func TestDevicesQueryIsReadStrictly(t *testing.T) {
	for raw, code := range map[string]string{
		"":                                   "",
		"source=a&kind=computer&limit=1000":  "",
		"limit=1":                            "",
		"serialNumber=c02x":                  "",
		"require=fresh":                      "",
		"limit=0":                            "bad_request",
		"limit=1001":                         "bad_request",
		"limit=1e2":                          "bad_request",
		"limit=":                             "bad_request",
		"kind=printer":                       "bad_request",
		"platform=windows":                   "bad_request",
		"require=stale":                      "bad_request",
		"kind=computer&kind=mobile":          "bad_request",
		"name=":                              "bad_request",
		"name=%zz":                           "bad_request",
		"name=%00":                           "bad_request",
		"name=%ff":                           "bad_request",
		"a;b=1":                              "unknown_parameter",
		"filter=name%3D%3D1":                 "",
		"filter=name":                        "filter_not_supported",
		"filter=":                            "bad_request",
		"sort=name":                          "",
		"fields=name":                        "",
		"fields=nam":                         "bad_request",
		"serialnumber=x":                     "unknown_parameter",
		"page=0":                             "unknown_parameter",
		"name=" + strings.Repeat("x", 600):   "bad_request",
		"cursor=" + strings.Repeat("x", 600): "",
	} {
		if _, _, got := server.ParseDevicesQuery(raw); got != code {
			t.Errorf("%q: code %q, want %q", clip(raw), got, code)
		}
	}
}

func TestQueriesThatMeanTheSameHaveOneCanonicalForm(t *testing.T) {
	a, _, _ := server.ParseDevicesQuery("serialNumber=c02x&udid=ab-cd&kind=computer")
	b, _, _ := server.ParseDevicesQuery("kind=computer&udid=AB-CD&serialNumber=%20C02X")
	if a != b || a == "" {
		t.Errorf("%q and %q", a, b)
	}
	c, _, _ := server.ParseDevicesQuery(`name=` + url.QueryEscape(`x" udid="y`))
	d, _, _ := server.ParseDevicesQuery(`name=x&udid=y`)
	if c == d {
		t.Errorf("two queries share %q", c)
	}
}

func TestJamfNumbersAreCheckedAndSpelledThreeWays(t *testing.T) {
	for raw, want := range map[string]struct {
		page, size int
		code       string
	}{
		"":                                   {0, 100, ""},
		"page=2&page-size=7":                 {2, 7, ""},
		"pagesize=8":                         {0, 8, ""},
		"size=9":                             {0, 9, ""},
		"page-size=1&size=9":                 {0, 1, ""},
		"page-size=7&page-size=7":            {0, 7, ""},
		"page-size=7&page-size=8":            {0, 0, "bad_request"},
		"page=-1":                            {0, 0, "bad_request"},
		"page=x":                             {0, 0, "bad_request"},
		"page=":                              {0, 0, "bad_request"},
		"page-size=0":                        {0, 0, "bad_request"},
		"page=9223372036854775808":           {0, 0, "bad_request"},
		"page=2147483647":                    {2147483647, 100, ""},
		"page=2147483648":                    {0, 0, "bad_request"},
		"sort=id:asc":                        {0, 100, ""},
		"sort=id%3Aasc":                      {0, 100, ""},
		"sort=id":                            {0, 100, ""},
		"sort=":                              {0, 100, ""},
		"sort=id:asc&sort=udid":              {0, 100, ""},
		"filter=general.name%3D%3D%22a%22":   {0, 100, ""},
		"filter=id==1;id==2":                 {0, 100, ""}, // a bare semicolon
		"filter=id==1&filter=id==1":          {0, 100, ""},
		"filter=id==1&filter=id==2":          {0, 0, "bad_request"},
		"filter=id":                          {0, 0, "filter_not_supported"},
		"filter=(id==1":                      {0, 0, "filter_not_supported"},
		"filter=":                            {0, 100, ""},
		"whatever=1&exception-handling=NONE": {0, 100, ""},
	} {
		page, size, code := server.ParseJamfQuery(raw)
		if page != want.page || size != want.size || code != want.code {
			t.Errorf("%q: %d %d %q, want %+v", raw, page, size, code, want)
		}
	}
}

func TestEveryPageAndSizeCoversTheListOnce(t *testing.T) {
	const count = 23
	for size := 1; size <= 30; size++ {
		covered := 0
		for page := range 30 {
			offset, rows, tooLarge := server.PageWindow(count, page, size, 1000)
			if tooLarge {
				t.Fatalf("page %d of size %d is too large", page, size)
			}
			if rows > 0 && offset != covered {
				t.Fatalf("page %d of size %d begins at %d, %d rows were shown", page, size, offset, covered)
			}
			covered += rows
		}
		if covered != count {
			t.Errorf("size %d: %d of %d rows", size, covered, count)
		}
	}
	for _, tc := range []struct {
		count, page, size, limit int
		tooLarge                 bool
	}{
		{100, 0, 1_000_000, 100, false}, // nothing is left out
		{101, 0, 1_000_000, 100, true},
		{101, 1, 100, 100, false},
		{101, 2147483647, 2147483647, 100, false}, // beyond the end, however far
	} {
		if _, _, got := server.PageWindow(tc.count, tc.page, tc.size, tc.limit); got != tc.tooLarge {
			t.Errorf("%+v: %v", tc, got)
		}
	}
}

func TestEncodingIsNegotiated(t *testing.T) {
	const refused = "refused"
	for header, want := range map[string]string{
		"": "", "gzip": "gzip", "gzip, deflate, br": "gzip", "GZIP;q=0.5": "gzip", "identity": "", "gzip;q=0": "", "*": "gzip",
		"gzip;q=0, *": "", "*;q=0": refused, "br": "", "gzip;q=x": "", "x-gzip": "gzip", "gzip, deflate, br, zstd": "zstd", "zstd": "zstd",
		"zstd;q=0.5, gzip": "gzip", "gzip;q=0.5, identity": "", "gzip;q=0.5, identity;q=0.5": "gzip", "zstd;q=0, gzip;q=0.1": "gzip",
		"identity;q=0": refused, "identity;q=0, br": refused, "identity;q=0, gzip": "gzip", "identity;q=0, *": "gzip", "*;q=0, identity": "",
		"*;q=0, zstd;q=0.001": "zstd", "gzip;q=2": "", "gzip;q=NaN": "", "gzip ; q=0.3 , zstd ; q=0.2": "gzip", ",,": "", "gzip;q=0, identity;q=0": refused,
	} {
		got, ok := server.AcceptedEncoding(header)
		if !ok {
			got = refused
		}
		if got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}

func TestValidatorsAreComparedWeakly(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, `"a"`: true, `W/"a"`: true, `"b", "a"`: true, `*`: true, `"b"`: false, `a`: false, `"ab"`: false,
	} {
		if got := server.NotModified(header, `"a"`); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}

func TestRequestIDsOfClientsAreTakenOnlyWhenHarmless(t *testing.T) {
	for given, taken := range map[string]bool{
		"abc-1.2_Z": true, "": false, "a b": false, "a\tb": false, "ä": false, "x\"y": false, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false,
	} {
		got := server.RequestID([]byte(given))
		if (got == given) != taken || got == "" {
			t.Errorf("%q: %q", given, got)
		}
	}
	if a, b := server.RequestID(nil), server.RequestID(nil); a == b {
		t.Error("minted ids repeat")
	}
}

func TestFamiliesAreAClosedSet(t *testing.T) {
	for path, want := range map[string]string{
		"/api/v1/departments": "departments", "/jamf/a/api/v2/computers-inventory/7": "computers-inventory", "/api/auth/current": "auth",
		"/api/v1/hunter2": "other", "/api/v99/departments": "other", "/JSSResource/computers": "classic", "/jamf/a/JSSResource/x": "classic", "/x": "other",
	} {
		if got := server.Family(path); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}

func FuzzDevicesQuery(f *testing.F) {
	for _, seed := range []string{"", "limit=7&name=%C3%A4", "serialNumber=x&udid=Y", "name=a&name=b", "%", "filter=x;y", "cursor=AQ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		canonical, limit, code := server.ParseDevicesQuery(raw)
		if code == "" && (limit < 1 || limit > 1000 || canonical == "") {
			t.Errorf("%q was read with limit %d", raw, limit)
		}
	})
}

func FuzzJamfQuery(f *testing.F) {
	for _, seed := range []string{"", "page=0&page-size=2000", "sort=id:asc", "filter=a", "page=-0", "size=+7", "page=%30"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		page, size, code := server.ParseJamfQuery(raw)
		if code != "" {
			return
		}
		if page < 0 || size < 1 {
			t.Fatalf("%q was read as page %d of size %d", raw, page, size)
		}
		if offset, rows, tooLarge := server.PageWindow(5000, page, size, 100); !tooLarge && (offset < 0 || rows < 0 || rows > 100 || offset+rows > 5000) {
			t.Errorf("%q shows %d rows from %d", raw, rows, offset)
		}
	})
}

func clip(s string) string { return s[:min(len(s), 60)] }

func TestAnUnknownParameterIsAnsweredWithTheKnownOnes(t *testing.T) {
	w := newWorld(t)
	w.publishAll(3)
	for path, want := range map[string]string{
		"/v1/devices":                                  "cursor, fields, filter, kind, limit, name, platform, require, serialNumber, sort, source, udid.",
		"/v1/devices/schule-a:computer:1":              "fields, require.",
		"/v1/devices/schule-a:computer:1/applications": "require.",
		"/v1/sources":                                  "none.",
		"/v1/sources/schule-a":                         "none.",
		"/v1/sources/schule-a/health":                  "none.",
		"/v1/health":                                   "none.",
	} {
		r := w.get("all", path+"?colour=red")
		w.want(r, http.StatusBadRequest, "unknown_parameter")
		if !strings.Contains(string(r.body), `"colour is not a parameter of this path. It takes `+want+`"`) {
			t.Errorf("%s: %s", path, r)
		}
		for name := range strings.SplitSeq(strings.TrimSuffix(want, "."), ", ") {
			if name != "none" && strings.Contains(string(w.get("all", path+"?"+name+"=x").body), "unknown_parameter") {
				t.Errorf("%s does not know %s", path, name)
			}
		}
	}
}
