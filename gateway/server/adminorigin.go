package server

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// adminOrigin refuses what a web page in the operator's browser could send: a Host that is a name that somebody else can point here, an
// Origin other than this door's, and what the browser itself says comes from another site. hosts are names that the settings
// give the door beside its own.
func adminOrigin(listen net.Addr, hosts []string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		host := string(c.Request().Host())
		named := slices.Contains(hosts, strings.ToLower(hostOnly(host)))
		if !named && !localHost(host, listen) {
			return &fault{code: codeForbiddenOrigin, field: fiber.HeaderHost}
		}
		if origin := c.Get(fiber.HeaderOrigin); origin != "" && !sameOrigin(origin, host, exchangeOf(c).scheme, named) {
			return &fault{code: codeForbiddenOrigin, field: fiber.HeaderOrigin}
		}
		if fromElsewhere(c.Get("Sec-Fetch-Site")) && (writeMethod(c.Context()) || c.Get("Sec-Fetch-Mode") != "navigate") {
			return &fault{code: codeForbiddenOrigin, field: "Sec-Fetch-Site"}
		}
		return c.Next()
	}
}

// fromElsewhere tells that a browser sends a request for the page of another site or origin (W3C Fetch Metadata). A person who follows a
// link is let through by the caller; programs send no such header.
func fromElsewhere(site string) bool {
	return site != "" && site != "same-origin" && site != "none"
}

// localHost tells whether a Host header is a loopback literal, localhost or the address listened on.
func localHost(host string, listen net.Addr) bool {
	if listen != nil && host == listen.String() {
		return true
	}
	name := hostOnly(host)
	if strings.EqualFold(name, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.IsLoopback()
}

// hostOnly is a Host header without its port and without the brackets of an IPv6 address.
func hostOnly(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// sameOrigin tells whether an Origin is the one of the door. Under a name of the settings a proxy may do TLS.
func sameOrigin(origin, host, scheme string, named bool) bool {
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, host) && (u.Scheme == scheme || named && u.Scheme == "https")
}
