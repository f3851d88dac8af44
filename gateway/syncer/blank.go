package syncer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"jamf-gateway/cache"
)

// fillBlank looks for sections that came back null, or not at all, although the parent's record has them: a right lost in mid-walk or
// a section that Jamf could not render blanks data without an error (proof 4). It returns the record with the
// parent's sections in their place and the names of these.
func (r *reader) fillBlank(ctx context.Context, id int64, raw, body []byte) (filled []byte, blank []string, err error) {
	if r.parent == nil {
		return body, nil, nil
	}
	lacking := r.sent.lacking(raw)
	if len(lacking) == 0 && !bytes.Contains(body, []byte("null")) {
		return body, nil, nil
	}
	now, err := members(body)
	if err != nil {
		return nil, nil, err
	}
	if !slices.ContainsFunc(now, member.isNull) && len(lacking) == 0 {
		return body, nil, nil
	}
	old, err := r.parent.Get(ctx, id)
	if errors.Is(err, cache.ErrNotFound) {
		return body, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the parent's record: %w", err)
	}
	before, err := members(old.Body)
	if err != nil {
		return nil, nil, err
	}
	if _, is := outline(raw); len(lacking) > 0 {
		if _, was := outline(old.Body); is != was { // other hardware has other sections
			lacking = nil
		}
	}
	now, blank = restore(now, before, lacking)
	if len(blank) == 0 {
		return body, nil, nil
	}
	return join(now), blank, nil
}

// restore puts the sections of before where now has null or lacks one of the named, and names them.
func restore(now, before []member, lacking []string) (filled []member, names []string) {
	place := 0 // behind the last section that both have
	for _, o := range before {
		at := slices.IndexFunc(now, func(m member) bool { return m.name == o.name })
		section := o.value.Kind() == '{' || o.value.Kind() == '['
		switch {
		case at < 0 && section && slices.Contains(lacking, o.name):
			now = slices.Insert(now, place, o)
			at = place
			names = append(names, o.name)
		case at >= 0 && section && now[at].isNull():
			now[at].value = o.value
			names = append(names, o.name)
		}
		if at >= 0 {
			place = at + 1
		}
	}
	return now, names
}

// sent knows which sections Jamf sends in this walk, by deviceType (mobile devices of other types have other ones; of computers it is
// ""). A section that no record of a type has is none that this Jamf knows: a guard looks at that, not the quarantine.
type sent struct {
	wanted []string // keys
	types  map[string]map[string]bool
}

func newSent(sections []string) sent {
	s := sent{types: map[string]map[string]bool{}}
	for _, name := range sections {
		words := strings.Split(strings.ToLower(name), "_")
		for i, w := range words[1:] {
			words[i+1] = strings.ToUpper(w[:1]) + w[1:]
		}
		s.wanted = append(s.wanted, strings.Join(words, ""))
	}
	return s
}

// tellingRows is from how many rows of a type on one page a section that none of them has counts as not sent.
const tellingRows = 3

// learn takes notice of the sections of a page, before its records are stored.
func (s sent) learn(rows []row) {
	count := map[string]int{}
	for _, e := range rows {
		if e.unfit != nil || e.raw == nil {
			continue
		}
		keys, of := outline(e.raw)
		seen := s.types[of]
		if seen == nil {
			seen = map[string]bool{}
			s.types[of] = seen
		}
		for _, k := range keys {
			seen[k] = true
		}
		if count[of]++; count[of] == tellingRows {
			seen[""] = true
		}
	}
}

// lacking are the sections that a record lacks and should have.
func (s sent) lacking(record []byte) (names []string) {
	keys, of := outline(record)
	seen := s.types[of]
	for _, name := range s.wanted {
		if !slices.Contains(keys, name) && (seen[name] || !seen[""]) {
			names = append(names, name)
		}
	}
	return names
}

// outline reads the keys of the outer object of valid JSON, and the deviceType, without a copy of the values.
func outline(record []byte) (keys []string, deviceType string) {
	depth, from, key := 0, -1, ""
	for i := 0; i < len(record); i++ {
		switch c := record[i]; {
		case c == '\\' && from >= 0:
			i++
		case c == '"' && from >= 0:
			switch text := record[from:i]; {
			case depth != 1:
			case key == "":
				key = string(text)
				keys = append(keys, key)
			case key == "deviceType":
				deviceType = string(text)
			}
			from = -1
		case c == '"':
			from = i + 1
		case from >= 0:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case c == ',' && depth == 1:
			key = ""
		}
	}
	return keys, deviceType
}

// member is one name and value of the outer object of a record.
type member struct {
	name  string
	value jsontext.Value
}

func (m member) isNull() bool { return m.value.Kind() == 'n' }

// members splits an object: {"id":"1","general":{...}} -> id, general.
func members(object []byte) ([]member, error) {
	d := jsontext.NewDecoder(bytes.NewReader(object))
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return nil, errors.Join(errors.New("record is no object"), err)
	}
	var out []member
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, fmt.Errorf("read a member name: %w", err)
		}
		key := name.String()
		v, err := d.ReadValue()
		if err != nil {
			return nil, fmt.Errorf("read member %s: %w", key, err)
		}
		out = append(out, member{name: key, value: v.Clone()})
	}
	return out, nil
}

func join(ms []member) []byte {
	out := []byte{'{'}
	for i, m := range ms {
		if i > 0 {
			out = append(out, ',')
		}
		out, _ = jsontext.AppendQuote(out, m.name) // the decoder has seen the name: it is valid
		out = append(append(out, ':'), m.value...)
	}
	return append(out, '}')
}
