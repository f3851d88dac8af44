package rsql_test

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/rsql"
)

// diff compares filters of different texts: all but the offsets. cmp is too slow to be asked where they are equal.
func diff(want, got rsql.Expr) string {
	want, got = unplaced(want), unplaced(got)
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return cmp.Diff(want, got)
}

func unplaced(e rsql.Expr) rsql.Expr {
	switch e := e.(type) {
	case rsql.And:
		out := make(rsql.And, len(e))
		for i := range e {
			out[i] = unplaced(e[i])
		}
		return out
	case rsql.Or:
		out := make(rsql.Or, len(e))
		for i := range e {
			out[i] = unplaced(e[i])
		}
		return out
	case rsql.Comparison:
		e.At, e.Values = 0, slices.Clone(e.Values)
		for i := range e.Values {
			e.Values[i].At = 0
		}
		return e
	}
	return e
}

func TestOneMeaningHasOneSpelling(t *testing.T) {
	for want, texts := range map[string][]string{
		`general.name==Orchard`:               {`general.name=="Orchard"`, `(general.name=='Orchard')`, ` general.name  ==  Orchard `},
		`a=lt=1;b=le=2`:                       {`a<1 and b<=2`, `(a=LT=1) AND (b=Le=2)`},
		`a=gt=1,b=ge=2`:                       {`a>1 or b>=2`, `((a=gt=1),b=ge=2)`},
		`a==1;b==2;c==3`:                      {`(a==1;b==2);c==3`, `a==1 and (b==2 and c==3)`},
		`a==1,b==2,c==3`:                      {`(a==1,b==2),c==3`, `a==1 or (b==2 or c==3)`},
		`a==1;(b==2,c==3)`:                    {`(a==1) and ( b==2 or c==3 )`},
		`a==1,b==2;c==3`:                      {`a==1 or (b==2 and c==3)`},
		`a=in=(1,"x y",*z)`:                   {`a =IN= ( "1" , 'x y' , "*z" )`},
		`a==""`:                               {`a==''`},
		`a=="it's \"so\" \\ \*";b==*`:         {`a=='it\'s "so" \\ \*' ; b=="*"`},
		`a=="DOMAIN\\user"`:                   {`a==DOMAIN\user`, `a=='DOMAIN\\user'`},
		`a=="\*"`:                             {`a==\*`, `a=='\*'`},
		`a=="Käse"`:                           {`a==Käse`, `a=='Käse'`},
		`a==2024-06-19T15:54:37.690+02:00/@_`: {`a=="2024-06-19T15:54:37.690+02:00/@_"`},
	} {
		for _, text := range append(texts, want) {
			e, err := rsql.Parse(text)
			if err != nil {
				t.Errorf("%s: %v", text, err)
				continue
			}
			if got := rsql.Canonical(e); got != want {
				t.Errorf("%s is spelled %s, not %s", text, got, want)
			}
		}
	}
}

func TestCanonicalDissolvesWhatOnlyCodeCanBuild(t *testing.T) {
	a, b, c := is(0, "a", rsql.Equal, 0, "1"), is(0, "b", rsql.Equal, 0, "2"), is(0, "c", rsql.Equal, 0, "3")
	for want, e := range map[string]rsql.Expr{
		"a==1;b==2;c==3":   rsql.And{a, rsql.And{b, c}},
		"a==1,b==2,c==3":   rsql.Or{rsql.Or{a, b}, c},
		"a==1;(b==2,c==3)": rsql.And{a, rsql.Or{rsql.Or{b, c}}},
		"a==1;b==2,c==3":   rsql.And{rsql.Or{rsql.And{a, b}, c}},
		"a==1;b==2":        rsql.And{a, rsql.Or{b}},
		"b==2":             rsql.Or{rsql.And{b}},
	} {
		if got := rsql.Canonical(e); got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
}

// shape draws filters that Parse could have returned.
type shape struct{ *rand.Rand }

func (s shape) filter(depth int, notAnd, notOr bool) rsql.Expr {
	if depth == 0 || s.IntN(3) == 0 || notAnd && notOr {
		return s.comparison()
	}
	and := notOr || !notAnd && s.IntN(2) == 0
	var members []rsql.Expr
	for range 2 + s.IntN(3) {
		members = append(members, s.filter(depth-1, and, !and))
	}
	if and {
		return rsql.And(members)
	}
	return rsql.Or(members)
}

func (s shape) comparison() rsql.Comparison {
	selectors := []string{"a", "general.name", "and", "or", "X_1.", "in"}
	c := rsql.Comparison{Selector: selectors[s.IntN(len(selectors))], Op: rsql.Equal + rsql.Op(s.IntN(int(rsql.Out)))}
	n := 1
	if c.Op == rsql.In || c.Op == rsql.Out {
		n += s.IntN(4)
	}
	for range n {
		var parts []string
		for range 1 + s.IntN(3) {
			parts = append(parts, s.text())
		}
		c.Values = append(c.Values, rsql.Value{Text: strings.Join(parts, "*"), Parts: parts})
	}
	return c
}

func (s shape) text() string {
	signs := []rune(`ab1 *\"'();,=!~<>|-.:/+@äß` + "\u00a0\u202e👩")
	text := make([]rune, s.IntN(6))
	for i := range text {
		text[i] = signs[s.IntN(len(signs))]
	}
	return string(text)
}

func TestAnyFilterSurvivesItsCanonicalSpelling(t *testing.T) {
	s := shape{rand.New(rand.NewPCG(1, 2))}
	for range 5_000 {
		e := s.filter(3, false, false)
		text := rsql.Canonical(e)
		got, err := rsql.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := diff(e, got); diff != "" {
			t.Fatalf("%s (-want +got)\n%s", text, diff)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`general.name=="*Mac*"`,
		`(id==1 or id=in=(2,"3")) and general.reportDate>="2026-11-19T00:00:00Z"`,
		`udid=out=('a',b);general.supervised!=true`,
		`name=="*ipad*",serialNumber=="*ipad*",udid=="*ipad*"`,
		`a=="\*\"\\*";b<\*x*,c=GE=DOMAIN\user`,
		"((((((((((",
		`a=in=(A | B)`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := rsql.Parse(text)
		if err != nil {
			checkRefusal(t, text, e, err)
			return
		}
		checkOffsets(t, text, e)
		canonical := rsql.Canonical(e)
		again, err := rsql.Parse(canonical)
		if err != nil {
			t.Fatalf("%q, spelled %q: %v", text, canonical, err)
		}
		if diff := diff(e, again); diff != "" {
			t.Fatalf("%q, spelled %q (-want +got)\n%s", text, canonical, diff)
		}
		if twice := rsql.Canonical(again); twice != canonical {
			t.Fatalf("%q is spelled %q and %q", text, canonical, twice)
		}
	})
}

func checkRefusal(t *testing.T, text string, e rsql.Expr, err error) {
	t.Helper()
	var syntax *rsql.SyntaxError
	if !errors.As(err, &syntax) || e != nil {
		t.Fatalf("%q: %v, %v", text, e, err)
	}
	if syntax.At < 0 || syntax.At > len(text) {
		t.Fatalf("%q: byte %d", text, syntax.At)
	}
	if n := utf8.RuneCountInString(syntax.Problem); n == 0 || n > 120 || strings.ContainsFunc(syntax.Problem, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Fatalf("%q: %q", text, syntax.Problem)
	}
}

func checkOffsets(t *testing.T, text string, e rsql.Expr) {
	t.Helper()
	all, before := rsql.Selectors(e), -1
	if len(all) == 0 || len(all) > rsql.MaxComparisons {
		t.Fatalf("%q: %d comparisons", text, len(all))
	}
	for _, c := range all {
		if c.At <= before || !strings.HasPrefix(text[c.At:], c.Selector) {
			t.Fatalf("%q: %s at byte %d", text, c.Selector, c.At)
		}
		before = c.At
		if n := len(c.Values); n == 0 || n > rsql.MaxValues || n > 1 && c.Op != rsql.In && c.Op != rsql.Out {
			t.Fatalf("%q: %s has %d values", text, c.Op, n)
		}
		for _, v := range c.Values {
			if v.At <= before || v.At >= len(text) || strings.Join(v.Parts, "*") != v.Text {
				t.Fatalf("%q: value %q of %q at byte %d", text, v.Text, v.Parts, v.At)
			}
			before = v.At
		}
	}
}
