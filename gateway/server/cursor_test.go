package server_test

import (
	"encoding/base64"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/server"
)

func newCursors(t testing.TB, store string) *server.Cursors {
	t.Helper()
	c, err := server.NewCursors(key, store)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCursorComesBackAsItWas(t *testing.T) {
	c := newCursors(t, "store")
	for _, want := range []server.Cursor{
		{Series: 0, After: 0, Generations: []uint64{1}},
		{Series: 2, After: 1<<63 - 1, Generations: []uint64{41, 0, 1 << 60}},
	} {
		text := c.Encode(want, "policy", "query")
		got, err := c.Decode(text, "policy", "query", len(want.Generations))
		if err != nil {
			t.Fatalf("%+v: %v", want, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if again := c.Encode(want, "policy", "query"); again != text {
			t.Error("two cursors of the same place differ: a flushed cache would change answers")
		}
	}
}

func TestCursorIsGoodForItsOwnQueryAndViewOnly(t *testing.T) {
	c := newCursors(t, "store")
	text := c.Encode(server.Cursor{Series: 1, After: 7, Generations: []uint64{3, 4}}, "policy", "query")
	for name, tc := range map[string]struct {
		cursors       *server.Cursors
		policy, query string
		series        int
		want          error
	}{
		"another query":        {c, "policy", "other", 2, server.ErrCursorInvalid},
		"another view":         {c, "other", "query", 2, server.ErrCursorExpired},
		"another store":        {newCursors(t, "other"), "policy", "query", 2, server.ErrCursorInvalid},
		"one more series":      {c, "policy", "query", 3, server.ErrCursorExpired},
		"a series was removed": {c, "policy", "query", 1, server.ErrCursorExpired},
	} {
		if _, err := tc.cursors.Decode(text, tc.policy, tc.query, tc.series); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNoChangedCursorIsAccepted(t *testing.T) {
	c := newCursors(t, "store")
	text := c.Encode(server.Cursor{Series: 0, After: 7, Generations: []uint64{3}}, "policy", "query")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] ^= 1
		if _, err := c.Decode(base64.RawURLEncoding.EncodeToString(raw), "policy", "query", 1); !errors.Is(err, server.ErrCursorInvalid) {
			t.Errorf("byte %d flipped: %v", i, err)
		}
		raw[i] ^= 1
	}
}

func FuzzCursor(f *testing.F) {
	c := newCursors(f, "store")
	good := c.Encode(server.Cursor{Series: 0, After: 7, Generations: []uint64{3, 9}}, "policy", "query")
	f.Add(good, 2)
	f.Add(good, 1)
	f.Add("", 0)
	f.Add(good[1:], 2)
	f.Fuzz(func(t *testing.T, text string, series int) {
		at, err := c.Decode(text, "policy", "query", series)
		if err != nil {
			return
		}
		if len(at.Generations) != series || at.Series < 0 || at.Series >= series || at.After < 0 {
			t.Errorf("%q was read as %+v for %d series", text, at, series)
		}
	})
}
