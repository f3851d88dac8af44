package device

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"iter"
	"maps"
	"slices"
)

// NameList is one of Jamf's lists that give ids names.
type NameList string

// The lists.
const (
	Departments NameList = "departments"
	Buildings   NameList = "buildings"
	Sites       NameList = "sites"
)

// listOf is the list that has the name of a reference which Jamf sends without one, "" for one that comes with its name:
// computers know their department and building by id only, mobile devices their site.
func listOf(k Kind, group string) NameList {
	switch {
	case k == Computer && group == "user.department":
		return Departments
	case k == Computer && group == "user.building":
		return Buildings
	case k == Mobile && group == "site":
		return Sites
	default:
		return ""
	}
}

// NameLists lists what must be read so that the ids which the profile keeps of a kind get names, in a fixed order.
// A profile that keeps no such id needs none.
func (p *Profile) NameLists(k Kind) []NameList {
	var out []NameList
	for _, group := range []string{"user.building", "user.department", "site"} {
		if list := listOf(k, group); list != "" && p.Allows(k, group+".id") {
			out = append(out, list)
		}
	}
	return out
}

// Names are the names behind ids, by list. Nil knows none. Immutable, safe for concurrent use.
type Names struct {
	lists map[NameList]map[int64]string // list -> id -> name
}

// Name is one entry of a list.
type Name struct {
	List NameList
	ID   int64
	Text string
}

// NewNames keeps the entries with a positive id and a name; of two with the same id the later one. Nil when none is left.
func NewNames(entries iter.Seq[Name]) *Names {
	n := &Names{lists: map[NameList]map[int64]string{}}
	for e := range entries {
		if e.ID <= 0 || e.Text == "" {
			continue
		}
		if n.lists[e.List] == nil {
			n.lists[e.List] = map[int64]string{}
		}
		n.lists[e.List][e.ID] = e.Text
	}
	if len(n.lists) == 0 {
		return nil
	}
	return n
}

// All yields the entries by list and id.
func (n *Names) All() iter.Seq[Name] {
	return func(yield func(Name) bool) {
		if n == nil {
			return
		}
		for _, list := range slices.Sorted(maps.Keys(n.lists)) {
			for _, id := range slices.Sorted(maps.Keys(n.lists[list])) {
				if !yield(Name{list, id, n.lists[list][id]}) {
					return
				}
			}
		}
	}
}

// Only are the names of the lists given.
func (n *Names) Only(lists ...NameList) *Names {
	return NewNames(func(yield func(Name) bool) {
		for e := range n.All() {
			if slices.Contains(lists, e.List) && !yield(e) {
				return
			}
		}
	})
}

// Counts is the number of names by list, nil for none.
func (n *Names) Counts() map[NameList]int {
	if n == nil {
		return nil
	}
	out := make(map[NameList]int, len(n.lists))
	for list, names := range n.lists {
		out[list] = len(names)
	}
	return out
}

// Digest is the same for the same names and differs for others, "" for none.
func (n *Names) Digest() string {
	if n == nil {
		return ""
	}
	h := sha256.New()
	var b []byte
	for e := range n.All() {
		b = binary.AppendUvarint(b[:0], uint64(len(e.List)))
		b = append(b, e.List...)
		b = binary.BigEndian.AppendUint64(b, uint64(max(e.ID, 0)))
		b = binary.AppendUvarint(b, uint64(len(e.Text)))
		h.Write(append(b, e.Text...))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// of is the name behind an id as Jamf writes it, nil when it is not known. Only the canonical form of a number is an id.
func (n *Names) of(list NameList, id []byte) []byte {
	if n == nil || list == "" {
		return nil
	}
	number, ok := parseID(string(id))
	if !ok {
		return nil
	}
	if text, known := n.lists[list][number]; known && !sentinel([]byte(text)) {
		return []byte(text)
	}
	return nil
}

// Replace is n with what it knows of a list replaced by entries; id -> name.
func (n *Names) Replace(list NameList, entries map[int64]string) *Names {
	return NewNames(func(yield func(Name) bool) {
		for e := range n.All() {
			if e.List != list && !yield(e) {
				return
			}
		}
		for id, text := range entries {
			if !yield(Name{list, id, text}) {
				return
			}
		}
	})
}
