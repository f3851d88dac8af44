package gateway

import (
	"cmp"
	"slices"
	"strings"

	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
)

// ClientLeaving is exactly what leaves to one client.
type ClientLeaving struct {
	Client  string          `json:"client"`
	Policy  string          `json:"policy"` // digest over what follows: it changes when what leaves does
	View    []ViewLeaving   `json:"view"`   // what leaves devices out; none = nothing does
	Sources []SourceLeaving `json:"sources"`

	Endpoints []string `json:"endpoints,omitempty"` // the only API by which it may ask; none = by both
}

// ViewLeaving is one condition of a view: the reason for which a device is left out, and the names that let it in.
type ViewLeaving struct {
	Reason device.Reason `json:"reason"`
	Names  []string      `json:"names,omitempty"`
}

// SourceLeaving is one kind of one source.
type SourceLeaving struct {
	Source string         `json:"source"`
	Kind   device.Kind    `json:"kind"`
	Fields []FieldLeaving `json:"fields"`
}

// FieldLeaving is one field.
type FieldLeaving struct {
	Path       string   `json:"path"`                 // Jamf's
	Normalized []string `json:"normalized,omitempty"` // of the normalized device
	Class      string   `json:"class"`
	As         string   `json:"as,omitempty"` // serial, strip_owner, pseudonym; "" = as it is
}

// Leaving tells what leaves to each client, by the tables that enforce it. The settings must have been accepted by Check or New.
func Leaving(c *config.Config) ([]ClientLeaving, error) {
	ps, err := compileProfiles(c)
	if err != nil {
		return nil, err
	}
	out := make([]ClientLeaving, 0, len(c.Clients))
	for _, cl := range c.Clients {
		one := ClientLeaving{Client: cl.ID, View: LeftOut(cl.View), Sources: []SourceLeaving{}}
		digest := []string{filterOf(cl.View).Digest()}
		if one.Endpoints = onlyEndpoints(cl); one.Endpoints != nil {
			digest = append(digest, "endpoints "+strings.Join(one.Endpoints, " "))
		}
		if len(cl.Kinds) == 1 { // the digests of others stay what they were
			digest = append(digest, "kinds "+cl.Kinds[0])
		}
		sources := slices.SortedFunc(slices.Values(c.Sources), func(a, b config.Source) int { return cmp.Compare(a.Name, b.Name) })
		for _, src := range sources {
			if !seesSource(cl, src.Name) {
				continue
			}
			shown := ps.shown(src, []config.Client{cl}, [32]byte{})[0]
			digest = append(digest, src.Name, shown.View())
			for _, k := range kindsFor(cl, src) {
				s := SourceLeaving{Source: src.Name, Kind: k, Fields: []FieldLeaving{}}
				for _, f := range shown.Leaving(k) {
					s.Fields = append(s.Fields, FieldLeaving(f))
				}
				one.Sources = append(one.Sources, s)
			}
		}
		one.Policy = shortHash(strings.Join(digest, "\x00"))
		out = append(out, one)
	}
	return out, nil
}

// onlyEndpoints is the one of a client that may not use both.
func onlyEndpoints(cl config.Client) []string {
	if len(cl.Endpoints) > 1 {
		return nil
	}
	return cl.Endpoints
}

// LeftOut lists the conditions of a view as a person wrote them.
func LeftOut(v config.View) []ViewLeaving {
	out := []ViewLeaving{}
	for _, c := range filterOf(v).Conditions() {
		one := ViewLeaving{Reason: c.Reason}
		switch c.Reason {
		case device.OtherSite:
			one.Names = v.Sites
		case device.OtherGroup:
			one.Names = v.Groups
		case device.OtherName:
			one.Names = v.Prefixes
		}
		out = append(out, one)
	}
	if v.NewestDuplicate {
		out = append(out, ViewLeaving{Reason: device.OlderTwin})
	}
	return out
}
