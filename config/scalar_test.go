package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

func TestPastedAddressesOfJamfAreCompleted(t *testing.T) {
	const jamf, no = "https://schule.jamfcloud.com/api", "must be the address of a Jamf Pro instance, like https://NAME.jamfcloud.com/api"
	for text, want := range map[string]struct{ address, problem string }{
		"https://schule.jamfcloud.com/api":                           {address: jamf},
		"https://Schule.JamfCloud.com:443/api":                       {address: jamf},
		"https://schule.jamfcloud.com":                               {address: jamf},
		"https://schule.jamfcloud.com/":                              {address: jamf},
		"https://schule.jamfcloud.com/api/":                          {address: jamf},
		"https://schule.jamfcloud.com/api/doc":                       {address: jamf},
		"https://schule.jamfcloud.com/api/v1/auth":                   {address: jamf},
		"https://schule.jamfcloud.com/api?x=1":                       {address: jamf},
		"https://schule.jamfcloud.com/api#x":                         {address: jamf},
		"https://schule.jamfcloud.com//api":                          {address: jamf},
		"https://schule.jamfcloud.com/index.html?x=y":                {address: jamf},
		"https://schule.jamfcloud.com/computers.html?id=1&o=r":       {address: jamf},
		"https://schule.jamfcloud.com/view/settings/system-settings": {address: jamf},
		"https://schule.jamfcloud.com/some/new/page%20of%20Jamf":     {address: jamf},
		"https://schule.jamfcloud.com/JSSResource":                   {address: jamf},
		"schule.jamfcloud.com":                                       {address: jamf},
		"SCHULE.jamfcloud.com:443/":                                  {address: jamf},
		"schule.jamfcloud.com/api":                                   {address: jamf},
		" https://schule.jamfcloud.com/api\n":                        {address: jamf},
		"http://schule.jamfcloud.com/api":                            {address: jamf},
		"http://schule.jamfcloud.com:80":                             {address: jamf},
		"https://jamf.example.com:8443/jamf/api":                     {address: "https://jamf.example.com:8443/jamf/api"},
		"https://jamf.example.com:8443/jamf":                         {address: "https://jamf.example.com:8443/jamf/api"},
		"jamf.example.com:8443":                                      {address: "https://jamf.example.com:8443/api"},
		"https://jamf.example.com/jamf/mobileDevices.html?id=7":      {address: "https://jamf.example.com/jamf/api"},
		"https://jamf.example.com/view/computers/12":                 {address: "https://jamf.example.com/api"},
		"https://jamf.example.com/legacy/computers.html":             {address: "https://jamf.example.com/api"},
		"https://[2001:DB8::1]/api":                                  {address: "https://[2001:db8::1]/api"},
		"https://192.0.2.7/api":                                      {address: "https://192.0.2.7/api"},
		"http://localhost/api":                                       {address: "https://localhost/api"},
		"http://jamf.example.com:8080/api":                           {problem: "must begin with https://: the port of a plain http address is seldom the one of https"},
		"https://user:geheim@schule.jamfcloud.com/api":               {problem: `must be written "` + jamf + `"; credentials belong in client_id and client_secret`},
		"http://127.0.0.1:8081/api":                                  {problem: "http is possible to a loopback address only, and with allow_insecure_loopback: true"},
		"ftp://schule.jamfcloud.com/api":                             {problem: no},
		"":                                                           {problem: no},
		"https://":                                                   {problem: no},
		"https:///api":                                               {problem: no},
		"https://a b.com/api":                                        {problem: no},
		"https://schule-münchen.de/api":                              {problem: no},
		"https://schule.jamfcloud.com:99999/api":                     {problem: no},
		"https://schule.jamfcloud.com:0/api":                         {problem: no},
		"https://jamf.example.com/%2e%2e/api":                        {problem: no},
		"https://jamf.example.com/a%20b/api":                         {problem: no},
		"https://[fe80::1%25eth0]/api":                               {problem: no},
		"https://-a.jamfcloud.com/api":                               {problem: no},
		"https:schule.jamfcloud.com/api":                             {problem: no},
	} {
		address, problem := config.CompleteURL(text, false)
		if address != want.address || problem != want.problem {
			t.Errorf("%q:\n got %q, %q\nwant %q, %q", text, address, problem, want.address, want.problem)
		}
	}
}

func TestPastedAddressesOfTheGatewayAreCompleted(t *testing.T) {
	for text, want := range map[string]string{
		"https://gateway.example.com": "https://gateway.example.com", "https://gateway.example.com/": "https://gateway.example.com",
		"gateway.example.com": "https://gateway.example.com", "https://gateway.example.com/api": "https://gateway.example.com",
		"https://gateway.example.com/jamf/schule-a/api/": "https://gateway.example.com", "http://10.0.0.7:8080": "http://10.0.0.7:8080",
		"https://example.com/mdm/jamf/schule-a": "https://example.com/mdm", "https://u:p@gateway.example.com": "", "https://": "",
		"https://gateway.example.com?x=1": "", "ftp://gateway.example.com": "", "https://gateway.example.com:": "",
	} {
		if got, ok := config.CompletePublicURL(text); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v; want %q", text, got, ok, want)
		}
	}
}

func TestACompletedAddressIsSaid(t *testing.T) {
	text := strings.Replace(small, "https://a.jamfcloud.com/api", "Schule.jamfcloud.com/computers.html?id=1&o=r", 1) + "public_url: gateway.example.com\n"
	c := parse(t, text)
	if c.Sources[0].URL != "https://schule.jamfcloud.com/api" || c.PublicURL != "https://gateway.example.com" {
		t.Errorf("%q, %q", c.Sources[0].URL, c.PublicURL)
	}
	var en, de []string
	for _, w := range c.Warnings {
		en, de = append(en, w.String()), append(de, w.German())
	}
	if diff := cmp.Diff([]string{
		`gateway.yaml:3: sources.schule-a.url: was completed to "https://schule.jamfcloud.com/api"; write it like this`,
		`gateway.yaml:6: public_url: was completed to "https://gateway.example.com"; write it like this`,
	}, en); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		`gateway.yaml:3: sources.schule-a.url: wurde zu "https://schule.jamfcloud.com/api" vervollständigt; schreiben Sie es so`,
		`gateway.yaml:6: public_url: wurde zu "https://gateway.example.com" vervollständigt; schreiben Sie es so`,
	}, de); diff != "" {
		t.Error(diff)
	}
}

func TestHTTPIsForLoopbackLiteralsThatAreAllowed(t *testing.T) {
	for text, want := range map[string]string{
		"http://127.0.0.1:8081/api": "http://127.0.0.1:8081/api",
		"http://127.0.0.1:80/api":   "http://127.0.0.1/api",
		"http://[::1]:8081/api":     "http://[::1]:8081/api",
	} {
		if got, problem := config.CompleteURL(text, true); got != want || problem != "" {
			t.Errorf("%s: %q, %q; want %q", text, got, problem, want)
		}
	}
	for _, text := range []string{"http://localhost:8081/api", "http://192.0.2.1:8081/api", "http://127.0.0.1.example.com:8081/api"} {
		if got, problem := config.CompleteURL(text, true); got != "" || problem == "" {
			t.Errorf("%s is accepted as %q", text, got)
		}
	}
}
