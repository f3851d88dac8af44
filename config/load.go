package config

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// maxFile is the largest settings file, in bytes.
const maxFile = 1 << 20

// Load reads the settings file, overlays the environment (as os.Environ gives it), resolves secrets and validates.
// Relative file names count from the directory of the settings file. An *InvalidError lists everything that is wrong.
func Load(path string, env []string) (*Config, error) { return load(path, env, false) }

// LoadOutline is Load for commands that need names, addresses and hashes alone: it neither opens the files nor asks for
// the variables and credentials that the settings name, which may be there for the service alone. Secrets of Jamf are empty.
func LoadOutline(path string, env []string) (*Config, error) { return load(path, env, true) }

func load(path string, env []string, outline bool) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &UnreadableError{Path: path, Err: err}
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, &UnreadableError{Path: path, Err: err}
	}
	if len(data) > maxFile {
		return nil, &UnreadableError{Path: path, Err: errTooLarge}
	}
	d := newDocument(path, filepath.Dir(path), env)
	d.outline = outline
	c, err := d.config(data)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && d.literal && info.Mode().Perm()&0o077 != 0 {
		d.warn(origin{}, "the file holds a secret and can be read by others (mode %04o); set it to 0600", info.Mode().Perm())
		c.Warnings = inOrder(d.warnings)
	}
	return c, nil
}

// Parse is Load for settings that are in memory already: name stands in messages, relative file names count from dir.
func Parse(data []byte, name, dir string, env []string) (*Config, error) {
	return newDocument(name, dir, env).config(data)
}

// config reads and checks everything.
func (d *document) config(data []byte) (*Config, error) {
	root := d.parse(data)
	if len(d.problems) > 0 && root.nodes == nil {
		return nil, &InvalidError{Problems: inOrder(d.problems)} // no tree: everything would be missing
	}
	tls := root.section("tls")
	acme := tls.section("acme")
	c := &Config{
		File:         d.name,
		InsecureHTTP: root.flag("insecure_http"),
		MaxPageSize:  root.number("max_page_size", 10_000, 100, 100_000),
		MaxStale:     root.duration("max_stale", 30*24*time.Hour, time.Hour, 3650*24*time.Hour),
		SecretMaxAge: root.duration("secret_max_age", 365*24*time.Hour, 24*time.Hour, 3650*24*time.Hour),
		KeyFile:      d.path(root.filled("key_file", "gateway.key")),
		DataDir:      d.path(root.filled("data_dir", "data")),
		TLS:          readTLS(tls, acme),
		Retention:    readRetention(root.section("retention")),
		Cache:        readCache(root.section("cache")),
		Telemetry:    readTelemetry(root.section("telemetry")),
	}
	c.AdminTokenFile = filepath.Join(filepath.Dir(c.KeyFile), "admin.token")
	if own := root.filled("admin_token_file", ""); own != "" {
		c.AdminTokenFile = d.path(own)
	}
	if c.AdminTokenFile == c.KeyFile {
		d.problem(root.from("admin_token_file"), "is the file of key_file as well")
	}
	audit := root.section("audit")
	c.Audit = readAudit(audit, c.DataDir)
	if c.Audit.Dir == c.DataDir {
		d.problem(audit.from("dir"), "is the directory of data_dir as well")
	}
	for _, key := range []string{"key_file", "admin_token_file", "data_dir"} {
		d.place(c, root, key)
	}
	d.place(c, tls, "cert_file")
	d.place(c, acme, "hosts")
	d.place(c, audit, "dir")
	d.maxStale = root.from("max_stale")
	d.exposedData(root.from("data_dir"), c.DataDir)
	c.PublicURL = d.publicURL(root.text("public_url", ""))
	d.doors(c, root)
	names := d.profiles(c, root)
	d.sources(c, root, names)
	d.clients(c, root, names)
	root.done()
	d.unknownSettings()
	d.unknownVariables()
	if len(d.problems) > 0 {
		return nil, &InvalidError{Problems: slices.Compact(inOrder(d.problems))}
	}
	c.Warnings = inOrder(d.warnings)
	return c, nil
}

// place notes where a setting was written.
func (d *document) place(c *Config, m *mapping, key string) {
	o := m.from(key)
	if _, written := m.nodes[key]; !written && o.variable == "" {
		return
	}
	if c.Places == nil {
		c.Places = map[string]Problem{}
	}
	c.Places[m.join(key)] = d.describe(o, "")
}

// exposedData warns of kept data that anybody on this machine can read.
func (d *document) exposedData(o origin, dir string) {
	if d.outline {
		return
	}
	if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o007 != 0 {
		d.warn(o, "%s can be read by others (mode %04o); set it to 0700", dir, info.Mode().Perm())
	}
}

// filled reads a text with a default that cannot be emptied.
func (m *mapping) filled(key, fallback string) string {
	v := m.text(key, fallback)
	if v.set && v.text == "" {
		m.doc.problem(v.origin, "is empty")
	}
	return v.text
}

// readAudit reads the place of the audit: below the data unless it is named.
func readAudit(m *mapping, dataDir string) Audit {
	defer m.done()
	a := Audit{Dir: filepath.Join(dataDir, ".audit"), Keep: m.duration("keep", 90*24*time.Hour, 24*time.Hour, 3650*24*time.Hour)}
	if own := m.filled("dir", ""); own != "" {
		a.Dir = m.doc.path(own)
	}
	return a
}

// readRetention: less than a day would take away what is served again when the current file turns out to be damaged.
func readRetention(m *mapping) Retention {
	defer m.done()
	return Retention{DeletedDevices: m.duration("deleted_devices", 30*24*time.Hour, 24*time.Hour, 365*24*time.Hour)}
}

func readCache(m *mapping) Cache {
	defer m.done()
	return Cache{MaxBytes: m.size("max_bytes", 256<<20, 1<<20, 1<<40)}
}

func readTelemetry(m *mapping) Telemetry {
	defer m.done()
	return Telemetry{
		LogLevel:        m.choice("log_level", "info", "debug", "info", "warn", "error"),
		Pprof:           m.flag("pprof"),
		PropagateToJamf: m.flag("propagate_to_jamf"),
	}
}
