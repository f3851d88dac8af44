package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

var pathSegment = regexp.MustCompile(`^[A-Za-z0-9_~-]+$`)

// CompleteURL makes the address of a Jamf Pro API of what a person pastes: of a host alone, of the address of a page
// of Jamf Pro, of one without /api or with something behind it. The address ends in /api, its host is in lower case and
// it names no usual port. What cannot be completed is a problem that says what is accepted. Neither repeats user,
// password or query of what was pasted. Plain http is possible to a loopback literal alone, where it is allowed.
func CompleteURL(text string, allowLoopback bool) (address, problem string) {
	const example = "must be the address of a Jamf Pro instance, like https://NAME.jamfcloud.com/api"
	u, ok := pasted(text)
	if !ok {
		return "", example
	}
	scheme := "https"
	if u.Scheme == "http" && loopbackLiteral(u.Hostname()) {
		scheme = "http"
	}
	host, ok := canonicalHost(u, scheme)
	if !ok {
		return "", example
	}
	path, ok := apiPath(u)
	switch {
	case !ok:
		return "", example
	case scheme == "http" && !allowLoopback:
		return "", "http is possible to a loopback address only, and with allow_insecure_loopback: true"
	case scheme != u.Scheme && u.Port() != "" && u.Port() != "80":
		return "", "must begin with https://: the port of a plain http address is seldom the one of https"
	}
	address = scheme + "://" + host + path
	if u.User != nil {
		return "", "must be written \"" + address + "\"; credentials belong in client_id and client_secret"
	}
	return address, ""
}

// pasted reads an address as people paste it: with spaces around it, with or without a scheme.
func pasted(text string) (*url.URL, bool) {
	full := strings.TrimSpace(text)
	if !strings.Contains(full, "://") {
		full = "https://" + full
	}
	u, err := url.Parse(full)
	return u, err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Opaque == ""
}

// canonicalHost is the host, and the port where it is not the usual one of the scheme that was or is to be written.
func canonicalHost(u *url.URL, scheme string) (string, bool) {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if strings.Contains(host, ":") {
		if checkAddress("["+host+"]:1") != "" || strings.Contains(host, "%") {
			return "", false
		}
		host = "[" + host + "]"
	} else if !hostName.MatchString(host) {
		return "", false
	}
	if (scheme == "https" && port == "443") || (u.Scheme == "http" && port == "80") {
		port = ""
	}
	if port == "" {
		return host, true
	}
	return host + ":" + port, checkAddress("h:"+port) == "" && port != "0"
}

// page tells the first segment of a path that belongs to a page of Jamf Pro or to one of its interfaces, not to where
// Jamf Pro is installed.
func page(segment string) bool {
	pages := []string{"", "api", "JSSResource", "classicapi", "enroll", "legacy", "login", "logout", "OAuth2", "saml", "uapi", "ui", "view"}
	return strings.Contains(segment, ".") || slices.Contains(pages, segment)
}

// apiPath turns the path of whatever page of Jamf Pro was copied into the one of its API: everything up to /api, or up to
// the page, with /api. A context path (/jamf) stays; Jamf Cloud has none.
func apiPath(u *url.URL) (string, bool) {
	if strings.HasSuffix(strings.ToLower(u.Hostname()), ".jamfcloud.com") {
		return "/api", true
	}
	var kept []string
	for segment := range strings.SplitSeq(strings.Trim(u.EscapedPath(), "/"), "/") {
		if page(segment) {
			break
		}
		if !pathSegment.MatchString(segment) {
			return "", false
		}
		kept = append(kept, segment)
	}
	return strings.Join(append([]string{""}, append(kept, "api")...), "/"), true
}

// publicURL is the address under which clients know the gateway.
func (d *document) publicURL(v value) string {
	if v.text == "" {
		return ""
	}
	address, ok := CompletePublicURL(v.text)
	if !ok {
		d.problem(v.origin, "must be the address by which clients reach the gateway, like https://gateway.example.com, without user, query and fragment")
		return ""
	}
	if address != strings.TrimRight(v.text, "/") {
		d.warn(v.origin, "was completed to %q; write it like this", address)
	}
	return address
}

// CompletePublicURL completes the address of the gateway: a scheme that is missing is https, and what Inventory360 is
// given (/jamf/NAME/api, /api) leads back to the gateway itself.
func CompletePublicURL(text string) (string, bool) {
	u, ok := pasted(text)
	if !ok || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(u.Host, ":") {
		return "", false
	}
	path := strings.TrimSuffix(strings.TrimRight(u.EscapedPath(), "/"), "/api")
	if before, name, found := strings.Cut(path, "/jamf/"); found && sourceName.MatchString(name) {
		path = before
	}
	return u.Scheme + "://" + u.Host + strings.TrimRight(path, "/"), true
}
