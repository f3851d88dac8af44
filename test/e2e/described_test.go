package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"

	"jamf-gateway/test/contract"
)

// normalized is the description of the normalized API, as the gateway serves it; owed is what the façade owes.
var (
	normalized = sync.OnceValues(func() (*contract.Document, error) { return document("openapi.yaml") })
	owed       = sync.OnceValues(func() (*contract.Document, error) { return document("testdata/facade.yaml") })
)

func document(name string) (*contract.Document, error) {
	raw, err := os.ReadFile("../../gateway/server/" + name)
	if err != nil {
		return nil, fmt.Errorf("read the description: %w", err)
	}
	return contract.Parse(raw)
}

// described holds an answer of the public door against its description.
func (h *house) described(method, target string, r reply) {
	h.t.Helper()
	description := owed
	own := strings.HasPrefix(target, "/v1/") || slices.Contains([]string{"/oauth/token", "/openapi.yaml", "/livez", "/readyz"}, target)
	if own || r.header.Get("Content-Type") == "application/problem+json" {
		description = normalized
	} else if rest, prefixed := strings.CutPrefix(target, "/jamf/"); prefixed {
		_, rest, _ = strings.Cut(rest, "/")
		target = "/" + rest
	}
	if path, _, _ := strings.Cut(target, "?"); r.status != http.StatusNotFound && (path == "/api/v1/departments" || path == "/api/v1/sites") {
		return // Jamf's own answer, passed on: its tests look at it
	}
	d, err := description()
	if err == nil {
		err = d.Check(contract.Answer{Method: method, Target: target, Status: r.status, Header: r.header, Body: r.body})
	}
	if err != nil {
		h.t.Errorf("the answer differs from its description: %.2000v\n%.600s", err, r.body)
	}
}
