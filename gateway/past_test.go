package gateway_test

import (
	"os"
	"path/filepath"
	"testing"

	"jamf-gateway/config"
	"jamf-gateway/gateway"
)

func TestThePastOfASourceIsReadWithoutAGateway(t *testing.T) {
	c := &config.Config{DataDir: t.TempDir()}
	src := config.Source{Name: "a", Kinds: []string{"computer", "mobile"}}
	past := func(want string, good bool) {
		t.Helper()
		p, err := gateway.ReadPast(c, src)
		if string(p.Last) != want || (err == nil) != good || p.Source != "a" || len(p.Generations) != 0 {
			t.Errorf("%s, %+v, %v", p.Last, p, err)
		}
	}
	past("null", true)
	put := func(name, text string) {
		t.Helper()
		path := filepath.Join(c.DataDir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(".schedule/a.json", `{"format":1}`)
	past(`{"format":1}`, true)
	put("a/computer/manifest.json", `{`)
	past(`{"format":1}`, false)
	put(".schedule/a.json", `{"form`)
	past("null", false)
	if clients, _, err := gateway.ReadUsage(c); err != nil || len(clients) != 0 {
		t.Errorf("usage: %v %v", clients, err)
	}
}
