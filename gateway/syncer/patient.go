package syncer

import (
	"context"
	"errors"

	"jamf-gateway/gateway/jamf"
)

// patient asks once more when Jamf refuses a token that it has just issued. One refusal and one renewal are the way
// out's own business; a second refusal in a row happens to a call in four hundred where one token in twenty is refused,
// and must not cost a whole walk. Where Jamf really refuses, the third refusal is auth_failed and ends it.
type patient struct{ Walk }

// Page asks for one page.
func (p patient) Page(ctx context.Context, l jamf.List, sections []string, page, size int) (*jamf.Page, error) {
	out, err := p.Walk.Page(ctx, l, sections, page, size)
	if errors.Is(err, jamf.ErrUnauthorized) {
		return p.Walk.Page(ctx, l, sections, page, size)
	}
	return out, err
}

// Record asks for one record.
func (p patient) Record(ctx context.Context, l jamf.List, sections []string, id int64) ([]byte, error) {
	out, err := p.Walk.Record(ctx, l, sections, id)
	if errors.Is(err, jamf.ErrUnauthorized) {
		return p.Walk.Record(ctx, l, sections, id)
	}
	return out, err
}

// Names reads a list of names.
func (p patient) Names(ctx context.Context, l jamf.NameList) (map[int64]string, error) {
	out, err := p.Walk.Names(ctx, l)
	if errors.Is(err, jamf.ErrUnauthorized) {
		return p.Walk.Names(ctx, l)
	}
	return out, err
}

// Rights asks what the credentials may do.
func (p patient) Rights(ctx context.Context) (jamf.Rights, error) {
	out, err := p.Walk.Rights(ctx)
	if errors.Is(err, jamf.ErrUnauthorized) {
		return p.Walk.Rights(ctx)
	}
	return out, err
}

// Version asks which Jamf answers.
func (p patient) Version(ctx context.Context) (string, error) {
	out, err := p.Walk.Version(ctx)
	if errors.Is(err, jamf.ErrUnauthorized) {
		return p.Walk.Version(ctx)
	}
	return out, err
}

// insist asks for a page that has no other way to its rows, so that a 500 (ErrServerError) is repeated.
func insist(ctx context.Context, from Walk, l jamf.List, sections []string, w window) (p *jamf.Page, err error) {
	for range momentTries {
		if p, err = from.Page(ctx, l, sections, w.page, w.size); !errors.Is(err, jamf.ErrServerError) {
			break
		}
	}
	return p, err
}
