package server

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"jamf-gateway/gateway/audit"
)

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
