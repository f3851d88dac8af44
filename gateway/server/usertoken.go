package server

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// userToken is AuthTokenV1, what Jamf answers to a user's name and password.
type userToken struct {
	Token   string `json:"token"`
	Expires string `json:"expires"`
}

// issueUserToken is POST /v1/auth/token: the old login of a Jamf user by HTTP Basic, which some clients know alone. The name
// is the id of a client, the password its secret; the token is the same as that of the token endpoints.
func (s *Server) issueUserToken(c *fiber.Ctx) error {
	given, ok := readUser(c.Get(fiber.HeaderAuthorization))
	if !ok {
		return &fault{code: codeInvalidClient}
	}
	x := exchangeOf(c)
	x.claimed = given.id
	secret, ok := s.admit(x, given)
	if !ok {
		return &fault{code: codeInvalidClient}
	}
	guestOf(c.Context()).prove()
	if wait := x.caller.pace.turn(s.o.Now()); wait > 0 {
		return &fault{code: codeRateLimited, retryAfter: wait}
	}
	x.seen.Issued = "user"
	return s.sendUserToken(c, secret)
}

// keepAlive is POST /v1/auth/keep-alive: a new token for one that lives. It dies with the same secret. The old one lives to its own
// end, unlike Jamf's: other threads of the client may be using it (docs/adr/0013).
func (s *Server) keepAlive(c *fiber.Ctx) error {
	_, p, f := s.givenToken(c)
	if f != nil {
		return f
	}
	x := exchangeOf(c)
	x.seen.Issued, x.credential = "renewed", p.secret
	return s.sendUserToken(c, p.secret)
}

// invalidate is POST /v1/auth/invalidate-token: the token of the request has ended, for good, when the client reads the answer.
func (s *Server) invalidate(c *fiber.Ctx) error {
	token, p, f := s.givenToken(c)
	if f != nil {
		return f
	}
	switch err := s.ended.end(exchangeOf(c).context(), p.who.id, token, p.expires); {
	case errors.Is(err, errTooManyEnded):
		return &fault{code: codeBusy, retryAfter: longestRetryAfter}
	case err != nil:
		return &fault{code: codeInternal, cause: err}
	}
	noStore(c.Context())
	c.Response().SetStatusCode(http.StatusNoContent)
	return nil
}

// givenToken is the token of a request that has passed authenticate, with what it proves here.
func (s *Server) givenToken(c *fiber.Ctx) (string, proof, *fault) {
	x := exchangeOf(c)
	token, _ := bearer(c.Get(fiber.HeaderAuthorization))
	p, err := s.sealer.verify(token, s.o.Now(), x.rules.clients, x.shown)
	if err != nil || x.base.own && !x.caller.sees(x.base.source) {
		return "", proof{}, &fault{code: codeInvalidToken}
	}
	return token, p, nil
}

func (s *Server) sendUserToken(c *fiber.Ctx, secret [32]byte) error {
	expires := s.o.Now().Add(tokenLife).Truncate(time.Second) // a token counts whole seconds
	x := exchangeOf(c)
	binding, _ := x.caller.binding(x.shown)
	noStore(c.Context())
	return sendJSON(c, http.StatusOK, userToken{
		Token:   s.sealer.seal(x.client(), secret, binding, expires),
		Expires: expires.UTC().Format(asOfFormat),
	})
}

// readUser reads HTTP Basic as RFC 7617 has it: nothing is form-encoded.
func readUser(header string) (credentials, bool) {
	scheme, encoded, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return credentials{}, false
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return credentials{}, false
	}
	name, password, ok := strings.Cut(string(raw), ":")
	return credentials{id: name, secret: password, basic: true}, ok
}
