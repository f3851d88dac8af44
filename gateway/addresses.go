package gateway

import (
	"slices"

	"jamf-gateway/config"
)

// keepAddresses lets every address at which a source is served now stay that source's, and names the settings that say otherwise. The list of
// another school behind the address that a client reads would be, to an asset system, that all its devices are gone. Those of leaving, the
// source that an operator removes, may become nobody's.
func keepAddresses(next, was *config.Config, leaving string) (differ []string) {
	hosts := []string{""} // the gateway itself
	for _, src := range slices.Concat(was.Sources, next.Sources) {
		hosts = append(hosts, src.Hosts...)
	}
	if !slices.ContainsFunc(hosts, func(host string) bool {
		before, after := servedAt(was, host), servedAt(next, host)
		gone := after == "" && before == leaving
		return before != "" && after != before && !gone
	}) {
		return nil
	}
	for i := range next.Sources {
		src := &next.Sources[i]
		var old config.Source // of a new source: no address yet
		if at := slices.IndexFunc(was.Sources, func(s config.Source) bool { return s.Name == src.Name }); at >= 0 {
			old = was.Sources[at]
		}
		if src.Default != old.Default {
			differ = append(differ, "sources."+src.Name+".default")
		}
		if !slices.Equal(src.Hosts, old.Hosts) {
			differ = append(differ, "sources."+src.Name+".hosts")
		}
		src.Default, src.Hosts = old.Default, old.Hosts
	}
	return differ
}

// servedAt is the source at the root of a host, "" = none. The host "" is the gateway itself.
func servedAt(c *config.Config, host string) string {
	root, all := "", 0
	for _, src := range c.Sources {
		if host != "" && slices.Contains(src.Hosts, host) {
			return src.Name
		}
		if all += len(src.Hosts); src.Default {
			root = src.Name
		}
	}
	if host == "" || all == 0 || slices.Contains(ownNames(c), host) {
		return root
	}
	return ""
}
