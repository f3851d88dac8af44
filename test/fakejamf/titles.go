package fakejamf

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
)

// titles are the entries of a list of names; ids count from 1. They can be renamed while they are read.
type titles struct {
	mu    sync.RWMutex
	names []string
}

func newTitles(list string) *titles { return &titles{names: split(list)} }

func (t *titles) list() []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.names
}

// len never changes.
func (t *titles) len() int { return len(t.list()) }

func (t *titles) rename(id int, name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if id < 1 || id > len(t.names) {
		return false
	}
	t.names = slices.Clone(t.names) // who reads the old list keeps it
	t.names[id-1] = name
	return true
}

// titlesOf finds a list by the last part of its path.
func (w *world) titlesOf(list string) *titles {
	switch list {
	case "departments":
		return w.departments
	case "buildings":
		return w.buildings
	case "sites":
		return w.sites
	default:
		return nil
	}
}

// RenameEntry gives an entry of "departments", "buildings" or "sites" a name; false when there is no such entry.
func (s *Server) RenameEntry(list string, id int, name string) bool {
	t := s.shapes.world.titlesOf(list)
	return t != nil && t.rename(id, validText(name))
}

// Entries returns the names of "departments", "buildings" or "sites" by id.
func (s *Server) Entries(list string) map[int64]string {
	out := map[int64]string{}
	if t := s.shapes.world.titlesOf(list); t != nil {
		for i, name := range t.list() {
			out[int64(i+1)] = name
		}
	}
	return out
}

// BreakEntries makes the lists of departments, buildings and sites fail with 500, as a list that cannot be rendered does.
func (s *Server) BreakEntries(broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noEntries = broken
}

// refusesEntries answers in place of a list of names that is broken.
func (s *Server) refusesEntries(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	broken := s.noEntries
	s.mu.Unlock()
	if broken {
		s.refuse(w, r, http.StatusInternalServerError, "", "")
	}
	return broken
}

// namesList answers departments and buildings: the names behind the ids of records.
func (s *Server) namesList(t *titles) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.disturb(w, r, true) || s.refusesEntries(w, r) {
			return
		}
		q, err := s.readPaging(r)
		if err != nil {
			s.refuse(w, r, http.StatusBadRequest, err.code, err.description)
			return
		}
		names := t.list()
		s.send(w, r, http.StatusOK, func(o *writer) {
			o.openObject()
			o.num("totalCount", len(names))
			o.array("results")
			from, to := q.window(len(names))
			for i := from; i < to; i++ {
				o.openObject()
				o.num2str("id", i+1)
				o.str("name", names[i])
				if t == s.shapes.world.buildings {
					o.str("streetAddress1", fmt.Sprintf("Schulstraße %d", i+1))
					for _, k := range [...]string{"streetAddress2", "city", "stateProvince", "zipPostalCode", "country"} {
						o.str(k, "")
					}
				}
				o.closeObject()
			}
			o.closeArray()
			o.closeObject()
		})
	}
}

// siteList answers the sites: an array, without pages.
func (s *Server) siteList(w http.ResponseWriter, r *http.Request) {
	if s.disturb(w, r, true) || s.refusesEntries(w, r) {
		return
	}
	names := s.shapes.world.sites.list()
	s.send(w, r, http.StatusOK, func(o *writer) {
		o.openArray()
		for i, name := range names {
			o.openObject()
			o.num2str("id", i+1)
			o.null("divisionId")
			o.str("name", name)
			o.closeObject()
		}
		o.closeArray()
	})
}
