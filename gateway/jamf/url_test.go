package jamf_test

import (
	"testing"

	"jamf-gateway/gateway/jamf"
)

func TestOnlyAnHTTPSAddressThatEndsInAPIIsAccepted(t *testing.T) {
	for raw, want := range map[string]bool{
		"https://schule.jamfcloud.com/api":            true,
		"https://SCHULE.jamfcloud.com:8443/api":       true,
		"https://jamf.intern/jss/api":                 true,
		"https://[2001:db8::1]:8443/api":              true,
		"":                                            false,
		"schule.jamfcloud.com/api":                    false,
		"https:///api":                                false,
		"https://:443/api":                            false,
		"ftp://schule.jamfcloud.com/api":              false,
		"http://schule.jamfcloud.com/api":             false,
		"http://127.0.0.1/api":                        false,
		"https://schule.jamfcloud.com":                false,
		"https://schule.jamfcloud.com/":               false,
		"https://schule.jamfcloud.com/api/":           false,
		"https://schule.jamfcloud.com/api/v1":         false,
		"https://schule.jamfcloud.com/xapi":           false,
		"https://schule.jamfcloud.com/api?x=1":        false,
		"https://schule.jamfcloud.com/api?":           false,
		"https://schule.jamfcloud.com/api#":           false,
		"https://user:CANARY@schule.jamfcloud/api":    false,
		"https://schule.jamfcloud.com/a/../api":       false,
		"https://schule.jamfcloud.com//api":           false,
		"https://schule.jamfcloud.com/%2e%2e/api":     false,
		"https://schule.jamfcloud.com:0/api":          false,
		"https://schule.jamfcloud.com:70000/api":      false,
		"https://schule.jamfcloud.com:/api":           false,
		"https:schule.jamfcloud.com/api":              false,
		"https://schule.jamfcloud.com/\x7fCANARY/api": false,
	} {
		u, err := jamf.CheckURL(raw, false)
		if want {
			if err != nil || u.String() != raw {
				t.Errorf("CheckURL(%q) = %v, %v", raw, u, err)
			}
			continue
		}
		must(t, err, jamf.ErrBadRequest, "url_invalid")
	}
}

func TestPlainHTTPNeedsThePermissionAndALoopbackLiteral(t *testing.T) {
	for raw, want := range map[string]bool{
		"http://127.0.0.1:8081/api":        true,
		"http://127.9.9.9/api":             true,
		"http://[::1]:8081/api":            true,
		"http://localhost:8081/api":        false,
		"http://127.0.0.1.example/api":     false,
		"http://[::ffff:127.0.0.1]/api":    false,
		"http://10.0.0.1/api":              false,
		"http://0.0.0.0/api":               false,
		"http://2130706433/api":            false,
		"http://127.1/api":                 false,
		"http://[::1%25lo]/api":            false,
		"https://schule.jamfcloud.com/api": true,
	} {
		if _, err := jamf.CheckURL(raw, true); (err == nil) != want {
			t.Errorf("CheckURL(%q) = %v, want accepted: %v", raw, err, want)
		}
		if _, err := jamf.CheckURL(raw, false); err == nil && raw[:5] != "https" {
			t.Errorf("CheckURL(%q) without the permission = nil", raw)
		}
	}
}

func TestEveryMistakeInAURLIsNamed(t *testing.T) {
	for raw, want := range map[string]string{
		"http://schule.jamfcloud.com/api":   "url: jamf rejects the request: the scheme must be https",
		"https://schule.jamfcloud.com/api/": "url: jamf rejects the request: the URL must end in /api, without a slash after it",
		"https://schule.jamfcloud.com":      "url: jamf rejects the request: the URL must end in /api",
		"https://u:p@schule.de/api":         "url: jamf rejects the request: a user name or password must not stand in the URL",
		"schule.jamfcloud.com":              "url: jamf rejects the request: scheme and host are needed: https://HOST/api",
	} {
		if _, err := jamf.CheckURL(raw, false); err == nil || err.Error() != want {
			t.Errorf("CheckURL(%q) = %v, want %q", raw, err, want)
		}
	}
}

func TestSpellingsOfOneHostHaveOneAuthority(t *testing.T) {
	for raw, want := range map[string]string{
		"https://Schule.JamfCloud.com/api":     "schule.jamfcloud.com:443",
		"https://schule.jamfcloud.com./api":    "schule.jamfcloud.com:443",
		"https://schule.jamfcloud.com:443/api": "schule.jamfcloud.com:443",
		"http://127.0.0.1/api":                 "127.0.0.1:80",
		"http://[::1]:8081/api":                "[::1]:8081",
	} {
		u, err := jamf.CheckURL(raw, true)
		if err != nil {
			t.Fatal(err)
		}
		if got := jamf.Authority(u); got != want {
			t.Errorf("Authority(%q) = %q, want %q", raw, got, want)
		}
	}
}

func FuzzURL(f *testing.F) {
	for _, s := range []string{"https://a.jamfcloud.com/api", "http://127.0.0.1:8081/api", "https://a/b/../api", "https://u@h/api", "http://[::1]/api"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := jamf.CheckURL(raw, true)
		if err != nil {
			return
		}
		if u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Hostname() == "" {
			t.Errorf("CheckURL(%q) let %#v through", raw, u)
		}
		again, err := jamf.CheckURL(u.String(), true)
		if err != nil || again.String() != u.String() {
			t.Errorf("CheckURL(%q) is not stable: %v, %v", raw, again, err)
		}
		if jamf.Authority(u) != jamf.Authority(again) {
			t.Errorf("authority of %q is not stable", raw)
		}
	})
}
