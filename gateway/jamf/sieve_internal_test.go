package jamf

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestALongRecordIsTakenOutOfAPageAndNothingElse(t *testing.T) {
	long := strings.Repeat("x", 40)
	for in, want := range map[string]string{
		`{"totalCount":2,"results":[{"id":"1"},{"id":"2","n":"` + long + `"},{"id":"3"}]}`: `{"totalCount":2,"results":[{"id":"1"},` + oversized + `,{"id":"3"}]}`,
		`{"results":[{"n":"]}\"` + long + `\\"}],"a":[[1],{}]}`:                            `{"results":[` + oversized + `],"a":[[1],{}]}`,
		`{"results":[{"n":"]}\"\\"}, {"n":"\u005d"} ]}`:                                    `{"results":[{"n":"]}\"\\"}, {"n":"\u005d"} ]}`,
		`[1,[2,[3,[4]]]]`:                           `[1,[2,[3,[4]]]]`,
		`{"results":[{"n":"x`:                       `{"results":[{"n":"x`, // cut off, and seen to be
		`{"results":[{"n":"` + long:                 `{"results":[`,
		`no JSON at all`:                            `no JSON at all`,
		`{` + strings.Repeat(" ", maxSpace+9) + `}`: `{` + strings.Repeat(" ", maxSpace) + `}`,
		"": "",
	} {
		for how, r := range map[string]io.Reader{"at once": strings.NewReader(in), "byte by byte": iotest.OneByteReader(strings.NewReader(in)), "with the end": iotest.DataErrReader(strings.NewReader(in))} {
			got, err := io.ReadAll(newSieve(r, 30+len(want)/100*maxSpace))
			if err != nil || string(got) != want {
				t.Errorf("%.60s, %s: %.120q, %v, want %.120q", in, how, got, err, want)
			}
		}
	}
}

func TestWhatIsLongBesideTheRecordsEndsThePage(t *testing.T) {
	long := strings.Repeat("x", 100<<10)
	for _, in := range []string{`{"` + long + `":1}`, `{"a":"` + long + `"}`, `{"results":["` + long + `"]}`, `{"totalCount":1` + strings.Repeat("0", 100<<10) + `}`} {
		if got, err := io.ReadAll(newSieve(strings.NewReader(in), 50<<10)); !errors.Is(err, errCap) {
			t.Errorf("%.40s: %d bytes, %v", in, len(got), err)
		}
	}
	for _, in := range []string{`{"results":[{"a":[}]}`, `]`, `{"a":1]`, strings.Repeat("[", maxNested+1)} {
		if _, err := io.ReadAll(newSieve(strings.NewReader(in), 1<<20)); !errors.As(err, new(*Error)) {
			t.Errorf("%.40s: %v", in, err)
		}
	}
	broken := errors.New("the wire broke")
	if _, err := io.ReadAll(newSieve(io.MultiReader(strings.NewReader(`{"a":`), iotest.ErrReader(broken)), 30)); !errors.Is(err, broken) {
		t.Errorf("a wire that breaks: %v", err)
	}
}

// What the parser keeps is bounded by a record, not by the page.
func TestALongAnswerCostsNoMemory(t *testing.T) {
	r := newSieve(io.MultiReader(strings.NewReader(`{"results":[{"id":"1","x":"`), io.LimitReader(endless{}, 200<<20), strings.NewReader(`"}]}`)), maxRecordBytes)
	out, err := io.ReadAll(r)
	if want := fmt.Sprintf(`{"results":[%s]}`, oversized); err != nil || string(out) != want {
		t.Errorf("%.100s, %v", out, err)
	}
	if n := r.out.Cap() + cap(r.held); n > 4*maxRecordBytes {
		t.Errorf("%d MiB are kept", n>>20)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
