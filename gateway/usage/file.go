package usage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

const (
	// fileFormat is the version of the file; one of another is set aside.
	fileFormat = 1
	// saveEvery is how often the file is written at most, but for the end.
	saveEvery = 5 * time.Minute
	// maxFile is the most that is read.
	maxFile = 64 << 20
)

// file is what outlives a restart.
type file struct {
	Format  int            `json:"format"`
	Clients []ClientRecord `json:"clients"`
	Nobody  Record         `json:"unidentified"`
}

// Run writes the records every five minutes where something was counted, and at the end. A disk that cannot take them is
// logged: counting goes on.
func (r *Recorder) Run(ctx context.Context) error {
	if r.o.File == "" {
		<-ctx.Done()
		return nil
	}
	saved := r.counted()
	save := func() {
		if now := r.counted(); now != saved {
			if err := r.save(); err != nil {
				r.o.Logger.WarnContext(ctx, "keep the usage of the clients", "error", err)
				return
			}
			saved = now
		}
	}
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			save()
			return nil
		case <-tick.C:
			save()
		}
	}
}

// counted changes with everything that is counted.
func (r *Recorder) counted() uint64 {
	n := r.nobody.counted()
	for _, c := range r.all() {
		n += c.counted()
	}
	return n
}

func (c *client) counted() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests + c.tokens.refused
}

func (r *Recorder) save() error {
	r.saving.Lock()
	defer r.saving.Unlock()
	if err := r.clearWay(); err != nil {
		return err
	}
	date := r.o.Date()
	r.nobody.prune(date)
	for _, c := range r.all() {
		c.prune(date)
	}
	data, err := json.Marshal(file{Format: fileFormat, Clients: r.All(), Nobody: r.Nobody()})
	if err != nil {
		return fmt.Errorf("write the usage: %w", err)
	}
	return r.o.Write(r.o.File, data)
}

// clearWay sets a file aside that cannot be read: it may be of a newer release, which goes on with it. The caller holds saving, or is alone.
func (r *Recorder) clearWay() error {
	if !r.foreign {
		return nil
	}
	to, err := r.o.Aside(r.o.File)
	if err != nil {
		return err
	}
	r.foreign = false
	r.o.Logger.Warn("the file of the usage cannot be read and is set aside", "file", to)
	return nil
}

// restore reads the file at the start.
func (r *Recorder) restore(date time.Time) {
	f, err := readFile(r.o.File)
	if err != nil {
		r.o.Logger.Warn("the usage of the clients of before the restart is not known", "error", err)
		r.foreign = true
		if err := r.clearWay(); err != nil {
			r.o.Logger.Warn("keep the usage of the clients", "error", err)
		}
		return
	}
	for _, one := range f.Clients {
		if c, known := r.all()[one.Client]; known {
			c.load(one.Record)
			c.prune(date)
		}
	}
	if f.Format != 0 {
		r.nobody.load(f.Nobody)
		r.nobody.prune(date)
	}
}

// Read returns the records of a file; a file that is not there has none.
func Read(path string) (clients []ClientRecord, nobody Record, err error) {
	f, err := readFile(path)
	return f.Clients, f.Nobody, err
}

func readFile(path string) (file, error) {
	var out file
	if path == "" {
		return out, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return file{}, fmt.Errorf("read the usage: %w", err)
	}
	if out.Format != fileFormat {
		return file{}, fmt.Errorf("read the usage: format %d, this release reads %d", out.Format, fileFormat)
	}
	return out, nil
}
