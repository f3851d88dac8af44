package jamf

import (
	"net"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
)

func badURL(detail string) error {
	return &Error{Kind: ErrBadRequest, Op: "url", Code: codeURL, Detail: detail}
}

// CheckURL reads the URL of a Jamf Pro API: https, ending in /api. Plain http is allowed only with
// allowInsecureLoopback and a literal loopback address. The error is *Error with the code url_invalid; it never
// repeats the URL, which may hold a password.
func CheckURL(raw string, allowInsecureLoopback bool) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, badURL("the text is no URL")
	}
	switch {
	case u.Scheme == "" || u.Opaque != "" || u.Host == "" || u.Hostname() == "":
		return nil, badURL("scheme and host are needed: https://HOST/api")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, badURL("the scheme must be https")
	case u.User != nil:
		return nil, badURL("a user name or password must not stand in the URL")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(raw, "#"):
		return nil, badURL("the URL must end in /api, without a query or a fragment")
	case strings.HasSuffix(u.Path, "/api/"):
		return nil, badURL("the URL must end in /api, without a slash after it")
	case !strings.HasSuffix(u.Path, "/api"):
		return nil, badURL("the URL must end in /api")
	case u.RawPath != "" || path.Clean(u.Path) != u.Path || strings.ContainsAny(u.Path, "%\\"):
		return nil, badURL("the path must be plain: no dots, double slashes or escapes")
	case !validPort(u):
		return nil, badURL("the port must be a number from 1 to 65535")
	case u.Scheme == "http" && !allowInsecureLoopback:
		return nil, badURL("the scheme must be https")
	case u.Scheme == "http" && !loopbackLiteral(u.Hostname()):
		return nil, badURL("http is allowed only to a loopback address such as 127.0.0.1 or [::1], written as a number")
	}
	return u, nil
}

func validPort(u *url.URL) bool {
	if strings.HasSuffix(u.Host, ":") {
		return false
	}
	if u.Port() == "" {
		return true
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && n > 0
}

// loopbackLiteral: a name is none, whatever it resolves to.
func loopbackLiteral(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.Zone() == "" && !a.Is4In6() && a.IsLoopback()
}

// Authority names the Jamf host of a URL as NewHost wants it: host and port in lower case, the port always there.
// Two sources with equal authorities share one budget.
func Authority(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "443"
		if u.Scheme == "http" {
			port = "80"
		}
	}
	return net.JoinHostPort(strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), port)
}
