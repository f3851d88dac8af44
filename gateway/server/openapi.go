package server

import (
	"crypto/sha256"
	_ "embed" // the description is a file of its own
	"encoding/hex"

	"github.com/gofiber/fiber/v2"
)

//go:embed openapi.yaml
var openAPI string

// description is GET /openapi.yaml: the OpenAPI document of the normalized API. Its media type is RFC 9512.
func description() fiber.Handler {
	sum := sha256.Sum256([]byte(openAPI))
	etag := `"` + hex.EncodeToString(sum[:16]) + `"`
	return func(c *fiber.Ctx) error {
		if f := parseNoQuery(rawQuery(c)); f != nil {
			return f
		}
		c.Response().Header.Set(fiber.HeaderETag, etag)
		if notModified(c.Get(fiber.HeaderIfNoneMatch), etag) {
			c.Response().SetStatusCode(fiber.StatusNotModified)
			return nil
		}
		c.Response().Header.SetContentType("application/yaml")
		c.Response().SetBodyString(openAPI)
		return nil
	}
}
