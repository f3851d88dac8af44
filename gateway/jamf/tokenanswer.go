package jamf

import (
	"bytes"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of a token.
const (
	assumedLifetime = time.Minute // when Jamf does not say, or says nonsense
	maxLifetime     = 24 * time.Hour
	maxTokenBytes   = 16 << 10
)

// readToken reads the 200 of the token endpoint (RFC 6749 §5.1). It is told apart: HTML, an empty body, a refusal
// that came with 200, and an answer without a usable access_token.
func readToken(r io.Reader) (value string, life time.Duration, err error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return "", 0, err
	}
	fault := func(code, detail string) error { return &Error{Kind: ErrSchema, Code: code, Detail: detail} }
	if len(bytes.TrimSpace(b)) == 0 {
		return "", 0, fault(codeUnexpected, "the token endpoint answered with an empty body")
	}
	if startsLikeHTML(b) {
		return "", 0, fault(codeHTML, "the token endpoint answered with HTML: something in front of Jamf answered")
	}
	var said struct {
		AccessToken jsontext.Value `json:"access_token"`
		TokenType   jsontext.Value `json:"token_type"`
		ExpiresIn   jsontext.Value `json:"expires_in"`
		Error       jsontext.Value `json:"error"`
	}
	if json.Unmarshal(b, &said) != nil {
		return "", 0, fault(codeUnexpected, "the token endpoint answered with something that is no JSON object")
	}
	if what := oauthError(said.Error); what != "" {
		return "", 0, refusedCredentials(what)
	}
	value = textOf(said.AccessToken)
	if !usableToken(value) {
		return "", 0, fault(codeUnexpected, "the token endpoint answered without a usable access_token")
	}
	if t := textOf(said.TokenType); t != "" && !strings.EqualFold(t, "bearer") {
		return "", 0, fault(codeUnexpected, "the token endpoint gave a token of another type than Bearer")
	}
	return value, lifetimeOf(said.ExpiresIn), nil
}

func refusedCredentials(what string) *Error {
	return &Error{Kind: ErrAuthFailed, Code: codeAuthFailed, Detail: "the token endpoint refused the API client: " + what}
}

// usableToken: what can stand in a header.
func usableToken(t string) bool {
	if t == "" || len(t) > maxTokenBytes {
		return false
	}
	for i := range len(t) {
		if t[i] <= 0x20 || t[i] >= 0x7f {
			return false
		}
	}
	return true
}

// lifetimeOf reads expires_in, a number or a number in a string. Absent, zero, negative and unreadable mean the
// shortest lifetime that Jamf is known to give.
func lifetimeOf(v jsontext.Value) time.Duration {
	text := string(v)
	if v.Kind() == '"' {
		text = textOf(v)
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(seconds) || seconds < 1 {
		return assumedLifetime
	}
	if seconds >= maxLifetime.Seconds() {
		return maxLifetime
	}
	return time.Duration(seconds) * time.Second
}
