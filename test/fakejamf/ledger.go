package fakejamf

import (
	"slices"
	"time"
)

// Mark is a moment in the life of the fleet, counted in events.
type Mark struct {
	Event  int64 // the newest event
	Oldest int64 // the event up to which the laggiest node had come; Event when all nodes agree
}

// Version is one version of a device. A text that is null on the wire is empty here.
type Version struct {
	Number                              uint32
	Name, SerialNumber, UDID            string
	ManagementID, AssetTag              string
	Model, ModelIdentifier, OSVersion   string
	DeviceType                          string // "Mac", "iOS", "tvOS", "watchOS", "visionOS", "Unknown"
	LastContact, LastCheckIn, Inventory time.Time
	From, Until                         int64 // events; Until is 0 while it is the newest
}

// Ledger is the truth about the fleet: who lived when, and as what. It is the oracle of a test and never goes out over HTTP.
type Ledger struct{ s *Server }

// Ledger returns the ledger of the fleet. It stays valid and reads the present.
func (s *Server) Ledger() Ledger { return Ledger{s} }

// Mark is now.
func (s *Server) Mark() Mark {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settleLocked()
	m := Mark{Event: int64(len(s.events)), Oldest: int64(len(s.events))}
	for _, n := range s.nodes {
		m.Oldest = min(m.Oldest, n.position)
	}
	return m
}

// Mark is now.
func (l Ledger) Mark() Mark { return l.s.Mark() }

// AliveThroughout lists, rising, the ids that every node showed at every moment between two marks: a complete read of
// that window holds each of them.
func (l Ledger) AliveThroughout(k Kind, from, to Mark) []int64 {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	r := l.s.kinds[k]
	var ids []int64
	for _, list := range [2][]int64{r.initial, r.added} {
		for _, id := range list {
			born, died := r.span(id)
			if born <= from.Oldest && (died == 0 || died > to.Event) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// AliveDuring tells whether an id was shown by any node at any moment between two marks: nothing else may be read there.
func (l Ledger) AliveDuring(k Kind, id int64, from, to Mark) bool {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	r := l.s.kinds[k]
	if !r.existed(id) {
		return false
	}
	born, died := r.span(id)
	return born <= to.Event && (died == 0 || died > from.Oldest)
}

// EverExisted tells whether an id was ever given to a device.
func (l Ledger) EverExisted(k Kind, id int64) bool {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	return l.s.kinds[k].existed(id)
}

// Alive lists the living ids, rising.
func (l Ledger) Alive(k Kind) []int64 {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	l.s.nodes[0].advance(l.s.events, int64(len(l.s.events)))
	return slices.Clone(l.s.nodes[0].views[k].ids)
}

// VersionsIn lists the versions of a device that any node may have shown between two marks, the oldest first.
func (l Ledger) VersionsIn(k Kind, id int64, from, to Mark) []Version {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	r := l.s.kinds[k]
	if !r.existed(id) {
		return nil
	}
	born, died := r.span(id)
	if born > to.Event || died != 0 && died <= from.Oldest {
		return nil
	}
	all := []change{{event: born, row: row{id: id}}}
	if lf := r.lives[id]; lf != nil {
		all = append(all, lf.changes...)
	}
	var out []Version
	for i, c := range all {
		until := died
		if i+1 < len(all) {
			until = all[i+1].event
		}
		if c.event > to.Event || until != 0 && until <= from.Oldest {
			continue
		}
		v := l.s.shapes.version(k, c.row)
		v.From, v.Until = c.event, until
		out = append(out, v)
	}
	return out
}

func (s *shapes) version(k Kind, r row) Version {
	if k == Computer {
		c := s.world.computer(r)
		v := Version{
			Number: r.version, Name: c.name, SerialNumber: c.serial, UDID: c.udid, ManagementID: c.managementID, AssetTag: c.tag,
			Model: c.model.name, ModelIdentifier: c.model.identifier, OSVersion: c.os.version, DeviceType: "Mac",
			LastContact: c.contact, LastCheckIn: c.checkIn, Inventory: c.report,
		}
		if c.fresh {
			v.OSVersion = ""
		}
		return v.withoutNulls()
	}
	m := s.world.mobile(r)
	return Version{
		Number: r.version, Name: m.name, SerialNumber: m.serial, UDID: m.udid, ManagementID: m.managementID, AssetTag: m.tag,
		Model: m.model.name, ModelIdentifier: m.model.identifier, OSVersion: m.osVersion, DeviceType: m.deviceType,
		LastContact: m.contact, Inventory: m.inventory,
	}.withoutNulls()
}

func (v Version) withoutNulls() Version {
	for _, s := range [...]*string{&v.Name, &v.SerialNumber, &v.UDID, &v.ManagementID, &v.AssetTag, &v.OSVersion} {
		if *s == absent {
			*s = ""
		}
	}
	return v
}
