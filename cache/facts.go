package cache

import (
	"encoding/json"
	"fmt"
	"strings"

	"jamf-gateway/gateway/device"
)

// Facts are the values by which devices are filtered and sorted. They stand in tables beside the records:
//
//	fact   one row per device, a column for each device.Column that the profile of the source can give, with its name
//	many   one row per element of the columns that hold several values
//	other  where two columns nearly always have the same value, one stands in fact, and this has the values of the other one that differ
//
// meta "facts" lists the columns; in many and other they are named by their place in that list. meta "shared" tells which
// columns stand in another one's place. Files of older programs name the columns in many, and share none; or have no facts at all.
const sqlFactTables = `
CREATE TABLE many (fact INTEGER NOT NULL, id INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (fact, id, value)) WITHOUT ROWID;
CREATE TABLE other (id INTEGER NOT NULL, fact INTEGER NOT NULL, value, PRIMARY KEY (id, fact)) WITHOUT ROWID;
`

// indexedFacts are what single devices are looked up by; every other question reads the narrow table once and is kept.
var indexedFacts = []string{ //nolint:gochecknoglobals // a table
	"identity.serialNumber", "identity.udid", "name",
	"jamf:udid", "jamf:general.udid", "jamf:hardware.serialNumber", "jamf:general.name", "jamf:general.displayName",
}

const (
	metaFacts  = "facts"
	metaShared = "shared"
)

const (
	sqlPutMany     = `INSERT INTO many (fact, id, value) VALUES (?,?,?)`
	sqlPutOther    = `INSERT INTO other (id, fact, value) VALUES (?,?,?)`
	sqlDeleteOther = `DELETE FROM other WHERE id = ?`
	sqlDeleteFact  = `DELETE FROM fact WHERE id = ?`
)

// factTypes are SQLite's types of a column: an affinity keeps a number from being compared as a text.
var factTypes = map[device.ColumnType]string{ //nolint:gochecknoglobals // a table
	device.TextColumn: "TEXT", device.NumberColumn: "REAL", device.BoolColumn: "INTEGER", device.TimeColumn: "INTEGER",
}

// quoted is a name as SQL writes it.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// factsOf is device.Facts, with what it cannot answer as an error of the device.
func (b *Builder) factsOf(id int64, body []byte) ([]any, error) {
	if len(b.columns) == 0 {
		return nil, nil
	}
	facts, err := device.Facts(b.draft.Kind, b.columns, body)
	if err != nil {
		return nil, fmt.Errorf("find what device %d is filtered by: %w", id, err)
	}
	return facts, nil
}

func columnNames(columns []device.Column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return names
}

// factNames is what a file says of its facts.
type factNames struct {
	place  map[string]int // of each column
	shared map[string]shared
	coded  bool // many names columns by their place
}

// loadFacts reads which columns the file has.
func (g *Generation) loadFacts(meta map[string][]byte) error {
	raw, ok := meta[metaFacts]
	if !ok {
		return nil
	}
	var names []string
	if err := json.Unmarshal(raw, &names); err != nil {
		return fmt.Errorf("%w: the list of its columns: %w", ErrCorrupt, err)
	}
	g.facts = &factNames{place: make(map[string]int, len(names))}
	for i, name := range names {
		g.facts.place[name] = i
	}
	raw, g.facts.coded = meta[metaShared]
	if !g.facts.coded {
		return nil
	}
	if err := json.Unmarshal(raw, &g.facts.shared); err != nil {
		return fmt.Errorf("%w: which columns share one: %w", ErrCorrupt, err)
	}
	return nil
}

// has tells whether the file has a column.
func (f *factNames) has(name string) bool {
	if f == nil {
		return false
	}
	_, ok := f.place[name]
	return ok
}
