package cache_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

const benchFleet = 10_000

// benchRecord is about 2.5 KB of the sections that a usual profile keeps, half of it noise.
func benchRecord(random *rand.Rand, id int64) row {
	serial := fmt.Sprintf("SER%07d", id)
	body := fmt.Sprintf(`{"id":"%d","udid":"%s","general":{"name":"Mac %d","platform":"Mac","lastContactTime":"2026-11-%02dT08:%02d:00Z",`+
		`"assetTag":"%08X","remoteManagement":{"managed":true}},"hardware":{"serialNumber":"%s","model":"MacBook Air (M1, 2020)",`+
		`"modelIdentifier":"MacBookAir10,1","macAddress":"%012X","altMacAddress":"%012X","totalRamMegabytes":16384},`+
		`"operatingSystem":{"name":"macOS","version":"15.%d.1","build":"24B%d"},"extensionAttributes":[`,
		id, udid(id), id, 1+random.IntN(28), random.IntN(60), random.Uint32(), serial,
		random.Uint64()>>16, random.Uint64()>>16, random.IntN(6), random.IntN(99))
	for i := range 14 {
		if i > 0 {
			body += ","
		}
		body += fmt.Sprintf(`{"definitionId":"%d","name":"Attribute %d","enabled":true,"values":["%016x%016x"],"dataType":"STRING","inputType":"TEXT"}`,
			i, i, random.Uint64(), random.Uint64())
	}
	return row{id: id, body: body + "]}", state: cache.StatePresent, columns: device.Columns{SerialNumber: serial}}
}

func benchStore(b *testing.B) (s *cache.Store, g *cache.Generation, file string) {
	b.Helper()
	dir := b.TempDir()
	o := options(dir)
	o.MaxBytes = 256 << 20
	s = openStore(b, o)
	random := rand.New(rand.NewPCG(1, 1))
	rows := make([]row, benchFleet)
	for i := range rows {
		rows[i] = benchRecord(random, int64(i+1))
	}
	publish(b, s, computers, rows)
	return s, acquire(b, s, computers), generationFile(dir, computers, 1)
}

// BenchmarkGet reads one record by id. Its anchors are the same bytes by SQL alone, and from a file of their own.
func BenchmarkGet(b *testing.B) {
	ctx := context.Background()
	_, g, file := benchStore(b)
	random := rand.New(rand.NewPCG(2, 2))
	b.Run("generation", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := g.Get(ctx, 1+random.Int64N(benchFleet)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("anchor_sql", func(b *testing.B) {
		db, err := sql.Open("sqlite", "file:"+file+"?mode=ro&immutable=1")
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		stmt, err := db.PrepareContext(ctx, "SELECT record FROM body WHERE id = ?")
		if err != nil {
			b.Fatal(err)
		}
		defer stmt.Close()
		b.ReportAllocs()
		for b.Loop() {
			var packed []byte
			if err := stmt.QueryRowContext(ctx, 1+random.Int64N(benchFleet)).Scan(&packed); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("anchor_file", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "record.json")
		if err := os.WriteFile(path, []byte(benchRecord(random, 1).body), 0o600); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := os.ReadFile(path); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkPage reads 100 records from the middle.
func BenchmarkPage(b *testing.B) {
	ctx := context.Background()
	_, g, _ := benchStore(b)
	b.ReportAllocs()
	for b.Loop() {
		if page, err := g.Page(ctx, benchFleet/2, 100); err != nil || len(page) != 100 {
			b.Fatal(err)
		}
	}
}

// BenchmarkNormalized renders 100 devices: from ristretto, and from the file.
func BenchmarkNormalized(b *testing.B) {
	ctx := context.Background()
	s, g, _ := benchStore(b)
	p := profile(b, "minimal")
	all, err := g.IDs(ctx)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("file", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			s.Flush()
			b.StartTimer()
			if _, err := s.Normalized(ctx, g, p, all[5000:5100]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ristretto", func(b *testing.B) {
		if _, err := s.Normalized(ctx, g, p, all[5000:5100]); err != nil {
			b.Fatal(err)
		}
		s.Settle()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Normalized(ctx, g, p, all[5000:5100]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkAnswer finds a rendered page. Its anchor is a plain map.
func BenchmarkAnswer(b *testing.B) {
	ctx := context.Background()
	s := openStore(b, options(b.TempDir()))
	k := cache.Key{
		Generations: []string{"0123456789abcdef0123456789abcdef/school-a/computer/41/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
		State:       "7", Policy: "0123456789abcdef", Endpoint: "/v1/devices", Query: "limit=100",
	}
	render := func(context.Context) ([]byte, error) { return make([]byte, 100_000), nil }
	if _, _, err := s.Answer(ctx, k, render); err != nil {
		b.Fatal(err)
	}
	s.Settle()
	b.Run("ristretto", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, hit, err := s.Answer(ctx, k, render); err != nil || !hit {
				b.Fatal(hit, err)
			}
		}
	})
	b.Run("anchor_map", func(b *testing.B) {
		kept := map[string]cache.Answer{k.Scope(): {}}
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := kept[k.Scope()]; !ok {
				b.Fatal("missing")
			}
		}
	})
}

// BenchmarkPut builds a generation record by record.
func BenchmarkPut(b *testing.B) {
	ctx := context.Background()
	s := openStore(b, options(b.TempDir()))
	random := rand.New(rand.NewPCG(1, 1))
	rows := make([]row, 2000)
	for i := range rows {
		rows[i] = benchRecord(random, int64(i+1))
	}
	builder, err := s.Begin(ctx, draft(computers, 0))
	if err != nil {
		b.Fatal(err)
	}
	defer builder.Abort()
	b.SetBytes(int64(len(rows[0].body)))
	b.ReportAllocs()
	id := int64(0)
	for b.Loop() {
		id++
		r := rows[id%int64(len(rows))]
		if err := builder.Put(ctx, id, []byte(r.body), r.columns, r.state); err != nil {
			b.Fatal(err)
		}
	}
}
