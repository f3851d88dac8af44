package syncer

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// idSet is a set of ids as ranges in rising order: a fleet that vanished is a few of them. Its text is "1-40,42,77-79".
type idSet []idRange

type idRange struct{ first, last int64 }

// setOf takes ids in rising order.
func setOf(ids []int64) idSet {
	var s idSet
	for _, id := range ids {
		if n := len(s); n > 0 && s[n-1].last+1 == id {
			s[n-1].last = id
			continue
		}
		s = append(s, idRange{id, id})
	}
	return s
}

// contains tells whether every id of other is in s.
func (s idSet) contains(other idSet) bool {
	return !slices.ContainsFunc(other, func(o idRange) bool {
		at, found := slices.BinarySearchFunc(s, o.first, func(r idRange, id int64) int {
			switch {
			case r.last < id:
				return -1
			case r.first > id:
				return 1
			}
			return 0
		})
		return !found || s[at].last < o.last
	})
}

// first lists the n lowest ids.
func (s idSet) lowest(n int) []int64 {
	var ids []int64
	for _, r := range s {
		for id := r.first; id <= r.last; id++ {
			if len(ids) == n {
				return ids
			}
			ids = append(ids, id)
		}
	}
	return ids
}

func (s idSet) String() string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(r.first, 10))
		if r.last > r.first {
			b.WriteString("-" + strconv.FormatInt(r.last, 10))
		}
	}
	return b.String()
}

// MarshalText implements encoding.TextMarshaler.
func (s idSet) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

var errIDSet = errors.New("no set of ids")

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *idSet) UnmarshalText(text []byte) error {
	*s = nil
	if len(text) == 0 {
		return nil
	}
	last := int64(0)
	for part := range strings.SplitSeq(string(text), ",") {
		from, to, span := strings.Cut(part, "-")
		if !span {
			to = from
		}
		a, errA := strconv.ParseInt(from, 10, 64)
		b, errB := strconv.ParseInt(to, 10, 64)
		if errA != nil || errB != nil || a <= last || b < a {
			return errIDSet
		}
		*s, last = append(*s, idRange{a, b}), b
	}
	return nil
}
