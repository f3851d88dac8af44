package server

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/usage"
)

// usageView is how one client calls, nobody where it is nil.
type usageView struct {
	Client *string `json:"client"`
	usage.Record
}

// usageRoutes are the records of how clients call, where they are kept.
func (s *Server) usageRoutes(app *fiber.App) {
	if s.o.Usage == nil {
		return
	}
	route(app, http.MethodGet, "/v1/admin/usage", styleOwn, s.adminUsage)
	route(app, http.MethodGet, "/v1/admin/clients/{id}/usage", styleOwn, s.adminClientUsage)
}

// adminUsage is GET /v1/admin/usage.
func (s *Server) adminUsage(c *fiber.Ctx) error {
	if f := parseNoQuery(rawQuery(c)); f != nil {
		return f
	}
	views := []usageView{}
	for _, one := range s.o.Usage.All() {
		views = append(views, usageOf(exchangeOf(c).rules, one.Client, one.Record))
	}
	return sendJSON(c, http.StatusOK, struct {
		Version      string      `json:"version"`
		Clients      []usageView `json:"clients"`
		Unidentified usageView   `json:"unidentified"`
	}{s.o.Version, views, usageView{nil, s.o.Usage.Nobody()}})
}

// adminClientUsage is GET /v1/admin/clients/{id}/usage.
func (s *Server) adminClientUsage(c *fiber.Ctx) error {
	if f := parseNoQuery(rawQuery(c)); f != nil {
		return f
	}
	id, err := url.PathUnescape(c.Params("id"))
	record, known := s.o.Usage.Of(id)
	if err != nil || !known {
		return &fault{code: codeNotFound, detail: "The settings have no client of that id."}
	}
	return sendJSON(c, http.StatusOK, usageOf(exchangeOf(c).rules, id, record))
}

func usageOf(ru *rules, id string, r usage.Record) usageView {
	if who := ru.clients[id]; who != nil {
		r.Dropped = who.dropped(r.Routes)
	}
	return usageView{&id, r}
}

// dropped are the fields that were asked for and that the caller is not shown, of any source.
func (c *caller) dropped(routes []usage.Route) []usage.Dropped {
	asked := map[names][]string{}
	for _, line := range routes {
		if !slices.ContainsFunc(line.Statuses, func(s usage.Counted[int]) bool { return s.Value < http.StatusBadRequest }) {
			continue
		}
		shape, sections := shownOn(line)
		for _, sc := range c.scopes {
			if sc.Kind == shape.Kind() {
				of := names{"jamf", string(sc.Kind)}
				asked[of] = append(asked[of], device.Dropped(shape, sections, sc.profile)...)
			}
			for _, field := range line.Fields {
				if of := (names{"normalized", string(sc.Kind)}); sc.profile.Hides(sc.Kind, field.Value) {
					asked[of] = append(asked[of], field.Value)
				}
			}
		}
	}
	out := []usage.Dropped{}
	for of, fields := range asked {
		slices.Sort(fields)
		if len(fields) > 0 {
			out = append(out, usage.Dropped{API: of.api, Kind: of.kind, Fields: slices.Compact(fields)})
		}
	}
	slices.SortFunc(out, func(a, b usage.Dropped) int { return cmp.Or(cmp.Compare(a.API, b.API), cmp.Compare(a.Kind, b.Kind)) })
	return out
}

// names says what the names of fields belong to.
type names struct{ api, kind string }

// shownOn is what a line of the façade shows; the shape is 0 for every other line.
func shownOn(line usage.Route) (device.Shape, device.Sections) {
	path := line.Route
	if _, below := prefixOf(path); below {
		path = strings.TrimPrefix(path, "/jamf/{source}")
	}
	path, below := strings.CutPrefix(path, "/api")
	i := slices.IndexFunc(facadeInventory(), func(i facadePath) bool { return i.path == path })
	if !below || i < 0 {
		return 0, 0
	}
	shape, bySection := facadeInventory()[i].shown()
	if !bySection {
		return shape, device.AllSections(shape)
	}
	var asked []string
	for _, s := range line.Sections {
		asked = append(asked, s.Value)
	}
	sections, err := device.ParseSections(shape, asked)
	if err != nil {
		return 0, 0 // of a release that had other words
	}
	return shape, sections
}

// shown is the shape of a path, and whether sections can be asked for.
func (p facadePath) shown() (device.Shape, bool) {
	if p.record != nil {
		return p.record.shape, p.record.sections
	}
	return p.list.shape, p.list.sections
}
