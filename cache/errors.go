package cache

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Errors of the store; asked with errors.Is. None of them goes away by asking again, but ErrBusy.
var (
	ErrNone     = errors.New("no generation yet")                          // never synced
	ErrLost     = errors.New("generation store lost")                      // manifest names a file that is missing or foreign
	ErrNewer    = errors.New("data of a newer version")                    // beside ErrLost; nothing of it may be changed
	ErrCorrupt  = errors.New("generation file corrupt")                    // checksum or SQLite error
	ErrGone     = errors.New("generation no longer kept")                  // a cursor's generation
	ErrNotFound = errors.New("no such device")                             // unknown id
	ErrConflict = errors.New("parent is no longer current")                // publish lost the compare-and-swap
	ErrNotHeld  = errors.New("no such generation is held")                 // or it was replaced by another one meanwhile
	ErrLocked   = errors.New("the directory is used by another process")   // a *LockedError
	ErrBusy     = errors.New("a generation of this series is being built") // ask again when it is finished
	ErrFull     = errors.New("no space left in the data directory")        // the generation before it is intact
)

var (
	errClosed  = errors.New("store is closed")
	errSettled = errors.New("builder is finished or aborted")
)

// readError says what a failed read of a generation file is: the reader's own cancellation, or a damaged file.
func readError(ctx context.Context, act string, err error) error {
	if ctxErr := ctx.Err(); ctxErr != nil {
		return ctxErr
	}
	return fmt.Errorf("%s: %w: %w", act, ErrCorrupt, err)
}

// damage tells whether a failed read says something about the file: what SQLite answers of memory, temporary files or its own
// limits says nothing about it and fails this one read alone.
func damage(err error) bool {
	var db *sqlite.Error
	if !errors.As(err, &db) {
		return true // a checksum, a missing row
	}
	switch db.Code() {
	case sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_DATA, sqlite3.SQLITE_IOERR_CORRUPTFS:
		return true
	}
	primary := db.Code() & 0xff
	return primary == sqlite3.SQLITE_CORRUPT || primary == sqlite3.SQLITE_NOTADB
}

// writeError names a full disk; everything else stays what it is.
func writeError(act string, err error) error {
	var db *sqlite.Error
	full := errors.As(err, &db) && db.Code()&0xff == sqlite3.SQLITE_FULL
	if full || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%s: %w: %w", act, ErrFull, err)
	}
	return fmt.Errorf("%s: %w", act, err)
}
