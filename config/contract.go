// Package config reads the settings: defaults, strict load, environment, secrets, validation.
package config

import "time"

// Secret prints, marshals and logs as <secret>.
type Secret struct{ value string }

func (s Secret) Reveal() string { return s.value }

// NewSecret wraps a value (for demo and tests).
func NewSecret(v string) Secret { return Secret{value: v} }

// Config is the whole of gateway.yaml after defaults, environment and validation.
type Config struct {
	Listen        string
	AdminListen   string // "" after `admin_listen: off`
	MetricsListen string
	InsecureHTTP  bool
	PublicURL     string
	MaxPageSize   int
	MaxStale      time.Duration
	KeyFile       string
	TLS           TLS
	DataDir       string
	Cache         Cache
	Sources       []Source
	Clients       []Client
	Profiles      map[string]Profile
	Telemetry     Telemetry
}

type TLS struct{ CertFile, KeyFile string }

type Cache struct{ MaxBytes int64 }

type Source struct {
	Name                  string
	URL                   string
	ClientID              string
	ClientSecret          Secret
	Disabled              bool // status: disabled
	AllowInsecureLoopback bool
	Kinds                 []string // "computer", "mobile"; default both
	Default               bool
	Profile               string
	Sync                  Sync
	Limits                Limits
}

type Sync struct {
	Interval time.Duration // 24h
	At       string        // "" or "HH:MM" local time
	PageSize int           // 200: the largest page asked for
}

type Limits struct {
	Connections       int
	RequestsPerSecond float64
}

type Client struct {
	ID      string
	Secrets [][32]byte // SHA-256 of each live secret ("sha256:<64 hex>" in the file)
	Sources []string   // nil = all
	Profile string     // "" = whatever the source keeps
}

type Profile struct {
	Extends string
	Fields  []string
}

type Telemetry struct {
	LogLevel        string
	PropagateToJamf bool
}

// Load reads, overlays the environment (JAMF_GATEWAY_<PATH>), resolves secrets and validates. Every error names file and line.
func Load(path string, env []string) (*Config, error) { panic("contract") }
