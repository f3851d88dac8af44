package main

import (
	"strings"
	"testing"
)

func TestCheckSaysWhichRightsAreForNamesOnly(t *testing.T) {
	file := settings(t, jamf(t), "")
	env := []string{"JAMF_SECRET=jamf-secret", "JAMF_GATEWAY_SOURCES_SCHULE_A_PROFILE=full"}
	for lang, want := range map[string]string{
		"en": "optional rights, without them ids stay without names: Read Buildings, Read Departments, Read Sites",
		"de": "freiwillige Rechte, ohne sie bleiben Ids ohne Namen: Read Buildings, Read Departments, Read Sites",
	} {
		r := command(t, env, "check", "--config", file, "--lang", lang)
		if r.code != exitGood || !strings.Contains(r.out, want) {
			t.Errorf("exit code %d, no %q in\n%s%s", r.code, want, r.out, r.err)
		}
		r = command(t, append(env, "JAMF_GATEWAY_SOURCES_SCHULE_A_NAMES=false"), "check", "--config", file, "--lang", lang)
		if r.code != exitGood || strings.Contains(r.out, "Read Sites") {
			t.Errorf("exit code %d, names are switched off:\n%s%s", r.code, r.out, r.err)
		}
	}
}
