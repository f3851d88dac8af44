package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
)

// Secret prints, marshals and logs as <secret>, also with %#v and inside other values.
type Secret struct {
	value string
	file  string // where it was read from, "" = elsewhere
}

const redacted = "<secret>"

// NewSecret wraps a value.
func NewSecret(v string) Secret { return Secret{value: v} }

// SecretFromFile is a value that was read from a file, which may hold another one later.
func SecretFromFile(v, file string) Secret { return Secret{value: v, file: file} }

// Reveal returns the value as it was when the settings were read, for the one call that needs it.
func (s Secret) Reveal() string { return s.value }

// File is the file that holds the secret, a credential of systemd's included; "" = there is none.
func (s Secret) File() string { return s.file }

// String implements fmt.Stringer.
func (s Secret) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (s Secret) GoString() string { return redacted }

// Format implements fmt.Formatter, so that no verb prints the value.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText implements encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// HashSecret is how a client's secret is kept in the settings: "sha256:" and this in hex. A plain hash is enough
// because secrets have 256 random bits.
func HashSecret(secret string) [32]byte { return sha256.Sum256([]byte(secret)) }

// namesVariable is how variables of the environment are called.
var namesVariable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// The values of gateway.example.yaml that are to be replaced.
const (
	placeholderURL    = "https://example.jamfcloud.com/api"
	placeholderID     = "00000000-0000-0000-0000-000000000000"
	placeholderSecret = "put-the-client-secret-of-jamf-here"
	placeholderText   = "is the placeholder of the example; put yours there"
)

// maxSecret is the largest secret that is read from a file, in bytes.
const maxSecret = 64 << 10

// secret resolves `file:PATH`, `env:NAME`, `cred:NAME` or a literal. Problems never hold any of the value.
func (d *document) secret(v value) Secret {
	scheme, rest, _ := strings.Cut(v.text, ":")
	if d.outline {
		if scheme == "env" {
			d.mention(rest)
		}
		return Secret{}
	}
	var text, file string
	var err error
	switch scheme {
	case "file":
		if rest == "" {
			err = errors.New("file: names no file")
			break
		}
		file = d.path(rest)
		text, err = d.secretFile(v.origin, file)
	case "cred":
		text, file, err = d.credential(v.origin, rest)
	case "env":
		var ok bool
		d.mention(rest)
		if text, ok = d.env[rest]; !ok {
			err = errors.New("the environment variable that env: names is not set")
			if namesVariable.MatchString(rest) { // what is no name may be the secret itself
				err = fmt.Errorf("the environment variable %s is not set", rest)
			}
		}
	default:
		text = v.text
		d.literalSecret(v)
	}
	if err == nil {
		err = checkSecret(text)
	}
	if err != nil {
		d.problem(v.origin, "%v", err)
		return Secret{}
	}
	return SecretFromFile(text, file)
}

// ReadSecret reads the file of a secret anew. An error never holds any of it.
func ReadSecret(file string) (string, error) {
	text, _, err := readSecret(file)
	if err == nil {
		err = checkSecret(text)
	}
	if err != nil {
		return "", err
	}
	return text, nil
}

// variableReference is how shells and other programs write the value of a variable.
var variableReference = regexp.MustCompile(`^\$(\w+|\{\w+\})$`)

// literalSecret warns of a secret that is written itself, and of what probably was to say where it is. Nothing of it is repeated.
func (d *document) literalSecret(v value) {
	inFile := v.origin.variable == "" && v.text != ""
	d.literal = d.literal || inFile
	switch {
	case variableReference.MatchString(v.text):
		d.warn(v.origin, "is taken for the secret itself, but looks like a variable, which nothing replaces here; write env:NAME")
	case d.namesFile(v.text):
		d.warn(v.origin, "is taken for the secret itself, but looks like the name of a file; write file: in front of it")
	case inFile && v.text == placeholderSecret:
		d.warn(v.origin, placeholderText)
	case inFile:
		d.warn(v.origin, "the secret stands in the file; write file:PATH, env:NAME or cred:NAME instead")
	}
}

// namesFile tells that a text is a path, or the name of a file that is there.
func (d *document) namesFile(text string) bool {
	if text == "" {
		return false
	}
	for _, begin := range []string{"/", "./", "../", "~/"} {
		if strings.HasPrefix(text, begin) {
			return true
		}
	}
	info, err := os.Stat(d.path(text))
	return err == nil && info.Mode().IsRegular()
}

func checkSecret(text string) error {
	switch {
	case text == "":
		return errors.New("the secret is empty")
	case strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r == 0x7f }):
		return errors.New("the secret holds a line break or another control character")
	}
	return nil
}

// credential reads a systemd credential; systemd guards the directory.
func (d *document) credential(o origin, name string) (text, path string, err error) {
	dir := d.env["CREDENTIALS_DIRECTORY"]
	if dir == "" {
		return "", "", errors.New("cred: works only where systemd sets CREDENTIALS_DIRECTORY (LoadCredential= in the unit)")
	}
	if name == "" || name != filepath.Base(name) || name == "." || name == ".." {
		return "", "", errors.New("cred: takes the name of a credential, not a path")
	}
	path = filepath.Join(dir, name)
	text, _, err = readSecret(path)
	d.warnOfEdges(o, path, text)
	return text, path, err
}

func (d *document) secretFile(o origin, path string) (string, error) {
	text, mode, err := readSecret(path)
	if err == nil && mode.Perm()&0o077 != 0 {
		d.warn(o, "the secret's file %s can be read by others (mode %04o); set it to 0600", path, mode.Perm())
	}
	d.warnOfEdges(o, path, text)
	return text, err
}

// warnOfEdges warns of what an editor leaves around a secret and nobody sees. It may belong to it: it is kept.
func (d *document) warnOfEdges(o origin, path, text string) {
	if strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' }) != text {
		d.warn(o, "the secret's file %s has blanks or a byte order mark around the secret; they count as part of it", path)
	}
}

// readSecret reads a regular file without the line break at its end.
func readSecret(path string) (string, fs.FileMode, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", 0, fmt.Errorf("read the secret's file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return "", 0, fmt.Errorf("read the secret's file: %s is not a file", path)
	}
	if info.Size() > maxSecret {
		return "", 0, fmt.Errorf("read the secret's file: %s is larger than 64 KiB", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", 0, fmt.Errorf("read the secret's file: %w", err)
	}
	return strings.TrimRight(string(data), "\r\n"), info.Mode(), nil
}
