package gateway

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jamf-gateway/config"
)

// write replaces the file of a secret, by renaming as careful tools do.
func writeSecret(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func TestASecretFollowsItsFileAndKeepsTheLastGoodOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jamf.secret")
	writeSecret(t, path, "CANARY-1\n")
	var logs bytes.Buffer
	l := newLiveSecret("schule-a", "client_secret", config.SecretFromFile("CANARY-1", path), slog.New(slog.NewTextHandler(&logs, nil)))
	steps := []struct {
		what, text string // "-" removes the file, "=" leaves it
		worthless  bool
		want       string
		changed    bool
		warned     bool
	}{
		{what: "untouched", text: "=", want: "CANARY-1"},
		{what: "written: it may not be whole yet", text: "CANARY-", want: "CANARY-1"},
		{what: "it was not", text: "CANARY-2\n", want: "CANARY-1"},
		{what: "the same at the second look", text: "=", want: "CANARY-2", changed: true},
		{what: "and then it is known", text: "=", want: "CANARY-2"},
		{what: "gone", text: "-", want: "CANARY-2", warned: true},
		{what: "still gone: said once", text: "=", want: "CANARY-2"},
		{what: "empty", text: "\n", want: "CANARY-2", warned: true},
		{what: "two lines", text: "CANARY-3\nCANARY-4\n", want: "CANARY-2", warned: true},
		{what: "empty after a refusal", text: "", worthless: true, want: "CANARY-2", warned: true},
		{what: "too large", text: strings.Repeat("x", 65<<10), want: "CANARY-2", warned: true},
		{what: "back", text: "CANARY-2", want: "CANARY-2"},
		{what: "new after a refusal: taken at once", text: "CANARY-5", worthless: true, want: "CANARY-5", changed: true},
	}
	for _, step := range steps {
		logs.Reset()
		switch step.text {
		case "=":
		case "-":
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		default:
			writeSecret(t, path, step.text)
		}
		if got := l.look(t.Context(), step.worthless); got != step.changed || l.Reveal() != step.want {
			t.Errorf("%s: changed %t, is %q; want %t, %q", step.what, got, l.Reveal(), step.changed, step.want)
		}
		if warned := strings.Contains(logs.String(), "level=WARN") && strings.Contains(logs.String(), path); warned != step.warned {
			t.Errorf("%s: warned %t, want %t: %s", step.what, warned, step.warned, logs.String())
		}
		if strings.Contains(logs.String(), "CANARY") {
			t.Errorf("%s: a secret in the log: %s", step.what, logs.String())
		}
	}
}

func TestCredentialsOfSystemdAndFilesAreFollowedAndNothingElseIs(t *testing.T) {
	dir := t.TempDir()
	writeSecret(t, filepath.Join(dir, "jamf"), "one")
	for text, followed := range map[string]bool{"cred:jamf": true, "file:" + filepath.Join(dir, "jamf"): true, "env:JAMF": false, "literal": false} {
		writeSecret(t, filepath.Join(dir, "jamf"), "one")
		c, err := config.Parse([]byte("sources: [{name: a, url: 'https://a.example/api', client_id: c, client_secret: '"+text+"'}]\n"+
			"clients: [{id: i, secrets: ['sha256:"+strings.Repeat("0f", 32)+"']}]"), "test", dir, []string{"CREDENTIALS_DIRECTORY=" + dir, "JAMF=one"})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		to, err := buildUpstreams(Options{Config: c, Logger: slog.New(slog.DiscardHandler)}, c, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(to.secrets) == 1 != followed {
			t.Errorf("%s: %d secrets are followed", text, len(to.secrets))
		}
		for _, l := range to.secrets {
			writeSecret(t, l.file, "two")
			if l.look(t.Context(), false) || !l.look(t.Context(), false) || l.Reveal() != "two" {
				t.Errorf("%s: is %q after two looks", text, l.Reveal())
			}
		}
	}
}
