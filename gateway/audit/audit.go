// Package audit writes down who did what: admin acts, tokens given and refused, and what each client read, by names and
// numbers and without values. One JSON line an event, one file a day, each line with the digest of the one before. It knows files and
// arithmetic; what happens at the doors it is told.
package audit

import (
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of what waits in memory. What does not fit is folded with others or counted as lost.
const (
	mostQueued = 10_000
	mostFolded = 200 // kinds of events in a window

	window    = time.Minute // events that repeat are one line
	flushTime = 10 * time.Second
)

// Dir is where the audit lies below the data directory, unless the settings name another place. No source has a name with a dot.
func Dir(dataDir string) string { return filepath.Join(dataDir, ".audit") }

// Entry is one line. Fields that mean nothing for an event are left out.
type Entry struct {
	Time       time.Time `json:"time"`
	Event      string    `json:"event"`            // a closed set, like admin.approve, token.issued, read
	Actor      string    `json:"actor,omitempty"`  // admin, or the id of a client of the settings; "" = unknown
	By         string    `json:"by,omitempty"`     // who of the operators he says he is
	Address    string    `json:"address,omitzero"` // IP address of the other side
	Outcome    string    `json:"outcome,omitempty"`
	Credential string    `json:"credential,omitempty"` // which secret of the client: the begin of its digest in the settings
	Source     string    `json:"source,omitempty"`
	Kind       string    `json:"kind,omitempty"`
	Target     string    `json:"target,omitempty"` // what an act is about beside its source, like a digest
	RequestID  string    `json:"requestId,omitempty"`
	Count      int       `json:"count,omitempty"` // so many events of this line, from From on
	Profile    string    `json:"profile,omitempty"`
	View       string    `json:"view,omitempty"` // digest of what the client is shown
	Generation uint64    `json:"generation,omitempty"`
	From       time.Time `json:"from,omitzero"`
	Requests   int       `json:"requests,omitempty"`
	Rows       int       `json:"rows,omitempty"`
	AtMost     bool      `json:"rowsAtMost,omitempty"` // filtered pages count with their largest size
	Complete   *bool     `json:"complete,omitempty"`   // a list was read to its end
	Prev       string    `json:"prev"`                 // digest of the line before
}

// Events that anybody can cause who reaches a door.
const (
	TokenRefused = "token.refused"
	AdminRefused = "admin.refused"
)

// Outcomes beside the codes of the catalogue.
const (
	Asked = "asked" // of an act that is about to be done: its line stands before it is
	Done  = "ok"
)

// Options of New. Zero values: 90 days, the clock of the system, a silent logger.
type Options struct {
	Dir    string
	Keep   time.Duration
	Disk   Disk // needed; *cache.Disk is one
	Now    func() time.Time
	Date   func() time.Time // by which old days are removed, where the clock is not believed; nil: Now
	Logger *slog.Logger
}

// Disk is how the audit changes the file system.
type Disk interface {
	MkdirAll(path string) error
	Append(path string, data []byte) error // and fsyncs it
	Remove(path string) error
}

// Log writes the audit. Acts are on the disk before they are done; everything else waits in memory for up to ten seconds,
// events that repeat for up to a minute, and costs its caller no disk. Safe for concurrent use. A nil Log writes nothing.
type Log struct {
	o Options

	writing  sync.Mutex // one writer of the files; taken before mu
	pruned   string     // the day on which old files were last looked for
	others   int64      // bytes of the files of other days then
	reserved int64      // bytes that outcomes of acts will take
	ended    []outcome  // of acts, which no disk has taken yet
	told     uint64     // how many lost events the audit speaks of

	mu     sync.Mutex
	queue  []Entry
	folded map[Entry]*fold
	reads  map[readKey]*reads
	lost   atomic.Uint64
	failed string // what was logged of the last write: each trouble is logged once
}

// fold is how often an event has come since.
type fold struct {
	count       int
	since, last time.Time
}

// New writes nothing yet.
func New(o Options) *Log {
	if o.Keep <= 0 {
		o.Keep = 90 * 24 * time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Date == nil {
		o.Date = o.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Log{o: o, folded: map[Entry]*fold{}, reads: map[readKey]*reads{}}
}

// Lost is how many events could not be written since the start.
func (l *Log) Lost() uint64 {
	if l == nil {
		return 0
	}
	return l.lost.Load()
}

// Note writes a line soon.
func (l *Log) Note(e Entry) {
	if l == nil {
		return
	}
	e.Time = l.o.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queueLocked(e)
}

// queueLocked has a line wait. Lines that strangers cause have half of the places.
func (l *Log) queueLocked(e Entry) {
	places := mostQueued
	if e.strange() {
		places /= 2
	}
	if len(l.queue) >= places {
		l.lost.Add(1)
		return
	}
	l.queue = append(l.queue, e)
}

// Fold counts an event that may come often: those of a minute that differ in nothing but their time and request are one line. When
// too many different ones come, they lose their address, and then all but their name.
func (l *Log) Fold(e Entry) {
	if l == nil {
		return
	}
	now := l.o.Now()
	e.RequestID = ""
	l.mu.Lock()
	defer l.mu.Unlock()
	room := mostFolded
	if e.Outcome == Done {
		room += mostFolded / 2 // which refusals cannot take: who was let in is to be known, whoever else knocks
	}
	for _, key := range []Entry{e, {Event: e.Event, Actor: e.Actor, Outcome: e.Outcome, Credential: e.Credential, Address: "others"}, {Event: e.Event, Address: "others"}} {
		f := l.folded[key]
		switch {
		case f != nil:
		case len(l.folded) < room, key.Actor == "" && key.Outcome == "": // the last has as many as there are names
			f = &fold{since: now}
			l.folded[key] = f
		default:
			continue
		}
		f.count++
		f.last = now
		return
	}
}
