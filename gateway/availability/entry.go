// Package availability keeps what the heartbeats saw of each Jamf Pro, one file a day for 90
// days, and makes of it the evidence that a customer can show: outages, availability, latency.
// It knows files and arithmetic, and no other room.
package availability

import (
	"bytes"
	"encoding/json"
	"time"
)

// State is what one heartbeat says about Jamf.
type State string

// The states. Unasked is neither for nor against Jamf.
const (
	Up      State = "up"
	Down    State = "down"
	Unasked State = "unasked"
)

// Events of the gateway itself.
const (
	Started = "start"
	Stopped = "stop"
)

// Entry is one line of the history: a heartbeat, or that the gateway began or ended.
type Entry struct {
	At     time.Time        `json:"t"`
	Event  string           `json:"event,omitempty"` // Started, Stopped, "" = a heartbeat
	State  State            `json:"state,omitempty"`
	Code   string           `json:"code,omitempty"`   // of the catalogue; "" = every question was answered
	Next   int              `json:"next,omitempty"`   // seconds until the next heartbeat is due
	Since  time.Time        `json:"since,omitzero"`   // of one that is down: when calls began to fail, where that was before it
	Walk   bool             `json:"walk,omitempty"`   // a running walk proved it, Jamf was not asked once more
	AuthMS float64          `json:"authMs,omitempty"` // latency of v1/auth; 0 = not answered
	Counts map[string]Count `json:"counts,omitempty"` // kind -> answer; missing = not answered
	Rights []string         `json:"rights,omitempty"` // of the two
}

// Begun is when what the heartbeat found began, as far as is known.
func (e Entry) Begun() time.Time {
	if e.Since.IsZero() {
		return e.At
	}
	return e.Since
}

// Count is the answer to a question for one row of a list.
type Count struct {
	MS    float64 `json:"ms"`
	Total int     `json:"n"`
}

// maxLine is the longest line that is read or written, in bytes. Usual ones have 200.
const maxLine = 4 << 10

// maxNext is the longest wait for the next heartbeat that a line can name, in seconds. Usual ones have an hour at most.
const maxNext = 24 * 60 * 60

// parse reads one line; ok is false for anything that no gateway writes.
func parse(line []byte) (e Entry, ok bool) {
	line = bytes.TrimSpace(line)
	if len(line) == 0 || len(line) > maxLine || json.Unmarshal(line, &e) != nil || e.At.IsZero() {
		return Entry{}, false
	}
	switch {
	case e.Next < 0, e.Next > maxNext, !e.Since.IsZero() && (e.State != Down || e.Since.After(e.At)):
		return Entry{}, false
	case (e.Event == Started || e.Event == Stopped) && e.State == "":
	case e.Event == "" && (e.State == Up || e.State == Down || e.State == Unasked) && e.AuthMS >= 0:
	default:
		return Entry{}, false
	}
	for _, c := range e.Counts {
		if c.MS < 0 || c.Total < 0 {
			return Entry{}, false
		}
	}
	return e, true
}
