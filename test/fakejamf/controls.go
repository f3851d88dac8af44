package fakejamf

import (
	"maps"
	"slices"
)

// Add enrols a device and returns its id.
func (s *Server) Add(k Kind) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addLocked(k)
}

// Delete takes a device away; false when it does not live.
func (s *Server) Delete(k Kind, id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.deleteLocked(k, id)
}

// Rename gives a device a name; false when it does not live.
func (s *Server) Rename(k Kind, id int64, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changeLocked(k, id, func(r *row) { r.name, r.named = validText(name), true })
}

// Reserial gives a device another serial number, as a board swap does; false when it does not live.
func (s *Server) Reserial(k Kind, id int64, serial string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changeLocked(k, id, func(r *row) { r.serial, r.reserialled = validText(serial), true })
}

// Touch writes a new version of a device, as an inventory update does: new dates, and a new name unless one was given.
func (s *Server) Touch(k Kind, id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changeLocked(k, id, func(*row) {})
}

// Empty deletes every device of a kind.
func (s *Server) Empty(k Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.recordLocked(k, opEmpty, 0)
	s.kinds[k].emptied = append(s.kinds[k].emptied, e)
}

// Settle ends all lag: every node shows the present.
func (s *Server) Settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.nodes {
		n.advance(s.events, int64(len(s.events)))
	}
}

// SetPrivileges changes what the API client may do, at once and for tokens already out.
func (s *Server) SetPrivileges(names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.privileges = slices.Clone(names)
}

// RotateSecret makes the old secret worthless at once. Tokens already out live on, as Jamf's do.
func (s *Server) RotateSecret(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secret = secret
}

// SetClient adds a further API client with the same rights, or gives it another secret; "" takes it away. Its tokens live on.
func (s *Server) SetClient(id, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.others == nil {
		s.others = map[string]string{}
	}
	s.others[id] = secret
}

// RevokeTokens makes every token that is out worthless.
func (s *Server) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// Upgrade makes the instance another release whose newest computers-inventory is newest ("v1" to "v4"), as an upgrade
// does, or the way back from one.
func (s *Server) Upgrade(release, newest string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release, s.newest = release, versionNumber(newest)
}

// Down takes the instance away: the edge answers everything with 503 and a page of HTML.
func (s *Server) Down(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// BreakTotalCount makes every list lie about its totalCount by delta; 0 is honest again.
func (s *Server) BreakTotalCount(delta int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.countLie = delta
}

// SetFaults changes the faults from the next request on.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setFaultsLocked(f)
}

// Faults returns the faults in force.
func (s *Server) Faults() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

// SetMutate switches changes between pages on or off; rate is the mean number of changes a page.
func (s *Server) SetMutate(on bool, rate float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.o.Mutate, s.o.MutateRate = on, rate
}

// Poisoned lists the computers that the instance cannot render beyond GENERAL, rising.
func (s *Server) Poisoned() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.poisoned))
}

// Broken lists the mobile devices with an unreadable HARDWARE section, rising.
func (s *Server) Broken() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.broken))
}

// Seed returns the seed that made the fleet and its faults.
func (s *Server) Seed() uint64 { return s.o.Seed }

// Record returns the body that the by-id request of the newest version answers for a living device with all sections:
// v4 for a computer, an element of the detail list for a mobile device. Nil when it does not live.
func (s *Server) Record(k Kind, id int64) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.livesLocked(k, id) {
		return nil
	}
	r := s.kinds[k].at(id, int64(len(s.events)))
	w := &writer{}
	if k == Computer {
		s.shapes.computerRecord(w, r, allSections, maxVersion)
	} else {
		s.shapes.mobileDetail(w, r, allSections, false)
	}
	return w.b
}
