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
	base := c.PublicURL
	if base == "" {
		base = "https://HOST"
	}
	var out []Paste
	for _, cl := range c.Clients {
		if cl.Sources != nil && !slices.Contains(cl.Sources, src.Name) {
			continue
		}
		p := Paste{Source: src.Name, Name: src.Name, URL: base + "/jamf/" + src.Name + "/api", ClientID: cl.ID}
		if src.Default {
			p.Also = base + "/api"
		}
		out = append(out, p)
	}
	return out
}
