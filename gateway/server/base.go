package server

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// base is where a request came in: at the root of the gateway, at the root of a host name of a source, or below a
// source's prefix. It is resolved once, and says nothing about what the caller may see.
type base struct {
	source string // "" at the root of a gateway without a default source
	own    bool   // prefix or host: the place belongs to the source alone
	at     string // the address, where other settings may put another source: "/" or a host; "" below a prefix, which names its own
}

// bases resolves where requests come in.
type bases struct {
	root  string              // name of the default source, "" when there is none
	hosts map[string]string   // host name -> source; none: the host of a request is not looked at
	names map[string]struct{} // what the gateway itself is called
}

func newBases(sources []SourceOptions, names []string) (bases, error) {
	b := bases{hosts: map[string]string{}, names: map[string]struct{}{"localhost": {}}}
	for _, name := range names {
		b.names[name] = struct{}{}
	}
	for _, src := range sources {
		if src.Default {
			b.root = src.Name
		}
		for _, host := range src.Hosts {
			if other, twice := b.hosts[host]; twice {
				return b, fmt.Errorf("server options: host %q belongs to %q and %q", host, other, src.Name)
			}
			b.hosts[host] = src.Name
		}
	}
	return b, nil
}

// atHost is the source of a host name; known is false for a name that is nobody's. An address literal, and no Host at
// all as in HTTP/1.0, is always the gateway: probes ask like this, and no foreign page can.
func (b *bases) atHost(raw []byte) (source string, known bool) {
	if len(b.hosts) == 0 || len(raw) == 0 {
		return "", true
	}
	name := hostOf(string(raw))
	if source, ok := b.hosts[name]; ok {
		return source, true
	}
	if _, ok := b.names[name]; ok {
		return "", true
	}
	_, err := netip.ParseAddr(name)
	return "", err == nil
}

// hostOf is the host of a Host header as it is compared: in lower case, without port, brackets and the dot at the end.
// What is no host stays what it is, which is nobody's name.
func hostOf(value string) string {
	name := strings.ToLower(value)
	if literal, rest, ok := strings.Cut(strings.TrimPrefix(name, "["), "]"); ok && strings.HasPrefix(name, "[") {
		if port, has := strings.CutPrefix(rest, ":"); rest == "" || has && digits(port) {
			return literal
		}
		return value
	}
	if host, port, ok := strings.Cut(name, ":"); ok && digits(port) {
		name = host
	}
	return strings.TrimSuffix(name, ".")
}

func digits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

// prefixOf is the source named by a path below /jamf/; ok is false for every other path.
func prefixOf(path string) (source string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/jamf/")
	if !ok {
		return "", false
	}
	source, _, _ = strings.Cut(rest, "/")
	return source, source != ""
}

// resolveBase notes where the request came in. Probes are answered under every name.
func (s *Server) resolveBase(c *fiber.Ctx) error {
	x := exchangeOf(c)
	x.public, x.shown = true, shown(c.Context(), s.o.Now())
	x.peer, x.named = x.rules.peer(c.Context())
	host, known := x.rules.bases.atHost(c.Request().Header.Host())
	if !known {
		if path := c.Path(); path != "/livez" && path != "/readyz" {
			return &fault{code: codeMisdirected}
		}
	}
	x.base = base{source: x.rules.bases.root, at: "/"}
	if host != "" {
		x.base = base{source: host, own: true, at: hostOf(string(c.Request().Header.Host()))}
	}
	if prefix, ok := prefixOf(c.Path()); ok {
		if host != "" && prefix != host {
			// Nothing is here, and who has no token is told nothing else either.
			if f := s.identify(c); f != nil {
				return f
			}
			return &fault{code: codeNotFound}
		}
		x.base = base{source: prefix, own: true}
	}
	return c.Next()
}
