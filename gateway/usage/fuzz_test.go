package usage_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"jamf-gateway/gateway/usage"
)

// Whatever a client writes into a path, only words are kept.
func FuzzTemplate(f *testing.F) {
	for _, path := range []string{"/api/v1/sites/1", "/jamf/x/api", "/JSSResource/computers/name/Max", "/api/v1/c02xl", "//", "", "/%zz/\x00"} {
		f.Add(path)
	}
	version := regexp.MustCompile(`^v[1-9]$`)
	f.Fuzz(func(t *testing.T, path string) {
		for part := range strings.SplitSeq(strings.TrimPrefix(usage.Template(path), "/jamf/{source}"), "/") {
			if part != "" && part != "{}" && part != "..." && !usage.Known(part) && !version.MatchString(part) {
				t.Fatalf("%q keeps %q", path, part)
			}
		}
	})
}

// The same of a query and of headers.
func FuzzNames(f *testing.F) {
	for _, text := range []string{
		"page=0&page-size=100&section=GENERAL", "page%2Dsize=1&colour=red", "C02XL0GTJGH5=1&a+b=c&&=", "go-sdk-jamfpro-v2/0.9.0 (x)", "Mozilla/5.0 (Macintosh)",
		"application/json;q=0.5, */*;q=0.05", "\x00%zz",
	} {
		f.Add(text)
	}
	name, program := regexp.MustCompile(`^[a-z][A-Za-z0-9_-]{0,23}$`), regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]{0,39}/[0-9][0-9a-z.+_-]{0,19}$`)
	digits := regexp.MustCompile(`[0-9]`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, kept := range usage.Named(text) {
			if !name.MatchString(kept) || len(digits.FindAllString(kept, -1)) > 2 {
				t.Fatalf("%q keeps the parameter %q", text, kept)
			}
		}
		if kept := usage.Product(text); kept != "" && !program.MatchString(kept) {
			t.Fatalf("%q keeps the program %q", text, kept)
		}
		for word := range strings.SplitSeq(usage.Listed(text), ", ") {
			if word != "other" && word != "none" && !strings.Contains(strings.ToLower(text), word) {
				t.Fatalf("%q keeps the media type %q", text, word)
			}
		}
	})
}

// A file can hold anything: the records stay bounded, and what is taken up is written and read again as it is.
func FuzzFile(f *testing.F) {
	f.Add([]byte(`{"format":1,"clients":[{"client":"a","since":"2026-11-27T04:12:09.000Z","requests":3,"routes":[{"method":"GET","route":"/api/v1/auth","served":true,"parameters":["page","x"],` +
		`"requests":3,"lastSeenAt":"2026-11-27T04:12:09.000Z","statuses":[{"value":200,"count":3}],"refusals":[{"code":"not_found","parameter":"y","count":1}],"sections":[{"value":"GENERAL","count":1}]}],` +
		`"walks":[{"route":"/x","pageSize":100,"rows":5,"begun":1,"unfinished":2,"lengths":[{"value":2,"count":1}]}],"hours":[{"at":"2026-11-27T04:00:00.000Z","requests":3}],` +
		`"tokens":{"issued":[{"value":"body","count":1}],"byRequests":[{"value":"2-9","count":1}]},"userAgents":[{"value":"a/1","count":1}],"accept":[{"value":"*/*, other","count":1}]}]}`))
	f.Add([]byte(`{"format":1,"clients":[{"client":"a","hours":[{"at":null},{"at":"0001-01-01T00:00:00Z"}],"walks":[{"rows":-1,"pageSize":-1,"unfinished":-1}]}]}`))
	f.Add([]byte(`{"format":1,"unidentified":{"routes":[{}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file := filepath.Join(t.TempDir(), "usage.json")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		o := usage.Options{File: file, Aside: aside, Write: func(path string, data []byte) error { return os.WriteFile(path, data, 0o600) }}
		r := recorder(t, o)
		if rec := of(t, r, "a"); len(rec.Routes) > usage.MaxRoutes || len(rec.Walks) > usage.MaxWalks+1 {
			t.Fatalf("%d routes, %d walks", len(rec.Routes), len(rec.Walks))
		}
		if err := r.Save(); err != nil {
			t.Fatal(err)
		}
		before, err := json.Marshal(of(t, r, "a"))
		if err != nil {
			t.Fatal(err)
		}
		after, err := json.Marshal(of(t, recorder(t, o), "a"))
		if err != nil || string(after) != string(before) {
			t.Fatalf("%v\n%s became\n%s", err, before, after)
		}
	})
}
