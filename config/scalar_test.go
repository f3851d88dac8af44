package config_test

import (
	"testing"
	"time"

	"jamf-gateway/config"
)

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"15m": 15 * time.Minute, "24h": 24 * time.Hour, "30d": 720 * time.Hour, "1d12h": 36 * time.Hour, "90s": 90 * time.Second,
		"1h30m": 90 * time.Minute, "36500d": 36500 * 24 * time.Hour,
	} {
		got, ok := config.ParseDuration(text)
		if !ok || got != want {
			t.Errorf("%q = %v, %v; want %v", text, got, ok, want)
		}
		again, ok := config.ParseDuration(config.ShowDuration(got))
		if !ok || again != got {
			t.Errorf("%v is shown as %q, which reads as %v", got, config.ShowDuration(got), again)
		}
	}
	for _, text := range []string{"", "15", "m", "15 m", "-1h", "1.5h", "1m1h", "1h1h", "1w", "9999999s", "36501d", "1h ", "١h"} {
		if got, ok := config.ParseDuration(text); ok {
			t.Errorf("%q is accepted as %v", text, got)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{"1B": 1, "1KiB": 1024, "256MiB": 256 << 20, "2GiB": 2 << 30, "1TiB": 1 << 40} {
		got, ok := config.ParseSize(text)
		if !ok || got != want {
			t.Errorf("%q = %d, %v; want %d", text, got, ok, want)
		}
		if shown := config.ShowSize(got); shown != text {
			t.Errorf("%d is shown as %q, want %q", got, shown, text)
		}
	}
	for _, text := range []string{"", "256", "MiB", "-1MiB", "1.5GiB", "1 MiB", "256MB", "256mib", "+1MiB", "9223372036854775807TiB", "99999999999999999999B"} {
		if got, ok := config.ParseSize(text); ok {
			t.Errorf("%q is accepted as %d", text, got)
		}
	}
}

func TestAddressesOfJamfAreTakenOrCorrected(t *testing.T) {
	const no = "must be the address of a Jamf Pro instance, like https://NAME.jamfcloud.com/api"
	for text, want := range map[string]struct{ address, problem string }{
		"https://a.jamfcloud.com/api":             {address: "https://a.jamfcloud.com/api"},
		"https://A.JamfCloud.com:443/api":         {address: "https://a.jamfcloud.com/api"},
		"https://jamf.example.com:8443/jamf/api":  {address: "https://jamf.example.com:8443/jamf/api"},
		"https://[2001:DB8::1]/api":               {address: "https://[2001:db8::1]/api"},
		"https://192.0.2.7/api":                   {address: "https://192.0.2.7/api"},
		"https://a.jamfcloud.com":                 {problem: `must be written "https://a.jamfcloud.com/api"`},
		"https://a.jamfcloud.com/":                {problem: `must be written "https://a.jamfcloud.com/api"`},
		"https://a.jamfcloud.com/api/":            {problem: `must be written "https://a.jamfcloud.com/api"`},
		"https://a.jamfcloud.com/api/v1/auth":     {problem: `must be written "https://a.jamfcloud.com/api"`},
		"https://a.jamfcloud.com/api?x=1":         {problem: `must be written "https://a.jamfcloud.com/api"`},
		"https://a.jamfcloud.com/api#x":           {problem: `must be written "https://a.jamfcloud.com/api"`},
		"https://a.jamfcloud.com//api":            {problem: `must be written "https://a.jamfcloud.com/api"`},
		"https://a.jamfcloud.com/index.html?x=y":  {problem: `must be written "https://a.jamfcloud.com/api"`},
		"https://a.jamfcloud.com/JSSResource":     {problem: `must be written "https://a.jamfcloud.com/api"`},
		"https://jamf.example.com:8443/jamf":      {problem: `must be written "https://jamf.example.com:8443/jamf/api"`},
		"a.jamfcloud.com":                         {problem: `must be written "https://a.jamfcloud.com/api"`},
		"a.jamfcloud.com/api":                     {problem: `must be written "https://a.jamfcloud.com/api"`},
		" https://a.jamfcloud.com/api":            {problem: `must be written "https://a.jamfcloud.com/api"`},
		"http://a.jamfcloud.com/api":              {problem: `must be written "https://a.jamfcloud.com/api"`},
		"http://localhost:8081/api":               {problem: `must be written "https://localhost:8081/api"`},
		"https://user:geheim@a.jamfcloud.com/api": {problem: `must be written "https://a.jamfcloud.com/api"; credentials belong in client_id and client_secret`},
		"http://127.0.0.1:8081/api":               {problem: "http is possible to a loopback address only, and with allow_insecure_loopback: true"},
		"ftp://a.jamfcloud.com/api":               {problem: no},
		"https://":                                {problem: no},
		"https:///api":                            {problem: no},
		"https://a b.com/api":                     {problem: no},
		"https://schule-münchen.de/api":           {problem: no},
		"https://a.jamfcloud.com:99999/api":       {problem: no},
		"https://a.jamfcloud.com:0/api":           {problem: no},
		"https://a.jamfcloud.com/%2e%2e/api":      {problem: no},
		"https://a.jamfcloud.com/a%20b/api":       {problem: no},
		"https://[fe80::1%25eth0]/api":            {problem: no},
		"https://-a.jamfcloud.com/api":            {problem: no},
		"https:a.jamfcloud.com/api":               {problem: no},
	} {
		address, problem := config.CheckURL(text, false)
		if address != want.address || problem != want.problem {
			t.Errorf("%s:\n got %q, %q\nwant %q, %q", text, address, problem, want.address, want.problem)
		}
	}
}

func TestHTTPIsForLoopbackLiteralsThatAreAllowed(t *testing.T) {
	for text, want := range map[string]string{
		"http://127.0.0.1:8081/api": "http://127.0.0.1:8081/api",
		"http://127.0.0.1:80/api":   "http://127.0.0.1/api",
		"http://[::1]:8081/api":     "http://[::1]:8081/api",
	} {
		if got, problem := config.CheckURL(text, true); got != want || problem != "" {
			t.Errorf("%s: %q, %q; want %q", text, got, problem, want)
		}
	}
	for _, text := range []string{"http://localhost:8081/api", "http://192.0.2.1/api", "http://127.0.0.1.example.com/api", "http://a.jamfcloud.com/api"} {
		if got, problem := config.CheckURL(text, true); got != "" || problem == "" {
			t.Errorf("%s is accepted as %q", text, got)
		}
	}
}
