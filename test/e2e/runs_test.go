package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"jamf-gateway/test/fakejamf"
)

// pageOf reads the ids of one page of computers.
func (h *house) pageOf(page int) (ids []string, total int) {
	h.t.Helper()
	r := h.get(fmt.Sprintf("/api/v1/computers-inventory?page=%d&page-size=10", page))
	if r.status != http.StatusOK {
		h.t.Fatalf("page %d: %d %s", page, r.status, r.body)
	}
	var out struct {
		Total   int                   `json:"totalCount"`
		Results []struct{ ID string } `json:"results"`
	}
	r.decode(h.t, &out)
	for _, d := range out.Results {
		ids = append(ids, d.ID)
	}
	return ids, out.Total
}

func TestAWalkOverARestartMissesNoDevice(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 25, Mobiles: 5, Seed: 3}, nil)
	h.start()
	h.waitSynced()
	ids, total := h.pageOf(0)
	h.jamf.Delete(fakejamf.Computer, 3) // a live row moves onto the page that was read already
	h.syncNow()
	h.stop()
	h.start()
	for page := 1; page*10 < total; page++ {
		more, n := h.pageOf(page)
		if n != total {
			t.Errorf("page %d is one of %d computers, the walk began with %d", page, n, total)
		}
		ids = append(ids, more...)
	}
	if slices.Sort(ids); len(slices.Compact(ids)) != total {
		t.Errorf("%d of %d computers are in the pages", len(ids), total)
	}
}

func TestARequestAnsweredWhileTheDoorDrainsIsStillAStepOfItsWalk(t *testing.T) {
	t.Parallel()
	h := newHouse(t, fakejamf.Options{Computers: 25, Mobiles: 5, Seed: 3}, nil)
	h.start()
	h.waitSynced()
	h.pageOf(0)
	h.jamf.Delete(fakejamf.Computer, 3)
	h.syncNow()
	token, address := h.token(), strings.TrimPrefix(h.base, "http://")
	dial := func() (net.Conn, error) { return (&net.Dialer{}).DialContext(t.Context(), "tcp", address) }
	conn, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "GET /api/v1/computers-inventory?page=1&page-size=10 HTTP/1.1\r\nHost: gateway\r\n"); err != nil {
		t.Fatal(err)
	}
	go h.stop()
	h.waitFor("the end of the listener", func() bool {
		c, err := dial()
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	if _, err := io.WriteString(conn, "Authorization: Bearer "+token+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.HasPrefix(string(body), `{"totalCount":25,`) {
		t.Errorf("page 1 of the walk: %d %.100s (%v)", resp.StatusCode, body, err)
	}
}
