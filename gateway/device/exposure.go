package device

// Exposure counts the fields of one record of a kind that somebody can read, and how many of them are about what is most personal.
type Exposure struct {
	Fields    int // all of them
	Apps      int // lists of applications
	Users     int // users: names, mail addresses, telephone numbers, accounts
	Locations int // buildings, rooms, time zone, where a lost device is
	Names     int // 1 where the name of the device is among them, which often is that of a person
}

// Opened is what Jamf sends of one record to anybody who has the right to read the kind: of a computer, or of an iPhone or iPad, which
// has more than other mobile devices. No right of Jamf opens less than all of it. The fields are those of fields.tsv.
func Opened(k Kind) Exposure { return exposure(k, func(int) bool { return true }) }

// Exposure is what of Opened the profile keeps.
func (p *Profile) Exposure(k Kind) Exposure {
	kept := p.keepOf(k)
	return exposure(k, func(i int) bool { return kept.fields[i] })
}

func exposure(k Kind, open func(i int) bool) Exposure {
	var out Exposure
	s := fieldTable().schemaOf(k)
	if s == nil {
		return out
	}
	shape := shapeV4
	if k == Mobile {
		shape = shapeIOS
	}
	for i := range s.fields {
		f := &s.fields[i]
		if f.leaf.shapes&shape == 0 || !open(i) {
			continue
		}
		out.Fields++
		switch {
		case f.class == "apps":
			out.Apps++
		case f.class == "user":
			out.Users++
		case f.class == "location":
			out.Locations++
		case f.leaf == s.nameLeaf():
			out.Names++
		}
	}
	return out
}

// nameLeaf is the field that holds the name of a device.
func (s *schema) nameLeaf() *node {
	if from := s.sources["name"]; len(from) > 0 {
		return from[0]
	}
	return nil
}
