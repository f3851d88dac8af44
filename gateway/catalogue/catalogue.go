// Package catalogue says of every error that a person can meet what happened, why, and
// what to do, in English and German. Problems, status, health, `check` and the documents
// take their sentences from here. It knows codes and words only, and no other room.
package catalogue

import (
	"cmp"
	"slices"
	"sync"
)

// Language is one of the languages of the catalogue.
type Language string

// The languages. Everything that is not German is answered in English.
const (
	EN Language = "en"
	DE Language = "de"
)

// Text is one thing said in each language.
type Text struct{ EN, DE string }

// In returns the text in a language, in English for any other than the known ones.
func (t Text) In(l Language) string {
	if l == DE {
		return t.DE
	}
	return t.EN
}

// Entry explains one code. Title is a headline without a full stop, Cause one or more sentences,
// Action exactly one sentence on what to do. No text holds a value of a request, a name or a secret.
type Entry struct {
	Code   string // stable: part of the API
	Title  Text
	Cause  Text
	Action Text
}

// byCode is code -> entry. It is made once: every refusal of the doors looks up its code.
//
//nolint:gochecknoglobals // A function, assigned here and never again.
var byCode = sync.OnceValue(func() map[string]Entry {
	out := map[string]Entry{}
	for _, e := range All() {
		out[e.Code] = e
	}
	return out
})

// Lookup finds the entry of a code.
func Lookup(code string) (Entry, bool) {
	e, ok := byCode()[code]
	return e, ok
}

// All returns every entry, sorted by code. The slice is the caller's.
func All() []Entry {
	var all []Entry
	for _, topic := range topics() {
		all = append(all, topic()...)
	}
	slices.SortFunc(all, func(a, b Entry) int { return cmp.Compare(a.Code, b.Code) })
	return all
}

// topics are the parts of the catalogue, one file each.
func topics() [6]func() []Entry {
	return [...]func() []Entry{ofState, ofRequest, ofStore, ofUpstream, ofSync, ofDoor}
}
