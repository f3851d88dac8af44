package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/user"
	"strings"
	"testing"
)

func TestPurgeHasTheNameTypedAndSaysWhatComesBack(t *testing.T) {
	var asked []string
	status, body := http.StatusOK, `{"status":"purged"}`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path+" "+r.URL.Query().Get("confirm")+" "+r.URL.Query().Get("by"))
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(srv.Close)
	const uid = "schule-a:computer:42"
	for _, c := range []struct {
		args, typed string
		status      int
		body        string
		code        int
		says        string
		asks        string // "" = the gateway is not asked
	}{
		{"schule-a", "asked\nschule-a\n", 200, `{"status":"purged"}`, exitGood, "schule-a: purged; nothing of it is stored", "POST /v1/admin/sources/schule-a/purge schule-a "},
		{"schule-a --lang de", "asked\nschule-a\n", 200, `{"status":"purged"}`, exitGood, "schule-a: gelöscht; davon", "POST /v1/admin/sources/schule-a/purge schule-a "},
		{"schule-a --lang de", "asked\nja\n", 200, "", exitUsage, `"ja" ist nicht "schule-a": Es wurde nichts gelöscht`, ""},
		{"schule-a", "asked\n", 200, "", exitUsage, "the answers ended", ""},
		{"schule-a", "", 200, "", exitUsage, "--confirm schule-a", ""},
		{"schule-a --confirm schule-b", "", 200, "", exitUsage, "nothing was purged", ""},
		{uid + " --confirm " + uid, "", 200, `{"returns":true}`, exitGood, "delete it in Jamf", "POST /v1/admin/devices/" + uid + "/purge " + uid + " "},
		{uid + " --lang de", "asked\n" + uid + "\n", 200, `{"returns":true}`, exitGood, "Löschen Sie es in Jamf", "POST /v1/admin/devices/" + uid + "/purge " + uid + " "},
		{uid + " --confirm " + uid, "", 200, `{"returns":false}`, exitGood, "nothing of it is stored", "POST /v1/admin/devices/" + uid + "/purge " + uid + " "},
		{"schule-a:mac:42 --confirm schule-a:mac:42", "", 200, "", exitUsage, "is no device", ""},
		{"schule-a --confirm schule-a", "", 409, `{"code":"source_in_use"}`, exitWrong, "[source_in_use]", "POST /v1/admin/sources/schule-a/purge schule-a "},
		{uid + " --confirm " + uid, "", 404, `{"code":"unknown_device"}`, exitWrong, "[unknown_device]", "POST /v1/admin/devices/" + uid + "/purge " + uid + " "},
		{"schule-a --confirm schule-a --lang de", "", 500, `{"code":"purge_unfinished"}`, exitWrong, "noch einmal an", "POST /v1/admin/sources/schule-a/purge schule-a "},
	} {
		asked, status, body = nil, c.status, c.body
		r := commandWith(t, t.Context(), nil, c.typed, append([]string{"purge", "--admin", srv.URL}, strings.Fields(c.args)...)...)
		if r.code != c.code || !strings.Contains(r.out+r.err, c.says) {
			t.Errorf("%s: exit code %d, want %d, and %q in\n%s%s", c.args, r.code, c.code, c.says, r.out, r.err)
		}
		want := c.asks
		if want != "" {
			want += operator(nil, user.Current, os.Getuid())
		}
		if got := strings.Join(asked, "\n"); got != want {
			t.Errorf("%s asks %q, want %q", c.args, got, want)
		}
	}
}
