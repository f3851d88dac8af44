package server_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"jamf-gateway/gateway/server"
)

func TestMoreRequestsOfOneClientThanAtOnceAreRefusedAndNothingHangs(t *testing.T) {
	w := newWorld(t)
	token := "Bearer " + w.token("all")
	other := "Bearer " + w.token("only-b")
	begun, mayEnd := make(chan struct{}, 2*server.ClientRequests), make(chan struct{})
	w.house.hold = func() {
		begun <- struct{}{}
		<-mayEnd
	}
	var ends sync.WaitGroup
	release := sync.OnceFunc(func() { close(mayEnd) })
	t.Cleanup(release)
	answers := make(chan reply, server.ClientRequests)
	for range server.ClientRequests {
		ends.Go(func() {
			answers <- w.do(http.MethodPost, w.base+"/v1/sources/schule-a/test", "", "Authorization", token)
		})
	}
	late := time.After(20 * time.Second)
	for n := range server.ClientRequests {
		select {
		case <-begun:
		case <-late:
			t.Fatalf("%d of %d requests have begun", n, server.ClientRequests)
		}
	}
	refused := make(chan reply, server.ClientRequests)
	for range server.ClientRequests {
		ends.Go(func() { refused <- w.do(http.MethodGet, w.base+"/v1/sources", "", "Authorization", token) })
	}
	for range server.ClientRequests {
		select {
		case r := <-refused:
			w.want(r, http.StatusServiceUnavailable, "busy")
			if r.header.Get("Retry-After") != "10" {
				t.Errorf("Retry-After %q", r.header.Get("Retry-After"))
			}
		case <-late:
			t.Fatal("a refusal hangs")
		}
	}
	if r := w.do(http.MethodGet, w.base+"/v1/sources", "", "Authorization", other); r.status != http.StatusOK {
		t.Errorf("another client meanwhile: %s", r)
	}
	release()
	ends.Wait()
	for range server.ClientRequests {
		if r := <-answers; r.status != http.StatusOK {
			t.Errorf("one of those within the bound: %s", r)
		}
	}
	if r := w.do(http.MethodGet, w.base+"/v1/sources", "", "Authorization", token); r.status != http.StatusOK {
		t.Errorf("after they have ended: %s", r)
	}
}
