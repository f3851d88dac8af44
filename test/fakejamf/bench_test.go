package fakejamf_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"jamf-gateway/test/fakejamf"
)

// discard is an answer that nobody keeps, so that a benchmark measures the server.
type discard struct {
	header http.Header
	bytes  int64
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(b []byte) (int, error) { d.bytes += int64(len(b)); return len(b), nil }

func BenchmarkPageOf100000Devices(b *testing.B) {
	s := fakejamf.New(fakejamf.Options{Computers: 100_000, Mobiles: 100_000, Seed: 1})
	c := newClient(b, s)
	for name, path := range map[string]string{
		"computers-narrow":  byID + "&section=GENERAL,HARDWARE,OPERATING_SYSTEM,STORAGE",
		"computers-whole":   byID + "&" + allOf(computerSections),
		"computers-by-name": "/api/v4/computers-inventory?sort=general.name:asc",
		"mobile-detail":     detailByID + "&section=GENERAL,HARDWARE",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var out int64
			page := 0
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, fmt.Sprintf("%s&page-size=1000&page=%d", path, page%100), nil)
				r.Header.Set("Authorization", "Bearer "+c.token)
				w := &discard{header: http.Header{}}
				s.ServeHTTP(w, r)
				out += w.bytes
				page++
			}
			b.SetBytes(out / int64(b.N))
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "us/row")
		})
	}
}

func BenchmarkNewMillion(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		fakejamf.New(fakejamf.Options{Computers: 500_000, Mobiles: 500_000, Seed: 1})
	}
}
