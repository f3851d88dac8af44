package canary

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	_ "modernc.org/sqlite" // the driver
)

// scanDatabase looks through every cell: a long one is spread over pages that do not follow one another in the file.
func (s *Scanner) scanDatabase(name, path string) ([]Hit, error) {
	ctx := context.Background()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&immutable=1")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	defer func() { _ = db.Close() }()
	var dictionary []byte
	err = db.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = 'dictionary'`).Scan(&dictionary)
	if err != nil && !errors.Is(err, sql.ErrNoRows) && !strings.Contains(err.Error(), "no such table") {
		return nil, nil // a damaged file: its bytes were looked through
	}
	tables, err := texts(ctx, db, `SELECT name FROM sqlite_master WHERE type = 'table'`)
	if err != nil {
		return nil, nil // as above
	}
	u := &unpacker{dictionary: dictionary}
	defer u.close()
	var hits []Hit
	for _, table := range tables {
		more := s.scanTable(ctx, db, name, table, u)
		hits = append(hits, more...)
	}
	return hits, nil
}

func (s *Scanner) scanTable(ctx context.Context, db *sql.DB, name, table string, u *unpacker) (hits []Hit) {
	rows, err := db.QueryContext(ctx, `SELECT * FROM "`+strings.ReplaceAll(table, `"`, `""`)+`"`) //nolint:gosec // the name is quoted
	if err != nil {
		return nil
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return nil
	}
	cells, into := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
	for i := range cells {
		into[i] = &cells[i]
	}
	for row := 1; rows.Next() && rows.Scan(into...) == nil; row++ {
		for i, cell := range cells {
			hits = append(hits, s.scan(fmt.Sprintf("%s, %s of row %d of %s", name, columns[i], row, table), cell, u, depth)...)
		}
	}
	if err := rows.Err(); err != nil {
		return hits // damaged: what could be read was looked through
	}
	return hits
}

func texts(ctx context.Context, db *sql.DB, query string) (out []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, fmt.Errorf("list: %w", err)
		}
		out = append(out, text)
	}
	return out, rows.Err() //nolint:wrapcheck // the one query is named by the caller
}
