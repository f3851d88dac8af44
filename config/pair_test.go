package config_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jamf-gateway/config"
)

// pair is a certificate and its key in PEM.
func pair(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"gateway.example.com"}, NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

func TestCertificateAndKeyMustBelongTogether(t *testing.T) {
	dir := t.TempDir()
	cert, key := pair(t)
	_, other := pair(t)
	for name, text := range map[string]string{
		"good.crt": cert, "good.key": key, "other.key": other, "both.pem": key + cert, "text": "no PEM",
		"broken.crt": strings.Replace(cert, "MII", "AAA", 1), "locked.key": string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("sealed")})),
	} {
		write(t, filepath.Join(dir, name), text, 0o600)
	}
	for _, tc := range []struct{ cert, key, want, german string }{
		{"good.crt", "good.key", "", ""},
		{"both.pem", "both.pem", "", ""},
		{"good.crt", "other.key", "tls.key_file: DIR/other.key is not the key of the certificate in DIR/good.crt", "ist nicht der Schlüssel zum Zertifikat in"},
		{"good.crt", "text", "tls.key_file: DIR/text holds no usable private key in PEM, without a passphrase", "keinen brauchbaren privaten Schlüssel"},
		{"good.crt", "locked.key", "tls.key_file: DIR/locked.key holds no usable private key in PEM, without a passphrase", "ohne Kennwort"},
		{"text", "good.key", "tls.cert_file: DIR/text holds no usable certificate in PEM", "kein brauchbares Zertifikat"},
		{"good.key", "good.crt", "tls.cert_file: DIR/good.key holds no usable certificate in PEM", "kein brauchbares Zertifikat"},
		{"broken.crt", "good.key", "tls.cert_file: DIR/broken.crt holds no usable certificate in PEM", "kein brauchbares Zertifikat"},
	} {
		_, err := config.Parse([]byte(small+"tls:\n  cert_file: "+tc.cert+"\n  key_file: "+tc.key+"\n"), "gateway.yaml", dir, env())
		got, german := "", ""
		if invalid, ok := err.(*config.InvalidError); ok { //nolint:errorlint // Parse returns it bare
			got, german = strings.ReplaceAll(invalid.Error(), dir, "DIR"), invalid.German()
		}
		if !strings.HasSuffix(got, tc.want) || (tc.want == "") != (err == nil) || !strings.Contains(german, tc.german) {
			t.Errorf("%s and %s: %q (%q), want %q", tc.cert, tc.key, got, german, tc.want)
		}
	}
}

func TestSecretsThatCannotWorkAreWarnedOf(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "blank"), "geheim \n", 0o600)
	write(t, filepath.Join(dir, "bom"), "\ufeffgeheim", 0o600)
	write(t, filepath.Join(dir, "good"), "ge heim\r\n", 0o600)
	c, err := config.Parse([]byte(`sources:
  - {name: a, url: "https://a.jamfcloud.com/api", client_id: cid, client_secret: "file:blank"}
  - {name: b, url: "https://b.jamfcloud.com/api", client_id: cid, client_secret: "cred:bom"}
  - {name: c, url: "https://c.jamfcloud.com/api", client_id: cid, client_secret: "file:good"}
  - {name: d, url: "https://example.jamfcloud.com/api", client_id: 00000000-0000-0000-0000-000000000000, client_secret: "put-the-client-secret-of-jamf-here"}
clients:
  - {id: x, secrets: ["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "sha256:01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b"]}
  - {id: y, secrets: ["sha256:`+hash+`"]}
  - {id: z, secrets: ["sha256:`+hash+`"]}
  - {id: v, secrets: ["sha256:`+strings.Repeat("0", 64)+`"]}
  - {id: w, secrets: ["sha256:`+strings.Repeat("0", 64)+`"]}
`), "gateway.yaml", dir, env("CREDENTIALS_DIRECTORY="+dir))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"gateway.yaml:2: sources.a.client_secret: the secret's file blank has blanks or a byte order mark around the secret; they count as part of it",
		"gateway.yaml:3: sources.b.client_secret: the secret's file bom has blanks or a byte order mark around the secret; they count as part of it",
		"gateway.yaml:5: sources.d.client_id: is the placeholder of the example; put yours there",
		"gateway.yaml:5: sources.d.url: is the placeholder of the example; put yours there",
		"gateway.yaml:5: sources.d.client_secret: is the placeholder of the example; put yours there",
		"gateway.yaml:7: clients.x.secrets[0]: is the SHA-256 of an empty text, not of a secret; make one with: jamf-gateway client new",
		"gateway.yaml:7: clients.x.secrets[1]: is the SHA-256 of an empty text, not of a secret; make one with: jamf-gateway client new",
		"gateway.yaml:9: clients.z.secrets: client y has the same secret: give each its own",
		"gateway.yaml:10: clients.v.secrets[0]: is the placeholder of the example: no secret matches it",
		"gateway.yaml:11: clients.w.secrets[0]: is the placeholder of the example: no secret matches it",
	}
	var got []string
	for _, w := range c.Warnings {
		got = append(got, strings.ReplaceAll(w.String(), dir+"/", ""))
		if w.German() == w.String() {
			t.Errorf("no German for %q", w)
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("warnings\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
