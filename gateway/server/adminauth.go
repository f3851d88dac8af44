package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Wrong admin tokens: so many at once, and one more in each interval.
const (
	adminTries      = 20
	adminTriesEvery = 3 * time.Second
)

// adminOnly lets a request pass that carries the admin token. It stands before every route of the admin door but /metrics, so that
// an unknown path without it is 401 before it is 404.
//
// Reading also takes it as the password of HTTP Basic, so that a person can open a page; what changes something takes the bearer
// token alone, which no browser sends by itself. The right token is never counted and never made to wait, whatever others try.
func (s *Server) adminOnly(c *fiber.Ctx) error {
	given, basic := adminCredential(c.Get(fiber.HeaderAuthorization))
	if basic && writeMethod(c.Context()) {
		given = ""
	}
	if given != "" && s.o.AdminToken != nil && sameText(given, s.o.AdminToken()) {
		guestOf(c.Context()).prove()
		return c.Next()
	}
	if given != "" {
		if !s.adminTries.take(s.o.Now()) {
			return &fault{code: codeTooManyAttempts, retryAfter: shortestRetryAfter, close: true}
		}
	}
	return &fault{code: codeAdminToken}
}

// adminCredential reads an Authorization header: a bearer token, or the password of HTTP Basic, whoever it calls itself.
func adminCredential(header string) (token string, basic bool) {
	if token, ok := bearer(header); ok {
		return token, false
	}
	scheme, encoded, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", false
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return "", true
	}
	_, password, _ := strings.Cut(string(raw), ":")
	return password, true
}

// sameText compares in a time that tells neither where two texts differ nor how long they are. Nothing equals the empty text.
func sameText(given, want string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && want != ""
}

// tries is a token bucket: it is full at first, and gains one in each interval. Safe for concurrent use; the zero value is empty.
type tries struct {
	most  int
	every time.Duration

	mu    sync.Mutex
	left  int
	since time.Time // when left was last counted
}

func newTries(most int, every time.Duration) *tries {
	return &tries{most: most, every: every, left: most}
}

// take takes one, where there is one left.
func (t *tries) take(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch gained := now.Sub(t.since) / t.every; {
	case t.left >= t.most || now.Before(t.since): // full, or the clock was set back
		t.since = now
	case gained > 0:
		t.left = min(t.most, t.left+int(min(gained, time.Duration(t.most))))
		t.since = t.since.Add(gained * t.every)
	}
	if t.left == 0 {
		return false
	}
	t.left--
	return true
}

// adminChallenge says how the admin door wants to be asked. Basic stands there for browsers, which then ask the person.
func adminChallenge(method string) string {
	const realm = `realm="jamf-gateway admin`
	if method == http.MethodGet || method == http.MethodHead {
		return `Basic ` + realm + `: any name, and the admin token as password", charset="UTF-8", Bearer ` + realm + `"`
	}
	return `Bearer ` + realm + `"`
}
