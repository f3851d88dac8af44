package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway"
)

const goodSettings = "sources: [{name: a, url: 'https://a.example/api', client_id: c, client_secret: s}]\n" +
	"clients: [{id: i, secrets: ['sha256:0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f']}]\n"

// A client's secret in a file of its own follows it: a bad one keeps the secret before.
func TestTheFileOfAClientsSecretIsFollowed(t *testing.T) {
	dir := t.TempDir()
	path, secret := filepath.Join(dir, "gateway.yaml"), filepath.Join(dir, "secret")
	put := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(secret, "the-first-secret-of-the-client\n")
	put(path, "sources: [{name: a, url: 'https://a.example/api', client_id: c, client_secret: s}]\nclients: [{id: i, secrets: [{secret: 'file:"+secret+"'}]}]\n")
	first, err := digestOf(path)
	if err != nil {
		t.Fatal(err)
	}
	settings, err := config.Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	var logs strings.Builder
	var taken []*config.Config
	f := newFollower(path, first, streams{}, slog.New(slog.NewTextHandler(&logs, nil)), func(_ context.Context, _ string, c *config.Config) (gateway.Plan, error) {
		taken = append(taken, c)
		return gateway.Plan{}, nil
	})
	f.secretsOf(settings)
	look := func(want int, text string) {
		t.Helper()
		logs.Reset()
		f.look(t.Context())
		f.look(t.Context())
		if len(taken) != want || !strings.Contains(logs.String(), text) {
			t.Errorf("taken %d times, want %d; the log is %s", len(taken), want, logs.String())
		}
	}
	look(0, "")
	put(secret, "the-next-secret-of-the-client\n")
	look(1, "other settings are in force")
	if len(taken) == 1 && taken[0].Clients[0].Secrets[0] != config.HashSecret("the-next-secret-of-the-client") {
		t.Error("the secret is another one")
	}
	look(1, "")
	put(secret, "")
	look(1, "gateway.yaml:2")
	if err := os.Remove(secret); err != nil {
		t.Fatal(err)
	}
	look(1, "gateway.yaml:2")
	put(secret, "the-last-secret-of-the-client\n")
	look(2, "other settings are in force")
}

// TestARefusedTryLeavesNoTrace: what is refused of a removal neither marks the file as read nor the settings as refused.
func TestARefusedTryLeavesNoTrace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	write(t, path, goodSettings)
	first, err := digestOf(path)
	if err != nil {
		t.Fatal(err)
	}
	settings, err := config.Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	take := func(context.Context, *config.Config) (gateway.Plan, error) { taken++; return gateway.Plan{}, nil }
	f := newFollower(path, first, streams{}, slog.New(slog.DiscardHandler), func(ctx context.Context, _ string, c *config.Config) (gateway.Plan, error) { return take(ctx, c) })
	f.secretsOf(settings)
	f.again = 7
	refuse := func(context.Context, *config.Config) (gateway.Plan, error) { return gateway.Plan{}, cache.ErrBusy }
	for _, text := range []string{goodSettings + "max_page_size: 500\n", goodSettings + "max_page_size: many\n"} {
		write(t, path, text)
		before := f.applied
		if _, err := f.Try(t.Context(), "a test", refuse); err == nil {
			t.Error("what is refused is taken")
		}
		if f.good.Load() != 1 || f.refused.Load() != nil || f.applied != before || f.again != 7 || f.files != nil {
			t.Errorf("a refused try leaves a trace: %+v", f)
		}
	}
	write(t, path, goodSettings+"max_page_size: 500\n")
	f.look(t.Context())
	f.look(t.Context())
	if taken != 1 {
		t.Errorf("after a refused try the file is taken %d times", taken)
	}
	f.reloadLocked(t.Context(), "a test")
	write(t, path, goodSettings+"max_page_size: many\n")
	f.reload(t.Context(), "a test")
	write(t, path, goodSettings)
	if _, err := f.Try(t.Context(), "a test", take); err != nil || f.good.Load() != 1 || f.refused.Load() != nil {
		t.Errorf("a good try: %v, %+v", err, f.refused.Load())
	}
	before := taken
	f.look(t.Context())
	f.look(t.Context())
	if taken != before {
		t.Error("what was tried well is read again")
	}
}

// TestSettingsAreFollowedWhenTheyAreWholeAndGood looks at a file as the loop does.
func TestSettingsAreFollowedWhenTheyAreWholeAndGood(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(goodSettings)
	var logs strings.Builder
	var taken []*config.Config
	var refuse error
	first, err := digestOf(path)
	if err != nil {
		t.Fatal(err)
	}
	f := newFollower(path, first, streams{}, slog.New(slog.NewTextHandler(&logs, nil)), func(_ context.Context, _ string, c *config.Config) (gateway.Plan, error) {
		if refuse == nil {
			taken = append(taken, c)
		}
		return gateway.Plan{Restart: []string{"listen"}}, refuse
	})
	var unread []string
	f.unread = func(why string, err error) { unread = append(unread, why+": "+filepath.Base(err.Error())) }
	look := func(wantTaken int, wantGood int64, text string) {
		t.Helper()
		logs.Reset()
		f.look(t.Context())
		if len(taken) != wantTaken || f.good.Load() != wantGood || !strings.Contains(logs.String(), text) {
			t.Errorf("taken %d times, want %d; good is %d; the log is %s", len(taken), wantTaken, f.good.Load(), logs.String())
		}
	}
	look(0, 1, "")
	write(goodSettings + "max_page_size: 5")
	look(0, 1, "") // it may still be written
	write(goodSettings + "max_page_size: 500\n")
	look(0, 1, "")
	look(1, 1, "settings=[listen]")
	look(1, 1, "")
	write(goodSettings + "max_page_size: many\n")
	look(1, 1, "")
	look(1, 0, "gateway.yaml:3")
	look(1, 0, "") // a bad file is told once
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	look(1, 0, "")
	write(goodSettings + "max_page_size: 600\n")
	look(1, 0, "")
	look(2, 1, "")
	if taken[1].MaxPageSize != 600 {
		t.Errorf("max_page_size is %d", taken[1].MaxPageSize)
	}
	if len(unread) != 1 || !strings.HasPrefix(unread[0], "the file has changed: gateway.yaml:3: ") {
		t.Errorf("of settings that could not be read the audit is told %q", unread)
	}
	refuse = errors.New("a source is missing")
	f.reload(t.Context(), "SIGHUP")
	if f.good.Load() != 0 || !strings.Contains(logs.String(), "a source is missing") {
		t.Errorf("the refusal of the gateway is lost: %s", logs.String())
	}
	f.look(t.Context())
	if f.again != 0 {
		t.Error("what was refused for good is tried again")
	}
	before := f.Refused()
	refuse = fmt.Errorf("weigh: %w", cache.ErrBusy)
	f.reload(t.Context(), "SIGHUP")
	if now := f.Refused(); now.Since != before.Since || !errors.Is(now.Problem, cache.ErrBusy) || now.Taken.IsZero() {
		t.Errorf("refused as %+v, before as %+v", now, before)
	}
	refuse = nil
	for range busyLooks - 1 {
		look(2, 0, "")
	}
	look(3, 1, "tried again")
	look(3, 1, "")
	if r := f.Refused(); r != nil {
		t.Errorf("settings in force are refused: %+v", r)
	}
}
