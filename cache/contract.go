// Package cache is what is served from: complete generations on disk, one SQLite
// file each, and ristretto in front of them for hot answers. It knows devices only
// as records and columns, and nothing of HTTP, Jamf or schedules.
package cache

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/metric"

	"jamf-gateway/gateway/device"
)

// Series is the line of generations of one kind of one source.
type Series struct {
	Source string
	Kind   device.Kind
}

// Errors of the store; asked with errors.Is.
var (
	ErrNone     = errors.New("no generation yet")           // never synced
	ErrLost     = errors.New("generation store lost")       // manifest names a file that is missing or foreign
	ErrCorrupt  = errors.New("generation file corrupt")     // checksum or SQLite error
	ErrGone     = errors.New("generation no longer kept")   // a cursor's generation
	ErrNotFound = errors.New("no such device")              // unknown id
	ErrConflict = errors.New("parent is no longer current") // publish lost the compare-and-swap
	ErrLocked   = errors.New("data directory is used by another process")
)

// Options of Open. MaxBytes is ristretto's budget in bytes.
type Options struct {
	Dir           string
	MaxBytes      int64
	Keep          int // generations kept per series, at least 3
	Logger        *slog.Logger
	MeterProvider metric.MeterProvider // nil: the global one
	Now           func() time.Time     // nil: time.Now
}

// Store is all series. Safe for concurrent use.
type Store struct{}

// Open locks the directory, reads the manifests and opens the current generations.
// One broken series never keeps the others from being served: Acquire of it answers the error.
func Open(ctx context.Context, o Options) (*Store, error) { panic("contract") }
func (s *Store) Close() error                             { panic("contract") }

// Identity is the random id of this store, made at the first Open (part of ETags and cursors).
func (s *Store) Identity() string { panic("contract") }

// Draft describes a generation that is about to be built.
type Draft struct {
	Series
	Parent         uint64 // number of the current generation, 0 = none
	SourceEpoch    string // identity of the Jamf behind the source
	MappingVersion int
	ProfileDigest  string
	ProfileName    string
	JamfVersion    string
	Upstream       string // API version read: "v4", "v1", "v2" (mobile)
	Started        time.Time
}

// Quarantine names one record that could not be read as usual.
type Quarantine struct {
	ID     int64  `json:"id"` // 0 = unknown
	Reason string `json:"reason"`
	Kept   string `json:"kept"` // "previous", "skeleton"
}

// Outcome closes a draft.
type Outcome struct {
	Ended          time.Time
	ReportedTotal  int // Jamf's last totalCount
	ConfirmedEmpty bool
	Quarantined    []Quarantine
	Upstream       string // API version that was read: "v4", "v1", "v2" (mobile); "" keeps the draft's
}

// LastNumber is the highest generation number known of a series, also of a lost one; 0 = none.
func (s *Store) LastNumber(q Series) uint64 { panic("contract") }

// Builder writes one generation file. One goroutine at a time.
type Builder struct{}

// Begin starts a builder; at most one per series at a time. Unfinished files of a crash are removed at Open.
func (s *Store) Begin(ctx context.Context, d Draft) (*Builder, error) { panic("contract") }

// Put adds or replaces the record of an id. body is copied. state is "present" or "quarantined".
func (b *Builder) Put(ctx context.Context, id int64, body []byte, c device.Columns, state string) error {
	panic("contract")
}

// Delete takes an id out again. Unknown ids are no error.
func (b *Builder) Delete(ctx context.Context, id int64) error { panic("contract") }

// Count is the number of distinct ids held.
func (b *Builder) Count() int { panic("contract") }

// Abort removes the unfinished file. Safe after Finish or Publish (then does nothing).
func (b *Builder) Abort() { panic("contract") }

// Finish trains the dictionary, writes records, indexes, changes against the parent and the description, closes and fsyncs the file.
func (b *Builder) Finish(ctx context.Context, o Outcome) (*Candidate, error) { panic("contract") }

// Candidate is a finished generation that nobody sees yet: guards look at it here.
type Candidate struct{}

// Info describes the candidate (Number is already assigned).
func (c *Candidate) Info() Info { panic("contract") }

// Discard deletes it.
func (c *Candidate) Discard() { panic("contract") }

// Publish makes the candidate current by compare-and-swap on its parent, prunes what is no longer kept, and returns it acquired.
func (s *Store) Publish(ctx context.Context, c *Candidate) (*Generation, error) { panic("contract") }

// Info is a generation's own description.
type Info struct {
	Series
	Number         uint64
	Parent         uint64
	SourceEpoch    string
	MappingVersion int
	ProfileDigest  string
	ProfileName    string
	JamfVersion    string
	Upstream       string
	Started, Ended time.Time // the window; Ended is what asOf shows
	Count          int
	ReportedTotal  int
	ConfirmedEmpty bool
	Added          int
	Changed        int
	Removed        int
	Quarantined    []Quarantine
	Digest         string // content digest over ids and record checksums
	Bytes          int64  // size of the file
}

// Generation is one immutable generation, opened for reading. Callers Release it; a pruned file stays readable until then.
type Generation struct{}

// Acquire returns the current generation. ErrNone, ErrLost, ErrCorrupt.
func (s *Store) Acquire(q Series) (*Generation, error) { panic("contract") }

// AcquireNumber returns a kept generation by its number. ErrGone.
func (s *Store) AcquireNumber(q Series, n uint64) (*Generation, error) { panic("contract") }

// Retain takes one more reference (for client runs).
func (g *Generation) Retain() *Generation { panic("contract") }
func (g *Generation) Release()            { panic("contract") }
func (g *Generation) Info() Info          { panic("contract") }

// Record is one stored device. Body is decompressed and its checksum was verified; it is the caller's to keep.
type Record struct {
	ID    int64
	State string
	Body  []byte
}

// Get reads one record. ErrNotFound, ErrCorrupt.
func (g *Generation) Get(ctx context.Context, id int64) (Record, error) { panic("contract") }

// Page reads limit records from the offset-th in id order; beyond the end it is empty.
func (g *Generation) Page(ctx context.Context, offset, limit int) ([]Record, error) {
	panic("contract")
}

// IDs returns all ids, ascending. Shared, never to be changed.
func (g *Generation) IDs(ctx context.Context) ([]int64, error) { panic("contract") }

// Filter selects by columns; nil = no condition. SerialNumber is matched in its normalized form, Name exactly, UDID in any case.
type Filter struct {
	SerialNumber, UDID, Name, Platform *string
}

// Select returns up to limit ids greater than after, ascending, that match.
func (g *Generation) Select(ctx context.Context, f Filter, after int64, limit int) ([]int64, error) {
	panic("contract")
}

// Normalized returns the rendered normalized device of each id, in order, from ristretto or the file.
// State and body are those of the record; DuplicateOf is always empty here: the caller renders such a device itself.
func (s *Store) Normalized(ctx context.Context, g *Generation, p *device.Profile, ids []int64) ([][]byte, error) {
	panic("contract")
}

// Duplicates maps a uid to the other uids with the same serial number in the given generations (only clashes are in the map).
// Computed once per set of generations, by a merge over the serial indexes, and kept.
func (s *Store) Duplicates(ctx context.Context, gens []*Generation) (map[string][]string, error) {
	panic("contract")
}

// Warm renders devices into ristretto, newest contact first, up to half of the byte budget shared by all calls, paced so
// that no Set is dropped; returns how many are readable afterwards.
func (s *Store) Warm(ctx context.Context, g *Generation, profiles []*device.Profile) (int, error) {
	panic("contract")
}

// Key names one answer. Every part is length-prefixed when encoded, so no two keys collide.
type Key struct {
	Generations []string // Generation.Ref() of each, in order
	State       string   // the state epoch of each source concerned
	Policy      string   // effective profile digest(s) of the client
	Endpoint    string   // route template
	Query       string   // canonical query
	Encoding    string   // "", "gzip"
}

// Ref names a generation for a Key: store identity, source, kind, number, content digest.
func (g *Generation) Ref() string { panic("contract") }

// Answer is one rendered body. ETag is strong and differs per encoding. Never changed after it was returned.
type Answer struct {
	Body []byte
	ETag string
}

// Answer returns the kept answer or renders it, one flight per key on a context that outlives the first caller
// (60 s at most; each waiter obeys its own ctx). hit tells whether ristretto had it. The full key is compared on a hit.
// For Encoding "gzip" render still returns the identity body; Answer compresses once and keeps both.
func (s *Store) Answer(ctx context.Context, k Key, render func(context.Context) ([]byte, error)) (a Answer, hit bool, err error) {
	panic("contract")
}

// Flush empties ristretto; no answer changes.
func (s *Store) Flush() { panic("contract") }

// ReplaceFile writes data to path atomically (temporary file in the same directory, fsync, rename, fsync of the directory), mode 0600.
func ReplaceFile(path string, data []byte) error { panic("contract") }
