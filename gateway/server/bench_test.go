package server_test

import (
	"net/http"
	"testing"

	"github.com/valyala/fasthttp"
)

// BenchmarkHits measures what a request costs that ristretto can answer, without the socket.
func BenchmarkHits(b *testing.B) {
	w := newWorld(b)
	w.publishAll(200)
	token := "Bearer " + w.token("all")
	handler := w.server.PublicHandler()
	for name, path := range map[string]string{
		"device":      "/v1/devices/schule-a:computer:7",
		"page of 100": "/v1/devices?source=schule-a&kind=computer",
		"façade page": "/api/v4/computers-inventory?section=GENERAL&section=HARDWARE&page-size=100",
		"not changed": "/v1/devices/schule-a:computer:8",
	} {
		b.Run(name, func(b *testing.B) {
			var rc fasthttp.RequestCtx
			var rq fasthttp.Request
			rq.SetRequestURI(path)
			rq.Header.SetHost("x")
			rq.Header.Set("Authorization", token)
			if name == "not changed" {
				rq.Header.Set("If-None-Match", "*")
			}
			b.ReportAllocs()
			for b.Loop() {
				rc.Init(&rq, nil, nil)
				handler(&rc)
			}
			if got := rc.Response.StatusCode(); got != http.StatusOK && got != http.StatusNotModified {
				b.Fatalf("%d %s", got, rc.Response.Body())
			}
		})
	}
}
