package rsql_test

import (
	"strings"
	"testing"

	"jamf-gateway/gateway/rsql"
)

// Beside filters that clients send: the longest and most tedious texts that pass, and that are refused at their end.
func BenchmarkParse(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"delta", `general.reportDate>="2024-06-19T15:54:37.690Z"`},
		{"any-of-three", `name=="*ipad*",serialNumber=="*ipad*",udid=="*ipad*"`},
		{"list-of-100", `id=in=(` + strings.TrimSuffix(strings.Repeat("12345,", 100), ",") + `)`},
		{"8KiB-of-lists", strings.TrimSuffix(strings.Repeat("a=in=("+strings.TrimSuffix(strings.Repeat("1,", 500), ",")+");", 8), ";")},
		{"8KiB-of-stars", `a==` + strings.Repeat("*", rsql.MaxText-3)},
		{"8KiB-of-escapes", `a=="` + strings.Repeat(`\*`, rsql.MaxText/2-3) + `"`},
		{"8KiB-refused", `a=="` + strings.Repeat("b", rsql.MaxText-4)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			for b.Loop() {
				_, _ = rsql.Parse(c.text)
			}
		})
	}
}

func BenchmarkCanonical(b *testing.B) {
	e, err := rsql.Parse(`(name=="*ipad*" or serialNumber=="*ipad*") and reportDate>="2024-06-19T15:54:37.690Z"`)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = rsql.Canonical(e)
	}
}
