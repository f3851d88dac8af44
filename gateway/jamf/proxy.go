package jamf

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"golang.org/x/net/http/httpproxy"
)

// networksBehindProxy is why a source is refused whose networks nobody would hold: a proxy resolves the name and dials what it finds.
const networksBehindProxy = "networks cannot be held through a proxy, which resolves the name itself: leave networks out, or set proxy_url: off"

// ProxyOff as SourceOptions.Proxy asks Jamf directly, whatever the environment says.
const ProxyOff = "off"

// proxyFor decides once which proxy stands in front of base; nil = none. setting is a URL, ProxyOff, or "" for HTTPS_PROXY
// and NO_PROXY of the environment. A proxy never sees plain http, so never a token in the clear. No error repeats an
// address, which may hold a password.
func proxyFor(setting string, base *url.URL) (*url.URL, error) {
	if base.Scheme != "https" || setting == ProxyOff {
		return nil, nil
	}
	if setting == "" {
		u, err := httpproxy.FromEnvironment().ProxyFunc()(base)
		if err != nil || u != nil && !proxyScheme(u.Scheme) {
			return nil, proxyInvalid("HTTPS_PROXY of the environment is not the address of a proxy")
		}
		return u, nil
	}
	u, err := url.Parse(setting)
	if err != nil || u.Hostname() == "" || !proxyScheme(u.Scheme) {
		return nil, proxyInvalid("proxy_url is not the address of a proxy")
	}
	return u, nil
}

func proxyScheme(s string) bool {
	return s == "http" || s == "https" || s == "socks5" || s == "socks5h"
}

func proxyInvalid(detail string) *Error {
	return &Error{Kind: ErrProxy, Op: "connect", Code: codeProxyInvalid, Detail: detail}
}

// proxyAddress is what is dialed to reach the proxy.
func proxyAddress(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if port == "" {
		port = "1080"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// proxyAnswer judges what the proxy said to CONNECT; nil is a way through.
func proxyAnswer(op string, status int) *Error {
	e := &Error{Kind: ErrProxy, Op: op, sent: true}
	said := "the proxy answered CONNECT with HTTP " + strconv.Itoa(status)
	switch status {
	case http.StatusOK:
		return nil
	case http.StatusProxyAuthRequired:
		e.Code, e.Detail = codeProxyLogin, said+": it wants a user and a password, or others than these"
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		e.Code, e.Detail = codeProxyRefused, said+": it cannot reach Jamf"
	default:
		e.Code, e.Detail = codeProxyRefused, said
	}
	return e
}

// onProxyAnswer is told by the transport what the proxy said.
func onProxyAnswer(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if e := proxyAnswer("connect", resp.StatusCode); e != nil {
		return e
	}
	return nil
}

// throughProxy names a failure on the way to or at the proxy; nil when it was none.
func throughProxy(op string, err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok && errors.Is(e, ErrProxy) {
		out := *e
		out.Op = op
		return &out
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && (e.Op == "proxyconnect" || e.Op == "socks connect") {
		return &Error{Kind: ErrProxy, Op: op, Code: codeProxyDown, Detail: "no connection to the proxy", Err: safeCause(err), sent: true}
	}
	return nil
}

// tunnel asks the proxy at the other end of conn for a way to host, as the transport does.
func tunnel(ctx context.Context, conn net.Conn, proxy *url.URL, host string, trust *tls.Config) (net.Conn, *Error) {
	if proxy.Scheme == "https" {
		trust.ServerName = proxy.Hostname()
		secure := tls.Client(conn, trust)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, &Error{Kind: ErrProxy, Op: "connect", Code: codeProxyDown, Detail: "no TLS connection to the proxy", Err: safeCause(err)}
		}
		conn = secure
	}
	if until, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(until); err != nil {
			return nil, &Error{Kind: ErrProxy, Op: "connect", Code: codeProxyDown, Detail: "no connection to the proxy"}
		}
	}
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: host}, Host: host, Header: http.Header{}}
	if proxy.User != nil {
		password, _ := proxy.User.Password()
		req.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(proxy.User.Username()+":"+password)))
	}
	broken := &Error{Kind: ErrProxy, Op: "connect", Code: codeProxyDown, Detail: "the proxy did not answer CONNECT"}
	if err := req.WithContext(ctx).Write(conn); err != nil {
		return nil, broken
	}
	r := bufio.NewReaderSize(conn, 4096)
	resp, err := http.ReadResponse(r, req)
	if err != nil {
		return nil, broken
	}
	_ = resp.Body.Close()
	if e := proxyAnswer("connect", resp.StatusCode); e != nil {
		return nil, e
	}
	return conn, nil
}
