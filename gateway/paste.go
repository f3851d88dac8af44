package gateway

import (
	"slices"

	"jamf-gateway/config"
)

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

// APIAddress is the address of a source in Jamf's shape, ending in /api.
func APIAddress(c *config.Config, src config.Source) string {
	return publicBase(c) + "/jamf/" + src.Name + "/api"
}

func publicBase(c *config.Config) string {
	if c.PublicURL == "" {
		return "https://HOST"
	}
	return c.PublicURL
}
