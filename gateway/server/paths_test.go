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
	doors := map[string]fasthttp.RequestHandler{"public": w.server.PublicHandler(), "admin": w.server.AdminHandler()}
	tried, refused := 0, 0
	for of, routes := range map[string][]string{"public": server.PublicRoutes(w.server), "admin": server.AdminRoutes(w.server)} {
		for _, route := range routes {
			asked := []string{"public"}
			if of == "admin" { // nobody reaches it through the public door either
				asked = append(asked, "admin")
			}
			method, template, _ := strings.Cut(route, " ")
			tokens := []string{""}
			if !strings.HasSuffix(template, "/invalidate-token") { // it would end the token
				tokens = append(tokens, "Bearer "+w.token("only-a"))
			}
			odd := spellings(template)
			if len(odd) < variants {
				t.Errorf("%s door, %s: only %d spellings", of, route, len(odd))
			}
			for path, canonical := range odd {
				tried++
				for _, door := range asked {
					refused += w.misspelt(spelling{door, doors[door], method, path, canonical}, tokens)
				}
			}
		}
	}
	t.Logf("%d spellings, %d answers refused", tried, refused)
}

// spellings are other ways to write the path of a route, with what only-a may not see in place of its parameters: spelling -> path.
func spellings(template string) map[string]string {
	parameter := regexp.MustCompile(`\{\w+\}`)
	rng := rand.New(rand.NewPCG(uint64(len(template)), 7))
	out := map[string]string{}
	for tries := 0; len(out) < variants && tries < 20*variants; tries++ {
		path := parameter.ReplaceAllString(template, []string{"schule-b", "schule-b:computer:1"}[tries%2])
		if odd := twist(rng, path); odd != path {
			out[odd] = path
		}
	}
	return out
}

// spelling is one question at one door.
type spelling struct {
	door            string
	handler         fasthttp.RequestHandler
	method          string
	path, canonical string
}

// misspelt asks with each token, at the admin door with its own as well, and counts refusals.
func (w *world) misspelt(s spelling, tokens []string) (refused int) {
	w.t.Helper()
	if s.door == "admin" {
		tokens = append(slices.Clone(tokens), "Bearer "+adminToken)
	}
	for _, authorization := range tokens {
		status, body := ask(w.t, s.handler, s.method, s.path, authorization)
		if status >= http.StatusBadRequest {
			refused++
			continue
		}
		if named, _, _ := strings.Cut(s.path, "?"); s.door == "admin" && authorization != "Bearer "+adminToken && named != "/metrics" {
			w.t.Errorf("admin door: %s %q is %d without the admin token", s.method, s.path, status)
		}
		if canonical, _ := ask(w.t, s.handler, s.method, s.canonical, authorization); canonical >= http.StatusBadRequest && !open(s.path) && !own(s.path, authorization) {
			w.t.Errorf("%s door, token %v: %s %q is %d where %q is %d", s.door, authorization != "", s.method, s.path, status, s.canonical, canonical)
		}
		if s.door == "public" && strings.Contains(body, "schule-b") {
			w.t.Errorf("%s door: %s %q shows a foreign source: %.200s", s.door, s.method, s.path, body)
		}
	}
	return refused
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
func ask(t testing.TB, handler fasthttp.RequestHandler, method, target, authorization string) (int, string) {
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
