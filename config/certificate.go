package config

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"time"
)

// CertificateSoon is how long before its end a certificate is warned of; one that lives for less than twelve weeks, in its last quarter.
const CertificateSoon = 21 * 24 * time.Hour

// certificateWarnings says which certificates of the public door end soon or have ended, as their files are now. What cannot be
// read is another's to tell.
func (c *Config) certificateWarnings(now time.Time) (out []Problem) {
	files, settings := c.CertificateFiles()
	for i, file := range files {
		leaf, err := leafOf(file)
		if err != nil || leaf.NotAfter.Sub(now) >= min(CertificateSoon, leaf.NotAfter.Sub(leaf.NotBefore)/4) {
			continue
		}
		p, written := c.Places[settings[i]]
		if !written {
			p = Problem{File: c.File, Setting: settings[i]}
		}
		what := "the certificate for %s ends on %s; renew it"
		switch acme, ended := c.TLS.CertFile == "", !now.Before(leaf.NotAfter); {
		case acme && ended:
			what = "the certificate for %s ended on %s and was not renewed: clients refuse it; the log says why"
		case acme:
			what = "the certificate for %s ends on %s and was not renewed; the log says why"
		case ended:
			what = "the certificate for %s ended on %s: clients refuse it; renew it"
		}
		p.Text = fmt.Sprintf(what, nameOf(leaf), leaf.NotAfter.UTC().Format(time.DateOnly))
		out = append(out, p)
	}
	return out
}

// nameOf is the first name that a certificate is for.
func nameOf(leaf *x509.Certificate) string {
	switch {
	case len(leaf.DNSNames) > 0:
		return leaf.DNSNames[0]
	case len(leaf.IPAddresses) > 0:
		return leaf.IPAddresses[0].String()
	}
	return clip(leaf.Subject.CommonName)
}

// leafOf is the first certificate of a PEM file, which may hold its key as well.
func leafOf(file string) (*x509.Certificate, error) {
	rest, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, fmt.Errorf("%s holds no certificate", file)
		}
		if block.Type == "CERTIFICATE" {
			return x509.ParseCertificate(block.Bytes)
		}
	}
}

// ageWarnings says which files with secrets of Jamf's have been the same for long.
func (c *Config) ageWarnings(now time.Time) (out []Problem) {
	for _, src := range c.Sources {
		for _, s := range []struct {
			setting string
			secret  Secret
		}{{"client_secret", src.ClientSecret}, {"second_client.client_secret", src.SecondClient.Secret}} {
			if s.secret.File() == "" {
				continue
			}
			info, err := os.Stat(s.secret.File())
			if err != nil || now.Sub(info.ModTime()) <= c.SecretMaxAge {
				continue
			}
			setting := "sources." + src.Name + "." + s.setting
			p, written := c.Places[setting]
			if !written {
				p = Problem{File: c.File, Setting: setting}
			}
			p.Text = fmt.Sprintf("the secret's file was last changed on %s, which is longer ago than secret_max_age (%s): rotate the secret in Jamf Pro", info.ModTime().UTC().Format(time.DateOnly), showDuration(c.SecretMaxAge))
			out = append(out, p)
		}
	}
	return out
}
