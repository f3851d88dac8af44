package config

import (
	"crypto/rand"
	"hash/crc32"
	"strings"
)

// Prefixes of the secrets that the gateway makes, so that a scanner of repositories and logs finds them and says whose they are.
const (
	AdminPrefix  = "jga_" // of the admin door
	ClientPrefix = "jgw_" // of a client
)

const (
	tokenAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	tokenRandom   = 43 // characters: 62^43 > 2^256
	tokenChecksum = 6  // characters: 62^6 > 2^32
)

// NewToken makes a secret: the prefix, 256 random bits as letters and digits, and a CRC-32 of both, by which a scanner tells it
// from a word that only looks like it, without asking anybody.
func NewToken(prefix string) string {
	out := []byte(prefix)
	var raw [64]byte
	for len(out) < len(prefix)+tokenRandom {
		_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
		for _, b := range raw {
			// 248 is a multiple of 62: what lies above would make some characters more likely than others.
			if b < 248 && len(out) < len(prefix)+tokenRandom {
				out = append(out, tokenAlphabet[b%62])
			}
		}
	}
	return string(out) + tokenSum(string(out))
}

// TokenIntact tells whether s is a secret as NewToken makes it with this prefix, whole and without a slip of the pen.
func TokenIntact(prefix, s string) bool {
	if len(s) != len(prefix)+tokenRandom+tokenChecksum || !strings.HasPrefix(s, prefix) {
		return false
	}
	end := len(s) - tokenChecksum
	return s[end:] == tokenSum(s[:end])
}

// tokenSum is the CRC-32 (IEEE) of what stands before it, the most significant digit first.
func tokenSum(s string) string {
	var out [tokenChecksum]byte
	n := crc32.ChecksumIEEE([]byte(s))
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = tokenAlphabet[n%62]
		n /= 62
	}
	return string(out[:])
}
