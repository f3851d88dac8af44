package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/config"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Each file breaks one rule; its .golden holds the exact message. "# env: NAME=VALUE" lines are its environment.
func TestEveryRuleHasItsMessage(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "bad", "*.yaml"))
	if err != nil || len(files) < 50 {
		t.Fatalf("%d bad files, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			data := read(t, file)
			environ := env()
			for line := range strings.Lines(data) {
				if v, ok := strings.CutPrefix(strings.TrimSpace(line), "# env: "); ok {
					environ = append(environ, v)
				}
			}
			c, err := config.Parse([]byte(data), "gateway.yaml", filepath.Join("testdata", "bad"), environ)
			if err == nil {
				t.Fatalf("accepted: %+v", c)
			}
			got, golden := err.Error()+"\n", strings.TrimSuffix(file, ".yaml")+".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(read(t, golden), got); diff != "" {
				t.Errorf("message differs (-want +got):\n%s", diff)
			}
		})
	}
}
