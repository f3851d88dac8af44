package config

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// Default addresses of the doors.
const (
	defaultListenTLS   = ":8443"
	defaultListen      = "127.0.0.1:8080"
	defaultAdminListen = "127.0.0.1:9480"
	off                = "off"
)

// readTLS reads the certificate of the public door: two files that are there, an authority, or none.
func readTLS(m, authority *mapping) TLS {
	defer m.done()
	cert, key, ca, acme := m.text("cert_file", ""), m.text("key_file", ""), m.text("client_ca_file", ""), readACME(authority)
	if len(acme.Hosts) > 0 && (cert.text != "" || key.text != "") {
		m.doc.problem(m.from("acme"), "stands beside cert_file and key_file: the certificate comes from files or from an authority")
	}
	if cert.text == "" && key.text == "" && ca.text != "" && len(acme.Hosts) == 0 {
		m.doc.problem(ca.origin, "cert_file and key_file are missing: clients show certificates over TLS alone")
		return TLS{}
	}
	t := TLS{ACME: acme}
	if ca.text != "" {
		t.ClientCAFile = m.doc.path(ca.text)
		if err := checkCertificates(t.ClientCAFile); err != nil && !m.doc.outline {
			m.doc.problem(ca.origin, "%v", err)
		}
	}
	switch {
	case cert.text == "" && key.text == "":
		return t
	case cert.text == "":
		m.doc.problem(key.origin, "cert_file is missing: TLS needs both files")
	case key.text == "":
		m.doc.problem(cert.origin, "key_file is missing: TLS needs both files")
	}
	t.CertFile, t.KeyFile = m.doc.path(cert.text), m.doc.path(key.text)
	certInfo, keyInfo := m.doc.file(cert.origin, t.CertFile), m.doc.file(key.origin, t.KeyFile)
	if keyInfo != nil && keyInfo.Mode().Perm()&0o077 != 0 {
		m.doc.warn(key.origin, "%s can be read by others (mode %04o); set it to 0600", t.KeyFile, keyInfo.Mode().Perm())
	}
	if certInfo != nil && keyInfo != nil {
		m.doc.pair(cert.origin, key.origin, t)
	}
	return t
}

// pair checks that certificate and key can be used together.
func (d *document) pair(cert, key origin, t TLS) {
	certPEM, err := os.ReadFile(t.CertFile)
	if err != nil {
		d.problem(cert, "%v", err)
		return
	}
	keyPEM, err := os.ReadFile(t.KeyFile)
	if err != nil {
		d.problem(key, "%v", err)
		return
	}
	if !holdsCertificate(certPEM) {
		d.problem(cert, "%s holds no usable certificate in PEM", t.CertFile)
		return
	}
	switch _, err := tls.X509KeyPair(certPEM, keyPEM); {
	case err == nil:
	case strings.Contains(err.Error(), "does not match"):
		d.problem(key, "%s is not the key of the certificate in %s", t.KeyFile, t.CertFile)
	default:
		d.problem(key, "%s holds no usable private key in PEM, without a passphrase", t.KeyFile)
	}
}

// holdsCertificate tells whether the first certificate of a PEM file can be read.
func holdsCertificate(rest []byte) bool {
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return false
		}
		if block.Type == "CERTIFICATE" {
			_, err := x509.ParseCertificate(block.Bytes)
			return err == nil
		}
	}
}

// file checks that a named file is there; nil when it is not, or when none is named.
func (d *document) file(o origin, path string) os.FileInfo {
	if path == "" || d.outline {
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		d.problem(o, "%v", err)
	case !info.Mode().IsRegular():
		d.problem(o, "%s is not a file", path)
	default:
		return info
	}
	return nil
}

// doors reads and checks the addresses that the gateway listens on.
func (d *document) doors(c *Config, root *mapping) {
	fallback := defaultListen
	if c.TLS.On() {
		fallback = defaultListenTLS
	}
	listen := root.text("listen", fallback)
	admin := root.text("admin_listen", defaultAdminListen)
	metrics := root.text("metrics_listen", "")
	if admin.text == "" {
		d.problem(admin.origin, "is empty; write off to close the admin door")
	}
	for _, v := range []*value{&admin, &metrics} {
		if v.text == off {
			v.text = ""
		}
	}
	c.Listen, c.AdminListen, c.MetricsListen = listen.text, admin.text, metrics.text
	taken := map[string]string{} // address -> setting
	for _, door := range []value{listen, admin, metrics} {
		if door.text == "" && door.origin.setting != "listen" {
			continue
		}
		if text := checkAddress(door.text); text != "" {
			d.problem(door.origin, "%s", text)
			continue
		}
		if other, twice := taken[door.text]; twice && !strings.HasSuffix(door.text, ":0") {
			d.problem(door.origin, "is the address of %s as well", other)
		}
		taken[door.text] = door.origin.setting
	}
	d.exposure(c, listen, admin)
	d.adminHosts(c, root)
	c.TrustedProxies = root.prefixes("trusted_proxies")
}

// adminHosts reads the names under which the admin door may be asked.
func (d *document) adminHosts(c *Config, root *mapping) {
	list, _ := root.values("admin_hosts")
	for _, v := range list {
		name := strings.ToLower(v.text)
		if _, err := netip.ParseAddr(name); err != nil && !hostName.MatchString(name) {
			d.problem(v.origin, "must be an IP address or a host name, without a port")
			continue
		}
		c.AdminHosts = append(c.AdminHosts, name)
	}
}

// exposure refuses plain HTTP that others could read, unless it is wanted.
func (d *document) exposure(c *Config, listen, admin value) {
	if !c.TLS.On() && Exposed(listen.text) {
		if !c.InsecureHTTP {
			d.problem(listen.origin,
				"%s can be reached from other machines, and there is no TLS: set tls.cert_file and tls.key_file, or tls.acme, or insecure_http: true behind a proxy that does TLS",
				clip(listen.text))
		} else {
			d.warn(listen.origin, "secrets and tokens of clients cross the network in the clear (insecure_http)")
		}
	}
	if c.AdminListen != "" && Exposed(c.AdminListen) {
		d.warn(admin.origin, "the admin door can be reached from other machines, and its token crosses the network in the clear")
	}
}

// checkAddress says what is wrong with HOST:PORT; "" = nothing. An empty host means every interface.
func checkAddress(s string) string {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return "must be HOST:PORT like 127.0.0.1:8080, or :PORT for every interface"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return "the port must be a number from 0 to 65535"
	}
	if host == "" {
		return ""
	}
	if _, err := netip.ParseAddr(host); err != nil && !hostName.MatchString(strings.ToLower(host)) {
		return "the host must be an IP address or a host name"
	}
	return ""
}

// Exposed tells that other machines can reach what listens on HOST:PORT: without TLS, insecure_http must be wanted there.
func Exposed(address string) bool { return checkAddress(address) == "" && !loopback(address) }

// loopback tells that only this machine can reach HOST:PORT.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	return host == "localhost" || loopbackLiteral(host)
}

func loopbackLiteral(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
