package jamf

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// DecodePage, DecodeNames, ReadToken, ReadRights and ThrottleOf are the parsers, for tables and fuzzing.
func DecodePage(b []byte) (*Page, error) { return decodePage(bytes.NewReader(b), 10_000) }

// Bounds of what Jamf answers, in bytes, and the error beyond them.
const (
	MaxPageBytes   = maxPageBytes
	MaxRecordBytes = maxRecordBytes
)

var ErrCap = errCap

// DecodeCapped reads a page under the bound of its answer.
func DecodeCapped(r io.Reader) (*Page, error) {
	return decodePage(&capped{r: r, left: maxPageBytes}, 10_000)
}

// DecodePageOf reads a page that was asked for with size.
func DecodePageOf(r io.Reader, size int) (*Page, error) { return decodePage(r, size) }

// DecodeNames reads an array of names.
func DecodeNames(r io.Reader) (map[int64]string, error) { return decodeNames(r) }

func ReadToken(b []byte) (string, time.Duration, error)             { return readToken(bytes.NewReader(b)) }
func ReadRights(b []byte) (Rights, error)                           { return readRights(b) }
func ThrottleOf(h http.Header, now time.Time) (time.Duration, bool) { return throttleOf(h, now) }

// PauseUntil is what the breaker does when it opens again and again.
func (h *Host) PauseUntil(at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.paused = at
}

// ResolveWith replaces the resolver of the connection test.
func (s *Source) ResolveWith(lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)) {
	s.lookup = lookup
}

// EnglishDetails are the sentences that have a German one.
func EnglishDetails() []string {
	var out []string
	for _, pair := range sentences() {
		out = append(out, pair[0])
	}
	return out
}

// MayDial tells whether a source at base dials an address.
func MayDial(base string, networks []string, address string) error {
	u, err := url.Parse(base)
	if err != nil {
		return err
	}
	r, err := reachOf(networks, u)
	if err != nil {
		return err
	}
	return r.control(context.Background(), "tcp", net.JoinHostPort(address, "443"), nil)
}

// ProxyMayBeAt tells whether a proxy is dialed at an address.
func ProxyMayBeAt(address string) error {
	return toProxy().control(context.Background(), "tcp", net.JoinHostPort(address, "3128"), nil)
}
