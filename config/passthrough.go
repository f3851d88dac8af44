package config

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// Bounds of a source's further paths.
const (
	maxPassthrough = 50
	usualPassTTL   = time.Hour
	leastPassTTL   = time.Minute
	mostPassTTL    = 7 * 24 * time.Hour
)

// passPath is a path of Jamf's API below /api: a version, then words, of which one may be {id}.
var passPath = regexp.MustCompile(`^/v[1-4](/([a-z0-9]+(-[a-z0-9]+)*|\{id\}))+$`)

// passthrough reads which further paths of Jamf's API are passed on. They stand in the file alone.
func (d *document) passthrough(m *mapping) []Passthrough {
	list := m.list("passthrough", "path")
	if len(list) > maxPassthrough {
		d.problem(m.at("passthrough"), "at most %d paths can be passed on", maxPassthrough)
	}
	var out []Passthrough
	lines := map[string]int{}
	for _, p := range list {
		p.setting("path")
		path := p.own("path")
		p.setting("ttl")
		ttl := p.own("ttl")
		one := Passthrough{Path: path.text, TTL: usualPassTTL}
		if ttl.set {
			var ok bool
			if one.TTL, ok = parseDuration(ttl.text); !ok || one.TTL < leastPassTTL || one.TTL > mostPassTTL {
				d.problem(ttl.origin, "must be a time from %s to %s like 15m, 24h or 30d, not %q", showDuration(leastPassTTL), showDuration(mostPassTTL), clip(ttl.text))
			}
		}
		first, twice := lines[path.text]
		switch why := refusedPath(path.text); {
		case !path.set && !d.blamed(path.origin.setting):
			d.problem(path.origin, "is missing")
		case !path.set:
		case !passPath.MatchString(path.text) || strings.Count(path.text, "{id}") > 1:
			d.problem(path.origin, "must be a path of Jamf's API like /v1/departments or /v1/computer-groups/{id}: /v1 to /v4, words in small letters, at most one {id}")
		case why != "":
			d.problem(path.origin, "is never passed on: %s", why)
		case twice:
			d.problem(path.origin, "stands twice, first in line %d", first)
		default:
			lines[path.text] = path.origin.line
			out = append(out, one)
		}
		p.done()
	}
	return out
}

// idlePassthrough warns of a door that only one of the two sides has opened.
func (d *document) idlePassthrough(c *Config, clients []origin) {
	for i, cl := range c.Clients {
		if cl.Passthrough && !slices.ContainsFunc(c.Sources, cl.passesOn) {
			d.warn(clients[i], "no source of this client passes paths on")
		}
		if cl.View.narrows() && slices.ContainsFunc(c.Sources, cl.passesOn) {
			d.warn(clients[i], "the view of this client does not hold for paths that are passed on: it is shown what Jamf answers")
		}
	}
	for _, s := range c.Sources {
		if len(s.Passthrough) > 0 && !slices.ContainsFunc(c.Clients, func(cl Client) bool { return cl.passesOn(s) }) {
			d.warn(origin{setting: "sources." + s.Name + ".passthrough"}, "no client may use it: set passthrough: true at one")
		}
	}
}

// passesOn tells whether the client gets at further paths of the source.
func (c Client) passesOn(s Source) bool {
	return c.Passthrough && len(s.Passthrough) > 0 && (c.Sources == nil || slices.Contains(c.Sources, s.Name))
}

// refusedPath says why a path is never passed on, "" for one that may be. A word of the table refuses each path in which
// one of the words of a segment begins with it.
func refusedPath(path string) string {
	for segment := range strings.SplitSeq(strings.ToLower(path), "/") {
		for _, r := range refusedWords() {
			for _, word := range r.words {
				if strings.Contains("-"+segment, "-"+word) {
					return r.why
				}
			}
		}
	}
	return ""
}

type refusedWord struct {
	words []string
	why   string
}

// refusedWords is the whole table. A path may show more than its name says, so it errs towards refusing.
func refusedWords() []refusedWord {
	return []refusedWord{
		{[]string{"computers-inventory", "computer-inventory", "inventory-preload"}, "computers are served from the store"},
		{[]string{"mobile-devices", "mobile-device-app"}, "mobile devices are served from the store"},
		{[]string{"membership", "ddm", "apns"}, "it shows devices past what profiles keep"},
		{[]string{"jamf-pro-version", "health", "startup"}, "the gateway answers it itself"},
		{[]string{"filevault", "vault", "recovery", "recoverylock", "disk-encryption"}, "it can show recovery keys"},
		{[]string{"device-lock", "lock-pin", "lock-code", "unlock", "passcode", "pin", "bypass", "activation"}, "it can show codes that lock or unlock devices"},
		{[]string{"bootstrap", "escrow"}, "it can show bootstrap tokens"},
		{[]string{"password", "laps", "local-admin"}, "it can show passwords"},
		{[]string{"token", "oauth", "oidc", "saml", "sso", "jwt", "login", "auth", "session", "mfa", "secret", "credential", "key", "csa", "m2m", "tenant"}, "it can show tokens, keys or sign-in settings"},
		{[]string{"attachment", "download", "export", "file", "upload", "icon", "branding", "image"}, "it can show files, which nobody can look through"},
		{[]string{"prestage", "enrollment", "device-enrollment", "account-driven", "adue", "reenrollment"}, "it can show secrets of enrollment"},
		{[]string{"api-integration", "api-role", "account", "ldap", "cloud-idp", "cloud-ldap", "directory", "access-management"}, "it is about accounts and rights of Jamf itself"},
		{[]string{"certificate", "pki", "cert", "scep", "digicert", "venafi", "adcs", "supervision", "identit"}, "it can show certificates and their keys"},
		{[]string{"webhook", "smtp", "server", "proxy", "jcds", "distribution-point", "cloud-distribution", "cloud-azure", "cloud-information", "wifi", "wlan", "vpn", "radius", "return-to-service", "ezeep"}, "it can show passwords of other systems"},
		{[]string{"script", "polic", "extension-attribute", "package", "app-installer", "patch", "self-service"}, "it can show programs and parameters, which often hold secrets"},
		{[]string{"config-profile", "configuration-profile", "profile", "blueprint", "dss-declaration", "declaration", "mdm", "command", "jamf-connect", "jamf-protect"}, "it can show settings of devices and commands, which often hold secrets"},
		{[]string{"volume-purchasing", "vpp", "teacher", "parent-app", "conditional-access", "team-viewer", "remote-administration", "remote-assist", "gsx", "tomcat", "system", "log", "history", "notification", "cache-settings", "slasa", "onboarding", "jamf-remote"}, "it can show tokens, logs or settings of Jamf itself"},
	}
}
