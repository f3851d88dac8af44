package syncer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// bookFormat is the version of the file; another one is refused, never reset.
const bookFormat = 1

// book is what is remembered of one source across restarts: when each kind was read, how it ended, which rights
// Jamf proved last. One JSON file, replaced atomically.
type book struct {
	path  string
	disk  *cache.Disk
	write func(path string, data []byte) error

	desks sync.Map // device.Kind -> *desk

	settling sync.Mutex // over what becomes of a candidate, one kind after the other. Taken before writing.

	writing sync.Mutex // over the write of a page: the last one written is the newest. Taken before mu, never after.

	mu   sync.Mutex // over memory only: who asks never waits for the disk
	page bookPage
}

type bookPage struct {
	Format      int                         `json:"format"`
	Rights      []string                    `json:"rights"`
	Refused     bool                        `json:"credentialsRefused"`
	JamfVersion string                      `json:"jamfVersion"`
	Expected    *expectation                `json:"expected,omitempty"` // announced removals
	Kinds       map[device.Kind]*kindRecord `json:"kinds"`
}

// kindRecord is the history that the schedule rests on. Zero times mean never.
type kindRecord struct {
	Anchor      time.Time `json:"anchor"`      // first good sync: the daily hour when `at` is not set
	LastAttempt time.Time `json:"lastAttempt"` // start of the last sync
	LastEnd     time.Time `json:"lastEnd"`     // its end; zero in files of releases that did not write it
	LastSuccess time.Time `json:"lastSuccess"` // start of the last good sync
	Failures    int       `json:"failures"`    // due syncs that failed since the last good one
	LastResult  string    `json:"lastResult"`  // "", ok, failed, held
	ErrorCode   string    `json:"errorCode"`
	ErrorDetail string    `json:"errorDetail"`
	ErrorAt     time.Time `json:"errorAt,omitzero"` // when the failure was met; zero in a file of before it was kept

	Removals []removal `json:"removals,omitempty"` // of the last 7 days, oldest first; none that a person approved or announced
	Approved *approval `json:"approved,omitempty"` // the last one

	Views map[string]viewRecord `json:"views,omitempty"` // client -> its view, of those with a filter. Never changed: another one is made

	Devices int        `json:"devices,omitempty"` // of the last one published: what is known of a store that is lost
	Short   *shortfall `json:"short,omitempty"`   // far fewer than that were read after a loss
}

// desk is where a person's approval and a sync of one kind meet. It stands in the book, because an approval may hold on to a line that a
// reload has replaced.
type desk struct {
	// acting (capacity 1) is taken while a person's approval is published or the served generation made again, and by a sync until it
	// counts as running: it reads on from what is served then, and never from what was before.
	acting chan struct{}

	running atomic.Bool
}

func (b *book) desk(k device.Kind) *desk {
	d, _ := b.desks.LoadOrStore(k, &desk{acting: make(chan struct{}, 1)})
	return d.(*desk) //nolint:forcetypeassert // nothing else is put there
}

func openBook(disk *cache.Disk, dir, source string) (*book, error) {
	b := &book{path: filepath.Join(dir, source+".json"), disk: disk, write: disk.ReplaceFile}
	b.page.Format = bookFormat
	b.page.Kinds = map[device.Kind]*kindRecord{}
	data, err := os.ReadFile(b.path)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &b.page); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(b.path), err)
	}
	if b.page.Format != bookFormat {
		return nil, fmt.Errorf("%s has format %d, this release reads %d", filepath.Base(b.path), b.page.Format, bookFormat)
	}
	if b.page.Kinds == nil {
		b.page.Kinds = map[device.Kind]*kindRecord{}
	}
	return b, nil
}

// kind returns a copy of the record of a kind.
func (b *book) kind(k device.Kind) kindRecord {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r := b.page.Kinds[k]; r != nil {
		return *r
	}
	return kindRecord{}
}

// source returns what is known of the instance as a whole.
func (b *book) source() (rights []string, refused bool, version string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.page.Rights), b.page.Refused, b.page.JamfVersion
}

// update changes the page and writes it. A failed write is returned but the change stays in memory:
// a full disk must not stop the schedule.
func (b *book) update(change func(p *bookPage)) error {
	b.writing.Lock()
	defer b.writing.Unlock()
	b.mu.Lock()
	change(&b.page)
	data, err := json.MarshalIndent(&b.page, "", "  ")
	b.mu.Unlock()
	if err != nil {
		return err
	}
	if err := b.disk.MkdirAll(filepath.Dir(b.path)); err != nil {
		return err
	}
	return b.write(b.path, data)
}

func (p *bookPage) kindOf(k device.Kind) *kindRecord {
	if p.Kinds[k] == nil {
		p.Kinds[k] = &kindRecord{}
	}
	return p.Kinds[k]
}
