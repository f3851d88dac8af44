package server_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// hosted gives schule-b two host names of its own, beside the gateway's own name.
func hosted(o *server.Options) {
	o.Sources[1].Hosts = []string{"jamf-b.example.com", "xn--schler-4ya.example.com"}
	o.Names = []string{"gateway.example.com"}
}

// at asks below a host name as a client.
func (w *world) at(host, client, path string) reply {
	w.t.Helper()
	return w.get(client, path, "Host", host)
}

func TestASourceIsServedAtTheRootOfItsHostName(t *testing.T) {
	w := newWorld(t, hosted)
	w.publishAll(3)
	w.publish("schule-b", device.Computer, computers("B", 7, 9))
	prefixed := w.get("all", "/jamf/schule-b/api/v1/computers-inventory")
	root := w.get("all", "/api/v1/computers-inventory")
	if prefixed.status != http.StatusOK || string(prefixed.body) == string(root.body) {
		t.Fatalf("the sources look alike: %s", prefixed)
	}
	port := w.base[strings.LastIndex(w.base, ":"):]
	for _, host := range []string{
		"jamf-b.example.com", "jamf-b.example.com" + port, "JAMF-B.Example.COM:443", "jamf-b.example.com.", "jamf-b.example.com.:1",
		"xn--schler-4ya.example.com",
	} {
		if r := w.at(host, "all", "/api/v1/computers-inventory"); r.status != http.StatusOK || string(r.body) != string(prefixed.body) {
			t.Errorf("Host %q: %s", host, r)
		}
		for path, status := range map[string]int{
			"/": 200, "/healthCheck.html": 200, "/api/startup-status": 200, "/jamf/schule-b/api/v1/auth": 200, "/v1/devices": 200,
			"/jamf/schule-a/api/v1/auth": 404, "/jamf/schule-a": 404, "/jamf/none/healthCheck.html": 404,
		} {
			if r := w.at(host, "all", path); r.status != status {
				t.Errorf("Host %q, %s: %s", host, path, r)
			}
		}
	}
	for _, host := range []string{"gateway.example.com", "gateway.example.com:8443", "localhost", "127.0.0.1:8080", "[::1]:8080", "10.1.2.3"} {
		if r := w.at(host, "all", "/api/v1/computers-inventory"); r.status != http.StatusOK || string(r.body) != string(root.body) {
			t.Errorf("Host %q: %s", host, r)
		}
	}
}

func TestTheHostNameGivesNoRights(t *testing.T) {
	w := newWorld(t, hosted)
	w.publishAll(3)
	const host = "jamf-b.example.com"
	if r := w.at(host, "only-a", "/api/v1/computers-inventory"); r.status != http.StatusUnauthorized {
		t.Errorf("the token of another source: %s", r)
	}
	if r := w.at(host, "only-a", "/v1/devices?source=schule-a"); r.status != http.StatusOK {
		t.Errorf("the normalized list of the client's own source: %s", r)
	}
	for client, status := range map[string]int{"only-a": 401, "only-b": 200} {
		form := url.Values{"client_id": {client}, "client_secret": {secretOf(client)}, "grant_type": {"client_credentials"}}
		for _, path := range []string{"/api/oauth/token", "/api/v1/oauth/token"} {
			r := w.do(http.MethodPost, w.base+path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Host", host)
			if r.status != status {
				t.Errorf("token of %s at %s%s: %s", client, host, path, r)
			}
		}
	}
	if r := w.do(http.MethodGet, w.base+"/jamf/schule-a/api/v1/auth", "", "Host", host); r.status != http.StatusUnauthorized {
		t.Errorf("another source without a token: %s", r)
	}
}

func TestAnUnknownHostNameIsMisdirectedOnceASourceHasOne(t *testing.T) {
	w := newWorld(t, hosted)
	for _, host := range []string{"evil.example.com", "jamf-b.example.com.evil.net", "b.jamf-b.example.com", "jamf-b.example.com..", "schule-b"} {
		for _, path := range []string{"/v1/devices", "/api/v1/auth", "/jamf/schule-b/api/v1/auth", "/", "/nothing"} {
			r := w.do(http.MethodGet, w.base+path, "", "Host", host)
			w.want(r, http.StatusMisdirectedRequest, "misdirected")
		}
		for _, path := range []string{"/livez", "/readyz"} {
			if r := w.do(http.MethodGet, w.base+path, "", "Host", host); r.status == http.StatusMisdirectedRequest {
				t.Errorf("Host %q, %s: %s", host, path, r)
			}
		}
	}
	open := newWorld(t, func(o *server.Options) { o.Names = []string{"gateway.example.com"} })
	if r := open.do(http.MethodGet, open.base+"/healthCheck.html", "", "Host", "evil.example.com"); r.status != http.StatusOK {
		t.Errorf("without hosts a name matters: %s", r)
	}
}

func TestRawHostHeaders(t *testing.T) {
	w := newWorld(t, hosted)
	for raw, status := range map[string]int{
		"GET /healthCheck.html HTTP/1.1\r\nHost: jamf-b.example.com\r\n\r\n":                              200,
		"GET /healthCheck.html HTTP/1.1\r\nhost:JAMF-B.EXAMPLE.COM.:99\r\n\r\n":                           200,
		"GET /healthCheck.html HTTP/1.1\r\nHost: jamf-b.example.com:80:80\r\n\r\n":                        400,
		"GET /healthCheck.html HTTP/1.0\r\n\r\n":                                                          200,
		"GET /healthCheck.html HTTP/1.1\r\nHost: nobody.example.com\r\n\r\n":                              421,
		"GET /healthCheck.html HTTP/1.1\r\nHost: x@jamf-b.example.com\r\n\r\n":                            400,
		"GET /healthCheck.html HTTP/1.1\r\nHost: a.org\r\nX-Forwarded-Host: jamf-b.example.com\r\n\r\n":   421,
		"GET /healthCheck.html HTTP/1.1\r\nHost: jamf-b.example.com\r\nHost: gateway.example.com\r\n\r\n": 400,
	} {
		if statuses, _ := w.wire(raw); fmt.Sprint(statuses) != fmt.Sprint([]int{status}) {
			t.Errorf("%q: %v, want %d", raw, statuses, status)
		}
	}
}

func TestAHostNameBelongsToOneSource(t *testing.T) {
	o := newWorld(t).o
	o.SealingKey = sha256.Sum256([]byte("other"))
	o.Sources[0].Hosts, o.Sources[1].Hosts = []string{"a.example.com"}, []string{"a.example.com"}
	if _, err := server.New(o); err == nil {
		t.Error("two sources share a host name")
	}
}
