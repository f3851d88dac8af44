package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/config"
)

func TestHostNamesAreKeptAsTheyAreCompared(t *testing.T) {
	text := `
public_url: https://gateway.example.com:8443
sources:
  - {name: a, url: https://a.jamfcloud.com/api, client_id: cid, client_secret: env:A, hosts: [Jamf-A.Example.COM., xn--schler-4ya.example.com]}
  - {name: b, url: https://b.jamfcloud.com/api, client_id: cid, client_secret: env:A}
clients:
  - {id: inventory360, secrets: [sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b]}
`
	c, err := config.Parse([]byte(text), "gateway.yaml", t.TempDir(), []string{"A=a-long-secret", "JAMF_GATEWAY_SOURCES_B_HOSTS=jamf-b.example.com, B2.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"jamf-a.example.com", "xn--schler-4ya.example.com"}, {"jamf-b.example.com", "b2.example.com"}}
	if diff := cmp.Diff(want, [][]string{c.Sources[0].Hosts, c.Sources[1].Hosts}); diff != "" {
		t.Error(diff)
	}
	if got := config.PublicHost(c); got != "gateway.example.com" {
		t.Errorf("host of public_url %q", got)
	}
}
