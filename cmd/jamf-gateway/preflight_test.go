package main

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"jamf-gateway/gateway/catalogue"
	"jamf-gateway/test/fakejamf"
)

// preflightOf runs preflight against a simulated Jamf Pro.
func preflightOf(t *testing.T, fake *fakejamf.Server, args ...string) (result, preflightAnswer) {
	t.Helper()
	srv := httptest.NewServer(fake)
	defer srv.Close()
	env := []string{"JAMF_CLIENT_ID=jamf-client", "JAMF_CLIENT_SECRET=jamf-secret"}
	r := command(t, env, append([]string{"preflight", srv.URL + "/computers.html?id=1", "--allow-insecure-loopback"}, args...)...)
	r.out = strings.ReplaceAll(r.out, strings.TrimPrefix(srv.URL, "http://"), "127.0.0.1:8081")
	var answer preflightAnswer
	if slices.Contains(args, "--json") {
		if err := json.Unmarshal([]byte(r.out), &answer); err != nil {
			t.Fatalf("%v\n%s%s", err, r.out, r.err)
		}
	}
	return r, answer
}

func fakeFleet(o fakejamf.Options) *fakejamf.Server {
	o.ClientID, o.ClientSecret = "jamf-client", "jamf-secret"
	return fakejamf.New(o)
}

func TestPreflightSaysWhatJamfOpensAsRead(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "de"} {
		all := append(slices.Clone([]string{fakejamf.ReadComputers, fakejamf.ReadMobileDevices}), "Read Users")
		r, _ := preflightOf(t, fakeFleet(fakejamf.Options{Computers: 300, Mobiles: 60, Seed: 1, Privileges: all}), "--sample", "150", "--lang", lang)
		if r.code != exitGood {
			t.Errorf("exit code %d", r.code)
		}
		golden(t, "preflight."+lang+".txt", steady(r.out+"----\n"+r.err))
	}
}

// Each change of the fleet must change one count, and nothing but what the counts need is asked of Jamf.
func TestPreflightCountsDuplicatesAndMissingSerials(t *testing.T) {
	t.Parallel()
	fake := fakeFleet(fakejamf.Options{Computers: 150, Mobiles: 140, Seed: 5})
	_, before := preflightOf(t, fake, "--json", "--sample", "0")
	for _, kind := range []fakejamf.Kind{fakejamf.Computer, fakejamf.Mobile} {
		ids := fake.Ledger().Alive(kind)
		for i, serial := range []string{"TWIN0000A1", "TWIN0000A1", ""} {
			fake.Reserial(kind, ids[30+3*i], serial)
		}
		fake.Delete(kind, ids[50])
	}
	_, after := preflightOf(t, fake, "--json", "--sample", "0")
	for i, k := range after.Kinds {
		was := before.Kinds[i]
		if k.Count != was.Count-1 || k.Read != k.Count || k.Sampled || k.DuplicateSerials != was.DuplicateSerials+1 || k.WithDuplicate != was.WithDuplicate+2 || k.WithoutSerial != was.WithoutSerial+1 {
			t.Errorf("before %+v\nafter  %+v", was, k)
		}
	}
	for _, rq := range fake.Requests() {
		query, err := url.ParseQuery(rq.Query)
		if err != nil {
			t.Fatal(err)
		}
		for _, section := range query["section"] {
			if section != "GENERAL" && section != "HARDWARE" {
				t.Errorf("%s is asked for", section)
			}
		}
	}
}

func TestPreflightTellsPersonalDevices(t *testing.T) {
	t.Parallel()
	fake := fakeFleet(fakejamf.Options{Computers: -1, Mobiles: 100, Seed: 2})
	personal := 0
	for _, id := range fake.Ledger().Alive(fakejamf.Mobile) {
		var record struct {
			General struct{ DeviceOwnershipType, AppleEnrollmentType string }
		}
		if err := json.Unmarshal(fake.Record(fakejamf.Mobile, id), &record); err != nil {
			t.Fatal(err)
		}
		if g := record.General; slices.Contains([]string{"UserEnrollment", "AccountDrivenUserEnrollment", "PersonalDeviceProfile"}, g.DeviceOwnershipType) || g.AppleEnrollmentType == "user" {
			personal++
		}
	}
	r, answer := preflightOf(t, fake, "--json")
	if k := answer.Kinds[1]; personal == 0 || k.Personal != personal || k.Read != 100 {
		t.Errorf("%d are personal: %+v\n%s", personal, k, r.err)
	}
}

func TestPreflightEndsWithASentenceOfTheCatalogue(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		prepare func(*fakejamf.Server)
		code    string
		kinds   int
	}{
		"secret":      {func(f *fakejamf.Server) { f.RotateSecret("another") }, "auth_failed", 0},
		"right":       {func(f *fakejamf.Server) { f.SetPrivileges(fakejamf.ReadComputers) }, "right_missing", 1},
		"html":        {func(f *fakejamf.Server) { f.SetFaults(fakejamf.Faults{HTMLPage: 1}) }, "html_instead_of_json", 0},
		"cannot tell": {func(f *fakejamf.Server) { f.SetFaults(fakejamf.Faults{ServerError: 1}) }, "jamf_cannot_render", 0},
	} {
		for _, lang := range []string{"en", "de"} {
			t.Run(name+" "+lang, func(t *testing.T) {
				t.Parallel()
				fake := fakeFleet(fakejamf.Options{Computers: 20, Mobiles: 20})
				tc.prepare(fake)
				r, _ := preflightOf(t, fake, "--lang", lang)
				e, _ := catalogue.Lookup(tc.code)
				if said := "[" + tc.code + "] " + e.Action.In(catalogue.Language(lang)); r.code != exitWrong || !strings.Contains(r.out, said) {
					t.Errorf("exit code %d, no %q in\n%s%s", r.code, said, r.out, r.err)
				}
				if _, answer := preflightOf(t, fake, "--json"); answer.OK || len(answer.Kinds) != tc.kinds {
					t.Errorf("%+v", answer)
				}
			})
		}
	}
}

func TestPreflightAsksAndStoresNothing(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"} {
		t.Setenv(name, dir)
	}
	srv := jamf(t)
	r := commandWith(t, t.Context(), nil, "asked\njamf-client\njamf-secret\n", "preflight", srv.URL, "--allow-insecure-loopback")
	if r.code != exitGood || !strings.Contains(r.err, "Client ID of the API client") || strings.Contains(r.out+r.err, "jamf-secret") {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left behind, %v", left, err)
	}
}

func TestPreflightRefusesWrongUse(t *testing.T) {
	env := []string{"JAMF_CLIENT_ID=x", "JAMF_CLIENT_SECRET=y"}
	for name, tc := range map[string]struct {
		env  []string
		args []string
		want string
	}{
		"no url":       {env, nil, "<url>"},
		"bad url":      {env, []string{"ftp://x"}, "url: must be the address of a Jamf Pro instance"},
		"plain http":   {env, []string{"http://127.0.0.1:1"}, "and with --allow-insecure-loopback"},
		"no client id": {nil, []string{"a.jamfcloud.com"}, "--client-id is needed"},
		"no secret":    {env[:1], []string{"a.jamfcloud.com"}, "--client-secret-file"},
		"sample":       {env, []string{"a.jamfcloud.com", "--sample=-1"}, "--sample must be 0 or more"},
		"no ca file":   {env, []string{"a.jamfcloud.com", "--ca-file", "none.pem"}, "none.pem"},
		"bad proxy":    {env, []string{"a.jamfcloud.com", "--proxy-url", "gopher://x"}, "proxy"},
		"in German":    {env, []string{"a.jamfcloud.com", "--sample=-1", "--lang", "de"}, "muss 0 oder mehr sein"},
	} {
		r := command(t, tc.env, append([]string{"preflight"}, tc.args...)...)
		if r.code != exitUsage || r.out != "" || !strings.Contains(r.err, tc.want) {
			t.Errorf("%s: exit code %d, want %q\n%s%s", name, r.code, tc.want, r.out, r.err)
		}
	}
}
