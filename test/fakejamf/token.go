package fakejamf

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
)

// token answers both token endpoints: client credentials in a form, errors as RFC 6749 5.2 has them.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		s.refuse(w, r, http.StatusMethodNotAllowed, "", "")
		return
	}
	if r.Pattern == "/api/v1/oauth/token" && s.o.OldTokenPathOnly {
		s.refuse(w, r, http.StatusNotFound, "", "")
		return
	}
	if s.disturb(w, r, false) {
		return
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		s.refuse(w, r, http.StatusUnsupportedMediaType, "", "")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	if err := r.ParseForm(); err != nil {
		s.refuseToken(w, r, http.StatusBadRequest, "invalid_request", "OAuth 2.0 Parameter: body")
		return
	}
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	switch {
	case r.Form.Get("grant_type") == "": // Elastic's client sends it in the query
		s.refuseToken(w, r, http.StatusBadRequest, "invalid_request", "OAuth 2.0 Parameter: grant_type")
	case r.Form.Get("grant_type") != "client_credentials":
		s.refuseToken(w, r, http.StatusBadRequest, "unsupported_grant_type", "OAuth 2.0 Parameter: grant_type")
	case !s.knows(id, secret):
		s.refuseToken(w, r, http.StatusUnauthorized, "invalid_client", "Client authentication failed")
	case !scopeGranted(r.Form.Get("scope")):
		s.refuseToken(w, r, http.StatusBadRequest, "invalid_scope", "OAuth 2.0 Parameter: scope")
	default:
		s.grant(w, r)
	}
}

const scope = "api-role:2"

func scopeGranted(asked string) bool {
	for one := range strings.FieldsSeq(asked) {
		if one != scope {
			return false
		}
	}
	return true
}

func (s *Server) knows(id, secret string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if other := s.others[id]; other != "" {
		return subtle.ConstantTimeCompare([]byte(secret), []byte(other)) == 1
	}
	return id == s.o.ClientID && subtle.ConstantTimeCompare([]byte(secret), []byte(s.secret)) == 1
}

func (s *Server) refuseToken(w http.ResponseWriter, r *http.Request, status int, code, description string) {
	s.mu.Lock()
	s.stats.TokensRefused++
	s.mu.Unlock()
	s.send(w, r, status, func(o *writer) {
		o.openObject()
		o.str("error", code)
		o.str("error_description", description)
		o.str("error_uri", "https://datatracker.ietf.org/doc/html/rfc6749#section-5.2")
		o.closeObject()
	})
}

func (s *Server) grant(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	now := s.o.Now()
	s.minted++
	t := s.mint(now.Unix())
	for old, end := range s.tokens {
		if !now.Before(end) {
			delete(s.tokens, old)
		}
	}
	s.tokens[t] = now.Add(s.o.TokenLifetime)
	s.stats.TokensIssued++
	s.mu.Unlock()
	w.Header().Set("Pragma", "no-cache")
	s.send(w, r, http.StatusOK, func(o *writer) {
		o.openObject()
		o.str("access_token", t)
		o.str("scope", scope)
		o.str("token_type", "Bearer")
		o.num("expires_in", max(0, int(s.o.TokenLifetime.Seconds())-1))
		o.closeObject()
	})
}

// mint makes a token that looks like Jamf's: a JWT whose claims nobody is meant to read. It is worth something only
// because the server remembers it.
func (s *Server) mint(now int64) string {
	d := roll(s.o.Seed, saltToken, s.minted)
	o := &writer{}
	o.openObject()
	o.str("sub", s.o.ClientID)
	o.str("aud", s.o.ClientID)
	o.num("nbf", int(now))
	o.str("token-uuid", d.uuid(false))
	o.str("subject-type", "REGISTERED_CLIENT_ID")
	o.str("authentication-type", "CLIENT_CREDENTIALS")
	o.strs("scope", scope)
	o.str("iss", "https://jamf.example")
	o.num("exp", int(now)+int(s.o.TokenLifetime.Seconds()))
	o.num("iat", int(now))
	o.closeObject()
	enc := base64.RawURLEncoding
	text := enc.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + enc.EncodeToString(o.b)
	mac := hmac.New(sha256.New, binary.BigEndian.AppendUint64(nil, s.o.Seed))
	mac.Write([]byte(text))
	return text + "." + enc.EncodeToString(mac.Sum(nil))
}

// authed lets a request through whose token lives and may do what the path needs; privilege "" needs a token only.
func (s *Server) authed(privilege string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		known, refused, allowed := s.judge(r, privilege)
		switch {
		case !known || refused:
			s.refuse(w, r, http.StatusUnauthorized, "INVALID_TOKEN", "Unauthorized")
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET")
			s.refuse(w, r, http.StatusMethodNotAllowed, "", "")
		case !allowed:
			s.refuse(w, r, http.StatusForbidden, "INVALID_PRIVILEGE", "Forbidden")
		default:
			next(w, r)
		}
	}
}

func (s *Server) judge(r *http.Request, privilege string) (known, refused, allowed bool) {
	scheme, t, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	s.mu.Lock()
	defer s.mu.Unlock()
	end, ok := s.tokens[strings.TrimSpace(t)]
	if !strings.EqualFold(scheme, "Bearer") || !ok || !s.o.Now().Before(end) {
		return false, false, false
	}
	return true, s.chanceLocked("refused token", s.faults.RefuseToken), privilege == "" || slices.Contains(s.privileges, privilege)
}

// auth answers GET /api/v1/auth: who the token is and what it may do.
func (s *Server) auth(w http.ResponseWriter, r *http.Request) {
	if s.disturb(w, r, false) {
		return
	}
	s.mu.Lock()
	privileges := slices.Clone(s.privileges)
	s.mu.Unlock()
	s.send(w, r, http.StatusOK, func(o *writer) {
		o.openObject()
		o.object("account")
		o.str("id", "7")
		o.str("username", s.o.ClientID)
		o.str("realName", "Inventar „Lesen“")
		o.str("email", "")
		o.object("preferences")
		o.str("language", "de")
		o.str("dateFormat", "dd.MM.yyyy")
		o.str("region", "Europe")
		o.str("timezone", "Europe/Berlin")
		o.yes("disableRelativeDates", false)
		o.closeObject()
		o.yes("multiSiteAdmin", false)
		o.str("accessLevel", "FullAccess")
		o.str("privilegeSet", "CUSTOM")
		o.object("privilegesBySite")
		o.strs("-1", privileges...)
		o.closeObject()
		o.strs("groupIds")
		o.str("currentSiteId", "-1")
		o.null("currentDivisionId")
		o.closeObject()
		o.array("accountGroups")
		o.closeArray()
		o.array("sites")
		o.closeArray()
		o.str("authenticationType", "CLIENT_CREDENTIALS")
		o.closeObject()
	})
}

// ingress reads which node a request belongs to from its jpro-ingress cookie, or throws one and sets the cookie.
func (s *Server) ingress(w http.ResponseWriter, r *http.Request) int {
	if c, err := r.Cookie("jpro-ingress"); err == nil {
		for i := range s.nodes {
			if strings.HasSuffix(c.Value, nodeMark(i)) {
				return i
			}
		}
	}
	s.mu.Lock()
	i := s.dice.n(len(s.nodes))
	d := roll(s.dice.next())
	c := http.Cookie{ //nolint:gosec // the simulated Jamf also speaks plain http on loopback
		Name: "jpro-ingress", Value: fmt.Sprintf("%d.%d.%s", s.o.Now().Unix(), d.n(1000), d.hex(24, false)) + nodeMark(i),
		Path: "/", HttpOnly: true, Secure: r.TLS != nil,
	}
	s.stats.LastCookieSet = c.String()
	s.mu.Unlock()
	http.SetCookie(w, &c)
	return i
}

func nodeMark(i int) string { return fmt.Sprintf("-n%d", i) }
