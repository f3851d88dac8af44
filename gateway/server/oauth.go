package server

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
)

const (
	grantClientCredentials = "client_credentials"
	tokenScope             = "api-role:1" // real clients want a scope that is not empty
	formType               = "application/x-www-form-urlencoded"
)

// tokenAnswer is RFC 6749, section 5.1, with the members in Jamf's order; expires_in is one second short, as Jamf's is.
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	Scope       string `json:"scope"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
}

// credentials is a token request, read.
type credentials struct {
	id, secret string
	literal    string // the secret of a Basic header as it came; "" when it means the same
	basic      bool
}

// issueToken serves the three token endpoints. Nothing is stored and Jamf is not asked: Inventory360 fetches a token for
// every request.
func (s *Server) issueToken(c *fiber.Ctx) error {
	x := exchangeOf(c)
	given, refused := readCredentials(c)
	x.claimed = given.id
	if refused != nil {
		s.writeRefusal(c.Context(), x, refused)
		return nil
	}
	secret, ok := s.admit(x, given)
	if !ok {
		s.writeRefusal(c.Context(), x, &refusal{code: codeInvalidClient, description: "Client authentication failed", basic: given.basic})
		return nil
	}
	guestOf(c.Context()).prove()
	if wait := x.caller.pace.turn(s.o.Now()); wait > 0 {
		s.writeRefusal(c.Context(), x, &refusal{code: codeRateLimited, description: "Ask for fewer tokens a second", retryAfter: wait})
		return nil
	}
	x.seen.Issued = "body"
	if given.basic {
		x.seen.Issued = "basic"
	}
	binding, _ := x.caller.binding(x.shown)
	noStore(c.Context())
	return sendJSON(c, http.StatusOK, tokenAnswer{
		AccessToken: s.sealer.seal(x.caller.id, secret, binding, s.o.Now().Add(tokenLife)),
		Scope:       tokenScope, TokenType: "Bearer", ExpiresIn: int(tokenLife.Seconds()) - 1,
	})
}

// admit finds the caller whose credentials these are and the hash of the secret that matched. At a source's own base they
// must be for that source, as those of another Jamf would be refused there. From a network that is not his, and without his certificate, they are wrong ones: whoever has
// found a secret does not learn that it is one.
func (s *Server) admit(x *exchange, given credentials) (secret [32]byte, ok bool) {
	who, secret, ok := authenticateSecret(x.rules.clients, given.id, given.secret, s.o.Now())
	if !ok && given.literal != "" {
		who, secret, ok = authenticateSecret(x.rules.clients, given.id, given.literal, s.o.Now())
	}
	if !ok || x.base.own && !who.sees(x.base.source) || !who.comesFrom(x) {
		return [32]byte{}, false
	}
	if _, bound := who.binding(x.shown); !bound {
		return [32]byte{}, false
	}
	x.caller, x.credential = who, secret
	return secret, true
}

// readCredentials reads a token request: parameters in the body in any order, or HTTP Basic; grant_type also in the
// query. A secret in the query would stand in logs: it is refused.
func readCredentials(c *fiber.Ctx) (credentials, *refusal) {
	query, err := url.ParseQuery(rawQuery(c))
	if err != nil {
		return credentials{}, &refusal{code: "invalid_request", description: "OAuth 2.0 Parameter: query"}
	}
	if query.Has("client_secret") {
		return credentials{}, &refusal{code: "invalid_request", description: "client_secret must stand in the body or in HTTP Basic, never in the URL"}
	}
	form, refused := readForm(c)
	if refused != nil {
		return credentials{}, refused
	}
	for _, name := range []string{"grant_type", "client_id", "client_secret"} {
		if len(form[name]) > 1 || len(query[name]) > 1 {
			return credentials{}, &refusal{code: "invalid_request", description: "OAuth 2.0 Parameter: " + name}
		}
	}
	given := credentials{id: form.Get("client_id"), secret: form.Get("client_secret")}
	if header := c.Get(fiber.HeaderAuthorization); header != "" {
		if given, refused = readBasic(header, form); refused != nil {
			return given, refused
		}
	}
	grant := form.Get("grant_type")
	if grant == "" {
		grant = query.Get("grant_type")
	}
	switch {
	case grant == "":
		return given, &refusal{code: "invalid_request", description: "OAuth 2.0 Parameter: grant_type", basic: given.basic}
	case grant != grantClientCredentials:
		return given, &refusal{code: "unsupported_grant_type", description: "OAuth 2.0 Parameter: grant_type", basic: given.basic}
	case given.id == "":
		return given, &refusal{code: "invalid_request", description: "OAuth 2.0 Parameter: client_id", basic: given.basic}
	case given.secret == "":
		return given, &refusal{code: "invalid_request", description: "OAuth 2.0 Parameter: client_secret", basic: given.basic}
	}
	return given, nil
}

// readForm reads the raw body; the gate has refused encodings, the floor bodies above 8 KiB.
func readForm(c *fiber.Ctx) (url.Values, *refusal) {
	body := c.Request().Body()
	if len(body) == 0 {
		return url.Values{}, nil
	}
	mediaType, _, _ := strings.Cut(c.Get(fiber.HeaderContentType), ";")
	if !strings.EqualFold(strings.TrimSpace(mediaType), formType) || bytes.Count(body, []byte{'&'}) >= maxQueryParameters {
		return nil, &refusal{code: "invalid_request", description: "The body must be " + formType}
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, &refusal{code: "invalid_request", description: "The body must be " + formType}
	}
	return form, nil
}

// readBasic reads HTTP Basic client authentication (RFC 6749, 2.3.1: both parts form-encoded; many clients do not encode).
func readBasic(header string, form url.Values) (credentials, *refusal) {
	refused := &refusal{code: "invalid_request", description: "HTTP Basic client authentication could not be read", basic: true}
	scheme, encoded, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		// Some clients send a stale Bearer token along; the body decides then.
		return credentials{id: form.Get("client_id"), secret: form.Get("client_secret")}, nil
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return credentials{basic: true}, refused
	}
	id, secret, ok := strings.Cut(string(raw), ":")
	if !ok || form.Has("client_secret") || form.Has("client_id") && form.Get("client_id") != id {
		return credentials{basic: true}, refused
	}
	given := credentials{id: id, secret: secret, basic: true}
	if plain, err := url.QueryUnescape(secret); err == nil && plain != secret {
		given.secret, given.literal = plain, secret
	}
	if plain, err := url.QueryUnescape(id); err == nil {
		given.id = plain
	}
	return given, nil
}
