// Package usage counts how each client calls the gateway: which routes, parameters, sections, page sizes, tokens and
// walks, and what was refused. It keeps names and numbers and no values: what a client writes is kept only where it is a
// word of Jamf's or has the form of a name. It knows neither HTTP libraries nor devices.
package usage

import (
	"cmp"
	"errors"
	"hash/maphash"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options of New. Zero values: no clients, the clock of the system, nothing outlives a restart, a silent logger.
type Options struct {
	Clients []string
	Fields  []string                             // the words that names of fields are made of: others are not kept
	File    string                               // "" = not kept
	Write   func(path string, data []byte) error // replaces a file atomically; needed with File
	Aside   func(path string) (string, error)    // moves a file out of the way and tells where to; needed with File
	Now     func() time.Time
	Date    func() time.Time // by which old routes are forgotten, where the clock is not believed; nil: Now
	Logger  *slog.Logger
}

// Recorder has the record of every configured client, and one of the requests that bore no live token. Safe for concurrent
// use; each client has a lock of its own.
type Recorder struct {
	o       Options
	clients atomic.Pointer[map[string]*client]
	nobody  *client
	words   *vocabulary
	seed    maphash.Seed

	saving  sync.Mutex // one writer of the file: the last one that reads the records writes last
	foreign bool       // the file that is there cannot be read: it is set aside before anything is written
}

// New takes up the records of before a restart, without those of clients that are gone. A file that cannot be read, as that
// of a newer release, is set aside: it costs the counts of before, not the start.
func New(o Options) (*Recorder, error) {
	if o.File != "" && (o.Write == nil || o.Aside == nil) {
		return nil, errors.New("usage options: a file without write or aside")
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
	all := make(map[string]*client, len(o.Clients))
	r := &Recorder{o: o, words: newVocabulary(o.Fields), seed: maphash.MakeSeed()}
	now := o.Now()
	r.nobody = newClient(r.words, now)
	for _, id := range o.Clients {
		all[id] = newClient(r.words, now)
	}
	r.clients.Store(&all)
	r.restore(o.Date())
	return r, nil
}

// SetClients goes over to other clients. The records of those that stay go on; of those that are gone nothing is kept.
func (r *Recorder) SetClients(ids []string) {
	before, all := r.all(), make(map[string]*client, len(ids))
	for _, id := range ids {
		if all[id] = before[id]; all[id] == nil {
			all[id] = newClient(r.words, r.o.Now())
		}
	}
	r.clients.Store(&all)
}

// all are the clients of now: id -> record. The map never changes.
func (r *Recorder) all() map[string]*client { return *r.clients.Load() }

// Comparison is one comparison of a filter, without its values.
type Comparison struct{ Selector, Op string }

// Step is one page of a list that was answered.
type Step struct {
	Series string // what the list is of, from the settings: the name of a source
	Size   int    // rows a page; 0 = the request is no page of a list
	Page   int    // from 0; of a list with cursors 0 for the first and 1 for every further page
	Cursor bool   // the pages have no numbers
	Total  int    // rows of the whole list, -1 = not known
}

// Request is one answered request. Nothing in it is kept but what its fields say; the bytes may be reused afterwards.
type Request struct {
	At        time.Time
	Method    string // of a closed set
	Route     string // a template of the gateway's; "" = no route claimed the path, which is made a template then
	Path      []byte
	Query     []byte // its names are kept, never its values
	Status    int
	Code      string // of the catalogue or of RFC 6749, "" = a success
	Parameter string // the one at fault

	UserAgent, Accept, AcceptEncoding []byte

	AtOnce int    // requests of the client under way, with this one
	Token  uint64 // Hash of the access token, 0 = none was needed
	Secret string // what the secret is called by which it was asked, "" = by none
	Issued string // how the client proved itself for the token that this request issued: basic, body, renewed, user; "" = none was
	Walk   Step
	Size   int      // the page size that was asked for
	Asked  uint64   // the sections asked for, as bits
	Names  []string // of the bits
	Filter []Comparison
	Sort   string // as written: names and directions
	Fields []string
}

// Hash makes a number of an access token that tells tokens apart until the program ends, and nothing else of them.
func (r *Recorder) Hash(token string) uint64 {
	return max(maphash.String(r.seed, token), 1)
}

// Record counts a request of a client; "" and names that are not configured are requests of nobody.
func (r *Recorder) Record(id string, rq *Request) {
	c, known := r.all()[id]
	if !known {
		c = r.nobody
	}
	c.record(rq, known)
}

// Refused counts a token request that named a client and was refused: anybody can send one, so nothing else of it is
// entered in the record of the client.
func (r *Recorder) Refused(id string, at time.Time) {
	if c, known := r.all()[id]; known {
		c.refused(at)
	}
}

// Of returns the record of a client; false when there is none of that name.
func (r *Recorder) Of(id string) (Record, bool) {
	c, known := r.all()[id]
	if !known {
		return Record{}, false
	}
	return c.page(), true
}

// Nobody returns the record of the requests that bore no live token.
func (r *Recorder) Nobody() Record { return r.nobody.page() }

// ClientRecord is the record of one client.
type ClientRecord struct {
	Client string `json:"client"`
	Record
}

// All returns the record of every client, by name.
func (r *Recorder) All() []ClientRecord {
	out := make([]ClientRecord, 0, len(r.all()))
	for id, c := range r.all() {
		out = append(out, ClientRecord{Client: id, Record: c.page()})
	}
	slices.SortFunc(out, func(a, b ClientRecord) int { return cmp.Compare(a.Client, b.Client) })
	return out
}
