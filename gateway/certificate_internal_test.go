package gateway

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pairFor makes a certificate with a serial number, and its key.
func pairFor(t *testing.T, serial int64, life time.Duration) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(life), DNSNames: []string{"gateway.example"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}))
}

func TestACertificateFollowsItsFilesAndABadPairKeepsTheOneBefore(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	synctest.Test(t, func(t *testing.T) {
		var logs bytes.Buffer
		cert1, key1 := pairFor(t, 1, 90*24*time.Hour)
		cert2, key2 := pairFor(t, 2, 20*24*time.Hour)
		writeSecret(t, certFile, cert1)
		writeSecret(t, keyFile, key1)
		c, err := newCertificate(certFile, keyFile, slog.New(slog.NewTextHandler(&logs, nil)))
		if err != nil {
			t.Fatal(err)
		}
		serves := func(what string, want int64, said string) {
			t.Helper()
			got, err := c.forHandshake(&tls.ClientHelloInfo{})
			if err != nil || got.Leaf.SerialNumber.Int64() != want {
				t.Errorf("%s: %v, want certificate %d", what, err, want)
			}
			if n := strings.Count(logs.String(), "level=WARN"); (said == "") != (n == 0) || !strings.Contains(logs.String(), said) {
				t.Errorf("%s: log %q, want %q", what, logs.String(), said)
			}
			logs.Reset()
		}
		serves("at the start", 1, "")
		time.Sleep(certificateLook)
		writeSecret(t, certFile, cert2)
		serves("half of the pair", 1, "cannot be read anew: the one before stays")
		writeSecret(t, keyFile, key2)
		serves("the pair, before the next look", 1, "")
		time.Sleep(certificateLook)
		serves("the pair", 2, "")
		time.Sleep(certificateLook)
		writeSecret(t, certFile, "")
		serves("an empty file", 2, certFile)
		time.Sleep(certificateLook)
		serves("said once", 2, "")
	})
}

func TestADoorAsksForCertificatesOfItsAuthoritiesAloneAndDoesNotOpenWithoutThem(t *testing.T) {
	text := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(text, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{text: "holds no certificate", text + ".absent": "no such file"} {
		if err := askForCertificates(&tls.Config{MinVersion: tls.VersionTLS12}, file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", file, err)
		}
	}
	door := &tls.Config{MinVersion: tls.VersionTLS12}
	if err := askForCertificates(door, ""); err != nil || door.ClientAuth != tls.NoClientCert {
		t.Errorf("without a file: %v, %v", door.ClientAuth, err)
	}
	if err := askForCertificates(door, "../config/testdata/ca.crt"); err != nil || door.ClientAuth != tls.VerifyClientCertIfGiven || door.ClientCAs == nil {
		t.Errorf("with one: %v, %v", door.ClientAuth, err)
	}
}
