package server_test

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/url"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/valyala/fasthttp"

	"jamf-gateway/gateway/server"
)

// heap is what is in use after two collections: the first empties the pools.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// files counts the files below a directory and their bytes.
func files(t *testing.T, dir string) (count int, bytes int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			count, bytes = count+1, bytes+info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return count, bytes
}

// Inventory360 asks for a token before every request; that of a whole day must leave nothing behind.
func TestATokenForEveryRequestGrowsNothing(t *testing.T) {
	rounds := 10_000
	if raceEnabled {
		rounds = 300
	}
	kept := t.TempDir()
	w := newWorld(t, func(o *server.Options) {
		o.EndedFile, o.RunsFile = filepath.Join(kept, ".ended-tokens"), filepath.Join(kept, ".runs.json")
	})
	w.publishAll(5)
	handle := w.server.PublicHandler()
	form := url.Values{"client_id": {"all"}, "client_secret": {secretOf("all")}, "grant_type": {"client_credentials"}}.Encode()
	ask := func(n int) {
		for range n {
			var rc fasthttp.RequestCtx
			rc.Request.Header.SetMethod(http.MethodPost)
			rc.Request.SetRequestURI("/api/v1/oauth/token")
			rc.Request.Header.SetHost("gateway.example")
			rc.Request.Header.SetContentType("application/x-www-form-urlencoded")
			rc.Request.SetBodyString(form)
			handle(&rc)
			var token struct {
				AccessToken string `json:"access_token"`
			}
			if err := json.Unmarshal(rc.Response.Body(), &token); err != nil || rc.Response.StatusCode() != http.StatusOK {
				t.Fatalf("%d %s", rc.Response.StatusCode(), rc.Response.Body())
			}
			var page fasthttp.RequestCtx
			page.Request.SetRequestURI("/jamf/schule-a/api/v1/computers-inventory?page=0&page-size=2")
			page.Request.Header.SetHost("gateway.example")
			page.Request.Header.Set("Authorization", "Bearer "+token.AccessToken)
			handle(&page)
			if page.Response.StatusCode() != http.StatusOK {
				t.Fatalf("%d %s", page.Response.StatusCode(), page.Response.Body())
			}
		}
	}
	ask(200) // what is kept is kept from here on
	w.server.Sweep()
	before := heap()
	count, bytes := files(t, w.dir)
	keptCount, keptBytes := files(t, kept)
	ask(rounds)
	w.server.Sweep()
	after := heap()
	if grown := after - before; grown > 2<<20 {
		t.Errorf("the heap has grown by %d bytes in %d rounds", grown, rounds)
	}
	if n, size := files(t, w.dir); n != count || size != bytes {
		t.Errorf("%d files of %d bytes, after %d rounds %d of %d", count, bytes, rounds, n, size)
	}
	if n, size := files(t, kept); n != keptCount || size > keptBytes+1<<10 {
		t.Errorf("runs and ended tokens: %d files of %d bytes, after %d rounds %d of %d", keptCount, keptBytes, rounds, n, size)
	}
	t.Logf("%d rounds: heap %+d KiB", rounds, (after-before)>>10)
}
