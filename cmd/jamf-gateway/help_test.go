package main

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// everyCommand lists the words of every command, also of those that only have subcommands.
func everyCommand(t *testing.T) []string {
	t.Helper()
	var c commands
	parser, err := kong.New(&c, kong.Vars{"version": version})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, p := range placesOf(parser.Model.Node, "") {
		out = append(out, p.path)
	}
	return out
}

func TestTheHelpOfEveryCommandIsAsRead(t *testing.T) {
	t.Setenv("COLUMNS", "100")
	for _, words := range everyCommand(t) {
		args := append(strings.Fields(words), "--help")
		r := command(t, nil, args...)
		if r.code != exitGood || r.err != "" {
			t.Errorf("%v: exit code %d, %s", args, r.code, r.err)
		}
		golden(t, "help/"+strings.ReplaceAll(strings.TrimSpace("jamf-gateway "+words), " ", "-")+".txt", r.out)
		if by := command(t, nil, append([]string{"help"}, strings.Fields(words)...)...); by != r {
			t.Errorf("help %s: %d, not what --help shows:\n%s%s", words, by.code, by.out, by.err)
		}
	}
}

func TestEveryWrongUseSaysWhatIsWrongAndWhereHelpIs(t *testing.T) {
	for _, tc := range []struct {
		args string
		want []string
	}{
		{"", []string{"Usage: jamf-gateway <command>", "serve", "status"}},
		{"stauts", []string{"unexpected argument stauts", "How it is used: jamf-gateway --help"}},
		{"help stauts", []string{`there is no command "stauts"`}},
		{"help client nwe now", []string{`there is no command "client nwe"`}},
		{"client", []string{`expected one of "new", "rotate"`, "How it is used: jamf-gateway client --help"}},
		{"client nwe", []string{"unexpected argument nwe", "jamf-gateway client --help"}},
		{"report", []string{`availability`, "How it is used: jamf-gateway report --help"}},
		{"serve", []string{"missing flags: --config=FILE", "How it is used: jamf-gateway serve --help"}},
		{"serve --cofnig x", []string{"unknown flag --cofnig, did you mean \"--config\"?", "jamf-gateway serve --help"}},
		{"serve --config", []string{"--config: expected string value", "jamf-gateway serve --help"}},
		{"sync", []string{`expected "<source>"`, "jamf-gateway sync --help"}},
		{"status --json --watch", []string{"can't be used together", "jamf-gateway status --help"}},
		{"status --lang fr", []string{"--lang must be one of", "jamf-gateway status --help"}},
		{"version now", []string{"unexpected argument now", "jamf-gateway version --help"}},
		{"demo --computers many", []string{"--computers", "jamf-gateway demo --help"}},
		{"--lang de stauts", []string{"unexpected argument stauts", "Verwendung: jamf-gateway --help"}},
	} {
		r := command(t, nil, strings.Fields(tc.args)...)
		if r.code != exitUsage || r.out != "" {
			t.Errorf("%q: exit code %d, want %d, and nothing on standard output:\n%s", tc.args, r.code, exitUsage, r.out)
		}
		for _, want := range tc.want {
			if !strings.Contains(r.err, want) {
				t.Errorf("%q: no %q in\n%s", tc.args, want, r.err)
			}
		}
	}
}

func TestTheVersionIsToldByFlagAndCommand(t *testing.T) {
	for _, arg := range []string{"version", "--version"} {
		if r := command(t, nil, arg); r != (result{exitGood, "jamf-gateway " + version + "\n", ""}) {
			t.Errorf("%s: %+v", arg, r)
		}
	}
}
