package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"jamf-gateway/gateway/device"
)

// Policy is what is kept of the sources and what leaves to the clients, without anything else that the settings say. Two that
// are equal keep and show the same.
type Policy struct {
	Sources []KeptPolicy   `json:"sources"`
	Clients []ClientPolicy `json:"clients"`
}

// KeptPolicy is what is kept of one kind of one source.
type KeptPolicy struct {
	Source      string      `json:"source"`
	Kind        device.Kind `json:"kind"`
	Profile     string      `json:"profile"`
	Names       bool        `json:"names,omitempty"`       // names for ids are read
	Passthrough []string    `json:"passthrough,omitempty"` // further paths of Jamf, for clients that may ask for them
	Fields      []string    `json:"fields"`                // by Jamf's paths
}

// ClientPolicy is what one client is shown.
type ClientPolicy struct {
	Client      string        `json:"client"`
	Digest      string        `json:"digest"` // that `fields` prints
	View        []string      `json:"view"`   // what leaves devices out: "other_site: North, 7"
	Names       string        `json:"names,omitempty"`
	Users       string        `json:"users,omitempty"`
	Sentinels   string        `json:"sentinels,omitempty"`
	Passthrough bool          `json:"passthrough,omitempty"`
	Endpoints   []string      `json:"endpoints,omitempty"` // the only API by which it may ask
	Shown       []ShownPolicy `json:"shown"`
}

// ShownPolicy is what of one kind of one source a client is shown.
type ShownPolicy struct {
	Source string      `json:"source"`
	Kind   device.Kind `json:"kind"`
	Fields []string    `json:"fields"`
}

// Digest is the SHA-256 over all of it: 64 hex digits.
func (p Policy) Digest() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // texts and flags always can be
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Change is one thing in which a policy differs from the one before.
type Change struct {
	Client, Source string
	Kind           device.Kind
	What           What
	Before, Now    string   // of words
	More, Fewer    []string // of fields
}

// What is in which respect a policy changed.
type What string

// The respects.
const (
	SourceCame    What = "source_came"
	SourceWent    What = "source_went"
	Kept          What = "kept" // More, Fewer
	NamesRead     What = "names_read"
	PathsPassed   What = "paths_passed"
	ClientCame    What = "client_came"
	ClientWent    What = "client_went"
	ShownCame     What = "shown_came"
	ShownWent     What = "shown_went"
	ShownFields   What = "shown" // More, Fewer
	View          What = "view"
	DeviceNames   What = "device_names"
	Users         What = "users"
	Sentinels     What = "sentinels"
	MayPass       What = "may_pass"
	AskedBy       What = "asked_by"
	OtherwiseSeen What = "otherwise" // only the digest tells
)

// Changes tells how p differs from the policy before it.
func (p Policy) Changes(before Policy) []Change {
	out := sourceChanges(before.Sources, p.Sources)
	for _, was := range before.Clients {
		if !slices.ContainsFunc(p.Clients, func(c ClientPolicy) bool { return c.Client == was.Client }) {
			out = append(out, Change{Client: was.Client, What: ClientWent})
		}
	}
	for _, now := range p.Clients {
		i := slices.IndexFunc(before.Clients, func(c ClientPolicy) bool { return c.Client == now.Client })
		if i < 0 {
			out = append(out, Change{Client: now.Client, What: ClientCame})
			continue
		}
		out = append(out, now.changes(before.Clients[i])...)
	}
	return out
}

func sourceChanges(before, now []KeptPolicy) (out []Change) {
	same := func(a, b KeptPolicy) bool { return a.Source == b.Source && a.Kind == b.Kind }
	for _, was := range before {
		if !slices.ContainsFunc(now, func(k KeptPolicy) bool { return same(k, was) }) {
			out = append(out, Change{Source: was.Source, Kind: was.Kind, What: SourceWent})
		}
	}
	for _, k := range now {
		i := slices.IndexFunc(before, func(was KeptPolicy) bool { return same(k, was) })
		if i < 0 {
			out = append(out, Change{Source: k.Source, Kind: k.Kind, What: SourceCame, Now: k.Profile})
			continue
		}
		was := before[i]
		if more, fewer := beyond(k.Fields, was.Fields), beyond(was.Fields, k.Fields); len(more)+len(fewer) > 0 {
			out = append(out, Change{Source: k.Source, Kind: k.Kind, What: Kept, Before: was.Profile, Now: k.Profile, More: more, Fewer: fewer})
		}
		if k.Names != was.Names {
			out = append(out, Change{Source: k.Source, Kind: k.Kind, What: NamesRead, Before: flag(was.Names), Now: flag(k.Names)})
		}
		if !slices.Equal(k.Passthrough, was.Passthrough) {
			out = append(out, Change{
				Source: k.Source, Kind: k.Kind, What: PathsPassed, Before: strings.Join(was.Passthrough, ", "), Now: strings.Join(k.Passthrough, ", "),
			})
		}
	}
	return out
}

func (p ClientPolicy) changes(before ClientPolicy) (out []Change) {
	word := func(what What, was, now string) {
		if was != now {
			out = append(out, Change{Client: p.Client, What: what, Before: was, Now: now})
		}
	}
	word(View, strings.Join(before.View, "; "), strings.Join(p.View, "; "))
	word(DeviceNames, before.Names, p.Names)
	word(Users, before.Users, p.Users)
	word(Sentinels, before.Sentinels, p.Sentinels)
	word(AskedBy, strings.Join(before.Endpoints, ", "), strings.Join(p.Endpoints, ", "))
	word(MayPass, flag(before.Passthrough), flag(p.Passthrough))
	same := func(a, b ShownPolicy) bool { return a.Source == b.Source && a.Kind == b.Kind }
	for _, was := range before.Shown {
		if !slices.ContainsFunc(p.Shown, func(s ShownPolicy) bool { return same(s, was) }) {
			out = append(out, Change{Client: p.Client, Source: was.Source, Kind: was.Kind, What: ShownWent})
		}
	}
	for _, s := range p.Shown {
		i := slices.IndexFunc(before.Shown, func(was ShownPolicy) bool { return same(s, was) })
		if i < 0 {
			out = append(out, Change{Client: p.Client, Source: s.Source, Kind: s.Kind, What: ShownCame})
			continue
		}
		if more, fewer := beyond(s.Fields, before.Shown[i].Fields), beyond(before.Shown[i].Fields, s.Fields); len(more)+len(fewer) > 0 {
			out = append(out, Change{Client: p.Client, Source: s.Source, Kind: s.Kind, What: ShownFields, More: more, Fewer: fewer})
		}
	}
	if len(out) == 0 && p.Digest != before.Digest {
		out = append(out, Change{Client: p.Client, What: OtherwiseSeen})
	}
	return out
}

// flag is how a flag stands in a Change.
func flag(on bool) string {
	if on {
		return "yes"
	}
	return ""
}

// beyond lists what a has and b has not.
func beyond(a, b []string) (out []string) {
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}
