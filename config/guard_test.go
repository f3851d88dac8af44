package config_test

import (
	"strings"
	"testing"

	"jamf-gateway/config"
)

// guarded parses small settings with these guards.
func guarded(t *testing.T, guard string) (*config.Config, error) {
	t.Helper()
	text := strings.Replace(small, `"env:A"}`, `"env:A", guard: `+guard+"}", 1)
	return config.Parse([]byte(text), "gateway.yaml", t.TempDir(), env("A=geheim"))
}

func TestAGuardThatLetsMorePassIsAWarning(t *testing.T) {
	for guard, setting := range map[string]string{
		"{removed_percent: 16}": "removed_percent", "{week_percent: 30}": "week_percent", "{small_count: 4}": "small_count",
		"{hardware_percent: 49}": "hardware_percent", "{blanked_points: 90}": "blanked_points",
	} {
		c, err := guarded(t, guard)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Warnings) != 1 || c.Warnings[0].Setting != "sources.schule-a.guard."+setting || !strings.Contains(c.Warnings[0].Text, "lets more pass than usual") {
			t.Errorf("%s: %v", guard, c.Warnings)
		}
	}
	for _, strict := range []string{"{removed_percent: 1, removed_count: 0}", "{hardware_percent: 90}", "{blanked_points: 5}", "{week_percent: 25}"} {
		if c, err := guarded(t, strict); err != nil || len(c.Warnings) != 0 {
			t.Errorf("%s: %v, %v", strict, c.Warnings, err)
		}
	}
}

func TestNoGuardCanBeSwitchedOff(t *testing.T) {
	for _, guard := range []string{
		"off", "{removed_percent: 0}", "{removed_percent: 100}", "{removed_count: 100000}", "{unconfirmed_percent: 51}", "{small_count: 50}",
		"{week_percent: 100}", "{serial_percent: 100}", "{hardware_percent: 0}", "{blanked_points: 100}", "{grown_percent: off}",
	} {
		if c, err := guarded(t, guard); err == nil {
			t.Errorf("%s is accepted: %+v", guard, c.Sources[0].Guard)
		}
	}
}
