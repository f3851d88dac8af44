package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"jamf-gateway/gateway/server"
)

// BenchmarkHits measures what a request costs that ristretto can answer, without the socket.
func BenchmarkHits(b *testing.B) {
	w := newWorld(b)
	w.publishAll(200)
	token := "Bearer " + w.token("all")
	recording := w.server.PublicHandler()
	silent := w.restart(b, func(o *server.Options) { o.Usage = nil }).server.PublicHandler()
	for name, path := range map[string]string{
		"device":                      "/v1/devices/schule-a:computer:7",
		"page of 100":                 "/v1/devices?source=schule-a&kind=computer",
		"façade page":                 "/api/v4/computers-inventory?section=GENERAL&section=HARDWARE&page-size=100",
		"façade page, not recorded":   "/api/v4/computers-inventory?section=GENERAL&section=HARDWARE&page-size=100",
		"façade record":               "/api/v1/computers-inventory-detail/7",
		"façade record, not recorded": "/api/v1/computers-inventory-detail/7",
		"not changed":                 "/v1/devices/schule-a:computer:8",
	} {
		b.Run(name, func(b *testing.B) {
			handler := recording
			if strings.HasSuffix(name, "not recorded") {
				handler = silent
			}
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
