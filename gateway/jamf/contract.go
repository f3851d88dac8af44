// Package jamf is the way out: tokens, the budget towards a Jamf host, and pages.
// It knows HTTP and Jamf's API, and nothing of devices.
package jamf

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Telemetry carries the providers; nil fields mean the global ones.
type Telemetry struct {
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider
}

// Limits towards one Jamf host. Zero values mean the defaults of DESIGN.md (2, 5, 5).
type Limits struct {
	Connections       int
	RequestsPerSecond float64
	Burst             int
}

// Host is the budget shared by all sources on one Jamf host: semaphore -> limiter -> breaker -> timed attempt, and notBefore.
type Host struct{}

func NewHost(authority string, l Limits, t Telemetry) *Host { panic("contract") }

// Kinds of failure; asked with errors.Is on any error of this package.
var (
	ErrUnavailable  = errors.New("jamf unavailable")             // connection, TLS, 5xx, HTML from the edge: retried within the budget
	ErrTimeout      = errors.New("jamf timed out")               // page deadline: halve the page
	ErrServerError  = errors.New("jamf cannot render")           // 500 with Jamf's envelope: bisect
	ErrThrottled    = errors.New("jamf throttles")               // 429
	ErrBreakerOpen  = errors.New("circuit breaker open")         // wait
	ErrAuthFailed   = errors.New("jamf refuses the credentials") // token endpoint: RFC 6749 error; or auth_failed as DESIGN.md counts it
	ErrUnauthorized = errors.New("jamf refuses the token")       // 401 after one renewal
	ErrForbidden    = errors.New("right missing")                // 403
	ErrNotFound     = errors.New("not found")                    // 404
	ErrSchema       = errors.New("unexpected answer")            // 200 that is no list: never an empty list
	ErrTooLarge     = errors.New("answer too large")             // 64 MiB a page, 4 MiB a record
	ErrRedirect     = errors.New("redirect refused")             // any 3xx
	ErrBadRequest   = errors.New("jamf rejects the request")     // other 4xx
)

// Error is every error of a call. It never holds a secret, a token, a query or a body of Jamf's.
type Error struct {
	Kind       error         // one of the above
	Op         string        // "token", "computers", "mobile_detail", "mobile_list", "auth", "version", "record"
	Status     int           // HTTP status, 0 = none
	Code       string        // catalogue code: "auth_failed", "dns", "tls", "timeout", "html_instead_of_json", ...
	RetryAfter time.Duration // as obeyed, clamped
	Detail     string        // one safe sentence
	Err        error
}

func (e *Error) Error() string   { panic("contract") }
func (e *Error) Unwrap() []error { panic("contract") } // Kind and Err

// SourceOptions describe one configured Jamf Pro instance.
type SourceOptions struct {
	Name                  string
	URL                   string // ends in /api
	ClientID              string
	ClientSecret          func() string
	AllowInsecureLoopback bool
	UserAgent             string // "jamf-gateway/<version>"
	PropagateTrace        bool
	PageTimeout           time.Duration // 0 = 100 s
	Logger                *slog.Logger
	Telemetry             Telemetry
}

// Source is the client of one instance. Safe for concurrent use.
type Source struct{}

func NewSource(h *Host, o SourceOptions) (*Source, error) { panic("contract") }

// List is one of the lists that a sync reads.
type List uint8

// Lists; Computers falls back from v4 to v1 on 404 once per walk.
const (
	Computers    List = iota + 1 // /v4|v1/computers-inventory, sort=id:asc
	MobileDetail                 // /v2/mobile-devices/detail, sort=mobileDeviceId:asc, exception-handling=LENIENT
	MobilePlain                  // /v2/mobile-devices, sort=id:asc
)

// Walk is a session of calls with one cookie jar.
type Walk struct{}

func (s *Source) NewWalk() *Walk { panic("contract") }

// Row is one element of results: exact bytes. Err is set when the element is not strict JSON (duplicate names, invalid UTF-8)
// or is larger than 4 MiB; then Raw may be nil.
type Row struct {
	Raw []byte
	Err error
}

// Page is one answer. Total is totalCount.
type Page struct {
	Total   int
	Rows    []Row
	Version string        // "v4", "v1", "v2"
	Elapsed time.Duration // of the successful attempt
	Bytes   int64         // after inflation
}

// Page asks for one page (0-based), with retries within the budget, but a timed-out page (ErrTimeout) and a 500 with Jamf's
// envelope (ErrServerError) are not repeated more than the issue allows: the caller changes the size.
// It waits for an open breaker up to 15 min.
func (w *Walk) Page(ctx context.Context, l List, sections []string, page, size int) (*Page, error) {
	panic("contract")
}

// Record asks for one record by id: computers by /vN/computers-inventory/{id}?section=..., mobile devices by the detail list
// with filter=mobileDeviceId==id (the by-id shape differs), mobile plain by /v2/mobile-devices/{id}. ErrNotFound when it is gone.
func (w *Walk) Record(ctx context.Context, l List, sections []string, id int64) ([]byte, error) {
	panic("contract")
}

// Rights is what GET /v1/auth says of the token (both old and new shapes are read; global rights and those by site).
type Rights struct {
	Privileges []string // sorted, distinct
	Known      bool     // false when the answer held no privileges anywhere
}

// The two rights of the gateway.
const (
	ReadComputers     = "Read Computers"
	ReadMobileDevices = "Read Mobile Devices"
)

func (r Rights) Has(name string) bool { panic("contract") }

func (w *Walk) Rights(ctx context.Context) (Rights, error)  { panic("contract") }
func (w *Walk) Version(ctx context.Context) (string, error) { panic("contract") }

// TokenState for health: "none", "valid", "renewing", "failed", "auth_failed".
type Status struct {
	Token         string
	TokenExpires  time.Time
	Breaker       string // "closed", "open", "half-open"
	NotBefore     time.Time
	InFlight      int
	LastError     *Error
	LastErrorAt   time.Time
	LastSuccessAt time.Time
}

func (s *Source) Status() Status { panic("contract") }

// Step is one step of a connection test.
type Step struct {
	Name    string // "url", "dns", "tcp", "tls", "token", "rights", "mobile_devices", "computers", "version"
	Result  string // "ok", "warning", "failed", "skipped"
	Code    string // catalogue code when not ok
	Detail  string // safe sentence fragment: counts, names of rights, certificate expiry
	Latency time.Duration
}

// Report is the outcome of a connection test.
type Report struct {
	OK          bool
	Steps       []Step
	Present     []string // of the wanted rights
	Missing     []string
	Surplus     []string // rights beyond the wanted ones
	Computers   int      // -1 unknown
	Mobiles     int
	JamfVersion string
	Started     time.Time
}

// Test runs the connection test through the budget (semaphore and limiter) with its own 30 s deadline a step; it is never counted by the breaker.
// want lists the rights that the configured kinds need.
func (s *Source) Test(ctx context.Context, want []string) Report { panic("contract") }
