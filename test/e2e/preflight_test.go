//go:build e2e

package e2e_test

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"jamf-gateway/gateway/catalogue"
	"jamf-gateway/test/fakejamf"
)

// found is what of `preflight --json` is looked at here.
type found struct {
	OK    bool
	Steps []struct{ Result, Code, Action string }
	Kinds []struct {
		Kind                    string
		Count, Read, Unreadable int
	}
	Problem *struct{ Code, Action string }
}

// preflight runs the real program, which cannot write a byte into any file, and fails where it leaves one behind.
func preflight(t *testing.T, bin string, fake *fakejamf.Server) (found, int) {
	t.Helper()
	srv := httptest.NewServer(fake)
	defer srv.Close()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `ulimit -f 0; exec "$@"`, "sh", bin, "preflight", srv.URL, "--allow-insecure-loopback", "--json", "--sample", "0")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "TMPDIR="+dir, "XDG_CACHE_HOME="+dir, "XDG_CONFIG_HOME="+dir, "JAMF_CLIENT_ID=demo", "JAMF_CLIENT_SECRET=demo-secret")
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left behind, %v", left, err)
	}
	var f found
	if err := json.Unmarshal(out, &f); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "demo-secret") {
		t.Error("the secret is printed")
	}
	return f, cmd.ProcessState.ExitCode()
}

func TestPreflightOfACalmJamfCountsEverything(t *testing.T) {
	t.Parallel()
	f, code := preflight(t, program(t), fakejamf.New(fakejamf.Options{Computers: 700, Mobiles: 300, Seed: 4}))
	if code != 0 || !f.OK || len(f.Kinds) != 2 || f.Kinds[0].Read != 700 || f.Kinds[0].Count != 700 || f.Kinds[1].Read != 300 {
		t.Errorf("exit code %d, %+v", code, f)
	}
}

// On a bad day it says nothing that is not so: it read nearly all, or names what went wrong with a sentence on what to do.
func TestPreflightOfAHostileJamfCountsOrSaysWhyNot(t *testing.T) {
	t.Parallel()
	bin := program(t)
	for seed := range uint64(4) {
		o := fakejamf.Options{Computers: 260, Mobiles: 140, Seed: seed}.Hostile()
		f, code := preflight(t, bin, fakejamf.New(o))
		codes := []struct{ Code, Action string }{}
		for _, s := range f.Steps {
			if s.Result == "failed" {
				codes = append(codes, struct{ Code, Action string }{s.Code, s.Action})
			}
		}
		if f.Problem != nil {
			codes = append(codes, *f.Problem)
		}
		if f.OK != (code == 0) || f.OK != (len(codes) == 0) {
			t.Errorf("seed %d: exit code %d, %+v", seed, code, f)
		}
		for _, c := range codes {
			if e, ok := catalogue.Lookup(c.Code); !ok || c.Action != e.Action.EN {
				t.Errorf("seed %d: %+v", seed, c)
			}
		}
		for _, k := range f.Kinds {
			if f.OK && (k.Read+k.Unreadable < k.Count*95/100 || k.Read > k.Count*105/100 || k.Unreadable > 3) {
				t.Errorf("seed %d: %+v", seed, k)
			}
		}
	}
}

func TestPreflightEndsWhereJamfCannotRenderItsRecords(t *testing.T) {
	t.Parallel()
	bin := program(t)
	f, code := preflight(t, bin, fakejamf.New(fakejamf.Options{Computers: 300, Mobiles: 20, Faults: fakejamf.Faults{PoisonComputers: 60}}))
	if p := f.Problem; code != 1 || p == nil || p.Code != "jamf_cannot_render" || p.Action == "" || len(f.Kinds) != 1 {
		t.Errorf("exit code %d, %+v", code, f)
	}
	f, code = preflight(t, bin, fakejamf.New(fakejamf.Options{Computers: 300, Mobiles: 20, Faults: fakejamf.Faults{PoisonComputers: 2}}))
	if k := f.Kinds[0]; code != 0 || k.Unreadable != 2 || k.Read != 298 {
		t.Errorf("exit code %d, %+v", code, f)
	}
}
