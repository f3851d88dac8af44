package cache

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"jamf-gateway/gateway/device"
)

// Facts are the values by which devices are filtered and sorted. They stand in two tables beside the records:
//
//	fact  one row per device, a column for each device.Column that the profile of the source can give
//	many  one row per element of the columns that hold several values
//
// Their names are those of device.Column; meta "facts" lists them. Files of older programs have none.
const sqlMany = `
CREATE TABLE many (id INTEGER NOT NULL, fact TEXT NOT NULL, value TEXT NOT NULL);
`

// indexedFacts are what single devices are looked up by; every other question reads the narrow table once and is kept.
var indexedFacts = []string{ //nolint:gochecknoglobals // a table
	"identity.serialNumber", "identity.udid", "name",
	"jamf:udid", "jamf:general.udid", "jamf:hardware.serialNumber", "jamf:general.name", "jamf:general.displayName",
}

// factIndexes are made after the load, as those of device are.
func factIndexes(columns []device.Column) string {
	var b strings.Builder
	b.WriteString("CREATE INDEX many_value ON many (fact, id, value);")
	for i, c := range columns {
		if slices.Contains(indexedFacts, c.Name) {
			fmt.Fprintf(&b, "CREATE INDEX fact_%d ON fact (%s) WHERE %s IS NOT NULL;", i, quoted(c.Name), quoted(c.Name))
		}
	}
	return b.String()
}

const metaFacts = "facts"

const (
	sqlPutMany    = `INSERT INTO many (id, fact, value) VALUES (?,?,?)`
	sqlDeleteMany = `DELETE FROM many WHERE id = ?`
	sqlDeleteFact = `DELETE FROM fact WHERE id = ?`
)

// factTypes are SQLite's types of a column: an affinity keeps a number from being compared as a text.
var factTypes = map[device.ColumnType]string{ //nolint:gochecknoglobals // a table
	device.TextColumn: "TEXT", device.NumberColumn: "REAL", device.BoolColumn: "INTEGER", device.TimeColumn: "INTEGER",
}

// factSchema makes the tables for these columns.
func factSchema(columns []device.Column) string {
	var b strings.Builder
	b.WriteString("CREATE TABLE fact (id INTEGER PRIMARY KEY")
	for _, c := range columns {
		if c.Type != device.ManyColumn {
			b.WriteString(", " + quoted(c.Name) + " " + factTypes[c.Type])
		}
	}
	b.WriteString(");")
	return b.String() + sqlMany
}

func sqlPutFact(columns []device.Column) string {
	single := 1 // the id
	for _, c := range columns {
		if c.Type != device.ManyColumn {
			single++
		}
	}
	return "INSERT OR REPLACE INTO fact VALUES (" + strings.TrimSuffix(strings.Repeat("?,", single), ",") + ")"
}

// quoted is a name as SQL writes it.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// putFacts writes the values of one device, also where there are none: every device has a row. fresh: it has none yet.
func (b *Builder) putFacts(ctx context.Context, id int64, facts []any, fresh bool) error {
	if !fresh {
		if _, err := b.stmts[sqlDeleteMany].ExecContext(ctx, id); err != nil {
			return err
		}
	}
	row := append(b.row[:0], id)
	for i, c := range b.columns {
		if c.Type != device.ManyColumn {
			row = append(row, facts[i])
			continue
		}
		values, _ := facts[i].([]string)
		for _, v := range values {
			if _, err := b.stmts[sqlPutMany].ExecContext(ctx, id, c.Name, v); err != nil {
				return err
			}
		}
	}
	b.row = row
	_, err := b.stmts[b.putFact].ExecContext(ctx, row...)
	return err
}

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
	g.facts = make(map[string]bool, len(names))
	for _, name := range names {
		g.facts[name] = true
	}
	return nil
}
