package server_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// unchecked asks as a client without holding the answer against the contract, which wants every key.
func (w *world) unchecked(client, path string) string {
	w.t.Helper()
	rq, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.base+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	rq.Header.Set("Authorization", "Bearer "+w.token(client))
	rs, err := w.http.Do(rq)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rs.Body.Close()
	body, err := io.ReadAll(rs.Body)
	if err != nil || rs.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: %d %s %v", path, rs.StatusCode, body, err)
	}
	return string(body)
}

// Two clients with one allow-list, of which one wants no dropped keys: neither gets the other's answer out of the cache.
func TestDroppedKeysAreLeftOutForTheClientWhoseProfileSaysSo(t *testing.T) {
	own, err := device.NewProfile("own", nil, []string{"computer:general.name", "mobile:general.displayName"})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(o *server.Options) {
		for id, p := range map[string]*device.Profile{"usual": own, "slim": own.Omitting(true)} {
			o.Clients = append(o.Clients, server.ClientOptions{ID: id, Secrets: [][32]byte{sha256.Sum256([]byte(secretOf(id)))}, Profile: p})
		}
	})
	w.publishAll(2)
	paths := []string{"/api/v2/mobile-devices", "/api/v2/mobile-devices/1", "/api/v2/mobile-devices/1/detail", "/api/v2/mobile-devices/detail"}
	for version := 1; version <= 4; version++ {
		for _, path := range []string{"computers-inventory", "computers-inventory/1", "computers-inventory-detail/1"} {
			paths = append(paths, fmt.Sprintf("/api/v%d/%s", version, path))
		}
	}
	for _, path := range paths {
		for range 2 { // made, and from memory
			dropped := `"udid":null`
			if strings.HasSuffix(path, "mobile-devices/detail") {
				dropped = `"assetTag":null`
			}
			if usual := w.unchecked("usual", path); !strings.Contains(usual, dropped) {
				t.Errorf("%s lacks a key: %s", path, usual)
			}
			slim := w.unchecked("slim", path)
			if strings.Contains(slim, "udid") || strings.Contains(slim, "assetTag") || !strings.Contains(slim, `ame":"`) {
				t.Errorf("%s: %s", path, slim)
			}
		}
	}
	// What is normalized has all keys for both.
	if a, b := w.unchecked("usual", "/v1/devices"), w.unchecked("slim", "/v1/devices"); a != b || !strings.Contains(a, `"assetTag":null`) {
		t.Errorf("normalized: %s and %s", a, b)
	}
}
