package cache

import (
	"context"
	"database/sql"
	"fmt"

	"jamf-gateway/gateway/device"
)

// Traits stand in a table of their own, one row per device: what guards compare generations by. Which field a bit of a shape
// stands for is told by the generation's ProfilePaths. Files of older programs have no such table.
const sqlTraits = `
CREATE TABLE trait (id INTEGER PRIMARY KEY, serial INTEGER NOT NULL, udid INTEGER NOT NULL, shape BLOB NOT NULL);
`

// metaTraits tells that a file has traits.
const metaTraits = "traits"

const (
	sqlPutTrait    = `INSERT OR REPLACE INTO trait (id, serial, udid, shape) VALUES (?,?,?,?)`
	sqlDeleteTrait = `DELETE FROM trait WHERE id = ?`
	sqlTraitRows   = `SELECT d.id, d.state, t.serial, t.udid, t.shape FROM device d CROSS JOIN trait t ON t.id = d.id
		WHERE d.id > ? ORDER BY d.id LIMIT ?`
)

// putTraits writes the traits of one device.
func (b *Builder) putTraits(ctx context.Context, id int64, body []byte) error {
	if b.traits == nil {
		return nil
	}
	t, err := b.traits.Of(body)
	if err != nil {
		return fmt.Errorf("find the traits of device %d: %w", id, err)
	}
	// The hashes keep their bits: SQLite's integers have a sign.
	_, err = b.stmts[sqlPutTrait].ExecContext(ctx, id, int64(t.Serial), int64(t.UDID), t.Shape)
	return err
}

// traitRow is one device as guards see it.
type traitRow struct {
	id    int64
	state string
	device.Traits
}

func scanTraits(rows *sql.Rows) (r traitRow, err error) {
	var serial, udid int64
	err = rows.Scan(&r.id, &r.state, &serial, &udid, &r.Shape)
	r.Serial, r.UDID = uint64(serial), uint64(udid)
	return r, err
}

// scanBare reads what a file without traits tells of a device.
func scanBare(rows *sql.Rows) (r traitRow, err error) {
	sum, err := scanSum(rows)
	return traitRow{id: sum.id, state: sum.state}, err
}
