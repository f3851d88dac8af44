package jamf

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// newestVersion is the computers-inventory that a Jamf of today has.
const newestVersion = "v4"

// computerVersions are those of computers-inventory that are read, newest first. A path that Jamf does not have is 404.
func computerVersions() []string { return []string{newestVersion, "v3", "v2", "v1"} }

const (
	// reprobeAfter is how long the version that a source was read with is taken for its newest. Then, and as soon as
	// Jamf says that it is another release, the newer paths are tried again.
	reprobeAfter = 20 * time.Hour
	// pathProof is how long a path that answered counts as one that is there.
	pathProof = 30 * time.Second
)

// versionMemory is what a source knows of computers-inventory.
type versionMemory struct {
	read    string    // as last proved: "", "v4" to "v1"
	probed  time.Time // when all newer paths were last tried; zero = not since the last upgrade
	release string    // of Jamf Pro, as it last said
}

// candidates are the versions in the order in which a walk tries them: the one that it proved, or that the source was
// last read with, then all others from the newest on. probe tells that every newer one comes before an older one.
func (w *Walk) candidates() (order []string, probe bool) {
	first := w.knownVersion()
	if first == "" {
		first = w.src.rememberedVersion()
	}
	if first == "" {
		return computerVersions(), true
	}
	order = computerVersions()
	at := slices.Index(order, first)
	return append([]string{first}, slices.Delete(order, at, at+1)...), first == newestVersion
}

// computers asks for one page of the newest computers-inventory that Jamf has. A version that is gone in mid-walk
// (another node of a cluster that is being upgraded) costs one request and not the walk.
func (w *Walk) computers(ctx context.Context, query url.Values, size int) (*Page, error) {
	order, probe := w.candidates()
	var err error
	for _, version := range order {
		var p *Page
		if p, err = w.pageAt(ctx, Computers, version, query, size); err == nil {
			w.learnVersion(ctx, version, probe)
			return p, nil
		}
		if missing, why := pathMissing(err); !missing {
			return nil, why
		}
	}
	return nil, err
}

// pathMissing tells that Jamf does not have a path: then an older version is asked for. Its 404 bears its envelope, its
// HTML page ("Status page"), the page of its servlet container or of its framework, or nothing. Any other 404 is that of
// a proxy or of another host; it says nothing about versions, and why is what it is called instead.
func pathMissing(err error) (missing bool, why error) {
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok || !errors.Is(e, ErrNotFound):
		return false, err
	case e.server:
		return true, nil
	}
	return false, &Error{
		Kind: ErrUnavailable, Op: e.Op, Status: e.Status, Code: codeUnexpected, sent: e.sent, html: e.html,
		Detail: "a 404 that is not Jamf's: something in front of Jamf or another host answered",
	}
}

// resolveVersion makes sure that a 404 speaks of the record and not of the path: it answers a version whose list was
// there a moment ago.
func (w *Walk) resolveVersion(ctx context.Context) (string, error) {
	if v := w.knownVersion(); v != "" {
		return v, nil
	}
	return w.proveVersion(ctx)
}

// proveVersion asks for the shortest list there is.
func (w *Walk) proveVersion(ctx context.Context) (string, error) {
	p, err := w.computers(ctx, Computers.query([]string{"GENERAL"}, 0, 1), 1)
	if err != nil {
		return "", ofTheList(err)
	}
	return p.Version, nil
}

// computer reads one computer. A 404 to an id is believed when the list of the same version was there a moment ago:
// otherwise a path that an upgrade took away would look like a fleet that was deleted.
func (w *Walk) computer(ctx context.Context, query url.Values, id int64) ([]byte, error) {
	version, err := w.resolveVersion(ctx)
	if err != nil {
		return nil, err
	}
	raw, err := w.recordAt(ctx, Computers.path(version), query, id)
	if err == nil {
		w.learnVersion(ctx, version, false)
		return raw, nil
	}
	if e := asError(opRecord, err); e.Status != http.StatusNotFound || w.provedLately() {
		return nil, err
	}
	proved, proof := w.proveVersion(ctx)
	switch {
	case proof != nil:
		return nil, proof
	case proved == version:
		return nil, err
	default:
		return w.recordAt(ctx, Computers.path(proved), query, id)
	}
}

// knownVersion is the computers-inventory that answered in this walk.
func (w *Walk) knownVersion() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.version
}

func (w *Walk) provedLately() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Since(w.provedAt) < pathProof
}

func (w *Walk) learnVersion(ctx context.Context, v string, probed bool) {
	w.mu.Lock()
	w.version, w.provedAt = v, time.Now()
	w.mu.Unlock()
	w.src.learnVersion(ctx, v, probed)
}

// rememberedVersion is what the source was last read with, "" when newer ones should be tried again.
func (s *Source) rememberedVersion() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version.probed.IsZero() || time.Since(s.version.probed) >= reprobeAfter {
		return ""
	}
	return s.version.read
}

func (s *Source) learnVersion(ctx context.Context, v string, probed bool) {
	s.mu.Lock()
	before := s.version.read
	s.version.read = v
	if probed {
		s.version.probed = time.Now()
	}
	s.mu.Unlock()
	switch {
	case before == v:
	case v != newestVersion:
		s.log.InfoContext(ctx, "the newest computers-inventory is not there, an older one is read", "source", s.o.Name, "version", v)
	case before != "":
		s.log.InfoContext(ctx, "a newer computers-inventory is read", "source", s.o.Name, "version", v)
	}
}

// learnRelease remembers which Jamf Pro answers: another one may have other paths.
func (s *Source) learnRelease(release string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version.release != "" && s.version.release != release {
		s.version.probed = time.Time{}
	}
	s.version.release = release
}
