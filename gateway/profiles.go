package gateway

import (
	"errors"
	"fmt"
	"slices"

	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
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
	return ps, nil
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
func (ps profiles) shown(src config.Source, clients []config.Client) []*device.Profile {
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
		if !slices.ContainsFunc(out, func(have *device.Profile) bool { return have.Digest() == p.Digest() }) {
			out = append(out, p)
		}
	}
	return out
}

func (ps profiles) clients(in []config.Client) []server.ClientOptions {
	out := make([]server.ClientOptions, len(in))
	for i, cl := range in {
		out[i] = server.ClientOptions{ID: cl.ID, Secrets: cl.Secrets, Sources: cl.Sources, Passthrough: cl.Passthrough, OnlyFresh: cl.OnlyFresh}
		if cl.Profile != "" {
			out[i].Profile = ps.named[cl.Profile]
		}
	}
	return out
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
