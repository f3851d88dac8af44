package jamf

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// stepTimeout bounds each step of a connection test, its wait in the budget included.
const stepTimeout = 30 * time.Second

// Results of a step.
const (
	resultOK      = "ok"
	resultWarning = "warning"
	resultFailed  = "failed"
	resultSkipped = "skipped"
)

// Step is one step of a connection test.
type Step struct {
	Name    string // "url", "dns", "tcp", "proxy" (where one stands between), "tls", "token", "rights", "mobile_devices", "computers", "version", "other_client" (where there are two)
	Result  string // "ok", "warning", "failed", "skipped"
	Code    string // catalogue code of a warning or a failure
	Detail  string // safe sentence fragment: counts, names of rights, certificate expiry
	Latency time.Duration
}

// Report is the outcome of a connection test.
type Report struct {
	OK          bool // no step failed; a warning is none
	Steps       []Step
	Present     []string // of the wanted rights
	Missing     []string
	Surplus     []string // rights beyond the wanted ones and those that are used for names or read a path that is passed on
	ForNames    []string // rights that give names to ids that are kept, and nothing else
	Nameless    []string // rights that would give names to ids that are kept, and are not there: no fault
	Computers   int      // -1 unknown
	Mobiles     int      // -1 unknown
	JamfVersion string
	TokenLife   time.Duration // of the token that was proved; 0 = none
	Started     time.Time
}

// Test runs the connection test through the budget (semaphore and limiter) with its own 30 s deadline a step. It is
// neither counted nor stopped by the breaker. Refused credentials count towards auth_failed, and while that pauses the token
// endpoint, the test sends no secret either; a token that the API takes ends auth_failed.
// want lists the rights that the configured kinds need; only those kinds are asked. What follows a failure is skipped,
// but one missing right does not hide whether the other kind can be read. names lists the rights that give names to ids
// which the settings keep: good to have, not needed.
func (s *Source) Test(ctx context.Context, want []string, names ...string) Report {
	ctx, span := s.startCall(ctx, "jamf test", "test")
	defer span.End()
	t := &connectionTest{
		src: s, walk: s.NewWalk(), want: want, names: names,
		report: Report{Computers: -1, Mobiles: -1, Started: time.Now()},
	}
	defer t.closeConn()
	t.step(ctx, "url", t.url)
	t.step(ctx, "dns", t.dns)
	t.step(ctx, "tcp", t.tcp)
	if s.proxy != nil {
		t.step(ctx, "proxy", t.throughProxy)
	}
	t.step(ctx, "tls", t.tls)
	t.closeConn()
	t.step(ctx, "token", t.token)
	t.step(ctx, "rights", t.rights)
	t.step(ctx, "mobile_devices", t.list(MobilePlain, ReadMobileDevices, &t.report.Mobiles))
	t.step(ctx, "computers", t.list(Computers, ReadComputers, &t.report.Computers))
	t.step(ctx, "version", t.version)
	if len(s.tokens.logins) > 1 {
		t.ended = false
		t.step(ctx, "other_client", t.other)
	}
	t.report.OK = !slices.ContainsFunc(t.report.Steps, func(st Step) bool { return st.Result == resultFailed })
	return t.report
}

// connectionTest is the state between the steps.
type connectionTest struct {
	src    *Source
	walk   *Walk
	want   []string
	names  []string
	report Report

	conn  net.Conn
	leave func() // gives the place of conn in the budget back
	tok   *token
	known bool // the rights could be read
	ended bool // a failure that makes the rest pointless
}

// outcome of a step: an error, or a result with a detail ("" result = ok).
type outcome struct {
	result string
	code   string
	detail string
	err    error
}

func (t *connectionTest) step(ctx context.Context, name string, run func(context.Context) outcome) {
	if t.ended {
		t.report.Steps = append(t.report.Steps, Step{Name: name, Result: resultSkipped, Detail: "after an earlier failure"})
		return
	}
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	began := time.Now()
	o := run(ctx)
	st := Step{Name: name, Result: resultOK, Code: o.code, Detail: o.detail, Latency: time.Since(began)}
	if o.result != "" {
		st.Result = o.result
	}
	if o.err != nil {
		e := asError(name, o.err)
		st.Result, st.Code, st.Detail = resultFailed, e.Code, e.Detail
		if errors.Is(e, context.DeadlineExceeded) {
			st.Code, st.Detail = codeTimeout, "not done within 30 s, the wait for a free place in the budget included"
		}
		t.ended = !errors.Is(e, ErrForbidden)
	}
	t.report.Steps = append(t.report.Steps, st)
}

func (t *connectionTest) url(context.Context) outcome {
	u, err := CheckURL(t.src.o.URL, t.src.o.AllowInsecureLoopback)
	if err != nil {
		return outcome{err: err}
	}
	detail := u.Scheme + " to " + u.Hostname()
	if proxy := t.src.proxy; proxy != nil {
		detail += " through the proxy " + proxy.Hostname()
	}
	return outcome{detail: detail}
}

// target is what is dialed: the host and the address of Jamf, or of the proxy in front of it.
func (t *connectionTest) target() (host, address string) {
	if proxy := t.src.proxy; proxy != nil {
		return proxy.Hostname(), proxyAddress(proxy)
	}
	return t.src.base.Hostname(), Authority(t.src.base)
}

func (t *connectionTest) dns(ctx context.Context) outcome {
	host, _ := t.target()
	if _, err := netip.ParseAddr(host); err == nil {
		return outcome{detail: "an address, no name to resolve"}
	}
	addrs, err := t.src.lookup(ctx, "ip", host)
	if err != nil {
		if ctx.Err() != nil {
			return outcome{err: canceled(ctx, "connect")}
		}
		e := &Error{Kind: ErrUnavailable, Op: "connect", Code: codeDNS, Detail: "the name of the host cannot be resolved", Err: safeCause(err)}
		if t.src.proxy != nil {
			e.Kind, e.Code, e.Detail = ErrProxy, codeProxyDown, "the name of the proxy cannot be resolved"
		}
		return outcome{err: e}
	}
	return outcome{detail: fmt.Sprintf("%d addresses", len(addrs))}
}

// tcp opens a connection. Its place in the budget is kept until it is closed, after the handshake.
func (t *connectionTest) tcp(ctx context.Context) outcome {
	leave, err := t.src.host.hold(ctx, "connect")
	if err != nil {
		return outcome{err: err}
	}
	t.leave = leave
	_, address := t.target()
	conn, err := t.src.transport.DialContext(ctx, "tcp", address)
	_, refused := errors.AsType[*addressError](err)
	if err != nil && t.src.proxy != nil && ctx.Err() == nil && !refused {
		return outcome{err: &Error{Kind: ErrProxy, Op: "connect", Code: codeProxyDown, Detail: "no connection to the proxy", Err: safeCause(err), sent: true}}
	}
	if err != nil {
		return outcome{err: (&wire{proxied: t.src.proxy != nil}).failure(ctx, ctx, "connect", err)}
	}
	t.conn = conn
	return outcome{}
}

// throughProxy asks the proxy for a way to Jamf.
func (t *connectionTest) throughProxy(ctx context.Context) outcome {
	proxy := t.src.proxy
	if proxy.Scheme != "http" && proxy.Scheme != "https" {
		return outcome{result: resultSkipped, detail: "a SOCKS proxy: the token step shows it"}
	}
	conn, err := tunnel(ctx, t.conn, proxy, Authority(t.src.base), tlsConfigOf(t.src.o))
	if err != nil {
		if ctx.Err() != nil {
			return outcome{err: canceled(ctx, "connect")}
		}
		return outcome{err: err}
	}
	t.conn = conn
	return outcome{detail: "lets " + Authority(t.src.base) + " through"}
}

func (t *connectionTest) tls(ctx context.Context) outcome {
	if t.src.base.Scheme != "https" {
		return outcome{detail: "plain http to a loopback address"}
	}
	if proxy := t.src.proxy; proxy != nil && proxy.Scheme != "http" && proxy.Scheme != "https" {
		return outcome{result: resultSkipped, detail: "a SOCKS proxy stands between: the token step shows it"}
	}
	cfg := tlsConfigOf(t.src.o)
	cfg.ServerName = t.src.base.Hostname()
	conn := tls.Client(t.conn, cfg)
	if err := conn.HandshakeContext(ctx); err != nil {
		if ctx.Err() != nil {
			return outcome{err: canceled(ctx, "connect")}
		}
		return outcome{err: &Error{Kind: ErrUnavailable, Op: "connect", Code: codeTLS, Detail: tlsDetail(err), Err: safeCause(err)}}
	}
	t.conn = conn
	state := conn.ConnectionState()
	detail := tls.VersionName(state.Version)
	if len(state.PeerCertificates) > 0 {
		detail += ", the certificate is valid until " + state.PeerCertificates[0].NotAfter.UTC().Format(time.DateOnly)
	}
	return outcome{detail: detail}
}

// closeConn may be called more than once.
func (t *connectionTest) closeConn() {
	if t.conn != nil {
		_ = t.conn.Close()
	}
	if t.leave != nil {
		t.leave()
	}
}

func (t *connectionTest) token(ctx context.Context) outcome {
	tok, err := t.src.tokens.prove(ctx)
	if err != nil {
		return outcome{err: err}
	}
	t.tok = tok
	t.report.TokenLife = tok.expires.Sub(tok.born)
	return outcome{detail: fmt.Sprintf("valid for %d s", int(tok.expires.Sub(tok.born).Seconds()))}
}

// probe asks once, outside the breaker and without a retry.
func (t *connectionTest) probe(ctx context.Context, c *call) error {
	s := t.src
	err := s.host.do(ctx, entry{op: c.op, probe: true}, func(ctx context.Context) error {
		return s.send(ctx, request{
			op: c.op, method: http.MethodGet, path: c.path, template: c.templateOrPath(), query: c.query,
			token: t.tok.value, jar: t.walk.jar, timeout: min(s.o.PageTimeout, stepTimeout),
		}, c.limit, c.read)
	})
	switch {
	case err == nil, errors.Is(err, ErrForbidden), errors.Is(err, ErrNotFound), errors.Is(err, ErrServerError):
		s.tokens.accepted(t.tok)
	case errors.Is(err, ErrUnauthorized):
		s.tokens.refused(t.tok)
	}
	if e := asError(c.op, err); e != nil {
		return e
	}
	return nil
}

func (t *connectionTest) rights(ctx context.Context) outcome {
	var got Rights
	switch err := t.probe(ctx, rightsCall(&got)); {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return outcome{err: err}
	}
	if !got.Known {
		return outcome{result: resultWarning, code: codeNoRights, detail: "Jamf does not say which rights the token has"}
	}
	t.known = true
	r := &t.report
	for _, name := range t.want {
		if got.Has(name) {
			r.Present = append(r.Present, name)
		} else {
			r.Missing = append(r.Missing, name)
		}
	}
	for _, name := range got.Privileges {
		if !slices.Contains(t.want, name) && !slices.Contains(t.names, name) && !readsOneOf(t.src.o.Passed, name) {
			r.Surplus = append(r.Surplus, name)
		}
	}
	for _, name := range t.names {
		if got.Has(name) {
			r.ForNames = append(r.ForNames, name)
		} else {
			r.Nameless = append(r.Nameless, name)
		}
	}
	switch {
	case len(r.Missing) > 0:
		return outcome{result: resultFailed, code: codeRightMissing, detail: "missing: " + strings.Join(r.Missing, ", ")}
	case len(r.Surplus) > 0:
		return outcome{result: resultWarning, code: codeSurplus, detail: surplusDetail(r.Surplus) + r.namesDetail()}
	}
	return outcome{detail: strings.Join(r.Present, ", ") + r.namesDetail()}
}

// namesDetail says what the rights do that are only good for names.
func (r *Report) namesDetail() string {
	var detail string
	if len(r.ForNames) > 0 {
		detail = "; only for names: " + strings.Join(r.ForNames, ", ")
	}
	if len(r.Nameless) > 0 {
		detail += "; optional, ids stay without names without it: " + strings.Join(r.Nameless, ", ")
	}
	return detail
}

// surplusDetail names a few of what may be hundreds.
func surplusDetail(names []string) string {
	const shown = 5
	listed := make([]string, 0, shown)
	for _, name := range names[:min(shown, len(names))] {
		if namesOnly(name) {
			name += " (only useful for names, which the settings do not use)"
		}
		listed = append(listed, name)
	}
	detail := fmt.Sprintf("%d more than needed: %s", len(names), strings.Join(listed, ", "))
	if len(names) > shown {
		detail += ", ..."
	}
	return detail
}

// list asks for one row of a list, if its right is wanted and not known to be missing.
func (t *connectionTest) list(l List, right string, count *int) func(context.Context) outcome {
	return func(ctx context.Context) outcome {
		if !slices.Contains(t.want, right) {
			return outcome{result: resultSkipped, detail: "this kind is not configured"}
		}
		if t.known && slices.Contains(t.report.Missing, right) {
			return outcome{result: resultSkipped, detail: "the right is missing"}
		}
		version := newestVersion
		p, err := t.count(ctx, l, version)
		for _, older := range computerVersions()[1:] {
			if l != Computers || err == nil {
				break
			}
			var missing bool
			if missing, err = pathMissing(err); !missing {
				break
			}
			version = older
			p, err = t.count(ctx, l, version)
		}
		if err != nil {
			return outcome{err: err}
		}
		*count = p.Total
		detail := fmt.Sprintf("%d devices", p.Total)
		if l == Computers {
			t.src.learnVersion(ctx, version, true)
			detail += ", read by " + version
		}
		return outcome{detail: detail}
	}
}

func (t *connectionTest) count(ctx context.Context, l List, version string) (*Page, error) {
	var p *Page
	err := t.probe(ctx, &call{op: l.op(), path: l.path(version), query: l.query([]string{"GENERAL"}, 0, 1), limit: maxPageBytes, read: func(r io.Reader) error {
		var err error
		p, err = decodePage(r, 1)
		return err
	}})
	return p, err
}

func (t *connectionTest) version(ctx context.Context) outcome {
	if err := t.probe(ctx, versionCall(&t.report.JamfVersion)); err != nil {
		t.report.JamfVersion = ""
		return outcome{err: err}
	}
	return outcome{detail: t.report.JamfVersion}
}
