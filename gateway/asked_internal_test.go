package gateway

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"jamf-gateway/config"
	"jamf-gateway/gateway/server"
)

// badFile is a file that holds no settings.
type badFile struct{ path string }

func (f badFile) Read(ctx context.Context, _ string, take func(context.Context, *config.Config) (Plan, error)) (Plan, error) {
	c, err := config.Load(f.path, nil)
	if err != nil {
		return Plan{}, err
	}
	return take(ctx, c)
}

func (f badFile) Try(ctx context.Context, why string, take func(context.Context, *config.Config) (Plan, error)) (Plan, error) {
	return f.Read(ctx, why, take)
}

func (f badFile) Refused() *Refused { return nil }

// TestTheAuditCallsWhatAnOperatorAskedForAsItDoesASignal, where the file holds no settings.
func TestTheAuditCallsWhatAnOperatorAskedForAsItDoesASignal(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	g := &Gateway{o: Options{Follower: badFile{path}}}
	for _, step := range []struct{ text, want string }{{"", "unreadable"}, {"listen: [", "invalid"}, {"listen: 7\n", "invalid"}} {
		if step.text != "" {
			if err := os.WriteFile(path, []byte(step.text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, err := g.asked(t.Context())
		if refused, ok := errors.AsType[*server.SettingsError](err); !ok || refused.Outcome != step.want {
			t.Errorf("%q: %v, want %s", step.text, err, step.want)
		}
	}
}
