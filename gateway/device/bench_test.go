package device_test

import (
	"fmt"
	"testing"

	"jamf-gateway/gateway/device"
)

// largeRecord is a computer of about 30 KB, most of it applications.
func largeRecord(b *testing.B) []byte {
	b.Helper()
	record := plainRecord(b, device.Computer, "")
	var applications []byte
	for i := 0; len(applications)+len(record) < 30<<10; i++ {
		applications = fmt.Appendf(applications, `{"name":"App %d","path":"/Applications/App %d.app","version":"1.%d","macAppStore":false,"sizeMegabytes":%d,`+
			`"bundleId":"org.example.app%d","updateAvailable":false,"externalVersionId":"0"},`, i, i, i, i, i)
	}
	field := []byte(`"applications":[`)
	at := len(field) + indexOf(b, record, field)
	return append(append(append([]byte{}, record[:at]...), applications...), record[at:]...)
}

func indexOf(b *testing.B, record, field []byte) int {
	b.Helper()
	for i := range record {
		if string(record[i:min(len(record), i+len(field))]) == string(field) {
			return i
		}
	}
	b.Fatalf("no %s", field)
	return 0
}

func BenchmarkCut(b *testing.B) {
	record := largeRecord(b)
	for _, name := range []string{"minimal", "full"} {
		b.Run(name, func(b *testing.B) {
			p := builtin(b, name)
			dst := make([]byte, 0, len(record))
			b.SetBytes(int64(len(record)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Cut(device.Computer, dst, record); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendNormalized(b *testing.B) {
	for _, name := range []string{"minimal", "full"} {
		b.Run(name, func(b *testing.B) {
			p := builtin(b, name)
			v := device.View{Source: "a", Kind: device.Computer, ID: 42, Profile: p, State: "present"}
			v.Record = cut(b, p, device.Computer, ownRecords(b)["computer-v4"])
			dst := make([]byte, 0, 8<<10)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := device.AppendNormalized(dst, v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendJamf(b *testing.B) {
	for _, name := range []string{"minimal", "full"} {
		b.Run(name, func(b *testing.B) {
			p := builtin(b, name)
			record := cut(b, p, device.Computer, largeRecord(b))
			dst := make([]byte, 0, 2*len(record)+8<<10)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := device.AppendJamf(dst, device.ComputerV4, device.AllSections(device.ComputerV4), p, record); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkColumnsOf(b *testing.B) {
	for _, name := range []string{"minimal", "full"} {
		b.Run(name, func(b *testing.B) {
			p := builtin(b, name)
			record := cut(b, p, device.Computer, largeRecord(b))
			columns := device.FactColumns(device.Computer, p.Paths(device.Computer))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := device.ColumnsOf(device.Computer, columns, record); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRecordID(b *testing.B) {
	record := largeRecord(b)
	b.SetBytes(int64(len(record)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := device.RecordID(device.Computer, record); err != nil {
			b.Fatal(err)
		}
	}
}
