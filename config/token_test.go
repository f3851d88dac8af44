package config_test

import (
	"hash/crc32"
	"math"
	"strings"
	"testing"

	"jamf-gateway/config"
)

func TestATokenIsFoundByItsPrefixAndItsChecksum(t *testing.T) {
	seen := map[string]bool{}
	counts := map[rune]int{}
	const made = 2000
	for range made {
		token := config.NewToken(config.AdminPrefix)
		if seen[token] || len(token) != 53 || !config.TokenIntact(config.AdminPrefix, token) {
			t.Fatalf("%q", token)
		}
		seen[token] = true
		for _, r := range token[4:47] {
			counts[r]++
		}
	}
	if len(counts) != 62 {
		t.Errorf("%d characters of 62", len(counts))
	}
	expected := made * 43 / 62.0
	for r, n := range counts { // six standard deviations
		if math.Abs(float64(n)-expected) > 6*math.Sqrt(expected) {
			t.Errorf("%q stands %d times, %.0f are expected", r, n, expected)
		}
	}
}

func TestATokenWithASlipIsNotIntact(t *testing.T) {
	token := config.NewToken(config.ClientPrefix)
	for i := range token {
		other := byte('x')
		if token[i] == 'x' {
			other = 'y'
		}
		if slip := token[:i] + string(other) + token[i+1:]; config.TokenIntact(config.ClientPrefix, slip) {
			t.Errorf("character %d: %q", i, slip)
		}
	}
	for name, s := range map[string]string{
		"of another door": config.NewToken(config.AdminPrefix), "empty": "", "cut": token[:len(token)-1], "longer": token + "0",
		"two exchanged": token[:10] + token[11:12] + token[10:11] + token[12:] + map[bool]string{true: "0"}[token[10] == token[11]],
	} {
		if config.TokenIntact(config.ClientPrefix, s) {
			t.Errorf("%s: %q", name, s)
		}
	}
}

// The checksum is that of the usual CRC-32: a scanner has to compute it without this program.
func TestTheChecksumOfATokenIsTheUsualOne(t *testing.T) {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	token := config.NewToken(config.ClientPrefix)
	var n uint64
	for _, r := range token[47:] {
		n = n*62 + uint64(strings.IndexRune(alphabet, r))
	}
	if want := uint64(crc32.ChecksumIEEE([]byte(token[:47]))); n != want {
		t.Errorf("%q: %d, want %d", token, n, want)
	}
}
