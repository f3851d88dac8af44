package server

import (
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"
)

// forwardedHeader is where a stated proxy says for whom it asks. Forwarded (RFC 7239) is not read: a proxy that fills in one of the two
// passes the other on as the client wrote it.
const forwardedHeader = "X-Forwarded-For"

// networks is a set of addresses; the zero value holds none.
type networks []netip.Prefix

func (n networks) has(a netip.Addr) bool {
	return slices.ContainsFunc(n, func(p netip.Prefix) bool { return p.Contains(a) })
}

// remote is the address of the other side of a connection; the zero value when it has none.
func remote(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return bare(tcp.AddrPort().Addr())
	}
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return bare(at.Addr())
}

// bare is an address as it is compared.
func bare(a netip.Addr) netip.Addr { return a.WithZone("").Unmap() }

// customer is what counts as one address: of IPv6 the network of a customer (/64).
func customer(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // bits fits the address
	return p
}

// peer is who asks: the other side of the connection, or where that is a stated proxy, the right-most address of X-Forwarded-For that is none.
// What stands to the left of it anybody can have written. Where the header says nothing, or no address, it is the last proxy that is known, and
// named is false: it may ask for anybody.
func (r *rules) peer(rc *fasthttp.RequestCtx) (at netip.Addr, named bool) {
	if at = remote(rc.RemoteAddr()); !r.proxies.has(at) {
		return at, true
	}
	for _, line := range slices.Backward(rc.Request.Header.PeekAll(forwardedHeader)) {
		for rest, hop := string(line), ""; rest != ""; {
			comma := strings.LastIndexByte(rest, ',')
			rest, hop = rest[:max(comma, 0)], rest[comma+1:]
			next, ok := hopAddress(strings.Trim(hop, " \t"))
			if !ok {
				return at, false
			}
			if at, named = next, true; !r.proxies.has(at) {
				return at, true
			}
		}
	}
	return at, named
}

// hopAddress reads an address as proxies write it, some with its port.
func hopAddress(text string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")); err == nil {
		return bare(a), true
	}
	at, err := netip.ParseAddrPort(text)
	return bare(at.Addr()), err == nil
}
