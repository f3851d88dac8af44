package server_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fasthttp"

	"jamf-gateway/gateway/catalogue"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (write it with -update)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s:\n%s", name, diff)
	}
}

func TestEveryCodeIsInTheCatalogueAndHasAStatus(t *testing.T) {
	for _, code := range server.Codes() {
		e, ok := catalogue.Lookup(code)
		if !ok || e.Title.EN == "" || e.Action.EN == "" {
			t.Errorf("%s is not explained in the catalogue", code)
		}
		status := server.StatusOf(code)
		if (status == http.StatusInternalServerError) != (code == "internal") {
			t.Errorf("%s has the status %d", code, status)
		}
	}
}

var traceID = regexp.MustCompile(`,"traceId":"[0-9a-f]{32}"`)

func TestProblemsLookLikeThis(t *testing.T) {
	w := newWorld(t)
	w.publish("schule-a", device.Computer, computers("AC", 1, 3))
	w.house.state("schule-b", device.Computer, "never_synced", "dns_failed")
	for name, tc := range map[string]struct{ method, path string }{
		"own-401.json":             {"", "/v1/devices"},
		"own-404.json":             {"GET", "/v1/nothing"},
		"own-404-device.json":      {"GET", "/v1/devices/schule-a:computer:9"},
		"own-400-parameter.json":   {"GET", "/v1/devices?colour=red"},
		"own-400-filter.json":      {"GET", "/v1/devices?source=schule-a&kind=computer&filter=nam==x"},
		"own-405.json":             {"POST", "/v1/devices"},
		"own-503-never.json":       {"GET", "/v1/devices?source=schule-b"},
		"own-503-never-one.json":   {"GET", "/v1/devices?source=schule-b&kind=computer"},
		"own-503-never-tried.json": {"GET", "/v1/devices?source=schule-b&kind=mobile"},
		"own-400-malformed.json":   {"GET", "/v1/%2e%2e"},
		"facade-401.json":          {"", "/api/v1/computers-inventory"},
		"facade-404-path.json":     {"GET", "/api/v1/departments"},
		"facade-404-device.json":   {"GET", "/api/v1/computers-inventory/9"},
		"facade-400-sort.json":     {"GET", "/api/v1/computers-inventory?sort=general.nam:asc"},
		"facade-400-page.json":     {"GET", "/api/v1/computers-inventory?page=-1"},
		"facade-400-section.json":  {"GET", "/api/v1/computers-inventory?section=SHOES"},
		"facade-405.json":          {"DELETE", "/api/v1/computers-inventory/1"},
		"facade-503-never.json":    {"GET", "/jamf/schule-b/api/v4/computers-inventory"},
		"facade-404-classic.html":  {"GET", "/JSSResource/computers"},
		"facade-400-malformed.txt": {"GET", "/api//v1"},
	} {
		header := []string{"X-Request-Id", "rid"}
		method := tc.method
		if method == "" {
			method = http.MethodGet
		} else {
			header = append(header, "Authorization", "Bearer "+w.token("all"))
		}
		r := w.do(method, w.base+tc.path, "", header...)
		var out bytes.Buffer
		out.WriteString(http.StatusText(r.status) + "\n")
		for _, h := range []string{"Content-Type", "WWW-Authenticate", "Allow", "Retry-After"} {
			if v := r.header.Get(h); v != "" {
				out.WriteString(h + ": " + v + "\n")
			}
		}
		out.WriteString("\n")
		out.Write(traceID.ReplaceAll(r.body, nil))
		golden(t, name, out.Bytes())
	}
}

func TestAPanicEndsOneRequestAndTellsItsPlaceAndNoValue(t *testing.T) {
	const person = "Zoë CANARY"
	var none map[string]int
	for kind, broken := range map[string]func(){
		"panic: string":                  func() { panic("no such person: " + person) },
		"panic: *fmt.wrapError":          func() { panic(fmt.Errorf("read %s: %w", person, io.EOF)) },
		"panic: []string":                func() { panic([]string{person}) },
		"assignment to entry in nil map": func() { none[person] = 1 },
		"interface conversion":           func() { _ = any(person).(fmt.Stringer) },
		"index out of range":             func() { _ = []byte(person)[len(person)] },
		"hash of unhashable type":        func() { _ = map[any]int{}[any([]string{person})] },
		"slice bounds out of range":      func() { _ = person[len(person)+len(none)+1:] },
	} {
		var log bytes.Buffer
		w := newWorldWithoutDoors(t, func(o *server.Options) { o.Logger = slog.New(slog.NewJSONHandler(&log, nil)) })
		var rc fasthttp.RequestCtx
		rc.Request.SetRequestURI("/v1/devices")
		rc.Request.Header.SetHost("x")
		rc.Init(&rc.Request, nil, nil)
		w.server.PanicHandler(&rc, broken)
		if rc.Response.StatusCode() != http.StatusInternalServerError || strings.Contains(rc.Response.String(), "CANARY") {
			t.Errorf("%s: %s", kind, &rc.Response)
		}
		rendering := server.BrokenRendering(broken).Error()
		for where, text := range map[string]string{"the log": log.String(), "a rendering": rendering} {
			if !strings.Contains(text, kind) || !strings.Contains(text, "problem_test.go") || strings.Contains(text, "CANARY") {
				t.Errorf("%s, %s: %s", kind, where, text)
			}
		}
		if !strings.Contains(log.String(), `"request_id"`) {
			t.Errorf("%s: the log names no request: %s", kind, log.String())
		}
	}
}

func TestNothingOfARequestReachesTheLogButItsIDAndRoute(t *testing.T) {
	var log lockedBuffer
	w := newWorld(t, func(o *server.Options) {
		o.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	w.publish("schule-a", device.Computer, computers("AC", 1, 3))
	w.get("all", "/v1/devices?source=schule-a&serialNumber=CANARY1", "User-Agent", "CANARY2", "Cookie", "a=CANARY3")
	w.get("all", "/v1/devices/CANARY4")
	w.get("all", "/api/v1/CANARY5?filter=CANARY6")
	w.house.hold = func() { w.clock.Add(1500*time.Millisecond + 500*time.Microsecond) }
	w.do(http.MethodPost, w.base+"/v1/sources/schule-a/test", "", "Authorization", "Bearer "+w.token("all"))
	w.do(http.MethodPost, w.base+"/oauth/token", "grant_type=client_credentials&client_id=all&client_secret=CANARY7", "Content-Type", form)
	text := log.String()
	if strings.Contains(text, "CANARY") || strings.Contains(text, secretOf("all")) {
		t.Errorf("the log holds what a client sent: %s", text)
	}
	if !strings.Contains(text, `"route":"/v1/devices/{uid}"`) || strings.Contains(text, `"trace_id"`) || !strings.Contains(text, `"duration_ms":1500.5}`) || !strings.Contains(text, `"client":"all"`) {
		t.Errorf("the access log is missing something: %s", text)
	}
}

func TestAskingForTheSourceOfOthersIsLogged(t *testing.T) {
	var log lockedBuffer
	w := newWorld(t, func(o *server.Options) { o.Logger = slog.New(slog.NewJSONHandler(&log, nil)) })
	w.publishAll(1)
	long := strings.Repeat("x", 100)
	asked := 0
	for path, source := range map[string]string{
		"/v1/devices?source=schule-b": "schule-b", "/v1/devices?source=" + long: long[:64] + "…", "/v1/devices/schule-b:computer:1": "schule-b",
		"/v1/sources/schule-b": "schule-b", "/v1/sources/schule-b/health": "schule-b", "/v1/devices?source=%C3%A4": "??",
		"/jamf/schule-b/api/v1/auth": "schule-b", "/jamf/schule-b/api/v1/computers-inventory": "schule-b",
	} {
		before := len(log.String())
		if r := w.get("only-a", path); r.status < 400 || strings.Contains(string(r.body), `"asked`) {
			t.Errorf("%s: %s", path, r)
		}
		line := log.String()[before:]
		if !strings.Contains(line, `"level":"INFO"`) || !strings.Contains(line, `"client":"only-a"`) || !strings.Contains(line, `"asked_source":"`+source+`"`) {
			t.Errorf("%s: logged %q", path, line)
		}
		asked++
	}
	if lines := strings.Count(log.String(), "\n"); lines != asked {
		t.Errorf("%d lines for %d requests", lines, asked)
	}
	before := len(log.String())
	w.get("only-a", "/v1/devices?source=schule-a")
	w.get("only-a", "/v1/devices/schule-a:computer:99")
	w.get("only-a", "/v1/devices/nothing")
	w.do(http.MethodGet, w.base+"/v1/sources/schule-b", "")
	if more := log.String()[before:]; more != "" {
		t.Errorf("logged without need: %s", more)
	}
}

func TestRequestsInFlightEndBeforeTheDoorCloses(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	ln := listen(t)
	done := make(chan error, 1)
	go func() { done <- w.server.ServePublic(ctx, ln) }()
	w.http.Transport.(*http.Transport).DialContext = nil
	if r := w.do(http.MethodGet, "http://"+ln.Addr().String()+"/livez", ""); r.status != http.StatusOK {
		t.Fatal(r)
	}
	token := "Bearer " + w.token("all")
	w.house.begun, w.house.mayEnd = make(chan struct{}), make(chan struct{})
	answered := make(chan reply, 1)
	go func() {
		answered <- w.do(http.MethodPost, "http://"+ln.Addr().String()+"/v1/sources/schule-a/test", "", "Authorization", token)
	}()
	<-w.house.begun
	cancel()
	select {
	case err := <-done:
		t.Errorf("the door closed while a request was in flight: %v", err)
	case <-time.After(500 * time.Millisecond):
	}
	close(w.house.mayEnd)
	if r := <-answered; r.status != http.StatusOK {
		t.Errorf("the request in flight: %s", r)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("an idle connection keeps the door open")
	}
	if err := w.server.ServePublic(ctx, listen(t)); err != nil {
		t.Errorf("a door whose time is over before it opens: %v", err)
	}
}
