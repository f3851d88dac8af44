package usage

import (
	"cmp"
	"slices"
	"time"
)

// Bounds of what is kept of the secrets of one client: those that live are two.
const (
	maxSecrets    = 8
	maxSecretName = 32
)

// Secret is when one secret of a client was last used: whether an old one can be removed shows here.
type Secret struct {
	Name        string `json:"name"` // what the settings call it, or the begin of its digest
	LastToken   Moment `json:"lastTokenAt"`
	LastRequest Moment `json:"lastRequestAt"` // with a token of it
}

// secrets are the last uses by the names of secrets.
type secrets map[string]lastUse

// lastUse is when a token was last given, and when one was last used.
type lastUse struct{ token, request time.Time }

// newest is the later of the two.
func (u lastUse) newest() time.Time {
	if u.token.After(u.request) {
		return u.token
	}
	return u.request
}

// note notes a use at a moment.
func (u *lastUse) note(token bool, at time.Time) {
	if token {
		u.token = at
	} else {
		u.request = at
	}
}

// use notes a use of a secret. The one that was not used for longest makes room.
func (s secrets) use(name string, token bool, at time.Time) {
	if name == "" {
		return
	}
	one := s[name]
	one.note(token, at)
	s.put(name, one)
}

func (s secrets) put(name string, one lastUse) {
	if _, known := s[name]; !known && len(s) >= maxSecrets {
		oldest := ""
		for n, u := range s {
			if oldest == "" || u.newest().Before(s[oldest].newest()) {
				oldest = n
			}
		}
		delete(s, oldest)
	}
	s[name] = one
}

func (s secrets) page() []Secret {
	out := []Secret{}
	for name, u := range s {
		out = append(out, Secret{name, Moment{u.token}, Moment{u.request}})
	}
	slices.SortFunc(out, func(a, b Secret) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func (s secrets) load(list []Secret) {
	for _, one := range list {
		if one.Name != "" && len(one.Name) <= maxSecretName {
			s.put(one.Name, lastUse{one.LastToken.Time, one.LastRequest.Time})
		}
	}
}
