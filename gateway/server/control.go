package server

import (
	"context"
	"errors"
	"time"

	"jamf-gateway/gateway/device"
)

// Errors of Control; asked with errors.Is. None of them is worth an immediate retry.
var (
	// ErrUnknownSource means that no source of that name is configured.
	ErrUnknownSource = errors.New("unknown source")
	// ErrDisabled means that the source is disabled: it is neither synced nor tested.
	ErrDisabled = errors.New("source is disabled")
	// ErrSyncRunning means that a sync of the source is running already.
	ErrSyncRunning = errors.New("sync is running")
	// ErrNotHeld means that nothing of the source is held under a digest.
	ErrNotHeld = errors.New("nothing is held under this digest")
	// ErrInUse means that a source is active: clients read it, and to them what is purged is deleted.
	ErrInUse = errors.New("source is in use")
	// ErrUnknownDevice means that nothing stored knows a device.
	ErrUnknownDevice = errors.New("unknown device")
	// ErrUnfinished means that a purge was begun and goes on by itself.
	ErrUnfinished = errors.New("the purge is not finished")
)

// Control is what the house does for the server.
type Control interface {
	// Status is a snapshot of the configured sources of these names, in their order; without names of every one, sorted by name. No I/O,
	// never blocks.
	Status(names ...string) []SourceStatus
	// SyncNow asks for a sync of the kinds given, of all enabled ones where none is. ErrUnknownSource, ErrDisabled, ErrSyncRunning.
	SyncNow(source string, kinds ...device.Kind) error
	// Approve publishes what is held of a source under a digest; by is who approves it, for the log. ErrUnknownSource, ErrNotHeld,
	// ErrSyncRunning.
	Approve(ctx context.Context, source, digest, by string) error
	// Expect opens a planned window: until then so many confirmed deletions of a source are not held; 0 closes it. ErrUnknownSource.
	Expect(ctx context.Context, source string, removals int, until time.Time, by string) error
	// PurgeSource removes everything of a source that is disabled or no longer configured. ErrUnknownSource, ErrInUse, ErrSyncRunning,
	// ErrUnfinished.
	PurgeSource(ctx context.Context, source, by string) error
	// PurgeDevice removes one device from everything that is stored; returns tells that the source is still read, so that it comes back where
	// Jamf has it. ErrUnknownSource, ErrUnknownDevice, ErrSyncRunning, ErrUnfinished.
	PurgeDevice(ctx context.Context, source string, k device.Kind, id int64, by string) (returns bool, err error)
	// Reload takes the settings as their file says now; a *SettingsError says why not.
	Reload(ctx context.Context) (Taken, error)
	// Remove takes the settings as Reload does, where their file names every source but this one. ErrUnknownSource, or a *SettingsError.
	Remove(ctx context.Context, source string) (Removed, error)
	// Test runs the connection test of one source, one at a time. The last report is given again for 30 s, and for up to 5 min
	// where tests keep failing in the same way. ErrUnknownSource, ErrDisabled, or the error of ctx.
	Test(ctx context.Context, source string) (TestReport, error)
}

// SettingsError says why the settings of a file were not taken. Those before stay in force.
type SettingsError struct {
	Why     Warning // for the operator, whose settings they are: with file and line, without secrets
	Outcome string  // for the audit
	Err     error
}

// Error implements error.
func (e *SettingsError) Error() string { return e.Why.EN }

// Unwrap returns the cause.
func (e *SettingsError) Unwrap() error { return e.Err }

// Taken is what going over to other settings came to. No list is nil.
type Taken struct {
	Added   []string `json:"added"`   // sources
	Changed []string `json:"changed"` // sources
	Restart []string `json:"restart"` // settings whose change waits for a restart
}

// Removed is what the removal of a source came to.
type Removed struct {
	Devices int      `json:"devices"` // of it that were served
	Clients []string `json:"clients"` // that were shown them, sorted; not nil
	Taken
}

// SourceStatus is one configured source.
type SourceStatus struct {
	Name               string
	Disabled           bool
	Default            bool
	Expected           *Expected    // nil: no removals are announced
	Kinds              []KindStatus // the enabled kinds, computer before mobile
	Token              string       // none, valid, failed, auth_failed
	TokenExpires       time.Time
	Breaker            string // closed, open, half-open
	NotBefore          time.Time
	CredentialsRefused bool     // Jamf refuses the credentials: façade v1/auth answers 503
	Rights             []string // rights last proved upstream, at most the two
	JamfVersion        string
	LastErrorCode      string // catalogue code; "" once a call after it succeeded
	LastErrorAt        time.Time
	Heartbeat          HeartbeatStatus
	Logins             []LoginStatus // the API clients of Jamf, in the order of the settings
}

// LoginStatus is one of the API clients with which a source is read. Zero times are never.
type LoginStatus struct {
	ID      string
	InUse   bool
	Refused time.Time // since when Jamf refuses it
	Proved  time.Time // when Jamf last took it
}

// HeartbeatStatus is the last sign of life that a source was asked for. Zero times and latencies are unknown.
type HeartbeatStatus struct {
	Every     time.Duration // 0 = there is no heartbeat
	At        time.Time
	State     string // up, down, unasked; "" = none yet
	Code      string // catalogue code; "" = every question was answered
	Latency   time.Duration
	DownSince time.Time
	Next      time.Time
}

// Expected are removals that were announced, so that they are not held: so many are left, until then.
type Expected struct {
	Left  int
	Until time.Time
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
	LastErrorAt                        time.Time
	Hold                               *Hold // nil: nothing is held
}

// Hold is a finished generation that waits for a person's approval.
type Hold struct {
	Digest     string
	Since      time.Time
	Generation uint64
	Count      int     // its devices
	Removed    int     // devices that are served now and are not in it
	First      []int64 // the first of these, by id
	Findings   []Finding
}

// Finding is one guard that it trips: Count of Of are more than Limit (of "instance" and "empty": fewer devices stay than should).
// Client is whose view loses as much; "" = the generation does.
type Finding struct {
	Guard string   `json:"guard"`
	Count int      `json:"count"`
	Of    int      `json:"of"`
	Limit int      `json:"limit"`
	Names []string `json:"names,omitempty"` // the fields and sections that lost their values

	Client string `json:"client,omitempty"`
}

// TestReport is the outcome of a connection test.
type TestReport struct {
	OK            bool       `json:"ok"`
	Source        string     `json:"source"`
	StartedAt     time.Time  `json:"startedAt"`
	ReusedUntil   *time.Time `json:"reusedUntil,omitempty"` // until then a test answers with this report; nil = it is not kept
	Steps         []TestStep `json:"steps"`
	RightsPresent []string   `json:"rightsPresent"`
	RightsMissing []string   `json:"rightsMissing"`
	RightsSurplus []string   `json:"rightsSurplus"`
	RightsNames   []string   `json:"rightsForNames,omitempty"`        // they give names to ids, and nothing else
	RightsUnnamed []string   `json:"rightsForNamesMissing,omitempty"` // optional: without them ids stay without names
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
