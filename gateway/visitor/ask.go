package visitor

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// maxBody is the most of an answer that is read.
const maxBody = 4 << 20

// answer is one answer, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) html() bool {
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	return kind == "text/html" || strings.HasPrefix(strings.ToLower(strings.TrimSpace(string(a.body[:min(len(a.body), 64)]))), "<!doctype") ||
		strings.HasPrefix(strings.ToLower(strings.TrimSpace(string(a.body[:min(len(a.body), 64)]))), "<html")
}

// said is what the gateway says of an error in any of its dialects.
type said struct {
	Error  string `json:"error"` // token endpoint
	Code   string `json:"code"`  // problem
	Errors []struct {
		Description string `json:"description"`
	} `json:"errors"` // Jamf's envelope
}

var codeInDescription = regexp.MustCompile(`\[([a-z_]+)\]$`)

// said is the gateway's own code of an error; "" when the answer is not one of its errors. A 401 of the façade says no more
// than Jamf says: "unauthorized".
func (a answer) said() string {
	var s said
	if json.Unmarshal(a.body, &s) != nil {
		return ""
	}
	switch {
	case s.Error != "":
		return s.Error
	case s.Code != "":
		return s.Code
	case len(s.Errors) == 1:
		if m := codeInDescription.FindStringSubmatch(s.Errors[0].Description); m != nil {
			return m[1]
		}
		return strings.ToLower(s.Errors[0].Description)
	}
	return ""
}

// send asks once. What is wrong with the way, whatever was asked, is told here.
func (v *visit) send(ctx context.Context, method, address string, form url.Values, bearer string) (answer, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	rq, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return answer{}, &trouble{code: codePath, err: err}
	}
	rq.Header.Set("Accept", "application/json")
	rq.Header.Set("Accept-Encoding", "identity")
	rq.Header.Set("User-Agent", v.o.UserAgent)
	if form != nil {
		rq.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if bearer != "" {
		rq.Header.Set("Authorization", "Bearer "+bearer)
	}
	rs, err := v.client.Do(rq)
	if err != nil {
		return answer{}, &trouble{code: codeConnect, err: err, detail: words("the connection breaks off", "die Verbindung bricht ab")}
	}
	defer rs.Body.Close() //nolint:errcheck // read whole or not wanted
	a := answer{status: rs.StatusCode, header: rs.Header}
	if a.body, err = io.ReadAll(io.LimitReader(rs.Body, maxBody)); err != nil {
		return a, &trouble{code: codeBody, err: err, detail: words("the answer breaks off after %d bytes", "die Antwort bricht nach %d Bytes ab", len(a.body))}
	}
	return a, a.fault()
}

// fault judges what says nothing about the question: redirects, pages, refusals of somebody in between.
func (a answer) fault() error {
	status := words("status %d", "Status %d", a.status)
	switch {
	case a.status >= 300 && a.status < 400:
		to := a.header.Get("Location")
		if u, err := url.Parse(to); err == nil {
			u.RawQuery, u.User, u.Fragment = "", nil, ""
			to = u.String()
		}
		return &trouble{code: codeRedirect, detail: words("status %d to %s", "Status %d nach %s", a.status, to)}
	case a.said() != "" && a.status >= 400:
		return nil // the gateway itself
	case a.status == http.StatusBadGateway, a.status == http.StatusServiceUnavailable, a.status == http.StatusGatewayTimeout:
		return &trouble{code: codeBadGateway, detail: status}
	case a.status == http.StatusNotFound:
		return &trouble{code: codePath, detail: status}
	case a.html():
		return &trouble{code: codeHTML, detail: status}
	case a.status >= 400:
		return &trouble{code: codeRefused, detail: status}
	}
	return nil
}

// decode reads the body of a 200; the ETag of the gateway is the digest of the bytes it sent, when nobody compressed them.
func (a answer) decode(into any) error {
	if tag := a.header.Get("ETag"); len(tag) == 26 && a.header.Get("Content-Encoding") == "" {
		sum := sha256.Sum256(a.body)
		if tag != `"`+base64.RawURLEncoding.EncodeToString(sum[:18])+`"` {
			return &trouble{code: codeBody, detail: words("the bytes do not match their ETag", "die Bytes passen nicht zu ihrem ETag")}
		}
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		return &trouble{code: codeBody, err: err, detail: words("the answer is no JSON", "die Antwort ist kein JSON")}
	}
	return nil
}

// token asks for a token as Inventory360 does.
func (v *visit) token(ctx context.Context) (Words, error) {
	if v.hostLost(ctx) {
		return Words{}, &trouble{code: codeHost, detail: words("%s does not arrive as Host", "%s kommt nicht als Host an", v.url.Hostname())}
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {v.o.ClientID}, "client_secret": {v.o.ClientSecret}}
	a, err := v.send(ctx, http.MethodPost, v.o.API+"/oauth/token", form, "")
	if err != nil {
		return Words{}, err
	}
	if a.status != http.StatusOK {
		code := a.said()
		switch {
		case code == codeInvalidClient:
		case a.status == http.StatusUnauthorized, a.status == http.StatusNotFound:
			code = codePath // the token endpoint needs no token: this was another path
		case !known(code):
			code = codeRefused
		}
		return Words{}, &trouble{code: code, detail: words("status %d to the token request", "Status %d auf die Token-Anfrage", a.status)}
	}
	var got struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := a.decode(&got); err != nil {
		return Words{}, err
	}
	if got.AccessToken == "" {
		return Words{}, &trouble{code: codeBody, detail: words("there is no token in the answer", "in der Antwort steht kein Token")}
	}
	v.bearer = got.AccessToken
	return words("valid for %d s", "gültig für %d s", got.ExpiresIn), nil
}

// hostLost tells whether a proxy puts a name or address of the gateway in place of the source's own host name: then the root
// of the gateway answers, with the default source, and nothing else would look wrong. Below a host name of a source the health page of
// another one does not exist; at the gateway's root it is open to everybody.
func (v *visit) hostLost(ctx context.Context) bool {
	public, err := url.Parse(v.o.PublicURL)
	if err != nil || strings.EqualFold(public.Hostname(), v.url.Hostname()) {
		return false
	}
	// The page is HTML, which is an error anywhere else; what else goes wrong here the token request tells better.
	a, _ := v.send(ctx, http.MethodGet, strings.TrimSuffix(v.o.API, "/api")+"/jamf/-/healthCheck.html", nil, "")
	return a.status == http.StatusOK && strings.TrimSpace(string(a.body)) == "[]"
}

// known tells that a word of the gateway can be explained: a code of the catalogue that is worth passing on.
func known(code string) bool {
	return code == codeMisdirected || strings.Contains(code, "_") && !strings.HasPrefix(code, "invalid_") && !strings.HasPrefix(code, "unsupported_")
}

// get asks the façade with the token.
func (v *visit) get(ctx context.Context, path string, into any) error {
	a, err := v.send(ctx, http.MethodGet, v.o.API+path, nil, v.bearer)
	if err != nil {
		return err
	}
	status := words("status %d", "Status %d", a.status)
	switch {
	case a.status == http.StatusOK:
		return a.decode(into)
	case a.status == http.StatusUnauthorized:
		return v.unauthorized(ctx, a)
	case a.status == http.StatusNotFound && a.said() == "not_found":
		return &trouble{code: codePath, detail: status}
	case known(a.said()):
		return &trouble{code: a.said(), detail: status}
	}
	return &trouble{code: codeRefused, detail: status}
}

// unauthorized finds out why a token that was just issued is refused: the gateway's own API says whether one arrived.
func (v *visit) unauthorized(ctx context.Context, a answer) error {
	code := codeForeign
	if challenge := a.header.Get("WWW-Authenticate"); challenge != "" && !strings.Contains(challenge, "invalid_token") {
		code = codeAuthorization
	}
	own, err := v.send(ctx, http.MethodGet, v.o.PublicURL+"/v1/sources", nil, v.bearer)
	if err == nil {
		switch own.said() {
		case "unauthorized":
			code = codeAuthorization
		case "invalid_token":
			code = codeForeign
		}
	}
	return &trouble{code: code, detail: words("status %d to a request with a new token", "Status %d auf eine Anfrage mit neuem Token", a.status)}
}

// auth asks for the rights, as a connection test does.
func (v *visit) auth(ctx context.Context) (Words, error) {
	var got struct {
		Account *struct {
			PrivilegesBySite map[string][]string `json:"privilegesBySite"`
		} `json:"account"`
	}
	if err := v.get(ctx, "/v1/auth", &got); err != nil {
		return Words{}, err
	}
	if got.Account == nil {
		return Words{}, &trouble{code: codeBody, detail: words("there is no account in the answer", "in der Antwort steht kein account")}
	}
	var rights []string
	for _, site := range got.Account.PrivilegesBySite {
		rights = append(rights, site...)
	}
	slices.Sort(rights)
	want := "Read Computers"
	if v.o.Mobile {
		want = "Read Mobile Devices"
	}
	if !slices.Contains(rights, want) {
		return Words{}, &trouble{code: codeRightMissing, detail: Words{want, want}}
	}
	all := strings.Join(rights, ", ")
	return Words{all, all}, nil
}

// listPath is the list of a kind.
func listPath(mobile bool) string {
	if mobile {
		return "/v2/mobile-devices"
	}
	return "/v1/computers-inventory"
}

// list asks for one row of each kind that the source serves, and tells how many devices each list has.
func (v *visit) list(ctx context.Context) (Words, error) {
	said, id, err := v.listOf(ctx, v.o.Mobile)
	if err != nil {
		return Words{}, err
	}
	v.id, v.mobile, v.none = id, v.o.Mobile, id == ""
	if !v.o.Mobile || !v.o.Computers {
		return said, nil
	}
	more, id, err := v.listOf(ctx, false)
	if err != nil {
		return said, err
	}
	if v.none {
		v.id, v.mobile, v.none = id, false, id == ""
	}
	return Words{said.EN + ", " + more.EN, said.DE + ", " + more.DE}, nil
}

// listOf asks for one row of a kind; id is that of its device, "" when there is none.
func (v *visit) listOf(ctx context.Context, mobile bool) (said Words, id string, err error) {
	kind := Words{"computers", "Computer"}
	if mobile {
		kind = Words{"mobile devices", "Mobilgeräte"}
	}
	defer func() {
		if t, ok := errors.AsType[*trouble](err); ok {
			t.detail = Words{kind.EN + ": " + t.detail.EN, kind.DE + ": " + t.detail.DE}
		}
	}()
	var got struct {
		TotalCount *int `json:"totalCount"`
		Results    []struct {
			ID string `json:"id"`
		} `json:"results"`
	}
	if err := v.get(ctx, listPath(mobile)+"?page=0&page-size=1", &got); err != nil {
		return Words{}, "", err
	}
	switch {
	case got.TotalCount == nil || got.Results == nil:
		return Words{}, "", &trouble{code: codeBody, detail: words("the answer is no list", "die Antwort ist keine Liste")}
	case len(got.Results) > 1:
		return Words{}, "", &trouble{code: codeQuery, detail: words("%d rows instead of 1", "%d Zeilen statt 1", len(got.Results))}
	case len(got.Results) == 0 && *got.TotalCount > 0, len(got.Results) == 1 && got.Results[0].ID == "":
		return Words{}, "", &trouble{code: codeBody, detail: words("the row is missing", "die Zeile fehlt")}
	}
	if len(got.Results) == 1 {
		id = got.Results[0].ID
	}
	if mobile {
		v.report.MobileDevices = got.TotalCount
	} else {
		v.report.Computers = got.TotalCount
	}
	return Words{fmt.Sprintf("%d %s", *got.TotalCount, kind.EN), fmt.Sprintf("%d %s", *got.TotalCount, kind.DE)}, id, nil
}

// detail asks for the device of the list.
func (v *visit) detail(ctx context.Context) (Words, error) {
	if v.none {
		return words("there is no device to ask for", "es gibt kein Gerät, nach dem gefragt werden könnte"), nil
	}
	path, said := "/v1/computers-inventory-detail", words("computer %s", "Computer %s", v.id)
	if v.mobile {
		path, said = listPath(true), words("mobile device %s", "Mobilgerät %s", v.id)
	}
	var got struct {
		ID string `json:"id"`
	}
	if err := v.get(ctx, path+"/"+url.PathEscape(v.id), &got); err != nil {
		return Words{}, err
	}
	if got.ID != v.id {
		return Words{}, &trouble{code: codeBody, detail: words("another device came than the one asked for", "es kam ein anderes Gerät als das verlangte")}
	}
	return said, nil
}
