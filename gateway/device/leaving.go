package device

import "slices"

// Field is one field of Jamf's as the table knows it.
type Field struct {
	Path       string   // general.name, storage.disks[].device
	Normalized []string // what it is in the normalized device
	Class      string   // what kind of thing it tells: identity, user, location, apps, ...
	As         string   // how it is shown: "" = as it is, else the word of the policy
}

// FieldsOf lists all fields of a kind that any profile may keep, in the order of Jamf's keys.
func FieldsOf(k Kind) []Field { return fieldTable().everything.Leaving(k) }

// Leaving lists what leaves under the profile: the fields that answers are rendered from, in the order of Jamf's keys.
func (p *Profile) Leaving(k Kind) []Field {
	s := fieldTable().schemaOf(k)
	if s == nil {
		return nil
	}
	kept := p.keepOf(k).fields
	var masked []string
	if p.policy != nil {
		masked = p.policy.masked()
	}
	var out []Field
	for i := range s.fields {
		f := &s.fields[i]
		if !kept[i] {
			continue
		}
		one := Field{Path: f.path, Normalized: slices.Clone(f.normalized), Class: f.class}
		for _, name := range masked {
			if slices.Contains(f.normalized, name) {
				if one.As = Pseudonyms; name == "name" {
					one.As = p.policy.Names
				}
			}
		}
		out = append(out, one)
	}
	return out
}
