package cache

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"

	"jamf-gateway/gateway/device"
)

// Info is a generation's own description.
type Info struct {
	Series
	Number         uint64 `json:"number"`
	Parent         uint64 `json:"parent"`
	SourceEpoch    string `json:"sourceEpoch"`
	MappingVersion int    `json:"mappingVersion"`
	ProfileDigest  string `json:"profileDigest"`
	ProfileName    string `json:"profileName"`
	// ProfilePaths are the fields that its records may hold, sorted; no other stands in the file. nil in generations of
	// releases that did not write them: only the digest tells then. ProfileAtMost: it may hold fewer than that.
	ProfilePaths   []string     `json:"profilePaths,omitempty"`
	ProfileAtMost  bool         `json:"profileAtMost,omitempty"`
	JamfVersion    string       `json:"jamfVersion"`
	Upstream       string       `json:"upstream"`
	Started        time.Time    `json:"started"`
	Ended          time.Time    `json:"ended"` // the window; Ended is what asOf shows
	Count          int          `json:"count"`
	ReportedTotal  int          `json:"reportedTotal"`
	ConfirmedEmpty bool         `json:"confirmedEmpty"`
	Added          int          `json:"added"`
	Changed        int          `json:"changed"`
	Removed        int          `json:"removed"`
	Quarantined    []Quarantine `json:"quarantined,omitempty"`
	Digest         string       `json:"digest"` // content digest over ids and record checksums, and the names where there are any
	Bytes          int64        `json:"-"`      // size of the file

	Terms       []string                `json:"terms,omitempty"` // what it can tell of each device for views
	Names       map[device.NameList]int `json:"names,omitempty"` // list -> how many names are kept
	NamesDigest string                  `json:"namesDigest,omitempty"`
}

// Generation is one immutable generation, opened for reading. Callers Release it; a pruned file stays readable until then.
// Safe for concurrent use. Every read verifies what it answers; after the last Release reads answer ErrGone.
type Generation struct {
	info    Info
	ref     string
	ids     []int64
	facts   *factNames // the columns for filters and sorts; nil = none were written
	traits  bool       // devices can be compared by more than their ids
	names   *device.Names
	terms   map[string]members // of devices of ids
	views   views
	decoder *zstd.Decoder
	readers *readers

	refs       atomic.Int64
	damaged    atomic.Bool
	onClose    func()
	readErrors *atomic.Int64
}

// openGeneration opens and verifies a kept file, and returns it with one reference. It never creates anything.
// check compares its digest.
func openGeneration(ctx context.Context, path, identity string, k keptFile, check func(ctx context.Context) error) (*Generation, error) {
	stat, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %s is missing", ErrLost, k.File)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrLost, err)
	case stat.Size() == 0:
		return nil, fmt.Errorf("%w: %s is empty", ErrLost, k.File)
	case stat.Size() != k.Bytes:
		return nil, fmt.Errorf("%w: %s has %d bytes, %d were written", ErrCorrupt, k.File, stat.Size(), k.Bytes)
	}
	if file, err := os.Open(path); err != nil { // SQLite would not say why
		return nil, fmt.Errorf("%w: %w", ErrLost, err)
	} else if err := file.Close(); err != nil {
		return nil, readError(ctx, "open "+k.File, err)
	}
	r, err := openReaders(ctx, path)
	if err != nil {
		return nil, readError(ctx, "open "+k.File, err)
	}
	g := &Generation{readers: r, onClose: func() {}, readErrors: new(atomic.Int64)}
	g.refs.Store(1)
	if err := g.describe(ctx, identity, k); err != nil {
		return nil, errors.Join(err, g.close())
	}
	if err := g.verify(ctx, k, check); err != nil {
		return nil, errors.Join(err, g.close())
	}
	return g, nil
}

// describe reads meta: whose file it is, what it says of itself, its dictionary.
func (g *Generation) describe(ctx context.Context, identity string, k keptFile) error {
	meta, err := readMeta(ctx, g.readers)
	if err != nil {
		return readError(ctx, "read description of "+k.File, err)
	}
	format, err := strconv.Atoi(string(meta["format"]))
	if err != nil || format < 1 {
		return fmt.Errorf("%w: %s is not a generation", ErrLost, k.File)
	}
	if format > formatVersion {
		return fmt.Errorf("%w: %s has format %d, this version knows %d", ErrLost, k.File, format, formatVersion)
	}
	if err := json.Unmarshal(meta["description"], &g.info); err != nil {
		return fmt.Errorf("read description of %s: %w: %w", k.File, ErrCorrupt, err)
	}
	if string(meta["store"]) != identity || g.info.Series != k.Info.Series || g.info.Number != k.Number {
		return fmt.Errorf("%w: %s belongs to %s/%s, generation %d, of store %q", ErrLost, k.File,
			g.info.Source, g.info.Kind, g.info.Number, meta["store"])
	}
	if g.decoder, err = newDecoder(meta["dictionary"]); err != nil {
		return fmt.Errorf("read dictionary of %s: %w: %w", k.File, ErrCorrupt, err)
	}
	if err := g.loadFacts(meta); err != nil {
		return fmt.Errorf("read columns of %s: %w", k.File, err)
	}
	g.traits = string(meta[metaTraits]) == "1"
	g.info.Bytes = k.Bytes
	g.ref = strings.Join([]string{identity, g.info.Source, string(g.info.Kind), strconv.FormatUint(g.info.Number, 10), g.info.Digest}, "/")
	return nil
}

// verify compares the file with its digest, once per start of the program, and loads the ids: with them a row that
// SQLite cannot find any more is damage, and not an unknown device.
func (g *Generation) verify(ctx context.Context, k keptFile, check func(ctx context.Context) error) error {
	if err := check(ctx); err != nil {
		return err
	}
	ids, err := readIDs(ctx, g.readers, g.info.Count)
	if err != nil {
		return readError(ctx, "read ids of "+k.File, err)
	}
	if len(ids) != g.info.Count {
		return fmt.Errorf("%w: %s holds %d devices, %d were written", ErrCorrupt, k.File, len(ids), g.info.Count)
	}
	g.ids = ids
	return errors.Join(g.loadNames(ctx, k.File), g.loadTerms(ctx, k.File))
}

func readMeta(ctx context.Context, p *readers) (map[string][]byte, error) {
	r, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	defer p.give(r)
	type pair struct {
		key   string
		value []byte
	}
	pairs, err := collect(ctx, r.conn, func(rows *sql.Rows) (p pair, err error) {
		err = rows.Scan(&p.key, &p.value)
		return p, err
	}, `SELECT key, value FROM meta`)
	meta := make(map[string][]byte, len(pairs))
	for _, p := range pairs {
		meta[p.key] = p.value
	}
	return meta, err
}

const idChunk = 20_000 // ids read between two looks at the context

func readIDs(ctx context.Context, p *readers, count int) ([]int64, error) {
	r, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	defer p.give(r)
	ids := make([]int64, 0, count)
	for {
		var after int64
		if len(ids) > 0 {
			after = ids[len(ids)-1]
		}
		part, err := collect(ctx, r.conn, scanID, sqlIDs, after, idChunk)
		if err != nil {
			return nil, err
		}
		ids = append(ids, part...)
		if len(part) < idChunk {
			return slices.Clip(ids), nil
		}
	}
}

// tryRetain takes a reference unless the last one is gone.
func (g *Generation) tryRetain() bool {
	for {
		n := g.refs.Load()
		if n <= 0 {
			return false
		}
		if g.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Retain takes one more reference (for client runs). The caller holds one already.
func (g *Generation) Retain() *Generation {
	if !g.tryRetain() {
		panic("cache: Retain of a released generation")
	}
	return g
}

// Release gives a reference back; the last one closes the file.
func (g *Generation) Release() {
	switch n := g.refs.Add(-1); {
	case n < 0:
		panic("cache: Release without a reference")
	case n == 0:
		g.onClose()
		_ = g.close() // nothing was written through it
	}
}

func (g *Generation) close() error {
	if g.decoder != nil {
		g.decoder.Close()
	}
	return g.readers.close()
}

// Info is the generation's description. Its list of quarantined records is shared, never to be changed.
func (g *Generation) Info() Info { return g.info }

// Ref names a generation for a Key: store identity, source, kind, number, content digest.
func (g *Generation) Ref() string { return g.ref }

// use lends a connection for one read. What fn answers beside the reader's own cancellation is damage: it is counted,
// and the next Acquire serves the generation before.
func (g *Generation) use(ctx context.Context, act string, fn func(r *reader) error) error {
	if !g.tryRetain() {
		return fmt.Errorf("%s: %w", act, ErrGone)
	}
	defer g.Release()
	r, err := g.readers.take(ctx)
	if err != nil {
		return err
	}
	defer g.readers.give(r)
	if err := fn(r); err != nil {
		if ctx.Err() == nil && !damage(err) {
			return fmt.Errorf("%s: %w", act, err)
		}
		err = readError(ctx, act, err)
		if errors.Is(err, ErrCorrupt) {
			g.damaged.Store(true)
			g.readErrors.Add(1)
		}
		return err
	}
	return nil
}
