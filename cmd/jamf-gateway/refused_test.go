package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// appended is a settings file with more lines.
func appended(t *testing.T, file, more string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(filepath.Dir(file), "more.yaml")
	write(t, path, string(raw)+more)
	return path
}

func TestCheckRefusesWhatServeCannotStartWith(t *testing.T) {
	env := []string{"JAMF_SECRET=jamf-secret"}
	base := settings(t, jamf(t), "")
	dir := filepath.Dir(base)
	write(t, filepath.Join(dir, "open.key"), strings.Repeat("ab", 32))
	if err := os.Chmod(filepath.Join(dir, "open.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "short.key"), "abcd")
	write(t, filepath.Join(dir, "file"), "")
	for name, tc := range map[string]struct{ more, want, german string }{
		"key of others": {"key_file: open.key\n", "DIR/more.yaml:7: key_file: DIR/open.key can be read by others (mode 0644): set it to 0600", "ist für andere lesbar (Modus 0644)"},
		"no token":      {"admin_token_file: short.key\n", "DIR/more.yaml:7: admin_token_file: DIR/short.key holds no admin token: restore it", "enthält kein Verwaltungstoken"},
		"no key":        {"key_file: short.key\n", "key_file: DIR/short.key holds no key of 64 hex digits: restore it", "enthält keinen Schlüssel"},
		"data is file":  {"data_dir: file\n", "DIR/more.yaml:7: data_dir: DIR/file is not a directory", "ist kein Verzeichnis"},
		"below a file":  {"data_dir: file/data\n", "data_dir: stat DIR/file/data: not a directory", "data_dir"},
		"key in a file": {"key_file: file/key\n", "key_file: read key_file: open DIR/file/key: not a directory", "key_file"},
		"tls":           {"tls: {cert_file: file, key_file: short.key}\n", "more.yaml:7: tls.cert_file: DIR/file holds no usable certificate in PEM", "kein brauchbares Zertifikat"},
		"field":         {"profiles:\n  own:\n    fields:\n      - os.verison\n      - computer:general.nonsense\n", "more.yaml:10: profiles.own.fields[0]: there is no field \"os.verison\"; did you mean os.version?\nDIR/more.yaml:11: profiles.own.fields[1]: ", "es gibt kein Feld \"os.verison\"; ist os.version gemeint?"},
		"secret":        {"profiles:\n  own:\n    fields: [recoveryKey]\n", "fields[0]: \"recoveryKey\" is a secret or a person's place, which no profile keeps: whoever", "behält kein Profil: Wer an die Daten gelangt"},
		"recovery":      {"profiles:\n  own:\n    fields: [computer:diskEncryption.personalRecoveryKey, computer:deviceLock.pin, mobile:SECURITY, lostModeMessage]\n", "fields[3]: \"lostModeMessage\" is a secret", "\"computer:deviceLock.pin\" ist ein Geheimnis"},
		"part of name":  {"profiles:\n  own:\n    fields: [serialNumber]\n", "did you mean identity.serialNumber?", "ist identity.serialNumber gemeint?"},
	} {
		file := appended(t, base, tc.more)
		r := command(t, env, "check", "--config", file, "--lang", "en")
		if got := strings.ReplaceAll(r.err, dir, "DIR"); r.code != exitUsage || !strings.Contains(got, tc.want) || strings.Contains(r.out, "good") {
			t.Errorf("%s: check ends with %d, want %q in\n%s%s", name, r.code, tc.want, got, r.out)
		}
		if r := command(t, env, "check", "--config", file, "--lang", "de"); !strings.Contains(r.err, tc.german) {
			t.Errorf("%s: no %q in\n%s", name, tc.german, r.err)
		}
		if r := command(t, env, "serve", "--config", file); r.code == exitGood || r.err == "" {
			t.Errorf("%s: serve starts", name)
		}
	}
}

// What holds the doors shut is never replaced by something weaker: each is named by its setting, where it is written.
func TestTheStartIsRefusedWithoutWhatItNeeds(t *testing.T) {
	const secret = "JAMF_SECRET=jamf-secret"
	base := settings(t, jamf(t), "")
	dir := filepath.Dir(base)
	write(t, filepath.Join(dir, "file"), "")
	write(t, filepath.Join(dir, "short"), "abcd")
	source := func(setting, value string) []string {
		return []string{secret, "JAMF_GATEWAY_SOURCES_SCHULE_A_" + setting + "=" + value}
	}
	for name, tc := range map[string]struct {
		more string
		env  []string
		want string
	}{
		"certificate":                      {"tls: {cert_file: none, key_file: file}\n", nil, "DIR/more.yaml:7: tls.cert_file: stat DIR/none: "},
		"key of the certificate":           {"tls: {cert_file: file, key_file: none}\n", nil, "DIR/more.yaml:7: tls.key_file: stat DIR/none: "},
		"certificate alone":                {"tls: {cert_file: file}\n", nil, "DIR/more.yaml:7: tls.cert_file: key_file is missing"},
		"CA of an authority":               {"tls: {acme: {hosts: [a.example.com], ca_file: none}}\n", nil, "DIR/more.yaml:7: tls.acme.ca_file: stat DIR/none: "},
		"CA of Jamf":                       {"", source("CA_FILE", "none"), "JAMF_GATEWAY_SOURCES_SCHULE_A_CA_FILE: sources.schule-a.ca_file: stat DIR/none: "},
		"CA of Jamf without any":           {"", source("CA_FILE", "file"), "sources.schule-a.ca_file: DIR/file holds no certificate"},
		"secret's file":                    {"", source("CLIENT_SECRET", "file:none"), "sources.schule-a.client_secret: read the secret's file: stat DIR/none: "},
		"secret's file, empty":             {"", source("CLIENT_SECRET", "file:file"), "sources.schule-a.client_secret: the secret is empty"},
		"secret's variable":                {"", []string{"OTHER=x"}, "DIR/more.yaml:4: sources.schule-a.client_secret: the environment variable JAMF_SECRET is not set"},
		"credential":                       {"", source("CLIENT_SECRET", "cred:none"), "sources.schule-a.client_secret: cred: works only where systemd"},
		"sealing key":                      {"key_file: short\n", nil, "DIR/more.yaml:7: key_file: DIR/short holds no key"},
		"sealing key, a directory":         {"key_file: .\n", nil, "DIR/more.yaml:7: key_file: read key_file: read DIR: is a directory"},
		"admin token":                      {"admin_token_file: short\n", nil, "DIR/more.yaml:7: admin_token_file: DIR/short holds no admin token"},
		"audit":                            {"audit: {dir: file}\n", nil, "DIR/more.yaml:7: audit.dir: DIR/file is not a directory"},
		"audit below what is no directory": {"audit: {dir: file/audit}\n", nil, "DIR/more.yaml:7: audit.dir: stat DIR/file/audit: not a directory"},
	} {
		if tc.env == nil {
			tc.env = []string{secret}
		}
		file := appended(t, base, tc.more)
		for _, cmd := range []string{"serve", "check"} {
			r := command(t, tc.env, cmd, "--config", file, "--lang", "en")
			if got := strings.ReplaceAll(r.err, dir, "DIR"); r.code != exitUsage || !strings.Contains(got, tc.want) {
				t.Errorf("%s: %s ends with %d, want %q in\n%s", name, cmd, r.code, tc.want, got)
			}
		}
	}
}

func TestCheckMakesNoFile(t *testing.T) {
	file := settings(t, jamf(t), "")
	if r := command(t, []string{"JAMF_SECRET=jamf-secret"}, "check", "--config", file); r.code != exitGood {
		t.Fatalf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
	if made, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*")); err != nil || len(made) != 1 {
		t.Errorf("files %v, %v; want the settings alone", made, err)
	}
}

func TestADirectoryThatThisUserCannotWriteRefusesTheCheck(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root can write everywhere")
	}
	file := settings(t, jamf(t), "data_dir: sealed/data\n")
	sealed := filepath.Join(filepath.Dir(file), "sealed")
	if err := os.Mkdir(sealed, 0o500); err != nil {
		t.Fatal(err)
	}
	r := command(t, []string{"JAMF_SECRET=jamf-secret"}, "check", "--config", file)
	if want := "data_dir: " + sealed + " cannot be written by this user (permission denied)"; r.code != exitUsage || !strings.Contains(r.err, want) {
		t.Errorf("exit code %d, no %q in\n%s", r.code, want, r.err)
	}
}

func TestCheckNamesDisabledSources(t *testing.T) {
	srv := jamf(t)
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	write(t, file, `sources:
  - {name: schule-a, url: "`+srv.URL+`/api", client_id: jamf-client, client_secret: "env:JAMF_SECRET", allow_insecure_loopback: true}
  - {name: schule-b, url: "https://b.jamfcloud.com/api", client_id: x, client_secret: "env:JAMF_SECRET", status: disabled}
clients:
  - {id: inventory360, secrets: ["`+hashOfSecret+`"]}
`)
	env := []string{"JAMF_SECRET=jamf-secret"}
	for lang, want := range map[string]string{
		"en": "\nschule-b\n  disabled: neither read nor tested, what was read last is served\n",
		"de": "\nschule-b\n  deaktiviert: wird weder gelesen noch geprüft, das zuletzt Gelesene wird ausgeliefert\n",
	} {
		if r := command(t, env, "check", "--config", file, "--lang", lang); r.code != exitGood || !strings.Contains(r.out, want) {
			t.Errorf("exit code %d, no %q in\n%s%s", r.code, want, r.out, r.err)
		}
	}
	if r := command(t, env, "check", "--config", file, "--source", "schule-a"); strings.Contains(r.out, "schule-b") {
		t.Errorf("another source was asked for:\n%s", r.out)
	}
	var a checkAnswer
	r := command(t, env, "check", "--config", file, "--json")
	if err := json.Unmarshal([]byte(r.out), &a); err != nil || !a.OK || !slices.Equal(a.Disabled, []string{"schule-b"}) || len(a.Sources) != 1 {
		t.Errorf("%v, %+v", err, a)
	}
}

func TestCheckAsJSONIsJSONAlsoWhenTheSettingsAreRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bad.yaml")
	write(t, file, "listn: x\nsources: []\n")
	good := settings(t, jamf(t), "")
	for _, tc := range []struct {
		file, source, want string
		problems           int
	}{
		{file, "", file + ":1: listn: unknown setting; did you mean listen?", 3},
		{file + ".none", "", "no such file or directory", 1},
		{good, "none", `there is no source "none" in ` + good, 1},
	} {
		var a checkAnswer
		args := []string{"check", "--config", tc.file, "--json"}
		if tc.source != "" {
			args = append(args, "--source", tc.source)
		}
		r := command(t, []string{"JAMF_SECRET=jamf-secret"}, args...)
		if err := json.Unmarshal([]byte(r.out), &a); err != nil || r.code != exitUsage || a.OK || len(a.Problems) != tc.problems || !strings.Contains(strings.Join(a.Problems, "\n"), tc.want) {
			t.Errorf("exit code %d, %v, want %d problems and %q in\n%s%s", r.code, err, tc.problems, tc.want, r.out, r.err)
		}
	}
	if r := command(t, nil, "check", "--config", file, "--json", "--lang", "de"); !strings.Contains(r.out, "unbekannte Einstellung; ist listen gemeint?") {
		t.Errorf("no German in\n%s", r.out)
	}
}

func TestCheckLivezNeedsNoSecret(t *testing.T) {
	file, _ := running(t)
	if r := command(t, nil, "check", "--livez", "--config", file); r.code != exitGood {
		t.Errorf("exit code %d\n%s", r.code, r.err)
	}
}

// TestADirectoryInUseSaysWhatToDo for the data and for the audit, which may lie in different places, while who reads the audit is not kept out.
func TestADirectoryInUseSaysWhatToDo(t *testing.T) {
	file, _ := running(t)
	data := filepath.Join(filepath.Dir(file), "data")
	env := []string{"JAMF_SECRET=jamf-secret", "JAMF_GATEWAY_LISTEN=127.0.0.1:0", "JAMF_GATEWAY_ADMIN_LISTEN=off"}
	elsewhere := append(slices.Clone(env), "JAMF_GATEWAY_DATA_DIR="+t.TempDir())
	t.Run("refused", func(t *testing.T) {
		for _, tc := range []struct {
			lang, setting, dir string
			env                []string
			want               string
		}{
			{"en", "data_dir", data, env, "end it, or choose another data_dir"},
			{"de", "data_dir", data, env, "Beenden Sie es, oder wählen Sie ein anderes data_dir"},
			{"en", "audit.dir", data + "/.audit", slices.Concat(elsewhere, []string{"JAMF_GATEWAY_AUDIT_DIR=" + data + "/.audit"}), "end it, or choose another audit.dir"},
			{"de", "audit.dir", data, slices.Concat(elsewhere, []string{"JAMF_GATEWAY_AUDIT_DIR=" + data, "JAMF_GATEWAY_DATA_DIR=" + t.TempDir()}), "Beenden Sie es, oder wählen Sie ein anderes audit.dir"},
		} {
			t.Run(tc.setting+" "+tc.lang, func(t *testing.T) {
				t.Parallel()                                                      // each waits for the lock
				bound, cancel := context.WithTimeout(t.Context(), 20*time.Second) // for one that would serve
				defer cancel()
				r := commandWith(t, bound, tc.env, "", "serve", "--config", file, "--lang", tc.lang)
				who := fmt.Sprintf(" %s (process %d on host ", tc.dir, os.Getpid())
				if r.code != exitWrong || !strings.Contains(r.err, tc.setting+": ") || !strings.Contains(r.err, who) || !strings.HasSuffix(r.err, "): "+tc.want+"\n") {
					t.Errorf("exit code %d, no %q with %q at the end of\n%s", r.code, who, tc.want, r.err)
				}
			})
		}
	})
	for _, args := range [][]string{{"audit"}, {"audit", "verify"}} {
		if r := command(t, nil, append(args, "--config", file)...); r.code != exitGood {
			t.Errorf("%v beside a running gateway: exit code %d\n%s%s", args, r.code, r.out, r.err)
		}
	}
}

func TestAnAddressInUseSaysWhatToDo(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	file := settings(t, jamf(t), "")
	env := []string{"JAMF_SECRET=jamf-secret"}
	free := "127.0.0.1:0"
	for _, tc := range []struct {
		env, args []string
		want      string
	}{
		{append(env, "JAMF_GATEWAY_LISTEN="+address), []string{"serve", "--config", file}, "listen: " + address + " is in use."},
		{append(env, "JAMF_GATEWAY_ADMIN_LISTEN="+address), []string{"serve", "--config", file}, "choose another address with admin_listen"},
		{append(env, "JAMF_GATEWAY_LISTEN="+address), []string{"serve", "--config", file, "--lang=de"}, "listen: " + address + " ist belegt."},
		{append(env, "JAMF_GATEWAY_LISTEN=192.0.2.1:8080", "JAMF_GATEWAY_INSECURE_HTTP=true"), []string{"serve", "--config", file}, "is no address of this machine"},
		{nil, []string{"demo", "--listen", address, "--admin-listen", free, "--jamf-listen", free}, "choose another address with --listen"},
		{nil, []string{"demo", "--listen", free, "--admin-listen", address, "--jamf-listen", free}, "choose another address with --admin-listen"},
		{nil, []string{"demo", "--listen", free, "--admin-listen", free, "--jamf-listen", address}, "choose another address with --jamf-listen"},
		{nil, []string{"fakejamf", "--listen", address}, "choose another address with --listen"},
	} {
		if r := command(t, tc.env, tc.args...); r.code != exitWrong || !strings.Contains(r.err, tc.want) {
			t.Errorf("%v: exit code %d, no %q in\n%s", tc.args, r.code, tc.want, r.err)
		}
	}
}
