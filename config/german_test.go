package config_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"jamf-gateway/config"
)

// Each message of the bad files has a German sentence: a new message needs one in german.go.
func TestEveryProblemIsSaidInGerman(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "bad", "*.yaml"))
	if err != nil || len(files) < 50 {
		t.Fatalf("%d bad files, %v", len(files), err)
	}
	for _, file := range files {
		data := read(t, file)
		environ := env()
		for line := range strings.Lines(data) {
			if v, ok := strings.CutPrefix(strings.TrimSpace(line), "# env: "); ok {
				environ = append(environ, v)
			}
		}
		_, err := config.Parse([]byte(data), "gateway.yaml", filepath.Join("testdata", "bad"), environ)
		invalid, ok := errors.AsType[*config.InvalidError](err)
		if !ok {
			t.Fatalf("%s: %v", file, err)
		}
		for _, p := range invalid.Problems {
			if de := p.German(); de == p.String() || strings.Contains(de, "%!") || strings.Contains(de, "did you mean") {
				t.Errorf("%s has no German sentence: %s", filepath.Base(file), de)
			}
		}
		if lines := strings.Split(invalid.German(), "\n"); len(lines) < len(invalid.Problems) {
			t.Errorf("%s: %d lines for %d problems", file, len(lines), len(invalid.Problems))
		}
	}
}
