package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestARunningGatewayIsToldToReload goes through command, door, follower and gateway.
func TestARunningGatewayIsToldToReload(t *testing.T) {
	file := settings(t, jamf(t), "")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	first := string(raw)
	door := filepath.Join(filepath.Dir(file), "door.yaml") // a good file, which finds the door
	write(t, door, first)
	listen := regexp.MustCompile(`(?m)^listen: (.+)$`).FindStringSubmatch(first)[1]
	serving(t, file, listen, []string{"JAMF_SECRET=jamf-secret"})
	reload := func(code int, lang string, says ...string) {
		t.Helper()
		r := command(t, []string{"JAMF_SECRET=jamf-secret"}, "reload", "--config", door, "--by", "erika", "--lang", lang)
		if r.code != code {
			t.Errorf("exit code %d, want %d: %s%s", r.code, code, r.out, r.err)
		}
		for _, text := range says {
			if !strings.Contains(r.out+r.err, text) {
				t.Errorf("%q is missing in\n%s%s", text, r.out, r.err)
			}
		}
		if strings.Contains(r.out+r.err, "hush-hush") {
			t.Errorf("a secret is told: %s%s", r.out, r.err)
		}
	}
	reload(exitGood, "en", "The settings are in force as their file says now.\n")
	both := strings.Replace(first, "  - {name: schule-a,", "  - {name: schule-b, url: \"https://b.example\", client_id: c, client_secret: hush-hush, status: disabled}\n  - {name: schule-a, default: true,", 1) + "cache: {max_bytes: 512MiB}\n"
	write(t, file, both)
	reload(exitGood, "de", "Die Einstellungen gelten jetzt", "Neue Quellen: schule-b\n", "Wartet auf einen Neustart: cache\n")
	reload(exitGood, "en", "Waits for a restart: cache\n")
	write(t, file, first+"max_page_size: many\n")
	reload(exitWrong, "en", "The settings were not taken [settings_refused]:\n", file+":7: max_page_size: ")
	write(t, file, strings.Replace(first, "client_secret: \"env:JAMF_SECRET\"", "client_secret: [hush-hush]", 1))
	reload(exitWrong, "de", "Die Einstellungen wurden nicht übernommen [settings_refused]:\n", file+":4: ")
	write(t, file, first)
	reload(exitWrong, "en", "schule-b is running and is not in the settings any more")
	told := func(lang string) string {
		return command(t, nil, "status", "--config", door, "--lang", lang).out
	}
	for lang, words := range map[string][2]string{
		"en": {"Warning: The settings file has been refused since ", "schule-b is running and is not in the settings any more"},
		"de": {"Warnung: Die Einstellungsdatei wird seit ", "schule-b läuft und fehlt in den Einstellungen"},
	} {
		if out := told(lang); !strings.Contains(out, words[0]) || !strings.Contains(out, words[1]) {
			t.Errorf("the status does not tell of the refusal: %s", out)
		}
	}
	write(t, file, both)
	reload(exitGood, "en")
	if out := told("en"); strings.Contains(out, "refused since") {
		t.Errorf("the status tells of a refusal that is over: %s", out)
	}
	remove := func(code int, lang, says string) {
		t.Helper()
		if r := command(t, nil, "source", "remove", "schule-b", "--confirm", "schule-b", "--config", door, "--lang", lang); r.code != code || !strings.Contains(r.out+r.err, says) {
			t.Errorf("exit code %d, want %d and %q: %s%s", r.code, code, says, r.out, r.err)
		}
	}
	remove(exitWrong, "de", "schule-b steht noch in der Einstellungsdatei")
	write(t, file, first)
	reload(exitWrong, "de", "schule-b läuft und fehlt in den Einstellungen", "zum Entfernen: jamf-gateway source remove schule-b")
	remove(exitGood, "en", "schule-b: removed; 0 devices are served no more, clients that were shown them: inventory360\n")
	if out := told("en"); strings.Contains(out, "refused since") || strings.Contains(out, "schule-b") {
		t.Errorf("the status after the removal: %s", out)
	}
	remove(exitUsage, "en", "schule-b")
	if r := command(t, nil, "audit", "--config", door, "--act", "admin.remove"); r.code != exitGood || !strings.Contains(r.out, "schule-b") {
		t.Errorf("the audit says %s%s", r.out, r.err)
	}
	if r := command(t, nil, "audit", "--config", door, "--act", "settings"); r.code != exitGood || strings.Count(r.out, "admin (erika)") < 12 || !strings.Contains(r.out, "source_missing") {
		t.Errorf("the audit says %s%s", r.out, r.err)
	}
}

func TestAReloadIsNotToldByAStranger(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	t.Cleanup(srv.Close)
	if r := command(t, nil, "reload", "--admin", srv.URL); r.code != exitWrong || !strings.Contains(r.err, "is not the admin door") {
		t.Errorf("exit code %d: %s%s", r.code, r.out, r.err)
	}
}
