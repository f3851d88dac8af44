package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"jamf-gateway/gateway/server"
)

var (
	firstSecret  = sha256.Sum256([]byte("first"))
	secondSecret = sha256.Sum256([]byte("second"))
	key          = sha256.Sum256([]byte("key"))
)

func newSealer(t testing.TB, key [32]byte, secrets ...[32]byte) *server.Sealer {
	t.Helper()
	s, err := server.NewSealer(key, []server.ClientOptions{{ID: "inventory360", Secrets: secrets}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rawToken is a token's bytes.
func rawToken(t testing.TB, token string) []byte {
	t.Helper()
	text, prefixed := strings.CutPrefix(token, "jgt_")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || !prefixed {
		t.Fatalf("%q: %v", token, err)
	}
	return raw
}

// The release before put no prefix in front: its tokens live to their end.
func TestATokenOfTheReleaseBeforeLivesOn(t *testing.T) {
	const old = "AVLZgsTZocoRlMVVVFEDlsk8m4m262bqcM6WkIgLNLdJ_rrbMix8Hn-nAfm_6z5FPiR0VABzC3Vdu9rMmzhBoRxJ9Q7uWkJbIXZ2Aq7V3fFf"
	s := newSealer(t, key, firstSecret)
	if client, err := s.Verify(old, start); err != nil || client != "inventory360" {
		t.Errorf("client %q, %v", client, err)
	}
	if _, err := s.Verify("jgt_"+old, start); err == nil {
		t.Error("it has a second spelling, under which nobody could end it")
	}
	if _, err := s.Verify(old, start.Add(2*time.Hour)); err == nil {
		t.Error("it outlives its end")
	}
}

func TestScannersFindEveryToken(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`id = "jamf-gateway-access-token"[\s\S]*?regex = '''(.*)'''`).FindSubmatch(doc)
	if m == nil {
		t.Fatal("docs/security.md has no rule for tokens")
	}
	rule, s := regexp.MustCompile(string(m[1])), newSealer(t, key, firstSecret)
	for i := range 10_000 {
		token := s.Seal(strings.Repeat("c", 1+i%128), firstSecret, start)
		for _, text := range []string{"Bearer " + token, `{"access_token":"` + token + `"}`} {
			if got := rule.FindString(text); got != token {
				t.Fatalf("in %q was found %q", text, got)
			}
		}
	}
}

func TestTokenSurvivesARestartWithTheSameKey(t *testing.T) {
	token := newSealer(t, key, firstSecret).Seal("inventory360", firstSecret, start.Add(2*time.Hour))
	client, err := newSealer(t, key, firstSecret).Verify(token, start)
	if err != nil || client != "inventory360" {
		t.Errorf("after a restart: client %q, error %v", client, err)
	}
	if _, err := newSealer(t, sha256.Sum256([]byte("other")), firstSecret).Verify(token, start); err == nil {
		t.Error("a token of another key was accepted")
	}
}

func TestTokenDiesWithItsSecret(t *testing.T) {
	token := newSealer(t, key, firstSecret, secondSecret).Seal("inventory360", firstSecret, start.Add(2*time.Hour))
	for name, tc := range map[string]struct {
		secrets [][32]byte
		good    bool
	}{
		"both live":                  {[][32]byte{firstSecret, secondSecret}, true},
		"its own is the second now":  {[][32]byte{secondSecret, firstSecret}, true},
		"its own was removed":        {[][32]byte{secondSecret}, false},
		"the client has none at all": {nil, false},
	} {
		_, err := newSealer(t, key, tc.secrets...).Verify(token, start)
		if (err == nil) != tc.good {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestASecretThatHasEndedIsAWrongOneAndItsTokensAreDead(t *testing.T) {
	ends := start.Add(time.Hour)
	w := newWorld(t, func(o *server.Options) {
		o.Clients = append(o.Clients, server.ClientOptions{
			ID: "twice", Secrets: [][32]byte{firstSecret, secondSecret}, Expires: map[[32]byte]time.Time{firstSecret: ends},
		})
	})
	ask := func(secret string) reply {
		return w.do(http.MethodPost, w.base+"/api/oauth/token", "grant_type=client_credentials&client_id=twice&client_secret="+secret, "Content-Type", "application/x-www-form-urlencoded")
	}
	token := func(secret string) string {
		var got struct {
			Token string `json:"access_token"`
		}
		if r := ask(secret); r.status != http.StatusOK || json.Unmarshal(r.body, &got) != nil {
			t.Fatalf("%s: %s", secret, r)
		}
		return got.Token
	}
	w.clock.Add(time.Hour - time.Second)
	old, next := token("first"), token("second")
	if got := w.alive(old); got != http.StatusOK {
		t.Errorf("a second before the end: %d", got)
	}
	w.clock.Add(time.Second)
	if a, b := w.alive(old), w.alive(next); a != http.StatusUnauthorized || b != http.StatusOK {
		t.Errorf("at the end: the token of the old secret %d, of the new one %d", a, b)
	}
	if ended, wrong := ask("first"), ask("wrong"); ended.status != http.StatusUnauthorized || string(ended.body) != string(wrong.body) {
		t.Errorf("the secret that has ended: %s\na wrong one: %s", ended, wrong)
	}
	if got := w.alive(token("second")); got != http.StatusOK {
		t.Errorf("the new secret: %d", got)
	}
}

func TestTokenDiesWithItsClientAndItsTime(t *testing.T) {
	s := newSealer(t, key, firstSecret)
	token := s.Seal("inventory360", firstSecret, start.Add(7200*time.Second))
	if _, err := s.Verify(token, start.Add(7199*time.Second)); err != nil {
		t.Errorf("one second before its end: %v", err)
	}
	if _, err := s.Verify(token, start.Add(7200*time.Second)); err == nil {
		t.Error("at its end it is still accepted")
	}
	if _, err := s.Verify(s.Seal("nobody", firstSecret, start.Add(time.Hour)), start); err == nil {
		t.Error("a token of an unknown client was accepted")
	}
}

func TestNoChangedTokenIsAccepted(t *testing.T) {
	s := newSealer(t, key, firstSecret)
	token := s.Seal("inventory360", firstSecret, start.Add(time.Hour))
	raw := rawToken(t, token)
	for i := range raw {
		for _, bit := range []byte{0x01, 0x03, 0x80} {
			raw[i] ^= bit
			for _, prefix := range []string{"jgt_", ""} {
				if _, err := s.Verify(prefix+base64.RawURLEncoding.EncodeToString(raw), start); err == nil {
					t.Errorf("accepted with byte %d flipped by %#x after %q", i, bit, prefix)
				}
			}
			raw[i] ^= bit
		}
	}
	for n := range len(token) {
		if _, err := s.Verify(token[:n], start); err == nil {
			t.Errorf("accepted when cut to %d characters", n)
		}
	}
	for _, other := range []string{token + "A", strings.TrimPrefix(token, "jgt_"), "jgt_" + token, token + "=", " " + token, strings.ToUpper(token), "", "eyJhbGciOiJub25lIn0.e30."} {
		if _, err := s.Verify(other, start); err == nil {
			t.Errorf("accepted %q", other)
		}
	}
}

func TestTwoTokensOfTheSameMomentDiffer(t *testing.T) {
	s := newSealer(t, key, firstSecret)
	a, b := s.Seal("inventory360", firstSecret, start), s.Seal("inventory360", firstSecret, start)
	if a == b {
		t.Error("the nonce repeats")
	}
	for _, token := range []string{a, b} {
		if strings.Contains(string(rawToken(t, token)), "inventory360") {
			t.Error("the client id can be read in the token")
		}
	}
}

func TestSecretIsFoundWhicheverItIs(t *testing.T) {
	s := newSealer(t, key, firstSecret, secondSecret)
	for secret, want := range map[string][32]byte{"first": firstSecret, "second": secondSecret} {
		if got, ok := s.AuthenticateSecret("inventory360", secret); !ok || got != want {
			t.Errorf("%s: %x, %v", secret, got, ok)
		}
	}
	for _, pair := range [][2]string{{"inventory360", "third"}, {"inventory360", ""}, {"nobody", "first"}, {"", ""}, {"nobody", ""}} {
		if _, ok := s.AuthenticateSecret(pair[0], pair[1]); ok {
			t.Errorf("%v was accepted", pair)
		}
	}
}

func FuzzToken(f *testing.F) {
	s := newSealer(f, key, firstSecret)
	good := s.Seal("inventory360", firstSecret, start.Add(time.Hour))
	f.Add(good)
	f.Add(strings.TrimPrefix(good, "jgt_"))
	f.Add(good[:len(good)-4])
	f.Add("")
	f.Add("AQ")
	f.Add(strings.Repeat("A", 400))
	f.Fuzz(func(t *testing.T, token string) {
		if client, err := s.Verify(token, start); err == nil && client != "inventory360" {
			t.Errorf("%q was taken for a token of %q", token, client)
		}
	})
}
