package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os/user"
	"strings"
	"testing"
)

func TestWhoActsIsAlwaysNamed(t *testing.T) {
	erika := func() (*user.User, error) { return &user.User{Username: "erika"}, nil }
	nobody := func() (*user.User, error) { return nil, errors.New("user: unknown userid 10001") }
	nameless := func() (*user.User, error) { return &user.User{Uid: "10001"}, nil }
	for _, tc := range []struct {
		env     []string
		current func() (*user.User, error)
		want    string
	}{
		{nil, erika, "erika"},
		{[]string{"SUDO_USER=max"}, erika, "max"},
		{nil, nobody, "uid 10001"},
		{nil, nameless, "uid 10001"},
		{[]string{"SUDO_USER="}, nobody, "uid 10001"},
	} {
		if got := operator(tc.env, tc.current, 10001); got != tc.want {
			t.Errorf("%v: %q, want %q", tc.env, got, tc.want)
		}
	}
}

func TestEveryActingCommandNamesWhoActs(t *testing.T) {
	var by []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/admin/sources" {
			by = append(by, r.URL.Query().Get("by"))
		}
		_, _ = w.Write([]byte(`{"source":"a","items":[]}`))
	}))
	t.Cleanup(srv.Close)
	for _, args := range []string{"approve a", "approve a 0123", "expect-removals a 0", "purge a --confirm a", "purge a:computer:1 --confirm a:computer:1", "sync a", "sync a --kind mobile", "reload", "source remove a --confirm a", "show --serial C1"} {
		by = nil
		r := command(t, nil, append(strings.Fields(args), "--admin", srv.URL, "--by", "Erika Muster")...)
		if r.code == exitUsage || len(by) != 1 || by[0] != "Erika Muster" {
			t.Errorf("%s: exit code %d, by %q: %s", args, r.code, by, r.err)
		}
		by = nil
		if command(t, []string{"SUDO_USER=max"}, append(strings.Fields(args), "--admin", srv.URL)...); len(by) != 1 || by[0] != "max" {
			t.Errorf("%s without --by: %q", args, by)
		}
	}
	for _, name := range []string{"Jörg", " ", "a\nb", "a\x1b[31m", strings.Repeat("x", 65)} {
		by = nil
		r := command(t, nil, "sync", "a", "--admin", srv.URL, "--by", name)
		if r.code != exitUsage || len(by) > 0 || !strings.Contains(r.err, "--by must be 1 to 64 ASCII characters") {
			t.Errorf("%q: exit code %d, %q: %s", name, r.code, by, r.err)
		}
	}
}
