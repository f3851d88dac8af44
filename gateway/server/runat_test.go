package server_test

import (
	"net/http"
	"path/filepath"
	"slices"
	"testing"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// A restart with other settings puts another source at the root, or at a host: the list that was begun there is none of its.
func TestAWalkDoesNotGoOnWithAnotherSourceAtItsAddress(t *testing.T) {
	const page = "/api/v1/computers-inventory?page-size=2&page="
	here := func(names ...string) []server.SourceOptions {
		both := []device.Kind{device.Computer, device.Mobile}
		var out []server.SourceOptions
		for _, name := range names {
			out = append(out, server.SourceOptions{Name: name, Kinds: both, Profile: full(t)})
		}
		return out
	}
	for name, c := range map[string]struct {
		before, after func() []server.SourceOptions
		host          string
	}{
		"the root moves": {
			func() []server.SourceOptions { s := here("schule-a", "schule-b"); s[0].Default = true; return s },
			func() []server.SourceOptions { s := here("schule-a", "schule-b"); s[1].Default = true; return s }, "",
		},
		"a host moves": {
			func() []server.SourceOptions {
				s := here("schule-a", "schule-b")
				s[0].Hosts = []string{"jamf.example"}
				return s
			},
			func() []server.SourceOptions {
				s := here("schule-a", "schule-b")
				s[1].Hosts = []string{"jamf.example"}
				return s
			}, "jamf.example",
		},
		"the source of the root is gone": {
			func() []server.SourceOptions { s := here("schule-a", "schule-b"); s[0].Default = true; return s },
			func() []server.SourceOptions { s := here("schule-b"); s[0].Default = true; return s }, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "runs.json")
			set := func(o *server.Options, sources []server.SourceOptions) {
				o.RunsFile, o.Sources = file, sources
				o.Clients = slices.DeleteFunc(slices.Clone(o.Clients), func(cl server.ClientOptions) bool { return cl.ID != "all" })
			}
			w := newWorld(t, func(o *server.Options) { set(o, c.before()) })
			w.publish("schule-a", device.Computer, computers("AC", 1, 9))
			w.publish("schule-b", device.Computer, computers("BC", 1, 9))
			var headers []string
			if c.host != "" {
				headers = []string{"Host", c.host}
			}
			get := func(n string) reply { return w.get("all", page+n, headers...) }
			for _, n := range []string{"0", "1"} {
				if r := get(n); r.status != http.StatusOK {
					t.Fatal(r)
				}
			}
			if r := w.get("all", "/jamf/schule-b"+page+"0"); r.status != http.StatusOK { // the same list, at an address that stays
				t.Fatal(r)
			}
			w = w.restart(t, func(o *server.Options) { set(o, c.after()) })
			for range 2 {
				if r := get("2"); r.status != http.StatusServiceUnavailable || r.code(t) != "list_expired" {
					t.Errorf("the third page comes from another source: %s", r)
				}
			}
			if r := w.get("all", "/jamf/schule-b"+page+"1"); r.status != http.StatusOK {
				t.Errorf("a walk at an address that stays: %s", r)
			}
			for _, n := range []string{"0", "1", "2"} {
				if r := get(n); r.status != http.StatusOK {
					t.Errorf("a walk that begins again, page %s: %s", n, r)
				}
			}
		})
	}
}
