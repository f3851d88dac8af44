package server_test

import (
	"crypto/sha256"
	"encoding/base64"
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
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		for _, bit := range []byte{0x01, 0x80} {
			raw[i] ^= bit
			if _, err := s.Verify(base64.RawURLEncoding.EncodeToString(raw), start); err == nil {
				t.Errorf("accepted with byte %d flipped by %#x", i, bit)
			}
			raw[i] ^= bit
		}
	}
	for n := range len(token) {
		if _, err := s.Verify(token[:n], start); err == nil {
			t.Errorf("accepted when cut to %d characters", n)
		}
	}
	for _, other := range []string{token + "A", token + "=", " " + token, strings.ToUpper(token), "", "eyJhbGciOiJub25lIn0.e30."} {
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
		raw, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil || strings.Contains(string(raw), "inventory360") {
			t.Errorf("the client id can be read in the token (%v)", err)
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
