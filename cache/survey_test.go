package cache_test

import (
	"errors"
	"os"
	"testing"

	"jamf-gateway/cache"
)

func TestASurveyListsKeptGenerationsWhileTheStoreIsInUse(t *testing.T) {
	dir := t.TempDir()
	if kept, err := cache.Survey(dir, computers); err != nil || len(kept) != 0 {
		t.Errorf("of nothing: %v, %v", kept, err)
	}
	s := openStore(t, options(dir))
	for version := range 2 {
		publish(t, s, computers, fleet(3, version))
	}
	kept, err := cache.Survey(dir, computers)
	if err != nil || len(kept) != 2 || kept[0].Number != 2 || kept[1].Number != 1 || kept[0].Count != 3 || kept[0].Bytes == 0 {
		t.Errorf("%+v, %v", kept, err)
	}
	if err := os.WriteFile(manifestOf(dir), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := cache.Survey(dir, computers); !errors.Is(err, cache.ErrLost) {
		t.Errorf("of a damaged manifest: %v", err)
	}
}
