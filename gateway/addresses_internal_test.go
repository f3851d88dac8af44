package gateway

import (
	"slices"
	"testing"

	"jamf-gateway/config"
)

func TestAnAddressStaysWithItsSourceUntilARestart(t *testing.T) {
	t.Parallel()
	at := func(name string, root bool, hosts ...string) config.Source {
		return config.Source{Name: name, Default: root, Hosts: hosts}
	}
	for name, tc := range map[string]struct {
		was, next, want []config.Source
		differ          []string
	}{
		"the same": {
			[]config.Source{at("a", true), at("b", false)}, []config.Source{at("b", false), at("a", true)}, []config.Source{at("b", false), at("a", true)}, nil,
		},
		"the root moves": {
			[]config.Source{at("a", true), at("b", false)},
			[]config.Source{at("a", false), at("b", true)},
			[]config.Source{at("a", true), at("b", false)},
			[]string{"sources.a.default", "sources.b.default"},
		},
		"the root goes, so that it could move later": {
			[]config.Source{at("a", true)}, []config.Source{at("a", false), at("b", false)}, []config.Source{at("a", true), at("b", false)}, []string{"sources.a.default"},
		},
		"a host moves": {
			[]config.Source{at("a", false, "a.example"), at("b", false, "b.example")},
			[]config.Source{at("a", false), at("b", false, "b.example", "a.example")},
			[]config.Source{at("a", false, "a.example"), at("b", false, "b.example")},
			[]string{"sources.a.hosts", "sources.b.hosts"},
		},
		"the last host goes, and its name is the root's": {
			[]config.Source{at("a", false, "a.example"), at("b", true)},
			[]config.Source{at("a", false), at("b", true)},
			[]config.Source{at("a", false, "a.example"), at("b", true)},
			[]string{"sources.a.hosts"},
		},
		"the first host was the root's before": {
			[]config.Source{at("a", true)}, []config.Source{at("a", true), at("b", false, "b.example")}, []config.Source{at("a", true), at("b", false)}, []string{"sources.b.hosts"},
		},
		"addresses of nobody": {
			[]config.Source{at("a", false, "a.example")},
			[]config.Source{at("a", false, "a.example"), at("b", true, "b.example")},
			[]config.Source{at("a", false, "a.example"), at("b", true, "b.example")},
			nil,
		},
	} {
		next := &config.Config{Sources: slices.Clone(tc.next)}
		differ := keepAddresses(next, &config.Config{Sources: tc.was}, "")
		if !slices.Equal(differ, tc.differ) {
			t.Errorf("%s: waits for a restart: %q, want %q", name, differ, tc.differ)
		}
		for i, want := range tc.want {
			if got := next.Sources[i]; got.Default != want.Default || !slices.Equal(got.Hosts, want.Hosts) {
				t.Errorf("%s: source %s is at %v %q, want %v %q", name, got.Name, got.Default, got.Hosts, want.Default, want.Hosts)
			}
		}
	}
}
