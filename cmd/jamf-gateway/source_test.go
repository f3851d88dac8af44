package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestARemovalHasTheNameTypedAndSaysWhatItCosts(t *testing.T) {
	var asked []string
	status, body := http.StatusOK, ""
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path+" "+r.URL.Query().Get("confirm"))
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(srv.Close)
	const (
		path  = "POST /v1/admin/sources/schule-a/remove schule-a"
		whole = `{"source":"schule-a","status":"removed","devices":12,"clients":["i360","x"],"added":["schule-b"],"changed":[],"restart":["listen"]}`
		none  = `{"source":"schule-a","status":"removed","devices":0,"clients":[],"added":[],"changed":[],"restart":[]}`
	)
	for _, c := range []struct {
		args, typed string
		status      int
		body        string
		code        int
		says        []string
		asks        string // "" = the gateway is not asked
	}{
		{"schule-a", "asked\nschule-a\n", 200, whole, exitGood, []string{
			"All devices of the source schule-a are gone for every client then.", "Type the name", "schule-a: removed; 12 devices are served no more, clients that were shown them: i360, x\n",
			"Sources added: schule-b\n", "Waits for a restart: listen\n", "also personal data, until you remove it: jamf-gateway purge schule-a --admin " + srv.URL,
		}, path},
		{"schule-a --lang de", "asked\nschule-a\n", 200, whole, exitGood, []string{"Alle Geräte der Quelle schule-a", "schule-a: entfernt; 12 Geräte", "bis Sie es löschen"}, path},
		{"schule-a --confirm schule-a", "", 200, none, exitGood, []string{"no client was shown it"}, path},
		{"schule-a --confirm schule-a --lang de", "", 200, none, exitGood, []string{"keinem Client gezeigt"}, path},
		{"schule-a --lang de", "asked\nja\n", 200, "", exitUsage, []string{`"ja" ist nicht "schule-a": Es wurde nichts entfernt`}, ""},
		{"schule-a --confirm schule-b", "", 200, "", exitUsage, []string{"nothing was removed"}, ""},
		{"schule-a", "", 200, "", exitUsage, []string{"--confirm schule-a"}, ""},
		{"schule-a --confirm schule-a", "", 200, `{"source":"schule-b","status":"removed"}`, exitWrong, []string{"is not the admin door"}, path},
		{"schule-a --confirm schule-a", "", 409, `{"code":"settings_refused","refused":{"en":"sources: schule-a still stands","de":"x"}}`, exitWrong, []string{"[settings_refused]:\nsources: schule-a still stands"}, path},
		{"schule-a --confirm schule-a", "", 404, `{"code":"unknown_source"}`, exitUsage, []string{"[unknown_source]"}, path + "\nGET /v1/admin/sources "},
	} {
		asked, status, body = nil, c.status, c.body
		r := commandWith(t, t.Context(), nil, c.typed, append([]string{"source", "remove", "--admin", srv.URL}, strings.Fields(c.args)...)...)
		if r.code != c.code {
			t.Errorf("%s: exit code %d, want %d", c.args, r.code, c.code)
		}
		for _, text := range c.says {
			if !strings.Contains(r.out+r.err, text) {
				t.Errorf("%s: %q is missing in\n%s%s", c.args, text, r.out, r.err)
			}
		}
		if got := strings.Join(asked, "\n"); got != c.asks {
			t.Errorf("%s asks %q, want %q", c.args, got, c.asks)
		}
	}
}
