package server

import (
	"strings"

	"github.com/gofiber/fiber/v2"
)

// authenticate lets a request pass that carries a live access token. It stands before every route but the open ones,
// so that an unknown path is 401 before it is 404.
func (s *Server) authenticate(c *fiber.Ctx) error {
	if f := s.identify(c); f != nil {
		return f
	}
	return c.Next()
}

// identify finds the caller by the token and counts the request among his.
func (s *Server) identify(c *fiber.Ctx) *fault {
	token, ok := bearer(c.Get(fiber.HeaderAuthorization))
	if !ok {
		return &fault{code: codeUnauthorized}
	}
	x := exchangeOf(c)
	p, err := s.sealer.verify(token, s.o.Now(), x.rules.clients, x.shown)
	if err != nil || s.ended.has(token, p.expires) {
		return &fault{code: codeInvalidToken}
	}
	x.caller, x.credential = p.who, p.secret
	if !p.who.comesFrom(x) { // before it counts among his requests: it may be a thief's
		return &fault{code: codeNetwork}
	}
	guestOf(c.Context()).prove() // before he waits for anything
	setLimitPolicy(c.Context())
	if s.o.Usage != nil {
		x.seen.Token = s.o.Usage.Hash(token)
	}
	if x.seen.AtOnce, x.counted = s.traffic.enter(p.who.id); !x.counted {
		return &fault{code: codeBusy, limited: true, retryAfter: shortestRetryAfter}
	}
	if wait := p.who.pace.turn(s.o.Now()); wait > 0 {
		return &fault{code: codeRateLimited, retryAfter: wait}
	}
	if f := p.who.mayUse(c.Path()); f != nil {
		return f
	}
	return nil
}

// bearer reads an Authorization header (RFC 6750, 2.1; the scheme in any case).
func bearer(header string) (string, bool) {
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	token = strings.TrimLeft(token, " ")
	return token, token != ""
}
