package cache

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"

	"jamf-gateway/gateway/device"
)

// Draft describes a generation that is about to be built.
type Draft struct {
	Series
	Parent         uint64 // number of the current generation, 0 = none
	SourceEpoch    string // identity of the Jamf behind the source
	MappingVersion int
	ProfileDigest  string
	ProfileName    string
	ProfilePaths   []string // sorted: device.Profile.Paths of the kind; see Info
	ProfileAtMost  bool     // see Info
	JamfVersion    string
	Upstream       string // API version read: "v4", "v1", "v2" (mobile)
	Started        time.Time
	Terms          []string // sorted: what Columns.Terms tells of each device, for the views of clients
}

// What is held in memory until the dictionary is trained; everything after it goes straight to the file.
const (
	maxPending      = 1000
	maxPendingBytes = 8 << 20
)

// Builder writes one generation file. One goroutine at a time.
// After a failed write every further call answers that failure: Abort it.
type Builder struct {
	store  *Store
	line   *line
	draft  Draft
	parent *Generation // what changes are told against; nil = none, or not readable
	path   string

	columns []device.Column     // what devices are filtered and sorted by
	layout  layout              // how they stand in the file; made when the first records are known
	traits  *device.TraitReader // nil: it is not said what the records hold
	truths  *truths
	settled map[string]members // what the file says of the terms
	ids     []int64            // of the finished file, where it has terms
	row     []any              // reused
	without int64              // a device of the parent that is not told of as removed

	db      *sql.DB
	conn    *sql.Conn
	stmts   map[string]*sql.Stmt
	encoder *zstd.Encoder // nil until the dictionary is trained
	packed  []byte        // reused

	names *device.Names

	pending map[int64]pendingRecord
	bytes   int // of pending
	count   int // rows in the file
	highest int64
	failed  error
}

type pendingRecord struct {
	body    []byte
	columns device.Columns
	state   string
}

// Begin starts a builder; at most one per series at a time (ErrBusy). Unfinished files of a crash are removed at Open.
// A parent that is not current now is ErrConflict at once, and not after a walk: see LastNumber.
func (s *Store) Begin(ctx context.Context, d Draft) (*Builder, error) {
	l, err := s.findOrAdd(d.Series)
	if err != nil {
		return nil, err
	}
	if err := s.lookAgain(ctx, l); err != nil {
		return nil, writeError("begin generation", err)
	}
	if err := l.reserve(d.Parent); err != nil {
		return nil, err
	}
	b := &Builder{store: s, line: l, draft: d, pending: make(map[int64]pendingRecord), stmts: make(map[string]*sql.Stmt)}
	b.columns, b.truths = device.FactColumns(d.Kind, d.ProfilePaths), newTruths(d.Terms)
	if len(d.ProfilePaths) > 0 {
		b.traits = device.NewTraitReader(d.Kind, d.ProfilePaths)
	}
	if d.Parent > 0 {
		b.parent, err = s.AcquireNumber(d.Series, d.Parent)
		if err != nil {
			s.log.WarnContext(ctx, "the parent cannot be compared with", "jamf.source", d.Source, "kind", d.Kind, "generation", d.Parent, "error", err)
		}
	}
	if err := b.create(ctx); err != nil {
		b.Abort()
		return nil, writeError("begin generation", err)
	}
	return b, nil
}

func (l *line) reserve(parent uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.refused != nil:
		return l.refused
	case l.building:
		return ErrBusy
	case !l.followsLocked(parent):
		return fmt.Errorf("begin with parent %d: %w: it is %d", parent, ErrConflict, l.current)
	}
	l.building = true
	return nil
}

func (b *Builder) create(ctx context.Context) error {
	if err := b.store.disk.MkdirAll(b.line.dir); err != nil {
		return err
	}
	path := filepath.Join(b.line.dir, rand.Text()+buildingSuffix)
	b.path = path
	if err := b.store.disk.create(path); err != nil { // SQLite would make it 0644
		return err
	}
	ctx = context.WithoutCancel(ctx)
	var err error
	if b.db, err = sql.Open("sqlite", buildURI(path)); err != nil {
		return err
	}
	if b.conn, err = b.db.Conn(ctx); err != nil {
		return err
	}
	if n := b.store.disk.pages(); n > 0 {
		if _, err := b.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", n)); err != nil {
			return err
		}
	}
	// One transaction for all: with journal_mode OFF it only spares commits, and a crash throws the file away anyway.
	if _, err := b.conn.ExecContext(ctx, schema+sqlTraits+sqlTerms+"BEGIN"); err != nil {
		return err
	}
	return b.prepare(ctx, sqlPutDevice, sqlPutBody, sqlDeleteDevice, sqlDeleteBody, sqlHasDevice, sqlPutChange, sqlPutTrait, sqlDeleteTrait)
}

func (b *Builder) prepare(ctx context.Context, queries ...string) (err error) {
	for _, query := range queries {
		if b.stmts[query], err = b.conn.PrepareContext(ctx, query); err != nil {
			return err
		}
	}
	return nil
}

// Columns are what the facts of a record are, for device.ColumnsOf.
func (b *Builder) Columns() []device.Column { return b.columns }

// Put adds or replaces the record of an id. body is copied. Where c has no facts, they are read from it. state is StatePresent, StateQuarantined or StateMissing.
func (b *Builder) Put(ctx context.Context, id int64, body []byte, c device.Columns, state string) error {
	if err := b.ready(ctx); err != nil {
		return err
	}
	switch {
	case id <= 0:
		return fmt.Errorf("put device %d: ids are positive", id)
	case state != StatePresent && state != StateQuarantined && state != StateMissing:
		return fmt.Errorf("put device %d: unknown state %q", id, state)
	case len(body) > maxRecordBytes:
		return fmt.Errorf("put device %d: record of %d bytes, at most %d are kept", id, len(body), maxRecordBytes)
	}
	if len(c.Facts) != len(b.columns) {
		var err error
		if c.Facts, err = b.factsOf(id, body); err != nil {
			return err
		}
	}
	if err := b.truths.put(id, c.Terms); err != nil {
		return err
	}
	if b.encoder != nil {
		return b.fail("put device", b.write(ctx, id, pendingRecord{body, c, state}))
	}
	b.bytes += len(body) - len(b.pending[id].body)
	b.pending[id] = pendingRecord{slices.Clone(body), c, state}
	if len(b.pending) >= maxPending || b.bytes >= maxPendingBytes {
		return b.fail("put device", b.flush(ctx))
	}
	return nil
}

// Delete takes an id out again. Unknown ids are no error.
func (b *Builder) Delete(ctx context.Context, id int64) error {
	if err := b.ready(ctx); err != nil {
		return err
	}
	if b.encoder == nil {
		b.bytes -= len(b.pending[id].body)
		delete(b.pending, id)
		return nil
	}
	return b.fail("delete device", b.erase(ctx, id))
}

// Count is the number of distinct ids held.
func (b *Builder) Count() int { return b.count + len(b.pending) }

func (b *Builder) ready(ctx context.Context) error {
	if b.conn == nil {
		return errSettled
	}
	if b.failed != nil {
		return b.failed
	}
	return ctx.Err()
}

func (b *Builder) fail(act string, err error) error {
	if err == nil {
		return nil
	}
	b.failed = writeError(act, err)
	return b.failed
}

// flush trains the dictionary with what is pending, lays out the facts after it, and writes it.
func (b *Builder) flush(ctx context.Context) (err error) {
	ids := make([]int64, 0, len(b.pending))
	for id := range b.pending {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	samples := make([][]byte, 0, len(ids))
	for _, id := range ids {
		samples = append(samples, b.pending[id].body)
	}
	if err := b.layOut(ctx); err != nil {
		return err
	}
	dictionary := trainDictionary(samples)
	if b.encoder, err = newEncoder(dictionary); err != nil {
		return err
	}
	if dictionary != nil {
		if err := b.putMeta(ctx, "dictionary", dictionary); err != nil {
			return err
		}
	}
	for _, id := range ids {
		if err := b.write(ctx, id, b.pending[id]); err != nil {
			return err
		}
	}
	b.pending = nil
	return nil
}

func (b *Builder) write(ctx context.Context, id int64, p pendingRecord) error {
	ctx = context.WithoutCancel(ctx)
	fresh := id > b.highest
	if !fresh {
		var held bool
		if err := b.stmts[sqlHasDevice].QueryRowContext(ctx, id).Scan(&held); err != nil {
			return err
		}
		fresh = !held
	}
	sum := checksumOf(id, p.state, p.body)
	c := p.columns
	_, err := b.stmts[sqlPutDevice].ExecContext(ctx, id, p.state, text(c.SerialNumber), instant(c.LastContact), sum[:])
	if err != nil {
		return err
	}
	b.packed = b.encoder.EncodeAll(p.body, b.packed[:0])
	if _, err := b.stmts[sqlPutBody].ExecContext(ctx, id, b.packed); err != nil {
		return err
	}
	if err := b.putFacts(ctx, id, c.Facts, fresh); err != nil {
		return err
	}
	if err := b.putTraits(ctx, id, p.body); err != nil {
		return err
	}
	b.highest = max(b.highest, id)
	if fresh {
		b.count++
	}
	return nil
}

func (b *Builder) erase(ctx context.Context, id int64) error {
	ctx = context.WithoutCancel(ctx)
	result, err := b.stmts[sqlDeleteDevice].ExecContext(ctx, id)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return err
	}
	b.count -= int(n)
	for _, query := range []string{sqlDeleteBody, sqlDeleteFact, sqlDeleteTrait} {
		if _, err := b.stmts[query].ExecContext(ctx, id); err != nil {
			return err
		}
	}
	return b.eraseFacts(ctx, id)
}

func (b *Builder) putMeta(ctx context.Context, key string, value any) error {
	_, err := b.conn.ExecContext(context.WithoutCancel(ctx), sqlPutMeta, key, value)
	return err
}

// Unknown is NULL in a column.
func text(v string) any {
	if v == "" {
		return nil
	}
	return v
}

func instant(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// Abort removes the unfinished file. Safe after Finish or Publish (then does nothing).
func (b *Builder) Abort() {
	if b.line == nil {
		return
	}
	_ = b.closeFile() // what fails to close is removed
	if b.path != "" {
		_ = b.store.disk.Remove(b.path) // else the next Open does it
	}
	b.settle()
}

// settle frees the series for the next builder.
func (b *Builder) settle() {
	if b.parent != nil {
		b.parent.Release()
	}
	b.line.mu.Lock()
	b.line.building = false
	b.line.mu.Unlock()
	b.line, b.parent, b.pending = nil, nil, nil
}

func (b *Builder) closeFile() error {
	var errs []error
	for _, stmt := range b.stmts {
		errs = append(errs, stmt.Close())
	}
	if b.conn != nil {
		errs = append(errs, b.conn.Close())
	}
	if b.db != nil {
		errs = append(errs, b.db.Close())
	}
	b.stmts, b.conn, b.db = nil, nil, nil
	return errors.Join(errs...)
}
