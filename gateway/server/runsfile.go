package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// runsFormat is the version of the file; one of another is set aside.
const runsFormat = 1

// runsPage is the file of the client runs: which generation each client is reading. It holds no secret and no device.
type runsPage struct {
	Format int       `json:"format"`
	Store  string    `json:"store"` // numbers of another store mean something else
	Runs   []runLine `json:"runs"`

	Unknown time.Time `json:"unknown,omitzero"` // see runs.unknown
}

type runLine struct {
	Client string    `json:"client"`
	Source string    `json:"source"`
	Used   time.Time `json:"used"`
	Walked time.Time `json:"walked"`
	Pins   []pinLine `json:"pins"`
	Left   []pinLine `json:"left,omitempty"`
}

type pinLine struct {
	Kind       device.Kind `json:"kind"`
	Generation uint64      `json:"generation"`
	View       string      `json:"view,omitempty"` // digest of the filter of the client; "" = none
	Since      time.Time   `json:"since"`
	Paged      time.Time   `json:"paged"`

	Lists map[listID]listAt `json:"lists,omitempty"`
}

func newPinLine(k device.Kind, p *pin) pinLine {
	return pinLine{Kind: k, Generation: p.number, View: p.view, Since: p.since, Paged: p.paged, Lists: maps.Clone(p.lists)}
}

// save writes the file when a pin came or went; with times also when only a time did. A request whose walk begins waits
// for it, so that not even a kill loses the walk's generation. One write serves all who wait. A disk that cannot take it is
// logged: the runs themselves go on.
func (r *runs) save(ctx context.Context, times bool) {
	if r.file == "" {
		return
	}
	r.mu.Lock()
	due := r.moved || times && r.touched
	r.mu.Unlock()
	if !due {
		return
	}
	r.saving.Lock()
	defer r.saving.Unlock()
	page, due := r.page(times)
	if !due {
		return
	}
	data, err := json.Marshal(page)
	if err == nil {
		err = r.clearWay()
	}
	if err == nil {
		err = r.store.Disk().ReplaceFile(r.file, data)
	}
	if err != nil {
		r.log.WarnContext(ctx, "remember the client runs", "error", errors.Join(err, r.distrust()))
		r.mu.Lock()
		r.touched = true // the janitor tries again
		r.mu.Unlock()
	}
}

// page is what stands in the file; false when nothing is to be written.
func (r *runs) page(times bool) (runsPage, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.moved && (!times || !r.touched) {
		return runsPage{}, false
	}
	r.moved, r.touched = false, false
	page := runsPage{Format: runsFormat, Store: r.store.Identity(), Runs: make([]runLine, 0, len(r.held)), Unknown: r.unknown}
	for key, held := range r.held {
		line := runLine{Client: key.client, Source: key.source, Used: held.used, Walked: held.walked}
		for kind, p := range held.pins {
			line.Pins = append(line.Pins, newPinLine(kind, p))
		}
		for kind, left := range held.left {
			for _, p := range left {
				line.Left = append(line.Left, newPinLine(kind, p))
			}
		}
		order := func(a, b pinLine) int {
			return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Generation, b.Generation))
		}
		slices.SortFunc(line.Pins, order)
		slices.SortFunc(line.Left, order)
		page.Runs = append(page.Runs, line)
	}
	slices.SortFunc(page.Runs, func(a, b runLine) int {
		return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.Source, b.Source))
	})
	return page, true
}

// restore reads the file at the start. Runs of clients and series that are no longer configured are dropped, and the
// generations of those that are still in progress are held at once, so that no publish takes them away.
func (r *runs) restore(known func(client string, q cache.Series) bool) {
	if r.file == "" {
		return
	}
	now := r.now()
	page, err := readRuns(r.file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if !r.store.Fresh() {
			r.forgotten(now)
		}
	case err != nil:
		r.log.Warn("the client runs of before the restart are not known", "error", err)
		r.foreign = true
		r.forgotten(now)
	case page.Store != r.store.Identity():
		r.forgotten(now)
	default:
		r.unknown = page.Unknown
		for _, line := range page.Runs {
			if now.Sub(line.Used) < runLimit {
				r.takeUp(line, now, known)
			}
		}
	}
}

// takeUp makes a run of what stands in the file.
func (r *runs) takeUp(line runLine, now time.Time, known func(client string, q cache.Series) bool) {
	held := newRun(line.Used, line.Walked)
	restored := func(p pinLine) *pin {
		q := cache.Series{Source: line.Source, Kind: p.Kind}
		if p.Generation == 0 || !known(line.Client, q) {
			r.loseLocked(line.Client, p, now)
			return nil
		}
		out := newPin(p.Generation, p.View, p.Since)
		out.paged = p.Paged
		maps.Copy(out.lists, p.Lists)
		if now.Sub(line.Used) < runIdle {
			// One that cannot be opened stays remembered: another page of its list is refused, not taken from the next one.
			out.generation, _ = r.store.AcquireNumber(q, p.Generation)
		}
		return out
	}
	for _, p := range line.Pins {
		if out := restored(p); out != nil {
			held.pins[p.Kind] = out
		}
	}
	for _, p := range line.Left {
		if out := restored(p); out != nil {
			held.left[p.Kind] = append(held.left[p.Kind], out)
		}
	}
	if len(held.pins)+len(held.left) > 0 {
		r.held[runKey{line.Client, line.Source}] = held
	}
}

// readRuns reads the file; fs.ErrNotExist.
func readRuns(file string) (runsPage, error) {
	var page runsPage
	data, err := os.ReadFile(file)
	if err != nil {
		return page, err
	}
	if err := json.Unmarshal(data, &page); err != nil {
		return page, err
	}
	if page.Format != runsFormat {
		return page, fmt.Errorf("format %d, this release reads %d", page.Format, runsFormat)
	}
	return page, nil
}
