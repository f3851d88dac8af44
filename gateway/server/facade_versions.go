package server

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"jamf-gateway/gateway/device"
)

// computerVersion is one version of Jamf's computer inventory. All are served from the same generation, whichever of
// them it was read with.
type computerVersion struct {
	path       string
	shape      device.Shape
	deprecated string // value of Jamf's header, "" for the current version
}

// deprecationFormat is how Jamf writes the day in its header: date="Tue, 14 Jul 2026 00:00:00 GMT".
const deprecationFormat = `date="Mon, 02 Jan 2006 15:04:05 GMT"`

// computerVersions lists the versions with the dates of x-deprecation-date in Jamf's OpenAPI document.
func computerVersions() []computerVersion {
	on := func(year int, month time.Month, day int) string {
		return time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Format(deprecationFormat)
	}
	return []computerVersion{
		{"/v1", device.ComputerV1, on(2025, time.June, 30)},
		{"/v2", device.ComputerV2, on(2025, time.November, 6)},
		{"/v3", device.ComputerV3, on(2026, time.July, 14)},
		{"/v4", device.ComputerV4, ""},
	}
}

// deprecated marks every answer of h, errors included, as Jamf marks those of its deprecated versions.
func deprecated(value string, h fiber.Handler) fiber.Handler {
	if value == "" {
		return h
	}
	return func(c *fiber.Ctx) error {
		exchangeOf(c).deprecation = value
		setDeprecation(c.Context(), value)
		return h(c)
	}
}
