// Package visitor goes in through the public address of the gateway as Inventory360 would: name, certificate chain,
// token, rights, one list, one device. It tells what a proxy or a certificate between the two breaks. It knows HTTP and
// the shapes of the façade, and no other room but the catalogue's codes.
package visitor

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Codes of the catalogue that a visit can end with; what the gateway itself answers is passed on.
const (
	codeDNS           = "door_dns_failed"
	codeConnect       = "door_connect_failed"
	codeTimeout       = "door_timeout"
	codePlain         = "door_plain_http"
	codeIntermediate  = "door_intermediate_missing"
	codeSelfSigned    = "door_self_signed"
	codeAuthority     = "door_unknown_authority"
	codeExpired       = "door_certificate_expired"
	codeExpires       = "door_certificate_expires"
	codeName          = "door_wrong_name"
	codeTLS           = "door_tls_failed"
	codeRedirect      = "door_redirect"
	codeHTML          = "door_html"
	codeBadGateway    = "door_bad_gateway"
	codePath          = "door_path_lost"
	codeHost          = "door_host_lost"
	codeQuery         = "door_query_lost"
	codeAuthorization = "door_authorization_lost"
	codeForeign       = "door_token_foreign"
	codeBody          = "door_body_changed"
	codeRefused       = "door_refused"
	codeMisdirected   = "misdirected"
	codeInvalidClient = "invalid_client"
	codeRightMissing  = "right_missing"
)

// stepTimeout bounds each step.
const stepTimeout = 30 * time.Second

// Results of a step, as in the connection test.
const (
	resultOK      = "ok"
	resultWarning = "warning"
	resultFailed  = "failed"
	resultSkipped = "skipped"
)

// Options of Visit. Roots nil: those of the system. Dial and Lookup nil: those of the net package.
type Options struct {
	PublicURL    string // of the gateway, without a slash at its end
	API          string // of one source, ends in /api; below PublicURL, or at the root of a host name of the source's own
	ClientID     string
	ClientSecret string
	Mobile       bool // the source serves mobile devices; otherwise computers are asked for
	Computers    bool // it serves computers beside them: their list is asked for, too
	UserAgent    string
	Roots        *x509.CertPool
	Dial         func(ctx context.Context, network, address string) (net.Conn, error)
	Lookup       func(ctx context.Context, host string) ([]string, error)
}

// Step is one step of a visit. Detail is a fragment in each language, without secrets.
type Step struct {
	Name    string // url, dns, tcp, tls, visit_token, visit_auth, visit_list, visit_detail
	Result  string // ok, warning, failed, skipped
	Code    string // of the catalogue
	Detail  Words
	Latency time.Duration
}

// Words is one fragment in each language.
type Words struct{ EN, DE string }

func words(en, de string, args ...any) Words {
	return Words{fmt.Sprintf(en, args...), fmt.Sprintf(de, args...)}
}

// Report is the outcome of a visit. A warning is no failure.
type Report struct {
	OK      bool
	Started time.Time
	Steps   []Step

	Computers, MobileDevices *int // how many the lists have; nil = not asked for, or no list came
}

// trouble is an error with what a person needs to know.
type trouble struct {
	code   string
	detail Words
	soft   bool // a warning
	err    error
}

func (t *trouble) Error() string { return t.code + ": " + t.detail.EN }
func (t *trouble) Unwrap() error { return t.err }

// Visit goes in. What follows a failure is skipped.
func Visit(ctx context.Context, o Options) Report {
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	}
	if o.Lookup == nil {
		o.Lookup = net.DefaultResolver.LookupHost
	}
	v := &visit{o: o, report: Report{Started: time.Now()}}
	v.step(ctx, "url", v.parse)
	v.step(ctx, "dns", v.resolve)
	v.step(ctx, "tcp", v.connect)
	v.step(ctx, "tls", v.handshake)
	v.step(ctx, "visit_token", v.token)
	v.step(ctx, "visit_auth", v.auth)
	v.step(ctx, "visit_list", v.list)
	v.step(ctx, "visit_detail", v.detail)
	if v.client != nil {
		v.client.CloseIdleConnections()
	}
	v.report.OK = !slices.ContainsFunc(v.report.Steps, func(s Step) bool { return s.Result == resultFailed })
	return v.report
}

// visit is the state between the steps.
type visit struct {
	o      Options
	report Report
	ended  bool

	url    *url.URL // of the API
	client *http.Client
	bearer string
	id     string // of a device of a list
	mobile bool   // the device is a mobile one
	none   bool   // there is no device
}

func (v *visit) step(ctx context.Context, name string, run func(context.Context) (Words, error)) {
	if v.ended {
		v.report.Steps = append(v.report.Steps, Step{Name: name, Result: resultSkipped, Detail: words("after an earlier failure", "nach einem früheren Fehler")})
		return
	}
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	began := time.Now()
	detail, err := run(ctx)
	st := Step{Name: name, Result: resultOK, Detail: detail, Latency: time.Since(began)}
	var t *trouble
	switch {
	case err == nil && name == "visit_detail" && v.none:
		st.Result = resultSkipped
	case errors.As(err, &t) && t.soft:
		st.Result, st.Code, st.Detail = resultWarning, t.code, t.detail
	case errors.As(err, &t):
		st.Result, st.Code, st.Detail, v.ended = resultFailed, t.code, t.detail, true
	case err != nil:
		st.Result, st.Code, v.ended = resultFailed, codeConnect, true
	}
	if st.Result == resultFailed && ctx.Err() != nil {
		st.Code, st.Detail = codeTimeout, words("not done within %d s", "nicht fertig innerhalb von %d s", int(stepTimeout.Seconds()))
	}
	v.report.Steps = append(v.report.Steps, st)
}

func (v *visit) parse(context.Context) (Words, error) {
	u, err := url.Parse(v.o.API)
	if err != nil || u.Hostname() == "" {
		return Words{}, &trouble{code: codePath, detail: words("public_url is no address", "public_url ist keine Adresse")}
	}
	v.url = u
	if u.Scheme != "https" {
		return Words{}, &trouble{code: codePlain, soft: true, detail: Words{v.o.API, v.o.API}}
	}
	return Words{v.o.API, v.o.API}, nil
}

func (v *visit) resolve(ctx context.Context) (Words, error) {
	host := v.url.Hostname()
	if net.ParseIP(host) != nil {
		return words("an address, no name to resolve", "eine Adresse, kein Name aufzulösen"), nil
	}
	addresses, err := v.o.Lookup(ctx, host)
	if err != nil || len(addresses) == 0 {
		return Words{}, &trouble{code: codeDNS, detail: words("%s cannot be resolved", "%s ist nicht auflösbar", host), err: err}
	}
	all := strings.Join(addresses, ", ")
	return words("%s is %s", "%s ist %s", host, all), nil
}

// address is host and port.
func (v *visit) address() string {
	port := v.url.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[v.url.Scheme]
	}
	return net.JoinHostPort(v.url.Hostname(), port)
}

func (v *visit) connect(ctx context.Context) (Words, error) {
	conn, err := v.o.Dial(ctx, "tcp", v.address())
	if err != nil {
		return Words{}, &trouble{code: codeConnect, detail: words("no connection to %s", "keine Verbindung zu %s", v.address()), err: err}
	}
	return Words{v.address(), v.address()}, conn.Close()
}
