//go:build e2e

package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// example is a shell block of a document and the answers that the document shows for it.
type example struct{ script, shown string }

// examples reads the blocks marked sh, each with the block of another language right behind it.
func examples(t *testing.T, path string) []example {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []example
	parts := strings.Split("\n"+string(raw), "\n```")
	for i := 1; i < len(parts); i += 2 { // inside a block; the part after it is text
		language, body, _ := strings.Cut(parts[i], "\n")
		behind := i > 1 && strings.TrimSpace(parts[i-1]) == ""
		switch {
		case language == "sh":
			out = append(out, example{script: body})
		case behind && len(out) > 0:
			out[len(out)-1].shown = body
		}
	}
	return out
}

// absent names the first part of what is shown that does not stand in the output, in this order; "" when all do. In
// what is shown, "..." stands for anything, and lines may be broken wherever that helps to read.
func absent(shown, output string) string {
	output = strings.ReplaceAll(output, "\n", "")
	for part := range strings.SplitSeq(strings.ReplaceAll(strings.ReplaceAll(shown, "\r", ""), "\n", "\n..."), "...") {
		if part = strings.Trim(part, "\n"); part == "" {
			continue
		}
		_, rest, found := strings.Cut(output, part)
		if !found {
			return part
		}
		output = rest
	}
	return ""
}

func TestEveryExampleOfTheAPIDocumentWorks(t *testing.T) {
	for _, needed := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Fatalf("docs/api.md is made of lines for bash and curl: %v", err)
		}
	}
	all := examples(t, "../../docs/api.md")
	if len(all) < 15 {
		t.Fatalf("only %d examples were found: this test proves nothing", len(all))
	}
	d := startDemo(t, program(t), nil)
	script := "set -euo pipefail\nADMIN_TOKEN_FILE=" + filepath.Join(d.data, "admin.token") + "\n"
	for i, e := range all {
		script += fmt.Sprintf("%s\nprintf '\\n--- %d\\n'\n", e.script, i)
	}
	for documented, address := range map[string]string{"http://127.0.0.1:8080": d.base, "http://127.0.0.1:9480": d.admin} {
		script = strings.ReplaceAll(script, documented, address)
	}
	out, err := exec.CommandContext(t.Context(), "bash", "-c", script).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, tail(string(out), 2000))
	}
	rest := string(out)
	for i, e := range all {
		var output string
		output, rest, _ = strings.Cut(rest, fmt.Sprintf("\n--- %d\n", i))
		if part := absent(e.shown, output); part != "" {
			t.Errorf("docs/api.md shows %q, which is not what comes of\n%s\n%.1500s", part, e.script, output)
		}
	}
	d.end(t)
}

func TestAnExampleThatShowsAnotherAnswerIsNoticed(t *testing.T) {
	const output = "{\"a\":1,\"b\":\"x\",\"c\":[1,2]}\n200\n"
	for shown, missing := range map[string]string{
		"{\"a\":1,...,\"c\":[...]}\n200": "", "{\"a\":1,\n\"b\":...\n200\n": "", "": "",
		"\"a\":2": "\"a\":2", "\"c\":[...\"b\":": "\"b\":", "200\n{\"a\"": "{\"a\"",
	} {
		if got := absent(shown, output); got != missing {
			t.Errorf("%q: %q is said to be missing, want %q", shown, got, missing)
		}
	}
}
