package jamf

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
)

// Words of SourceOptions.Networks beside networks like 10.20.0.0/16.
const (
	NetworkPublic   = "public"
	NetworkPrivate  = "private"
	NetworkLoopback = "loopback"
)

// reach is to which addresses is dialed. The address is judged when it is dialed, not when the name is looked up: between the
// two a name can change its mind (DNS rebinding).
type reach struct {
	public, private, loopback bool
	networks                  []netip.Prefix
}

// reachOf reads what the settings allow. Without settings it is what the URL says: an address itself; for Jamf Cloud what is
// public; for every other name, which is a Jamf Pro of one's own, what is private as well.
func reachOf(words []string, base *url.URL) (reach, error) {
	var r reach
	for _, word := range words {
		switch word {
		case NetworkPublic:
			r.public = true
		case NetworkPrivate:
			r.private = true
		case NetworkLoopback:
			r.loopback = true
		default:
			p, err := netip.ParsePrefix(word)
			if err != nil {
				return reach{}, badURL("networks must be public, private, loopback or a network like 10.20.0.0/16")
			}
			r.networks = append(r.networks, p.Masked())
		}
	}
	host := strings.TrimSuffix(strings.ToLower(base.Hostname()), ".")
	literal, err := netip.ParseAddr(host)
	if len(words) == 0 {
		switch {
		case err == nil:
			literal = literal.WithZone("").Unmap()
			r.networks = []netip.Prefix{netip.PrefixFrom(literal, literal.BitLen())}
		case host == "jamfcloud.com" || strings.HasSuffix(host, ".jamfcloud.com"):
			r.public = true
		default:
			r.public, r.private = true, true
		}
	}
	if err == nil {
		if refused := r.refuse(literal); refused != nil { // a proxy would dial it without asking
			return reach{}, badURL(refused.Error())
		}
	}
	return r, nil
}

// isAddress tells that a URL holds an address, which no resolver can change.
func isAddress(base *url.URL) bool {
	_, err := netip.ParseAddr(strings.TrimSuffix(base.Hostname(), "."))
	return err == nil
}

// toProxy is where a proxy may be: in one's own network as a rule.
func toProxy() reach { return reach{public: true, private: true, loopback: true} }

// addressError is an address that is not dialed.
type addressError struct {
	addr netip.Addr
	kind string
	ever bool // no setting allows it
}

// Error implements error.
func (e *addressError) Error() string {
	if e.ever {
		return fmt.Sprintf("%s is %s, which is never dialed", e.addr, e.kind)
	}
	return fmt.Sprintf("%s is %s, which networks does not allow", e.addr, e.kind)
}

// refuse tells why an address is not dialed; nil when it is.
func (r reach) refuse(addr netip.Addr) *addressError {
	addr = addr.WithZone("").Unmap()
	if kind := neverDialed(addr); kind != "" {
		return &addressError{addr, kind, true}
	}
	if slices.ContainsFunc(r.networks, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return nil
	}
	kind, allowed := "a public address", r.public
	switch {
	case addr.IsLoopback():
		kind, allowed = "this machine itself", r.loopback
	case addr.IsPrivate(), within(addr, "100.64.0.0/10", "198.18.0.0/15"): // and carrier-grade NAT, and test networks
		kind, allowed = "a private address", r.private
	}
	if allowed {
		return nil
	}
	return &addressError{addr, kind, false}
}

// neverDialed names what no Jamf Pro can have; "" for everything else.
func neverDialed(addr netip.Addr) string {
	switch {
	case addr.IsUnspecified(), within(addr, "0.0.0.0/8"):
		return "no address of a machine"
	case within(addr, "169.254.169.254/32", "169.254.170.2/32", "fd00:ec2::254/128", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32"):
		return "the metadata service of a cloud"
	case addr.IsLinkLocalUnicast(), within(addr, "fec0::/10"):
		return "a link-local address"
	case addr.IsMulticast():
		return "a multicast address"
	case within(addr, "240.0.0.0/4", "192.0.0.0/24", "100::/64"):
		return "a reserved address"
	case within(addr, "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"), within(addr, "::/96") && !addr.IsLoopback():
		return "an IPv4 address inside an IPv6 address (NAT64, 6to4, Teredo)"
	}
	return ""
}

func within(addr netip.Addr, networks ...string) bool {
	return slices.ContainsFunc(networks, func(n string) bool { return netip.MustParsePrefix(n).Contains(addr) })
}

// control is the last word before a socket connects (net.Dialer.ControlContext): address is the one that is really dialed.
func (r reach) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("dial %s: %w", address, err)
	}
	if refused := r.refuse(to.Addr()); refused != nil {
		return refused
	}
	return nil
}

// dialer dials what r allows.
func (r reach) dialer(resolver *net.Resolver) func(context.Context, string, string) (net.Conn, error) {
	return (&net.Dialer{Timeout: connectTimeout, KeepAlive: keepAlive, Resolver: resolver, ControlContext: r.control}).DialContext
}
