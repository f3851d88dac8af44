// Package server is the way in: Fiber, gate, authentication, façade, devices, health, problems.
// It answers from the store and from what Control tells; it knows no way to call Jamf.
package server

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// Control is what the house does for the server.
type Control interface {
	// Status is a snapshot of every configured source, sorted by name. No I/O, never blocks.
	Status() []SourceStatus
	// SyncNow asks for a sync of the enabled kinds. ErrUnknownSource, ErrDisabled, ErrSyncRunning.
	SyncNow(source string) error
	// Test runs the connection test of one source (one at a time per source; the last report is reused for 10 s).
	Test(ctx context.Context, source string) (TestReport, error)
}

// SourceStatus is one configured source.
type SourceStatus struct {
	Name               string
	Disabled           bool
	Default            bool
	Kinds              []KindStatus // the enabled kinds, computer before mobile
	Token              string       // none, valid, failed, auth_failed
	TokenExpires       time.Time
	Breaker            string // closed, open, half-open
	NotBefore          time.Time
	CredentialsRefused bool     // Jamf refuses the credentials: façade v1/auth answers 503
	Rights             []string // rights last proved upstream, at most the two
	JamfVersion        string
	LastErrorCode      string // catalogue code
	LastErrorAt        time.Time
}

// KindStatus is one kind of one source.
type KindStatus struct {
	Kind                               device.Kind
	State                              string // fresh, stale, never_synced, disabled
	Reason                             string // catalogue code when stale or never_synced, else ""
	Syncing                            bool
	Tried                              bool // a first sync has ended, well or not
	Held, Total                        int  // progress of the running walk
	LastAttempt, LastSuccess, NextSync time.Time
	LastResult                         string // "", ok, failed
	LastErrorCode, LastErrorDetail     string
}

// TestReport is the outcome of a connection test.
type TestReport struct {
	OK            bool       `json:"ok"`
	Source        string     `json:"source"`
	StartedAt     time.Time  `json:"startedAt"`
	Steps         []TestStep `json:"steps"`
	RightsPresent []string   `json:"rightsPresent"`
	RightsMissing []string   `json:"rightsMissing"`
	RightsSurplus []string   `json:"rightsSurplus"`
	Computers     *int       `json:"computers"`
	MobileDevices *int       `json:"mobileDevices"`
	JamfVersion   *string    `json:"jamfVersion"`
}

// TestStep is one step of a connection test.
type TestStep struct {
	Name      string  `json:"name"`
	Result    string  `json:"result"` // ok, warning, failed, skipped
	Code      string  `json:"code,omitempty"`
	Detail    string  `json:"detail,omitempty"`
	Action    string  `json:"action,omitempty"` // one sentence on what to do
	LatencyMS float64 `json:"latencyMs"`
}

// SourceOptions is one source as the server serves it.
type SourceOptions struct {
	Name    string
	Default bool
	Kinds   []device.Kind
	Profile *device.Profile // what is kept
}

// ClientOptions is one caller. Sources nil = all. Profile nil = what each source keeps.
type ClientOptions struct {
	ID      string
	Secrets [][32]byte // SHA-256
	Sources []string
	Profile *device.Profile
}

// Options of New. Now nil = time.Now.
type Options struct {
	Store          *cache.Store
	Control        Control
	Sources        []SourceOptions
	Clients        []ClientOptions
	SealingKey     [32]byte
	Version        string
	MaxPageSize    int
	MaxStale       time.Duration
	Metrics        http.Handler // of the admin door's /metrics
	Logger         *slog.Logger
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider
	Now            func() time.Time
}
