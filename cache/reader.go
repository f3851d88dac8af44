package cache

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// reader is one connection to a generation file with its prepared statements. One goroutine at a time.
type reader struct {
	conn    *sql.Conn
	record  *sql.Stmt
	records *sql.Stmt
}

// readers are the few connections of one generation. The first is opened with it and none is ever given up, because
// the file may be unlinked while it is being read: database/sql alone would want to open it again. For the same
// reason no caller's context reaches SQLite (a cancelled query takes its connection along); reads are short and look at
// their context between chunks.
type readers struct {
	db    *sql.DB
	idle  chan *reader
	scans chan struct{} // a place for each query over the whole file: one connection fewer than there are, so that single reads get through

	mu     sync.Mutex
	opened int
}

func maxReaders() int { return min(max(2, runtime.GOMAXPROCS(0)), 8) }

func openReaders(ctx context.Context, path string) (*readers, error) {
	if err := registerFunctions(); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", readURI(path))
	if err != nil {
		return nil, err
	}
	p := &readers{db: db, idle: make(chan *reader, maxReaders()), scans: make(chan struct{}, maxReaders()-1)}
	r, err := p.connect(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	p.opened = 1
	p.idle <- r
	return p, nil
}

func (p *readers) connect(ctx context.Context) (*reader, error) {
	ctx = context.WithoutCancel(ctx)
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	r := &reader{conn: conn}
	if r.record, err = conn.PrepareContext(ctx, sqlRecord); err == nil {
		r.records, err = conn.PrepareContext(ctx, sqlRecords)
	}
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// take waits for a connection as long as ctx allows. Every reader taken must be given back.
func (p *readers) take(ctx context.Context) (*reader, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case r := <-p.idle:
		return r, nil
	default:
	}
	if p.reserve() {
		if r, err := p.connect(ctx); err == nil {
			return r, nil
		}
		p.mu.Lock()
		p.opened-- // the file is unlinked, or descriptors are short: those that are open must do
		p.mu.Unlock()
	}
	select {
	case r := <-p.idle:
		return r, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *readers) reserve() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.opened == cap(p.idle) {
		return false
	}
	p.opened++
	return true
}

func (p *readers) give(r *reader) { p.idle <- r }

// close is called when no reader is taken.
func (p *readers) close() error {
	var errs []error
	for {
		select {
		case r := <-p.idle:
			errs = append(errs, r.close())
			continue
		default:
		}
		return errors.Join(append(errs, p.db.Close())...)
	}
}

func (r *reader) close() error {
	var errs []error
	for _, stmt := range []*sql.Stmt{r.record, r.records} {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	return errors.Join(append(errs, r.conn.Close())...)
}

// collect runs a query of few rows on one connection and scans each row. ctx is looked at, not handed on.
func collect[T any](ctx context.Context, conn *sql.Conn, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rows, err := conn.QueryContext(context.WithoutCancel(ctx), query, args...)
	if err != nil {
		return nil, err
	}
	return scanAll(rows, scan)
}

// scanAll reads rows to their end: rows that break off are an error, never a shorter result.
func scanAll[T any](rows *sql.Rows, scan func(*sql.Rows) (T, error)) (all []T, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("scan row: %w", err)
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

func scanID(rows *sql.Rows) (id int64, err error) {
	err = rows.Scan(&id)
	return id, err
}

func scanSum(rows *sql.Rows) (r recordSum, err error) {
	var sum sql.RawBytes
	if err := rows.Scan(&r.id, &r.state, &sum); err != nil {
		return r, err
	}
	if len(sum) != checksumSize {
		return r, fmt.Errorf("checksum of %d bytes", len(sum))
	}
	r.sum = checksum(sum)
	return r, nil
}
