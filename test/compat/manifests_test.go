package compat_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

const deployDir = "../../docs/deploy/"

// TestKubernetesKnowsEveryFieldOfTheManifests decodes them strictly into the types of the Kubernetes API.
func TestKubernetesKnowsEveryFieldOfTheManifests(t *testing.T) {
	data, err := os.ReadFile(deployDir + "kubernetes/jamf-gateway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, part := range bytes.Split(data, []byte("\n---\n")) {
		var head struct{ Kind string }
		if err := yaml.Unmarshal(part, &head); err != nil {
			t.Fatal(err)
		}
		into, ok := map[string]any{
			"StatefulSet": &appsv1.StatefulSet{}, "Service": &corev1.Service{}, "NetworkPolicy": &networkingv1.NetworkPolicy{},
		}[head.Kind]
		if !ok {
			t.Fatalf("unexpected kind %q", head.Kind)
		}
		seen[head.Kind] = true
		if err := yaml.UnmarshalStrict(part, into); err != nil {
			t.Errorf("%s: %v", head.Kind, err)
		}
		if set, ok := into.(*appsv1.StatefulSet); ok && *set.Spec.Replicas != 1 {
			t.Errorf("%d replicas: the data directory belongs to one process", *set.Spec.Replicas)
		}
	}
	if len(seen) != 3 {
		t.Errorf("found %v", seen)
	}
}

// TestComposeAcceptsTheComposeFile loads it with the library of Docker Compose.
func TestComposeAcceptsTheComposeFile(t *testing.T) {
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  deployDir + "compose",
		ConfigFiles: []types.ConfigFile{{Filename: deployDir + "compose/compose.yaml"}},
		Environment: types.Mapping{"VERSION": "v1", "GRAFANA_PASSWORD": "example"},
	}, func(o *loader.Options) { o.SetProjectName("gateway", true) })
	if err != nil {
		t.Fatal(err)
	}
	if gateway := project.Services["gateway"]; !gateway.ReadOnly || gateway.Build == nil || gateway.Image != "jamf-gateway:v1" {
		t.Errorf("the gateway is not built read-only from this tree: %+v", gateway)
	}
	for name, service := range project.Services {
		for _, volume := range service.Volumes {
			if volume.Type != types.VolumeTypeBind || name == "gateway" {
				continue
			}
			if _, err := os.Stat(volume.Source); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
