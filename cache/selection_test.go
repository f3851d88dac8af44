package cache_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/rsql"
)

// factual makes n computers whose facts repeat, are missing, differ in case and hold signs that mean something to SQL.
func factual(n int, random *rand.Rand) []row {
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	rows := make([]row, n)
	for i := range rows {
		id := int64(2*i + 1)
		name := pick(`"Mac %d"`, `"mac"`, `"MÜLLER"`, `"Müller"`, `"100%%"`, `"a_b"`, `"axb"`, `"back\\slash"`, `"nul\u0000inside"`, `""`, `null`)
		if strings.Contains(name, "%d") {
			name = fmt.Sprintf(name, i%7)
		}
		rows[i] = row{id: id, state: cache.StatePresent, body: fmt.Sprintf(
			`{"id":"%d","udid":"%s","general":{"name":%s,"supervised":%s,"reportDate":%s,"barcode1":%s,"barcode2":%s},`+
				`"hardware":{"serialNumber":"S%04d"},"purchasing":{"lifeExpectancy":%s}}`,
			id, udid(id), strings.ReplaceAll(name, "%%", "%"), pick("true", "false", "null"),
			pick("null", `"2026-11-20T08:00:00Z"`, `"2026-11-20T08:00:00.5Z"`, `"2024-01-01T00:00:00Z"`),
			pick("null", `"K1"`, `"k2"`), pick("null", `"K1"`), i%50, pick("null", "0", "3", "3.5", "12"))}
	}
	return rows
}

// facts is what the evaluator of this test goes by: device's own answer for each record, without a database.
func factsOf(t testing.TB, g *cache.Generation, rows []row) map[int64]map[string]any {
	t.Helper()
	columns := device.FactColumns(g.Info().Kind, g.Info().ProfilePaths)
	all := map[int64]map[string]any{}
	for _, r := range rows {
		values, err := device.Facts(g.Info().Kind, columns, []byte(r.body))
		if err != nil {
			t.Fatal(err)
		}
		all[r.id] = map[string]any{"id": r.id}
		for i, c := range columns {
			all[r.id][c.Name] = values[i]
		}
	}
	return all
}

// holds evaluates a condition over one record's facts.
func holds(c device.Condition, facts map[string]any) bool {
	switch {
	case len(c.All) > 0:
		return !slices.ContainsFunc(c.All, func(c device.Condition) bool { return !holds(c, facts) })
	case len(c.Any) > 0:
		return slices.ContainsFunc(c.Any, func(c device.Condition) bool { return holds(c, facts) })
	case c.Op == 0:
		return true
	}
	v := facts[c.Column.Name]
	switch c.Op {
	case rsql.Equal, rsql.In:
		return slices.ContainsFunc(c.Operands, func(o device.Operand) bool { return equals(c.Column.Type, v, o) })
	case rsql.NotEqual, rsql.Out:
		return !slices.ContainsFunc(c.Operands, func(o device.Operand) bool { return equals(c.Column.Type, v, o) })
	}
	if v == nil {
		return false
	}
	sign := compared(v, c.Column.Type, c.Operands[0])
	return map[rsql.Op]bool{rsql.Less: sign < 0, rsql.LessOrEqual: sign <= 0, rsql.Greater: sign > 0, rsql.GreaterOrEqual: sign >= 0}[c.Op]
}

func compared(v any, t device.ColumnType, o device.Operand) int {
	switch x := v.(type) {
	case string:
		return strings.Compare(x, o.Parts[0])
	case float64:
		return cmpNumber(x, o.Number)
	case int64:
		return cmpNumber(float64(x), float64(o.Int))
	}
	panic(fmt.Sprint(t))
}

func cmpNumber(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func equals(t device.ColumnType, v any, o device.Operand) bool {
	if many, ok := v.([]string); ok {
		return slices.ContainsFunc(many, func(s string) bool { return equals(device.TextColumn, s, o) })
	}
	switch {
	case len(o.Parts) > 1:
		s, ok := v.(string)
		return v != nil && (!ok || matches(s, o.Parts))
	case v == nil:
		return false
	}
	return compared(v, t, o) == 0
}

func matches(s string, parts []string) bool {
	rest, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	for _, p := range parts[1 : len(parts)-1] {
		at := strings.Index(rest, p)
		if at < 0 {
			return false
		}
		rest = rest[at+len(p):]
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}

func randomCondition(random *rand.Rand, columns []device.Column, depth int) device.Condition {
	if depth > 0 && random.IntN(3) > 0 {
		list := make([]device.Condition, 1+random.IntN(3))
		for i := range list {
			list[i] = randomCondition(random, columns, depth-1)
		}
		if random.IntN(2) == 0 {
			return device.Condition{All: list}
		}
		return device.Condition{Any: list}
	}
	c := device.Condition{Column: columns[random.IntN(len(columns))]}
	ops := []rsql.Op{rsql.Equal, rsql.NotEqual, rsql.In, rsql.Out, rsql.Less, rsql.LessOrEqual, rsql.Greater, rsql.GreaterOrEqual}
	if c.Column.Type == device.ManyColumn {
		ops = ops[:4]
	}
	c.Op = ops[random.IntN(len(ops))]
	n := 1
	if c.Op == rsql.In || c.Op == rsql.Out {
		n += random.IntN(3)
	}
	for range n {
		c.Operands = append(c.Operands, randomOperand(random, c))
	}
	return c
}

func randomOperand(random *rand.Rand, c device.Condition) device.Operand {
	star := c.Op != rsql.Less && c.Op != rsql.LessOrEqual && c.Op != rsql.Greater && c.Op != rsql.GreaterOrEqual
	switch c.Column.Type {
	case device.NumberColumn:
		return device.Operand{Parts: []string{"x"}, Number: []float64{0, 3, 3.5, 12, 99}[random.IntN(5)]}
	case device.BoolColumn:
		return device.Operand{Parts: []string{"x"}, Int: int64(random.IntN(2))}
	case device.TimeColumn:
		return device.Operand{Parts: []string{"x"}, Int: []int64{1_704_067_200_000, 1_795_334_400_000, 1_795_334_400_500}[random.IntN(3)]}
	case device.IDColumn:
		return device.Operand{Parts: []string{"x"}, Int: int64(random.IntN(80))}
	}
	texts := [][]string{{"mac"}, {"müller"}, {"100%"}, {"a_b"}, {`back\slash`}, {"k1"}, {"s0007"}}
	stars := [][]string{{"", ""}, {"m", ""}, {"", "ü", ""}, {"a_", ""}, {"", "%"}, {"", `\`, ""}, {"s00", "1", ""}, {"k", ""}, {"", "inside"}, {"nul", "e"}}
	if star && random.IntN(2) == 0 {
		return device.Operand{Parts: stars[random.IntN(len(stars))]}
	}
	return device.Operand{Parts: texts[random.IntN(len(texts))]}
}

func randomOrder(random *rand.Rand, columns []device.Column) []device.Order {
	var orders []device.Order
	for range random.IntN(4) {
		if c := columns[random.IntN(len(columns))]; c.Type != device.ManyColumn {
			orders = append(orders, device.Order{Column: c, Descending: random.IntN(2) == 0})
		}
	}
	return orders
}

// factDraft is a draft whose generation keeps everything.
func publishFacts(t testing.TB, s *cache.Store, q cache.Series, rows []row) *cache.Generation {
	t.Helper()
	ctx := context.Background()
	d := draft(q, s.LastNumber(q))
	d.ProfilePaths = profile(t, "full").Paths(q.Kind)
	b, err := s.Begin(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Abort()
	for _, r := range rows {
		if err := b.Put(ctx, r.id, []byte(r.body), r.columns, r.state); err != nil {
			t.Fatal(err)
		}
	}
	c, err := b.Finish(ctx, cache.Outcome{Ended: ended, ReportedTotal: len(rows)})
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.Publish(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Release)
	return g
}

// expected is what a selection over the parts must be, by the evaluator.
func expected(t testing.TB, parts []cache.Part, facts []map[int64]map[string]any) []cache.Place {
	t.Helper()
	places := []cache.Place{}
	for i, p := range parts {
		for id, f := range facts[i] {
			if holds(p.Where, f) {
				places = append(places, cache.Place{Part: i, ID: id})
			}
		}
	}
	slices.SortFunc(places, func(a, b cache.Place) int {
		for _, o := range parts[0].Order {
			if c := compareFacts(facts[a.Part][a.ID][o.Column.Name], facts[b.Part][b.ID][o.Column.Name]); c != 0 {
				if o.Descending {
					return -c
				}
				return c
			}
		}
		if a.Part != b.Part {
			return a.Part - b.Part
		}
		return int(a.ID - b.ID)
	})
	return places
}

func compareFacts(a, b any) int {
	switch {
	case a == nil || b == nil:
		return cmpNumber(map[bool]float64{true: 0, false: 1}[a == nil], map[bool]float64{true: 0, false: 1}[b == nil])
	case fmt.Sprintf("%T", a) == "string":
		return strings.Compare(a.(string), b.(string))
	case fmt.Sprintf("%T", a) == "float64":
		return cmpNumber(a.(float64), b.(float64))
	}
	return cmpNumber(float64(a.(int64)), float64(b.(int64)))
}

func TestSelectionsAgreeWithAnEvaluatorThatKnowsNoDatabase(t *testing.T) {
	ctx := context.Background()
	random := rand.New(rand.NewPCG(7, 7))
	s := openStore(t, options(t.TempDir()))
	var gens []*cache.Generation
	var facts []map[int64]map[string]any
	for _, q := range []cache.Series{computers, others} {
		rows := factual(400, random)
		g := publishFacts(t, s, q, rows)
		gens, facts = append(gens, g), append(facts, factsOf(t, g, rows))
	}
	columns := append(device.FactColumns(device.Computer, gens[0].Info().ProfilePaths), device.Column{Name: "id", Type: device.IDColumn})
	columns = slices.DeleteFunc(columns, func(c device.Column) bool { // of the others the rows hold nothing
		return !slices.ContainsFunc([]string{"general.name", "supervised", "reportDate", "barcode", "serialNumber", "lifeExpectancy", "id", "name", "udid"},
			func(part string) bool { return strings.HasSuffix(c.Name, part) || strings.Contains(c.Name, "barcode") })
	})
	if len(columns) < 10 {
		t.Fatalf("only %d columns", len(columns))
	}
	hits := 0
	for i := range 300 {
		parts := []cache.Part{{Generation: gens[i%2], Where: randomCondition(random, columns, 3), Order: randomOrder(random, columns)}}
		of := facts[i%2 : i%2+1]
		if i%3 == 0 {
			second := parts[0]
			second.Generation = gens[1-i%2]
			parts, of = append(parts, second), []map[int64]map[string]any{facts[i%2], facts[1-i%2]}
		}
		got, err := s.Select(ctx, parts)
		if err != nil {
			t.Fatalf("%+v: %v", parts[0].Where, err)
		}
		want := expected(t, parts, of)
		if diff := cmp.Diff(want, append([]cache.Place{}, got.Places(0, got.Len())...)); diff != "" {
			t.Fatalf("where %+v\norder %+v\n%s", parts[0].Where, parts[0].Order, diff)
		}
		if len(want) > 0 && len(want) < 400 {
			hits++
		}
	}
	if hits < 50 {
		t.Errorf("only %d of the questions tell anything", hits)
	}
}

func TestASelectionIsKeptAndComesBackTheSameWhenItWasForgotten(t *testing.T) {
	ctx := context.Background()
	s := openStore(t, options(t.TempDir()))
	g := publishFacts(t, s, computers, factual(700, rand.New(rand.NewPCG(1, 2))))
	name := device.Column{Name: "jamf:general.name", Type: device.TextColumn}
	parts := []cache.Part{{Generation: g, Order: []device.Order{{Column: name, Descending: true}}}}
	first, err := s.Select(ctx, parts)
	if err != nil {
		t.Fatal(err)
	}
	s.Settle()
	for i, step := range []func(){func() {}, s.Flush} {
		step()
		again, err := s.Select(ctx, parts)
		if err != nil || cmp.Diff(first.Places(0, 700), again.Places(0, 700)) != "" {
			t.Errorf("step %d: another order: %v", i, err)
		}
	}
	if hits, misses := s.SelectionLookups(); hits != 1 || misses != 2 {
		t.Errorf("%d hits, %d misses", hits, misses)
	}
	if places := first.Places(690, 100); len(places) != 10 {
		t.Errorf("%d places at the end", len(places))
	}
	records, err := g.Records(ctx, []int64{first.Places(5, 1)[0].ID, first.Places(0, 1)[0].ID})
	if err != nil || records[0].ID != first.Places(5, 1)[0].ID {
		t.Errorf("%v, %v", records, err)
	}
	if _, err := g.Records(ctx, []int64{2}); err == nil {
		t.Error("a device that there is not is read")
	}
}

func TestFactsThatAreMissingAreDamageAndNoShorterList(t *testing.T) {
	ctx := context.Background()
	for name, statement := range map[string]string{
		"a row less": `DELETE FROM fact WHERE id = 101`, "a strange row": `INSERT INTO fact (id) VALUES (2)`,
	} {
		dir := t.TempDir()
		s := openStore(t, options(dir))
		g := publishFacts(t, s, computers, factual(700, rand.New(rand.NewPCG(1, 2))))
		damage(t, dir, g, statement)
		_, err := s.Select(ctx, []cache.Part{{Generation: g, Order: []device.Order{{Column: device.Column{Name: "name", Type: device.TextColumn}}}}})
		if err == nil {
			t.Errorf("%s: nothing is said", name)
		}
		wantError(t, err, cache.ErrCorrupt)
	}
}

func TestAGenerationWithoutFactsSaysSo(t *testing.T) {
	ctx := context.Background()
	s := openStore(t, options(t.TempDir()))
	publish(t, s, computers, fleet(10, 1)) // no profile paths: no columns
	g := acquire(t, s, computers)
	where := device.Condition{Column: device.Column{Name: "name", Type: device.TextColumn}, Op: rsql.Equal, Operands: []device.Operand{{Parts: []string{"x"}}}}
	_, err := s.Select(ctx, []cache.Part{{Generation: g, Where: where}})
	wantError(t, err, cache.ErrNoFacts)
	byID := device.Condition{Column: device.Column{Name: "id", Type: device.IDColumn}, Op: rsql.Equal, Operands: []device.Operand{{Int: 4}}}
	if found, err := s.Select(ctx, []cache.Part{{Generation: g, Where: byID}}); err != nil || found.Len() != 1 {
		t.Errorf("by id: %d, %v", found.Len(), err)
	}
	if again := acquire(t, s, computers); again.Info().Number != g.Info().Number {
		t.Error("it counts as damaged")
	}
	many := where
	many.Op, many.Operands = rsql.In, nil
	for i := range 41 {
		many.Operands = append(many.Operands, device.Operand{Parts: []string{"", fmt.Sprint(i), ""}})
	}
	full := publishFacts(t, s, others, factual(10, rand.New(rand.NewPCG(1, 2))))
	_, err = s.Select(ctx, []cache.Part{{Generation: full, Where: many}})
	wantError(t, err, cache.ErrTooComplex)
	deep := device.Condition{}
	for range 19 {
		deep = device.Condition{Any: append(slices.Repeat([]device.Condition{where}, 10), deep)}
	}
	if _, err = s.Select(ctx, []cache.Part{{Generation: full, Where: deep}}); err != nil {
		t.Errorf("a deep and long filter: %v", err)
	}
}

// damage changes the file of a generation behind its back.
func damage(t *testing.T, dir string, g *cache.Generation, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", generationFile(dir, g.Info().Series, g.Info().Number))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

// One device is found by its serial number, UDID or name through an index: a scan of 100,000 rows takes 30 ms.
func TestSingleDevicesAreLookedUpByAnIndex(t *testing.T) {
	ctx := context.Background()
	s := openStore(t, options(t.TempDir()))
	found := 0
	for _, rows := range [][]row{nil, alike(1200)} {
		for _, q := range []cache.Series{computers, mobiles} {
			if q == mobiles && rows != nil {
				continue // they are computers
			}
			g := publishFacts(t, s, q, rows)
			for _, c := range device.FactColumns(q.Kind, g.Info().ProfilePaths) {
				if !slices.Contains([]string{"identity.serialNumber", "identity.udid", "name", "jamf:hardware.serialNumber", "jamf:udid", "jamf:general.name", "jamf:general.udid", "jamf:general.displayName"}, c.Name) {
					continue
				}
				found++
				plan, err := g.Plan(ctx, cache.Part{Generation: g, Where: device.Condition{Column: c, Op: rsql.Equal, Operands: []device.Operand{{Parts: []string{"x"}}}}})
				if text := strings.Join(plan, "; "); err != nil || !strings.Contains(text, "SEARCH fact USING") || strings.Contains(text, "SCAN fact") {
					t.Errorf("%s: %s, %v", c.Name, text, err)
				}
			}
		}
	}
	if found != 18 {
		t.Errorf("%d columns were looked at", found)
	}
}

// Mapping again gives a generation of an older program the facts that it has not.
func TestRemapDerivesTheFacts(t *testing.T) {
	ctx := context.Background()
	s := openStore(t, options(t.TempDir()))
	publishFacts(t, s, computers, factual(50, rand.New(rand.NewPCG(1, 2))))
	g, err := s.Remap(ctx, computers, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Release()
	serial := device.Condition{Column: device.Column{Name: "identity.serialNumber", Type: device.TextColumn}, Op: rsql.Equal, Operands: []device.Operand{{Parts: []string{"s0007"}}}}
	found, err := s.Select(ctx, []cache.Part{{Generation: g, Where: serial}})
	if err != nil || cmp.Diff([]cache.Place{{ID: 15}}, found.Places(0, 9)) != "" {
		t.Errorf("%v, %v", found.Places(0, 9), err)
	}
}

// However many long queries there are, a connection is left for those who read a page or a device.
func TestSelectionsLeaveAConnectionForSingleReads(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	g := publishFacts(t, s, computers, factual(50, rand.New(rand.NewPCG(1, 2))))
	end := g.Scan()
	ctx, cancel := context.WithCancel(context.Background())
	waiting := make(chan error)
	parts := []cache.Part{{Generation: g, Order: []device.Order{{Column: device.Column{Name: "name", Type: device.TextColumn}}}}}
	go func() {
		_, err := s.Select(ctx, parts)
		waiting <- err
	}()
	if _, err := g.Get(context.Background(), 1); err != nil {
		t.Errorf("a single read: %v", err)
	}
	select {
	case err := <-waiting:
		t.Errorf("one selection too many ran: %v", err)
	default:
	}
	cancel()
	wantError(t, <-waiting, context.Canceled)
	end()
	if _, err := s.Select(context.Background(), parts); err != nil {
		t.Error(err)
	}
}

// What SQLite cannot do for reasons of its own fails one request; it says nothing about the file.
func TestAQueryThatSQLiteCannotRunIsNoDamage(t *testing.T) {
	s := openStore(t, options(t.TempDir()))
	g := publishFacts(t, s, computers, factual(50, rand.New(rand.NewPCG(1, 2))))
	if err := g.Query(context.Background(), "SELECT nothing FROM nowhere"); err == nil || errors.Is(err, cache.ErrCorrupt) {
		t.Errorf("%v", err)
	}
	if again := acquire(t, s, computers); again.Info().Number != g.Info().Number {
		t.Error("the generation is set aside")
	}
}

// A pattern of many stars over a long text that almost fits takes one search, and not one for each way to fit.
func TestAPatternOfManyStarsIsMatchedInOneSearch(t *testing.T) {
	long := strings.Repeat("a", 200_000)
	if cache.Matches(long, strings.Repeat("a\x01", 2000)+"b") || !cache.Matches(long+"b", "\x01"+strings.Repeat("a\x01", 2000)+"b") {
		t.Error("wrong answer")
	}
	for pattern, want := range map[string]bool{"abc": true, "a\x01": true, "\x01c": true, "a\x01c": true, "ab\x01bc": false, "\x01b\x01": true, "\x01\x01": true, "": false, "b\x01": false} {
		if cache.Matches("abc", pattern) != want {
			t.Errorf("%q", pattern)
		}
	}
}
