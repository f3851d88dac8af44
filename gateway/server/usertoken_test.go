package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"jamf-gateway/gateway/server"
)

// userToken asks for a token and expects one.
func (w *world) userToken(path, authorization string) (token string, expires time.Time) {
	w.t.Helper()
	r := w.do(http.MethodPost, w.base+path, "", "Authorization", authorization)
	var answer struct {
		Token   string    `json:"token"`
		Expires time.Time `json:"expires"`
	}
	r.decode(w.t, &answer)
	if r.status != http.StatusOK || answer.Token == "" || r.header.Get("Cache-Control") != "no-store" {
		w.t.Fatalf("%s: %s %v", path, r, r.header)
	}
	return answer.Token, answer.Expires
}

func TestTheLoginOfAUserGivesATokenOfTheClient(t *testing.T) {
	const odd = "a+b:c%20d"
	w := newWorld(t, func(o *server.Options) {
		o.Clients = append(o.Clients, server.ClientOptions{ID: "odd", Secrets: [][32]byte{sha256.Sum256([]byte(odd))}})
	})
	for _, path := range []string{"/api/v1/auth/token", "/jamf/schule-a/api/v1/auth/token"} {
		for name, secret := range map[string]string{"all": secretOf("all"), "odd": odd} {
			token, expires := w.userToken(path, basic(name, secret))
			if want := w.clock.Now().Add(2 * time.Hour).Truncate(time.Second); !expires.Equal(want) {
				t.Errorf("%s as %s: expires %v, want %v", path, name, expires, want)
			}
			if r := w.do(http.MethodGet, w.base+"/v1/sources", "", "Authorization", "Bearer "+token); r.status != http.StatusOK {
				t.Errorf("%s as %s: its token: %s", path, name, r)
			}
		}
	}
	token, _ := w.userToken("/api/v1/auth/token", basic("all", secretOf("all")))
	w.clock.Add(2 * time.Hour)
	w.want(w.do(http.MethodGet, w.base+"/v1/sources", "", "Authorization", "Bearer "+token), http.StatusUnauthorized, "invalid_token")
}

// All refusals are one: nobody learns whether the name, the password or the source was wrong.
func TestTheLoginOfAUserIsRefusedAsJamfDoes(t *testing.T) {
	w := newWorld(t)
	secret := secretOf("all")
	var first reply
	for name, tc := range map[string]struct{ path, authorization string }{
		"wrong password":   {"", basic("all", "wrong")},
		"empty password":   {"", basic("all", "")},
		"unknown name":     {"", basic("nobody", secret)},
		"not his source":   {"/jamf/schule-b", basic("only-a", secretOf("only-a"))},
		"no such source":   {"/jamf/schule-x", basic("all", secret)},
		"no header":        {"", ""},
		"a Bearer token":   {"", "Bearer " + w.token("all")},
		"no base64":        {"", "Basic ???"},
		"no colon":         {"", "Basic " + base64.StdEncoding.EncodeToString([]byte("all"))},
		"form-encoded":     {"", basic("a%6Cl", secret)},
		"in the body only": {"", "Basic"},
	} {
		var header []string
		if tc.authorization != "" {
			header = []string{"Authorization", tc.authorization}
		}
		r := w.do(http.MethodPost, w.base+tc.path+"/api/v1/auth/token", "username=all&password="+secret, header...)
		w.want(r, http.StatusUnauthorized, "INVALID_TOKEN")
		if got := r.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Basic realm=") {
			t.Errorf("%s: WWW-Authenticate %q", name, got)
		}
		if first.body == nil {
			first = r
		}
		if string(r.body) != string(first.body) {
			t.Errorf("%s can be told apart: %s and %s", name, r, first)
		}
	}
}

func TestATokenCanBeKeptAliveWhileItLives(t *testing.T) {
	const path = "/api/v1/auth/keep-alive"
	w := newWorld(t)
	old := w.token("all")
	w.clock.Add(time.Hour)
	renewed, expires := w.userToken(path, "Bearer "+old)
	if want := w.clock.Now().Add(2 * time.Hour).Truncate(time.Second); renewed == old || !expires.Equal(want) {
		t.Errorf("expires %v, want %v", expires, want)
	}
	lives := func(token string) int {
		return w.do(http.MethodGet, w.base+"/v1/sources", "", "Authorization", "Bearer "+token).status
	}
	// Other threads of the client still use the old one.
	if got := lives(old); got != http.StatusOK {
		t.Errorf("the old token: %d", got)
	}
	w.clock.Add(time.Hour)
	if a, b := lives(old), lives(renewed); a != http.StatusUnauthorized || b != http.StatusOK {
		t.Errorf("an hour later: old %d, new %d", a, b)
	}
	w.want(w.do(http.MethodPost, w.base+path, "", "Authorization", "Bearer "+old), http.StatusUnauthorized, "INVALID_TOKEN")
	w.want(w.do(http.MethodPost, w.base+path, ""), http.StatusUnauthorized, "INVALID_TOKEN")
	w.want(w.do(http.MethodPost, w.base+"/jamf/schule-b"+path, "", "Authorization", "Bearer "+w.token("only-a")), http.StatusUnauthorized, "INVALID_TOKEN")
}
