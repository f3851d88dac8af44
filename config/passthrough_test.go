package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/config"
)

func TestFurtherPathsAreOffAndReadAsTheyStand(t *testing.T) {
	if c := parse(t, small); c.Sources[0].Passthrough != nil || c.Clients[0].Passthrough {
		t.Error("passed on without being asked for")
	}
	listed := strings.Replace(small, "client_id: cid", `passthrough: [{path: /v1/departments}, {path: "/v1/computer-groups/{id}", ttl: 10m}], client_id: cid`, 1)
	c := parse(t, listed)
	want := []config.Passthrough{{Path: "/v1/departments", TTL: time.Hour}, {Path: "/v1/computer-groups/{id}", TTL: 10 * time.Minute}}
	if diff := cmp.Diff(want, c.Sources[0].Passthrough); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].Text, "no client may use it") {
		t.Errorf("warnings %v", c.Warnings)
	}
	if c = parse(t, strings.Replace(small, "id: inventory360", "id: inventory360, passthrough: true", 1)); len(c.Warnings) != 1 ||
		!strings.Contains(c.Warnings[0].Text, "no source of this client") {
		t.Errorf("warnings %v", c.Warnings)
	}
}
