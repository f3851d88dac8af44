package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"jamf-gateway/gateway/server"
	"jamf-gateway/test/contract"
)

// facade is what the façade owes, in our own words. Every answer of the façade that a test gets is held against it.
var facade = sync.OnceValue(func() *contract.Document { return load("testdata/facade.yaml") })

// below takes the base away: "/jamf/schule-a/api/v1/auth" is "/api/v1/auth".
func below(target string) string {
	rest, prefixed := strings.CutPrefix(target, "/jamf/")
	if !prefixed {
		return target
	}
	_, rest, _ = strings.Cut(rest, "/")
	return "/" + rest
}

// owed holds an answer of the façade against what it owes.
func owed(method, target string, r reply) error {
	if path, _, _ := strings.Cut(below(target), "?"); r.status != http.StatusNotFound && further(path) {
		return nil // Jamf's own answer: its tests look at it
	}
	err := facade().Check(contract.Answer{Method: method, Target: below(target), Status: r.status, Header: r.header, Body: r.body})
	var envelope struct {
		HTTPStatus int `json:"httpStatus"`
	}
	if r.header.Get("Content-Type") != "application/json" || method == http.MethodHead || r.status < 400 || err != nil {
		return err
	}
	if err := json.Unmarshal(r.body, &envelope); err != nil {
		return fmt.Errorf("read the envelope: %w", err)
	}
	if envelope.HTTPStatus != 0 && envelope.HTTPStatus != r.status {
		return fmt.Errorf("the envelope says %d, the answer %d", envelope.HTTPStatus, r.status)
	}
	return nil
}

func TestTheFacadeServesThePathsOfItsContractAndNoOthers(t *testing.T) {
	var have, want []string
	for _, route := range server.PublicRoutes(newWorld(t).server) {
		method, path, _ := strings.Cut(route, " ")
		if !ours(path) {
			have = append(have, method+" "+below(path))
		}
	}
	for _, op := range facade().Operations() {
		want = append(want, op.Method+" "+op.Path)
		if n := len(slices.DeleteFunc(slices.Clone(have), func(s string) bool { return s != op.Method+" "+op.Path })); n != 2 {
			t.Errorf("%s %s is served below %d bases, want the root and /jamf/{source}", op.Method, op.Path, n)
		}
	}
	for _, route := range have {
		if !slices.Contains(want, route) {
			t.Errorf("testdata/facade.yaml does not know %s", route)
		}
	}
}

func TestTheFacadeKeepsItsContract(t *testing.T) {
	w := newWorld(t)
	w.publishAll(3)
	owes := tree(t, "testdata/facade.yaml")
	paths, _ := owes["paths"].(map[string]any)
	parameters, _ := owes["x-parameters"].(map[string]any)
	for _, op := range facade().Operations() {
		address := strings.Replace(op.Path, "{id}", "1", 1)
		w.want(w.do(op.Method, w.base+address, "", "Content-Encoding", "gzip"), http.StatusUnsupportedMediaType, "content_encoding")
		if op.Method == http.MethodPost {
			w.grants(op.Path)
			continue
		}
		if r := w.do(op.Method, w.base+address, ""); (r.status == http.StatusUnauthorized) == op.Open {
			t.Errorf("%s without a token: %s", op.Path, r)
		}
		r := w.get("all", address)
		if r.status >= 300 {
			t.Errorf("%s: %s", op.Path, r)
		}
		if etag := r.header.Get("ETag"); etag != "" {
			if same := w.get("all", address, "If-None-Match", etag); same.status != http.StatusNotModified {
				t.Errorf("%s again: %s", op.Path, same)
			}
		}
		item, _ := paths[op.Path].(map[string]any)
		get, _ := item["get"].(map[string]any)
		sections, _ := get["x-sections"].([]any)
		for _, section := range sections {
			w.shows(address, fmt.Sprint(section))
		}
		if len(sections) > 0 && !strings.Contains(op.Path, "{id}") {
			w.reads(address, parameters)
		}
	}
}

// grants expects that a path gives a token, or takes it back, and that a wrong secret is refused.
func (w *world) grants(path string) {
	w.t.Helper()
	address := w.base + path
	good, bad := basic("all", secretOf("all")), basic("all", "wrong")
	code, status := "INVALID_TOKEN", http.StatusOK
	switch {
	case strings.HasSuffix(path, "/oauth/token"):
		w.want(w.do(http.MethodPost, address, "grant_type=password", "Content-Type", form), http.StatusBadRequest, "unsupported_grant_type")
		address += "?grant_type=client_credentials"
		code = "invalid_client"
	case strings.HasSuffix(path, "/keep-alive"):
		good = "Bearer " + w.token("all")
	case strings.HasSuffix(path, "/invalidate-token"):
		good, status = "Bearer "+w.token("all"), http.StatusNoContent
	}
	if r := w.do(http.MethodPost, address, "", "Authorization", good); r.status != status {
		w.t.Errorf("%s: %s", path, r)
	}
	w.want(w.do(http.MethodPost, address, "", "Authorization", bad), http.StatusUnauthorized, code)
}

// reads expects that a list takes the parameters that it has to, and refuses the others.
func (w *world) reads(address string, parameters map[string]any) {
	w.t.Helper()
	id := "id"
	if strings.Contains(address, "mobile") {
		id = "mobileDeviceId"
	}
	for list, status := range map[string]int{"accepted": http.StatusOK, "refused": http.StatusBadRequest} {
		queries, _ := parameters[list].([]any)
		if len(queries) == 0 {
			w.t.Errorf("testdata/facade.yaml: x-parameters.%s is empty", list)
		}
		for _, query := range queries {
			q := strings.Replace(fmt.Sprint(query), "ID", id, 1)
			if r := w.get("all", address+"?"+q); r.status != status {
				w.t.Errorf("%s?%s: %s, want %d", address, q, r, status)
			}
		}
	}
}

// shows expects that a section can be asked for, alone and in lower case.
func (w *world) shows(address, section string) {
	w.t.Helper()
	for _, word := range []string{section, strings.ToLower(section), section + ",GENERAL"} {
		if r := w.get("all", address+"?section="+word); r.status != http.StatusOK {
			w.t.Errorf("%s?section=%s: %s", address, word, r)
		}
	}
}
