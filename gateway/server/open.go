package server

import (
	"net/http"

	"github.com/gofiber/fiber/v2"
)

// startedUp is Jamf's startup-status once it is up. The gateway is up whenever it answers.
const startedUp = `{"step":"","stepCode":"SERVER_INIT_COMPLETE","stepParam":null,"percentage":100,"warning":null,"warningCode":null,` +
	`"warningParam":null,"error":null,"errorCode":null,"setupAssistantNecessary":false}`

// constant answers with the same bytes for ever: what needs no token tells nothing.
func constant(status int, contentType, body string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.Response().SetStatusCode(status)
		if contentType != "" {
			c.Response().Header.SetContentType(contentType)
		}
		c.Response().SetBodyString(body)
		return nil
	}
}

// readyz tells a load balancer whether to send requests here.
func (s *Server) readyz(c *fiber.Ctx) error {
	if s.ready(exchangeOf(c).rules) {
		return constant(http.StatusOK, "application/json", `{"status":"ready"}`)(c)
	}
	return constant(statusOf(codeNotReady), "application/json", `{"status":"not ready"}`)(c)
}
