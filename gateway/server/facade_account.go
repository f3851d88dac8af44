package server

import (
	"net/http"
	"slices"

	"github.com/gofiber/fiber/v2"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// The two rights that the gateway lives on, as Jamf names them.
const (
	rightComputers = "Read Computers"
	rightMobiles   = "Read Mobile Devices"
)

// authorization is AuthorizationV1 with every key that Jamf always sends.
type authorization struct {
	Account            account  `json:"account"`
	AccountGroups      []string `json:"accountGroups"` // always empty: an API client is in no group
	Sites              []string `json:"sites"`
	AuthenticationType string   `json:"authenticationType"`
}

type account struct {
	ID                string              `json:"id"`
	Username          string              `json:"username"`
	RealName          string              `json:"realName"`
	Email             string              `json:"email"`
	Preferences       preferences         `json:"preferences"`
	MultiSiteAdmin    bool                `json:"multiSiteAdmin"`
	AccessLevel       string              `json:"accessLevel"`
	PrivilegeSet      string              `json:"privilegeSet"`
	PrivilegesBySite  map[string][]string `json:"privilegesBySite"`
	GroupIDs          []string            `json:"groupIds"`
	CurrentSiteID     string              `json:"currentSiteId"`
	CurrentDivisionID *string             `json:"currentDivisionId"`
}

type preferences struct {
	Language             string `json:"language"`
	DateFormat           string `json:"dateFormat"`
	Region               string `json:"region"`
	Timezone             string `json:"timezone"`
	DisableRelativeDates bool   `json:"disableRelativeDates"`
}

// facadeAuth is GET /v1/auth: the connection test of a client must not lie. It shows the rights last proved upstream, at
// most the two, and of them those whose kind is served; where the source is disabled, Jamf refuses the credentials or nothing was
// proved yet, it says so.
func (s *Server) facadeAuth(c *fiber.Ctx) error {
	name, f := s.facadeSource(c)
	if f != nil {
		return f
	}
	st, ok := exchangeOf(c).rules.statuses(name).source(name)
	now := s.o.Now()
	switch {
	case !ok:
		return &fault{code: codeUnknownSource, source: name}
	case st.Disabled:
		return disabledFault(name, "")
	case st.CredentialsRefused:
		return &fault{code: codeCredentials, source: name, retryAfter: defaultRetryAfter}
	case st.Rights == nil:
		return &fault{code: codeRightsUnknown, source: name, retryAfter: retryAfter(now, st.NotBefore)}
	}
	who := exchangeOf(c).caller
	rights := []string{}
	for right, kind := range map[string]device.Kind{rightComputers: device.Computer, rightMobiles: device.Mobile} {
		if _, served := who.scope(name, kind); served && slices.Contains(st.Rights, right) {
			rights = append(rights, right)
		}
	}
	slices.Sort(rights)
	return sendJSON(c, http.StatusOK, authorization{
		Account: account{
			ID: "1", Username: who.id, RealName: who.id,
			Preferences: preferences{Language: "en", DateFormat: "yyyy/MM/dd", Region: "Europe", Timezone: "Etc/UTC"},
			AccessLevel: "FullAccess", PrivilegeSet: "CUSTOM",
			PrivilegesBySite: map[string][]string{"-1": rights}, GroupIDs: []string{}, CurrentSiteID: "-1",
		},
		AccountGroups: []string{}, Sites: []string{}, AuthenticationType: "CLIENT_CREDENTIALS",
	})
}

// facadeVersion is GET /v1/jamf-pro-version, as read upstream; clients compare it with what they need.
func (s *Server) facadeVersion(c *fiber.Ctx) error {
	name, f := s.facadeSource(c)
	if f != nil {
		return f
	}
	st, _ := exchangeOf(c).rules.statuses(name).source(name)
	version, never := st.JamfVersion, neverFault(cache.Series{Source: name}, "", defaultRetryAfter)
	for _, sc := range exchangeOf(c).caller.scopes {
		if version != "" || sc.Source != name {
			continue
		}
		if never.reason == "" {
			never = neverFault(sc.Series, st.kind(sc.Series).Reason, defaultRetryAfter)
		}
		if g, err := s.runs.generation(exchangeOf(c).client(), sc.Series, step{ask: askBeside}); err == nil {
			version = g.Info().JamfVersion
			g.Release()
		}
	}
	if version == "" && st.Disabled {
		return disabledFault(name, "The source is disabled and was never read.")
	}
	if version == "" {
		return never
	}
	return sendJSON(c, http.StatusOK, struct {
		Version string `json:"version"`
	}{version})
}
