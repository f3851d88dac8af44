package main

import (
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
