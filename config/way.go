package config

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// Bounds of a heartbeat.
const (
	usualHeartbeat = 5 * time.Minute
	leastHeartbeat = time.Minute
	mostHeartbeat  = time.Hour
)

// way reads how Jamf is reached, and how often it is asked whether it can be.
func (d *document) way(m *mapping, s *Source) {
	s.Heartbeat = m.heartbeat()
	s.Networks = m.networks()
	proxy := m.scalar("proxy_url")
	if proxy.set {
		s.Proxy = d.proxy(proxy)
		if s.Proxy.Reveal() != "" && s.Proxy.Reveal() != ProxyOff && strings.HasPrefix(s.URL, "http:") {
			d.problem(proxy.origin, "a source with http is asked directly: nothing goes through a proxy in the clear")
		}
	}
	ca := m.scalar("ca_file")
	switch {
	case !ca.set:
	case ca.text == "":
		d.problem(ca.origin, "names no file; remove the line where the certificates of the system are enough")
	default:
		s.CAFile = d.path(ca.text)
		if err := checkCertificates(s.CAFile); err != nil {
			d.problem(ca.origin, "%v", err)
		}
	}
}

// networks reads which addresses Jamf may have.
func (m *mapping) networks() []string {
	list, written := m.values("networks")
	if written && len(list) == 0 && !m.doc.blamedBelow(m.join("networks")) {
		m.doc.problem(m.from("networks"), "is empty; name public, private, loopback or a network, or leave it out")
	}
	var out []string
	for _, v := range list {
		word := v.text
		if p, err := netip.ParsePrefix(word); err == nil {
			word = p.Masked().String()
			if word != v.text {
				m.doc.problem(v.origin, "%s has bits beyond its length; write %s", clip(v.text), word)
				continue
			}
		} else if !slices.Contains([]string{NetworkPublic, NetworkPrivate, NetworkLoopback}, word) {
			m.doc.problem(v.origin, "must be public, private, loopback or a network like 10.20.0.0/16, not %q", clip(word))
			continue
		}
		if slices.Contains(out, word) {
			m.doc.problem(v.origin, "%s stands twice", word)
			continue
		}
		out = append(out, word)
	}
	return out
}

// heartbeat reads how often Jamf is asked for a sign of life. Switching it off is a warning, never an accident.
func (m *mapping) heartbeat() time.Duration {
	v := m.scalar("heartbeat")
	if !v.set {
		return usualHeartbeat
	}
	if v.text == "off" {
		m.doc.warn(v.origin, "without a heartbeat nothing records whether Jamf is reachable, and a lost right or a refused secret shows at the next sync only")
		return 0
	}
	every, ok := parseDuration(v.text)
	if !ok || every < leastHeartbeat || every > mostHeartbeat {
		m.doc.problem(v.origin, "must be a time from %s to %s like 5m, or off, not %q", showDuration(leastHeartbeat), showDuration(mostHeartbeat), clip(v.text))
		return usualHeartbeat
	}
	return every
}

// proxy reads the address of a proxy: itself, off, or file:, env: and cred: where it stands. Problems never repeat it,
// because it may hold a password.
func (d *document) proxy(v value) Secret {
	if v.text == ProxyOff {
		return NewSecret(ProxyOff)
	}
	address := NewSecret(v.text)
	scheme, _, _ := strings.Cut(v.text, ":")
	elsewhere := slices.Contains([]string{"file", "env", "cred"}, scheme)
	if elsewhere {
		if address = d.secret(v); address.Reveal() == "" {
			return Secret{}
		}
	}
	u, err := checkProxy(address.Reveal())
	if err != nil {
		d.problem(v.origin, "%v", err)
		return Secret{}
	}
	if _, has := u.User.Password(); has && !elsewhere && v.origin.variable == "" {
		d.literal = true
		d.warn(v.origin, "the proxy's password stands in the file; write file:PATH, env:NAME or cred:NAME instead")
	}
	return address
}

// checkProxy says what is wrong with the address of a proxy.
func checkProxy(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Opaque != "" {
		return nil, errors.New("must be the address of a proxy, like http://proxy.example.com:3128, or off")
	}
	bare := *u
	bare.User = nil
	if _, ok := canonicalHost(&bare, u.Scheme); !ok {
		return nil, errors.New("must be the address of a proxy, like http://proxy.example.com:3128, or off")
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, errors.New("must end after the host and port of the proxy, like http://proxy.example.com:3128")
	}
	return u, nil
}

// maxCertificates is the largest file of certificates that is read, in bytes.
const maxCertificates = 4 << 20

// checkCertificates says what is wrong with a file of certificates in PEM.
func checkCertificates(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a file", path)
	case info.Size() > maxCertificates:
		return fmt.Errorf("%s is larger than 4 MiB", path)
	}
	rest, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if bytes.Contains(rest, []byte("PRIVATE KEY-----")) {
		return fmt.Errorf("%s holds a private key; only certificates belong there", path)
	}
	found := 0
	for block := (*pem.Block)(nil); ; {
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return fmt.Errorf("certificate %d in %s cannot be read", found+1, path)
		}
		found++
	}
	if found == 0 {
		return fmt.Errorf("%s holds no certificate (PEM, -----BEGIN CERTIFICATE-----)", path)
	}
	return nil
}
