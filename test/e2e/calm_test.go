//go:build e2e

package e2e_test

import (
	"net/http"
	"time"

	"jamf-gateway/test/fakejamf"
)

// calm is a Jamf that answers everything. reason says why the test cannot have a rough one.
func calm(reason string, o fakejamf.Options) fakejamf.Options {
	if reason == "" {
		panic("a calm Jamf needs a reason")
	}
	o.Faults.RetryAfter = time.Second // no fault, and not the zero value
	return o
}

// web is a client for doors on loopback.
func web() *http.Client { return &http.Client{Timeout: 30 * time.Second} }
