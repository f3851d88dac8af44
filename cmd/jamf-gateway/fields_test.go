package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jamf-gateway/gateway"
	"jamf-gateway/gateway/device"
)

func TestFieldsPrintsWhatLeavesToEachClient(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	write(t, file, `sources:
  - {name: a, url: "https://a.jamfcloud.com/api", client_id: x, client_secret: "env:NOT_SET", profile: with-user}
  - {name: b, url: "https://b.jamfcloud.com/api", client_id: x, client_secret: "env:NOT_SET", kinds: [mobile]}
clients:
  - {id: all, secrets: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"]}
  - {id: pads, secrets: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25d"], kinds: [mobile], endpoints: [normalized]}
  - {id: jamf, secrets: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25e"], endpoints: [facade]}
  - id: north
    secrets: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25c"]
    sources: [a]
    view: {managed_only: true, sites: [North, "7"], names: serial, users: pseudonym}
`)
	r := command(t, nil, "fields", "--config", file, "--format", "json")
	var all []gateway.ClientLeaving
	if err := json.Unmarshal([]byte(r.out), &all); err != nil || r.code != exitGood || len(all) != 4 {
		t.Fatalf("%d, %v: %s%s", r.code, err, r.out, r.err)
	}
	if pads := all[1]; len(pads.Sources) != 2 || pads.Sources[0].Kind != device.Mobile || pads.Sources[1].Kind != device.Mobile || !slices.Equal(pads.Endpoints, []string{"normalized"}) || all[0].Endpoints != nil {
		t.Errorf("to a client of mobile devices: %+v", pads)
	}
	for client, want := range map[string]string{"pads": "By the normalized API alone.\n\na, mobile", "jamf": "By Jamf's API alone.\n"} {
		if r := command(t, nil, "fields", "--config", file, "--client", client, "--lang", "en"); !strings.Contains(r.out, want) || strings.Contains(r.out, "computer") != (client == "jamf") {
			t.Errorf("%s: %s", client, r.out)
		}
	}
	all = []gateway.ClientLeaving{all[0], all[3]}
	withUser, _ := device.BuiltinProfile("with-user")
	minimal, _ := device.BuiltinProfile("minimal")
	if n := len(all[0].Sources); n != 3 || len(all[0].Sources[0].Fields) != len(withUser.Paths(device.Computer)) || len(all[0].Sources[2].Fields) != len(minimal.Paths(device.Mobile)) {
		t.Errorf("%d series to the first client", n)
	}
	shown := map[string]string{}
	for _, f := range all[1].Sources[0].Fields {
		shown[f.Path] = f.As
	}
	if shown["general.name"] != "serial" || shown["userAndLocation.username"] != "pseudonym" || shown["userAndLocation.room"] != "" || all[0].Policy == all[1].Policy {
		t.Errorf("%v", shown)
	}
	if _, leaves := shown["userAndLocation.phone"]; leaves {
		t.Error("the phone of a user leaves under a pseudonym")
	}
	for format, want := range map[string][]string{
		"text":     {"Client north (policy ", "  other_site: North, 7\n", "a, computer: 12", "  identity    general.name (name) -> serial\n"},
		"markdown": {"## Client north (policy ", "- unmanaged\n", "### a, mobile: ", "| `general.name` | name | identity | serial |\n"},
	} {
		r := command(t, nil, "fields", "--config", file, "--client", "north", "--format", format, "--lang", "en")
		for _, w := range want {
			if !strings.Contains(r.out, w) {
				t.Errorf("%s: no %q in\n%s%s", format, w, r.out, r.err)
			}
		}
		if strings.Contains(r.out, "Client all") {
			t.Error("another client is printed")
		}
	}
	if r := command(t, nil, "fields", "--config", file, "--client", "south"); r.code != exitUsage || !strings.Contains(r.err, "all, pads, jamf, north") {
		t.Errorf("%d: %s", r.code, r.err)
	}
}
