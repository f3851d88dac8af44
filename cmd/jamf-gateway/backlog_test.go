package main

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// stuck is a pipe that is full until somebody reads.
type stuck struct {
	reads chan struct{}
	mu    sync.Mutex
	b     strings.Builder
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.reads
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func TestALogThatNobodyReadsStopsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pipe := &stuck{reads: make(chan struct{})}
		l := newBacklog(pipe)
		go l.run()
		log := slog.New(slog.NewJSONHandler(l, nil))
		for n := range keptLines + 101 { // one is in the hands of the writer
			log.Info(fmt.Sprint("line ", n))
			synctest.Wait()
		}
		if n := l.dropped.Load(); n != 100 {
			t.Errorf("%d lines are dropped, want 100", n)
		}
		close(pipe.reads)
		synctest.Wait()
		log.Info("read again")
		l.end()
		out := pipe.b.String()
		for _, want := range []string{`"line 0"`, fmt.Sprintf(`"line %d"`, keptLines), `"dropped":100`, `"read again"`} {
			if strings.Count(out, want) != 1 {
				t.Errorf("the log holds %s %d times", want, strings.Count(out, want))
			}
		}
	})
}

func TestTheLogIsFlushedAtTheEndAndWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pipe := &stuck{reads: make(chan struct{})}
		l := newBacklog(pipe)
		go l.run()
		if _, err := l.Write([]byte("the last\n")); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		l.end()
		if took := time.Since(began); took != flushLines {
			t.Errorf("the end took %v", took)
		}
		close(pipe.reads)
		<-l.flushed
		if pipe.b.String() != "the last\n" {
			t.Errorf("flushed %q", pipe.b.String())
		}
	})
}
