package server_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"jamf-gateway/gateway/server"
)

// variants is how often each route is asked for in another spelling.
const variants = 200

// A path has one spelling. Whatever else somebody writes is refused, or is answered without more rights than the canonical path
// asks for: who has no token gets what is open under its own name and nothing else, and a client sees nothing of a foreign source.
func TestNoSpellingOfAPathGetsMoreThanThePathItself(t *testing.T) {
	if raceEnabled {
		t.Skip("one goroutine, and slow under the race detector")
	}
	w := newWorld(t, hosted)
	w.publishAll(3)
	public, admin := w.server.PublicHandler(), w.server.AdminHandler()
	parameter := regexp.MustCompile(`\{\w+\}`)
	tried, refused := 0, 0
	for _, route := range append(server.PublicRoutes(w.server), server.AdminRoutes(w.server)...) {
		method, template, _ := strings.Cut(route, " ")
		tokens := []string{""}
		if !strings.HasSuffix(template, "/invalidate-token") { // it would end the token
			tokens = append(tokens, "Bearer "+w.token("only-a"))
		}
		doors := map[string]fasthttp.RequestHandler{"public": public}
		if strings.HasPrefix(template, "/v1/admin/") || template == "/metrics" {
			doors["admin"] = admin
		}
		rng := rand.New(rand.NewPCG(uint64(len(template)), 7))
		for _, value := range []string{"schule-b", "schule-b:computer:1"} { // what only-a may not see
			path := parameter.ReplaceAllString(template, value)
			for range variants / 2 {
				odd := twist(rng, path)
				if odd == path {
					continue
				}
				tried++
				for door, handler := range doors {
					asked := tokens
					if door == "admin" {
						asked = append(slices.Clone(tokens), "Bearer "+adminToken)
					}
					for _, authorization := range asked {
						status, body := ask(t, handler, method, odd, authorization)
						good := status < http.StatusBadRequest
						if !good {
							refused++
							continue
						}
						if named, _, _ := strings.Cut(odd, "?"); door == "admin" && authorization != "Bearer "+adminToken && named != "/metrics" {
							t.Errorf("admin door: %s %q is %d without the admin token", method, odd, status)
						}
						if canonical, _ := ask(t, handler, method, path, authorization); canonical >= http.StatusBadRequest && !open(odd) && !own(odd, authorization) {
							t.Errorf("%s door, token %v: %s %q is %d where %q is %d", door, authorization != "", method, odd, status, path, canonical)
						}
						if door == "public" && strings.Contains(body, "schule-b") {
							t.Errorf("%s door: %s %q shows a foreign source: %.200s", door, method, odd, body)
						}
					}
				}
			}
		}
	}
	t.Logf("%d spellings, %d answers refused", tried, refused)
	if tried < 5000 {
		t.Errorf("only %d spellings were tried", tried)
	}
}

// open is what anybody may read, under its one name.
func open(path string) bool {
	path, _, _ = strings.Cut(path, "?")
	switch path {
	case "/", "/livez", "/readyz", "/healthCheck.html", "/api/v1/health-check", "/api/startup-status", "/metrics":
		return true
	}
	return false
}

// own is the canonical path of what only-a may see.
func own(path, authorization string) bool {
	return authorization != "" && strings.HasPrefix(path, "/jamf/schule-a/") || path == "/jamf/schule-a"
}

// twist writes a path in another way: once or twice.
func twist(rng *rand.Rand, path string) string {
	for range 1 + rng.IntN(2) {
		at := rng.IntN(len(path))
		slash := max(0, strings.LastIndexByte(path[:at+1], '/'))
		insert := func(i int, text string) string { return path[:i] + text + path[i:] }
		replace := func(text string) string { return path[:at] + text + path[at+1:] }
		tricks := []string{
			replace(fmt.Sprintf("%%%02x", path[at])), replace(fmt.Sprintf("%%%02X", path[at])), replace(fmt.Sprintf("%%25%02x", path[at])),
			replace(fmt.Sprintf("%%u00%02x", path[at])), replace(strings.ToUpper(path[at : at+1])), replace(strings.ToLower(path[at : at+1])),
			insert(slash, "/"), insert(slash, "/."), insert(slash, "/x/.."), insert(slash, "/%2e"), insert(slash, "/%2e%2e"), insert(slash, "/.."), insert(slash, `\`),
			insert(slash, "/..;"), insert(slash, "/;a=b"), insert(slash, "/%2f"), insert(slash, "/%5c"), insert(slash, "%00"), insert(slash, "/%c0%ae%c0%ae"),
			insert(slash, "/livez/.."), insert(slash, "/oauth/token/.."), insert(slash, "/jamf/schule-a"), insert(slash, "/jamf/schule-a/.."),
			path + "/", path + "//", path + "/.", path + "/..", path + ";a", path + "%00", path + "%20", path + "?", path + "?/livez", path + "#/livez", path + ".json",
			path + "/livez", path + "/../livez", path + "%2f..%2flivez", path + "?x=/healthCheck.html", "http://localhost" + path, "//localhost" + path, "/" + path,
			"/livez" + path, "/livez/.." + path, "/livez;" + path, "/jamf/schule-a" + path, "/jamf/-" + path, path[1:], strings.ReplaceAll(path, "/", `\`), strings.ReplaceAll(path, "/", "%2f"),
			strings.ReplaceAll(path, "-", "_"), strings.ReplaceAll(path, ":", "%3A"), strings.ReplaceAll(path, "schule-b", "schule-a%2f..%2fschule-b"),
			strings.ReplaceAll(path, "schule-b", "schule-a/../schule-b"), strings.ReplaceAll(path, "schule-b", "SCHULE-B"), strings.ReplaceAll(path, "schule-b", "schule-b%00"),
		}
		if path = tricks[rng.IntN(len(tricks))]; path == "" {
			return "*"
		}
	}
	return path
}

// ask sends a request to a handler, with the target as it is.
func ask(t *testing.T, handler fasthttp.RequestHandler, method, target, authorization string) (int, string) {
	t.Helper()
	var rc fasthttp.RequestCtx
	rc.Init(&fasthttp.Request{}, nil, nil)
	rc.Request.Header.SetMethod(method)
	rc.Request.Header.SetRequestURI(target)
	rc.Request.Header.SetHost("localhost")
	for name, value := range map[string]string{
		"Authorization": authorization, "X-Original-Url": "/livez", "X-Rewrite-Url": "/livez", "X-Forwarded-Uri": "/livez", "X-Forwarded-Host": "jamf-b.example.com",
		"X-Forwarded-Prefix": "/jamf/schule-b", "X-Http-Method-Override": "GET", "X-Original-Host": "jamf-b.example.com",
	} {
		if value != "" {
			rc.Request.Header.Set(name, value)
		}
	}
	handler(&rc)
	return rc.Response.StatusCode(), string(rc.Response.Body())
}
