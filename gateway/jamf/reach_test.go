package jamf_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"jamf-gateway/gateway/jamf"
)

func TestAnAddressIsDialedWhereTheSettingsAllowIt(t *testing.T) {
	cloud, own := "https://school.jamfcloud.com/api", "https://jamf.school.example/api"
	for _, tc := range []struct {
		url      string
		networks []string
		good     string // addresses that are dialed
		bad      string
	}{
		{cloud, nil, "52.1.2.3 2600:1f18::1", "10.1.2.3 127.0.0.1 ::1 fd00::1 192.168.1.1 172.20.0.1 100.64.0.1 ::ffff:10.1.2.3 198.18.0.1"},
		{"https://jamfcloud.com.evil.example/api", nil, "10.1.2.3", "127.0.0.1"},
		{own, nil, "52.1.2.3 10.1.2.3 172.31.255.255 192.168.1.1 fd12::1 100.64.0.1 ::ffff:10.1.2.3", "127.0.0.1 ::1 ::ffff:127.0.0.1 127.255.255.254"},
		{own, []string{"public"}, "52.1.2.3", "10.1.2.3 127.0.0.1"},
		{own, []string{"10.20.0.0/16", "fd00:1::/32"}, "10.20.255.1 fd00:1::9", "10.21.0.1 52.1.2.3 127.0.0.1 fd00:2::1"},
		{own, []string{"loopback"}, "127.0.0.1 ::1", "10.1.2.3 52.1.2.3"},
		{"https://10.1.2.3/api", nil, "10.1.2.3 ::ffff:10.1.2.3", "10.1.2.4 52.1.2.3"},
		{"https://[fd00::7]:8443/api", nil, "fd00::7", "fd00::8"},
	} {
		for allowed, list := range map[bool]string{true: tc.good, false: tc.bad} {
			for address := range strings.FieldsSeq(list) {
				if err := jamf.MayDial(tc.url, tc.networks, address); (err == nil) != allowed {
					t.Errorf("%s with %q: %s: %v", tc.url, tc.networks, address, err)
				}
			}
		}
	}
}

func TestSomeAddressesAreNeverDialed(t *testing.T) {
	all := []string{"public", "private", "loopback", "0.0.0.0/0", "::/0"}
	for address := range strings.FieldsSeq(`0.0.0.0 0.1.2.3 :: 169.254.169.254 169.254.1.1 fe80::1 fe80::1%eth0 fec0::1 fd00:ec2::254 100.100.100.200
		168.63.129.16 192.0.0.192 224.0.0.1 239.1.1.1 ff02::1 255.255.255.255 240.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b::7f00:1 64:ff9b:1::1 2002:7f00:1::
		2002:a9fe:a9fe::1 2001:0:1::1 ::7f00:1 ::10.0.0.1 ::ffff:169.254.169.254 ::ffff:0.0.0.0 100::1`) {
		for _, base := range []string{"https://jamf.school.example/api", "https://school.jamfcloud.com/api"} {
			if err := jamf.MayDial(base, all, address); err == nil || !strings.Contains(err.Error(), "never") {
				t.Errorf("%s: %s: %v", base, address, err)
			}
		}
		host, _, _ := strings.Cut(address, "%")
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		if err := jamf.MayDial("https://"+host+"/api", nil, "52.1.2.3"); err == nil || !strings.Contains(err.Error(), "never") {
			t.Errorf("a source at %s: %v", host, err)
		}
		if err := jamf.ProxyMayBeAt(address); err == nil {
			t.Errorf("a proxy at %s", address)
		}
	}
	for _, address := range []string{"127.0.0.1", "10.0.0.1", "52.1.2.3", "::1"} {
		if err := jamf.ProxyMayBeAt(address); err != nil {
			t.Errorf("a proxy at %s: %v", address, err)
		}
	}
}

// nameserver is a DNS server that gives each question the next of its answers, and the last one for ever.
func nameserver(t *testing.T, addresses ...string) *net.Resolver {
	t.Helper()
	var mu sync.Mutex
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer func() { _ = server.Close() }()
			head := make([]byte, 2)
			if _, err := server.Read(head); err != nil {
				return
			}
			question := make([]byte, int(head[0])<<8|int(head[1]))
			if _, err := server.Read(question); err != nil {
				return
			}
			var m dnsmessage.Message
			if err := m.Unpack(question); err != nil {
				t.Error(err)
				return
			}
			m.Response, m.Additionals = true, nil
			if m.Questions[0].Type == dnsmessage.TypeA {
				mu.Lock()
				for address := range strings.SplitSeq(addresses[0], ",") {
					m.Answers = append(m.Answers, dnsmessage.Resource{
						Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET},
						Body:   &dnsmessage.AResource{A: [4]byte(net.ParseIP(address).To4())},
					})
				}
				if len(addresses) > 1 {
					addresses = addresses[1:]
				}
				mu.Unlock()
			}
			packed, err := m.Pack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = server.Write(append([]byte{byte(len(packed) >> 8), byte(len(packed))}, packed...))
		}()
		return client, nil
	}}
}

// secure is a Jamf Pro with TLS under a name, which says how often somebody came.
func secure(t *testing.T) (srv *httptest.Server, visits func() int, roots *x509.CertPool) {
	t.Helper()
	var mu sync.Mutex
	count := 0
	srv = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }))
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if mu.Lock(); state == http.StateNew {
			count++
		}
		mu.Unlock()
	}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	roots = x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	return srv, func() int { mu.Lock(); defer mu.Unlock(); return count }, roots
}

// named is a source under a name whose certificate the server has (example.com), at its port.
func named(t *testing.T, srv *httptest.Server, roots *x509.CertPool, resolver *net.Resolver, networks ...string) *jamf.Source {
	t.Helper()
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	host := jamf.NewHost("example.com:"+u.Port(), jamf.Limits{Connections: 2, RequestsPerSecond: 50}, jamf.Telemetry{})
	src, err := jamf.NewSource(host, jamf.SourceOptions{
		Name: "a", URL: "https://example.com:" + u.Port() + "/api", ClientID: "c", ClientSecret: func() string { return "s" },
		Proxy: jamf.ProxyOff, RootCAs: roots, Resolver: resolver, Networks: networks,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(src.Close)
	return src
}

// At the first look-up the name is that of a Jamf Pro; at the next, which is the one that is dialed, it is this machine's.
func TestANameThatChangesItsMindIsNotFollowed(t *testing.T) {
	srv, visits, roots := secure(t)
	for name, resolver := range map[string]*net.Resolver{
		"another answer": nameserver(t, "198.51.100.7", "127.0.0.1"), "metadata": nameserver(t, "198.51.100.7", "169.254.169.254"),
		"two bad answers in one": nameserver(t, "127.0.0.1,169.254.169.254"),
	} {
		src := named(t, srv, roots, resolver)
		report := src.Test(t.Context(), []string{jamf.ReadComputers})
		var code string
		for _, step := range report.Steps {
			if step.Code != "" {
				code += step.Name + ":" + step.Code + " " + step.Detail
				break
			}
		}
		if !strings.HasPrefix(code, "tcp:address_refused ") {
			t.Errorf("%s: the test says %q", name, code)
		}
		if german := jamf.German(strings.TrimPrefix(code, "tcp:address_refused ")); strings.Contains(german, " is ") {
			t.Errorf("%s: %s is not German", name, german)
		}
	}
	if n := visits(); n != 0 {
		t.Errorf("the machine was visited %d times", n)
	}
	// The same where the settings allow it: the name is dialed, and the certificate holds.
	src := named(t, srv, roots, nameserver(t, "127.0.0.1"), "loopback")
	if report := src.Test(t.Context(), []string{jamf.ReadComputers}); len(report.Steps) < 4 || report.Steps[3].Name != "tls" || report.Steps[3].Result != "ok" || visits() == 0 {
		t.Errorf("with loopback allowed: %+v, %d visits", report.Steps, visits())
	}
}

// A name server that says nothing is a failure of Jamf's name: neither the end of the caller's patience nor that of our own queue.
func TestAMuteNameServerIsNotTakenForTheCallersEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mute := func(context.Context, string, string) (net.Conn, error) { // as net.Dialer says it whose time ran out in the look-up
			time.Sleep(10 * time.Second)
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{
				UnwrapErr: context.DeadlineExceeded, Err: "i/o timeout", Name: "mute.school.example", IsTimeout: true,
			}}
		}
		host := jamf.NewHost("mute.school.example", jamf.Limits{Connections: 2, RequestsPerSecond: 50}, jamf.Telemetry{})
		src, err := jamf.NewSource(host, jamf.SourceOptions{
			Name: "a", URL: "https://mute.school.example/api", ClientID: "c", ClientSecret: func() string { return "s" },
			Proxy: jamf.ProxyOff, Dial: mute,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		_, err = src.NewWalk().Page(t.Context(), jamf.Computers, []string{"GENERAL"}, 0, 100)
		must(t, err, jamf.ErrUnavailable, "dns_failed")
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			t.Errorf("%v looks like the end of the caller", err)
		}
	})
}
