package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
)

// Layout of a cursor before base64url: version (1) | policy digest (8) | query digest (8) | position: index of the
// series, last id | generation number of each series, 0 = it had none (all uvarint) | MAC (16).
//
// It is deterministic, because it stands in bodies that are cached and compared; it is authenticated, because the
// numbers in it choose what is read. It is bound to the store, to what its owner may see and to the query, not to
// the client: two clients with the same view share the cached page.
const (
	cursorVersion   = 1
	cursorMAC       = 16
	cursorDigest    = 8
	cursorMinLength = 1 + 2*cursorDigest + 2 + cursorMAC
	cursorMaxLength = 8192
)

// Reasons why a cursor is refused.
var (
	errCursorInvalid = errors.New("cursor is not one of this gateway or belongs to another query")
	errCursorExpired = errors.New("cursor has expired")
)

// cursor is a place in a normalized list.
type cursor struct {
	series      int      // index in the list of concerned series
	after       int64    // the last id that was shown of that series
	generations []uint64 // number of the generation of each concerned series, 0 = none yet
}

// cursors writes and reads cursors.
type cursors struct {
	key   []byte
	store string // identity of the store: numbers of another store mean something else
}

func newCursors(key [32]byte, store string) (*cursors, error) {
	sub, err := deriveKey(key, "jamf-gateway cursor v1")
	if err != nil {
		return nil, err
	}
	return &cursors{key: sub, store: store}, nil
}

func (cs *cursors) encode(c cursor, policy, query string) string {
	out := make([]byte, 0, cursorMinLength+len(c.generations)*2)
	out = append(out, cursorVersion)
	out = append(out, shortDigest(policy)...)
	out = append(out, shortDigest(query)...)
	out = binary.AppendUvarint(out, uint64(c.series))
	out = binary.AppendUvarint(out, uint64(c.after))
	for _, n := range c.generations {
		out = binary.AppendUvarint(out, n)
	}
	return base64.RawURLEncoding.EncodeToString(append(out, cs.mac(out)...))
}

// decode reads a cursor that was made for the same query. errCursorInvalid, or errCursorExpired when what the
// caller may see has changed since.
func (cs *cursors) decode(text, policy, query string, series int) (cursor, error) {
	if len(text) > cursorMaxLength {
		return cursor{}, errCursorInvalid
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) < cursorMinLength {
		return cursor{}, errCursorInvalid
	}
	body, tag := raw[:len(raw)-cursorMAC], raw[len(raw)-cursorMAC:]
	if !hmac.Equal(tag, cs.mac(body)) || body[0] != cursorVersion {
		return cursor{}, errCursorInvalid
	}
	if string(body[1+cursorDigest:1+2*cursorDigest]) != string(shortDigest(query)) {
		return cursor{}, errCursorInvalid
	}
	if string(body[1:1+cursorDigest]) != string(shortDigest(policy)) {
		return cursor{}, errCursorExpired
	}
	return readCursor(body[1+2*cursorDigest:], series)
}

func readCursor(body []byte, series int) (cursor, error) {
	var numbers []uint64
	for len(body) > 0 {
		v, n := binary.Uvarint(body)
		if n <= 0 {
			return cursor{}, errCursorInvalid
		}
		numbers = append(numbers, v)
		body = body[n:]
	}
	if len(numbers) != 2+series || numbers[0] >= uint64(series) || numbers[1] > 1<<63-1 {
		return cursor{}, errCursorExpired
	}
	return cursor{series: int(numbers[0]), after: int64(numbers[1]), generations: numbers[2:]}, nil
}

func (cs *cursors) mac(body []byte) []byte {
	h := hmac.New(sha256.New, cs.key)
	h.Write([]byte(cs.store))
	h.Write([]byte{0})
	h.Write(body)
	return h.Sum(nil)[:cursorMAC]
}

func shortDigest(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:cursorDigest]
}
