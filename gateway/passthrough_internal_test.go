package gateway

import (
	"log/slog"
	"testing"

	"jamf-gateway/config"
)

// TestASourceOfAnotherJamfOrAnotherAPIClientIsToldApart, so that no answer that was passed on outlives a reload by which it would be somebody else's.
func TestASourceOfAnotherJamfOrAnotherAPIClientIsToldApart(t *testing.T) {
	t.Parallel()
	jamf := func(url, client, schedule, second string) string {
		c := &config.Config{Sources: []config.Source{{Name: "a", Profile: "minimal", URL: url, ClientID: client, SecondClient: config.JamfClient{ID: second}, Sync: config.Sync{At: schedule}}}}
		g := &Gateway{o: Options{Config: c, Logger: slog.New(slog.DiscardHandler)}}
		fit, err := g.outfit(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		return fit.served[0].Jamf
	}
	first := jamf("https://a.example/api", "c", "1", "")
	if again := jamf("https://a.example/api", "c", "2", ""); first == "" || again != first {
		t.Errorf("another schedule makes %q of %q", again, first)
	}
	if jamf("https://b.example/api", "c", "1", "") == first || jamf("https://a.example/api", "d", "1", "") == first {
		t.Error("another address, or another API client, is told by nothing")
	}
	if second := jamf("https://a.example/api", "c", "1", "d"); second == first || second == jamf("https://a.example/api", "c", "1", "e") {
		t.Error("another second client is told by nothing")
	}
}
