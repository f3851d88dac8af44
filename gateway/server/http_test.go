package server_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func TestOptionsNameTheMethodsAndHeadIsGetWithoutItsBody(t *testing.T) {
	w := newWorld(t)
	w.publishAll(3)
	token := w.token("all")
	const read = "GET, HEAD, OPTIONS"
	for path, allow := range map[string]string{
		"/livez": read, "/readyz": read, "/": read, "/healthCheck.html": read, "/api/v1/health-check": read, "/api/startup-status": read,
		"/oauth/token": "POST, OPTIONS", "/api/oauth/token": "POST, OPTIONS", "/jamf/schule-a/api/v1/oauth/token": "POST, OPTIONS",
		"/api/v1/auth/token": "POST, OPTIONS", "/api/v1/auth/invalidate-token": "POST, OPTIONS", "/jamf/schule-a/api/v1/auth/keep-alive": "POST, OPTIONS",
		"/v1/devices": read, "/v1/devices/schule-a:computer:1": read, "/v1/sources": read, "/v1/sources/schule-a": read,
		"/v1/sources/schule-a/health": read, "/v1/health": read, "/v1/sources/schule-a/test": "POST, OPTIONS",
		"/api/v1/auth": read, "/api/v1/jamf-pro-version": read, "/api/v3/computers-inventory": read, "/api/v2/mobile-devices/1": read,
		"/jamf/schule-b/api/v4/computers-inventory-detail/1": read,
	} {
		r := w.do(http.MethodOptions, w.base+path, "", "Authorization", "Bearer "+token)
		if r.status != http.StatusNoContent || r.header.Get("Allow") != allow || len(r.body) != 0 {
			t.Errorf("OPTIONS %s: %s, Allow %q", path, r, r.header.Get("Allow"))
		}
		wrong := http.MethodDelete
		r = w.do(wrong, w.base+path, "", "Authorization", "Bearer "+token)
		use := "Use " + allow + "."
		if r.status != http.StatusMethodNotAllowed || r.header.Get("Allow") != allow || !strings.Contains(string(r.body), use) {
			t.Errorf("%s %s: %s, Allow %q", wrong, path, r, r.header.Get("Allow"))
		}
		if allow != read {
			continue
		}
		get := w.do(http.MethodGet, w.base+path, "", "Authorization", "Bearer "+token)
		head := w.do(http.MethodHead, w.base+path, "", "Authorization", "Bearer "+token)
		length := head.header.Get("Content-Length")
		if head.status != get.status || len(head.body) != 0 || get.status != http.StatusNoContent && length != fmt.Sprint(len(get.body)) ||
			head.header.Get("Content-Type") != get.header.Get("Content-Type") || head.header.Get("ETag") != get.header.Get("ETag") {
			t.Errorf("HEAD %s: %s %v, GET %s", path, head, head.header, get)
		}
	}
	for path, status := range map[string]int{"/v1/devices": 401, "/api/v1/auth": 401, "/nothing": 401, "/livez": 204, "/api/oauth/token": 204, "/api/v1/auth/token": 204, "/api/v1/auth/keep-alive": 401} {
		if r := w.do(http.MethodOptions, w.base+path, ""); r.status != status {
			t.Errorf("OPTIONS %s without a token: %s", path, r)
		}
	}
	if r := w.do(http.MethodHead, w.base+"/v1/devices/x", "", "Authorization", "Bearer "+token); r.status != http.StatusNotFound || r.header.Get("Content-Length") == "0" {
		t.Errorf("HEAD of what is not there: %s %v", r, r.header)
	}
}

func TestCacheStatusTellsWhereAnAnswerCameFrom(t *testing.T) {
	w := newWorld(t)
	w.publishAll(3)
	for _, path := range []string{"/v1/devices?limit=2", "/api/v2/computers-inventory", "/api/v2/mobile-devices/2"} {
		first := w.get("all", path)
		second := w.get("all", path)
		for tries := 0; tries < 200 && second.header.Get("Cache-Status") == first.header.Get("Cache-Status"); tries++ {
			second = w.get("all", path) // ristretto takes what it is given in its own time
		}
		unchanged := w.get("all", path, "If-None-Match", first.header.Get("ETag"))
		for r, want := range map[*reply]string{
			&first: "jamf-gateway; hit; detail=generation", &second: "jamf-gateway; hit; detail=memory", &unchanged: "jamf-gateway; hit; detail=memory",
		} {
			if got := r.header.Get("Cache-Status"); got != want {
				t.Errorf("%s: %d, Cache-Status %q, want %q", path, r.status, got, want)
			}
		}
		if unchanged.status != http.StatusNotModified {
			t.Errorf("%s: %s", path, unchanged)
		}
	}
}

func TestZstdIsSentToWhoTakesItAndNothingToWhoTakesNothing(t *testing.T) {
	w := newWorld(t)
	w.publishAll(20)
	for _, path := range []string{"/v1/devices", "/v1/devices/schule-a:computer:1", "/api/v4/computers-inventory"} {
		plain := w.get("all", path)
		packed := w.get("all", path, "Accept-Encoding", "gzip, deflate, br, zstd")
		d, err := zstd.NewReader(nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := d.DecodeAll(packed.body, nil)
		d.Close()
		if err != nil || !bytes.Equal(body, plain.body) || packed.header.Get("Content-Encoding") != "zstd" || packed.header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %v, %d bytes, %v", path, err, len(body), packed.header)
		}
		if e := packed.header.Get("ETag"); e == "" || e == plain.header.Get("ETag") {
			t.Errorf("%s: ETags %s and %s", path, e, plain.header.Get("ETag"))
		}
		w.want(w.get("all", path, "Accept-Encoding", "identity;q=0"), http.StatusNotAcceptable, "not_acceptable")
		ranged := w.get("all", path, "Range", "bytes=0-9")
		if ranged.status != http.StatusOK || !bytes.Equal(ranged.body, plain.body) || ranged.header.Get("Content-Range") != "" {
			t.Errorf("%s: a part of a list: %s %v", path, ranged, ranged.header)
		}
	}
}
