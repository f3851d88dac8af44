package server_test

import (
	"bytes"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"jamf-gateway/gateway/audit"
	"jamf-gateway/gateway/server"
)

func prefixes(texts ...string) (out []netip.Prefix) {
	for _, text := range texts {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

func TestAStatedProxyNamesWhoAsksAndNobodyElseDoes(t *testing.T) {
	proxies := prefixes("10.0.0.0/8", "fd00::/8", "127.0.0.1/32")
	for name, tc := range map[string]struct {
		from  string
		lines []string
		want  string
	}{
		"nobody's word":             {"192.0.2.1", []string{"203.0.113.7"}, "192.0.2.1"},
		"a proxy's word":            {"10.1.1.1", []string{"203.0.113.7"}, "203.0.113.7"},
		"what the client put there": {"10.1.1.1", []string{"127.0.0.1, 198.51.100.9, 203.0.113.7"}, "203.0.113.7"},
		"two proxies":               {"10.1.1.1", []string{"198.51.100.9,203.0.113.7 , 10.2.2.2"}, "203.0.113.7"},
		"two lines":                 {"10.1.1.1", []string{"203.0.113.7", "10.2.2.2"}, "203.0.113.7"},
		"the last line counts":      {"10.1.1.1", []string{"198.51.100.9", "203.0.113.7"}, "203.0.113.7"},
		"proxies alone":             {"10.1.1.1", []string{"10.3.3.3, 10.2.2.2"}, "10.3.3.3"},
		"no header":                 {"10.1.1.1", nil, "10.1.1.1"},
		"an empty one":              {"10.1.1.1", []string{""}, "10.1.1.1"},
		"no address":                {"10.1.1.1", []string{"203.0.113.7, unknown"}, "10.1.1.1"},
		"no address behind a proxy": {"10.1.1.1", []string{"203.0.113.7, x, 10.2.2.2"}, "10.2.2.2"},
		"an empty hop":              {"10.1.1.1", []string{"203.0.113.7,,"}, "10.1.1.1"},
		"with a port":               {"10.1.1.1", []string{"203.0.113.7:4711"}, "203.0.113.7"},
		"IPv6":                      {"fd00::1", []string{"2001:db8::7"}, "2001:db8::7"},
		"IPv6 with a port":          {"fd00::1", []string{"[2001:db8::7]:4711"}, "2001:db8::7"},
		"IPv6 in brackets":          {"fd00::1", []string{"[2001:db8::7]"}, "2001:db8::7"},
		"IPv4 in IPv6":              {"::ffff:10.1.1.1", []string{"::ffff:203.0.113.7"}, "203.0.113.7"},
	} {
		if got := server.Peer(proxies, &net.TCPAddr{IP: net.ParseIP(tc.from), Port: 1}, tc.lines...); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}

func TestAClientAsksFromItsNetworksAlone(t *testing.T) {
	inside := scoped("office", func(c *server.ClientOptions) { c.Networks = prefixes("203.0.113.0/24", "2001:db8:7::/48") })
	a := newAudited(t, inside, func(o *server.Options) { o.Proxies = prefixes("127.0.0.0/8") })
	a.publishAll(1)
	form := url.Values{"client_id": {"office"}, "client_secret": {secretOf("office")}, "grant_type": {"client_credentials"}}
	ask := func(form url.Values, from string) reply {
		return a.do(http.MethodPost, a.base+"/api/oauth/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "X-Forwarded-For", from)
	}
	good := ask(form, "2001:db8:7::1")
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	good.decode(t, &answer)
	if good.status != http.StatusOK || answer.AccessToken == "" {
		t.Fatalf("from its network: %s", good)
	}
	wrong := ask(url.Values{"client_id": {"office"}, "client_secret": {"wrong"}, "grant_type": {"client_credentials"}}, "198.51.100.9")
	for _, from := range []string{"198.51.100.9", "", "203.0.113.7, 198.51.100.9"} {
		r := ask(form, from)
		if a.want(r, http.StatusUnauthorized, "invalid_client"); !bytes.Equal(r.body, wrong.body) || r.header.Get("WWW-Authenticate") != wrong.header.Get("WWW-Authenticate") {
			t.Errorf("from %q a right secret is told from a wrong one: %s, %s", from, r, wrong)
		}
		for _, path := range []string{"/v1/devices", "/api/v1/auth", "/api/v1/computers-inventory/1", "/api/v1/computers-inventory/99", "/v1/nothing"} {
			a.want(a.do(http.MethodGet, a.base+path, "", "Authorization", "Bearer "+answer.AccessToken, "X-Forwarded-For", from), http.StatusForbidden, "network_not_allowed")
		}
		a.want(a.do(http.MethodPost, a.base+"/api/v1/auth/keep-alive", "", "Authorization", "Bearer "+answer.AccessToken, "X-Forwarded-For", from), http.StatusForbidden, "network_not_allowed")
	}
	if r := a.do(http.MethodGet, a.base+"/v1/devices", "", "Authorization", "Bearer "+answer.AccessToken, "X-Forwarded-For", "198.51.100.9, 203.0.113.7"); r.status != http.StatusOK {
		t.Errorf("from its network: %s", r)
	}
	a.log.Flush(true)
	refused := map[string]int{}
	if err := audit.Lines(a.dir, time.Time{}, func(e audit.Entry, _ []byte) {
		if e.Event == "request.refused" && e.Actor == "office" && e.Outcome == "network_not_allowed" && e.Credential != "" && !strings.Contains(e.Credential, "0000") {
			refused[e.Address] += max(1, e.Count)
		}
	}); err != nil || refused["198.51.100.9"] != 12 || refused["127.0.0.1"] != 6 {
		t.Errorf("the audit tells %v, %v", refused, err)
	}
	plain := newWorld(t, inside)
	plain.publishAll(1)
	r := plain.do(http.MethodPost, plain.base+"/api/oauth/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "X-Forwarded-For", "203.0.113.7")
	plain.want(r, http.StatusUnauthorized, "invalid_client")
}

// TestAProxyThatDoesNotSayForWhomItAsksAsksForNobodyInANetwork, not even in one that its own address is in.
func TestAProxyThatDoesNotSayForWhomItAsksAsksForNobodyInANetwork(t *testing.T) {
	w := newWorld(t, scoped("local", func(c *server.ClientOptions) { c.Networks = prefixes("127.0.0.0/8") }), func(o *server.Options) { o.Proxies = prefixes("127.0.0.0/8") })
	w.publishAll(1)
	form := url.Values{"client_id": {"local"}, "client_secret": {secretOf("local")}, "grant_type": {"client_credentials"}}
	ask := func(from ...string) reply {
		return w.do(http.MethodPost, w.base+"/api/oauth/token", form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, from...)...)
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	good := ask("X-Forwarded-For", "127.0.0.3") // another process of the machine, by its proxy
	if good.decode(t, &answer); answer.AccessToken == "" {
		t.Fatalf("the proxy says for whom: %s", good)
	}
	for _, from := range [][]string{nil, {"X-Forwarded-For", ""}, {"X-Forwarded-For", "127.0.0.3, unknown"}, {"X-Forwarded-For", "unix:"}} {
		w.want(ask(from...), http.StatusUnauthorized, "invalid_client")
		w.want(w.do(http.MethodGet, w.base+"/v1/devices", "", append([]string{"Authorization", "Bearer " + answer.AccessToken}, from...)...), http.StatusForbidden, "network_not_allowed")
	}
	if r := w.get("all", "/v1/devices"); r.status != http.StatusOK { // which may ask from anywhere
		t.Errorf("a client without networks: %s", r)
	}
}

func TestAStatedProxyHoldsMoreConnectionsThanAnAddress(t *testing.T) {
	ln := listen(t)
	door := server.NewDoorOfProxies(ln, 3, 1, netip.MustParsePrefix("127.0.0.0/8"))
	t.Cleanup(func() { _ = door.Close() })
	if tcp, ok := ln.(*net.TCPListener); ok {
		if err := tcp.SetDeadline(time.Now().Add(5 * time.Second)); err != nil { // who is not let in is never accepted
			t.Fatal(err)
		}
	}
	for range 3 {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		in, err := door.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		if err := c.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := in.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
}
