package server

import (
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// route registers a handler under a template of the form /v1/devices/{uid}; telemetry knows the request by it.
func route(app *fiber.App, method, template string, st style, h fiber.Handler) {
	path := strings.NewReplacer("{", ":", "}", "").Replace(template)
	handler := func(c *fiber.Ctx) error {
		x := exchangeOf(c)
		x.route, x.style = template, st
		return h(c)
	}
	allow := method + ", " + http.MethodOptions
	if method == http.MethodGet {
		allow = allowRead
		app.Get(path, handler) // answers HEAD as well
	} else {
		app.Add(method, path, handler)
	}
	app.Options(path, func(c *fiber.Ctx) error {
		x := exchangeOf(c)
		x.route, x.style = template, st
		c.Response().SetStatusCode(http.StatusNoContent)
		c.Response().Header.Set(fiber.HeaderAllow, allow)
		return nil
	})
}

// allowRead is what can be done with everything that is read.
const allowRead = "GET, HEAD, OPTIONS"

// publicRoutes is the whole public door. What stands before authenticate is open, and constant but for the token.
func (s *Server) publicRoutes(app *fiber.App) {
	app.Use(s.resolveBase)

	route(app, http.MethodGet, "/livez", styleOwn, constant(http.StatusOK, "application/json", `{"status":"alive"}`))
	route(app, http.MethodGet, "/readyz", styleOwn, s.readyz)
	route(app, http.MethodPost, "/oauth/token", styleOwn, s.issueToken)
	for _, base := range []string{"", "/jamf/{source}"} {
		s.openRoutes(app, base)
	}

	app.Use(s.authenticate)

	route(app, http.MethodGet, "/v1/devices", styleOwn, s.listDevices)
	route(app, http.MethodGet, "/v1/devices/{uid}", styleOwn, s.oneDevice)
	route(app, http.MethodGet, "/v1/devices/{uid}/applications", styleOwn, s.deviceApplications)
	route(app, http.MethodGet, "/v1/sources", styleOwn, s.listSources)
	route(app, http.MethodGet, "/v1/sources/{name}", styleOwn, s.oneSource)
	route(app, http.MethodGet, "/v1/sources/{name}/health", styleOwn, s.sourceHealth)
	route(app, http.MethodPost, "/v1/sources/{name}/test", styleOwn, s.testSource)
	route(app, http.MethodGet, "/v1/health", styleOwn, s.health)
	route(app, http.MethodGet, "/openapi.yaml", styleOwn, description())
	for _, base := range []string{"/api", "/jamf/{source}/api"} {
		s.facadeRoutes(app, base)
	}
	app.Use(s.passThrough)
}

// openRoutes are Jamf's own open ones below a base, its two token endpoints and the login of a user.
func (s *Server) openRoutes(app *fiber.App, base string) {
	home := base
	if home == "" {
		home = "/"
	}
	route(app, http.MethodGet, home, styleJamf, constant(http.StatusOK, "text/plain; charset=utf-8", "Jamf Gateway\n"))
	route(app, http.MethodGet, base+"/healthCheck.html", styleJamf, constant(http.StatusOK, "text/html;charset=UTF-8", "[]"))
	route(app, http.MethodGet, base+"/api/v1/health-check", styleJamf, constant(http.StatusNoContent, "", ""))
	route(app, http.MethodGet, base+"/api/startup-status", styleJamf, constant(http.StatusOK, "application/json", startedUp))
	route(app, http.MethodPost, base+"/api/oauth/token", styleJamf, s.issueToken)
	route(app, http.MethodPost, base+"/api/v1/oauth/token", styleJamf, s.issueToken)
	route(app, http.MethodPost, base+"/api/v1/auth/token", styleJamf, s.issueUserToken)
}

// facadeRoutes is the part of the Jamf Pro API that is served below a base.
func (s *Server) facadeRoutes(app *fiber.App, base string) {
	get := func(path string, h fiber.Handler) { route(app, http.MethodGet, base+path, styleJamf, h) }
	for _, i := range facadeInventory() {
		if i.record != nil {
			get(i.path, deprecated(i.deprecated, s.facadeRecord(*i.record)))
		} else {
			get(i.path, deprecated(i.deprecated, s.facadeList(*i.list)))
		}
	}
	get("/v1/auth", s.facadeAuth)
	get("/auth", s.facadeAuth)
	route(app, http.MethodPost, base+"/v1/auth/keep-alive", styleJamf, s.keepAlive)
	route(app, http.MethodPost, base+"/v1/auth/invalidate-token", styleJamf, s.invalidate)
	get("/v1/jamf-pro-version", s.facadeVersion)
}
