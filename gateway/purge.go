package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway/availability"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
	"jamf-gateway/gateway/syncer"
	"jamf-gateway/gateway/usage"
)

// purgeFile lies in the data directory while a purge is not finished: what is to be removed. It is gone afterwards.
const purgeFile = ".purge.json"

// purgeFormat is the version of the file.
const purgeFormat = 1

// errGivenUp means that the source is active again: nothing was removed, and nothing will be.
var errGivenUp = errors.New("the purge is given up")

// purge is one thing that must go: a source, or one device of it. It names no person and no serial number.
type purge struct {
	Source string      `json:"source"`
	Kind   device.Kind `json:"kind,omitempty"`
	ID     int64       `json:"id,omitempty"` // 0 = the whole source
	By     string      `json:"by"`
	Asked  time.Time   `json:"asked"`
}

func (p purge) same(o purge) bool { return p.Source == o.Source && p.Kind == o.Kind && p.ID == o.ID }

// name is how a person calls it.
func (p purge) name() string {
	if p.ID == 0 {
		return p.Source
	}
	return device.UID(p.Source, p.Kind, p.ID)
}

// purger removes what a person wants gone. What it begins it writes down first, so that a crash in the middle ends with the next start.
type purger struct {
	store   *cache.Store
	syncer  *syncer.Syncer
	server  *server.Server
	usage   *usage.Recorder
	dataDir string
	sources atomic.Pointer[map[string]config.Source] // by name; never changed
	log     *slog.Logger

	mu      sync.Mutex // one at a time
	pending []purge
}

func newPurger(g *Gateway, sources []config.Source) *purger {
	p := &purger{store: g.store, syncer: g.syncer, usage: g.usage, dataDir: g.o.Config.DataDir, log: g.o.Logger}
	p.follow(sources)
	return p
}

// follow goes over to the sources of other settings. What is being purged is purged to its end first: it may be a source that is active from
// now on.
func (p *purger) follow(sources []config.Source) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make(map[string]config.Source, len(sources))
	for _, src := range sources {
		all[src.Name] = src
	}
	p.sources.Store(&all)
}

// open reads what a crash left unfinished.
func (p *purger) open() error {
	data, err := os.ReadFile(p.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read what is to be purged: %w", err)
	}
	var file struct {
		Format  int     `json:"format"`
		Pending []purge `json:"pending"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return fmt.Errorf("read what is to be purged: %s: %w", purgeFile, err)
	}
	if file.Format != purgeFormat {
		return fmt.Errorf("read what is to be purged: %s has format %d, this release reads %d", purgeFile, file.Format, purgeFormat)
	}
	p.pending = file.Pending
	return nil
}

func (p *purger) path() string { return filepath.Join(p.dataDir, purgeFile) }

// write makes the list of what is pending last; without any the file goes.
func (p *purger) write(pending []purge) error {
	if len(pending) == 0 {
		if err := p.store.Disk().RemoveAll(p.path()); err != nil {
			return err
		}
		p.pending = nil
		return nil
	}
	data, err := json.Marshal(struct {
		Format  int     `json:"format"`
		Pending []purge `json:"pending"`
	}{purgeFormat, pending})
	if err != nil {
		return err
	}
	if err := p.store.Disk().ReplaceFile(p.path(), data); err != nil {
		return err
	}
	p.pending = pending
	return nil
}

// resume goes on with what is not finished: at the start before a door is open, and every hour.
func (p *purger) resume(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range slices.Clone(p.pending) {
		if _, err := p.finish(ctx, one, true); err != nil && !errors.Is(err, errGivenUp) {
			p.log.ErrorContext(ctx, "a purge is not finished", "audit", true, "purge", one.name(), "by", one.By, "asked", one.Asked.UTC(), "error", err)
		}
	}
}

// do removes one thing now. The caller's leaving ends nothing.
func (p *purger) do(ctx context.Context, one purge) (found bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if src, configured := (*p.sources.Load())[one.Source]; one.ID == 0 && configured && !src.Disabled {
		return false, server.ErrInUse // since a reload, and after the caller looked
	}
	ctx = context.WithoutCancel(ctx)
	before := slices.Clone(p.pending) // perhaps with the same purge, which was not finished: that one stays due
	others := slices.DeleteFunc(slices.Clone(before), one.same)
	if err := p.write(append(others, one)); err != nil {
		return false, fmt.Errorf("write down what is to be purged: %w", err)
	}
	found, err = p.finish(ctx, one, slices.ContainsFunc(before, one.same))
	switch {
	case errors.Is(err, errGivenUp):
		return false, server.ErrInUse
	case errors.Is(err, cache.ErrBusy):
		if undone := p.write(before); undone != nil {
			return false, errors.Join(server.ErrUnfinished, undone)
		}
		return false, server.ErrSyncRunning
	case err != nil:
		p.log.ErrorContext(ctx, "a purge is not finished", "audit", true, "purge", one.name(), "by", one.By, "error", err)
		return found, errors.Join(server.ErrUnfinished, err)
	}
	return found, nil
}

// finish does what is left to be done of one thing, and crosses it off; again tells that it was begun before. The caller holds p.mu.
func (p *purger) finish(ctx context.Context, one purge, again bool) (found bool, err error) {
	if one.ID == 0 {
		found, err = true, p.source(ctx, one.Source)
	} else {
		found, err = p.device(ctx, one, again)
	}
	given := errors.Is(err, errGivenUp)
	if err != nil && !given {
		return found, err
	}
	if err := p.write(slices.DeleteFunc(slices.Clone(p.pending), one.same)); err != nil {
		return found, fmt.Errorf("write down what is purged: %w", err)
	}
	if given {
		p.log.WarnContext(ctx, "a purge is given up: the source is active again", "audit", true, "purge", one.name(), "by", one.By, "asked", one.Asked.UTC())
		return false, errGivenUp
	}
	p.log.WarnContext(ctx, "purged", "audit", true, "purge", one.name(), "by", one.By, "asked", one.Asked.UTC(), "found", found)
	return found, nil
}

// source removes generations, client runs, cached answers, the schedule, the history of the heartbeats and the counts of usage.
func (p *purger) source(ctx context.Context, name string) error {
	if src, configured := (*p.sources.Load())[name]; configured && !src.Disabled {
		// It was enabled again after a purge that a crash cut short: what is left of it is a source of today.
		return errGivenUp
	}
	if err := p.store.Purge(ctx, name); err != nil {
		return err
	}
	p.server.Forget(ctx, name, "")
	p.store.Flush() // what was being rendered meanwhile
	disk := p.store.Disk()
	return errors.Join(
		p.syncer.Forget(name), disk.RemoveAll(filepath.Join(p.dataDir, scheduleDir, name+".json")),
		disk.RemoveAll(availability.Dir(p.dataDir, name)), p.usage.Forget(name), p.dropAside(),
	)
}

// dropAside removes what was set aside of the files in which sources are named: nobody can take one source out of a file that cannot be read.
func (p *purger) dropAside() error {
	entries, err := os.ReadDir(p.dataDir)
	for _, e := range entries {
		if name, _, aside := strings.Cut(e.Name(), cache.AsideMark); aside && (name == runsFile || name == usageFile) {
			err = errors.Join(err, p.store.Disk().RemoveAll(filepath.Join(p.dataDir, e.Name())))
		}
	}
	return err
}

// device removes one device. Counts of devices, and when they were read, stay. One that is no longer stored may be what a crash left of
// the purge before: what comes after the store is done again.
func (p *purger) device(ctx context.Context, one purge, again bool) (found bool, err error) {
	q := cache.Series{Source: one.Source, Kind: one.Kind}
	if found, err = p.store.Erase(ctx, q, one.ID); err != nil || !found && !again {
		return found, err
	}
	p.server.Forget(ctx, one.Source, one.Kind)
	p.store.Flush()
	return true, p.syncer.ForgetDevice(one.Source, one.Kind, one.ID)
}

// PurgeSource implements server.Control.
func (c *control) PurgeSource(ctx context.Context, source, by string) error {
	src, configured := c.sources[source]
	switch {
	case configured && !src.Disabled:
		return server.ErrInUse
	case !configured && !c.purger.has(source):
		return server.ErrUnknownSource
	}
	_, err := c.purger.do(ctx, purge{Source: source, By: by, Asked: c.now().UTC()})
	return err
}

// PurgeDevice implements server.Control.
func (c *control) PurgeDevice(ctx context.Context, source string, k device.Kind, id int64, by string) (returns bool, err error) {
	src, configured := c.sources[source]
	if !configured && !c.purger.has(source) {
		return false, server.ErrUnknownSource
	}
	found, err := c.purger.do(ctx, purge{Source: source, Kind: k, ID: id, By: by, Asked: c.now().UTC()})
	if err != nil {
		return false, err
	}
	if !found {
		return false, server.ErrUnknownDevice
	}
	return configured && !src.Disabled && slices.Contains(kindsOf(src), k), nil
}

// has tells whether anything of a source that is not in the settings is left.
func (p *purger) has(source string) bool {
	if !validSource(source) {
		return false
	}
	for _, path := range []string{filepath.Join(p.dataDir, source), filepath.Join(p.dataDir, scheduleDir, source+".json"), availability.Dir(p.dataDir, source)} {
		if _, err := os.Lstat(path); err == nil {
			return true
		}
	}
	return false
}

// validSource tells whether a text is a name that a source can have: it becomes part of paths.
func validSource(name string) bool {
	_, _, _, err := device.ParseUID(name + ":computer:1")
	return err == nil
}
