package syncer_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
)

func TestBrokenDescriptionsOfJamfDoNotFailTheWalk(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		code string // "" = the walk goes on
	}{
		"502 and HTML":    {&jamf.Error{Kind: jamf.ErrUnavailable, Status: 502, Code: "jamf_unavailable"}, ""},
		"500":             {&jamf.Error{Kind: jamf.ErrServerError, Status: 500, Code: "jamf_cannot_render"}, ""},
		"HTML with 200":   {&jamf.Error{Kind: jamf.ErrSchema, Status: 200, Code: "html_instead_of_json"}, ""},
		"too slow":        {&jamf.Error{Kind: jamf.ErrTimeout, Code: "timeout"}, ""},
		"503 of the edge": {&jamf.Error{Kind: jamf.ErrUnavailable, Status: 503, Code: "jamf_unavailable"}, "jamf_unavailable"},
		"nobody answers":  {&jamf.Error{Kind: jamf.ErrUnavailable, Code: "connect_failed"}, "connect_failed"},
		"breaker":         {&jamf.Error{Kind: jamf.ErrBreakerOpen, Code: "breaker_open"}, "breaker_open"},
		"breaker for a time-out": {&jamf.Error{
			Kind: jamf.ErrBreakerOpen, Code: "breaker_open", Err: &jamf.CauseError{Failed: &jamf.Error{Kind: jamf.ErrTimeout, Code: "timeout"}},
		}, "timeout"},
		"breaker for a foreign page": {&jamf.Error{
			Kind: jamf.ErrBreakerOpen, Code: "breaker_open", Err: &jamf.CauseError{Failed: &jamf.Error{Kind: jamf.ErrSchema, Code: "html_instead_of_json"}},
		}, "html_instead_of_json"},
		"credentials refused": {&jamf.Error{Kind: jamf.ErrAuthFailed, Code: "auth_failed"}, "auth_failed"},
	} {
		for _, where := range []string{"rights", "version"} {
			t.Run(where+" "+name, func(t *testing.T) {
				t.Parallel()
				jam := fleet(5, 0)
				if where == "rights" {
					jam.rights = func() (jamf.Rights, error) { return jamf.Rights{}, c.err }
				} else {
					jam.version = func() (string, error) { return "", c.err }
				}
				bubble(t, jam, onlyMacs, func(h *house) {
					h.start()
					if c.code == "" {
						h.mustBe(device.Computer, "fresh", "ok", "")
					} else {
						h.mustBe(device.Computer, "never_synced", "failed", c.code)
					}
				})
			})
		}
	}
}

func TestTextOfAnInnerFaultStaysInTheLog(t *testing.T) {
	t.Parallel()
	jam := fleet(5, 0)
	jam.page = func(context.Context, jamf.List, int, int) (*jamf.Page, error) {
		return nil, errors.New("/srv/secret/path broke")
	}
	bubble(t, jam, onlyMacs, func(h *house) {
		h.start()
		st := h.status(device.Computer)
		if st.ErrorCode != "internal" || strings.Contains(st.ErrorDetail, "secret") || st.ErrorDetail == "" {
			t.Errorf("clients read %q %q", st.ErrorCode, st.ErrorDetail)
		}
		if !strings.Contains(h.logs.String(), "/srv/secret/path") {
			t.Error("the log does not say what broke")
		}
	})
}
