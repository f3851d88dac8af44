package cache

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"slices"

	"jamf-gateway/gateway/device"
)

// Terms are the yes-or-no facts that views of clients are made of ("site:grundschule nord"). A term is a row of its own: the devices
// of which it holds, a bit each by their place in id order, with a checksum. Only the terms that somebody's filter asks for are there,
// and no other site or group. Files of older programs have no such table.
const sqlTerms = `
CREATE TABLE term (term TEXT PRIMARY KEY, members BLOB NOT NULL, checksum BLOB NOT NULL) WITHOUT ROWID;
`

const (
	sqlPutTerm = `INSERT INTO term (term, members, checksum) VALUES (?,?,?)`
	sqlGetTerm = `SELECT term, members, checksum FROM term`
)

// truths are the terms of the devices that were put so far. A device costs about 30 bytes and one for each term.
type truths struct {
	terms []string
	at    map[int64]int32 // id -> row in rows
	rows  []device.Truth
}

func newTruths(terms []string) *truths { return &truths{terms: terms, at: map[int64]int32{}} }

// put remembers what is known of a device; nil = nothing.
func (t *truths) put(id int64, known []device.Truth) error {
	if len(t.terms) == 0 {
		return nil
	}
	if known == nil {
		known = make([]device.Truth, len(t.terms))
	}
	if len(known) != len(t.terms) {
		return fmt.Errorf("put device %d: %d terms, want %d", id, len(known), len(t.terms))
	}
	row, held := t.at[id]
	if !held {
		row = int32(len(t.rows) / len(t.terms))
		t.at[id] = row
		t.rows = append(t.rows, known...)
		return nil
	}
	copy(t.rows[int(row)*len(t.terms):], known)
	return nil
}

func (t *truths) of(id int64, term int) device.Truth {
	row, held := t.at[id]
	if !held {
		return device.NotKnown
	}
	return t.rows[int(row)*len(t.terms)+term]
}

// members are the devices of which one term holds: bit i%8 of byte i/8 = the i-th id.
type members []byte

func (m members) has(place int) bool { return place/8 < len(m) && m[place/8]&(1<<(place%8)) != 0 }

func (m members) add(place int) { m[place/8] |= 1 << (place % 8) }

// settle decides each term for the ids of a generation. What Jamf does not say of a device stays as it was in the parent, and holds of a new
// device not. A term of which nothing at all is known is left out: a view must not come out empty because a list could not be read.
func (t *truths) settle(ids []int64, parent *Generation) map[string]members {
	out := map[string]members{}
	for i, term := range t.terms {
		m, known := make(members, (len(ids)+7)/8), len(ids) == 0
		var before members
		if parent != nil {
			before = parent.terms[term]
			known = known || before != nil
		}
		for place, id := range ids {
			switch t.of(id, i) {
			case device.Yes:
				m.add(place)
				known = true
			case device.No:
				known = true
			default:
				if at, held := slices.BinarySearch(parent.idsOrNone(), id); held && before.has(at) {
					m.add(place)
				}
			}
		}
		if known {
			out[term] = m
		}
	}
	return out
}

func (g *Generation) idsOrNone() []int64 {
	if g == nil {
		return nil
	}
	return g.ids
}

// putTerms writes what is known of the devices, and names it in the description.
func (b *Builder) putTerms(ctx context.Context, info *Info) error {
	if len(b.truths.terms) == 0 {
		return nil
	}
	b.ids = make([]int64, 0, info.Count)
	for more := true; more; {
		after := int64(0)
		if len(b.ids) > 0 {
			after = b.ids[len(b.ids)-1]
		}
		part, err := collect(ctx, b.conn, scanID, sqlIDs, after, idChunk)
		if err != nil {
			return err
		}
		b.ids = append(b.ids, part...)
		more = len(part) == idChunk
	}
	b.settled = b.truths.settle(b.ids, b.parent)
	for _, term := range b.truths.terms {
		m, known := b.settled[term]
		if !known {
			continue
		}
		info.Terms = append(info.Terms, term)
		if _, err := b.conn.ExecContext(context.WithoutCancel(ctx), sqlPutTerm, term, []byte(m), termChecksum(term, b.ids, m)); err != nil {
			return err
		}
	}
	return nil
}

// Knows tells that the generation can answer filters that ask for these terms.
func (i Info) Knows(terms []string) bool {
	return !slices.ContainsFunc(terms, func(term string) bool { return !slices.Contains(i.Terms, term) })
}

// termChecksum covers the term, the ids it is about and its members: SQLite returns a flipped byte without a word.
func termChecksum(term string, ids []int64, m members) []byte {
	h := sha256.New()
	h.Write([]byte(term))
	for _, id := range ids {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(id)))
	}
	h.Write(m)
	return h.Sum(nil)[:checksumSize]
}

// loadTerms reads the terms of a file that has some; its ids are known.
func (g *Generation) loadTerms(ctx context.Context, file string) error {
	if len(g.info.Terms) == 0 {
		return nil
	}
	r, err := g.readers.take(ctx)
	if err != nil {
		return err
	}
	defer g.readers.give(r)
	type row struct {
		term          string
		members, want []byte
	}
	rows, err := collect(ctx, r.conn, func(rows *sql.Rows) (t row, err error) {
		err = rows.Scan(&t.term, &t.members, &t.want)
		return t, err
	}, sqlGetTerm)
	if err != nil {
		return readError(ctx, "read terms of "+file, err)
	}
	g.terms = make(map[string]members, len(rows))
	for _, t := range rows {
		if !bytes.Equal(termChecksum(t.term, g.ids, t.members), t.want) {
			return fmt.Errorf("%w: a term of %s has changed", ErrCorrupt, file)
		}
		g.terms[t.term] = t.members
	}
	for _, term := range g.info.Terms {
		if g.terms[term] == nil && len(g.ids) > 0 {
			return fmt.Errorf("%w: a term of %s is missing", ErrCorrupt, file)
		}
	}
	return nil
}

// termsOf is what a stored record tells of the builder's terms. Of one that was not read as usual the parent knows more, if it knows.
func (b *Builder) termsOf(known *device.TermReader, r Record) ([]device.Truth, error) {
	if known == nil {
		return nil, nil
	}
	told, err := known.Of(r.Body)
	if err != nil {
		return nil, err
	}
	out := make([]device.Truth, len(b.truths.terms))
	for i, term := range known.Terms() {
		at, asked := slices.BinarySearch(b.truths.terms, term)
		if asked && (r.State == StatePresent || b.parent == nil || b.parent.terms[term] == nil) {
			out[at] = told[i]
		}
	}
	return out, nil
}
