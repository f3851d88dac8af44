package server

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"jamf-gateway/cache"
)

// Codes of this room. Each stands in the catalogue with its cause and with what to do; problem.go gives it a status.
const (
	codeBadRequest       = "bad_request"
	codeMalformed        = "request_malformed"
	codeUnknownParameter = "unknown_parameter"
	codeHiddenField      = "hidden_field"
	codeFilter           = "filter_not_supported"
	codeSort             = "sort_not_supported"
	codePageSize         = "page_size_too_large"
	codeCursorInvalid    = "cursor_invalid"
	codeCursorExpired    = "cursor_expired"
	codeUnauthorized     = "unauthorized"
	codeInvalidToken     = "invalid_token"
	codeInvalidClient    = "invalid_client"
	codeKindDisabled     = "kind_disabled"
	codeOutOfScope       = "out_of_scope"
	codeNetwork          = "network_not_allowed"
	codeForbiddenOrigin  = "forbidden_origin"
	codeAdminToken       = "admin_token"
	codeTooManyAttempts  = "too_many_attempts"
	codeAuditFailed      = "audit_failed"
	codeAuditFull        = "audit_full"
	codeNotFound         = "not_found"
	codeUnknownSource    = "unknown_source"
	codeUnknownDevice    = "unknown_device"
	codeMethod           = "method_not_allowed"
	codeUnknownMethod    = "unknown_method"
	codeTimeout          = "request_timeout"
	codeBodyTooLarge     = "body_too_large"
	codeNotAcceptable    = "not_acceptable"
	codeMisdirected      = "misdirected"
	codeContentEncoding  = "content_encoding"
	codeHeadersTooLarge  = "headers_too_large"
	codeHTTPVersion      = "http_version"
	codeSourceDisabled   = "source_disabled"
	codeSyncRunning      = "sync_running"
	codeNotHeld          = "not_held"
	codeSourceInUse      = "source_in_use"
	codeUnfinished       = "purge_unfinished"
	codeSettingsRefused  = "settings_refused"
	codeInternal         = "internal"
	codeNeverSynced      = "never_synced"
	codeNotFresh         = "not_fresh"
	codeStaleLimit       = "stale_limit"
	codeDeviceStale      = "unknown_device_stale"
	codeStoreLost        = "store_lost"
	codeStoreNewer       = "store_newer"
	codeStoreCorrupt     = "store_corrupt"
	codeCredentials      = "auth_failed"
	codeRightsUnknown    = "rights_unknown"
	codeNotReady         = "not_ready"
	codeListExpired      = "list_expired"
	codeBusy             = "busy"
	codePassFailed       = "passthrough_failed"
	codePassPaused       = "passthrough_paused"
	codeNoColumns        = "columns_missing"
	codeRemapping        = "remapping"
	codeViewNotReady     = "view_not_ready"
	codeRateLimited      = "rate_limited"
)

const (
	maxDetail          = 300
	defaultRetryAfter  = 60 * time.Second
	shortestRetryAfter = 10 * time.Second
	longestRetryAfter  = 15 * time.Minute
)

// fault is an answer that is not 2xx, as a handler decides it: a code, never a status.
type fault struct {
	code       string
	detail     string // one safe sentence: no upstream text, no secret; "" = the catalogue's cause
	field      string // the parameter at fault
	source     string
	reason     string // of never_synced and stale_limit: the catalogue code of why; its action is what is to be done
	asked      string // the source that was asked for and that the caller may not see: logged, never shown
	allow      string // of a 405, when the router did not say it
	retryAfter time.Duration
	limited    bool     // the client has as many requests under way as it may
	unread     bool     // nothing can be read of a disabled source: 503, where asking for an act is 409
	close      bool     // the connection is not to be trusted further
	cause      error    // logged, never shown
	refused    *Warning // of settings_refused: the problems of the settings, for the operator
	outcome    string   // of an act, for the audit; "" = the code
}

func (f *fault) Error() string {
	if f.cause != nil {
		return fmt.Sprintf("%s: %v", f.code, f.cause)
	}
	if f.detail != "" {
		return f.code + ": " + f.detail
	}
	return f.code
}

// action is what is to be done: about the reason, where there is one.
func (f *fault) action() string {
	_, _, action := sentences(cmp.Or(f.reason, f.code))
	return action
}

func (f *fault) Unwrap() error { return f.cause }

// badParameter is a 400 that names the parameter.
func badParameter(name, detail string) *fault {
	return &fault{code: codeBadRequest, field: clip(printable(name), 64), detail: clip(detail, maxDetail)}
}

// storeFault says what a failed read of the store is to a client.
func storeFault(err error, source string) *fault {
	switch {
	case errors.Is(err, cache.ErrNone):
		return &fault{code: codeNeverSynced, source: source, retryAfter: defaultRetryAfter}
	case errors.Is(err, cache.ErrNewer):
		return &fault{code: codeStoreNewer, source: source, retryAfter: longestRetryAfter, cause: err}
	case errors.Is(err, cache.ErrLost):
		return &fault{code: codeStoreLost, source: source, retryAfter: longestRetryAfter, cause: err}
	case errors.Is(err, cache.ErrCorrupt):
		return &fault{code: codeStoreCorrupt, source: source, retryAfter: defaultRetryAfter, cause: err}
	case errors.Is(err, errListGone):
		return &fault{code: codeListExpired, source: source}
	case errors.Is(err, cache.ErrGone):
		return &fault{code: codeCursorExpired}
	case errors.Is(err, cache.ErrNoFacts):
		return &fault{code: codeNoColumns, source: source, retryAfter: longestRetryAfter, cause: err}
	case errors.Is(err, cache.ErrTooComplex):
		return &fault{code: codeFilter, field: paramFilter, detail: "The filter is too complex: at most 200 comparisons and 40 values with stars."}
	case errors.Is(err, cache.ErrNotFound):
		return &fault{code: codeUnknownDevice, source: source}
	}
	return &fault{code: codeInternal, cause: err}
}

// clip cuts text to n bytes at a rune boundary.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}

// printable replaces everything outside printable ASCII: names of parameters come from clients.
func printable(s string) string {
	out := []byte(s)
	for i, b := range out {
		if b < 0x20 || b > 0x7e {
			out[i] = '?'
		}
	}
	return string(out)
}
