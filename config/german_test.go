package config_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
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

func TestASettingsFileThatCannotBeReadIsNamedInBothLanguages(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "gateway.yaml")
	large := filepath.Join(t.TempDir(), "large.yaml")
	if err := os.WriteFile(large, bytes.Repeat([]byte("#\n"), 1<<19+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		err             error
		english, german string
	}{
		{loadError(absent), "read the settings: open " + absent + ": no such file or directory", "Einstellungen lesen: " + absent + " gibt es nicht"},
		{loadError(large), "read the settings: " + large + " is larger than 1 MiB", "Einstellungen lesen: " + large + " ist größer als 1 MiB"},
		{&config.UnreadableError{Path: "a", Err: &fs.PathError{Op: "open", Path: "a", Err: fs.ErrPermission}}, "read the settings: open a: permission denied", "Einstellungen lesen: a darf dieser Benutzer nicht lesen"},
		{loadError(t.TempDir()), "is a directory", "is a directory"},
	} {
		unreadable, ok := errors.AsType[*config.UnreadableError](c.err)
		if !ok || !strings.HasSuffix(c.err.Error(), c.english) || !strings.HasSuffix(unreadable.German(), c.german) {
			t.Errorf("%v, want %s and %s", c.err, c.english, c.german)
		}
	}
}

func loadError(path string) error {
	_, err := config.Load(path, nil)
	return err
}
