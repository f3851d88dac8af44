package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"jamf-gateway/config"
)

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "bad", "*.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, filepath.Join("..", "gateway.example.yaml")) {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, "JAMF_GATEWAY_MAX_STALE=9d")
	}
	f.Add([]byte(small), "JAMF_GATEWAY_SOURCES_SCHULE_A_SYNC_AT=23:59")
	f.Fuzz(func(t *testing.T, data []byte, variable string) {
		const secret = "a-secret-that-nobody-guesses-0815"
		c, err := config.Parse(data, "gateway.yaml", t.TempDir(), []string{"A=" + secret, variable})
		if err != nil {
			invalid, ok := errors.AsType[*config.InvalidError](err)
			if !ok || len(invalid.Problems) == 0 {
				t.Fatalf("error %v, want problems", err)
			}
			if !strings.Contains(string(data)+variable, secret) && strings.Contains(err.Error(), secret) {
				t.Fatalf("the message holds a secret: %v", err)
			}
			return
		}
		if len(c.Sources) == 0 || len(c.Clients) == 0 {
			t.Fatal("accepted without a source or a client")
		}
		for _, s := range c.Sources {
			if s.Name == "" || s.ClientSecret.Reveal() == "" || len(s.Kinds) == 0 || s.Profile == "" || !strings.HasSuffix(s.URL, "/api") {
				t.Fatalf("accepted half a source: %+v", s)
			}
			if again, problem := config.CompleteURL(s.URL, s.AllowInsecureLoopback); again != s.URL || problem != "" {
				t.Fatalf("%s is accepted but not as it is: %q, %q", s.URL, again, problem)
			}
		}
		for _, cl := range c.Clients {
			if cl.ID == "" || len(cl.Secrets) == 0 || (cl.Sources != nil && len(cl.Sources) == 0) {
				t.Fatalf("accepted half a client: %+v", cl)
			}
		}
	})
}

// What is accepted is accepted again as it is, and what the message says to write is accepted.
func FuzzCompleteURL(f *testing.F) {
	for _, text := range []string{
		"https://a.jamfcloud.com/api", "a.jamfcloud.com", "https://u:p@A.jamfcloud.com:443/jamf/index.html?x#y", "http://127.0.0.1:80/api",
		"http://[::1]:8081", "https://[2001:DB8::1]:8443//api/", "https://a b", "https://a/%2e%2e/api", "//a/api",
	} {
		f.Add(text, true)
		f.Add(text, false)
	}
	f.Fuzz(func(t *testing.T, text string, loopback bool) {
		address, problem := config.CompleteURL(text, loopback)
		if (address == "") == (problem == "") {
			t.Fatalf("%q: address %q and problem %q", text, address, problem)
		}
		if quoted, ok := strings.CutPrefix(problem, "must be written "); ok {
			quoted, _, _ = strings.Cut(quoted, ";")
			var err error
			if address, err = strconv.Unquote(quoted); err != nil {
				t.Fatal(err)
			}
		}
		if address == "" {
			return
		}
		if again, problem := config.CompleteURL(address, loopback); again != address || problem != "" {
			t.Fatalf("%q leads to %q, which is %q, %q", text, address, again, problem)
		}
	})
}
