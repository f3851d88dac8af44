package cache

import (
	"net/url"
)

// A generation file can be opened with any SQLite tool:
//
//	device  one row per device: its state, the columns by which the newest and those of one serial number are found, the checksum over id, state and body
//	body    the record, zstd with the dictionary in meta
//	name    what Jamf calls the ids in the records, by list (departments, buildings, sites); files of older programs have no such table
//	change  what differs from the parent: added, changed, removed
//	meta    format, store, description (JSON), dictionary (where there is one), base (reserved for deltas)
const schema = `
PRAGMA application_id = 1246185303; -- "JGGW"
PRAGMA user_version = 1;
CREATE TABLE device (
	id            INTEGER PRIMARY KEY,
	state         TEXT NOT NULL,
	serial_number TEXT,
	last_contact  INTEGER,
	checksum      BLOB NOT NULL
);
CREATE TABLE body (id INTEGER PRIMARY KEY, record BLOB NOT NULL);
CREATE TABLE name (list TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (list, id)) WITHOUT ROWID;
CREATE TABLE change (id INTEGER PRIMARY KEY, what TEXT NOT NULL);
CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
`

// indexes are made after the load: ten times faster than keeping them up to date. Each ends in the id by itself.
const indexes = `
CREATE INDEX device_serial_number ON device (serial_number) WHERE serial_number IS NOT NULL;
CREATE INDEX device_last_contact ON device (last_contact);
PRAGMA analysis_limit = 1000;
ANALYZE;
`

const (
	sqlPutDevice    = `INSERT OR REPLACE INTO device (id, state, serial_number, last_contact, checksum) VALUES (?,?,?,?,?)`
	sqlPutBody      = `INSERT OR REPLACE INTO body (id, record) VALUES (?,?)`
	sqlDeleteDevice = `DELETE FROM device WHERE id = ?`
	sqlDeleteBody   = `DELETE FROM body WHERE id = ?`
	sqlHasDevice    = `SELECT EXISTS (SELECT 1 FROM device WHERE id = ?)`
	sqlPutChange    = `INSERT INTO change (id, what) VALUES (?,?)`
	sqlPutName      = `INSERT INTO name (list, id, name) VALUES (?,?,?)`
	sqlNames        = `SELECT list, id, name FROM name`
	sqlPutMeta      = `INSERT INTO meta (key, value) VALUES (?,?)`
	sqlSums         = `SELECT id, state, checksum FROM device WHERE id > ? ORDER BY id LIMIT ?`
	sqlIDs          = `SELECT id FROM device WHERE id > ? ORDER BY id LIMIT ?`
	sqlRecord       = `SELECT d.id, d.state, d.checksum, b.record FROM device d CROSS JOIN body b ON b.id = d.id WHERE d.id = ?`
	sqlRecords      = `SELECT d.id, d.state, d.checksum, b.record FROM device d CROSS JOIN body b ON b.id = d.id
		WHERE d.id BETWEEN ? AND ? ORDER BY d.id`
	sqlSerials = `SELECT serial_number, id FROM device WHERE serial_number IS NOT NULL AND (serial_number, id) > (?, ?)
		ORDER BY serial_number, id LIMIT ?`
	sqlOfSerial      = `SELECT id FROM device WHERE serial_number = ? ORDER BY id LIMIT ?`
	sqlNewestContact = `SELECT id FROM device ORDER BY last_contact DESC LIMIT ?`
)

const chunk = 500 // rows read between two looks at the context

// readURI opens a published file: nothing changes it any more, so SQLite needs no locks.
func readURI(path string) string {
	return fileURI(path, url.Values{"mode": {"ro"}, "immutable": {"1"}, "_pragma": {"cache_size(-1024)", "temp_store(MEMORY)"}})
}

// buildURI opens an unfinished file: a crash throws it away, so nothing in it needs a journal.
func buildURI(path string) string {
	return fileURI(path, url.Values{"mode": {"rw"}, "_pragma": {
		"page_size(8192)", "journal_mode(OFF)", "synchronous(OFF)", "locking_mode(EXCLUSIVE)",
		"temp_store(MEMORY)", "cache_size(-32768)", "secure_delete(ON)",
	}})
}

func fileURI(path string, query url.Values) string {
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String()
}
