package config

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// ACME says for which names the certificate of the public door comes from an authority (RFC 8555); the zero value: it does not.
type ACME struct {
	Hosts        []string // in lower case, without a dot at the end, A-labels; the first is also shown to whoever names none
	Email        string   // of the account, "" = none
	DirectoryURL string   // of the authority
	CAFile       string   // certificates to trust for the authority besides the system's; "" = none
}

// acmeDirectory is that of Let's Encrypt.
const acmeDirectory = "https://acme-v02.api.letsencrypt.org/directory"

// maxACMEHosts keeps a slip of the pen from asking for more certificates than an authority gives in a week.
const maxACMEHosts = 20

// On tells whether the public door speaks TLS.
func (t TLS) On() bool { return t.CertFile != "" || len(t.ACME.Hosts) > 0 }

// ACMEDir is where account, keys and certificates of tls.acme lie.
func (c *Config) ACMEDir() string { return filepath.Join(c.DataDir, ".acme") }

// CertificateFiles are the files with the certificates of the public door, PEM, with what to blame for each. Those of tls.acme
// may not be there yet.
func (c *Config) CertificateFiles() (files, settings []string) {
	if c.TLS.CertFile != "" {
		return []string{c.TLS.CertFile}, []string{"tls.cert_file"}
	}
	for _, host := range c.TLS.ACME.Hosts {
		files, settings = append(files, filepath.Join(c.ACMEDir(), host)), append(settings, "tls.acme.hosts")
	}
	return files, settings
}

// readACME reads for which names an authority is asked.
func readACME(m *mapping) ACME {
	defer m.done()
	d := m.doc
	a := ACME{}
	list, written := m.values("hosts")
	email, directory, ca := m.text("email", ""), m.text("directory_url", ""), m.scalar("ca_file")
	for _, v := range list {
		name, ok := canonicalName(v.text)
		switch {
		case !ok || !strings.Contains(name, "."):
			d.problem(v.origin, "must be a host name like gateway.example.com, without https://, port, path and *; with other letters than a to z in its xn-- form")
		case slices.Contains(a.Hosts, name):
			d.problem(v.origin, "%s stands twice", name)
		default:
			a.Hosts = append(a.Hosts, name)
		}
	}
	switch {
	case len(list) > maxACMEHosts:
		d.problem(m.from("hosts"), "at most %d can be named", maxACMEHosts)
	case len(list) == 0 && (written || email.set || directory.set || ca.set) && !d.blamedBelow(m.join("hosts")):
		d.problem(m.from("hosts"), "names no host for which a certificate is wanted")
	}
	if user, domain, found := strings.Cut(email.text, "@"); email.set && (!found || user == "" || strings.ContainsAny(email.text, " <>,;:\t") || !hostName.MatchString(strings.ToLower(domain))) {
		d.problem(email.origin, "must be one address like it@example.com")
	}
	a.Email = email.text
	a.DirectoryURL = d.acmeDirectory(directory, len(a.Hosts) > 0)
	if ca.set && ca.text == "" {
		d.problem(ca.origin, "names no file; remove the line where the certificates of the system are enough")
	}
	if ca.text != "" {
		a.CAFile = d.path(ca.text)
		if err := checkCertificates(a.CAFile); err != nil && !d.outline {
			d.problem(ca.origin, "%v", err)
		}
	}
	return a
}

// acmeDirectory is the address of the authority; the key of the account is worth nothing over plain http.
func (d *document) acmeDirectory(v value, wanted bool) string {
	if !v.set {
		if wanted {
			return acmeDirectory
		}
		return ""
	}
	u, err := url.Parse(v.text)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		d.problem(v.origin, "must be the directory of an ACME authority, like %s", acmeDirectory)
		return ""
	}
	return v.text
}
