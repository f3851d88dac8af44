package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// storedCanaries keeps computers of source a below dir, whose every text is word or hostile to a terminal, a page or a table.
func storedCanaries(t *testing.T, dir, word string) {
	t.Helper()
	s, err := cache.Open(t.Context(), cache.Options{Dir: dir, MaxBytes: 1 << 20, Keep: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	full, _ := device.BuiltinProfile("full")
	b, err := s.Begin(t.Context(), cache.Draft{
		Series: cache.Series{Source: "a", Kind: device.Computer}, MappingVersion: device.MappingVersion, ProfileName: "full", ProfileDigest: full.Digest(),
		ProfilePaths: full.Paths(device.Computer),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Abort()
	for id, hostile := range []string{"", `\u001b[2J`, `<img src=x onerror=alert(1)>`, `=cmd|' /C calc'!A0`, `| a | b |`, `\u202e`} {
		body := strings.ReplaceAll(fmt.Sprintf(`{"id":"%d","udid":"W","general":{"name":"W","assetTag":"W","site":{"id":"1","name":"W"}},"hardware":{"serialNumber":"W"},"userAndLocation":{"username":"W","email":"W","room":"W"},"applications":[{"name":"W"}]}`, id+1), "W", hostile+word)
		if err := b.Put(t.Context(), int64(id+1), []byte(body), device.Columns{}, cache.StatePresent); err != nil {
			t.Fatal(err)
		}
	}
	c, err := b.Finish(t.Context(), cache.Outcome{Ended: time.Now(), ReportedTotal: 6})
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.Publish(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	g.Release()
}

// TestWhatIsSaidOfFieldsHoldsNoValueOfADevice in any format and language, whatever is stored: of fields and policies it is told, and never of devices.
func TestWhatIsSaidOfFieldsHoldsNoValueOfADevice(t *testing.T) {
	const word = "CANARY7Q41"
	t.Chdir(t.TempDir())
	write(t, "gateway.yaml", `sources:
  - {name: a, url: "https://a.jamfcloud.com/api", client_id: x, client_secret: "env:NOT_SET", profile: full}
clients:
  - {id: all, secrets: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"], profile: minimal}
  - {id: north, secrets: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25c"], view: {sites: [North], names: pseudonym}}
`)
	work, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(work, "data")
	storedCanaries(t, data, word)
	if files, err := filepath.Glob(filepath.Join(data, "a", "computer", "*.sqlite")); err != nil || len(files) != 1 {
		t.Fatalf("stored are %q, %v", files, err)
	}
	for _, args := range []string{
		"fields", "fields --format text", "fields --format markdown", "fields --format json", "fields --client all", "fields --format json --client north",
		"report data-protection", "report data-protection --format html", "report data-protection --format markdown",
	} {
		for _, lang := range []string{"en", "de"} {
			r := command(t, nil, append(strings.Fields(args), "--config", "gateway.yaml", "--lang", lang)...)
			if strings.Contains(r.out+r.err, word) || strings.ContainsAny(r.out+r.err, "\x1b\u202e") {
				t.Errorf("%s (%s) names what is stored", args, lang)
			}
			if r.code != exitGood || len(r.out) < 500 {
				t.Errorf("%s (%s): exit code %d, %d bytes: %s", args, lang, r.code, len(r.out), r.err)
			}
		}
	}
}
