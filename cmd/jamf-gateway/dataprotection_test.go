package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway"
	"jamf-gateway/gateway/report"
)

// protecting runs `report data-protection` at a moment, in Vienna, in the directory of its settings.
func protecting(t *testing.T, env []string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), append([]string{"report", "data-protection", "--config", "gateway.yaml"}, args...), streams{
		out: &out, err: &errs, env: append(env, "TZ=Europe/Vienna"), now: func() time.Time { return time.Date(2026, 11, 27, 9, 30, 0, 0, time.UTC) },
	})
	return result{code, out.String(), errs.String()}
}

func TestTheReportOnDataProtectionIsAsRead(t *testing.T) {
	goldens, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	before := `sources:
  - {name: schule-a, url: "https://schule-a.jamfcloud.com/api", client_id: x, client_secret: "env:NOT_SET", passthrough: [{path: "/v1/computer-groups/{id}", ttl: 1h}]}
  - {name: schule-b, url: "https://schule-b.jamfcloud.com/api", client_id: x, client_secret: "env:NOT_SET", kinds: [mobile], status: disabled}
clients:
  - {id: inventory360, sources: [schule-a], secrets: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"]}
`
	write(t, "gateway.yaml", before)
	for _, change := range []struct {
		at   time.Time
		more string
	}{
		{time.Date(2026, 9, 1, 6, 0, 0, 0, time.UTC), ""},
		{time.Date(2026, 10, 1, 6, 0, 0, 0, time.UTC), `  - id: leihpool
    secrets: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25c"]
    passthrough: true
    view: {no_byod: true, groups: ["Pool <Nord> | _1_"], names: serial, users: drop}
`},
	} {
		write(t, "gateway.yaml", before+change.more)
		c, err := config.LoadOutline("gateway.yaml", nil)
		if err != nil {
			t.Fatal(err)
		}
		f, err := gateway.DataProtection(c, version, change.at)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := report.Record(&cache.Disk{}, c.DataDir, change.at, "1.0", f.Policy); err != nil {
			t.Fatal(err)
		}
	}
	for name, args := range map[string][]string{
		"protection.de.md": nil, "protection.en.md": {"--lang", "en"}, "protection.de.html": {"--format", "html"}, "protection.en.html": {"--lang=en", "--format=html"},
	} {
		r := protecting(t, []string{"LANG=en_US.UTF-8"}, args...)
		if r.code != exitGood || r.err != "" {
			t.Fatalf("%s: exit code %d, %s", name, r.code, r.err)
		}
		work, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		t.Chdir(goldens)
		golden(t, name, r.out)
		t.Chdir(work)
	}
}

func TestTheReportOnDataProtectionIsWrittenIntoANewFileAlone(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "gateway.yaml", `sources: [{name: a, url: "https://a.jamfcloud.com/api", client_id: x, client_secret: "env:NOT_SET"}]
clients: [{id: c, secrets: ["`+hashOfSecret+`"]}]
`)
	if r := protecting(t, nil, "--out", "report.html"); r.code != exitGood || r.out+r.err != "" {
		t.Fatalf("%+v", r)
	}
	page, err := os.ReadFile("report.html")
	if err != nil || !strings.HasPrefix(string(page), "<!DOCTYPE html>\n<html lang=\"de\">") {
		t.Errorf("%v: %.100s", err, page)
	}
	if info, err := os.Stat("report.html"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"--out", "report.html"}, "exists already: name another file with --out"},
		{[]string{"--config", "none.yaml"}, "no such file"},
		{[]string{"--format", "pdf"}, "--format must be one of"},
	} {
		if r := protecting(t, nil, tc.args...); r.code != exitUsage || !strings.Contains(r.err, tc.want) {
			t.Errorf("%v: exit code %d, no %q in %s", tc.args, r.code, tc.want, r.err)
		}
	}
}
