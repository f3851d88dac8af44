package main

import (
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jamf-gateway/test/fakejamf"
)

// hosted writes settings with the default source schule-a and with schule-b, which has the host name, and tells where they listen.
func hosted(t *testing.T, hostName, more string) (file, listen string) {
	t.Helper()
	other := httptest.NewServer(fakejamf.New(fakejamf.Options{Computers: 5, Mobiles: 3, Seed: 2, ClientID: "jamf-client", ClientSecret: "jamf-secret"}))
	t.Cleanup(other.Close)
	file, listen = filepath.Join(t.TempDir(), "gateway.yaml"), "127.0.0.1:0"
	ln, err := net.Listen("tcp", listen) // localhost reaches it, as it does not reach what unused gives
	if err != nil {
		t.Fatal(err)
	}
	listen = ln.Addr().String()
	_ = ln.Close()
	source := `url: "URL/api", client_id: jamf-client, client_secret: "env:JAMF_SECRET", allow_insecure_loopback: true`
	write(t, file, `listen: `+listen+`
admin_listen: `+unused(t)+`
sources:
  - {name: schule-a, default: true, `+strings.Replace(source, "URL", jamf(t).URL, 1)+`}
  - {name: schule-b, hosts: [`+hostName+`, second.example.com], `+strings.Replace(source, "URL", other.URL, 1)+`}
clients:
  - {id: inventory360, secrets: ["`+hashOfSecret+`"]}
`+more)
	return file, listen
}

func TestCheckPrintsTheAddressAtTheHostNameOfASource(t *testing.T) {
	env := []string{"JAMF_SECRET=jamf-secret"}
	file, _ := hosted(t, "Jamf-B.example.com", "public_url: https://gateway.example.com:8443/below\n")
	r := command(t, env, "check", "--config", file)
	for _, want := range []string{
		"URL:           https://gateway.example.com:8443/below/jamf/schule-a/api\n", "or, shorter: https://gateway.example.com:8443/below/api\n",
		"URL:           https://jamf-b.example.com:8443/api\n",
	} {
		if r.code != exitGood || strings.Count(r.out, want) != 1 {
			t.Errorf("exit code %d, not once %q in\n%s%s", r.code, want, r.out, r.err)
		}
	}
	if r := command(t, env, "check", "--config", file, "--source", "schule-b", "--json"); r.code != exitGood || !strings.Contains(r.out, `"url": "https://jamf-b.example.com:8443/api"`) || strings.Contains(r.out, "alsoUrl") {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
	both := appended(t, file, "")
	write(t, both, strings.Replace(content(t, both), "name: schule-a, default: true", "name: schule-a, default: true, hosts: [a.example.com]", 1))
	for lang, want := range map[string]string{"en": "or, by public_url: ", "de": "oder über public_url: "} {
		r := command(t, env, "check", "--config", both, "--source", "schule-a", "--lang", lang)
		if r.code != exitGood || !strings.Contains(r.out, "URL:           https://a.example.com:8443/api\n") || !strings.Contains(r.out, want+"https://gateway.example.com:8443/below/api\n") {
			t.Errorf("exit code %d, no %q in\n%s%s", r.code, want, r.out, r.err)
		}
	}
	// Without a public_url the address at the host name is whole all the same, and there is nothing to fill in.
	bare, _ := hosted(t, "jamf-b.example.com", "")
	for source, warns := range map[string]bool{"schule-a": true, "schule-b": false} {
		r := command(t, env, "check", "--config", bare, "--source", source)
		if r.code != exitGood || strings.Contains(r.out, "replace https://HOST") != warns || strings.Contains(r.out, "https://jamf-b.example.com/api") == warns {
			t.Errorf("%s: exit code %d\n%s%s", source, r.code, r.out, r.err)
		}
	}
}

// The source with a host name is visited there, the other one below public_url, and both find their own devices.
func TestCheckAsClientGoesInByTheHostNameOfASource(t *testing.T) {
	file, listen := hosted(t, "localhost", "public_url: http://LISTEN\n")
	_, port, _ := net.SplitHostPort(listen)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, strings.Replace(string(raw), "LISTEN", listen, 1))
	serving(t, file, listen, []string{"JAMF_SECRET=jamf-secret"})
	r := command(t, []string{"GATEWAY_CLIENT_SECRET=secret"}, "check", "--as-client", "--config", file)
	a, b, _ := strings.Cut(r.out, "\nschule-b\n")
	for _, tc := range [][2]string{
		{a, "http://" + listen + "/jamf/schule-a/api\n"},
		{a, " 7 mobile devices, 12 computers\n"},
		{b, "http://localhost:" + port + "/api\n"},
		{b, "localhost is "},
		{b, " 3 mobile devices, "},
	} {
		if r.code != exitGood || !strings.Contains(tc[0], tc[1]) {
			t.Errorf("exit code %d, no %q in\n%s%s", r.code, tc[1], r.out, r.err)
		}
	}
}
