package device

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
)

// Filter is which devices of a source one client is shown. The zero value leaves none out.
type Filter struct {
	ManagedOnly    bool     `json:"managedOnly,omitempty"`
	NoPersonal     bool     `json:"noPersonal,omitempty"` // none that is enrolled as a person's own
	WithSerial     bool     `json:"withSerial,omitempty"`
	Sites          []string `json:"sites,omitempty"`  // names or ids; one of them
	Groups         []string `json:"groups,omitempty"` // names or ids; a member of one of them
	NamePrefixes   []string `json:"namePrefixes,omitempty"`
	NewestOfSerial bool     `json:"newestOfSerial,omitempty"` // of devices with one serial number that with the newest contact
}

// Reason is why a device is left out of a view: the first of these that holds.
type Reason string

// The reasons, in the order in which they are asked.
const (
	Unmanaged     Reason = "unmanaged"
	Personal      Reason = "personal"
	WithoutSerial Reason = "without_serial"
	OtherSite     Reason = "other_site"
	OtherGroup    Reason = "other_group"
	OtherName     Reason = "other_name"
	OlderTwin     Reason = "older_duplicate" // another device with its serial number was in contact later
)

// Reasons lists all reasons in their order.
func Reasons() []Reason {
	return []Reason{Unmanaged, Personal, WithoutSerial, OtherSite, OtherGroup, OtherName, OlderTwin}
}

// ViewCondition is one condition of a view: one of the terms holds, or none of them does.
type ViewCondition struct {
	Reason Reason
	Terms  []string
	Unless bool // it is left out where one holds
}

// Conditions lists what must hold for a device to be shown. NewestOfSerial compares devices and is not among them.
func (f Filter) Conditions() []ViewCondition {
	var out []ViewCondition
	if f.ManagedOnly {
		out = append(out, ViewCondition{Reason: Unmanaged, Terms: []string{termManaged}})
	}
	if f.NoPersonal {
		out = append(out, ViewCondition{Reason: Personal, Terms: []string{termPersonal}, Unless: true})
	}
	if f.WithSerial {
		out = append(out, ViewCondition{Reason: WithoutSerial, Terms: []string{termSerial}})
	}
	for _, list := range []struct {
		reason Reason
		family string
		values []string
	}{{OtherSite, familySite, f.Sites}, {OtherGroup, familyGroup, f.Groups}, {OtherName, familyName, f.NamePrefixes}} {
		if len(list.values) == 0 {
			continue
		}
		c := ViewCondition{Reason: list.reason}
		for _, v := range list.values {
			c.Terms = append(c.Terms, list.family+Fold(v))
		}
		slices.Sort(c.Terms)
		c.Terms = slices.Compact(c.Terms)
		out = append(out, c)
	}
	return out
}

// Terms are what must be known of each device, sorted.
func (f Filter) Terms() []string {
	var out []string
	for _, c := range f.Conditions() {
		out = append(out, c.Terms...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ShowsAll tells that nothing is left out.
func (f Filter) ShowsAll() bool { return len(f.Conditions()) == 0 && !f.NewestOfSerial }

// Digest is 16 hex digits, equal for filters that leave out the same; "" for the one that leaves out nothing.
func (f Filter) Digest() string {
	if f.ShowsAll() {
		return ""
	}
	text, _ := json.Marshal([]any{f.Conditions(), f.NewestOfSerial}) // strings and booleans always marshal
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// The families of terms.
const (
	termManaged  = "managed"
	termPersonal = "personal"
	termSerial   = "serial"
	familySite   = "site:"
	familyGroup  = "group:"
	familyName   = "name:"
)

// familyOf is the term without its value.
func familyOf(term string) string {
	if at := strings.IndexByte(term, ':'); at >= 0 {
		return term[:at+1]
	}
	return term
}

// termFields are Jamf's fields that a family of terms is read from.
func termFields(k Kind, family string) []string {
	computer := map[string][]string{
		termManaged:  {"general.remoteManagement.managed"},
		termPersonal: {"general.appleEnrollmentType"},
		termSerial:   {"hardware.serialNumber"},
		familySite:   {"general.site.id", "general.site.name"},
		familyGroup:  {"groupMemberships[].groupId", "groupMemberships[].groupName"},
		familyName:   {"general.name"},
	}
	mobile := map[string][]string{
		termManaged:  {"general.managed"},
		termPersonal: {"general.deviceOwnershipType", "general.appleEnrollmentType"},
		termSerial:   {"hardware.serialNumber"},
		familySite:   {"general.siteId"},
		familyGroup:  {"groups[].groupId", "groups[].groupName"},
		familyName:   {"general.displayName"},
	}
	if k == Computer {
		return computer[family]
	}
	return mobile[family]
}

// TermProfile is what must be read of the devices to know the terms: it is asked of Jamf, looked at and let go.
func TermProfile(terms []string) *Profile {
	t := fieldTable()
	return t.compile("terms", func(f *field) bool {
		for _, term := range terms {
			for _, s := range []*schema{t.computer, t.mobile} {
				for _, path := range termFields(s.kind, familyOf(term)) {
					if s.byPath[path] == f.leaf {
						return true
					}
				}
			}
		}
		return false
	})
}

// With keeps what either allows.
func (p *Profile) With(q *Profile) *Profile {
	t := fieldTable()
	either := map[*field]bool{}
	for _, s := range []*schema{t.computer, t.mobile} {
		a, b := p.keepOf(s.kind), q.keepOf(s.kind)
		for i := range s.fields {
			either[&s.fields[i]] = a.fields[i] || b.fields[i]
		}
	}
	return t.compile(p.name+"+"+q.name, func(f *field) bool { return either[f] })
}

// TermsWithin lists those of the terms that records cut to these paths tell by themselves. A site by its name is told by a computer's
// record alone: mobile devices have its id.
func TermsWithin(k Kind, terms, paths []string) []string {
	return slices.DeleteFunc(slices.Clone(terms), func(term string) bool {
		return slices.ContainsFunc(termFields(k, familyOf(term)), func(path string) bool {
			return !slices.Contains(paths, path)
		}) || k == Mobile && NeedsSites([]string{term})
	})
}

// NeedsSites tells that Jamf's list of sites must be read for the terms of mobile devices: they name a site.
func NeedsSites(terms []string) bool {
	return slices.ContainsFunc(terms, func(term string) bool {
		name, site := strings.CutPrefix(term, familySite)
		_, isID := parseID(name)
		return site && !isID
	})
}
