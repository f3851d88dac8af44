package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// clockless replaces points in time.
func clockless(s string) string {
	return regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d`).ReplaceAllString(s, "2026-11-25 04:30")
}

// running is a gateway that has read a simulated Jamf Pro.
func running(t *testing.T) (file, admin string) {
	t.Helper()
	file = settings(t, jamf(t), "")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	find := func(key string) string {
		return regexp.MustCompile(`(?m)^` + key + `: (\S+)`).FindStringSubmatch(string(raw))[1]
	}
	serving(t, file, find("listen"), []string{"JAMF_SECRET=jamf-secret"})
	return file, find("admin_listen")
}

// adminEnv is an environment with the admin token of the gateway with these settings.
func adminEnv(t *testing.T, file string) []string {
	t.Helper()
	return []string{"JAMF_GATEWAY_ADMIN_TOKEN=" + content(t, filepath.Join(filepath.Dir(file), "admin.token"))}
}

func TestStatusAndSyncTalkToARunningGateway(t *testing.T) {
	file, admin := running(t)
	env := adminEnv(t, file)
	if r := command(t, nil, "sync", "schule-a", "--wait", "--config", file); r.code != exitGood { // nothing is read from here on
		t.Fatalf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
	for _, lang := range []string{"en", "de"} {
		r := command(t, nil, "status", "--config", file, "--lang", lang)
		if r.code != exitGood {
			t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
		}
		golden(t, "status."+lang+".txt", clockless(r.out))
	}
	r := command(t, nil, "sync", "schule-a", "--kind", "mobile", "--wait", "--config", file)
	if want := "schule-a: mobile devices read completely, 7 devices\n"; r.code != exitGood || !strings.HasSuffix(r.out, want) || strings.Contains(r.out, "computers") {
		t.Errorf("exit code %d, want %q\n%s%s", r.code, want, r.out, r.err)
	}
	if r := command(t, env, "sync", "schule-a", "--admin", admin, "--lang", "de", "--wait"); r.code != exitGood || strings.Count(r.out, "vollständig gelesen") != 2 {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
	if r := command(t, env, "status", "--admin", "http://"+admin+"/", "--json"); r.code != exitGood || !strings.Contains(r.out, `"generation": `) {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
	for name, tc := range map[string]struct {
		code int
		args []string
		want string
	}{
		"unknown source": {exitUsage, []string{"sync", "x", "--admin", admin}, `there is no source "x" at this gateway; there are: schule-a [unknown_source]`},
		"approve":        {exitUsage, []string{"approve", "x", "--admin", admin}, `there is no source "x" at this gateway; there are: schule-a [unknown_source]`},
		"approve D":      {exitUsage, []string{"approve", "x", "0123", "--admin", admin}, `there is no source "x" at this gateway; there are: schule-a [unknown_source]`},
		"expect":         {exitUsage, []string{"expect-removals", "x", "0", "--admin", admin}, `there is no source "x" at this gateway; there are: schule-a [unknown_source]`},
		"in German":      {exitUsage, []string{"sync", "x", "--admin", admin, "--lang", "de"}, `es gibt keine Quelle "x" an diesem Gateway; es gibt: schule-a [unknown_source]`},
		"unknown kind":   {exitUsage, []string{"sync", "schule-a", "--kind", "tablet", "--admin", admin}, "computer"},
		"two doors":      {exitUsage, []string{"status", "--admin", admin, "--config", file}, "--admin"},
		"no address":     {exitUsage, []string{"status", "--admin", "ftp://x"}, "must be an address"},
		"nobody":         {exitWrong, []string{"status", "--admin", "http://" + unused(t)}, "no gateway answers at"},
		"nobody to sync": {exitWrong, []string{"sync", "schule-a", "--admin", unused(t)}, "no gateway answers at"},
		"another door":   {exitWrong, []string{"status", "--admin", regexp.MustCompile(`listen: (\S+)`).FindStringSubmatch(content(t, file))[1]}, "is not the admin door"},
	} {
		if r := command(t, env, tc.args...); r.code != tc.code || !strings.Contains(r.out+r.err, tc.want) {
			t.Errorf("%s: exit code %d, want %d and %q\n%s%s", name, r.code, tc.code, tc.want, r.out, r.err)
		}
	}
}

func content(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// lines is a writer that can be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// door answers as an admin door whose source reads computers: not begun, half, done.
func door(t *testing.T, last string) string {
	t.Helper()
	states := []string{
		`"syncing":false,"progress":null,"lastAttemptAt":"2026-11-24T04:00:00.000Z","lastResult":"ok"`,
		`"syncing":true,"progress":{"held":0,"total":0},"lastAttemptAt":"2026-11-24T04:00:00.000Z","lastResult":"ok"`,
		`"syncing":true,"progress":{"held":600,"total":1200},"lastAttemptAt":"2026-11-24T04:00:00.000Z","lastResult":"ok"`,
		last,
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusConflict)
			_, _ = w.Write([]byte(`{"code":"sync_running"}`))
			return
		}
		state := states[0]
		if len(states) > 1 {
			states = states[1:]
		}
		_, _ = w.Write([]byte(`{"version":"1","items":[{"name":"a","status":"degraded","kinds":[{"kind":"computer","state":"stale","reason":"timeout","count":1200,` + state + `}]}]}`))
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// The first sync had ended when its end was looked at, and was still taken for running when the next one was asked for.
func TestSyncAsksAgainForAKindThatNobodyReads(t *testing.T) {
	var asked lines
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			first := asked.String() == ""
			if _, _ = fmt.Fprintf(&asked, "%q ", r.URL.RawQuery); first {
				w.WriteHeader(http.StatusConflict)
				_, _ = w.Write([]byte(`{"code":"sync_running"}`))
				return
			}
			_, _ = w.Write([]byte(`{"source":"a"}`))
			return
		}
		day := 24
		if strings.Contains(asked.String(), "kind") {
			day = 25
		}
		_, _ = fmt.Fprintf(w, `{"version":"1","items":[{"name":"a","status":"ok","kinds":[
			{"kind":"computer","state":"fresh","count":3,"syncing":false,"lastAttemptAt":"2026-11-%dT04:00:00.000Z","lastResult":"ok"}]}]}`, day)
	}))
	t.Cleanup(srv.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r := commandWith(t, ctx, nil, "", "sync", "a", "--wait", "--by", "x", "--admin", srv.URL)
	if r.code != exitGood || !strings.HasSuffix(r.out, "a: computers read completely, 3 devices\n") || asked.String() != `"by=x" "by=x&kind=computer" ` {
		t.Errorf("exit code %d, asked %s\n%s%s", r.code, asked.String(), r.out, r.err)
	}
}

func TestSyncWaitsForARunningSyncAndShowsPlainLinesWithoutATerminal(t *testing.T) {
	admin := door(t, `"syncing":false,"progress":null,"lastAttemptAt":"2026-11-25T04:00:00.000Z","lastResult":"failed","lastError":{"code":"count_mismatch","detail":"3 of 4"}`)
	r := command(t, nil, "sync", "a", "--wait", "--admin", admin)
	want := "a: a sync is running already, waiting for it\na: 600 of 1200 computers\n" +
		"a: reading computers failed: The number of devices does not add up. Wait for the next attempt, and set sync.at to a quieter hour if this happens often. [count_mismatch] (3 of 4)\n"
	if r.code != exitWrong || r.out != want {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
	german := door(t, `"syncing":false,"lastAttemptAt":"2026-11-25T04:00:00.000Z","lastResult":"failed"`)
	if r := command(t, nil, "sync", "a", "--wait", "--admin", german, "--lang", "de"); !strings.Contains(r.out, "a: 600 von 1200 Computern\n") || !strings.HasSuffix(r.out, "a: Computer konnten nicht gelesen werden\n") {
		t.Errorf("in German:\n%s", r.out)
	}
	if r := command(t, nil, "sync", "a", "--admin", door(t, "")); r.code != exitWrong || !strings.Contains(r.err, "[sync_running]") {
		t.Errorf("without --wait: exit code %d\n%s%s", r.code, r.out, r.err)
	}
}

func TestSyncTellsOnceWhyItWaits(t *testing.T) {
	states := []string{
		`"breaker":"open","notBefore":"2126-01-24T03:10:00.000Z"`, `"breaker":"open","notBefore":"2126-01-24T03:10:00.000Z"`,
		`"breaker":"closed","notBefore":"2126-01-24T03:10:00.000Z"`, `"breaker":"closed","heartbeat":{"downSince":"2026-01-24T03:10:00.000Z","nextAt":"2126-01-24T03:10:00.000Z"}`,
	}
	for lang, want := range map[string]string{
		"en": "a: too many calls to Jamf failed, it is asked again at T (circuit breaker open)\na: Jamf asked for fewer requests, paused until T\n" +
			"a: Jamf has not answered since T, asked again at T\na: computers read completely, 3 devices\n",
		"de": "a: zu viele Anfragen an Jamf sind fehlgeschlagen, nächster Versuch T (Schutzschalter offen)\na: Jamf verlangt weniger Anfragen, Pause bis T\n" +
			"a: Jamf antwortet seit T nicht, nächster Versuch T\na: Computer vollständig gelesen, 3 Geräte\n",
	} {
		asked := 0
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				_, _ = w.Write([]byte(`{"source":"a"}`))
				return
			}
			state, attempt := states[max(0, min(asked-1, len(states)-1))], "2026-11-24T04:00:00.000Z"
			if asked > len(states) {
				attempt = "2026-11-25T04:00:00.000Z"
			}
			asked++
			_, _ = w.Write([]byte(`{"version":"1","items":[{"name":"a",` + state + `,"kinds":[{"kind":"computer","count":3,"lastResult":"ok","lastAttemptAt":"` + attempt + `"}]}]}`))
		}))
		t.Cleanup(srv.Close)
		r := command(t, nil, "sync", "a", "--wait", "--admin", srv.URL, "--lang", lang)
		if got := strings.ReplaceAll(clockless(r.out), "2026-11-25 04:30", "T"); r.code != exitGood || got != want {
			t.Errorf("exit code %d, want\n%s\ngot\n%s%s", r.code, want, got, r.err)
		}
	}
}

func TestStatusFindsWantingWhatIsStaleAndWatchesUntilCtrlC(t *testing.T) {
	admin := door(t, `"syncing":false,"lastAttemptAt":null`)
	r := command(t, nil, "status", "--admin", admin, "--lang", "de")
	if r.code != exitWrong || !strings.Contains(r.out, "veraltet") || !strings.Contains(r.out, "[timeout]") {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var out lines
	if code := run(ctx, []string{"status", "--watch", "--admin", admin}, streams{out: &out, err: &out}); code != exitGood || !strings.Contains(out.String(), "reading") {
		t.Errorf("exit code %d\n%s", code, out.String())
	}
}
