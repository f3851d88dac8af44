package server_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go.yaml.in/yaml/v4"

	"jamf-gateway/gateway/catalogue"
	"jamf-gateway/gateway/server"
	"jamf-gateway/test/contract"
)

// normalized is the description of the normalized API. Every answer that a test of this package gets is held against it.
var normalized = sync.OnceValue(func() *contract.Document { return load("openapi.yaml") })

func load(name string) *contract.Document {
	raw, err := os.ReadFile(name)
	if err != nil {
		panic(err)
	}
	d, err := contract.Parse(raw)
	if err != nil {
		panic(err)
	}
	return d
}

// suite runs the tests, and then asks whether they have seen everything that the description promises.
type suite struct{ goleak.TestingM }

func (s suite) Run() int {
	code := s.TestingM.Run()
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return code // a part of the suite sees a part of the API
		}
	}
	for _, d := range []*contract.Document{normalized(), facade()} {
		for _, unseen := range d.Unseen() {
			fmt.Fprintf(os.Stderr, "--- FAIL: openapi.yaml or testdata/facade.yaml documents what no test has seen: %s\n", unseen)
			code = 1
		}
	}
	for _, unmet := range server.Codes() {
		if _, ok := met.Load(unmet); !ok && !slices.Contains(elsewhere, unmet) && unmet != "request_timeout" { // it takes ten seconds
			fmt.Fprintf(os.Stderr, "--- FAIL: openapi.yaml documents a code that no test has met: %s\n", unmet)
			code = 1
		}
	}
	return code
}

// met are the codes of the problems that the tests got.
var met sync.Map

// ours tells whether a path belongs to the normalized API and not to Jamf's.
func ours(path string) bool {
	for _, prefix := range []string{"/api", "/jamf", "/JSSResource", "/healthCheck.html"} {
		if path == prefix || strings.HasPrefix(path, prefix+"/") {
			return false
		}
	}
	return path != "/"
}

// admins tells that a path belongs to the admin door.
func admins(path string) bool { return strings.HasPrefix(path, "/v1/admin/") }

// describes tells that the description has a path of the admin door: those of before it are not in it.
func (w *world) describes(address string) bool {
	path, _, _ := strings.Cut(strings.TrimPrefix(address, w.admin), "?")
	return strings.HasPrefix(address, w.admin) && admins(path) && describedEnd(path)
}

// describedEnd tells that a path of the admin door ends like those that are described.
func describedEnd(path string) bool {
	return slices.ContainsFunc([]string{"/usage", "/purge", "/show", "/reload", "/remove"}, func(end string) bool { return strings.HasSuffix(path, end) })
}

// publicOperations are those that the public door has.
func publicOperations() []contract.Operation {
	return slices.DeleteFunc(normalized().Operations(), func(op contract.Operation) bool { return admins(op.Path) })
}

// described holds an answer against the description: those of the public door wholly, problems of other doors by their shape.
func (w *world) described(method, address string, r reply) {
	w.t.Helper()
	var err error
	target, public := strings.CutPrefix(address, w.base)
	path, _, _ := strings.Cut(target, "?")
	if public && admins(path) {
		target = "/v1/nothing-is-here"
	}
	switch problem := r.header.Get("Content-Type") == "application/problem+json"; {
	case !public && w.describes(address):
		target = strings.TrimPrefix(address, w.admin)
		err = normalized().Check(contract.Answer{Method: method, Target: target, Status: r.status, Header: r.header, Body: r.body})
	case public && (ours(path) || problem):
		err = normalized().Check(contract.Answer{Method: method, Target: target, Status: r.status, Header: r.header, Body: r.body})
	case public:
		err = owed(method, target, r)
	case problem && method != http.MethodHead:
		err = normalized().CheckAs("Problem", r.body)
	}
	if method != http.MethodHead && r.header.Get("Content-Type") == "application/problem+json" {
		met.Store(r.code(w.t), true)
	}
	if err != nil {
		w.t.Errorf("the answer differs from its description: %v\n%s", err, r)
	}
}

func TestTheDescriptionIsServedWithItsTypeAndValidator(t *testing.T) {
	w := newWorld(t)
	raw, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r := w.get("only-b", "/openapi.yaml")
	if r.status != http.StatusOK || string(r.body) != string(raw) || r.header.Get("Content-Type") != "application/yaml" {
		t.Errorf("%d %v", r.status, r.header)
	}
	same := w.get("all", "/openapi.yaml", "If-None-Match", r.header.Get("ETag"))
	if same.status != http.StatusNotModified || len(same.body) != 0 {
		t.Errorf("unchanged: %s", same)
	}
	w.want(w.get("all", "/openapi.yaml?v=3"), http.StatusBadRequest, "unknown_parameter")
	w.want(w.do(http.MethodGet, w.base+"/openapi.yaml", ""), http.StatusUnauthorized, "unauthorized")
}

// concrete makes a path of a template.
func concrete(template string) string {
	return strings.NewReplacer("{uid}", "schule-a:computer:1", "{name}", "schule-a").Replace(template)
}

func TestEveryOperationIsGuardedAsDescribed(t *testing.T) {
	w := newWorld(t)
	w.publishAll(2)
	for _, op := range publicOperations() {
		address := w.base + concrete(op.Path)
		r := w.do(op.Method, address, "")
		if guarded := r.status == http.StatusUnauthorized; guarded == op.Open {
			t.Errorf("%s %s without a token: %s", op.Method, op.Path, r)
		}
		w.want(w.do(op.Method, address, "", "Content-Encoding", "gzip"), http.StatusUnsupportedMediaType, "content_encoding")
		if op.Open {
			continue
		}
		token := "Bearer " + w.token("all")
		w.want(w.do(op.Method, address+"?unheard-of=1", "", "Authorization", token), http.StatusBadRequest, "unknown_parameter")
	}
}

func TestEveryGuardedOperationIsBusyForAClientWithTooManyRequests(t *testing.T) {
	w := newWorld(t)
	token := "Bearer " + w.token("all")
	begun, mayEnd := make(chan struct{}, 64), make(chan struct{})
	w.house.hold = func() {
		begun <- struct{}{}
		<-mayEnd
	}
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			w.do(http.MethodPost, w.base+"/v1/sources/schule-a/test", "", "Authorization", token)
		})
	}
	deadline := time.After(30 * time.Second)
	for n := range 64 {
		select {
		case <-begun:
		case <-deadline:
			close(mayEnd)
			t.Fatalf("%d of 64 requests began", n)
		}
	}
	for _, op := range publicOperations() {
		if !op.Open {
			w.wantLimitReached(w.do(op.Method, w.base+concrete(op.Path), "", "Authorization", token))
		}
	}
	w.wantLimitReached(w.do(http.MethodGet, w.base+"/jamf/schule-a/api/v1/auth", "", "Authorization", token))
	if r := w.get("only-a", "/v1/sources"); r.status != http.StatusOK {
		t.Errorf("another client: %s", r)
	}
	close(mayEnd)
	group.Wait()
}

func TestTheDescriptionNamesEveryPathThatIsServed(t *testing.T) {
	var served, described []string
	for _, route := range server.PublicRoutes(newWorld(t).server) {
		if _, path, _ := strings.Cut(route, " "); ours(path) {
			served = append(served, route)
		}
	}
	for _, route := range server.AdminRoutes(newWorld(t).server) {
		if describedEnd(route) {
			served = append(served, route)
		}
	}
	for _, op := range normalized().Operations() {
		described = append(described, op.Method+" "+op.Path)
	}
	for _, route := range served {
		if !slices.Contains(described, route) {
			t.Errorf("openapi.yaml does not know %s", route)
		}
	}
	for _, op := range described {
		if !slices.Contains(served, op) {
			t.Errorf("%s is described and not served", op)
		}
	}
}

// elsewhere are codes that no problem carries: they belong to Jamf's dialect and to the token endpoint.
var elsewhere = []string{
	"page_size_too_large", "list_expired", "auth_failed", "rights_unknown", "invalid_client", "not_ready", "passthrough_failed", "passthrough_paused",
}

func TestTheDescriptionKnowsEveryCodeAndItsStatus(t *testing.T) {
	words := normalized().Words("components", "schemas", "Code", "enum")
	for _, e := range catalogue.All() {
		if !slices.Contains(words, e.Code) {
			t.Errorf("openapi.yaml: components.schemas.Code does not have %s of the catalogue", e.Code)
		}
	}
	for _, word := range words {
		if _, ok := catalogue.Lookup(word); !ok {
			t.Errorf("openapi.yaml: components.schemas.Code has %s, which the catalogue does not have", word)
		}
	}
	for _, code := range server.Codes() {
		body := fmt.Sprintf(`{"type":"urn:jamf-gateway:problem:%[1]s","title":"t","status":%[2]d,"detail":"d","code":%[1]q,"action":"a","requestId":"r"}`,
			code, server.StatusOf(code))
		err := normalized().CheckAs("Problem", []byte(body))
		if (err != nil) != slices.Contains(elsewhere, code) {
			t.Errorf("%s with %d as a problem: %v", code, server.StatusOf(code), err)
		}
	}
}

// optional are the members that an object may lack; everything else always stands there.
var optional = map[string]bool{
	"hold": true, "leftOut": true, "client": true, "names": true,
	"confirmedEmpty": true, "parameter": true, "source": true, "traceId": true, "code": true, "detail": true, "action": true,
	"reusedUntil": true, "rightsForNames": true, "rightsForNamesMissing": true, "sourceState": true, "quarantinedDevices": true,
	"expectedRemovals": true, "undecided": true, "decide": true,
	"/components/schemas/Problem/reason":  true, // of a series it always stands there
	"/components/schemas/Problem/refused": true, // of settings alone
}

// loose lists the objects of a schema that admit members which nobody described, or lack some that always stand there.
func loose(at string, v any) (found []string) {
	switch node := v.(type) {
	case map[string]any:
		properties, object := node["properties"].(map[string]any)
		if _, typed := node["type"]; object && typed {
			if node["additionalProperties"] != false {
				found = append(found, at+" is open")
			}
			required, _ := node["required"].([]any)
			for name := range properties {
				undecided := name == "since" && strings.HasSuffix(at, "/quarantinedDevices/items")
				if !slices.Contains(required, any(name)) && !optional[name] && !optional[at+"/"+name] && !undecided {
					found = append(found, at+" may lack "+name)
				}
			}
		}
		for name, child := range node {
			if name != "requestBody" {
				found = append(found, loose(at+"/"+name, child)...)
			}
		}
	case []any:
		for i, child := range node {
			found = append(found, loose(fmt.Sprintf("%s/%d", at, i), child)...)
		}
	}
	return found
}

func tree(t *testing.T, name string) map[string]any {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := yaml.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	return document
}

func TestTheDescriptionIsExact(t *testing.T) {
	for _, found := range loose("", tree(t, "openapi.yaml")) {
		t.Error(found)
	}
}

// members lists the JSON members of structs: name -> it may be absent.
func members(values []any) map[string]bool {
	out := map[string]bool{}
	for _, v := range values {
		for field := range reflect.TypeOf(v).Fields() {
			if name, rest, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" {
				out[name] = rest == "omitempty"
			}
		}
	}
	return out
}

// An answer of a test need not have every member: the structs do.
func TestTheDescriptionHasEveryMemberOfEveryShape(t *testing.T) {
	components, _ := tree(t, "openapi.yaml")["components"].(map[string]any)
	schemas, _ := components["schemas"].(map[string]any)
	for name, values := range server.Shapes() {
		steps := strings.Fields(name)
		node, _ := schemas[steps[0]].(map[string]any)
		for _, step := range steps[1:] {
			properties, _ := node["properties"].(map[string]any)
			node, _ = properties[step].(map[string]any)
			if items, ok := node["items"].(map[string]any); ok {
				node = items
			}
		}
		described := map[string]bool{}
		required, _ := node["required"].([]any)
		properties, _ := node["properties"].(map[string]any)
		for member := range properties {
			described[member] = !slices.Contains(required, any(member))
		}
		if diff := cmp.Diff(members(values), described); diff != "" {
			t.Errorf("%s: member -> may be absent, in the code (-) and in openapi.yaml (+):\n%s", name, diff)
		}
	}
}
