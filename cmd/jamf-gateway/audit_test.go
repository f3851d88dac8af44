package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/audit"
)

// auditedDays is the audit of two days with one line of each event.
func auditedDays(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), ".audit")
	now := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	l := audit.New(audit.Options{Dir: dir, Disk: (*cache.Disk)(nil), Now: func() time.Time { return now }})
	act := func(e audit.Entry, outcome string) {
		ended, err := l.Act(e)
		if err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Second)
		ended(outcome)
	}
	act(audit.Entry{Event: "admin.purge", Actor: "admin", By: "erika", Address: "127.0.0.1", Source: "schule-a", Kind: "computer", Target: "schule-a:computer:42"}, audit.Done)
	for range 3 {
		l.Fold(audit.Entry{Event: audit.TokenRefused, Address: "2001:db8::/64", Outcome: "invalid_client"})
	}
	now = now.Add(time.Second)
	l.Fold(audit.Entry{Event: "token.issued", Actor: "inventory360", Address: "192.0.2.1", Outcome: audit.Done, Credential: "2bb80d53"})
	l.Flush(true)
	now = now.AddDate(0, 0, 1)
	for from := range 3 {
		l.Read(audit.Read{
			Client: "inventory360", Source: "schule-a", Kind: "mobile", Profile: "minimal", View: "0f", Generation: 41, Rows: 100, List: audit.List{ID: "l", From: from * 100, Of: 300},
		})
		now = now.Add(2 * time.Second)
	}
	l.Read(audit.Read{Client: "cmdb", Source: "schule-b", Kind: "computer", Profile: "full", Generation: 7, Rows: 50, AtMost: true})
	now = now.Add(time.Second)
	l.Read(audit.Read{Client: "cmdb", Source: "schule-b", Passed: "/v1/departments"})
	l.Flush(true)
	now = now.Add(time.Second)
	act(audit.Entry{Event: "admin.approve", Actor: "admin", By: "a\x1b[2Jb\u009b\u202e", Address: "127.0.0.1", Source: "schule-b", Target: "4f0c"}, "not_held")
	return dir
}

func TestTheAuditIsPrintedForPeople(t *testing.T) {
	dir := auditedDays(t)
	for _, lang := range []string{"en", "de"} {
		r := command(t, []string{"TZ=Europe/Berlin"}, "audit", "--dir", dir, "--lang", lang)
		if r.code != exitGood || r.err != "" {
			t.Errorf("exit code %d, %s", r.code, r.err)
		}
		golden(t, "audit."+lang+".txt", r.out)
	}
}

func TestLinesOfTheAuditAreChosen(t *testing.T) {
	dir := auditedDays(t)
	for args, want := range map[string]int{
		"":                                  9,
		"--since 2026-11-27":                5,
		"--since 2026-11-27T09:00:30Z":      0,
		"--since 2026-11-27T10:00:04+01:00": 5,
		"--client inventory360":             2,
		"--client inventory":                0,
		"--source schule-b":                 4,
		"--kind computer":                   3,
		"--act admin":                       4,
		"--act admin.":                      4,
		"--act admin.purge":                 2,
		"--act adm":                         0,
		"--act token --since 2026-11-27":    0,
		"--act read --client cmdb":          1,
	} {
		r := command(t, []string{"TZ=UTC"}, append([]string{"audit", "--dir", dir}, strings.Fields(args)...)...)
		if n := strings.Count(r.out, "\n"); n != want || r.code != exitGood {
			t.Errorf("%q: exit code %d, %d lines, want %d\n%s%s", args, r.code, n, want, r.out, r.err)
		}
	}
	for _, since := range []string{"yesterday", "-3h", "7", "2026-13-01", "d"} {
		if r := command(t, nil, "audit", "--dir", dir, "--since="+since); r.code != exitUsage || !strings.Contains(r.err, "--since must be") {
			t.Errorf("--since %s: exit code %d, %s", since, r.code, r.err)
		}
	}
}

func TestSinceTakesDaysTimesAndHowLongAgo(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	now := time.Date(2026, 10, 26, 8, 0, 0, 0, berlin) // on the day before was the change of the clocks
	for value, want := range map[string]time.Time{
		"": {}, "2026-10-25": time.Date(2026, 10, 25, 0, 0, 0, 0, berlin), "2d": time.Date(2026, 10, 24, 8, 0, 0, 0, berlin),
		"48h": now.Add(-48 * time.Hour), "90m": now.Add(-90 * time.Minute), "2026-10-25T03:00:00Z": time.Date(2026, 10, 25, 3, 0, 0, 0, time.UTC),
	} {
		if got, err := sinceWhen(value, now, berlin); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v, want %v", value, got, err, want)
		}
	}
}

func TestNothingInTheAuditMovesATerminal(t *testing.T) {
	dir := auditedDays(t)
	line := `{"time":"2026-11-28T00:00:00Z","event":"admin.sync` + "\u009b2J\u202e\U000e0001" + `",` + "\t" + `"actor":"\u001b[31m","prev":""}` + "\r\n"
	write(t, filepath.Join(dir, "2026-11-28.jsonl"), line)
	for _, args := range [][]string{nil, {"--json"}, {"--lang", "de"}} {
		r := command(t, nil, append([]string{"audit", "--dir", dir}, args...)...)
		for _, c := range r.out {
			if c != '\n' && c != 'ö' && c != 'ä' && (c < ' ' || c > '~') {
				t.Errorf("%v: %q stands raw in\n%s", args, c, r.out)
				break
			}
		}
	}
	var want, got map[string]any
	lines := strings.Split(strings.TrimSpace(command(t, nil, "audit", "--dir", dir, "--json").out), "\n")
	if err := json.Unmarshal([]byte(line), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &got); err != nil || got["event"] != want["event"] || got["actor"] != want["actor"] {
		t.Errorf("%v, %v, want %v", err, got, want)
	}
}

func TestJSONIsTheLinesAsTheyStand(t *testing.T) {
	dir := auditedDays(t)
	var want string
	for _, day := range []string{"2026-11-26", "2026-11-27"} {
		raw, err := os.ReadFile(filepath.Join(dir, day+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		want += string(raw)
	}
	want = strings.NewReplacer("\u009b", `\u009b`, "\u202e", `\u202e`).Replace(want)
	if r := command(t, nil, "audit", "show", "--dir", dir, "--json"); r.out != want || r.code != exitGood {
		t.Errorf("exit code %d:\n%s\nwant\n%s", r.code, r.out, want)
	}
}

func TestVerifyNamesTheFirstPlaceByFileAndLine(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(raw string) string
		en, de string
	}{
		"whole": {func(s string) string { return s }, "9 lines, each follows the one before\n", "9 Zeilen, jede folgt auf die vorige\n"},
		"a line is gone": {
			func(s string) string { _, rest, _ := strings.Cut(s, "\n"); return rest },
			"8 lines; places that are not as they were written: 1\n  2026-11-27.jsonl line 1: the line before it was changed, or is gone\n",
			"8 Zeilen; Stellen, die nicht so sind, wie sie geschrieben wurden: 1\n  2026-11-27.jsonl Zeile 1: die Zeile davor wurde geändert oder fehlt\n",
		},
		"a number was changed": {
			func(s string) string { return strings.Replace(s, `"rows":300`, `"rows":3`, 1) },
			"9 lines; places that are not as they were written: 1\n  2026-11-27.jsonl line 2: the line before it was changed, or is gone\n", "2026-11-27.jsonl Zeile 2: ",
		},
		"half a line": {
			func(s string) string { return s[:len(s)-20] },
			"9 lines; places that are not as they were written: 1\n  2026-11-27.jsonl line 5: no whole line, as a crash or a full disk leaves one, or it was changed\n", "2026-11-27.jsonl Zeile 5: keine ganze Zeile",
		},
	} {
		dir := auditedDays(t)
		path := filepath.Join(dir, "2026-11-27.jsonl")
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, tc.change(string(raw)))
		code := exitWrong
		if name == "whole" {
			code = exitGood
		}
		for lang, want := range map[string]string{"en": tc.en, "de": tc.de} {
			if r := command(t, nil, "audit", "verify", "--dir", dir, "--lang", lang); r.code != code || !strings.Contains(r.out, want) {
				t.Errorf("%s: exit code %d, want %d; no %q in\n%s%s", name, r.code, code, want, r.out, r.err)
			}
		}
		var v verified
		r := command(t, nil, "audit", "verify", "--dir", dir, "--json")
		if err := json.Unmarshal([]byte(r.out), &v); err != nil || r.code != code || v.Whole != (name == "whole") || v.Whole == (len(v.Flaws) > 0) {
			t.Errorf("%s: %v, exit code %d, %s", name, err, r.code, r.out)
		}
	}
}

func TestLinesThatCannotBeReadAreSaid(t *testing.T) {
	dir := auditedDays(t)
	write(t, filepath.Join(dir, "2026-11-28.jsonl"), "half a li\n"+strings.Repeat("x", 200_000)+"\n")
	r := command(t, nil, "audit", "--dir", dir)
	if r.code != exitWrong || strings.Count(r.out, "\n") != 9 || !strings.Contains(r.err, "2 lines cannot be read, the first is 2026-11-28.jsonl line 1") {
		t.Errorf("exit code %d, %d lines, %s", r.code, strings.Count(r.out, "\n"), r.err)
	}
}

func TestTheAuditOfTheSettingsIsFound(t *testing.T) {
	file := settings(t, jamf(t), "")
	if r := command(t, nil, "audit", "--config", file); r.code != exitWrong || !strings.Contains(r.err, "there is no audit in "+filepath.Join(filepath.Dir(file), "data", ".audit")) {
		t.Errorf("before the first start: exit code %d, %s", r.code, r.err)
	}
	dir := auditedDays(t)
	file = settings(t, jamf(t), "audit: {dir: "+dir+"}\n")
	if r := command(t, nil, "audit", "verify", "--config", file); r.code != exitGood || !strings.Contains(r.out, dir+": 9 lines") {
		t.Errorf("exit code %d, %s%s", r.code, r.out, r.err)
	}
	for _, args := range [][]string{{"audit"}, {"audit", "verify"}, {"audit", "--dir", filepath.Join(dir, "nothing")}, {"audit", "--config", file, "--dir", dir}} {
		if r := command(t, nil, args...); r.code != exitUsage || r.err == "" {
			t.Errorf("%v: exit code %d, %s", args, r.code, r.err)
		}
	}
}
