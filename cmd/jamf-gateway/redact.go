package main

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"jamf-gateway/config"
)

// redactor takes out of texts what a stranger must not read: addresses, names of machines and people, ids of devices.
// The same host has the same name in the whole of a file.
type redactor struct {
	known    []string // longest first
	instead  map[string]string
	address  *regexp.Regexp
	name     *regexp.Regexp
	idLike   *regexp.Regexp
	quoted   *regexp.Regexp
	homePath *regexp.Regexp
	file     *regexp.Regexp
	filePath *regexp.Regexp
}

func newRedactor() *redactor {
	return &redactor{
		instead: map[string]string{},
		address: regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>)]*[^\s"'<>).,;:]` + // URLs, without the end of a sentence
			`|[^\s@"'<>:]+@[^\s@"'<>]*[^\s@"'<>.,;:]` + // e-mail addresses
			`|\b\d{1,3}(?:\.\d{1,3}){3}\b(?::\d+)?` + // IPv4
			`|\[[0-9A-Fa-f:]+\](?::\d+)?|\b(?:[0-9A-Fa-f]{1,4}:){3,}[0-9A-Fa-f:]+`), // IPv6 and hardware addresses
		name:     regexp.MustCompile(`\b(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}\b(?::\d+)?`),
		idLike:   regexp.MustCompile(`[A-Za-z0-9][A-Za-z0-9-]{7,}`),
		quoted:   regexp.MustCompile(`"[^"]*"`),
		homePath: regexp.MustCompile(`/(?:home|Users|root)(?:/[^\s:"']*)?`),
		file:     regexp.MustCompile(`\b(open|stat|lstat|read|write|mkdir|readdirent|rename|fsync|sync|chmod|unlinkat|remove) [^:"]*[/.][^:"]*:`), // as errors name a file
		filePath: regexp.MustCompile(`(?:\.{0,2}/[^\s/:"'<>,;)]+){2,}`),
	}
}

// hide replaces a text from now on; one that is too short to be told from other words is left alone.
func (r *redactor) hide(text, instead string) {
	if _, there := r.instead[text]; there || len(text) < 4 {
		return
	}
	r.instead[text] = instead
	r.known = append(r.known, text)
	slices.SortFunc(r.known, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
}

// hideHost replaces a host, with and without a port. The loopback is nobody's secret.
func (r *redactor) hideHost(host string) {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host == "localhost" || host == "127.0.0.1" || host == "::1" {
		return
	}
	r.hide(host, fmt.Sprintf("<host %d>", len(r.known)+1))
}

// hideSettings replaces the hosts and directories of the settings.
func (r *redactor) hideSettings(c *config.Config) {
	hosts := []string{c.PublicURL}
	for _, src := range c.Sources {
		hosts = append(hosts, src.URL)
		hosts = append(hosts, src.Hosts...)
	}
	for _, text := range hosts {
		if u, err := url.Parse(text); err == nil && u.Host != "" {
			text = u.Host
		}
		r.hideHost(text)
	}
	if strings.ContainsRune(c.DataDir, '/') { // "data" is a word like others
		r.hide(c.DataDir, "<data_dir>")
	}
}

// hideMachine replaces the name of this machine, unless it is a word of ours.
func (r *redactor) hideMachine() {
	if name, err := os.Hostname(); err == nil && !strings.Contains("jamf-gateway localhost", name) {
		r.hide(name, "<this machine>")
	}
}

// words replaces what was named and whatever looks like an address.
func (r *redactor) words(text string) string {
	for _, word := range r.known {
		text = strings.ReplaceAll(text, word, r.instead[word])
	}
	return r.address.ReplaceAllString(text, "<address>")
}

// sentence is words for a text that may quote anything: what looks like the name of a host, a home directory or an id goes too.
func (r *redactor) sentence(text string) string {
	text = r.homePath.ReplaceAllString(r.words(text), "<home>")
	text = r.name.ReplaceAllString(text, "<name>")
	return r.idLike.ReplaceAllStringFunc(text, func(word string) string {
		if strings.ContainsFunc(word, unicode.IsDigit) && strings.ContainsFunc(word, unicode.IsUpper) {
			return "<id>"
		}
		return word
	})
}

// problem is sentence for a text about the settings: it may quote a value that was written in the wrong place, and name files.
func (r *redactor) problem(text string) string {
	return r.files(r.quoted.ReplaceAllString(text, `"..."`))
}

// files is sentence for a text that may name files. Paths of Jamf's API stay.
func (r *redactor) files(text string) string {
	text = r.sentence(r.file.ReplaceAllString(text, "$1 <file>:"))
	return r.filePath.ReplaceAllStringFunc(text, func(path string) string {
		if len(path) > 3 && path[:2] == "/v" && path[2] <= '9' && path[3] == '/' || strings.HasPrefix(path, "/api/") {
			return path
		}
		return "<file>"
	})
}

// metric is words for a line of metrics, whose labels name hosts however short they are.
func (r *redactor) metric(line string) string {
	return hostLabel().ReplaceAllStringFunc(r.words(line), func(label string) string {
		name, host, _ := strings.Cut(label, "=")
		if host = strings.Trim(host, `"`); strings.HasPrefix(host, "<") || strings.HasPrefix(host, "127.0.0.1") || strings.HasPrefix(host, "localhost") {
			return label
		}
		return name + `="<host>"`
	})
}

// members are the names of what may be passed on of decoded JSON, at whatever depth. What a later gateway adds is not among them
// until somebody has thought about it.
type members map[string]bool

func membersOf(names string) members {
	out := members{}
	for name := range strings.FieldsSeq(names) {
		out[name] = true
	}
	return out
}

// value keeps the members of decoded JSON that may be passed on, with their texts redacted: what was made for people as sentences,
// the rest as words.
func (r *redactor) value(v any, key string, kept members) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if !kept[name] {
				delete(v, name)
				continue
			}
			v[name] = r.value(member, name, kept)
		}
	case []any:
		for i, member := range v {
			v[i] = r.value(member, key, kept)
		}
	case string:
		if key == "detail" || key == "errorDetail" {
			return r.sentence(v)
		}
		return r.words(v)
	}
	return v
}
