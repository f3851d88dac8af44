package fakejamf

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

const (
	maxVersion  = 4
	maxPageSize = 2000 // beyond it Jamf clamps without a word
	allSections = ^sections(0)
)

// retired are the deprecation dates of computers-inventory v1 to v3, as their answers carry them.
func retired(version int) string {
	switch version {
	case 1:
		return `date="Mon, 30 Jun 2025 00:00:00 GMT"`
	case 2:
		return `date="Thu, 06 Nov 2025 00:00:00 GMT"`
	case 3:
		return `date="Tue, 14 Jul 2026 00:00:00 GMT"`
	}
	return ""
}

func (s *Server) routes() *http.ServeMux {
	m := http.NewServeMux()
	m.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) { html(w, http.StatusOK, "Jamf Pro") })
	m.HandleFunc("/healthCheck.html", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html;charset=utf-8")
		_, _ = w.Write([]byte("[]"))
	})
	m.HandleFunc("/api/v1/health-check", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	m.HandleFunc("/api/startup-status", s.startup)
	m.HandleFunc("/api/v1/oauth/token", s.token)
	m.HandleFunc("/api/oauth/token", s.token)
	m.HandleFunc("/api/v1/auth", s.authed("", s.auth))
	m.HandleFunc("/api/auth", s.authed("", s.auth))
	m.HandleFunc("/api/v1/jamf-pro-version", s.authed("", s.version))
	for v := 1; v <= maxVersion; v++ {
		m.HandleFunc(fmt.Sprintf("/api/v%d/computers-inventory", v), s.authed(ReadComputers, s.grown(v, s.computerList(v))))
		m.HandleFunc(fmt.Sprintf("/api/v%d/computers-inventory/{id}", v), s.authed(ReadComputers, s.grown(v, s.computerOne(v, false))))
		m.HandleFunc(fmt.Sprintf("/api/v%d/computers-inventory-detail/{id}", v), s.authed(ReadComputers, s.grown(v, s.computerOne(v, true))))
	}
	m.HandleFunc("/api/v2/mobile-devices", s.authed(ReadMobileDevices, s.mobileList))
	m.HandleFunc("/api/v2/mobile-devices/detail", s.authed(ReadMobileDevices, s.mobileDetailList))
	m.HandleFunc("/api/v2/mobile-devices/{id}", s.authed(ReadMobileDevices, s.mobileOne(s.shapes.mobileSummary)))
	m.HandleFunc("/api/v2/mobile-devices/{id}/detail", s.authed(ReadMobileDevices, s.mobileOne(s.shapes.mobileByID)))
	m.HandleFunc("/api/v1/departments", s.authed(ReadDepartments, s.namesList(s.shapes.world.departments)))
	m.HandleFunc("/api/v1/buildings", s.authed(ReadBuildings, s.namesList(s.shapes.world.buildings)))
	m.HandleFunc("/api/v1/sites", s.authed(ReadSites, s.siteList))
	m.HandleFunc("/", s.authed("", func(w http.ResponseWriter, r *http.Request) { s.refuse(w, r, http.StatusNotFound, "", "") }))
	return m
}

// versionNumber reads "v3"; what is no version is the newest.
func versionNumber(v string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(v, "v"))
	if err != nil {
		return maxVersion
	}
	return n
}

// grown answers 404 while the instance is too old for a version of computers-inventory.
func (s *Server) grown(version int, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		newest := s.newest
		s.mu.Unlock()
		if version > newest {
			s.refuse(w, r, http.StatusNotFound, "", "")
			return
		}
		next(w, r)
	}
}

func (s *Server) startup(w http.ResponseWriter, r *http.Request) {
	s.send(w, r, http.StatusOK, func(o *writer) {
		o.openObject()
		o.str("step", "startup.status.complete")
		o.str("stepCode", "SERVER_INIT_COMPLETE")
		o.str("stepParam", "")
		o.num("percentage", 100)
		for _, k := range [...]string{"warning", "warningCode", "warningParam", "error", "errorCode"} {
			o.null(k)
		}
		o.yes("setupAssistantNecessary", false)
		o.closeObject()
	})
}

func (s *Server) version(w http.ResponseWriter, r *http.Request) {
	if s.disturb(w, r, false) {
		return
	}
	s.mu.Lock()
	release := s.release
	s.mu.Unlock()
	s.send(w, r, http.StatusOK, func(o *writer) {
		o.openObject()
		o.str("version", release)
		o.closeObject()
	})
}
