package main

import (
	"context"
	"strings"
	"testing"

	"jamf-gateway/test/fakejamf"
)

func TestFleetOfNoneIsEmptyAndLessIsRefused(t *testing.T) {
	for _, f := range []fleetFlags{{}, {Computers: 3}, {Mobiles: 2}} {
		alive := fakejamf.New(f.options()).Ledger()
		if c, m := len(alive.Alive(fakejamf.Computer)), len(alive.Alive(fakejamf.Mobile)); c != f.Computers || m != f.Mobiles {
			t.Errorf("%d computers and %d mobile devices live, want %d and %d", c, m, f.Computers, f.Mobiles)
		}
	}
	for _, args := range [][]string{{"demo", "--computers=-1"}, {"demo", "--mobiles=-1"}, {"fakejamf", "--computers=-5"}} {
		r := command(t, nil, args...)
		if r.code != exitUsage || !strings.Contains(r.err, "--computers and --mobiles count devices: give 0 or more") {
			t.Errorf("%v ends with %d and says %q", args, r.code, r.err)
		}
	}
}

func TestFakejamfSaysWhereItIsInTheLanguageOfItsUser(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	for lang, want := range map[string]string{
		"en": "simulated Jamf Pro at http://127.0.0.1:", "de": "simuliertes Jamf Pro unter http://127.0.0.1:",
	} {
		var out, errs strings.Builder
		run(ended, []string{"fakejamf", "--listen", "127.0.0.1:0", "--computers", "1", "--mobiles", "1", "--lang", lang}, streams{out: &out, err: &errs})
		if !strings.HasPrefix(out.String(), want) {
			t.Errorf("%s: %q %q", lang, out.String(), errs.String())
		}
	}
}
