package server

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"jamf-gateway/gateway/audit"
	"jamf-gateway/gateway/device"
)

// paramConfirm repeats the name of what is purged or removed: nobody does that by a slip of the hand.
const paramConfirm = "confirm"

// purged is the answer to a purge. Returns tells that the device comes back with the next sync where Jamf still has it.
type purged struct {
	Source  string `json:"source"`
	UID     string `json:"uid,omitempty"`
	Status  string `json:"status"`
	Returns *bool  `json:"returns,omitempty"`
}

// adminPurgeSource is POST /v1/admin/sources/{name}/purge?confirm=NAME[&by=...].
func (s *Server) adminPurgeSource(c *fiber.Ctx) error {
	name := c.Params("name")
	by, f := confirmed(rawQuery(c), name, purgeTwice)
	if f != nil {
		return f
	}
	if _, _, _, err := device.ParseUID(name + ":computer:1"); err != nil {
		return &fault{code: codeUnknownSource, source: name}
	}
	x, e := exchangeOf(c), audit.Entry{Event: "admin.purge", By: by, Source: name, Target: name}
	if f := s.act(c, e, func() error { return x.rules.control.PurgeSource(x.context(), name, by) }); f != nil {
		return f
	}
	x.source = name
	return sendJSON(c, http.StatusOK, purged{Source: name, Status: "purged"})
}

// adminPurgeDevice is POST /v1/admin/devices/{uid}/purge?confirm=UID[&by=...].
func (s *Server) adminPurgeDevice(c *fiber.Ctx) error {
	uid := c.Params("uid")
	by, f := confirmed(rawQuery(c), uid, purgeTwice)
	if f != nil {
		return f
	}
	source, kind, id, err := device.ParseUID(uid)
	if err != nil {
		return badParameter("uid", "a device is named SOURCE:KIND:ID, like schule-a:computer:42.")
	}
	x, e, returns := exchangeOf(c), audit.Entry{Event: "admin.purge", By: by, Source: source, Kind: string(kind), Target: uid}, false
	f = s.act(c, e, func() (err error) {
		returns, err = x.rules.control.PurgeDevice(x.context(), source, kind, id, by)
		return err
	})
	if f != nil {
		return f
	}
	x.source = source
	return sendJSON(c, http.StatusOK, purged{Source: source, UID: uid, Status: "purged", Returns: &returns})
}

const purgeTwice = "confirm must repeat the name of what is purged."

// confirmed reads who asks, and refuses with twice where the name is not repeated.
func confirmed(query, name, twice string) (by string, f *fault) {
	values, f := onlyParameters(query, paramConfirm, paramBy)
	if f != nil {
		return "", f
	}
	if values.Get(paramConfirm) != name {
		return "", badParameter(paramConfirm, twice)
	}
	return actor(values), nil
}
