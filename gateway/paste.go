package gateway

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"jamf-gateway/config"
)

// NoHost begins an address that is for the reader to complete.
const NoHost = "https://HOST"

// Paste is what an admin enters in Inventory360 for one source and one client; the secret was shown when it was made.
type Paste struct {
	Source   string `json:"source"`
	Name     string `json:"name"`
	URL      string `json:"url"`               // ends in /api
	Also     string `json:"alsoUrl,omitempty"` // the shorter one of the default source
	ClientID string `json:"clientId"`
}

// Pastes lists the values for a source, one for each client that may see it. Without a public_url the URLs begin with
// "https://HOST", which is for the reader to fill in.
func Pastes(c *config.Config, src config.Source) []Paste {
	var out []Paste
	for _, cl := range c.Clients {
		if cl.Sources != nil && !slices.Contains(cl.Sources, src.Name) {
			continue
		}
		p := Paste{Source: src.Name, Name: src.Name, URL: APIAddress(c, src), ClientID: cl.ID}
		if src.Default {
			p.Also = publicBase(c) + "/api"
		}
		out = append(out, p)
	}
	return out
}

// APIAddress is the address of a source in Jamf's shape, ending in /api: at its own host name where it has one.
func APIAddress(c *config.Config, src config.Source) string {
	if len(src.Hosts) > 0 {
		return hostBase(c, src.Hosts[0]) + "/api"
	}
	return publicBase(c) + "/jamf/" + src.Name + "/api"
}

// hostBase is the root of a source's own host name: with scheme and port of public_url, without its path.
func hostBase(c *config.Config, host string) string {
	u, err := url.Parse(c.PublicURL)
	if err != nil || c.PublicURL == "" {
		return "https://" + host
	}
	if port := u.Port(); port != "" {
		host = net.JoinHostPort(host, port)
	}
	return u.Scheme + "://" + host
}

// ownNames are the host names of the gateway as a whole: those of public_url and of the public door.
func ownNames(c *config.Config) []string {
	var out []string
	listen, _, _ := net.SplitHostPort(c.Listen) // config has checked it
	for _, name := range []string{config.PublicHost(c), strings.ToLower(listen)} {
		if name != "" {
			out = append(out, name)
		}
	}
	return out
}

func publicBase(c *config.Config) string {
	if c.PublicURL == "" {
		return NoHost
	}
	return c.PublicURL
}
