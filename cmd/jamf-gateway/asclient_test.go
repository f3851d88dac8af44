package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestCheckAsClientGoesInThroughThePublicAddress(t *testing.T) {
	srv := jamf(t)
	file := settings(t, srv, "")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	listen := regexp.MustCompile(`listen: (\S+)`).FindStringSubmatch(string(raw))[1]
	write(t, file, string(raw)+"public_url: http://"+listen+"\n")
	serving(t, file, listen, []string{"JAMF_SECRET=jamf-secret"})
	secret := filepath.Join(t.TempDir(), "secret")
	write(t, secret, "secret\n")
	for lang, want := range map[string]int{"en": exitGood, "de": exitGood} {
		r := command(t, nil, "check", "--as-client", "--config", file, "--client-secret-file", secret, "--lang", lang)
		if r.code != want {
			t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
		}
		golden(t, "as_client."+lang+".txt", steady(r.out, listen, "127.0.0.1:8080", file, "gateway.yaml"))
	}
	if r := command(t, []string{"GATEWAY_CLIENT_SECRET=secret"}, "check", "--as-client", "--config", file, "--json"); r.code != exitGood || strings.Contains(r.out, `"secret"`) {
		t.Errorf("by the environment: exit code %d\n%s%s", r.code, r.out, r.err)
	}
	if r := commandWith(t, t.Context(), nil, "secret\n", "check", "--as-client", "--config", file, "--client-secret-file", "-"); r.code != exitGood {
		t.Errorf("by standard input: exit code %d\n%s%s", r.code, r.out, r.err)
	}
	srv.Close() // Jamf is gone: clients are served all the same
	if r := command(t, []string{"GATEWAY_CLIENT_SECRET=secret"}, "check", "--as-client", "--config", file); r.code != exitGood {
		t.Errorf("without Jamf: exit code %d\n%s%s", r.code, r.out, r.err)
	}
}

func TestCheckAsClientSaysWhatItNeeds(t *testing.T) {
	srv := jamf(t)
	bare := settings(t, srv, "")
	whole := settings(t, srv, "  - {id: other, secrets: [\"sha256:"+strings.Repeat("ab", 32)+"\"], sources: [schule-a]}\npublic_url: http://127.0.0.1:1\n")
	own := settings(t, srv, "  - {id: other, secrets: [\"sha256:"+strings.Repeat("ab", 32)+"\"], endpoints: [normalized]}\npublic_url: http://127.0.0.1:1\n")
	env := []string{"GATEWAY_CLIENT_SECRET=wrong"}
	for name, tc := range map[string]struct {
		code int
		env  []string
		args []string
		want string
	}{
		"no public_url":    {exitUsage, env, []string{"--config", bare}, "Set public_url"},
		"which client":     {exitUsage, env, []string{"--config", whole}, "inventory360, other"},
		"unknown client":   {exitUsage, env, []string{"--config", whole, "--client", "x"}, `no client "x"`},
		"unknown source":   {exitUsage, env, []string{"--config", whole, "--client", "other", "--source", "x"}, "sees no such active source"},
		"the other API":    {exitUsage, env, []string{"--config", own, "--client", "other"}, "may not use Jamf's API"},
		"no secret":        {exitUsage, nil, []string{"--config", whole, "--client", "other"}, "--client-secret-file"},
		"wrong secret":     {exitWrong, env, []string{"--config", whole, "--client", "other"}, "[client_secret_wrong]"},
		"mistyped secret":  {exitWrong, []string{"GATEWAY_CLIENT_SECRET=jgw_" + strings.Repeat("a", 49)}, []string{"--config", whole, "--client", "other"}, "[client_secret_mistyped]"},
		"empty file":       {exitUsage, env, []string{"--config", whole, "--client", "other", "--client-secret-file", "-"}, "is empty"},
		"no authority":     {exitUsage, env, []string{"--config", whole, "--client", "other", "--ca-file", whole}, "holds no certificate"},
		"nobody there":     {exitWrong, []string{"GATEWAY_CLIENT_SECRET=secret"}, []string{"--config", whole, "--client", "inventory360"}, "[door_connect_failed]"},
		"livez besides":    {exitUsage, env, []string{"--config", whole, "--livez"}, "--livez"},
		"secret as a flag": {exitUsage, env, []string{"--config", whole, "--client-secret", "x"}, "--client-secret"},
	} {
		r := command(t, tc.env, append([]string{"check", "--as-client"}, tc.args...)...)
		if r.code != tc.code || !strings.Contains(r.out+r.err, tc.want) {
			t.Errorf("%s: exit code %d, want %d and %q\n%s%s", name, r.code, tc.code, tc.want, r.out, r.err)
		}
	}
}
