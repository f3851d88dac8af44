package server

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// tokenLife is long on purpose: no recorded client asks for a new token after a 401, and an
// Inventory360 sync takes up to 30 minutes.
const tokenLife = 7200 * time.Second

// tokenAhead is the longest that a token may still have to live: one that was made while the clock was days ahead would outlive its two hours by
// as much. A clock that is set back by hours ends nobody's token.
const tokenAhead = 24 * time.Hour

// maxClientID bounds a client id, so that a token has a bounded length.
const maxClientID = 128

// Layout of a token after its prefix and before base64url: version (1) | nonce (12) | sealed(expiry (8) | secret digest (32) | client id) | tag (16).
// The version byte is authenticated with the rest. There is no algorithm field and nothing to negotiate. Tokens of version 1 are those of earlier
// releases, which had no prefix: each token has one spelling, so that one that has ended has ended.
const (
	tokenPrefix    = "jgt_" // scanners find a token by it
	tokenVersion   = 2
	tokenBare      = 1
	tokenNonce     = 12
	tokenTag       = 16
	tokenFixed     = 8 + sha256.Size
	tokenMinLength = 1 + tokenNonce + tokenFixed + 1 + tokenTag
	tokenMaxLength = 1 + tokenNonce + tokenFixed + maxClientID + tokenTag
)

// errToken is every reason why a token is refused; callers learn no more than that.
var errToken = errors.New("access token refused")

// sealer mints and opens access tokens. Nothing is stored of those that live, so they survive a restart with the same key.
type sealer struct {
	aead cipher.AEAD // nonce made at random and put in front by Seal
}

func newSealer(key [32]byte) (*sealer, error) {
	sub, err := deriveKey(key, "jamf-gateway access token v1")
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(sub)
	if err != nil {
		return nil, fmt.Errorf("token cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("token cipher: %w", err)
	}
	return &sealer{aead: aead}, nil
}

// deriveKey gives each use of the sealing key a key of its own.
func deriveKey(key [32]byte, use string) ([]byte, error) {
	sub, err := hkdf.Key(sha256.New, key[:], nil, use, 32)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return sub, nil
}

// seal mints a token for the client whose secret has the hash secret (SHA-256), good with what it is bound to alone.
func (s *sealer) seal(clientID string, secret [32]byte, binding []byte, expires time.Time) string {
	digest := tokenDigest(secret, binding)
	plain := make([]byte, 0, tokenFixed+len(clientID))
	plain = binary.BigEndian.AppendUint64(plain, uint64(expires.Unix()))
	plain = append(plain, digest[:]...)
	plain = append(plain, clientID...)
	version := []byte{tokenVersion}
	// The AEAD makes the nonce itself, at random, and puts it in front.
	sealed := s.aead.Seal(version, nil, plain, version) //nolint:gosec // G407 takes the absent nonce for a constant one
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(sealed)
}

// grant is what an opened token says; only verify decides whether it still holds.
type grant struct {
	clientID string
	digest   [32]byte
	expires  time.Time
}

// open authenticates a token and reads it, without looking at the time.
func (s *sealer) open(token string) (grant, error) {
	version := byte(tokenBare)
	token, prefixed := strings.CutPrefix(token, tokenPrefix)
	if prefixed {
		version = tokenVersion
	}
	if n := base64.RawURLEncoding.DecodedLen(len(token)); n < tokenMinLength || n > tokenMaxLength {
		return grant{}, errToken
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < tokenMinLength || raw[0] != version {
		return grant{}, errToken
	}
	plain, err := s.aead.Open(nil, nil, raw[1:], raw[:1])
	if err != nil || len(plain) <= tokenFixed {
		return grant{}, errToken
	}
	g := grant{
		clientID: string(plain[tokenFixed:]),
		expires:  time.Unix(int64(binary.BigEndian.Uint64(plain)), 0),
	}
	copy(g.digest[:], plain[8:tokenFixed])
	return g, nil
}

// tokenDigest keeps the hash that stands in the configuration out of tokens. What a token is bound to is part of it, so that the layout of
// tokens is one.
func tokenDigest(secret [32]byte, binding []byte) [32]byte {
	return sha256.Sum256(slices.Concat([]byte("jamf-gateway secret "), secret[:], binding))
}

// proof is what a token proves while it holds.
type proof struct {
	who     *caller
	secret  [32]byte // the hash of the secret that it was given for
	expires time.Time
}

// verify tells whether a token is good now: sealed by this key, not expired, its secret still one of the client's that
// has not ended, and the certificate shown the one that it is bound to.
func (s *sealer) verify(token string, now time.Time, clients map[string]*caller, shown *x509.Certificate) (proof, error) {
	g, err := s.open(token)
	if err != nil {
		return proof{}, err
	}
	c, known := clients[g.clientID]
	if !known || !now.Before(g.expires) || g.expires.Sub(now) > tokenAhead {
		return proof{}, errToken
	}
	binding, ok := c.binding(shown)
	if !ok {
		return proof{}, errToken
	}
	p, match := proof{who: c, expires: g.expires}, 0
	for _, secret := range c.secrets {
		digest := tokenDigest(secret, binding)
		equal := subtle.ConstantTimeCompare(digest[:], g.digest[:])
		match |= equal
		subtle.ConstantTimeCopy(equal, p.secret[:], secret[:])
	}
	if match != 1 || c.expired(p.secret, now) {
		return proof{}, errToken
	}
	return p, nil
}

// authenticateSecret finds the client whose secret this is and tells which hash matched. An unknown id costs
// what a wrong secret costs: two comparisons are made in any case, against a hash that nothing has. One that has ended is a wrong one.
func authenticateSecret(clients map[string]*caller, clientID, secret string, now time.Time) (*caller, [32]byte, bool) {
	given := sha256.Sum256([]byte(secret))
	c, known := clients[clientID]
	match := 0
	var matched [32]byte
	for i := range max(2, secretCount(c)) {
		var stored [32]byte // the zero hash: no secret is known to have it
		if known && i < len(c.secrets) {
			stored = c.secrets[i]
		}
		equal := subtle.ConstantTimeCompare(stored[:], given[:])
		match |= equal
		subtle.ConstantTimeCopy(equal, matched[:], stored[:])
	}
	if match != 1 || !known || secret == "" || c.expired(matched, now) {
		return nil, [32]byte{}, false
	}
	return c, matched, true
}

func secretCount(c *caller) int {
	if c == nil {
		return 0
	}
	return len(c.secrets)
}
