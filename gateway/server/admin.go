package server

import (
	"net"
	"net/http"
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp/fasthttpadaptor"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/audit"
	"jamf-gateway/gateway/device"
)

// adminApp is the admin door, which listens on the address.
func (s *Server) adminApp(listen net.Addr) *fiber.App {
	return s.newApp(func(app *fiber.App) { s.adminRoutes(app, listen) })
}

// adminRoutes is the whole admin door.
func (s *Server) adminRoutes(app *fiber.App, listen net.Addr) {
	app.Use(adminOrigin(listen, s.o.AdminHosts))
	s.metricsRoutes(app)
	app.Use(s.adminOnly)
	s.profileRoutes(app)
	route(app, http.MethodGet, "/v1/admin/sources", styleOwn, s.adminSources)
	route(app, http.MethodPost, "/v1/admin/sources/{name}/sync", styleOwn, s.adminSync)
	route(app, http.MethodPost, "/v1/admin/reload", styleOwn, s.adminReload)
	s.usageRoutes(app)
	route(app, http.MethodGet, "/v1/admin/sources/{name}/held", styleOwn, s.adminHeld)
	route(app, http.MethodPost, "/v1/admin/sources/{name}/approve", styleOwn, s.adminApprove)
	route(app, http.MethodPost, "/v1/admin/sources/{name}/expect-removals", styleOwn, s.adminExpect)
	route(app, http.MethodPost, "/v1/admin/sources/{name}/remove", styleOwn, s.adminRemove)
	route(app, http.MethodPost, "/v1/admin/sources/{name}/purge", styleOwn, s.adminPurgeSource)
	route(app, http.MethodPost, "/v1/admin/devices/{uid}/purge", styleOwn, s.adminPurgeDevice)
	route(app, http.MethodPost, "/v1/admin/show", styleOwn, s.adminShow)
}

// metricsRoutes is /metrics, where the house has given a handler for it.
func (s *Server) metricsRoutes(app *fiber.App) {
	if s.o.Metrics == nil {
		return
	}
	adapted := fasthttpadaptor.NewFastHTTPHandler(s.o.Metrics)
	route(app, http.MethodGet, "/metrics", styleOwn, func(c *fiber.Ctx) error {
		adapted(c.Context())
		return nil
	})
}

// adminSource is one source at the admin door.
type adminSource struct {
	healthView
	Logins []loginView  `json:"apiClients"`
	Views  []clientView `json:"views,omitempty"` // what the filters of clients leave out
}

// loginView is one of the API clients of a Jamf, for operators alone.
type loginView struct {
	ID      string  `json:"clientId"`
	InUse   bool    `json:"inUse"`
	Refused *string `json:"refusedSince"` // null = Jamf does not refuse it, as far as is known
	Proved  *string `json:"provedAt"`     // null = never, or it is refused
}

// adminSources is GET /v1/admin/sources: the health of every source.
func (s *Server) adminSources(c *fiber.Ctx) error {
	if f := parseNoQuery(rawQuery(c)); f != nil {
		return f
	}
	statuses := exchangeOf(c).rules.statuses()
	items := make([]adminSource, 0, len(statuses))
	for _, st := range statuses {
		item := adminSource{healthView: s.healthView(exchangeOf(c), st, statuses), Logins: []loginView{}}
		for _, l := range st.Logins {
			item.Logins = append(item.Logins, loginView{ID: l.ID, InUse: l.InUse, Refused: stamp(l.Refused), Proved: stamp(l.Proved)})
		}
		for _, k := range item.Kinds {
			item.Views = append(item.Views, s.clientViews(exchangeOf(c).rules, cache.Series{Source: st.Name, Kind: k.Kind})...)
		}
		items = append(items, item)
	}
	warnings := []Warning{}
	if told := exchangeOf(c).rules.warnings; told != nil {
		warnings = append(warnings, told()...)
	}
	return sendJSON(c, http.StatusOK, struct {
		Version  string        `json:"version"`
		Items    []adminSource `json:"items"`
		Warnings []Warning     `json:"warnings"`
	}{s.o.Version, items, warnings})
}

// adminSync is POST /v1/admin/sources/{name}/sync[?kind=computer][&by=...]: it asks for a sync and does not wait for it.
func (s *Server) adminSync(c *fiber.Ctx) error {
	name := c.Params("name")
	kinds, by, f := askedKinds(exchangeOf(c).rules, rawQuery(c), name)
	if f != nil {
		return f
	}
	x, e := exchangeOf(c), audit.Entry{Event: "admin.sync", By: by, Source: name}
	if len(kinds) == 1 {
		e.Kind = string(kinds[0])
	}
	if f := s.act(c, e, func() error { return x.rules.control.SyncNow(name, kinds...) }); f != nil {
		return f
	}
	x.source = name
	return sendJSON(c, http.StatusAccepted, struct {
		Source string `json:"source"`
		Status string `json:"status"`
	}{name, "accepted"})
}

// askedKinds reads the kinds of a sync, none means all, and who asks. A kind that the source does not read is refused.
func askedKinds(ru *rules, query, source string) (kinds []device.Kind, by string, f *fault) {
	values, f := queryValues(query, maxJamfValue)
	if f != nil {
		return nil, "", f
	}
	for name, all := range values {
		switch {
		case name != paramKind && name != paramBy:
			return nil, "", unknownParameter(name, paramBy, paramKind)
		case name == paramBy && len(all) > 1:
			return nil, "", badParameter(name, name+" stands twice.")
		}
	}
	st, known := ru.statuses(source).source(source)
	for _, v := range values["kind"] {
		kind := device.Kind(v)
		if kind != device.Computer && kind != device.Mobile {
			return nil, "", badParameter("kind", "kind is computer or mobile.")
		}
		if known && !slices.ContainsFunc(st.Kinds, func(k KindStatus) bool { return k.Kind == kind }) {
			return nil, "", &fault{code: codeKindDisabled, source: source}
		}
		kinds = append(kinds, kind)
	}
	return kinds, actor(values), nil
}
