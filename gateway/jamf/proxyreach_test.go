package jamf_test

import (
	"context"
	"net"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/gateway/jamf"
)

// The networks of a source are held for the address that is dialed. Behind a proxy nobody could: it is refused, not given up in silence.
func TestNetworksAreNotGivenUpToAProxy(t *testing.T) {
	const proxy = "http://gate:" + proxyCanary + "@127.0.0.1:3128"
	for _, tc := range []struct {
		url, setting, environment string
		networks                  []string
		refused                   bool
	}{
		{"https://jamf.school.example/api", proxy, "", []string{"10.20.0.0/16"}, true},
		{"https://jamf.school.example/api", "socks5://127.0.0.1:1080", "", []string{"public"}, true},
		{"https://jamf.school.example/api", "", proxy, []string{"public", "private"}, true},
		{"https://jamf.school.example/api", "", proxy, nil, false},
		{"https://jamf.school.example/api", jamf.ProxyOff, proxy, []string{"public"}, false},
		{"https://jamf.school.example/api", "", "", []string{"public"}, false},
		{"https://10.20.1.2/api", proxy, "", []string{"10.20.0.0/16"}, false}, // is what the proxy is told to dial
		{"https://10.21.1.2/api", proxy, "", []string{"10.20.0.0/16"}, true},
		{"https://169.254.169.254/api", proxy, "", nil, true},
		{"https://169.254.169.254./api", proxy, "", nil, true},
		{"https://[::ffff:169.254.169.254]/api", proxy, "", nil, true},
	} {
		t.Setenv("HTTPS_PROXY", tc.environment)
		src, err := jamf.NewSource(jamf.NewHost("h", fast, jamf.Telemetry{}), jamf.SourceOptions{
			Name: "a", URL: tc.url, ClientSecret: func() string { return "" }, Proxy: tc.setting, Networks: tc.networks,
		})
		if err == nil {
			src.Close()
		}
		if (err != nil) != tc.refused {
			t.Errorf("%s with networks %q, proxy %q and %q of the environment: %v", tc.url, tc.networks, tc.setting, tc.environment, err)
		}
		if err != nil && strings.Contains(err.Error(), "CANARY") {
			t.Errorf("the password is shown: %v", err)
		}
	}
}

// The proxy itself is judged when it is dialed, whatever its name was before.
func TestAProxyIsNotDialedAtAnAddressThatNoProxyHas(t *testing.T) {
	srv, visits, roots := secure(t)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		proxy    string
		resolver *net.Resolver
	}{
		"a literal":              {"http://169.254.169.254:" + u.Port(), nil},
		"a name":                 {"http://proxy.school.example:" + u.Port(), nameserver(t, "169.254.169.254")},
		"a name, TLS to it":      {"https://proxy.school.example:" + u.Port(), nameserver(t, "0.0.0.0")},
		"a name, by SOCKS":       {"socks5://proxy.school.example:" + u.Port(), nameserver(t, "169.254.170.2")},
		"one that changed since": {"http://proxy.school.example:" + u.Port(), nameserver(t, "127.0.0.1", "0.0.0.0")},
	} {
		src, err := jamf.NewSource(jamf.NewHost("example.com", jamf.Limits{Connections: 2, RequestsPerSecond: 50}, jamf.Telemetry{}), jamf.SourceOptions{
			Name: "a", URL: "https://example.com/api", ClientID: "c", ClientSecret: func() string { return "s" }, Proxy: tc.proxy, RootCAs: roots, Resolver: tc.resolver,
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		t.Cleanup(src.Close)
		report := src.Test(t.Context(), []string{jamf.ReadComputers})
		if step := report.Steps[2]; step.Name != "tcp" || step.Code != "address_refused" || !strings.Contains(step.Detail, "never dialed") {
			t.Errorf("%s: %+v", name, report.Steps)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // a second attempt is not waited for
		if _, err := src.NewWalk().Page(ctx, jamf.MobilePlain, nil, 0, 1); err == nil {
			t.Errorf("%s: a page came", name)
		}
		cancel()
	}
	if n := visits(); n != 0 {
		t.Errorf("the machine was visited %d times", n)
	}
}

// Where the address of the proxy is what a walk fails of, that is said, and Jamf is not blamed.
func TestAWalkSaysWhyItsProxyIsNotDialed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, err := jamf.NewSource(jamf.NewHost("example.com", fast, jamf.Telemetry{}), jamf.SourceOptions{
			Name: "a", URL: "https://example.com/api", ClientID: "c", ClientSecret: func() string { return "s" }, Proxy: "http://169.254.169.254:3128",
		})
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		_, err = src.NewWalk().Page(t.Context(), jamf.MobilePlain, nil, 0, 1)
		must(t, err, jamf.ErrProxy, "address_refused")
	})
}

// HTTP_PROXY, ALL_PROXY and the like are no way around the address that is judged: nobody is asked but who is named by HTTPS_PROXY.
func TestOtherProxiesOfTheEnvironmentAreNotAsked(t *testing.T) {
	jamfPro, visits, roots := secure(t)
	p := &connectProxy{target: jamfPro.Listener.Addr().String()}
	front := startProxy(t, p, false)
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"} {
		t.Setenv(name, front.URL)
	}
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"} {
		t.Setenv(name, "")
	}
	u, err := url.Parse(jamfPro.URL)
	if err != nil {
		t.Fatal(err)
	}
	for address, code := range map[string]string{"127.0.0.1": "", "169.254.169.254": "address_refused"} {
		src, err := jamf.NewSource(jamf.NewHost("example.com:"+u.Port(), fast, jamf.Telemetry{}), jamf.SourceOptions{
			Name: "a", URL: "https://example.com:" + u.Port() + "/api", ClientID: "c", ClientSecret: func() string { return "s" },
			RootCAs: roots, Resolver: nameserver(t, address), Networks: []string{"loopback"},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(src.Close)
		if step := src.Test(t.Context(), []string{jamf.ReadComputers}).Steps[2]; step.Name != "tcp" || step.Code != code {
			t.Errorf("%s: %+v", address, step)
		}
	}
	if asked := p.targets(); len(asked) != 0 || visits() == 0 {
		t.Errorf("the proxy was asked for %v, Jamf was visited %d times", asked, visits())
	}
}
