package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"jamf-gateway/config"
)

func TestNoSecretIsPrintedMarshalledOrLogged(t *testing.T) {
	const plain = "s3cr3t-value"
	s := config.NewSecret(plain)
	inside := config.Source{Name: "a", ClientSecret: s}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "source", inside, "pointer", &inside)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "source", inside)
	out := []string{log.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		out = append(out, fmt.Sprintf(verb, s), fmt.Sprintf(verb, &s), fmt.Sprintf(verb, inside), fmt.Sprintf(verb, []config.Secret{s}))
	}
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, func(v any) ([]byte, error) { return yaml.Dump(v) }} {
		data, err := marshal(inside)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(data))
	}
	for _, text := range out {
		if strings.Contains(text, plain) || strings.Contains(strings.ToLower(text), fmt.Sprintf("%x", plain)) {
			t.Errorf("the secret stands in %q", text)
		}
		if !strings.Contains(text, "secret>") && !strings.Contains(text, `secret\u003e`) {
			t.Errorf("no <secret> in %q", text)
		}
	}
	if s.Reveal() != plain {
		t.Error("Reveal does not return the value")
	}
}

func TestSecretsThatCannotBeResolvedAreRefused(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "empty"), "\n", 0o600)
	write(t, filepath.Join(dir, "two"), "a\nb\n", 0o600)
	write(t, filepath.Join(dir, "large"), strings.Repeat("x", 64<<10+1), 0o600)
	for reference, want := range map[string]string{
		"file:none":      "read the secret's file: stat " + filepath.Join(dir, "none"),
		"file:":          "file: names no file",
		"file:empty":     "the secret is empty",
		"file:two":       "line break",
		"file:large":     "larger than 64 KiB",
		"file:/dev/zero": "/dev/zero is not a file",
		"env:NONE":       "the environment variable NONE is not set",
		"env:not a name": "the environment variable that env: names is not set",
		"env:EMPTY":      "the secret is empty",
		"cred:x":         "CREDENTIALS_DIRECTORY",
	} {
		_, err := config.Parse([]byte(strings.Replace(small, "env:A", reference, 1)), "gateway.yaml", dir, env("EMPTY="))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "gateway.yaml:3: sources.schule-a.client_secret: ") {
			t.Errorf("%s: error %v, want one with %q", reference, err, want)
		}
	}
	for _, name := range []string{"", ".", "..", "../x", "a/b", "/etc/passwd"} {
		_, err := config.Parse([]byte(strings.Replace(small, "env:A", "cred:"+name, 1)), "gateway.yaml", dir, env("CREDENTIALS_DIRECTORY="+dir))
		if err == nil || !strings.Contains(err.Error(), "takes the name of a credential, not a path") {
			t.Errorf("cred:%s: error %v", name, err)
		}
	}
}

func TestProblemsNeverRepeatASecret(t *testing.T) {
	const plain = "hunter2hunter2"
	for name, text := range map[string]string{
		"client secret in the clear": strings.Replace(small, "sha256:"+hash, plain, 1),
		"hash of the wrong length":   strings.Replace(small, hash, plain, 1),
		"secret as a list":           strings.Replace(small, `"env:A"`, "["+plain+"]", 1),
		"secret as a mapping":        strings.Replace(small, `"env:A"`, "{x: "+plain+"}", 1),
		"secret with a tag":          strings.Replace(small, `"env:A"`, "!mine "+plain, 1),
		"secret like an alias":       strings.Replace(small, `"env:A"`, "*"+plain, 1),
		"secret like an anchor":      strings.Replace(small, `"env:A"`, "&"+plain, 1),
		"secret with a line break":   strings.Replace(small, `"env:A"`, `"`+plain+`\n"`, 1),
		"user in the url":            strings.Replace(small, "https://a.", "https://user:"+plain+"@a.", 1),
	} {
		if got := refused(t, text); strings.Contains(got, plain) {
			t.Errorf("%s: the message repeats it: %s", name, got)
		}
	}
	c := parse(t, strings.Replace(small, ".com/api", ".com/api?token="+plain, 1))
	if len(c.Warnings) != 1 || strings.Contains(c.Warnings[0].String()+c.Warnings[0].German(), plain) {
		t.Errorf("token in the url: %q", c.Warnings)
	}
}

func TestHashSecretIsSHA256(t *testing.T) {
	if got := fmt.Sprintf("%x", config.HashSecret("secret")); got != hash {
		t.Errorf("HashSecret = %s, want %s", got, hash)
	}
}

func TestWhatWasToSayWhereTheSecretIsIsWarnedOf(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.secret"), "geheim", 0o600)
	with := func(secret string, env ...string) []config.Problem {
		c, err := config.Parse([]byte(strings.Replace(small, "env:A", secret, 1)), "gateway.yaml", dir, env)
		if err != nil {
			t.Fatal(err)
		}
		return c.Warnings
	}
	for secret, want := range map[string][2]string{
		"a.secret":          {"looks like the name of a file; write file: in front of it", "sieht aber nach einem Dateinamen aus"},
		"/run/secrets/x":    {"looks like the name of a file", "file: davor"},
		"${JAMF_SECRET}":    {"looks like a variable, which nothing replaces here; write env:NAME", "sieht aber nach einer Variablen aus"},
		"$JAMF_SECRET":      {"looks like a variable", "schreiben Sie env:NAME"},
		"b.secret":          {"the secret stands in the file", "das Secret steht in der Datei"},
		"$ab-really-secret": {"the secret stands in the file", "das Secret steht in der Datei"},
	} {
		got := with(secret)
		if len(got) != 1 || !strings.Contains(got[0].String(), "client_secret: ") || !strings.Contains(got[0].String(), want[0]) || !strings.Contains(got[0].German(), want[1]) {
			t.Errorf("%s: warnings %q, want %q", secret, got, want)
		}
		if len(got) == 1 && strings.Contains(got[0].String()+got[0].German(), secret) {
			t.Errorf("%q repeats the value", got[0])
		}
	}
	variable := "JAMF_GATEWAY_SOURCES_SCHULE_A_CLIENT_SECRET="
	if got := with("env:A", "A=x", variable+"a.secret"); len(got) != 1 || !strings.HasPrefix(got[0].String(), variable[:len(variable)-1]+": ") {
		t.Errorf("in the environment: warnings %q", got)
	}
	if got := with("env:A", "A=x", variable+"geheim"); len(got) != 0 {
		t.Errorf("a secret in the environment: warnings %q", got)
	}
}
