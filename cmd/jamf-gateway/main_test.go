package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/test/fakejamf"
)

var update = flag.Bool("update", false, "write the golden files anew")

// hashOfSecret is the SHA-256 of "secret".
const hashOfSecret = "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"

// result is what a command left behind.
type result struct {
	code     int
	out, err string
}

// command runs the program as main does, with an environment of its own.
func command(t *testing.T, env []string, args ...string) result {
	t.Helper()
	return commandWith(t, t.Context(), env, "", args...)
}

// commandWith is command with a context that may end it, and with what is typed.
func commandWith(t *testing.T, ctx context.Context, env []string, typed string, args ...string) result { //nolint:revive // t comes first, as in every helper
	t.Helper()
	var out, errs bytes.Buffer
	asks := strings.HasPrefix(typed, "asked\n") // what follows are answers to questions
	typed = strings.TrimPrefix(typed, "asked\n")
	code := run(ctx, args, streams{in: strings.NewReader(typed), out: &out, err: &errs, env: env, asks: asks})
	return result{code, out.String(), errs.String()}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		write(t, path, got)
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", name, diff)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// jamf is a simulated Jamf Pro; its client is "jamf-client" with the secret "jamf-secret".
func jamf(t *testing.T) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(fakejamf.New(fakejamf.Options{Computers: 12, Mobiles: 7, Seed: 1, ClientID: "jamf-client", ClientSecret: "jamf-secret"}))
	t.Cleanup(srv.Close)
	return srv
}

// settings writes a gateway.yaml with one source that reads srv, and returns its path.
func settings(t *testing.T, srv *httptest.Server, more string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	write(t, path, `listen: `+unused(t)+`
admin_listen: `+unused(t)+`
sources:
  - {name: schule-a, url: "`+srv.URL+`/api", client_id: jamf-client, client_secret: "env:JAMF_SECRET", allow_insecure_loopback: true}
clients:
  - {id: inventory360, secrets: ["`+hashOfSecret+`"]}
`+more)
	return path
}

// unused is an address of this machine at which nobody listens. Other programs take free ports of 127.0.0.1 all the time: it is another one of
// loopback where the system has them, as Linux does.
func unused(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:0", 1+rand.IntN(250), rand.IntN(250), 2+rand.IntN(250)))
	if err != nil {
		ln, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// serving runs `serve` with a settings file until the test ends, or end is called, and waits until everything was read once.
func serving(t *testing.T, file, listen string, env []string) (end func() result) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan result, 1)
	var out, errs bytes.Buffer
	go func() {
		code := run(ctx, []string{"serve", "--config", file}, streams{out: &out, err: &errs, env: env, startJitter: -1})
		ended <- result{code, out.String(), errs.String()}
	}()
	end = sync.OnceValue(func() result {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		if r := end(); r.code != exitGood {
			t.Errorf("serve ended with %d\n%s", r.code, r.err)
		}
	})
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-tick.C {
		rq, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listen+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		rs, err := (&http.Client{}).Do(rq)
		if err == nil {
			_ = rs.Body.Close()
			if rs.StatusCode == http.StatusOK {
				return end
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("serve is not ready after a minute")
		}
	}
}

// steady replaces what differs from run to run.
func steady(text string, replace ...string) string {
	text = regexp.MustCompile(` +\d+\.\d ms`).ReplaceAllString(text, "  0.0 ms")
	text = regexp.MustCompile(`(valid for|gültig für) \d+ s`).ReplaceAllString(text, "$1 600 s")
	return strings.NewReplacer(replace...).Replace(text)
}

func TestTheLanguageComesFromTheFlagThenFromTheEnvironment(t *testing.T) {
	for _, tc := range []struct {
		args, env []string
		want      string
	}{
		{nil, nil, "en"},
		{nil, []string{"LANG=de_DE.UTF-8"}, "de"},
		{nil, []string{"LANG=de"}, "de"},
		{nil, []string{"LANG=den_CA"}, "en"},
		{nil, []string{"LANG=de_DE.UTF-8", "LC_MESSAGES=C"}, "en"},
		{nil, []string{"LANG=en_US.UTF-8", "LC_ALL=de_AT.UTF-8"}, "de"},
		{[]string{"check", "--lang", "en"}, []string{"LANG=de_DE.UTF-8"}, "en"},
		{[]string{"--lang=de", "check"}, nil, "de"},
	} {
		if got := languageOf(tc.args, tc.env); string(got) != tc.want {
			t.Errorf("%v %v: %s, want %s", tc.args, tc.env, got, tc.want)
		}
	}
}

func TestCheckPrintsWhatToEnterInInventory360(t *testing.T) {
	srv := jamf(t)
	file := settings(t, srv, "  - {id: reports, secrets: [\"sha256:"+strings.Repeat("ab", 32)+"\"], sources: [schule-a]}\npublic_url: gateway.example.com\n")
	env := []string{"JAMF_SECRET=jamf-secret"}
	for _, lang := range []string{"en", "de"} {
		r := command(t, env, "check", "--config", file, "--lang", lang)
		if r.code != exitGood || r.err != "" {
			t.Fatalf("exit code %d, %s\n%s", r.code, r.err, r.out)
		}
		golden(t, "check."+lang+".txt", steady(r.out, file, "gateway.yaml"))
	}
	r := command(t, env, "check", "--config", file, "--json")
	for _, want := range []string{`"url": "https://gateway.example.com/jamf/schule-a/api"`, `"alsoUrl": "https://gateway.example.com/api"`, `"clientId": "reports"`} {
		if !strings.Contains(r.out, want) {
			t.Errorf("no %s in\n%s", want, r.out)
		}
	}
}

func TestCheckPrintsNothingToEnterForASourceThatCannotBeServed(t *testing.T) {
	srv := jamf(t)
	file := settings(t, srv, "public_url: https://gateway.example.com\n")
	r := command(t, []string{"JAMF_SECRET=wrong", "LANG=de_DE.UTF-8"}, "check", "--config", file)
	if r.code != exitWrong || strings.Contains(r.out, "Inventory360") || !strings.Contains(r.out, "[auth_failed]") || !strings.Contains(r.out, "Der Token-Endpunkt lehnte den API-Client ab: invalid_client") || !strings.Contains(r.out, "nach einem früheren Fehler") || !strings.Contains(r.out, "Es fehlt etwas") {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
}

// A connection is of no use where nothing that comes over it can be kept. No disk has the space for twice this generation.
func TestCheckIsNotGoodWhereNoSyncCouldBeKept(t *testing.T) {
	file := settings(t, jamf(t), "data_dir: data\n")
	write(t, filepath.Join(filepath.Dir(file), "data", "schule-a", "computer", "manifest.json"),
		`{"format": 1, "current": 1, "kept": [{"number": 1, "file": "00000001.sqlite", "bytes": 1152921504606846976}]}`)
	env := []string{"JAMF_SECRET=jamf-secret"}
	for lang, want := range map[string]string{"en": "The disk is full\n      [store_full] Free space", "de": "Der Datenträger ist voll\n      [store_full] Schaffen Sie"} {
		r := command(t, env, "check", "--config", file, "--lang", lang)
		if r.code != exitWrong || !strings.Contains(r.out, want) || strings.Contains(r.out, "Inventory360") {
			t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
		}
	}
	if r := command(t, env, "check", "--config", file, "--json"); r.code != exitWrong || !strings.Contains(r.out, `"code": "store_full"`) || !strings.Contains(r.out, `"ok": false`) {
		t.Errorf("exit code %d\n%s", r.code, r.out)
	}
}

func TestSettingsAreRefusedInBothLanguages(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bad.yaml")
	write(t, file, "listn: x\n")
	if r := command(t, nil, "check", "--config", file, "--lang", "en"); r.code != exitUsage || !strings.Contains(r.err, "unknown setting; did you mean listen?") {
		t.Errorf("%d %s", r.code, r.err)
	}
	if r := command(t, nil, "check", "--config", file, "--lang", "de"); r.code != exitUsage || !strings.Contains(r.err, "unbekannte Einstellung; ist listen gemeint?") {
		t.Errorf("%d %s", r.code, r.err)
	}
}
