package gateway_test

import (
	"testing"

	"jamf-gateway/config"
	"jamf-gateway/gateway"
)

func TestTheAddressOfASourceIsAtItsHostNameWhereItHasOne(t *testing.T) {
	t.Parallel()
	hosts := []string{"jamf-a.example.com", "other.example.com"}
	for _, tc := range []struct {
		public, want string
		hosts        []string
	}{
		{"", "https://jamf-a.example.com/api", hosts},
		{"https://gateway.example.com", "https://jamf-a.example.com/api", hosts},
		{"http://gateway.example.com:8080/below", "http://jamf-a.example.com:8080/api", hosts},
		{"https://gateway.example.com/below", "https://gateway.example.com/below/jamf/a/api", nil},
	} {
		c := &config.Config{PublicURL: tc.public, Clients: []config.Client{{ID: "inventory360"}}}
		if p := gateway.Pastes(c, config.Source{Name: "a", Hosts: tc.hosts}); len(p) != 1 || p[0].URL != tc.want {
			t.Errorf("public_url %q: %+v, want %s", tc.public, p, tc.want)
		}
	}
}
