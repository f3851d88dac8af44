package device

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Truth is what is known of a term: Jamf may not say.
type Truth byte

// The truths.
const (
	NotKnown Truth = iota
	No
	Yes
)

// TermReader finds terms in records. Safe for concurrent use.
type TermReader struct {
	kind    Kind
	terms   []string
	profile *Profile
	sites   *Names
}

// NewTermReader reads these terms. sites are Jamf's sites, for mobile devices; nil = not known.
func NewTermReader(k Kind, terms []string, sites *Names) *TermReader {
	return &TermReader{kind: k, terms: terms, profile: TermProfile(terms), sites: sites}
}

// Of tells each term of a record as Jamf sent it, or cut to what TermProfile keeps. The error is *RecordError.
func (t *TermReader) Of(record []byte) ([]Truth, error) {
	r, err := read(t.kind, t.profile, record)
	if err != nil {
		return nil, err
	}
	defer r.release()
	out := make([]Truth, len(t.terms))
	for i, term := range t.terms {
		family := familyOf(term)
		out[i] = t.truth(r, family, strings.TrimPrefix(term, family))
	}
	return out, nil
}

func (t *TermReader) truth(r *reader, family, value string) Truth {
	switch family {
	case termManaged:
		return truthOf(parseBool(r.find("management.managed")))
	case termPersonal:
		return r.personal()
	case termSerial:
		if parseSerial(r.find("identity.serialNumber")) != "" {
			return Yes
		}
		return r.saysNo("hardware")
	case familySite:
		return t.site(r, value)
	case familyGroup:
		return r.memberOf(value)
	case familyName:
		name := r.find("name")
		if name == nil {
			return r.saysNo("general")
		}
		return yesIf(strings.HasPrefix(foldBytes(name), value))
	default:
		return NotKnown
	}
}

// personal is Yes also for a word that is not known: a kind of enrolment that Jamf adds may be one of a person's own device.
func (r *reader) personal() Truth {
	words := 0
	for _, path := range []string{"general.deviceOwnershipType", "general.appleEnrollmentType"} {
		switch strings.ToLower(string(r.text(path))) {
		case "", "unknown":
			continue
		case "institutional", "accountdrivendeviceenrollment", "none", "supervised", "device":
			words++
		default: // UserEnrollment, AccountDrivenUserEnrollment, PersonalDeviceProfile, user
			return Yes
		}
	}
	if words > 0 {
		return No
	}
	return NotKnown
}

// site compares the site of a device by id and by name.
func (t *TermReader) site(r *reader, value string) Truth {
	id, name := r.find("site.id"), r.find("site.name")
	if id == nil && name == nil {
		return r.saysNo("general")
	}
	if Fold(string(id)) == value || name != nil && foldBytes(name) == value {
		return Yes
	}
	if t.kind == Mobile && NeedsSites([]string{familySite + value}) {
		if name = t.sites.of(Sites, id); name == nil {
			return NotKnown // the list could not be read, or is older than the site
		}
		return yesIf(foldBytes(name) == value)
	}
	return No
}

// memberOf tells whether one of the device's groups has the id or the name.
func (r *reader) memberOf(value string) Truth {
	array := "groups[]"
	if r.schema.kind == Computer {
		array = "groupMemberships[]"
	}
	at := r.entryAt(array)
	if at == 0 || r.entries[at].kind != jsontext.KindBeginArray {
		return NotKnown
	}
	found := false
	r.elements(at, func(at int32) {
		for _, member := range []string{"groupId", "groupName"} {
			text := r.content(r.memberNamed(at, member))
			found = found || len(text) > 0 && foldBytes(text) == value
		}
	})
	return yesIf(found)
}

// saysNo is No where the section came, and NotKnown where it did not.
func (r *reader) saysNo(section string) Truth {
	if r.present(section) {
		return No
	}
	return NotKnown
}

func truthOf(b *bool) Truth {
	if b == nil {
		return NotKnown
	}
	return yesIf(*b)
}

func yesIf(b bool) Truth {
	if b {
		return Yes
	}
	return No
}

// SiteNames are Jamf's sites as names behind ids.
func SiteNames(byID map[int64]string) *Names {
	var n *Names
	return n.Replace(Sites, byID)
}

// Terms are those that the reader tells, in the order of its answers.
func (t *TermReader) Terms() []string { return slices.Clone(t.terms) }
