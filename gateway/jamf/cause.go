package jamf

import (
	"errors"
	"time"
)

// CauseError is why the breaker is open: the last call to the host that failed and that it counted. It is the Err of an error of
// the kind ErrBreakerOpen and is asked for with errors.As. It is no kind: a call that was not sent never is what the one
// that failed was, errors.Is with ErrTimeout for one is false.
type CauseError struct {
	Failed *Error    // not to be changed
	At     time.Time // when it ended
}

// Error says what failed.
func (c *CauseError) Error() string { return "last failure: " + c.Failed.Error() }

// Reason is what to name where a person asks what is wrong with Jamf: the error itself or, where our own pause kept the
// call back, the failure that led to the pause. Without a known one it is the error itself.
func (e *Error) Reason() *Error {
	if c := e.cause(); c != nil {
		return c.Failed
	}
	return e
}

// cause is nil for an error that is not the breaker's, and where no failure is known.
func (e *Error) cause() *CauseError {
	if c, ok := errors.AsType[*CauseError](e.Err); ok && errors.Is(e.Kind, ErrBreakerOpen) {
		return c
	}
	return nil
}

// account takes over what the outcome of a call says about Jamf: since when it fails, and for what. Only what the breaker
// counts as failed is held against it; only what the API itself answers, a refusal or a 429 included, is an answer - a token
// endpoint that is well proves nothing. A proxy in the way means that nothing is known any more.
func (h *Host) account(e entry, began time.Time, err error) {
	verdict := verdictOf(err)
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case errors.Is(err, ErrProxy):
		h.failing = time.Time{}
	case verdict == sick && !e.probe && !e.guest:
		failed := *asError(e.op, err)
		h.cause = &CauseError{Failed: &failed, At: time.Now()}
		if began = later(began, h.well); h.failing.IsZero() || began.Before(h.failing) {
			h.failing = began
		}
	case (verdict == healthy || errors.Is(err, ErrThrottled)) && e.op != "token":
		h.failing, h.well = time.Time{}, time.Now()
	}
}

// failingSince is when the first of the calls began that failed since the last answer; zero = the last call was answered.
func (h *Host) failingSince() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.failing
}

// breakerError is that of a call that is not sent.
func (h *Host) breakerError(op string, wait time.Duration) *Error {
	out := &Error{
		Kind: ErrBreakerOpen, Op: op, Code: codeBreakerOpen, RetryAfter: wait,
		Detail: "too many calls to this host failed, so that none is sent for a while",
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cause != nil {
		out.Err = h.cause
	}
	return out
}
