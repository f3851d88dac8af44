package simulate_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"jamf-gateway/gateway/device"
	"jamf-gateway/test/fakejamf"
)

func kinds() []device.Kind { return []device.Kind{device.Computer, device.Mobile} }

func kindOf(k device.Kind) fakejamf.Kind { return fakejamf.Kind(k) }

// instance is one Jamf Pro with the life line of every device that it ever had, in full: what its ledger does not keep.
type instance struct {
	*fakejamf.Server
	number int
	lives  map[device.Kind]map[int64][]version
	left   fakejamf.Mark // when it stopped to stand behind the URL
	gone   bool
}

// version is what a device was from one event until another; until is 0 while it is that.
type version struct {
	from, until int64
	body        []byte
	tree        map[string]any // of body; made when it is asked for
}

func newInstance(number int, o fakejamf.Options) *instance {
	i := &instance{Server: fakejamf.New(o), number: number, lives: map[device.Kind]map[int64][]version{}}
	for _, k := range kinds() {
		i.lives[k] = map[int64][]version{}
		for _, id := range i.Ledger().Alive(kindOf(k)) {
			i.lives[k][id] = []version{{body: i.Record(kindOf(k), id)}}
		}
	}
	return i
}

// wrote is called after each change of a device.
func (i *instance) wrote(k device.Kind, id int64) {
	now := i.Mark().Event
	line := i.lives[k][id]
	if n := len(line); n > 0 && line[n-1].until == 0 {
		line[n-1].until = now
	}
	if body := i.Record(kindOf(k), id); body != nil {
		line = append(line, version{from: now, body: body})
	}
	i.lives[k][id] = line
}

// emptied is called after all devices of a kind were deleted.
func (i *instance) emptied(k device.Kind) {
	now := i.Mark().Event
	for _, line := range i.lives[k] {
		if n := len(line); line[n-1].until == 0 {
			line[n-1].until = now
		}
	}
}

// was tells whether a record, cut to whatever profile, is one version that the device had between two marks.
func (i *instance) was(k device.Kind, id int64, record map[string]any, from, to fakejamf.Mark, fits func(record, version map[string]any) bool) bool {
	line := i.lives[k][id]
	for n := range line {
		v := &line[n]
		if v.from > to.Event || v.until != 0 && v.until <= from.Oldest {
			continue
		}
		if v.tree == nil {
			if err := json.Unmarshal(v.body, &v.tree); err != nil {
				panic(err)
			}
		}
		if fits(record, v.tree) {
			return true
		}
	}
	return false
}

// within tells that every value of a part is the whole's. Lists are equal in length: a shorter one would be a loss.
func within(part, whole any) bool {
	switch p := part.(type) {
	case map[string]any:
		w, ok := whole.(map[string]any)
		if !ok {
			return false
		}
		for name, value := range p {
			if other, there := w[name]; !there && value != nil || !within(value, other) {
				return false
			}
		}
		return true
	case []any:
		w, ok := whole.([]any)
		if !ok || len(p) != len(w) {
			return false
		}
		for n := range p {
			if !within(p[n], w[n]) {
				return false
			}
		}
		return true
	default:
		return reflect.DeepEqual(part, whole)
	}
}

// whole: the record is this version.
func whole(record, version map[string]any) bool { return within(record, version) }

// unlike names the sections of a record that are not those of any version, for who looks into a failing seed.
func (i *instance) unlike(k device.Kind, id int64, record map[string]any) string {
	var parts []string
	for name, value := range record {
		ends := fakejamf.Mark{Event: 1 << 60}
		if !i.was(k, id, map[string]any{name: value}, fakejamf.Mark{}, ends, whole) {
			b, _ := json.Marshal(value)
			parts = append(parts, fmt.Sprintf("%s %.200s", name, b))
		}
	}
	var spans []string
	for _, v := range i.lives[k][id] {
		spans = append(spans, fmt.Sprintf("%d-%d", v.from, v.until))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ") + " (versions " + strings.Join(spans, " ") + ")"
}
