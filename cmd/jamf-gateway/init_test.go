package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func mode(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestInitAsksAndWritesWhatCheckAndServeAccept(t *testing.T) {
	srv := jamf(t)
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	listen := unused(t)
	answers := "asked\nftp://x\n" + srv.URL + "/computers.html?id=1\nSchule A\nschule-a\njamf-client\njamf-secret\nhttp://" + listen + "\n\nj\n"
	r := commandWith(t, t.Context(), nil, answers, "init", "--config", file, "--allow-insecure-loopback", "--listen", listen, "--admin-listen", unused(t), "--lang", "de")
	if r.code != exitGood {
		t.Fatalf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
	secret := regexp.MustCompile(`Client Secret: (jgw_[0-9A-Za-z]{49})`).FindStringSubmatch(r.out)
	if secret == nil || strings.Contains(content(t, file), secret[1]) || strings.Contains(r.out+r.err, "jamf-secret") {
		t.Fatalf("the secrets are not where they belong\n%s", r.out)
	}
	replace := []string{filepath.Dir(file) + "/", "", secret[1], "SECRET", listen, "127.0.0.1:8080", strings.TrimPrefix(srv.URL, "http://"), "127.0.0.1:8081", hashOf(secret[1]), "HASH"}
	golden(t, "init.de.txt", steady(r.err+"\n----\n"+r.out, replace...))
	golden(t, "init.de.yaml", regexp.MustCompile(`admin_listen: .*`).ReplaceAllString(steady(content(t, file), replace...), `admin_listen: "127.0.0.1:9480"`))
	jamfSecret := filepath.Join(filepath.Dir(file), "schule-a.secret")
	if mode(t, file) != 0o600 || mode(t, jamfSecret) != 0o600 || content(t, jamfSecret) != "jamf-secret\n" {
		t.Error("the files can be read by others, or do not hold what they should")
	}
	serving(t, file, listen, nil)
	if r := command(t, nil, "check", "--config", file); r.code != exitGood {
		t.Errorf("check: exit code %d\n%s%s", r.code, r.out, r.err)
	}
	if r := command(t, []string{"GATEWAY_CLIENT_SECRET=" + secret[1]}, "check", "--as-client", "--config", file); r.code != exitGood {
		t.Errorf("check --as-client: exit code %d\n%s%s", r.code, r.out, r.err)
	}
}

func TestInitWorksInScriptsAndOverwritesNothing(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "gateway.yaml")
	args := []string{"init", "--config", file, "--url", "schule.jamfcloud.com", "--client-id", "abc", "--public-url", "gateway.example.com"}
	env := []string{"JAMF_CLIENT_SECRET=geheim"}
	r := command(t, env, args...)
	if r.code != exitGood || !strings.Contains(content(t, file), "url: https://schule.jamfcloud.com/api\n") || strings.Contains(r.out, "WARNING") || !strings.Contains(r.out, "https://gateway.example.com/jamf/schule/api") {
		t.Fatalf("exit code %d\n%s%s\n%s", r.code, r.out, r.err, content(t, file))
	}
	before := content(t, file)
	if r := command(t, env, args...); r.code != exitUsage || r.out != "" || !strings.Contains(r.err, "exists already") || content(t, file) != before {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if r := command(t, env, args...); r.code != exitUsage || !strings.Contains(r.err, "schule.secret exists already") {
		t.Errorf("the secret's file is replaced: exit code %d\n%s%s", r.code, r.out, r.err)
	}
	if r := command(t, env, append(args, "--force")...); r.code != exitGood || content(t, file) == before {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
	other := filepath.Join(t.TempDir(), "gateway.yaml")
	r = command(t, nil, "init", "--config", other, "--url", "schule.jamfcloud.com", "--client-id", "abc", "--secret-env", "JAMF_S")
	if r.code != exitGood || !strings.Contains(content(t, other), `client_secret: "env:JAMF_S"`) {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
	if files, err := os.ReadDir(filepath.Dir(other)); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
	state := t.TempDir()
	r = command(t, nil, "init", "--config", other, "--force", "--data-dir", state, "--url", "schule.jamfcloud.com", "--client-id", "abc", "--secret-env", "JAMF_S")
	if want := fmt.Sprintf("data_dir: %q\nkey_file: %q\n", state+"/data", state+"/gateway.key"); r.code != exitGood || !strings.Contains(content(t, other), want) {
		t.Errorf("exit code %d, want %s\n%s%s", r.code, want, r.err, content(t, other))
	}
}

func TestInitSaysWhatIsMissingOrWrongAndLeavesNothingBehind(t *testing.T) {
	env := []string{"JAMF_CLIENT_SECRET=geheim"}
	for name, tc := range map[string]struct {
		env  []string
		args []string
		want string
	}{
		"no url":        {env, nil, "--url is needed"},
		"bad url":       {env, []string{"--url", "ftp://x", "--client-id", "x"}, "--url: must be the address of a Jamf Pro instance"},
		"no client id":  {env, []string{"--url", "a.jamfcloud.com"}, "--client-id is needed"},
		"no secret":     {nil, []string{"--url", "a.jamfcloud.com", "--client-id", "x"}, "--client-secret-file"},
		"bad name":      {env, []string{"--url", "a.jamfcloud.com", "--client-id", "x", "--name", "A B"}, "small letters"},
		"no key":        {env, []string{"--url", "a.jamfcloud.com", "--client-id", "x", "--tls-cert", "x.crt"}, "--tls-key is needed"},
		"no such files": {env, []string{"--url", "a.jamfcloud.com", "--client-id", "x", "--tls-cert", "x.crt", "--tls-key", "x.key"}, "x.crt"},
		"open without":  {env, []string{"--url", "a.jamfcloud.com", "--client-id", "x", "--listen", ":8080"}, "--listen: :8080 can be reached from other machines, and there is no TLS: name --tls-cert and --tls-key, or --insecure-http"},
		"in German":     {env, []string{"--url", "a.jamfcloud.com", "--client-id", "x", "--listen", ":8080", "--lang", "de"}, "--listen: :8080 ist von anderen Rechnern erreichbar"},
	} {
		dir := t.TempDir()
		r := command(t, tc.env, append([]string{"init", "--config", filepath.Join(dir, "gateway.yaml")}, tc.args...)...)
		if r.code != exitUsage || r.out != "" || !strings.Contains(r.err, tc.want) {
			t.Errorf("%s: exit code %d, want %q\n%s%s", name, r.code, tc.want, r.out, r.err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("%s: %v is left behind, %v", name, left, err)
		}
	}
}

func TestInitAsksWhetherAProxyDoesTLSWhereOtherMachinesReachIt(t *testing.T) {
	args := func(lang string) []string {
		return []string{"init", "--config", filepath.Join(t.TempDir(), "gateway.yaml"), "--listen", "0.0.0.0:8080", "--lang", lang}
	}
	const answers = "asked\na.jamfcloud.com\n\ncid\ngeheim\n\n\n"
	for lang, tc := range map[string]struct{ question, comment string }{
		"en": {"Does a proxy in front of it do TLS? [Y/n]", "a proxy does TLS"}, "de": {"Übernimmt ein Proxy davor TLS? [J/n]", "ein Proxy übernimmt TLS"},
	} {
		a := args(lang)
		r := commandWith(t, t.Context(), nil, answers+"\nn\n", a...)
		if r.code != exitGood || !strings.Contains(r.err, tc.question) || !strings.Contains(content(t, a[2]), "insecure_http: true # "+tc.comment+"\n") {
			t.Errorf("yes: exit code %d\n%s%s", r.code, r.out, r.err)
		}
		a = args(lang)
		r = commandWith(t, t.Context(), nil, answers+"n\n", a...)
		if left, err := os.ReadDir(filepath.Dir(a[2])); r.code != exitUsage || !strings.Contains(r.err, "--insecure-http") || err != nil || len(left) > 0 {
			t.Errorf("no: exit code %d, %v, %v\n%s%s", r.code, left, err, r.out, r.err)
		}
	}
	a := append(args("en"), "--url", "a.jamfcloud.com", "--client-id", "x", "--insecure-http")
	if r := command(t, []string{"JAMF_CLIENT_SECRET=geheim"}, a...); r.code != exitGood || !strings.Contains(content(t, a[2]), "insecure_http: true") {
		t.Errorf("by flag: exit code %d\n%s%s", r.code, r.out, r.err)
	}
	a = append(args("en"), "--url", "a.jamfcloud.com", "--client-id", "x")
	if r := command(t, []string{"JAMF_CLIENT_SECRET=geheim", "JAMF_GATEWAY_INSECURE_HTTP=true"}, a...); r.code != exitGood || strings.Contains(content(t, a[2]), "insecure_http") {
		t.Errorf("by the environment: exit code %d\n%s%s", r.code, r.out, r.err)
	}
}

func TestInitSaysWhatEndsWhenItReplacesSettings(t *testing.T) {
	env := []string{"JAMF_CLIENT_SECRET=geheim"}
	for lang, want := range map[string][2]string{
		"en": {"These end with it: the secrets of the clients other; the settings of the sources schule-a, schule-b. And the profiles labels.\n", "cannot be read as settings"},
		"de": {"Damit enden: die Secrets der Clients other; die Einstellungen der Quellen schule-a, schule-b. Und die Profile labels.\n", "als Einstellungen nicht lesbar"},
	} {
		file := filepath.Join(t.TempDir(), "gateway.yaml")
		args := []string{"init", "--config", file, "--url", "a.jamfcloud.com", "--client-id", "x", "--force", "--lang", lang}
		if r := command(t, env, args...); r.code != exitGood || r.err != "" {
			t.Errorf("nothing is replaced: exit code %d\n%s", r.code, r.err)
		}
		write(t, file, twoSources+"  - {id: other, secrets: [\""+hashOfSecret+"\"]}\n")
		if r := command(t, env, args...); r.code != exitGood || !strings.HasSuffix(r.err, want[0]) || !strings.Contains(r.err, file) {
			t.Errorf("exit code %d, want %q\n%s", r.code, want[0], r.err)
		}
		write(t, file, "listn: x\n")
		if r := command(t, env, args...); r.code != exitGood || !strings.Contains(r.err, want[1]) {
			t.Errorf("exit code %d, want %q\n%s", r.code, want[1], r.err)
		}
	}
}
