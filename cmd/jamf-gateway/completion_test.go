package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// script is the completion for a shell.
func script(t *testing.T, shell string) string {
	t.Helper()
	r := command(t, nil, "completion", shell)
	if r.code != exitGood || r.err != "" {
		t.Fatalf("exit code %d, %s", r.code, r.err)
	}
	return r.out
}

// shellFile writes the script for a shell and returns the shell; the test is skipped where there is none.
func shellFile(t *testing.T, shell string) (program, file string) {
	t.Helper()
	program, err := exec.LookPath(shell)
	if err != nil {
		t.Skipf("there is no %s here", shell)
	}
	file = filepath.Join(t.TempDir(), "script")
	write(t, file, script(t, shell))
	return program, file
}

func TestBashCompletesCommandsFlagsAndFixedValues(t *testing.T) {
	bash, file := shellFile(t, "bash")
	for _, tc := range []struct {
		words []string // the last one is being typed
		want  []string
	}{
		{[]string{"st"}, []string{"status"}},
		{[]string{"s"}, []string{"serve", "status", "sync", "source", "show"}},
		{[]string{"client", ""}, []string{"new", "rotate"}},
		{[]string{"client", "new", "--pro"}, []string{"--profile"}},
		{[]string{"report", "availability", "--d"}, []string{"--days", "--data-dir"}},
		{[]string{"audit", "--s"}, []string{"--since", "--source"}},
		{[]string{"audit", "verify", "--s"}, nil},
		{[]string{"sync", "--config", "gateway.yaml", "--w"}, []string{"--wait"}},
		{[]string{"--lang", "de", "stat"}, []string{"status"}},
		{[]string{"check", "--lang", ""}, []string{"en", "de"}},
		{[]string{"check", "--lang", "=", "d"}, []string{"de"}},
		{[]string{"check", "--lang", "="}, []string{"en", "de"}},
		{[]string{"demo", "--faults", "h"}, []string{"hostile"}},
		{[]string{"completion", ""}, []string{"bash", "zsh", "fish"}},
		{[]string{"check", "--config", ""}, nil}, // bash itself completes files
		{[]string{"check", "--source", ""}, nil},
		{[]string{"nonsense", "--lang", "d"}, []string{"de"}},
	} {
		quoted := make([]string, len(tc.words))
		for i, w := range tc.words {
			quoted[i] = shellQuoted(w)
		}
		line := fmt.Sprintf(`source "$0"; complete -p jamf-gateway >/dev/null || exit 9; COMP_WORDS=(jamf-gateway %s); COMP_CWORD=%d; _jamf_gateway; printf '%%s\n' "${COMPREPLY[@]}"`,
			strings.Join(quoted, " "), len(tc.words))
		out, err := exec.CommandContext(t.Context(), bash, "--norc", "-c", line, file).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", tc.words, err, out)
		}
		if diff := cmp.Diff(tc.want, strings.Fields(string(out)), cmp.Transformer("none", func(s []string) string { return strings.Join(s, " ") })); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tc.words, diff)
		}
	}
}

func TestScriptsOfCompletionAreAsRead(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		golden(t, "completion."+shell, script(t, shell))
	}
	if r := command(t, nil, "completion", "tcsh"); r.code != exitUsage || !strings.Contains(r.err, `must be one of "bash","zsh","fish"`) {
		t.Errorf("exit code %d, %s", r.code, r.err)
	}
}

func TestScriptsOfCompletionAreReadByTheirShell(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			program, file := shellFile(t, shell)
			if out, err := exec.CommandContext(t.Context(), program, "-n", file).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestFishCompletesCommandsAndFlags(t *testing.T) {
	fish, file := shellFile(t, "fish")
	for line, want := range map[string]string{
		"jamf-gateway st":                  "status",
		"jamf-gateway client ":             "new rotate",
		"jamf-gateway sync --w":            "--wait",
		"jamf-gateway check --lang ":       "de en",
		"jamf-gateway --lang de stat":      "status",
		"jamf-gateway report availability": "availability",
	} {
		out, err := exec.CommandContext(t.Context(), fish, "--no-config", "-c", `source $argv[1]; complete -C $argv[2]`, file, line).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		var got []string
		for l := range strings.Lines(string(out)) {
			word, _, _ := strings.Cut(strings.TrimSpace(l), "\t")
			got = append(got, word)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}
