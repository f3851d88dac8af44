package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
	"jamf-gateway/gateway/server"
)

// preflightName is what the source of a preflight is called: it has no name yet.
const preflightName = "preflight"

// Of the reading in a preflight. Pages are powers of two, so that halves of a page that Jamf cannot render are pages too.
const (
	preflightPage     = 128
	preflightFloor    = 32                    // of a page that timed out
	maxUnreadable     = 10                    // records that Jamf cannot render, or 1 %: more, and Jamf is taken to be broken, as in a sync
	usualTimeOfOneRow = 26 * time.Millisecond // of Jamf Pro (DESIGN.md, budgets)
)

// PreflightOptions is whom to ask, and how much.
type PreflightOptions struct {
	URL, ClientID, ClientSecret string // URL as config.CompleteURL makes it
	AllowInsecureLoopback       bool
	CAFile, Proxy               string // as the settings of the same names
	Sample                      int    // devices of a kind to look at; 0 = all
	Version, Lang               string

	// Begins is told before a kind is read how many of its devices will be, and how long that usually takes. May be nil.
	Begins func(Reading)
}

// Reading is what of a kind is about to be read.
type Reading struct {
	Kind      device.Kind
	Read, Of  int
	Takes     time.Duration // at Jamf's usual pace
	TakesThem time.Duration // all of them, where not all are read
}

// Preflight is what a Jamf Pro would tell any reader with these credentials.
type Preflight struct {
	Test         server.TestReport
	TokenSeconds int // that a token lives; 0 = none was given
	Kinds        []Survey
	Problem      *PreflightProblem // why the devices could not be read to the end; nil = they were, or the test says why not
}

// PreflightProblem is a code of the catalogue with what is known of it.
type PreflightProblem struct{ Code, Detail string }

// Survey is what the devices of one kind are like. Where Read is less than Count, the counts are of those that were read.
type Survey struct {
	Kind          device.Kind
	Count         int  // devices in Jamf
	Read          int  // different devices that were looked at
	Sampled       bool // by intent not all, but pages from the whole of the list
	Unreadable    int  // devices that Jamf cannot render, or sends as no proper record
	WithoutSerial int
	TwinSerials   int             // serial numbers that more than one device has
	TwinDevices   int             // those devices
	Personal      int             // enrolled as a person's own, or in a way that is not known
	UnknownOwner  int             // Jamf does not say
	Right         string          // that opens them
	Open, Minimal device.Exposure // of one record, by that right and by the profile minimal
	AllTakesAbout time.Duration   // to read them all, at Jamf's usual pace
}

// RunPreflight tests the connection and looks at the devices of both kinds, page by page through the budget of a source. It keeps
// numbers and writes nothing. An error is one of the options; what Jamf does wrong stands in the Preflight.
func RunPreflight(ctx context.Context, o PreflightOptions) (Preflight, error) {
	src, err := preflightSource(o)
	if err != nil {
		return Preflight{}, err
	}
	defer src.Close()
	report := src.Test(ctx, []string{jamf.ReadComputers, jamf.ReadMobileDevices})
	out := Preflight{Test: Report(preflightName, report, o.Lang), TokenSeconds: int(report.TokenLife.Seconds())}
	walk := src.NewWalk()
	for _, k := range []device.Kind{device.Computer, device.Mobile} {
		total := report.Computers
		if k == device.Mobile {
			total = report.Mobiles
		}
		if total < 0 {
			continue // its right is missing, or the test failed
		}
		s, err := o.survey(ctx, walk, k, total)
		out.Kinds = append(out.Kinds, s)
		if err != nil {
			out.Problem = preflightProblem(err)
			break
		}
	}
	return out, nil
}

func preflightSource(o PreflightOptions) (*jamf.Source, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("read the address: %w", err)
	}
	roots, _, err := rootsOf(o.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read the authorities: %w", err)
	}
	return jamf.NewSource(jamf.NewHost(jamf.Authority(u), jamf.Limits{}, jamf.Telemetry{}), jamf.SourceOptions{
		Name: preflightName, URL: o.URL, ClientID: o.ClientID, ClientSecret: func() string { return o.ClientSecret },
		AllowInsecureLoopback: o.AllowInsecureLoopback, UserAgent: "jamf-gateway/" + o.Version, RootCAs: roots, Proxy: o.Proxy,
	})
}

// preflightProblem is how a failed reading is said. Only the way out makes such errors, and gives each a code.
func preflightProblem(err error) *PreflightProblem {
	var e *jamf.Error
	if !errors.As(err, &e) {
		return &PreflightProblem{Code: "jamf_unavailable"}
	}
	e = e.Reason()
	return &PreflightProblem{Code: e.Code, Detail: e.Detail}
}

// survey reads a kind, or pages spread over it.
func (o PreflightOptions) survey(ctx context.Context, walk *jamf.Walk, k device.Kind, total int) (Survey, error) {
	minimal, _ := device.BuiltinProfile("minimal")
	needed := device.TermProfile(device.Filter{NoPersonal: true, WithSerial: true}.Terms()) // nothing else is asked for
	s := surveyor{
		walk: walk, list: jamf.Computers, sections: needed.Sections(k),
		personal: device.NewTermReader(k, device.Filter{NoPersonal: true}.Terms(), nil), seen: map[int64]bool{}, serials: map[string]int{},
		Survey: Survey{Kind: k, Count: total, Open: device.Opened(k), Minimal: minimal.Exposure(k), AllTakesAbout: usualTime(total), Right: rights()[string(k)]},
	}
	if k == device.Mobile {
		s.list = jamf.MobileDetail
	}
	pages := (total + preflightPage - 1) / preflightPage
	wanted := (o.Sample + preflightPage - 1) / preflightPage
	s.Sampled = o.Sample > 0 && wanted < pages
	if !s.Sampled {
		wanted = pages
	}
	if o.Begins != nil && total > 0 {
		reading := Reading{Kind: k, Read: min(total, wanted*preflightPage), Of: total, TakesThem: s.AllTakesAbout}
		reading.Takes = usualTime(reading.Read)
		o.Begins(reading)
	}
	for i := range wanted {
		if err := s.page(ctx, i*pages/wanted, preflightPage); err != nil {
			return s.sum(), err
		}
	}
	for !s.Sampled && !s.ended && wanted*preflightPage < s.Count { // devices came while it was read
		if err := s.page(ctx, wanted, preflightPage); err != nil {
			return s.sum(), err
		}
		wanted++
	}
	return s.sum(), nil
}

func usualTime(rows int) time.Duration { return time.Duration(rows) * usualTimeOfOneRow }

// surveyor counts while it reads. Serial numbers and ids stay in memory, and end with it.
type surveyor struct {
	Survey
	walk     *jamf.Walk
	list     jamf.List
	sections []string
	personal *device.TermReader
	ended    bool // the last page was empty, whatever its total said
	seen     map[int64]bool
	serials  map[string]int
}

// page reads one page, or its halves where Jamf cannot render it or is too slow for it.
func (s *surveyor) page(ctx context.Context, number, size int) error {
	p, err := s.walk.Page(ctx, s.list, s.sections, number, size)
	switch {
	case errors.Is(err, jamf.ErrServerError) && size == 1:
		if s.Unreadable++; s.Unreadable > max(maxUnreadable, s.Count/100) {
			return err
		}
		return nil
	case errors.Is(err, jamf.ErrServerError), (errors.Is(err, jamf.ErrTimeout) || errors.Is(err, jamf.ErrTooLarge)) && size > preflightFloor:
		if err := s.page(ctx, 2*number, size/2); err != nil {
			return err
		}
		return s.page(ctx, 2*number+1, size/2)
	case err != nil:
		return err
	}
	s.Count, s.ended = p.Total, len(p.Rows) == 0
	for _, row := range p.Rows {
		s.row(row)
	}
	return nil
}

func (s *surveyor) row(row jamf.Row) {
	id, err := device.RecordID(s.Kind, row.Raw)
	if row.Err != nil || err != nil {
		s.Unreadable++
		return
	}
	if s.seen[id] {
		return // a device came or went, and the rows moved
	}
	personal, err := s.personal.Of(row.Raw)
	if err != nil {
		s.Unreadable++
		return
	}
	s.seen[id] = true
	s.Read++
	switch personal[0] {
	case device.Yes:
		s.Personal++
	case device.NotKnown:
		s.UnknownOwner++
	}
	if _, serial := device.Label(s.Kind, row.Raw); serial != "" {
		s.serials[serial]++
	} else {
		s.WithoutSerial++
	}
}

func (s *surveyor) sum() Survey {
	for _, n := range s.serials {
		if n > 1 {
			s.TwinSerials++
			s.TwinDevices += n
		}
	}
	return s.Survey
}
