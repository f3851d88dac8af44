package jamf_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/jamf"
)

func TestAnAnswerThatIsNoListIsNeverAnEmptyList(t *testing.T) {
	for name, body := range map[string]string{
		"empty object":          `{}`,
		"null":                  `null`,
		"array":                 `[]`,
		"nothing":               ``,
		"blank":                 "  \n",
		"results null":          `{"totalCount":0,"results":null}`,
		"results object":        `{"totalCount":0,"results":{}}`,
		"results absent":        `{"totalCount":0}`,
		"totalCount absent":     `{"results":[]}`,
		"totalCount null":       `{"totalCount":null,"results":[]}`,
		"totalCount string":     `{"totalCount":"0","results":[]}`,
		"totalCount fraction":   `{"totalCount":1.5,"results":[]}`,
		"totalCount exponent":   `{"totalCount":1e2,"results":[]}`,
		"totalCount negative":   `{"totalCount":-1,"results":[]}`,
		"totalCount minus zero": `{"totalCount":-0,"results":[]}`,
		"totalCount 2^63":       `{"totalCount":9223372036854775808,"results":[]}`,
		"totalCount absurd":     `{"totalCount":9223372036854775807,"results":[]}`,
		"other case":            `{"TotalCount":0,"Results":[]}`,
		"results twice":         `{"totalCount":1,"results":[{"id":"1"}],"results":[]}`,
		"totalCount twice":      `{"totalCount":1,"totalCount":0,"results":[]}`,
		"trailing bytes":        `{"totalCount":0,"results":[]}x`,
		"two documents":         `{"totalCount":0,"results":[]}{"totalCount":0,"results":[]}`,
		"byte order mark":       "\ufeff" + `{"totalCount":0,"results":[]}`,
		"error envelope":        `{"httpStatus":500,"errors":[]}`,
	} {
		p, err := jamf.DecodePage([]byte(body))
		if p != nil || !errors.Is(err, jamf.ErrSchema) {
			t.Errorf("%s: %v, %v, want ErrSchema", name, p, err)
			continue
		}
		if e, _ := errors.AsType[*jamf.Error](err); e.Code != "unexpected_answer" {
			t.Errorf("%s: code %s", name, e.Code)
		}
	}
}

func TestHTMLIsNamedWhateverStandsBeforeIt(t *testing.T) {
	for _, body := range []string{"<html>", " \r\n<!DOCTYPE html>", "\ufeff<html>"} {
		_, err := jamf.DecodePage([]byte(body))
		must(t, err, jamf.ErrSchema, "html_instead_of_json")
	}
}

func TestAPageCutAtAnyByteIsRejected(t *testing.T) {
	whole := `{"totalCount": 2, "extra": {"a":[1,"\"}"]}, "results": [{"id":"1","n":"Ä\u00e9😀"},{"id":"2","x":{"y":[null,true,-1.5e3]}}]}`
	if _, err := jamf.DecodePage([]byte(whole)); err != nil {
		t.Fatal(err)
	}
	for i := range len(whole) {
		if p, err := jamf.DecodePage([]byte(whole[:i])); !errors.Is(err, jamf.ErrSchema) {
			t.Errorf("cut at %d: %v, %v", i, p, err)
		}
	}
}

func TestOneBadElementCostsOneElement(t *testing.T) {
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}` }
	rows := []string{
		`{"id":"1" , "name":"exact  bytes","n":9007199254740993,"f":1e400}`,
		`{"id":"2","id":"3"}`,
		"{\"id\":\"4\",\"name\":\"\xff\"}",
		`{"id":"5","name":"\ud800"}`,
		deep(64),
		deep(65),
		`null`,
		`"text"`,
		`{"id":"6","big":"` + strings.Repeat("x", 4<<20) + `"}`,
		`{"id":"7","text":"[[[{{{\\\"[["}`,
	}
	bad := map[int]error{1: jamf.ErrSchema, 2: jamf.ErrSchema, 3: jamf.ErrSchema, 5: jamf.ErrSchema, 6: jamf.ErrSchema, 7: jamf.ErrSchema, 8: jamf.ErrTooLarge}
	p, err := jamf.DecodePage([]byte(`{"results":[` + strings.Join(rows, " ,\n") + `],"new":{"x":1,"x":2},"totalCount":10}`))
	if err != nil {
		t.Fatal(err)
	}
	if p.Total != 10 || len(p.Rows) != len(rows) {
		t.Fatalf("total %d, %d rows", p.Total, len(p.Rows))
	}
	for i, row := range p.Rows {
		if !errors.Is(row.Err, bad[i]) {
			t.Errorf("row %d: %v, want %v", i, row.Err, bad[i])
		}
		want := rows[i]
		if errors.Is(bad[i], jamf.ErrTooLarge) {
			want = ""
		}
		if diff := cmp.Diff(want, string(row.Raw)); diff != "" {
			t.Errorf("row %d is not what was sent: %s", i, diff)
		}
	}
}

func TestMoreRowsThanTotalCountAreForTheCallerToJudge(t *testing.T) {
	p, err := jamf.DecodePage([]byte(`{"totalCount":1,"results":[{"id":"1"},{"id":"2"}]}`))
	if err != nil || p.Total != 1 || len(p.Rows) != 2 {
		t.Errorf("%v, %v", p, err)
	}
}

// zeros is a list without end, of the shortest elements there are.
type zeros struct{ n int }

func (z *zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = "0,"[(z.n+i)%2]
	}
	z.n += len(p)
	return len(p), nil
}

func TestDecodingStopsAtTheFirstRowTooMany(t *testing.T) {
	endless := &zeros{}
	p, err := jamf.DecodePageOf(io.MultiReader(strings.NewReader(`{"totalCount":5,"results":[`), endless), 200)
	if p != nil || !errors.Is(err, jamf.ErrSchema) {
		t.Fatalf("%v, %v, want ErrSchema", p, err)
	}
	if endless.n > 1<<20 {
		t.Errorf("%d bytes were read to see 200 rows of 2", endless.n)
	}
	if p, err := jamf.DecodePageOf(strings.NewReader(`{"totalCount":5,"results":[{"id":"1"},{"id":"2"}]}`), 2); err != nil || len(p.Rows) != 2 {
		t.Errorf("as many rows as asked for: %v, %v", p, err)
	}
}

func TestRecordedPagesOfOthersAreRead(t *testing.T) {
	for name, want := range map[string]int{
		"computers-inventory-v1-page.real-redacted.json":                    1,
		"computers-inventory-v4-all-sections.spec-example.json":             1,
		"mobile-devices-v2-detail-all-types-all-sections.spec-example.json": 1,
	} {
		b, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "fixtures", name))
		if err != nil {
			t.Skipf("shared/fixtures/%s does not stand beside the checkout", name)
		}
		p, err := jamf.DecodePage(b)
		if err != nil || len(p.Rows) < want || p.Total < want {
			t.Errorf("%s: %v, %v", name, p, err)
			continue
		}
		for i, row := range p.Rows {
			if row.Err != nil || !bytes.Contains(b, row.Raw) {
				t.Errorf("%s, row %d: %v", name, i, row.Err)
			}
		}
	}
}

func FuzzPage(f *testing.F) {
	for _, s := range []string{
		`{"totalCount":1,"results":[{"id":"1"}]}`, `{"results":[],"totalCount":0}`, `{}`, `null`, "<html>",
		`{"totalCount":1,"results":[{"a":1,"a":2},"\ud800"]}`, `{"totalCount":1e1,"results":null}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := jamf.DecodePage(b)
		if err != nil {
			if _, ok := errors.AsType[*jamf.Error](err); !ok || p != nil {
				t.Fatalf("%v, %v", p, err)
			}
			return
		}
		if p.Total < 0 || !bytes.Contains(b, []byte("totalCount")) && !bytes.Contains(b, []byte(`\u`)) {
			t.Fatalf("a page out of %q", b)
		}
		rebuilt := make([]string, 0, len(p.Rows))
		for _, row := range p.Rows {
			if !bytes.Contains(b, row.Raw) {
				t.Fatalf("row %q is not part of %q", row.Raw, b)
			}
			rebuilt = append(rebuilt, string(row.Raw))
		}
		again, err := jamf.DecodePage(fmt.Appendf(nil, `{"totalCount":%d,"results":[%s]}`, p.Total, strings.Join(rebuilt, ",")))
		if err != nil || len(again.Rows) != len(p.Rows) {
			t.Fatalf("rows of %q cannot be read again: %v", b, err)
		}
	})
}

func BenchmarkDecodePage(b *testing.B) {
	row := `{"id":"%d","udid":"0000","general":{"name":"Mac","assetTag":null,"site":{"id":"-1","name":"None"}},"hardware":{"model":"MacBook Pro","pad":"` + strings.Repeat("x", 800) + `"}}`
	rows := make([]string, 2000)
	for i := range rows {
		rows[i] = fmt.Sprintf(row, i)
	}
	body := []byte(`{"totalCount":2000,"results":[` + strings.Join(rows, ",") + `]}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jamf.DecodePage(body); err != nil {
			b.Fatal(err)
		}
	}
}
