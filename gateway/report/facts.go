// Package report writes the report on data protection, as Markdown or HTML, in German or English, and keeps the history of the
// policy that it tells of. It is given facts and knows neither settings nor Jamf nor a running gateway.
package report

import (
	"time"

	"jamf-gateway/gateway/device"
)

// Facts is what a report is made of. All of it comes from the settings and from the tables that enforce them.
type Facts struct {
	CreatedAt time.Time // in the zone in which it is written
	Version   string    // of the program
	File      string    // the settings
	Policy    Policy
	Sources   []Source
	Clients   []Client
	Places    Places
	Doors     Doors
	History   History
	Damaged   error // why the history cannot be told; nil = it can

	Generations int           // kept of each kind
	MaxStale    time.Duration // after which data is not served any more
	AuditKept   time.Duration
	DeletedKept time.Duration // how long what was read before a device was deleted may be kept

	SecretMaxAge time.Duration // of a file with a secret of Jamf's, then the operator is warned
}

// Source is one Jamf Pro instance.
type Source struct {
	Name, URL   string
	Encrypted   bool // https
	Disabled    bool
	Profile     string
	Interval    time.Duration
	Heartbeat   time.Duration // 0 = off
	Proxy       bool
	OwnCA       bool
	Networks    []string
	Kinds       []SourceKind
	Lists       []string // of names for ids, as Jamf calls the rights to read them
	Passthrough []Passed
}

// SourceKind is one kind of devices of a source: what is asked of Jamf, and what of it is kept.
type SourceKind struct {
	Kind     device.Kind
	Right    string   // of Jamf that opens it
	Sections []string // that are asked for
	Asked    int      // fields that those sections have
	Fields   []device.Field
	Kept     device.Exposure
	Terms    []string // names of groups and sites for which yes or no is kept with a device
}

// Passed is a further path of Jamf.
type Passed struct {
	Path string
	TTL  time.Duration
}

// Client is a recipient.
type Client struct {
	ID          string
	Policy      string
	Secrets     int
	Profile     string // "" = whatever the source keeps
	View        []Condition
	Names       string // "", serial, strip_owner, pseudonym
	Users       string // "", drop, pseudonym
	Passthrough bool
	Endpoints   []string // the only API by which it may ask, in words of the settings; none = by both
	Networks    []string // from where alone it may ask; none = from anywhere
	Certificate bool     // that it must show beside its secret
	Shown       []Shown
}

// Condition is one reason for which devices are left out, with the names that let one in.
type Condition struct {
	Reason device.Reason
	Names  []string
}

// Shown is what of one kind of one source a client is shown.
type Shown struct {
	Source string
	Kind   device.Kind
	Fields []device.Field
	Kept   device.Exposure
}

// Places is where data lies.
type Places struct {
	Data, Audit, Key, AdminToken, Certificate string // "" = there is none

	CertificateKey string // of the public door
	ACME           string // where account, certificates and their keys lie that an authority gave
}

// Doors is how others get in.
type Doors struct {
	Listen, Admin, Metrics       string // "" = closed
	TLS, Exposed                 bool   // of the public door
	Authority                    string // the ACME directory that its certificate comes from; "" = files
	AdminExposed, MetricsExposed bool   // other machines can reach them
	LogLevel                     string
	Proxies                      []string // whose word on the address of a client is believed
}
