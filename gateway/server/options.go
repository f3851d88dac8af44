package server

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/audit"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/usage"
)

// SourceOptions is one source as the server serves it.
type SourceOptions struct {
	Name    string
	Default bool     // served at the root as well as under its prefix
	Hosts   []string // names at whose root it is served: lower case, no port, no dot at the end
	Kinds   []device.Kind
	Profile *device.Profile // what is kept

	Passthrough []PassPath // what is passed on beside it
	Jamf        string     // whose answers those are: what one Jamf said to one API client is never given as what another says
}

// ClientOptions is one caller. Sources nil = all. Profile nil = what each source keeps.
type ClientOptions struct {
	ID      string
	Secrets [][32]byte             // SHA-256
	Names   map[[32]byte]string    // what secrets are called
	Expires map[[32]byte]time.Time // from when on a secret is refused; one that is not in it is not
	Sources []string
	Profile *device.Profile
	Filter  device.Filter // which devices it is shown
	Policy  device.Policy // how it is shown what names people

	Kinds        []device.Kind // that it is shown; nil = all
	NoNormalized bool          // may not use /v1
	NoFacade     bool          // may not use Jamf's API

	Passthrough bool // may ask for what its sources pass on
	OnlyFresh   bool // is refused what is not fresh, as with require=fresh

	Networks    []netip.Prefix // from where it may ask; none = from anywhere
	Certificate Certificate    // that it must show

	RequestsPerSecond float64 // above it requests wait for their turn; 0 = no limit
}

// Options of New. The zero values of Logger (none), the providers (the global ones) and Now (time.Now) are usable;
// Settings, Store and SealingKey must be given.
type Options struct {
	Settings

	Store          *cache.Store
	SealingKey     [32]byte
	Version        string
	Usage          *usage.Recorder // nil: how clients call is not recorded
	RunsFile       string          // where client runs outlive a restart; "" = they do not
	EndedFile      string          // where ended tokens outlive a restart; "" = they live again
	Patience       time.Duration   // how long the refusals of who is refused too often are held; 0 = a second, negative = they are not
	Traffic        int64           // bytes of answers in flight; 0 = 256 MiB
	Audit          *audit.Log      // nil: nothing is written down
	AdminHosts     []string        // names under which the admin door may be asked beside its own: lower case, no port
	Profiles       bool            // the admin door has /debug/pprof
	AdminToken     func() string   // of the admin door, as it is now; nil or "": nobody is let in, but to /metrics
	Metrics        http.Handler    // of the admin door's /metrics; nil: no such route
	Logger         *slog.Logger
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider
	Now            func() time.Time
}

// withDefaults fills the zero values that have a meaning and refuses the rest.
func (o Options) withDefaults() (Options, error) {
	switch {
	case o.Store == nil:
		return o, errors.New("server options: store is missing")
	case o.SealingKey == [32]byte{}:
		return o, errors.New("server options: sealing key is missing")
	}
	if o.Traffic <= 0 {
		o.Traffic = defaultTraffic
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.TracerProvider == nil {
		o.TracerProvider = otel.GetTracerProvider()
	}
	if o.MeterProvider == nil {
		o.MeterProvider = otel.GetMeterProvider()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o, nil
}
