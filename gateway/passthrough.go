package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"jamf-gateway/config"
	"jamf-gateway/gateway/jamf"
	"jamf-gateway/gateway/server"
)

// passthrough is what the server may have fetched from Jamf.
type passthrough struct{ upstreams map[string]*jamf.Source }

// Fetch implements server.Passthrough.
func (p passthrough) Fetch(ctx context.Context, source, template string, id int64, query url.Values) ([]byte, error) {
	body, err := p.upstreams[source].Fetch(ctx, template, id, query)
	if err == nil {
		return body, nil
	}
	out := &server.PassError{Code: "jamf_unavailable", Err: err}
	if e, ok := errors.AsType[*jamf.Error](err); ok {
		out.Code, out.RetryAfter = e.Code, e.RetryAfter
	}
	switch {
	case errors.Is(err, jamf.ErrNotFound):
		out.Status = http.StatusNotFound
	case errors.Is(err, jamf.ErrBadRequest):
		out.Status = http.StatusBadRequest
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		out.Code, out.Unsent = "busy", true
	case errors.Is(err, jamf.ErrBreakerOpen), errors.Is(err, jamf.ErrThrottled), errors.Is(err, jamf.ErrAuthFailed):
		out.Unsent = true
	}
	return nil, out
}

// passPaths are the further paths of a source.
func passPaths(src config.Source) []server.PassPath {
	var out []server.PassPath
	for _, p := range src.Passthrough {
		out = append(out, server.PassPath{Template: p.Path, TTL: p.TTL})
	}
	return out
}

// jamfOf names a Jamf and the API clients that it is asked by: either may have given what was passed on.
func jamfOf(src config.Source) string {
	return shortHash(src.URL + "\x00" + src.ClientID + "\x00" + src.SecondClient.ID)
}

// passedOn are their paths alone.
func passedOn(src config.Source) []string {
	var out []string
	for _, p := range src.Passthrough {
		out = append(out, p.Path)
	}
	return out
}
