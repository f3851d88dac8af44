// Package config reads the settings: defaults, strict load, environment, secrets, validation.
// What it returns is complete and possible; what it refuses it names by file, line and setting,
// all of it at once. It knows no other room.
package config

import (
	"net/netip"
	"time"
)

// Config is the whole of gateway.yaml after defaults, environment and validation. File names are
// absolute or relative to the working directory, never to the settings file.
type Config struct {
	File           string // as given to Load or Parse
	Listen         string // address of the public door
	AdminListen    string // "" after `admin_listen: off`
	MetricsListen  string // "" = only at the admin door
	InsecureHTTP   bool   // plain HTTP beyond loopback is wanted
	PublicURL      string // how clients reach the gateway, without a trailing slash; "" = unknown
	MaxPageSize    int    // most rows of a page in Jamf's shape
	MaxStale       time.Duration
	SecretMaxAge   time.Duration  // of a file with a secret of Jamf's, then it is warned of
	KeyFile        string         // key of the tokens; made at the first start
	AdminHosts     []string       // names of the admin door beside loopback and admin_listen: lower case, no port
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	AdminTokenFile string         // file of the admin door's token; made at the first start
	TLS            TLS
	DataDir        string
	Audit          Audit
	Retention      Retention
	Cache          Cache
	Sources        []Source // in the order of the file
	Clients        []Client
	Profiles       map[string]Profile // own profiles: name -> definition
	Telemetry      Telemetry
	Places         map[string]Problem // key_file, data_dir and the profiles of clients, where they are written: setting -> where, without a Text
	Warnings       []Problem          // what is possible but should not stay; for the log and for `check`
}

// TLS says where the certificate of the public door comes from: two files, an authority, or there is none. ClientCAFile holds the
// authorities by whom clients prove themselves; "" = no client is asked for a certificate.
type TLS struct {
	CertFile, KeyFile string
	ACME              ACME
	ClientCAFile      string
}

// Certificate says by which certificate a client proves itself: by its SHA-256 or by a DNS name in it. The zero value asks for none.
type Certificate struct {
	Fingerprint [32]byte
	DNS         string
}

// Audit is where it is written down who did what, and for how long it is kept.
type Audit struct {
	Dir  string
	Keep time.Duration
}

// Retention is for how long something is kept that Jamf has no more.
type Retention struct{ DeletedDevices time.Duration }

// Cache limits what is kept in memory in front of the files.
type Cache struct{ MaxBytes int64 }

// Source is one Jamf Pro instance.
type Source struct {
	Name                  string
	URL                   string // ends in /api; host in lower case, no default port
	ClientID              string
	ClientSecret          Secret
	SecondClient          JamfClient // used while Jamf refuses the first; zero = there is none
	Disabled              bool       // status: disabled
	AllowInsecureLoopback bool       // http to a loopback literal
	Kinds                 []string   // "computer", "mobile"; never empty
	Default               bool       // served at the root; at most one source, a single one always
	Hosts                 []string   // names at whose root it is served: lower case, A-labels, no port, no dot at the end
	Profile               string     // what is kept
	SkipNames             bool       // names: false, departments, buildings and sites are not read
	Sync                  Sync
	Limits                Limits
	Guard                 Guard
	Heartbeat             time.Duration // 0 = off
	Proxy                 Secret        // an address with perhaps a password; "" = the environment's, ProxyOff = none
	Passthrough           []Passthrough // further paths of Jamf's API; none by default
	Networks              []string      // addresses that may be dialed: NetworkPublic, NetworkPrivate, NetworkLoopback, CIDRs; none = what the URL says
	CAFile                string        // certificates to trust besides the system's; "" = none
}

// JamfClient is an API client of a Jamf Pro.
type JamfClient struct {
	ID     string
	Secret Secret
}

// Passthrough is a further GET path of Jamf's API that clients of a source may ask for.
type Passthrough struct {
	Path string // below /api, like /v1/computer-groups/{id}
	TTL  time.Duration
}

// ProxyOff as a source's Proxy asks Jamf directly, whatever the environment says.
const ProxyOff = "off"

// Words of a source's Networks.
const (
	NetworkPublic   = "public"
	NetworkPrivate  = "private"
	NetworkLoopback = "loopback"
)

// Sync is when and how a source is read.
type Sync struct {
	Interval time.Duration
	At       string // "" or "HH:MM" local time
	PageSize int    // the largest page asked for
}

// Limits are the budget towards a Jamf host; sources on one host have the same.
type Limits struct {
	Connections       int
	RequestsPerSecond float64
}

// Client is somebody who may ask the gateway.
type Client struct {
	ID      string
	Secrets [][32]byte               // SHA-256 of each live secret, see HashSecret
	Terms   map[[32]byte]SecretTerms // of a secret that has a name or an end
	Sources []string                 // nil = all
	Profile string                   // "" = whatever the source keeps

	Kinds     []string // nil = all
	Endpoints []string // EndpointNormalized, EndpointFacade; nil = all

	Networks    []netip.Prefix // from where it may ask; none = from anywhere
	Certificate Certificate    // that it must show

	View        View
	Passthrough bool // may ask for the further paths of its sources
	OnlyFresh   bool // on_stale: fail

	RequestsPerSecond float64 // above it requests wait for their turn; 0 = no limit
}

// View is which devices a client is shown, and how; the zero value is all of them as they are.
type View struct {
	ManagedOnly, NoBYOD, WithSerial bool
	Sites, Groups, Prefixes         []string // one of each that is not empty
	NewestDuplicate                 bool     // duplicates: newest
	Names                           string   // "" = keep, "serial", "strip_owner", "pseudonym"
	Users                           string   // "" = keep, "drop", "pseudonym"
	DropSentinels                   bool     // sentinels: drop
}

// narrows tells whether anything is kept from the client, whole devices or names and users of them.
func (v View) narrows() bool {
	return v.ManagedOnly || v.NoBYOD || v.WithSerial || v.NewestDuplicate || len(v.Sites)+len(v.Groups)+len(v.Prefixes) > 0 || v.Names != "" || v.Users != ""
}

// Profile is an own allow-list of fields.
type Profile struct {
	Extends string // "" = nothing
	Fields  []string
	Dropped string    // what Jamf's shapes have in place of a field that is dropped: "empty", "omit", "" = as Extends says, else empty
	Places  []Problem // where each field stands, without a Text
}

// Telemetry is what is told to operators.
type Telemetry struct {
	LogLevel        string // debug, info, warn, error
	Pprof           bool   // the admin door has /debug/pprof
	PropagateToJamf bool   // send W3C trace context on to Jamf
}

// DroppedOmit is the word of Profile.Dropped for no key at all.
const DroppedOmit = "omit"

// The two kinds of devices, as kinds names them.
const (
	kindComputer = "computer"
	kindMobile   = "mobile"
)
