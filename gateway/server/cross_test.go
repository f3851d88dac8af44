package server_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// TestNoClientEverSeesAForeignSourceOrAHiddenField asks everything as everybody at once, with cancelled requests in
// between: bodies, cache keys, flights and pooled request objects must never mix callers up.
func TestNoClientEverSeesAForeignSourceOrAHiddenField(t *testing.T) {
	const perKind = 40
	w := newWorld(t, func(o *server.Options) {
		p, err := device.NewProfile("names", nil, []string{"name", "identity.jamfId"})
		if err != nil {
			t.Fatal(err)
		}
		o.Clients = append(o.Clients, server.ClientOptions{ID: "names-a", Secrets: [][32]byte{sum("names-a")}, Sources: []string{"schule-a"}, Profile: p})
	})
	w.publishAll(perKind)
	w.http.Transport.(*http.Transport).MaxIdleConnsPerHost = 16
	foreign := map[string][]string{
		"only-a":  {"BC00", "BM00", "schule-b"},
		"only-b":  {"AC00", "AM00", "schule-a"},
		"names-a": {"BC00", "BM00", "schule-b", "AC00", "AM00", "example.org"},
	}
	paths := []string{
		"/v1/devices?limit=7", "/v1/devices", "/v1/devices?kind=mobile&limit=3", "/v1/devices/%s:computer:%d", "/v1/devices/%s:mobile:%d", "/v1/sources", "/v1/health",
		"/jamf/%s/api/v1/computers-inventory?section=HARDWARE,USER_AND_LOCATION&page=%d&page-size=2", "/jamf/%s/api/v4/computers-inventory-detail/%d",
		"/jamf/%s/api/v2/mobile-devices?page=%d&page-size=3", "/jamf/%s/api/v2/mobile-devices/%d", "/jamf/%s/api/v2/mobile-devices/detail?section=HARDWARE&page=%d&page-size=2",
	}
	tokens := map[string]string{}
	for client := range foreign {
		tokens[client] = w.token(client)
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	answered := 0
	for worker := range 16 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(worker)))
			clients := []string{"only-a", "only-b", "names-a"}
			for range 60 {
				client := clients[random.IntN(len(clients))]
				path := paths[random.IntN(len(paths))]
				if bytes.Contains([]byte(path), []byte("%s")) {
					path = fmt.Sprintf(path, []string{"schule-a", "schule-b"}[random.IntN(2)], 1+random.IntN(perKind))
				}
				status, body := w.ask(path, tokens[client], random.IntN(8) == 0)
				for _, text := range foreign[client] {
					if status == http.StatusOK && bytes.Contains(body, []byte(text)) {
						t.Errorf("%s asked %s and saw %q: %s", client, path, text, clipped(body))
						return
					}
				}
				if status == http.StatusOK {
					mu.Lock()
					answered++
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	if answered < 300 {
		t.Errorf("only %d answers were looked at", answered)
	}
}

// ask is a request of a worker; one that is given up half-way answers 0.
func (w *world) ask(path, token string, giveUp bool) (int, []byte) {
	rq, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.base+path, nil)
	if err != nil {
		w.t.Error(err)
		return 0, nil
	}
	rq.Header.Set("Authorization", "Bearer "+token)
	rs, err := w.http.Do(rq)
	if err != nil {
		w.t.Error(err)
		return 0, nil
	}
	defer rs.Body.Close()
	if giveUp {
		return 0, nil
	}
	body, err := io.ReadAll(rs.Body)
	if err != nil {
		w.t.Error(err)
	}
	w.described(http.MethodGet, rq.URL.String(), reply{rs.StatusCode, rs.Header, body})
	return rs.StatusCode, body
}
