package cache

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"

	"jamf-gateway/gateway/device"
)

// SetNames says what the ids in the records are called; nil = nothing is known. The last call before Finish counts.
func (b *Builder) SetNames(n *device.Names) { b.names = n }

// putNames writes the names and what the description says of them. They are part of the content: a list of devices
// reads differently when a department has another name.
func (b *Builder) putNames(ctx context.Context, info *Info) error {
	info.Names, info.NamesDigest = b.names.Counts(), b.names.Digest()
	if info.NamesDigest == "" {
		return nil
	}
	for n := range b.names.All() {
		if _, err := b.conn.ExecContext(context.WithoutCancel(ctx), sqlPutName, string(n.List), n.ID, n.Text); err != nil {
			return err
		}
	}
	sum := sha256.Sum256([]byte(info.Digest + info.NamesDigest))
	info.Digest = hex.EncodeToString(sum[:])
	return nil
}

// loadNames reads and verifies the names. A file that says nothing of names may be an older program's, without a table.
func (g *Generation) loadNames(ctx context.Context, file string) error {
	if g.info.NamesDigest == "" {
		return nil
	}
	r, err := g.readers.take(ctx)
	if err != nil {
		return err
	}
	defer g.readers.give(r)
	entries, err := collect(ctx, r.conn, func(rows *sql.Rows) (n device.Name, err error) {
		err = rows.Scan(&n.List, &n.ID, &n.Text)
		return n, err
	}, sqlNames)
	if err != nil {
		return readError(ctx, "read names of "+file, err)
	}
	if g.names = device.NewNames(slices.Values(entries)); g.names.Digest() != g.info.NamesDigest {
		return fmt.Errorf("%w: the names in %s are not those that were written", ErrCorrupt, file)
	}
	return nil
}

// Names are what the ids in the records are called; nil = nothing is known.
func (g *Generation) Names() *device.Names { return g.names }
