package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jamf-gateway/config"
)

func TestCommandsBringTheAdminTokenOrSayWhyTheyHaveNone(t *testing.T) {
	file, admin := running(t)
	dir := filepath.Dir(file)
	good := strings.TrimSpace(content(t, filepath.Join(dir, "admin.token")))
	if info, err := os.Stat(filepath.Join(dir, "admin.token")); err != nil || info.Mode().Perm() != 0o600 || !config.TokenIntact(config.AdminPrefix, good) {
		t.Fatalf("%v, %v, %q", info.Mode(), err, good)
	}
	elsewhere := filepath.Join(t.TempDir(), "token")
	write(t, elsewhere, good+"\n")
	write(t, filepath.Join(dir, "other"), config.NewToken(config.AdminPrefix))
	write(t, filepath.Join(dir, "broken"), good[:20])
	other := []string{"JAMF_GATEWAY_ADMIN_TOKEN=" + config.NewToken(config.AdminPrefix)}
	for name, tc := range map[string]struct {
		env          []string
		args         []string
		want, german string // "" = it is let in
	}{
		"by the settings":          {nil, []string{"--config", file}, "", ""},
		"by a flag":                {other, []string{"--admin", admin, "--admin-token-file", elsewhere}, "", ""},
		"by the environment":       {adminEnv(t, file), []string{"--admin", admin}, "", ""},
		"the environment wins":     {other, []string{"--config", file}, "refuses this admin token", "lehnt dieses Verwaltungstoken ab"},
		"none":                     {nil, []string{"--admin", admin}, "wants its token: name the settings with --config FILE", "verlangt sein Token: Nennen Sie"},
		"another one":              {nil, []string{"--admin", admin, "--admin-token-file", filepath.Join(dir, "other")}, "refuses this admin token", "lehnt dieses Verwaltungstoken ab"},
		"a broken one":             {nil, []string{"--admin", admin, "--admin-token-file", filepath.Join(dir, "broken")}, "broken holds no admin token", "enthält kein Verwaltungstoken"},
		"a file that is not there": {nil, []string{"--config", file, "--admin-token-file", filepath.Join(dir, "none")}, "there is no admin token in", "gibt es kein Verwaltungstoken"},
		"a directory":              {nil, []string{"--config", file, "--admin-token-file", dir}, "is a directory", "is a directory"},
	} {
		args := append([]string{"sync", "schule-a"}, tc.args...)
		r := command(t, tc.env, args...)
		if tc.want == "" {
			if r.code != exitGood && !strings.Contains(r.err, "[sync_running]") {
				t.Errorf("%s: exit code %d\n%s%s", name, r.code, r.out, r.err)
			}
			continue
		}
		if r.code != exitWrong || !strings.Contains(r.err, tc.want) {
			t.Errorf("%s: exit code %d, want %q\n%s%s", name, r.code, tc.want, r.out, r.err)
		}
		if r := command(t, tc.env, append(args, "--lang", "de")...); !strings.Contains(r.err, tc.german) {
			t.Errorf("%s in German: want %q\n%s", name, tc.german, r.err)
		}
		if strings.Contains(r.out+r.err, good) {
			t.Errorf("%s: the token is shown", name)
		}
	}
}

// A file of another user is told as such; root, who may read everything, does not meet it.
func TestATokenThatThisUserMayNotReadIsToldWithTheUserWhoMay(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may read every file")
	}
	locked := filepath.Join(t.TempDir(), "token")
	write(t, locked, config.NewToken(config.AdminPrefix))
	if err := os.Chmod(locked, 0); err != nil {
		t.Fatal(err)
	}
	_, lack := adminFlags{AdminTokenFile: locked}.token(streams{}, nil)
	if lack == nil || !strings.Contains(lack.Error(), "sudo -u jamf-gateway") {
		t.Error(lack)
	}
}

// Whoever answers with a redirect could be anybody: the token is not carried there.
func TestTheAdminTokenFollowsNoRedirect(t *testing.T) {
	var carried string
	to := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { carried = r.Header.Get("Authorization") + r.URL.Path }))
	t.Cleanup(to.Close)
	from := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, to.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(from.Close)
	r := command(t, []string{"JAMF_GATEWAY_ADMIN_TOKEN=" + config.NewToken(config.AdminPrefix)}, "status", "--admin", from.URL)
	if r.code != exitWrong || carried != "" || !strings.Contains(r.err, "is not the admin door") {
		t.Errorf("exit code %d, carried %q\n%s", r.code, carried, r.err)
	}
}
