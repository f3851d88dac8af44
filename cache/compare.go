package cache

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"

	"jamf-gateway/gateway/device"
)

// Difference is what a reader of one generation would see change with another. Ids are in rising order.
type Difference struct {
	Before, After, Both int     // devices of the one, of the other, of both
	Removed             []int64 // Jamf confirmed each of them as deleted: anything else is kept
	Missing             []int64 // kept, although Jamf neither lists them nor confirms that they are deleted; not so before

	Traits    bool    // the fields below are known: a generation of an older program has no traits
	Hardware  int     // devices of both whose serial number or UDID is known before and after
	Same      int     // of those, the ones that kept the one or the other
	NewSerial []int64 // devices of both with another serial number than before
	// NewHardware names what the devices are now that are not what they were: 24 hex digits over their ids and traits, and over all
	// devices where none of before is left; "" = all are what they were.
	NewHardware string

	Blanked  []Blank // fields that lost their value, by path
	Sections []Blank // the same of whole sections, by their key
}

// Blank is a field or a section and the devices of both generations that had a value in it before, and have none now.
type Blank struct {
	Name      string
	Had, Lost int
}

// Compare tells what changes from a generation of the same series to what was put so far, read in this version of Jamf's API
// ("" = not known). ErrCorrupt: the older one cannot be read.
func (b *Builder) Compare(ctx context.Context, older *Generation, upstream string) (Difference, error) {
	if err := b.ready(ctx); err != nil {
		return Difference{}, err
	}
	if b.encoder == nil {
		if err := b.fail("compare generations", b.flush(ctx)); err != nil {
			return Difference{}, err
		}
	}
	c := newComparison(b.draft, older.info, upstream)
	c.Traits = older.traits
	mine := &stream[traitRow]{id: func(r traitRow) int64 { return r.id }, next: func(after int64) ([]traitRow, error) {
		return collect(ctx, b.conn, scanTraits, sqlTraitRows, after, sumChunk)
	}}
	theirs := &stream[traitRow]{id: func(r traitRow) int64 { return r.id }, next: func(after int64) (part []traitRow, err error) {
		err = older.use(ctx, "compare generations", func(r *reader) (err error) {
			if !older.traits {
				part, err = collect(ctx, r.conn, scanBare, sqlSums, after, sumChunk)
				return err
			}
			part, err = collect(ctx, r.conn, scanTraits, sqlTraitRows, after, sumChunk)
			return err
		})
		return part, err
	}}
	for {
		if err := errors.Join(mine.fill(), theirs.fill()); err != nil {
			return Difference{}, fmt.Errorf("compare with generation %d: %w", older.info.Number, err)
		}
		m, t := mine.head(), theirs.head()
		if m == nil && t == nil {
			return c.settle(), nil
		}
		switch {
		case t == nil || m != nil && m.id < t.id:
			c.After++
			write(c.added, m)
			mine.advance()
		case m == nil || t.id < m.id:
			c.Before++
			c.Removed = append(c.Removed, t.id)
			theirs.advance()
		default:
			c.pair(*t, *m)
			mine.advance()
			theirs.advance()
		}
	}
}

// comparison counts. Fields are those that both generations were read with, and both versions of Jamf's API send.
type comparison struct {
	Difference
	fields   []comparedField
	sections []comparedSection

	others, added hash.Hash // over the hardware of devices of both that changed, and of those that are new
	changed       bool
}

type comparedField struct {
	path       string
	old, now   int // bits of the shapes
	section    int
	had, blank int
}

type comparedSection struct {
	name       string
	fields     []int
	had, blank int
}

func newComparison(draft Draft, older Info, upstream string) *comparison {
	c := &comparison{others: sha256.New(), added: sha256.New()}
	index := map[string]int{}
	for old, path := range older.ProfilePaths {
		now, kept := slices.BinarySearch(draft.ProfilePaths, path)
		if !kept || !device.SentBy(draft.Kind, path, upstream) {
			continue
		}
		name, _, _ := strings.Cut(path, ".")
		name = strings.TrimSuffix(name, "[]")
		at, known := index[name]
		if !known {
			at = len(c.sections)
			index[name] = at
			c.sections = append(c.sections, comparedSection{name: name})
		}
		c.sections[at].fields = append(c.sections[at].fields, len(c.fields))
		c.fields = append(c.fields, comparedField{path: path, old: old, now: now, section: at})
	}
	return c
}

// pair counts a device of both. One that is only kept, or could not be read as usual, says nothing new.
func (c *comparison) pair(old, now traitRow) {
	c.Before++
	c.After++
	c.Both++
	if now.state == StateMissing && old.state != StateMissing {
		c.Missing = append(c.Missing, now.id)
	}
	if !c.Traits || now.state != StatePresent {
		return
	}
	if (old.Serial != 0 || old.UDID != 0) && (now.Serial != 0 || now.UDID != 0) {
		c.Hardware++
		if old.Serial != 0 && old.Serial == now.Serial || old.UDID != 0 && old.UDID == now.UDID {
			c.Same++
		}
	}
	if old.Serial != 0 && now.Serial != 0 && old.Serial != now.Serial {
		c.NewSerial = append(c.NewSerial, now.id)
	}
	if old.Serial != now.Serial || old.UDID != now.UDID {
		c.changed = true
		write(c.others, &now)
	}
	for i := range c.sections {
		c.section(&c.sections[i], old.Shape, now.Shape)
	}
}

func (c *comparison) section(s *comparedSection, old, now []byte) {
	had, has := false, false
	for _, i := range s.fields {
		f := &c.fields[i]
		was, is := bitOf(old, f.old), bitOf(now, f.now)
		had, has = had || was, has || is
		if was {
			f.had++
			if !is {
				f.blank++
			}
		}
	}
	if had {
		s.had++
		if !has {
			s.blank++
		}
	}
}

// write adds the hardware of a device to a hash.
func write(h hash.Hash, r *traitRow) {
	var b [24]byte
	binary.BigEndian.PutUint64(b[0:], uint64(r.id))
	binary.BigEndian.PutUint64(b[8:], r.Serial)
	binary.BigEndian.PutUint64(b[16:], r.UDID)
	_, _ = h.Write(b[:]) // it never fails
}

func bitOf(shape []byte, bit int) bool { return bit/8 < len(shape) && shape[bit/8]&(1<<(bit%8)) != 0 }

// settle lists what lost anything.
func (c *comparison) settle() Difference {
	switch {
	case c.Both == 0 && c.After > 0 && c.Before > 0:
		c.NewHardware = hex.EncodeToString(c.added.Sum(nil)[:12])
	case c.changed:
		c.NewHardware = hex.EncodeToString(c.others.Sum(nil)[:12])
	}
	for _, f := range c.fields {
		if f.blank > 0 {
			c.Blanked = append(c.Blanked, Blank{f.path, f.had, f.blank})
		}
	}
	for _, s := range c.sections {
		if s.blank > 0 {
			c.Sections = append(c.Sections, Blank{s.name, s.had, s.blank})
		}
	}
	return c.Difference
}
