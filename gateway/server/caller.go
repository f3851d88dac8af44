package server

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// scope is one series as one caller may see it.
type scope struct {
	cache.Series
	profile *device.Profile // what the source keeps, cut to what the client is shown
	filter  device.Filter   // which devices the client is shown
}

// view names all that the answers about a device depend on beside its generation.
func (sc scope) view() string { return sc.profile.View() + " " + sc.filter.Digest() }

// caller is one configured client with everything that a request of his needs. Immutable.
type caller struct {
	id          string
	secrets     [][32]byte
	names       map[[32]byte]string    // of secrets
	expires     map[[32]byte]time.Time // of the secrets that end
	scopes      []scope                // source, then computer before mobile
	sources     map[string]struct{}    // the sources that he may see, with or without enabled kinds
	passthrough bool                   // may ask for what its sources pass on
	noNormal    bool                   // may not use /v1
	noFacade    bool                   // may not use Jamf's API
	onlyFresh   bool                   // is refused what is not fresh
	networks    networks               // from where he may ask; none = from anywhere
	certificate Certificate
	pace        *pace
	policy      string // digest of the scopes: part of every cache key and of every cursor
}

// sees tells whether the caller may see the source at all.
func (c *caller) sees(source string) bool {
	_, ok := c.sources[source]
	return ok
}

// mayUse refuses what lies in a part of the public door that is not the caller's, whether it exists or not. With 401 a client would ask for
// new tokens for ever. What a client does with its token it does by Jamf's paths alone, so those are everybody's.
func (c *caller) mayUse(path string) *fault {
	facade := styleOf(path) != styleOwn
	switch {
	case facade && c.noFacade && !strings.HasSuffix(path, "/api/v1/auth/keep-alive") && !strings.HasSuffix(path, "/api/v1/auth/invalidate-token"),
		!facade && c.noNormal:
		return &fault{code: codeOutOfScope}
	}
	return nil
}

// called is the name of one of his secrets; one without a name is called by the begin of its hash, as in the audit.
func (c *caller) called(secret [32]byte) string {
	if name := c.names[secret]; name != "" {
		return name
	}
	return hex.EncodeToString(secret[:4])
}

// comesFrom tells whether the caller may ask from where the request comes. That of a proxy that does not say for whom it asks comes from nowhere,
// though the proxy's own address may be among the networks.
func (c *caller) comesFrom(x *exchange) bool {
	return len(c.networks) == 0 || x.named && c.networks.has(x.peer)
}

// expired tells that a secret of his has ended.
func (c *caller) expired(secret [32]byte, now time.Time) bool {
	at, ends := c.expires[secret]
	return ends && !now.Before(at)
}

// scope finds one series; false when the kind is switched off or the source is not the caller's.
func (c *caller) scope(source string, k device.Kind) (scope, bool) {
	for _, sc := range c.scopes {
		if sc.Source == source && sc.Kind == k {
			return sc, true
		}
	}
	return scope{}, false
}

// callers compiles the clients against the sources: id -> caller.
func callers(sources []SourceOptions, clients []ClientOptions) (map[string]*caller, error) {
	known := make(map[string]SourceOptions, len(sources))
	defaults := 0
	for _, s := range sources {
		if _, twice := known[s.Name]; twice {
			return nil, fmt.Errorf("server options: source %q is configured twice", s.Name)
		}
		if s.Profile == nil {
			return nil, fmt.Errorf("server options: source %q has no profile", s.Name)
		}
		if s.Default {
			defaults++
		}
		known[s.Name] = s
	}
	if defaults > 1 {
		return nil, fmt.Errorf("server options: %d default sources, at most one is possible", defaults)
	}
	out := make(map[string]*caller, len(clients))
	for _, c := range clients {
		if _, twice := out[c.ID]; twice {
			return nil, fmt.Errorf("server options: client %q is configured twice", c.ID)
		}
		if c.ID == "" || len(c.ID) > maxClientID {
			return nil, fmt.Errorf("server options: client id %q must have 1 to %d bytes", c.ID, maxClientID)
		}
		compiled, err := newCaller(known, c)
		if err != nil {
			return nil, err
		}
		out[c.ID] = compiled
	}
	return out, nil
}

func newCaller(known map[string]SourceOptions, o ClientOptions) (*caller, error) {
	names := o.Sources
	if names == nil {
		for name := range known {
			names = append(names, name)
		}
	}
	c := &caller{
		id: o.ID, secrets: slices.Clone(o.Secrets), names: maps.Clone(o.Names), expires: maps.Clone(o.Expires), passthrough: o.Passthrough, onlyFresh: o.OnlyFresh,
		noNormal: o.NoNormalized, noFacade: o.NoFacade, networks: slices.Clone(o.Networks), certificate: o.Certificate, pace: newPace(o.RequestsPerSecond), sources: map[string]struct{}{},
	}
	for _, name := range names {
		s, ok := known[name]
		if !ok {
			return nil, fmt.Errorf("server options: client %q names the unknown source %q", o.ID, name)
		}
		if c.sees(name) {
			continue
		}
		c.sources[name] = struct{}{}
		profile := s.Profile
		if o.Profile != nil {
			profile = s.Profile.Intersect(o.Profile)
		}
		profile = profile.Under(o.Policy)
		for _, k := range s.Kinds {
			if o.Kinds != nil && !slices.Contains(o.Kinds, k) {
				continue
			}
			c.scopes = append(c.scopes, scope{Series: cache.Series{Source: name, Kind: k}, profile: profile, filter: o.Filter})
		}
	}
	slices.SortFunc(c.scopes, func(a, b scope) int { return compareSeries(a.Series, b.Series) })
	c.policy = policyDigest(c.scopes)
	return c, nil
}

// compareSeries is the order of every list: by source, computers before mobile devices.
func compareSeries(a, b cache.Series) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(kindOrder(a.Kind), kindOrder(b.Kind)))
}

// kindOrder puts computers before mobile devices.
func kindOrder(k device.Kind) int {
	if k == device.Computer {
		return 0
	}
	return 1
}

func policyDigest(scopes []scope) string {
	var text []byte
	for _, sc := range scopes {
		text = fmt.Appendf(text, "%q %q %q %q\n", sc.Source, sc.Kind, sc.profile.Rendering(), sc.filter.Digest())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
