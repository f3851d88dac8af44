package cache

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"jamf-gateway/gateway/device"
)

// sharedAtMost is the part of the first records in which two columns may differ and still be written once.
const sharedAtMost = 0.05

// shared tells that a column stands in another one's place: on the devices in table other its value is the one there,
// on all others that of the column As.
type shared struct {
	As     string `json:"as"`
	Differ bool   `json:"differ,omitempty"` // false: on no device
}

// layout is how the facts of one generation stand in its file.
type layout struct {
	twin    []int  // of each column: the one that it shares, -1 = its own
	differs []bool // of each column: other has a value of it

	putFact, deleteMany string
}

// layOut makes the tables for facts. Which columns share one shows in what is pending.
func (b *Builder) layOut(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	b.layout = layout{twin: device.Twins(b.draft.Kind, b.columns), differs: make([]bool, len(b.columns))}
	for i, twin := range b.layout.twin {
		if twin < 0 {
			continue
		}
		differ := 0
		for _, p := range b.pending {
			if p.columns.Facts[i] != p.columns.Facts[twin] {
				differ++
			}
		}
		if float64(differ) > sharedAtMost*float64(len(b.pending)) {
			b.layout.twin[i] = -1
		}
	}
	if _, err := b.conn.ExecContext(ctx, b.layout.schema(b.columns)); err != nil {
		return err
	}
	b.layout.putFact = b.layout.sqlPut(b.columns)
	queries := []string{b.layout.putFact, sqlPutMany, sqlPutOther, sqlDeleteFact, sqlDeleteOther}
	if b.layout.deleteMany = sqlDeleteMany(b.columns); b.layout.deleteMany != "" {
		queries = append(queries, b.layout.deleteMany)
	}
	return b.prepare(ctx, queries...)
}

// own tells that a column stands in the table fact.
func (l layout) own(columns []device.Column, i int) bool {
	return columns[i].Type != device.ManyColumn && l.twin[i] < 0
}

func (l layout) schema(columns []device.Column) string {
	var b strings.Builder
	b.WriteString("CREATE TABLE fact (id INTEGER PRIMARY KEY")
	for i, c := range columns {
		if l.own(columns, i) {
			b.WriteString(", " + quoted(c.Name) + " " + factTypes[c.Type])
		}
	}
	b.WriteString(");")
	return b.String() + sqlFactTables
}

func (l layout) sqlPut(columns []device.Column) string {
	single := 1 // the id
	for i := range columns {
		if l.own(columns, i) {
			single++
		}
	}
	return "INSERT OR REPLACE INTO fact VALUES (" + strings.TrimSuffix(strings.Repeat("?,", single), ",") + ")"
}

// sqlDeleteMany finds the values of one device by the beginning of the key; "" where no column has several.
func sqlDeleteMany(columns []device.Column) string {
	var codes []string
	for i, c := range columns {
		if c.Type == device.ManyColumn {
			codes = append(codes, fmt.Sprint(i))
		}
	}
	if codes == nil {
		return ""
	}
	return "DELETE FROM many WHERE fact IN (" + strings.Join(codes, ",") + ") AND id = ?"
}

// indexes are made after the load, as those of device are.
func (l layout) indexes(columns []device.Column) string {
	var b strings.Builder
	for i, c := range columns {
		if l.own(columns, i) && slices.Contains(indexedFacts, c.Name) {
			fmt.Fprintf(&b, "CREATE INDEX fact_%d ON fact (%s) WHERE %s IS NOT NULL;", i, quoted(c.Name), quoted(c.Name))
		}
	}
	return b.String()
}

// describe is what a reader must know of it, by the names of the columns.
func (l layout) describe(columns []device.Column) map[string]shared {
	out := map[string]shared{}
	for i, twin := range l.twin {
		if twin >= 0 {
			out[columns[i].Name] = shared{As: columns[twin].Name, Differ: l.differs[i]}
		}
	}
	return out
}

// putFacts writes the values of one device, also where there are none: every device has a row. fresh: it has none yet.
func (b *Builder) putFacts(ctx context.Context, id int64, facts []any, fresh bool) error {
	if !fresh {
		if err := b.eraseFacts(ctx, id); err != nil {
			return err
		}
	}
	row := append(b.row[:0], id)
	for i, c := range b.columns {
		switch twin := b.layout.twin[i]; {
		case c.Type == device.ManyColumn:
			values, _ := facts[i].([]string)
			for _, v := range values {
				if _, err := b.stmts[sqlPutMany].ExecContext(ctx, i, id, v); err != nil {
					return err
				}
			}
		case twin < 0:
			row = append(row, facts[i])
		case facts[i] != facts[twin]:
			b.layout.differs[i] = true
			if _, err := b.stmts[sqlPutOther].ExecContext(ctx, id, i, facts[i]); err != nil {
				return err
			}
		}
	}
	b.row = row
	_, err := b.stmts[b.layout.putFact].ExecContext(ctx, row...)
	return err
}

// eraseFacts takes away what stands of a device beside its row.
func (b *Builder) eraseFacts(ctx context.Context, id int64) error {
	for _, query := range []string{sqlDeleteOther, b.layout.deleteMany} {
		if query == "" {
			continue
		}
		if _, err := b.stmts[query].ExecContext(ctx, id); err != nil {
			return err
		}
	}
	return nil
}
