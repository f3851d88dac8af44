package gateway

import (
	"errors"
	"runtime"
	"testing"

	"jamf-gateway/config"
	"jamf-gateway/gateway/server"
)

// TestASourceIsNotActiveAgainInTheMiddleOfItsPurge: other settings wait for it, and it does not begin after them.
func TestASourceIsNotActiveAgainInTheMiddleOfItsPurge(t *testing.T) {
	t.Parallel()
	p := &purger{}
	p.follow([]config.Source{{Name: "a", Disabled: true}})
	p.mu.Lock() // as a purge does
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.follow([]config.Source{{Name: "a"}})
	}()
	for range 1000 {
		runtime.Gosched()
	}
	if !(*p.sources.Load())["a"].Disabled {
		t.Error("the source is active while it is being purged")
	}
	p.mu.Unlock()
	<-done
	if _, err := p.do(t.Context(), purge{Source: "a"}); !errors.Is(err, server.ErrInUse) {
		t.Errorf("the purge of a source that is active since: %v", err)
	}
}
