package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
	"jamf-gateway/gateway/syncer"
)

// profiles are the compiled allow-lists by name.
type profiles struct {
	named map[string]*device.Profile
}

// compileProfiles compiles what the settings name. An own profile may extend a built-in one or another own one.
func compileProfiles(c *config.Config) (profiles, error) {
	ps := profiles{named: map[string]*device.Profile{}}
	for name := range c.Profiles {
		if _, err := ps.resolve(c, name, nil); err != nil {
			return ps, err
		}
	}
	for _, s := range c.Sources {
		if _, err := ps.resolve(c, s.Profile, nil); err != nil {
			return ps, fmt.Errorf("sources.%s.profile: %w", s.Name, err)
		}
	}
	for _, cl := range c.Clients {
		if cl.Profile == "" {
			continue
		}
		if _, err := ps.resolve(c, cl.Profile, nil); err != nil {
			return ps, fmt.Errorf("clients.%s.profile: %w", cl.ID, err)
		}
	}
	return ps, ps.within(c)
}

// within refuses a client that would be shown more than one of its sources keeps: a list of fields that nothing stands behind would
// be believed, and become true on the day on which somebody widens the source.
func (ps profiles) within(c *config.Config) error {
	var problems []config.Problem
	for _, cl := range c.Clients {
		for _, src := range c.Sources {
			if cl.Profile == "" || !seesSource(cl, src.Name) {
				continue
			}
			if beyond := ps.beyond(cl.Profile, src); len(beyond) > 0 {
				problems = append(problems, problemAt(c, "clients."+cl.ID+".profile", fmt.Sprintf(
					"%s shows %d fields that source %s does not keep with %s, %s the first; give the source a wider profile or the client a narrower one",
					cl.Profile, len(beyond), src.Name, src.Profile, beyond[0])))
			}
		}
	}
	if problems = append(problems, ps.serials(c)...); len(problems) > 0 {
		return &config.InvalidError{Problems: problems}
	}
	return nil
}

// serials refuses views that go by serial numbers which are not there: to be shown as names, or to find duplicates.
func (ps profiles) serials(c *config.Config) (problems []config.Problem) {
	for _, cl := range c.Clients {
		for _, src := range c.Sources {
			if !seesSource(cl, src.Name) {
				continue
			}
			for _, k := range kindsFor(cl, src) {
				problems = append(problems, ps.serialsOf(c, cl, src, k)...)
			}
		}
	}
	return problems
}

func (ps profiles) serialsOf(c *config.Config, cl config.Client, src config.Source, k device.Kind) (problems []config.Problem) {
	const serial = "identity.serialNumber"
	kept := ps.named[src.Profile]
	shown := kept
	if cl.Profile != "" {
		shown = ps.named[cl.Profile]
	}
	if cl.View.Names == device.NamesSerial && !shown.Allows(k, serial) {
		problems = append(problems, problemAt(c, "clients."+cl.ID+".view.names",
			fmt.Sprintf("serial needs the serial number, which profile %s does not show of a %s", shown.Name(), k)))
	}
	if cl.View.NewestDuplicate && !kept.Allows(k, serial) {
		problems = append(problems, problemAt(c, "clients."+cl.ID+".view.duplicates",
			fmt.Sprintf("newest needs the serial number, which source %s does not keep of a %s", src.Name, k)))
	}
	return problems
}

// kindsFor are the kinds of a source that a client is shown.
func kindsFor(cl config.Client, src config.Source) []device.Kind {
	return slices.DeleteFunc(kindsOf(src), func(k device.Kind) bool { return cl.Kinds != nil && !slices.Contains(cl.Kinds, string(k)) })
}

// kindsNamed are kinds as the settings name them; nil stays nil, which is all.
func kindsNamed(words []string) (out []device.Kind) {
	for _, w := range words {
		out = append(out, device.Kind(w))
	}
	return out
}

func seesSource(cl config.Client, source string) bool {
	return cl.Sources == nil || slices.Contains(cl.Sources, source)
}

// beyond lists what a profile shows and a source does not keep: "computer:general.barcode1".
func (ps profiles) beyond(profile string, src config.Source) (out []string) {
	for _, k := range kindsOf(src) {
		for _, path := range ps.named[profile].Beyond(ps.named[src.Profile], k) {
			out = append(out, string(k)+":"+path)
		}
	}
	return out
}

// problemAt is a problem of a setting, by its place in the file where that is known.
func problemAt(c *config.Config, setting, text string) config.Problem {
	p, known := c.Places[setting]
	if !known {
		p = config.Problem{File: c.File, Setting: setting}
	}
	p.Text = text
	return p
}

// resolve compiles one profile after those that it extends; seen are the ones on the way.
func (ps profiles) resolve(c *config.Config, name string, seen []string) (*device.Profile, error) {
	if p, ok := ps.named[name]; ok {
		return p, nil
	}
	own, ok := c.Profiles[name]
	if !ok {
		p, ok := device.BuiltinProfile(name)
		if !ok {
			return nil, fmt.Errorf("unknown profile %q", name)
		}
		ps.named[name] = p
		return p, nil
	}
	if slices.Contains(seen, name) {
		return nil, fmt.Errorf("profiles.%s: extends itself", name)
	}
	var base *device.Profile
	if own.Extends != "" {
		var err error
		if base, err = ps.resolve(c, own.Extends, append(seen, name)); err != nil {
			return nil, fmt.Errorf("profiles.%s.extends: %w", name, err)
		}
	}
	p, err := device.NewProfile(name, base, own.Fields)
	if err != nil {
		return nil, unknownFields(name, own, err)
	}
	omit := base != nil && base.Omits()
	if own.Dropped != "" {
		omit = own.Dropped == config.DroppedOmit
	}
	p = p.Omitting(omit)
	ps.named[name] = p
	return p, nil
}

// unknownFields names each field that no profile can keep by its place in the settings.
func unknownFields(name string, own config.Profile, err error) error {
	var problems []config.Problem
	for i, f := range own.Fields {
		_, bad := device.NewProfile(name, nil, []string{f})
		if bad == nil || i >= len(own.Places) {
			continue
		}
		p := own.Places[i]
		if unknown, ok := errors.AsType[*device.UnknownFieldError](bad); ok {
			p.Text = fmt.Sprintf("there is no field %q; did you mean %s?", unknown.Field, unknown.Nearest)
		} else {
			p.Text = fmt.Sprintf("%q is a secret or a person's place, which no profile keeps: whoever gets hold of the data must not find it there", f)
		}
		problems = append(problems, p)
	}
	if len(problems) == 0 { // settings that no file holds
		return fmt.Errorf("profiles.%s: %w", name, err)
	}
	return &config.InvalidError{Problems: problems}
}

// shown lists the distinct views of a source that its clients have; they are rendered ahead.
func (ps profiles) shown(src config.Source, clients []config.Client, key [32]byte) []*device.Profile {
	var out []*device.Profile
	kept := ps.named[src.Profile]
	for _, cl := range clients {
		if cl.Sources != nil && !slices.Contains(cl.Sources, src.Name) {
			continue
		}
		p := kept
		if cl.Profile != "" {
			p = kept.Intersect(ps.named[cl.Profile])
		}
		p = p.Under(policyOf(cl, key))
		if !slices.ContainsFunc(out, func(have *device.Profile) bool { return have.Rendering() == p.Rendering() }) {
			out = append(out, p)
		}
	}
	return out
}

func (ps profiles) clients(in []config.Client, key [32]byte) []server.ClientOptions {
	out := make([]server.ClientOptions, len(in))
	for i, cl := range in {
		out[i] = server.ClientOptions{ID: cl.ID, Secrets: cl.Secrets, Names: secretNames(cl), Expires: expiries(cl), Sources: cl.Sources, Passthrough: cl.Passthrough, OnlyFresh: cl.OnlyFresh, Filter: filterOf(cl.View), Policy: policyOf(cl, key), RequestsPerSecond: cl.RequestsPerSecond, Kinds: kindsNamed(cl.Kinds), Networks: cl.Networks, Certificate: server.Certificate(cl.Certificate)}
		if cl.Endpoints != nil {
			out[i].NoNormalized, out[i].NoFacade = !slices.Contains(cl.Endpoints, config.EndpointNormalized), !slices.Contains(cl.Endpoints, config.EndpointFacade)
		}
		if cl.Profile != "" {
			out[i].Profile = ps.named[cl.Profile]
		}
	}
	return out
}

// expiries are the ends of those secrets of a client that have one.
func expiries(cl config.Client) map[[32]byte]time.Time {
	out := map[[32]byte]time.Time{}
	for hash, terms := range cl.Terms {
		if !terms.Expires.IsZero() {
			out[hash] = terms.Expires
		}
	}
	return out
}

// secretNames are those of the secrets of a client that have one.
func secretNames(cl config.Client) map[[32]byte]string {
	out := map[[32]byte]string{}
	for hash, terms := range cl.Terms {
		if terms.Name != "" {
			out[hash] = terms.Name
		}
	}
	return out
}

// filterOf is which devices a client is shown.
func filterOf(v config.View) device.Filter {
	return device.Filter{
		ManagedOnly: v.ManagedOnly, NoPersonal: v.NoBYOD, WithSerial: v.WithSerial, Sites: v.Sites, Groups: v.Groups,
		NamePrefixes: v.Prefixes, NewestOfSerial: v.NewestDuplicate,
	}
}

// policyOf is how a client is shown what names people. Each has a key of its own, so that two cannot put their lists side by side.
func policyOf(cl config.Client, key [32]byte) device.Policy {
	p := device.Policy{Names: cl.View.Names, Users: cl.View.Users, NullSentinels: cl.View.DropSentinels}
	if p.Names == device.Pseudonyms || p.Users == device.Pseudonyms {
		h := hmac.New(sha256.New, key[:])
		_, _ = h.Write([]byte("jamf-gateway pseudonyms 1\x00" + cl.ID)) // it never fails
		copy(p.Key[:], h.Sum(nil))
	}
	return p
}

// views are those of the clients that are shown a part of a source.
func views(c *config.Config, source string) []syncer.View {
	var out []syncer.View
	for _, cl := range c.Clients {
		if f := filterOf(cl.View); seesSource(cl, source) && !f.ShowsAll() {
			out = append(out, syncer.View{Client: cl.ID, Filter: f, Kinds: kindsNamed(cl.Kinds)})
		}
	}
	return out
}

// termsOf are what those views ask of each device.
func termsOf(c *config.Config, source string) []string {
	var out []string
	for _, v := range views(c, source) {
		out = append(out, v.Filter.Terms()...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func kindsOf(src config.Source) []device.Kind {
	var out []device.Kind
	for _, k := range []device.Kind{device.Computer, device.Mobile} {
		if len(src.Kinds) == 0 || slices.Contains(src.Kinds, string(k)) {
			out = append(out, k)
		}
	}
	return out
}

// shortHash is 16 hex digits.
func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}
