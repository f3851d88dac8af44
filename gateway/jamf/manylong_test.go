package jamf_test

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"jamf-gateway/gateway/jamf"
)

// repeated is one text over and over, n times; it takes no memory and remembers how much was read.
type repeated struct {
	text string
	n    int
	at   int
	read int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.n == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.text[r.at:])
	r.read += n
	if r.at += n; r.at == len(r.text) {
		r.at = 0
		r.n--
	}
	return n, nil
}

// Records that are just no larger than a record may be come through one by one; a page of many of them ends at the bound of a page, and what was
// kept of it until then is no more than that.
func TestAPageOfManyLongRecordsEndsAtTheBoundOfAPage(t *testing.T) {
	record := `{"id":"1","general":{"name":"` + strings.Repeat("x", jamf.MaxRecordBytes-100) + `"}}`
	if jamf.MaxPageBytes > 64<<20 {
		t.Errorf("a page may have %d MiB", jamf.MaxPageBytes>>20)
	}
	few, err := jamf.DecodeCapped(io.MultiReader(strings.NewReader(`{"totalCount":3,"results":[`+record+","), &repeated{text: record + ",", n: 1}, strings.NewReader(record+"]}")))
	if err != nil || len(few.Rows) != 3 || len(few.Rows[2].Raw) != len(record) {
		t.Fatalf("three long records: %v", err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	many := &repeated{text: record + ",", n: 200}
	_, err = jamf.DecodeCapped(io.MultiReader(strings.NewReader(`{"totalCount":200,"results":[`), many, strings.NewReader(record+"]}")))
	if !errors.Is(err, jamf.ErrCap) {
		t.Errorf("200 long records: %v", err)
	}
	if many.read > jamf.MaxPageBytes+jamf.MaxRecordBytes {
		t.Errorf("%d MiB were read of a page of at most %d", many.read>>20, jamf.MaxPageBytes>>20)
	}
	runtime.ReadMemStats(&after)
	if got := int64(after.TotalAlloc-before.TotalAlloc) >> 20; got > 3*jamf.MaxPageBytes>>20 { // rows, and buffers that grew
		t.Errorf("%d MiB were allocated for a page of at most %d", got, jamf.MaxPageBytes>>20)
	}
}
