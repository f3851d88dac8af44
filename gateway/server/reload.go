package server

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"jamf-gateway/gateway/audit"
	"jamf-gateway/gateway/device"
)

// removed is the answer to a removal.
type removed struct {
	Source string `json:"source"`
	Status string `json:"status"`
	Removed
}

// adminRemove is POST /v1/admin/sources/{name}/remove?confirm=NAME[&by=...]: the settings are taken, in which the source does not stand any more.
func (s *Server) adminRemove(c *fiber.Ctx) error {
	name := c.Params("name")
	by, f := confirmed(rawQuery(c), name, "confirm must repeat the name of the source.")
	if f != nil {
		return f
	}
	if _, _, _, err := device.ParseUID(name + ":computer:1"); err != nil {
		return &fault{code: codeUnknownSource, source: name}
	}
	var gone Removed
	x, e := exchangeOf(c), audit.Entry{Event: "admin.remove", By: by, Source: name, Target: name}
	f = s.act(c, e, func() (err error) {
		gone, err = x.rules.control.Remove(x.context(), name)
		return err
	})
	if f != nil {
		return f
	}
	x.source = name
	return sendJSON(c, http.StatusOK, removed{name, "removed", gone})
}

// adminReload is POST /v1/admin/reload[?by=...]: the settings are taken as their file says now.
func (s *Server) adminReload(c *fiber.Ctx) error {
	values, f := onlyParameters(rawQuery(c), paramBy)
	if f != nil {
		return f
	}
	var taken Taken
	x, e := exchangeOf(c), audit.Entry{Event: "settings.reload", By: actor(values), Target: "admin"}
	f = s.act(c, e, func() (err error) {
		taken, err = x.rules.control.Reload(x.context())
		return err
	})
	if f != nil {
		return f
	}
	return sendJSON(c, http.StatusOK, struct {
		Status string `json:"status"`
		Taken
	}{"taken", taken})
}
