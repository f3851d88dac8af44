package main

import (
	"encoding/json"
	"strings"
	"testing"

	"jamf-gateway/gateway/catalogue"
)

func TestStatusShowsWhenEachSecretWasLastUsed(t *testing.T) {
	var seen usageSeen
	if err := json.Unmarshal([]byte(`{"clients":[{"client":"i360","secrets":[{"name":"autumn","lastTokenAt":"2026-11-27T12:00:00.000Z","lastRequestAt":null}]},{"client":"idle","secrets":[]}]}`), &seen); err != nil {
		t.Fatal(err)
	}
	for lang, head := range map[catalogue.Language]string{catalogue.EN: "Last token", catalogue.DE: "Letztes Token"} {
		lines := strings.Split(strings.TrimSpace(usesTable(streams{lang: lang}, seen.Clients)), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], head) || !strings.HasPrefix(lines[1], "i360") || !strings.Contains(lines[1], "autumn") || !strings.Contains(lines[1], "2026-11-27") || !strings.HasSuffix(lines[1], "-") {
			t.Errorf("%s: %q", lang, lines)
		}
	}
	if got := usesTable(streams{}, seen.Clients[1:]); got != "" {
		t.Errorf("of nobody: %q", got)
	}
}
