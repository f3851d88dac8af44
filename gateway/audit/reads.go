package audit

import (
	"slices"
	"time"
)

// Bounds of the runs of clients.
const (
	mostReads = 4096
	mostLists = 8  // of one run
	mostSpans = 64 // stretches of one list
	readIdle  = 5 * time.Minute
	readLimit = 2 * time.Hour
)

// Read is what one request was sent of one series, or of a path that is passed on.
type Read struct {
	Client, Source, Kind, Profile, View string
	Generation                          uint64
	Passed                              string // template of a path that is passed on; what comes from there is not counted
	Rows                                int
	AtMost                              bool // rows is the size of the page
	List                                List
}

// List is the place of a page.
type List struct {
	ID   string // the question, and so the order, of all its pages; "" = what was sent is no page of a list
	From int    // rows before the page
	Of   int    // rows of the whole list
}

type readKey struct {
	client, source, kind, profile, view, passed string
	generation                                  uint64
}

// reads are the requests of one client run over one series.
type reads struct {
	from, to       time.Time
	requests, rows int
	atMost         bool
	lists          map[string]*cover // by the id of the list
}

// cover is which rows of a list were sent.
type cover struct {
	spans [][2]int // from, to; apart from each other, ascending
	of    int
}

// add takes in a page. One that was sent before adds nothing.
func (c *cover) add(from, to, of int) {
	c.of = of
	at, _ := slices.BinarySearchFunc(c.spans, from, func(s [2]int, from int) int { return s[1] - from })
	end := at
	for ; end < len(c.spans) && c.spans[end][0] <= to; end++ {
		from, to = min(from, c.spans[end][0]), max(to, c.spans[end][1])
	}
	if end > at || len(c.spans) < mostSpans {
		c.spans = slices.Replace(c.spans, at, end, [2]int{from, to})
	}
}

// whole tells that every row was sent.
func (c *cover) whole() bool {
	return c.of == 0 || len(c.spans) == 1 && c.spans[0][0] == 0 && c.spans[0][1] >= c.of
}

// Read counts what a client was sent into its run.
func (l *Log) Read(r Read) {
	if l == nil {
		return
	}
	now := l.o.Now()
	key := readKey{r.Client, r.Source, r.Kind, r.Profile, r.View, r.Passed, r.Generation}
	l.mu.Lock()
	defer l.mu.Unlock()
	run := l.reads[key]
	if run != nil && run.over(now) {
		l.endLocked(key, run)
		run = nil
	}
	if run == nil {
		run = &reads{from: now, lists: map[string]*cover{}}
		if len(l.reads) < mostReads {
			l.reads[key] = run
		} else {
			defer l.endLocked(key, run) // a run of one request
		}
	}
	run.to = now
	run.requests++
	run.rows += r.Rows
	run.atMost = run.atMost || r.AtMost
	if r.List.ID == "" {
		return
	}
	list := run.lists[r.List.ID]
	if list == nil && len(run.lists) < mostLists {
		list = &cover{}
		run.lists[r.List.ID] = list
	}
	if list != nil {
		list.add(r.List.From, r.List.From+r.Rows, r.List.Of)
	}
}

func (r *reads) over(now time.Time) bool {
	return now.Sub(r.to) >= readIdle || now.Sub(r.from) >= readLimit || now.Before(r.from)
}

func (l *Log) endLocked(k readKey, r *reads) {
	delete(l.reads, k)
	e := Entry{
		Time: r.to, Event: "read", Actor: k.client, Source: k.source, Kind: k.kind, Profile: k.profile, View: k.view, Generation: k.generation,
		From: r.from, Requests: r.requests, Rows: r.rows, AtMost: r.atMost,
	}
	if k.passed != "" {
		e.Event, e.Target = "passthrough", k.passed
	} else {
		complete := false
		for _, list := range r.lists {
			complete = complete || list.whole()
		}
		e.Complete = &complete
	}
	l.queueLocked(e)
}
