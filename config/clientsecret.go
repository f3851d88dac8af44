package config

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// NewClientSecret makes a secret for a client. Secrets of any other form are as good: the settings know only their hash.
func NewClientSecret() string { return NewToken(ClientPrefix) }

// Mistyped tells that a text was to be a secret of NewClientSecret and is none: cut, lengthened or with a wrong character. It looks at nothing but the
// text: nobody learns from it which secrets there are.
func Mistyped(text string) bool {
	return strings.HasPrefix(strings.TrimSpace(text), ClientPrefix) && !TokenIntact(ClientPrefix, text)
}

// maxSecrets of one client: the one in use and the next one, while it is being changed.
const maxSecrets = 2

// SecretTerms is what the settings say of a secret beside its hash; the zero value is a secret without a name and an end.
type SecretTerms struct {
	Name    string
	File    string    // where the secret itself stands; "" = in no file
	Expires time.Time // from then on it is refused and its tokens are dead; zero = never
	Place   Problem   // where its end is written, without a Text
}

// ClientSecretFiles are the files in which secrets of clients stand.
func (c *Config) ClientSecretFiles() (out []string) {
	for _, cl := range c.Clients {
		for _, terms := range cl.Terms {
			if terms.File != "" {
				out = append(out, terms.File)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ExpiresSoon is how long before its end a secret is warned of.
const ExpiresSoon = 14 * 24 * time.Hour

var secretName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$`)

// ExpiryWarnings says which secrets of clients and which certificates of the public door end soon or have ended, and which secrets of Jamf's are old. It
// looks at the files as they are now.
func (c *Config) ExpiryWarnings(now time.Time) []Problem {
	return slices.Concat(c.certificateWarnings(now), c.ageWarnings(now), c.secretWarnings(now))
}

func (c *Config) secretWarnings(now time.Time) (out []Problem) {
	for _, cl := range c.Clients {
		for _, hash := range cl.Secrets {
			terms := cl.Terms[hash]
			p, last := terms.Place, terms.Expires.AddDate(0, 0, -1).Format(time.DateOnly)
			switch {
			case terms.Expires.IsZero() || terms.Expires.Sub(now) > ExpiresSoon:
				continue
			case now.Before(terms.Expires):
				p.Text = fmt.Sprintf("ends after %s; if the client still uses it, make the next one: jamf-gateway client rotate %s", last, cl.ID)
			default:
				p.Text = fmt.Sprintf("has ended after %s: whoever uses it is refused; remove it", last)
			}
			out = append(out, p)
		}
	}
	return out
}

// secrets reads the secrets of a client: a hash each, or a mapping with a hash or the place of the secret, its end and its name.
func (d *document) secrets(c *Client, m *mapping) {
	for _, key := range []string{"hash", "secret", "expires", "name"} {
		d.settings = append(d.settings, m.joinPattern("secrets")+"[]."+key)
	}
	where := m.from("secrets")
	nodes, inFile := m.nodes["secrets"]
	if inFile {
		nodes = resolved(nodes)
	}
	_, inVariable := d.env[variableName(m.join("secrets"))]
	if inVariable || !inFile || nodes.Kind != yaml.SequenceNode {
		list, _ := m.values("secrets")
		for _, v := range list {
			d.addSecret(c, v.origin, d.hash(v), SecretTerms{})
		}
		d.countSecrets(where, len(list))
		return
	}
	m.setting("secrets")
	for i, item := range nodes.Content {
		o := origin{line: item.Line, setting: fmt.Sprintf("%s[%d]", where.setting, i)}
		if item = resolved(item); item.Kind != yaml.MappingNode {
			if v := d.single(item, o); v.set {
				d.addSecret(c, o, d.hash(v), SecretTerms{})
			}
			continue
		}
		sub := &mapping{doc: d, path: o.setting, pattern: m.joinPattern("secrets") + "[]"}
		sub.fill(item)
		hash, terms := d.secretEntry(sub)
		d.addSecret(c, o, hash, terms)
	}
	d.countSecrets(where, len(nodes.Content))
}

func (d *document) countSecrets(where origin, n int) {
	if n == 0 && !d.blamedBelow(where.setting) {
		d.problem(where, "at least one secret is needed: sha256: and 64 hex digits")
	}
	if n > maxSecrets {
		d.problem(where, "at most %d secrets can be live at once", maxSecrets)
	}
}

// secretEntry reads a secret that is written as a mapping. An entry of a list has no variable of its own.
func (d *document) secretEntry(m *mapping) (hash [32]byte, terms SecretTerms) {
	defer m.done()
	own := func(key string) value {
		m.known = append(m.known, key)
		return m.own(key)
	}
	hashed, place, until, name := own("hash"), own("secret"), own("expires"), own("name")
	switch {
	case hashed.set && place.set:
		d.problem(place.origin, "hash stands beside it: one of the two says which secret it is")
	case hashed.set:
		hash = d.hash(hashed)
	case place.set:
		if secret := d.secret(place); secret.Reveal() != "" {
			hash, terms.File = HashSecret(secret.Reveal()), secret.File()
		}
	case !d.blamedBelow(m.path):
		d.problem(origin{line: m.line, setting: m.path}, "needs hash (sha256: and 64 hex digits) or secret (file:, env: or cred:)")
	}
	if name.set && !secretName.MatchString(name.text) {
		d.problem(name.origin, "must be 1 to 32 letters, digits, dots, dashes and underscores, beginning with a letter or digit")
	}
	terms.Name = name.text
	if until.set {
		day, err := time.ParseInLocation(time.DateOnly, until.text, time.Local) //nolint:gosmopolitan // the operator's days
		if err != nil {
			d.problem(until.origin, "must be the last day on which it is good, like 2026-12-24, not %q", clip(until.text))
		} else {
			terms.Expires, terms.Place = day.AddDate(0, 0, 1), d.describe(until.origin, "")
		}
	}
	return hash, terms
}

// hash reads the SHA-256 of a secret. What was written is never repeated: it may be the secret itself.
func (d *document) hash(v value) [32]byte {
	digits, ok := strings.CutPrefix(v.text, "sha256:")
	raw, err := hex.DecodeString(digits)
	if !ok || err != nil || len(raw) != 32 {
		d.problem(v.origin, "must be sha256: and the 64 hex digits of the secret's SHA-256, never the secret itself")
		return [32]byte{}
	}
	hash := [32]byte(raw)
	switch hash {
	case [32]byte{}:
		d.warn(v.origin, "is the placeholder of the example: no secret matches it")
	case HashSecret(""), HashSecret("\n"):
		d.warn(v.origin, "is the SHA-256 of an empty text, not of a secret; make one with: jamf-gateway client new")
	}
	return hash
}

// addSecret takes a secret up. The zero hash is that of no secret: the example's, or one whose place was not looked at.
func (d *document) addSecret(c *Client, o origin, hash [32]byte, terms SecretTerms) {
	if slices.Contains(c.Secrets, hash) && (hash != [32]byte{} || !d.outline) && !d.blamedBelow(o.setting) {
		d.problem(o, "stands twice")
	}
	c.Secrets = append(c.Secrets, hash)
	if terms != (SecretTerms{}) {
		if c.Terms == nil {
			c.Terms = map[[32]byte]SecretTerms{}
		}
		c.Terms[hash] = terms
	}
}
