package report_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/report"
)

func TestWhatChangedBetweenTwoPoliciesIsNamed(t *testing.T) {
	source := func(p *report.Policy) *report.KeptPolicy { return &p.Sources[0] }
	client := func(p *report.Policy) *report.ClientPolicy { return &p.Clients[0] }
	for name, tc := range map[string]struct {
		change func(p *report.Policy)
		want   []report.Change
	}{
		"nothing":      {func(*report.Policy) {}, nil},
		"a source":     {func(p *report.Policy) { source(p).Source = "b" }, []report.Change{{Source: "a", Kind: device.Computer, What: report.SourceWent}, {Source: "b", Kind: device.Computer, What: report.SourceCame, Now: "minimal"}}},
		"what is kept": {func(p *report.Policy) { source(p).Fields, source(p).Profile = []string{"id", "udid"}, "own" }, []report.Change{{Source: "a", Kind: device.Computer, What: report.Kept, Before: "minimal", Now: "own", More: []string{"udid"}, Fewer: []string{"general.name"}}}},
		"names":        {func(p *report.Policy) { source(p).Names = true }, []report.Change{{Source: "a", Kind: device.Computer, What: report.NamesRead, Now: "yes"}}},
		"paths":        {func(p *report.Policy) { source(p).Passthrough = []string{"/v1/sites"} }, []report.Change{{Source: "a", Kind: device.Computer, What: report.PathsPassed, Now: "/v1/sites"}}},
		"a client":     {func(p *report.Policy) { client(p).Client = "d" }, []report.Change{{Client: "c", What: report.ClientWent}, {Client: "d", What: report.ClientCame}}},
		"a view":       {func(p *report.Policy) { client(p).View = []string{"personal"} }, []report.Change{{Client: "c", What: report.View, Now: "personal"}}},
		"device names": {func(p *report.Policy) { client(p).Names = "serial" }, []report.Change{{Client: "c", What: report.DeviceNames, Now: "serial"}}},
		"users":        {func(p *report.Policy) { client(p).Users = "drop" }, []report.Change{{Client: "c", What: report.Users, Now: "drop"}}},
		"sentinels":    {func(p *report.Policy) { client(p).Sentinels = "drop" }, []report.Change{{Client: "c", What: report.Sentinels, Now: "drop"}}},
		"may pass":     {func(p *report.Policy) { client(p).Passthrough = true }, []report.Change{{Client: "c", What: report.MayPass, Now: "yes"}}},
		"one API":      {func(p *report.Policy) { client(p).Endpoints = []string{"facade"} }, []report.Change{{Client: "c", What: report.AskedBy, Now: "facade"}}},
		"fewer shown":  {func(p *report.Policy) { client(p).Shown[0].Fields = []string{"id"} }, []report.Change{{Client: "c", Source: "a", Kind: device.Computer, What: report.ShownFields, Fewer: []string{"general.name"}}}},
		"another kind": {func(p *report.Policy) { client(p).Shown[0].Kind = device.Mobile }, []report.Change{{Client: "c", Source: "a", Kind: device.Computer, What: report.ShownWent}, {Client: "c", Source: "a", Kind: device.Mobile, What: report.ShownCame}}},
		"only a hash":  {func(p *report.Policy) { client(p).Digest = "2" }, []report.Change{{Client: "c", What: report.OtherwiseSeen}}},
	} {
		before, now := policyOf("id", "general.name"), policyOf("id", "general.name")
		tc.change(&now)
		if diff := cmp.Diff(tc.want, now.Changes(before)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		if same := now.Digest() == before.Digest(); same != (tc.want == nil) {
			t.Errorf("%s: the same digest: %v", name, same)
		}
	}
}
