package server_test

import (
	"bufio"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"jamf-gateway/gateway/server"
)

// inventoryRequest is a page as Inventory360 asks for it.
func inventoryRequest() string {
	return "GET /api/v4/computers-inventory?section=GENERAL&section=HARDWARE&page-size=100&page=3&sort=id%3Aasc HTTP/1.1\r\nHost: gateway.example:8443\r\n" +
		"Authorization: Bearer " + strings.Repeat("x", 180) + "\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\nUser-Agent: sync/1.0\r\n\r\n"
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
