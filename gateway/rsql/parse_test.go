package rsql_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/rsql"
)

// is makes a comparison without stars.
func is(at int, selector string, op rsql.Op, valueAt int, text string) rsql.Comparison {
	return rsql.Comparison{Selector: selector, Op: op, Values: []rsql.Value{{Text: text, Parts: []string{text}, At: valueAt}}, At: at}
}

func TestFilters(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want rsql.Expr
	}{
		"the example of Jamf's document": {`general.name=="Orchard"`, is(0, "general.name", rsql.Equal, 14, "Orchard")},
		"the delta filter of Elastic": {
			`general.reportDate>="2024-06-19T15:54:37.690Z"`,
			is(0, "general.reportDate", rsql.GreaterOrEqual, 20, "2024-06-19T15:54:37.690Z"),
		},
		"an and binds stronger than an or before it": {
			`a==1,b==2;c==3`,
			rsql.Or{is(0, "a", rsql.Equal, 3, "1"), rsql.And{is(5, "b", rsql.Equal, 8, "2"), is(10, "c", rsql.Equal, 13, "3")}},
		},
		"an and binds stronger than an or after it": {
			`a==1 and b==2 or c==3`,
			rsql.Or{rsql.And{is(0, "a", rsql.Equal, 3, "1"), is(9, "b", rsql.Equal, 12, "2")}, is(17, "c", rsql.Equal, 20, "3")},
		},
		"parentheses bind strongest": {
			`a==1;(b==2,c==3)`,
			rsql.And{is(0, "a", rsql.Equal, 3, "1"), rsql.Or{is(6, "b", rsql.Equal, 9, "2"), is(11, "c", rsql.Equal, 14, "3")}},
		},
		"an and in an and dissolves": {
			`((a==1);(b==2;(c==3)))`,
			rsql.And{is(2, "a", rsql.Equal, 5, "1"), is(9, "b", rsql.Equal, 12, "2"), is(15, "c", rsql.Equal, 18, "3")},
		},
		"an or in an or dissolves": {
			`(a==1,b==2) or (c==3)`,
			rsql.Or{is(1, "a", rsql.Equal, 4, "1"), is(6, "b", rsql.Equal, 9, "2"), is(16, "c", rsql.Equal, 19, "3")},
		},
		"words stand in any case and beside parentheses": {
			`(a==1)AnD(b==2)oR(c==3)`,
			rsql.Or{rsql.And{is(1, "a", rsql.Equal, 4, "1"), is(10, "b", rsql.Equal, 13, "2")}, is(18, "c", rsql.Equal, 21, "3")},
		},
		"words are selectors and values elsewhere": {
			`and==or or or==and`,
			rsql.Or{is(0, "and", rsql.Equal, 5, "or"), is(11, "or", rsql.Equal, 15, "and")},
		},
		"blanks and tabs stand around everything": {
			"\t ( a \t== 1 ; b =in= ( 2 , \"3\" ) ) ",
			rsql.And{
				is(4, "a", rsql.Equal, 10, "1"),
				rsql.Comparison{Selector: "b", Op: rsql.In, At: 14, Values: []rsql.Value{
					{Text: "2", Parts: []string{"2"}, At: 23},
					{Text: "3", Parts: []string{"3"}, At: 27},
				}},
			},
		},
		"a list may hold one value":    {`a=out=(1)`, is(0, "a", rsql.Out, 7, "1")},
		"a quoted value may be empty":  {`a==''`, is(0, "a", rsql.Equal, 3, "")},
		"a bare value may hold much":   {`a==Käse:-./+@#%&|_`, is(0, "a", rsql.Equal, 3, "Käse:-./+@#%&|_")},
		"a bare backslash is itself":   {`a==DOMAIN\user`, is(0, "a", rsql.Equal, 3, `DOMAIN\user`)},
		"a quoted value may hold all":  {`a=="x;y,(z) and 'b'==<>"`, is(0, "a", rsql.Equal, 3, `x;y,(z) and 'b'==<>`)},
		"a backslash escapes the mark": {`a=='it\'s \"a\\b\" \ä'`, is(0, "a", rsql.Equal, 3, `it's "a\b" ä`)},
		"a selector may hold digits":   {`a_1.B2.==1`, is(0, "a_1.B2.", rsql.Equal, 9, "1")},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := rsql.Parse(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got)\n%s", c.text, diff)
			}
		})
	}
}

func TestOperatorsHaveSpellings(t *testing.T) {
	for spelling, want := range map[string]rsql.Op{
		"==": rsql.Equal, "!=": rsql.NotEqual, "<": rsql.Less, "=lt=": rsql.Less, "<=": rsql.LessOrEqual, "=le=": rsql.LessOrEqual,
		">": rsql.Greater, "=gt=": rsql.Greater, ">=": rsql.GreaterOrEqual, "=ge=": rsql.GreaterOrEqual,
		"=in=": rsql.In, "=out=": rsql.Out, "=LT=": rsql.Less, "=oUt=": rsql.Out,
	} {
		value := "1"
		if want == rsql.In || want == rsql.Out {
			value = "(1)"
		}
		got, err := rsql.Parse("a" + spelling + value)
		if err != nil {
			t.Errorf("%s: %v", spelling, err)
			continue
		}
		if op := got.(rsql.Comparison).Op; op != want {
			t.Errorf("%s was read as %s", spelling, op)
		}
	}
	if got := rsql.Op(0).String(); got != "Op(0)" {
		t.Errorf("no operator is spelled %s", got)
	}
}

func TestStarsPartValuesUnlessEscaped(t *testing.T) {
	for value, want := range map[string]rsql.Value{
		`*`:            {Text: "*", Parts: []string{"", ""}},
		`Mac`:          {Text: "Mac", Parts: []string{"Mac"}},
		`*Mac*`:        {Text: "*Mac*", Parts: []string{"", "Mac", ""}},
		`"*Mac* 1"`:    {Text: "*Mac* 1", Parts: []string{"", "Mac", " 1"}},
		`a**b`:         {Text: "a**b", Parts: []string{"a", "", "b"}},
		`"\*Mac*"`:     {Text: "*Mac*", Parts: []string{"*Mac", ""}},
		`\*Mac*`:       {Text: "*Mac*", Parts: []string{"*Mac", ""}},
		`'\\*'`:        {Text: `\*`, Parts: []string{`\`, ""}},
		`\\*`:          {Text: `\*`, Parts: []string{`\*`}},
		`a\b*c`:        {Text: `a\b*c`, Parts: []string{`a\b`, "c"}},
		`"\*"`:         {Text: "*", Parts: []string{"*"}},
		`"a\"*\"\*ü*"`: {Text: `a"*"*ü*`, Parts: []string{`a"`, `"*ü`, ""}},
	} {
		got, err := rsql.Parse("n==" + value)
		if err != nil {
			t.Errorf("%s: %v", value, err)
			continue
		}
		want.At = 3
		if diff := cmp.Diff(want, got.(rsql.Comparison).Values[0]); diff != "" {
			t.Errorf("%s (-want +got)\n%s", value, diff)
		}
	}
}

func TestWhatIsNoFilterIsRefusedWithItsPlace(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		at      int
		problem string
	}{
		"an empty text":                          {``, 0, "the filter is empty"},
		"a blank text":                           {" \t ", 0, "the filter is empty"},
		"a selector alone":                       {`general.name`, 12, "one of == != =lt= =le= =gt= =ge= =in= =out= is missing at the end"},
		"a selector that begins with a digit":    {`a==1;1b==2`, 5, "a comparison must begin with a letter, but here is: 1b==2"},
		"a quoted selector":                      {`"a"==1`, 0, `a comparison must begin with a letter, but here is: "a"==1`},
		"a selector with a hyphen":               {`a-b==1`, 1, "one of == != =lt= =le= =gt= =ge= =in= =out= must stand here, but here is: -b==1"},
		"an unknown operator":                    {`a=like=1`, 1, "one of == != =lt= =le= =gt= =ge= =in= =out= must stand here, but here is: =like=1"},
		"a lone equals sign":                     {`a = "1"`, 2, "= is not an operator, equality is =="},
		"an equals sign at the end":              {`a=`, 1, "= is not an operator, equality is =="},
		"a third equals sign":                    {`a===1`, 3, "a value with = must stand in quotes"},
		"blanks within an operator":              {`a= =1`, 1, "= is not an operator, equality is =="},
		"no value":                               {`a==`, 3, `a value is missing, an empty one is written ""`},
		"no value before a connective":           {`a== ;b==1`, 4, `a value is missing, an empty one is written ""`},
		"a list for one value":                   {`a==(1)`, 3, "== takes one value, a list goes with =in= or =out="},
		"one value for a list":                   {`a=in=1`, 5, "=in= takes a list in parentheses, as in =in=(a,b)"},
		"nothing for a list":                     {`a=OUT=`, 6, "=out= takes a list in parentheses, as in =out=(a,b)"},
		"an empty list":                          {`a=in=()`, 6, `a value is missing, an empty one is written ""`},
		"an empty place in a list":               {`a=in=(1,,2)`, 8, `a value is missing, an empty one is written ""`},
		"a comma at the end of a list":           {`a=in=(1,)`, 8, `a value is missing, an empty one is written ""`},
		"an open list":                           {`a=in=(1`, 5, "this list is not closed"},
		"a list that opens at the end":           {`a=in=(`, 5, "this list is not closed"},
		"values without a comma":                 {`a=in=(1 2)`, 8, "a comma or a closing parenthesis must stand here, but here is: 2)"},
		"values joined by a semicolon":           {`a=in=(1;2)`, 7, "a comma or a closing parenthesis must stand here, but here is: ;2)"},
		"a list in the manner of Jamf's guide":   {`a=in=(A|B)`, 7, "a comma separates values, and a value with | must stand in quotes"},
		"the same with blanks":                   {`a=in=(A | B)`, 8, "a comma or a closing parenthesis must stand here, but here is: | B)"},
		"a list in a list":                       {`a=in=((1))`, 6, "a value with ( must stand in quotes"},
		"an apostrophe in a bare value":          {`a==O'Neil`, 4, "a value with ' must stand in quotes"},
		"a parenthesis in a bare value":          {`a==7.0(81)`, 6, "a value with ( must stand in quotes"},
		"a tilde in a bare value":                {`a==~b`, 3, "a value with ~ must stand in quotes"},
		"two operators":                          {`a<<1`, 2, "a value with < must stand in quotes"},
		"a foreign blank in a bare value":        {"a==b\u00a0c", 4, "a blank other than space and tab must stand in quotes"},
		"an open quote":                          {`a=='b;c==1`, 3, "this quote is not closed"},
		"a quote closed by the other mark":       {`a=="b'`, 3, "this quote is not closed"},
		"an escaped mark at the end":             {`a=="b\"`, 3, "this quote is not closed"},
		"a backslash at the end":                 {`a=="b\`, 3, "this quote is not closed"},
		"text after a quote":                     {`a=="b"c`, 6, "; or , or a free and, or must stand here, but here is: c"},
		"words in a bare value":                  {`a==New York`, 7, "; or , or a free and, or must stand here, but here is: York"},
		"a word that is not free before":         {`a=="1"and b==2`, 6, "; or , or a free and, or must stand here, but here is: and b==2"},
		"a word that is not free after":          {`a==1 and"b"`, 5, `; or , or a free and, or must stand here, but here is: and"b"`},
		"a longer word":                          {`a==1 android==2`, 5, "; or , or a free and, or must stand here, but here is: android==2"},
		"a connective at the begin":              {`;a==1`, 0, "a comparison must begin with a letter, but here is: ;a==1"},
		"a connective at the end":                {`a==1;`, 5, "a comparison is missing at the end"},
		"a word at the end":                      {`a==1 or`, 7, "a comparison is missing at the end"},
		"two connectives":                        {`a==1;,b==2`, 5, "a comparison must begin with a letter, but here is: ,b==2"},
		"an open parenthesis":                    {`(a==1;(b==2)`, 0, "this parenthesis is not closed"},
		"an inner open parenthesis":              {`a==1;(b==2;c==3`, 5, "this parenthesis is not closed"},
		"a parenthesis too much":                 {`(a==1))`, 6, "no parenthesis is open that this one could close"},
		"empty parentheses":                      {`()`, 1, "a comparison must begin with a letter, but here is: )"},
		"text after a parenthesis":               {`(a==1)b==2`, 6, "; or , or a free and, or must stand here, but here is: b==2"},
		"text inside parentheses":                {`(a==1 b==2)`, 6, "; or , or a free and, or must stand here, but here is: b==2)"},
		"a line break":                           {"a==1;\nb==2", 5, "control characters are not allowed"},
		"a NUL in quotes":                        {"a=='\x00'", 4, "control characters are not allowed"},
		"a control character beyond ASCII":       {"a=='\u0085'", 4, "control characters are not allowed"},
		"a tab in quotes":                        {"a=='b\tc'", 5, "control characters are not allowed"},
		"an escaped tab":                         {"a=='b\\\tc'", 6, "control characters are not allowed"},
		"a broken character":                     {"a==b\xff", 4, "the text is not UTF-8"},
		"a broken character before another slip": {"a==\xc3;;", 3, "the text is not UTF-8"},
		"a text that cannot be printed":          {"a==1 \u202eb", 5, "; or , or a free and, or must stand here, but here is: U+202E"},
		"a long text is cut":                     {"a==1 " + strings.Repeat("ä", 40), 5, "; or , or a free and, or must stand here, but here is: " + strings.Repeat("ä", 32)},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := rsql.Parse(c.text)
			var syntax *rsql.SyntaxError
			if !errors.As(err, &syntax) || e != nil {
				t.Fatalf("%q: %v, %v", c.text, e, err)
			}
			if syntax.At != c.at || syntax.Problem != c.problem {
				t.Errorf("%q: %d %s\nwant %d %s", c.text, syntax.At, syntax.Problem, c.at, c.problem)
			}
			if want := fmt.Sprintf("filter, byte %d: %s", c.at, c.problem); err.Error() != want {
				t.Errorf("%q: the error reads %q", c.text, err)
			}
		})
	}
}

func TestALimitIsReachedAndNotPassed(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("(", n) + "a==1" + strings.Repeat(")", n) }
	repeated := func(text string, n int) string { return strings.TrimRight(strings.Repeat(text, n), ",") }
	for name, c := range map[string]struct {
		good, bad string
		at        int
		problem   string
	}{
		"text": {
			`a=="` + strings.Repeat("b", rsql.MaxText-5) + `"`, `a=="` + strings.Repeat("b", rsql.MaxText-4) + `"`,
			rsql.MaxText, "the filter is longer than 8192 bytes",
		},
		"canonical text": {
			`a<` + strings.Repeat("b", rsql.MaxText-5), `a<` + strings.Repeat("b", rsql.MaxText-4),
			rsql.MaxText - 2, "the filter is longer than 8192 bytes in its canonical spelling",
		},
		"canonical text that grows most": {
			`a=in=(` + repeated(`\,`, 500) + `);b==1`, `a=in=(` + repeated(`\,`, 500) + `)` + strings.Repeat(`;a=in=(`+repeated(`\,`, 400)+`)`, 3),
			6 + 999 + 1 + 3*(7+799+1), "the filter is longer than 8192 bytes in its canonical spelling",
		},
		"depth":       {nested(rsql.MaxDepth), nested(rsql.MaxDepth + 1), rsql.MaxDepth, "more than 20 parentheses inside each other"},
		"comparisons": {repeated("a==1,", rsql.MaxComparisons), repeated("a==1,", rsql.MaxComparisons+1), 5 * rsql.MaxComparisons, "more than 200 comparisons"},
		"values": {
			"a=in=(" + repeated("b,", rsql.MaxValues) + ")", "a=in=(" + repeated("b,", rsql.MaxValues+1) + ")",
			6 + 2*rsql.MaxValues, "more than 500 values in one list",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := rsql.Parse(c.good); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			_, err := rsql.Parse(c.bad)
			if diff := cmp.Diff(error(&rsql.SyntaxError{At: c.at, Problem: c.problem}), err); diff != "" {
				t.Errorf("beyond the limit (-want +got)\n%s", diff)
			}
		})
	}
	// Depth is how deep, not how many.
	if _, err := rsql.Parse(repeated(nested(rsql.MaxDepth)+",", 100)); err != nil {
		t.Error(err)
	}
}

func TestSelectorsComeInTheOrderOfTheText(t *testing.T) {
	e, err := rsql.Parse(`c==1,(a==2;(b=in=(3,4),a==5));d==6`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range rsql.Selectors(e) {
		got = append(got, fmt.Sprintf("%d %s %s %d", c.At, c.Selector, c.Op, len(c.Values)))
	}
	want := []string{"0 c == 1", "6 a == 1", "12 b =in= 2", "23 a == 1", "30 d == 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
