package server

import (
	"bytes"
	"net/http"
	"runtime/pprof"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
)

// How long a processor profile may be watched for.
const (
	usualProfile   = 10 * time.Second
	longestProfile = 30 * time.Second
)

// profileRoutes are the runtime's own profiles, for `go tool pprof`. They are there only where the settings want them, and behind the
// admin token: they cost time and tell what the process is busy with.
func (s *Server) profileRoutes(app *fiber.App) {
	if !s.o.Profiles {
		return
	}
	route(app, http.MethodGet, "/debug/pprof/profile", styleOwn, s.processorProfile)
	for _, name := range []string{"allocs", "block", "goroutine", "heap", "mutex", "threadcreate"} {
		route(app, http.MethodGet, "/debug/pprof/"+name, styleOwn, func(c *fiber.Ctx) error {
			if f := parseNoQuery(rawQuery(c)); f != nil {
				return f
			}
			var out bytes.Buffer
			if err := pprof.Lookup(name).WriteTo(&out, 0); err != nil {
				return err
			}
			return sendProfile(c, out.Bytes())
		})
	}
}

// processorProfile is GET /debug/pprof/profile[?seconds=10]. One runs at a time.
func (s *Server) processorProfile(c *fiber.Ctx) error {
	values, f := onlyParameters(rawQuery(c), "seconds")
	if f != nil {
		return f
	}
	lasts := usualProfile
	if values.Has("seconds") {
		n, err := strconv.Atoi(values.Get("seconds"))
		if lasts = time.Duration(n) * time.Second; err != nil || n < 1 || lasts > longestProfile {
			return badParameter("seconds", "seconds is a number from 1 to 30.")
		}
	}
	var out bytes.Buffer
	if err := pprof.StartCPUProfile(&out); err != nil {
		return &fault{code: codeBusy, retryAfter: shortestRetryAfter, cause: err}
	}
	<-time.After(lasts)
	pprof.StopCPUProfile()
	return sendProfile(c, out.Bytes())
}

func sendProfile(c *fiber.Ctx, body []byte) error {
	c.Response().Header.SetContentType(fiber.MIMEOctetStream)
	c.Response().SetBodyRaw(body)
	return nil
}
