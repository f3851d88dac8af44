package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// Bounds of the log.
const (
	keptLines  = 4096            // that wait for a stream which takes none
	flushLines = 2 * time.Second // at the end
)

// backlog writes the log behind the back of who logs: a pipe that nobody empties would stop every request that has something to say.
// What does not fit is dropped, counted, and said with the next line that goes out. Safe for concurrent use.
type backlog struct {
	out     io.Writer
	queue   chan []byte
	ended   chan struct{}
	flushed chan struct{}
	unsaid  atomic.Int64 // dropped since the last line that told of it
	dropped atomic.Int64
}

func newBacklog(out io.Writer) *backlog {
	return &backlog{out: out, queue: make(chan []byte, keptLines), ended: make(chan struct{}), flushed: make(chan struct{})}
}

// Write takes over one line and never waits.
func (l *backlog) Write(line []byte) (int, error) {
	select {
	case l.queue <- bytes.Clone(line):
	default:
		l.drop()
	}
	return len(line), nil
}

func (l *backlog) drop() {
	l.unsaid.Add(1)
	l.dropped.Add(1)
}

// run writes until end is called, and then what still waits.
func (l *backlog) run() {
	defer close(l.flushed)
	for {
		select {
		case line := <-l.queue:
			l.put(line)
			continue
		case <-l.ended:
		}
		for {
			select {
			case line := <-l.queue:
				l.put(line)
			default:
				return
			}
		}
	}
}

func (l *backlog) put(line []byte) {
	if _, err := l.out.Write(line); err != nil {
		l.drop()
		return
	}
	if n := l.unsaid.Swap(0); n > 0 {
		slog.New(slog.NewJSONHandler(l.out, nil)).Warn("lines of the log were dropped: nobody took them", "dropped", n)
	}
}

// end waits until what was logged is written, for two seconds at most.
func (l *backlog) end() {
	close(l.ended)
	select {
	case <-l.flushed:
	case <-time.After(flushLines):
	}
}

// publish shows what was dropped as a metric.
func (l *backlog) publish(meters metric.MeterProvider) error {
	_, err := meters.Meter("jamf-gateway").Int64ObservableCounter("jamf_gateway_log_lines_dropped",
		metric.WithDescription("Lines of the log that nobody took."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(l.dropped.Load())
			return nil
		}))
	return err
}
