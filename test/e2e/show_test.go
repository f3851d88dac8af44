//go:build e2e

package e2e_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"jamf-gateway/test/fakejamf"
)

// TestAnOperatorLooksAtOneDevice with the real binary on both sides of the admin door: what is stored, what each client sees in both shapes and
// why one does not see it, nothing that a terminal obeys, and a line in the audit for it.
func TestAnOperatorLooksAtOneDevice(t *testing.T) {
	jamf := fakejamf.New(fakejamf.Options{Computers: 5, ClientID: "gw", ClientSecret: jamfSecret})
	jamf.Rename(fakejamf.Computer, 1, "pad\x1b[2J\u202e1")
	jamf.Reserial(fakejamf.Computer, 1, "SHOWN0001")
	v := newVictim(t, jamf, "    profile: with-user", "")
	raw, err := os.ReadFile(v.settings)
	if err != nil {
		t.Fatal(err)
	}
	write(t, v.settings, string(raw)+"    profile: minimal\n  - id: macs\n    secrets: [\"sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\"]\n    view: {prefixes: [\"mac-\"]}\n")
	v.start()
	v.synced(kindState{})
	code, said := v.command("show", "--serial", "shown0001")
	for _, words := range []string{
		"a:computer:1: as of", "profile with-user of the source", "macs does not see it: its filter prefixes names other names", `"SHOWN0001"`, "=\n", "Normalized:\n",
		`"pad\u001b[2J\u202e1"`, "userAndLocation.username",
	} {
		if !strings.Contains(said, words) {
			t.Errorf("%q is not said", words)
		}
	}
	if code != 0 || strings.ContainsAny(said, "\x1b\u202e") {
		t.Errorf("exit code %d:\n%q", code, said)
	}
	// What the client may not see stands in no column of its own.
	var record struct {
		UserAndLocation struct{ Username string }
	}
	if err := json.Unmarshal(jamf.Record(fakejamf.Computer, 1), &record); err != nil || record.UserAndLocation.Username == "" {
		t.Fatalf("%v, %+v", err, record)
	}
	name := record.UserAndLocation.Username
	if got := strings.Count(said, `"`+name+`"`); got != 1 {
		t.Errorf("the name of the user stands there %d times, stored alone is 1", got)
	}
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "userAndLocation.username ") && !strings.HasSuffix(line, " -\n") {
			t.Errorf("the client sees it: %s", line)
		}
	}
	if _, said := v.command("show", "--uid", "a:computer:1", "--client", "i360", "--shape", "normalized"); strings.Contains(said, name) || !strings.Contains(said, "SHOWN0001") {
		t.Errorf("of the normalized device alone:\n%s", said)
	}
	v.says(1, "[unknown_device]", "show", "--serial", "NOBODY")
	v.ended()
	out, err := exec.CommandContext(t.Context(), v.bin, "audit", "--config", v.settings, "--json").Output()
	if err != nil || !strings.Contains(string(out), `"admin.show"`) || !strings.Contains(string(out), `"a:computer:1"`) || strings.Contains(strings.ToUpper(string(out)), "SHOWN0001") {
		t.Errorf("the audit: %v\n%s", err, out)
	}
}
