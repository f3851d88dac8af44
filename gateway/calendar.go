package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"jamf-gateway/cache"
)

const (
	// calendarFile lies in the data directory: the last date that is believed.
	calendarFile   = ".clock.json"
	calendarFormat = 1

	// leap is how far the clock may have gone on since it was last looked at. A gateway that is started once a day is within it.
	leap = 48 * time.Hour
	// believedAfter is how many hours in a row a clock must be ahead by more than that, over restarts as well, before it is believed.
	believedAfter = 72
)

// calendar says by which date things are removed for good: by the clock, unless that is suddenly far ahead of what it was. A clock may be
// wrong for a moment, and what it removes in that moment is gone. One that stays ahead is believed after three days of running: the gateway
// was off for months. Safe for concurrent use.
type calendar struct {
	file string
	disk *cache.Disk
	now  func() time.Time
	log  *slog.Logger

	mu   sync.Mutex
	page calendarPage
}

type calendarPage struct {
	Format int       `json:"format"`
	Proven time.Time `json:"proven"`          // what the clock said when it was last believed, and every hour that it ran since
	Ahead  int       `json:"ahead,omitempty"` // hours that it has been ahead of that
}

// newCalendar goes on where the last start ended. Without a file, as in a new directory, the clock is believed; where the file cannot be read,
// nothing is known of it.
func newCalendar(dataDir string, disk *cache.Disk, now func() time.Time, log *slog.Logger) *calendar {
	c := &calendar{file: filepath.Join(dataDir, calendarFile), disk: disk, now: now, log: log}
	switch page, err := readCalendar(c.file); {
	case errors.Is(err, fs.ErrNotExist):
		c.page.Proven = c.wall()
	case err != nil:
		log.Warn("it is not known whether the clock can be believed: nothing is removed by its date for three days", "error", err)
	default:
		c.page = page
	}
	c.page.Format = calendarFormat
	c.settle(false)
	return c
}

func readCalendar(file string) (page calendarPage, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return page, err
	}
	if err := json.Unmarshal(data, &page); err != nil {
		return calendarPage{}, err
	}
	if page.Format != calendarFormat {
		return calendarPage{}, fmt.Errorf("%s has format %d, this release reads %d", calendarFile, page.Format, calendarFormat)
	}
	return page, nil
}

// wall is the clock without what has elapsed: it is dates that are compared.
func (c *calendar) wall() time.Time { return c.now().UTC().Round(0) }

// date is the day by which ages are counted where something is removed for good; never after the clock's.
func (c *calendar) date() time.Time {
	now := c.wall()
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.After(c.page.Proven.Add(leap)) {
		return c.page.Proven
	}
	return now
}

// hour is called for each hour of running.
func (c *calendar) hour() { c.settle(true) }

// settle looks at the clock and writes down what is believed of it. That the disk refuses it costs hours that are counted again after a restart.
func (c *calendar) settle(ran bool) {
	now := c.wall()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch ahead := now.After(c.page.Proven.Add(leap)); {
	case !ahead:
		c.page.Proven, c.page.Ahead = now, 0
	case !ran:
		return
	case c.page.Ahead+1 >= believedAfter:
		c.log.Warn("the clock has stayed ahead: it is believed, and what is too old by it is removed", "clock", now, "before", c.page.Proven)
		c.page.Proven, c.page.Ahead = now, 0
	default:
		if c.page.Ahead == 0 {
			c.log.Warn("the clock is far ahead of what it was: nothing is removed by its date unless it stays so for three days of running", "clock", now, "before", c.page.Proven)
		}
		c.page.Ahead++
		c.page.Proven = c.page.Proven.Add(tidyEvery)
	}
	data, err := json.Marshal(c.page)
	if err == nil {
		err = c.disk.ReplaceFile(c.file, data)
	}
	if err != nil {
		c.log.Warn("write down what is believed of the clock", "error", err)
	}
}
