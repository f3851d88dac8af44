package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"jamf-gateway/config"
)

// withoutTLS tells whether plain HTTP is wanted where other machines can reach it. It asks before anything is written: the
// settings would be refused, and every answer lost.
func (c initCommand) withoutTLS(a *asker) (bool, error) {
	wanted := c.InsecureHTTP || variable(a.s.env, "JAMF_GATEWAY_INSECURE_HTTP") == "true"
	if wanted || !config.Exposed(c.Listen) {
		return c.InsecureHTTP, nil
	}
	yes, err := a.yes(text{
		"  " + c.Listen + " can be reached from other machines, and there is no certificate. Does a proxy in front of it do TLS?",
		"  " + c.Listen + " ist von anderen Rechnern erreichbar, und es gibt kein Zertifikat. Übernimmt ein Proxy davor TLS?",
	})
	if err == nil && !yes {
		err = spoken(text{
			"--listen: %s can be reached from other machines, and there is no TLS: name --tls-cert and --tls-key, or --insecure-http where a proxy does TLS",
			"--listen: %s ist von anderen Rechnern erreichbar, und es gibt kein TLS: Nennen Sie --tls-cert und --tls-key, oder --insecure-http, wo ein Proxy TLS übernimmt",
		}, c.Listen)
	}
	return yes, err
}

// tellWhatEnds says, before anything is asked, what is lost with the settings that --force replaces.
func (c initCommand) tellWhatEnds(s streams) {
	if !c.Force {
		return
	}
	old, err := config.LoadOutline(c.Config, s.env)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		_, _ = fmt.Fprintln(s.err, s.say(text{
			"WARNING: --force replaces %s, which cannot be read as settings. The secrets of clients in it end.",
			"WARNUNG: --force ersetzt %s; die Datei ist als Einstellungen nicht lesbar. Secrets von Clients darin enden.",
		}, c.Config))
	default:
		var ids []string
		for _, cl := range old.Clients {
			ids = append(ids, cl.ID)
		}
		_, _ = fmt.Fprintln(s.err, s.say(text{
			"WARNING: --force replaces %s. These end with it: the secrets of the clients %s; the settings of the sources %s.",
			"WARNUNG: --force ersetzt %s. Damit enden: die Secrets der Clients %s; die Einstellungen der Quellen %s.",
		}, c.Config, strings.Join(ids, ", "), strings.Join(sourceNames(old), ", "))+s.ownProfiles(old))
	}
}

// ownProfiles names the profiles of settings that are lost.
func (s streams) ownProfiles(old *config.Config) string {
	names := slices.Sorted(maps.Keys(old.Profiles))
	if len(names) == 0 {
		return ""
	}
	return " " + s.say(text{"And the profiles %s.", "Und die Profile %s."}, strings.Join(names, ", "))
}
