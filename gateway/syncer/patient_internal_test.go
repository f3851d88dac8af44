package syncer

import (
	"context"
	"testing"

	"jamf-gateway/gateway/jamf"
)

// refuser refuses the token at its first question, whichever that is.
type refuser struct{ asked int }

func (r *refuser) err() error {
	if r.asked++; r.asked == 1 {
		return &jamf.Error{Kind: jamf.ErrUnauthorized, Code: "token_refused", Status: 401}
	}
	return nil
}

func (r *refuser) Page(context.Context, jamf.List, []string, int, int) (*jamf.Page, error) {
	return &jamf.Page{}, r.err()
}

func (r *refuser) Record(context.Context, jamf.List, []string, int64) ([]byte, error) {
	return nil, r.err()
}
func (r *refuser) Rights(context.Context) (jamf.Rights, error) { return jamf.Rights{}, r.err() }
func (r *refuser) Version(context.Context) (string, error)     { return "", r.err() }
func (r *refuser) Names(context.Context, jamf.NameList) (map[int64]string, error) {
	return nil, r.err()
}

// What the way out could not mend by one renewal is asked once more, whatever the question is: none may cost a sync.
func TestSecondRefusalInARowCostsNoQuestion(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(ctx context.Context, w Walk) error{
		"page":    func(ctx context.Context, w Walk) error { _, err := w.Page(ctx, jamf.Computers, nil, 0, 1); return err },
		"record":  func(ctx context.Context, w Walk) error { _, err := w.Record(ctx, jamf.Computers, nil, 1); return err },
		"rights":  func(ctx context.Context, w Walk) error { _, err := w.Rights(ctx); return err },
		"version": func(ctx context.Context, w Walk) error { _, err := w.Version(ctx); return err },
		"names":   func(ctx context.Context, w Walk) error { _, err := w.Names(ctx, jamf.Departments); return err },
	} {
		r := &refuser{}
		if err := ask(t.Context(), patient{r}); err != nil || r.asked != 2 {
			t.Errorf("%s: asked %d times, %v", name, r.asked, err)
		}
	}
}
