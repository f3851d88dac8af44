package server_test

import (
	"bufio"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"jamf-gateway/gateway/server"
)

// inventoryRequest is a page as Inventory360 asks for it.
func inventoryRequest() string {
	return "GET /api/v4/computers-inventory?section=GENERAL&section=HARDWARE&page-size=100&page=3&sort=id%3Aasc HTTP/1.1\r\nHost: gateway.example:8443\r\n" +
		"Authorization: Bearer " + strings.Repeat("x", 180) + "\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\nUser-Agent: sync/1.0\r\n\r\n"
}

// BenchmarkGateBesidePlainFiber reads and answers the same request in turns: by Fiber with one handler, by the same Fiber behind the gate and the
// check of the bytes, and by the door as it is, with authentication (refused), telemetry and the record of callers.
func BenchmarkGateBesidePlainFiber(b *testing.B) {
	w := newWorld(b)
	plain := server.PlainFiber()
	raw := []byte(inventoryRequest())
	door := w.server.PublicHandler()
	ways := []struct {
		name   string
		handle func(rc *fasthttp.RequestCtx)
		took   []time.Duration
	}{
		{name: "plain", handle: plain},
		{name: "gated", handle: func(rc *fasthttp.RequestCtx) {
			if server.FirstBad(raw, len(raw)) != len(raw) || !server.Gate(rc) {
				b.Fatal("refused")
			}
			plain(rc)
		}},
		{name: "door", handle: door},
	}
	text := strings.NewReader("")
	r := bufio.NewReaderSize(text, 16<<10)
	for b.Loop() {
		for i := range ways {
			var rc fasthttp.RequestCtx
			text.Reset(inventoryRequest())
			r.Reset(text)
			begun := time.Now()
			if err := rc.Request.Read(r); err != nil {
				b.Fatal(err)
			}
			ways[i].handle(&rc)
			ways[i].took = append(ways[i].took, time.Since(begun))
		}
	}
	median := func(i int) float64 {
		slices.Sort(ways[i].took)
		return float64(ways[i].took[len(ways[i].took)/2])
	}
	for i, way := range ways {
		b.ReportMetric(median(i), way.name+"-ns")
	}
	b.ReportMetric(median(1)/median(0), "gated/plain")
	b.ReportMetric(median(2)/median(0), "door/plain")
}

// BenchmarkGate measures what the gate adds to a request, beside what fasthttp does to read it.
func BenchmarkGate(b *testing.B) {
	text := strings.NewReader("")
	r := bufio.NewReaderSize(text, 16<<10)
	read := func(b *testing.B, rc *fasthttp.RequestCtx) {
		text.Reset(inventoryRequest())
		r.Reset(text)
		if err := rc.Request.Read(r); err != nil {
			b.Fatal(err)
		}
	}
	var rc fasthttp.RequestCtx
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			read(b, &rc)
		}
	})
	b.Run("gate", func(b *testing.B) {
		read(b, &rc)
		b.ReportAllocs()
		for b.Loop() {
			if !server.Gate(&rc) {
				b.Fatal("refused")
			}
		}
	})
	b.Run("stream", func(b *testing.B) {
		raw := []byte(inventoryRequest())
		b.ReportAllocs()
		for b.Loop() {
			if server.FirstBad(raw, len(raw)) != len(raw) {
				b.Fatal("refused")
			}
		}
	})
}
