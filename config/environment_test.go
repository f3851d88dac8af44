package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/config"
)

func TestTheEnvironmentWinsAlsoWhenItSaysTheDefault(t *testing.T) {
	text := small + "max_page_size: 500\nmax_stale: 9d\nlisten: 127.0.0.1:1\ninsecure_http: true\n"
	c := parse(t, text, "JAMF_GATEWAY_MAX_PAGE_SIZE=10000", "JAMF_GATEWAY_MAX_STALE=30d", "JAMF_GATEWAY_LISTEN=127.0.0.1:8080", "JAMF_GATEWAY_INSECURE_HTTP=false")
	if c.MaxPageSize != 10_000 || c.MaxStale != 30*24*time.Hour || c.Listen != "127.0.0.1:8080" || c.InsecureHTTP {
		t.Errorf("the file won over the environment: %+v", c)
	}
}

func TestEveryLevelIsReachedByTheEnvironment(t *testing.T) {
	c := parse(t, small+"profiles: {my-own: {fields: [os]}}\n",
		"JAMF_GATEWAY_CACHE_MAX_BYTES=64MiB",
		"JAMF_GATEWAY_TELEMETRY_LOG_LEVEL=warn",
		"JAMF_GATEWAY_SOURCES_SCHULE_A_URL=https://other.jamfcloud.com/api",
		"JAMF_GATEWAY_SOURCES_SCHULE_A_CLIENT_SECRET=direct",
		"JAMF_GATEWAY_SOURCES_SCHULE_A_SYNC_AT=23:59",
		"JAMF_GATEWAY_SOURCES_SCHULE_A_LIMITS_CONNECTIONS=1",
		"JAMF_GATEWAY_SOURCES_SCHULE_A_KINDS=mobile, computer",
		"JAMF_GATEWAY_CLIENTS_INVENTORY360_SOURCES=schule-a",
		"JAMF_GATEWAY_CLIENTS_INVENTORY360_SECRETS=sha256:"+strings.Repeat("cd", 32)+",sha256:"+hash,
		"JAMF_GATEWAY_PROFILES_MY_OWN_EXTENDS=full",
		"JAMF_GATEWAY_ADMIN_LISTEN=off",
	)
	s, cl := c.Sources[0], c.Clients[0]
	got := []any{
		c.Cache.MaxBytes, c.Telemetry.LogLevel, c.AdminListen, s.URL, s.ClientSecret.Reveal(), s.Sync.At, s.Limits.Connections, s.Kinds,
		cl.Sources, len(cl.Secrets), c.Profiles["my-own"].Extends, len(c.Warnings),
	}
	want := []any{
		int64(64 << 20), "warn", "", "https://other.jamfcloud.com/api", "direct", "23:59", 1,
		[]string{"computer", "mobile"},
		[]string{"schule-a"},
		2, "full", 0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestProblemsOfTheEnvironmentNameTheVariable(t *testing.T) {
	for variable, want := range map[string]string{
		"JAMF_GATEWAY_LISTN=127.0.0.1:1":                  "JAMF_GATEWAY_LISTN: no setting has this variable; did you mean JAMF_GATEWAY_LISTEN?",
		"JAMF_GATEWAY_SOURCES_OTHER_URL=x":                "JAMF_GATEWAY_SOURCES_OTHER_URL: no setting has this variable",
		"JAMF_GATEWAY_MAX_PAGE_SIZE=many":                 `JAMF_GATEWAY_MAX_PAGE_SIZE: max_page_size: must be a whole number from 100 to 100000, not "many"`,
		"JAMF_GATEWAY_MAX_STALE=":                         `JAMF_GATEWAY_MAX_STALE: max_stale: must be a time from 1h to 3650d like 15m, 24h or 30d, not ""`,
		"JAMF_GATEWAY_SOURCES_SCHULE_A_CLIENT_ID=":        "JAMF_GATEWAY_SOURCES_SCHULE_A_CLIENT_ID: sources.schule-a.client_id: is missing",
		"JAMF_GATEWAY_CLIENTS_INVENTORY360_SECRETS=":      "JAMF_GATEWAY_CLIENTS_INVENTORY360_SECRETS: clients.inventory360.secrets: at least one secret is needed: sha256: and 64 hex digits",
		"JAMF_GATEWAY_SOURCES_SCHULE_A_SYNC_INTERVAL=40h": "",
	} {
		if want == "" {
			parse(t, small, variable)
			continue
		}
		if got := refused(t, small, variable); got != want {
			t.Errorf("%s:\n got %s\nwant %s", variable, got, want)
		}
	}
}

func TestAVariableThatMeansTwoSettingsIsRefused(t *testing.T) {
	text := small + "  - {id: inventory.360, secrets: [\"sha256:" + hash + "\"]}\n  - {id: inventory-360, secrets: [\"sha256:" + hash + "\"]}\n"
	parse(t, text)
	got := refused(t, text, "JAMF_GATEWAY_CLIENTS_INVENTORY_360_PROFILE=full")
	want := "JAMF_GATEWAY_CLIENTS_INVENTORY_360_PROFILE: clients.inventory-360.profile: the variable means clients.inventory.360.profile as well; rename one of the two"
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestVariablesOfOthersAreLeftAlone(t *testing.T) {
	parse(
		t, strings.Replace(small, "env:A", "env:JAMF_GATEWAY_SECRET_OF_A", 1),
		"JAMF_GATEWAY_SECRET_OF_A=x", // a secret refers to it
		"JAMF_GATEWAY_ADMIN_TOKEN=x", // commands take it
		// Kubernetes sets these for a Service named jamf-gateway.
		"JAMF_GATEWAY_PORT=tcp://10.0.0.1:8443", "JAMF_GATEWAY_PORT_8443_TCP_ADDR=10.0.0.1", "JAMF_GATEWAY_SERVICE_HOST=10.0.0.1", "JAMF_GATEWAY_SERVICE_PORT_HTTPS=8443",
	)
}

func TestVariableNames(t *testing.T) {
	for setting, want := range map[string]string{
		"listen":                         "JAMF_GATEWAY_LISTEN",
		"sources.schule-a.client_secret": "JAMF_GATEWAY_SOURCES_SCHULE_A_CLIENT_SECRET",
		"clients.Inv.360.profile":        "JAMF_GATEWAY_CLIENTS_INV_360_PROFILE",
	} {
		if got := config.VariableName(setting); got != want {
			t.Errorf("%s: %s, want %s", setting, got, want)
		}
	}
}
