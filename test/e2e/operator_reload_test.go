//go:build e2e

package e2e_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"jamf-gateway/test/fakejamf"
)

// command runs the binary against this gateway, and gives its exit code and all that it says.
func (v *victim) command(args ...string) (code int, said string) {
	v.t.Helper()
	cmd := exec.CommandContext(v.t.Context(), v.bin, append(args, "--admin", v.admin, "--admin-token-file", strings.TrimSuffix(v.settings, "gateway.yaml")+"admin.token")...)
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), string(out)
	} else if err != nil {
		v.t.Fatal(err)
	}
	return 0, string(out)
}

// says runs the binary and holds its exit code and some of its words.
func (v *victim) says(code int, words string, args ...string) {
	v.t.Helper()
	if got, said := v.command(args...); got != code || !strings.Contains(said, words) {
		v.t.Errorf("%s: exit code %d, want %d and %q:\n%s", strings.Join(args, " "), got, code, words, said)
	}
}

// TestAnOperatorReloadsARunningGatewayAndRemovesASource with the real binary on both sides of the admin door.
func TestAnOperatorReloadsARunningGatewayAndRemovesASource(t *testing.T) {
	v := newVictim(t, fakejamf.New(fakejamf.Options{Computers: 5, ClientID: "gw", ClientSecret: jamfSecret}), "    status: disabled", "") // which is ready at once
	v.start()
	raw, err := os.ReadFile(v.settings)
	if err != nil {
		t.Fatal(err)
	}
	first := string(raw)
	second := "sources:\n  - {name: b, url: 'https://b.example', client_id: c, client_secret: s, status: disabled}\n"
	write(t, v.settings, strings.Replace(first, "sources:\n", second, 1))
	v.says(0, "Sources added: b\n", "reload")
	write(t, v.settings, first+"max_page_size: many\n")
	v.says(1, v.settings+":", "reload")
	write(t, v.settings, first)
	v.says(1, "to remove it: jamf-gateway source remove b", "reload")
	v.says(2, "nothing was removed", "source", "remove", "b", "--confirm", "a")
	v.says(0, "b: removed; ", "source", "remove", "b", "--confirm", "b")
	v.says(0, "The settings are in force as their file says now.\n", "reload")
	v.ended()
}
