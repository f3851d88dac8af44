package main

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"jamf-gateway/config"
)

// made is the id, the secret and the entry that a client command printed.
func made(t *testing.T, out string) (secret, entry string) {
	t.Helper()
	m := regexp.MustCompile(`Client Secret: (jgw_[0-9A-Za-z]{49})\n`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("no secret of 256 bits in\n%s", out)
	}
	entry = regexp.MustCompile(`(?m)^  - id: .*\n(    .*\n)+`).FindString(out)
	if entry == "" {
		t.Fatalf("no entry for the settings in\n%s", out)
	}
	return m[1], entry
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return "sha256:" + hex.EncodeToString(sum[:])
}

const twoSources = `sources:
  - {name: schule-a, url: "https://a.jamfcloud.com/api", client_id: x, client_secret: "env:NOT_SET_HERE"}
  - {name: schule-b, url: "https://b.jamfcloud.com/api", client_id: x, client_secret: "file:nowhere"}
profiles:
  labels: {extends: minimal, fields: ["computer:general.barcode1"]}
clients:
`

func TestANewClientAndItsRotationAreAcceptedBySettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	write(t, file, twoSources+"  - {id: other, secrets: [\""+hashOfSecret+"\"]}\n")
	r := command(t, nil, "client", "new", "--id", "inventory360", "--sources", "schule-a,schule-b", "--profile", "labels", "--config", file)
	first, entry := made(t, r.out)
	if r.code != exitGood || !strings.Contains(entry, hashOf(first)) || strings.Contains(entry, first) {
		t.Fatalf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
	golden(t, "client_new.txt", strings.NewReplacer(first, "SECRET", hashOf(first), "HASH", file, "gateway.yaml").Replace(r.out))
	write(t, file, twoSources+entry)
	r = command(t, nil, "client", "rotate", "inventory360", "--config", file, "--lang", "de")
	m := regexp.MustCompile(`Client Secret: (jgw_[0-9A-Za-z]{49})\n`).FindStringSubmatch(r.out)
	lines := regexp.MustCompile(`    secrets:\n(      .*\n)+`).FindString(r.out)
	if r.code != exitGood || m == nil || m[1] == first || lines == "" {
		t.Fatalf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
	second, day := m[1], time.Now().AddDate(0, 0, 14).Format(time.DateOnly)
	golden(t, "client_rotate.de.txt", strings.NewReplacer(second, "SECRET", hashOf(second), "HASH2", hashOf(first), "HASH1", file, "gateway.yaml", day, "DAY").Replace(r.out))
	rotated := regexp.MustCompile(`    secrets:\n(      .*\n)+`).ReplaceAllLiteralString(entry, lines)
	write(t, file, twoSources+rotated)
	settings, err := config.LoadOutline(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := settings.Clients[0]
	if len(c.Secrets) != 2 || c.Secrets[0] != sha256.Sum256([]byte(first)) || c.Secrets[1] != sha256.Sum256([]byte(second)) ||
		strings.Join(c.Sources, " ") != "schule-a schule-b" || c.Profile != "labels" ||
		c.Terms[c.Secrets[0]].Expires.AddDate(0, 0, -1).Format(time.DateOnly) != day || len(c.Terms) != 1 {
		t.Errorf("%+v", c)
	}
	r = command(t, nil, "client", "rotate", "inventory360", "--config", file)
	if r.code != exitWrong || r.out != "" || !strings.Contains(r.err, "two live secrets already") {
		t.Errorf("a third live secret: exit code %d\n%s%s", r.code, r.out, r.err)
	}
	write(t, file, twoSources+strings.Replace(rotated, day, "2026-01-31", 1))
	r = command(t, nil, "client", "rotate", "inventory360", "--config", file, "--days", "3")
	if r.code != exitGood || strings.Contains(r.out, hashOf(first)) || !strings.Contains(r.out, hashOf(second)+"\n        expires: "+time.Now().AddDate(0, 0, 3).Format(time.DateOnly)) {
		t.Errorf("beside one that has ended: exit code %d\n%s%s", r.code, r.out, r.err)
	}
}

func TestNewClientsGetSecretsOfTheirOwn(t *testing.T) {
	a, _ := made(t, command(t, nil, "client", "new").out)
	b, entry := made(t, command(t, nil, "client", "new").out)
	if a == b || !strings.Contains(entry, "id: inventory360") {
		t.Errorf("%s %s\n%s", a, b, entry)
	}
}

func TestImpossibleClientsAreRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	write(t, file, twoSources+"  - {id: other, secrets: [\""+hashOfSecret+"\"]}\n")
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"id with a space":    {[]string{"client", "new", "--id", "a b"}, "jamf-gateway: --id: must be 1 to 64 letters"},
		"id in German":       {[]string{"client", "new", "--id", "a b", "--lang", "de"}, "jamf-gateway: --id: muss aus 1 bis 64 Buchstaben"},
		"id that breaks out": {[]string{"client", "new", "--id", "a\n  - id: b"}, "must be 1 to 64 letters"},
		"unknown source":     {[]string{"client", "new", "--sources", "schule-c", "--config", file}, "jamf-gateway: --sources: there is no source \"schule-c\" in " + file + "; there are: schule-a, schule-b\n"},
		"source, nearest":    {[]string{"client", "new", "--sources", "schul-b", "--config", file}, "there are: schule-b, schule-a\n"},
		"source in German":   {[]string{"client", "new", "--sources", "schul-b", "--config", file, "--lang", "de"}, "--sources: Es gibt keine Quelle \"schul-b\" in " + file + "; es gibt: schule-b, schule-a\n"},
		"no name at all":     {[]string{"client", "new", "--sources", "Schule B"}, "jamf-gateway: --sources: must be 1 to 32 small letters"},
		"unknown profile":    {[]string{"client", "new", "--profile", "lables", "--config", file}, "--profile: there is no profile \"lables\"; did you mean labels?"},
		"id that exists":     {[]string{"client", "new", "--id", "other", "--config", file}, `has a client "other" already`},
		"rotate nobody":      {[]string{"client", "rotate", "nobody", "--config", file}, `there is no client "nobody"`},
		"rotate, no overlap": {[]string{"client", "rotate", "other", "--config", file, "--days", "0"}, "--days must be from 1 to 365"},
		"rotate nowhere":     {[]string{"client", "rotate", "other"}, "--config"},
	} {
		r := command(t, nil, tc.args...)
		if r.code != exitUsage || r.out != "" || !strings.Contains(r.err, tc.want) {
			t.Errorf("%s: exit code %d, want %q\n%s%s", name, r.code, tc.want, r.out, r.err)
		}
	}
}
