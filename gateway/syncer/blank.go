package syncer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"jamf-gateway/cache"
)

// fillBlank looks for sections that came back null although the parent's record has them: a right lost in mid-walk or
// a section that Jamf could not render blanks data without an error (proof 4). It returns the record with the
// parent's sections in their place and the names of these.
func (r *reader) fillBlank(ctx context.Context, id int64, body []byte) (filled []byte, blank []string, err error) {
	if r.parent == nil || !bytes.Contains(body, []byte("null")) {
		return body, nil, nil
	}
	now, err := members(body)
	if err != nil {
		return nil, nil, err
	}
	if !slices.ContainsFunc(now, member.isNull) {
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
	if blank = restore(now, before); len(blank) == 0 {
		return body, nil, nil
	}
	return join(now), blank, nil
}

// restore puts the sections of before where now has null, and names them.
func restore(now, before []member) (names []string) {
	for i, m := range now {
		at := slices.IndexFunc(before, func(o member) bool { return o.name == m.name })
		if m.isNull() && at >= 0 && (before[at].value.Kind() == '{' || before[at].value.Kind() == '[') {
			now[i].value = before[at].value
			names = append(names, m.name)
		}
	}
	return names
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
