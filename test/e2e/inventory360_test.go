package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"jamf-gateway/test/fakejamf"
)

// inventory360 is the client as its documentation describes it: it knows what its dialog asks for, fetches a token before
// every request, and reads a list and then every device in it. Which versions it asks for, and which of the two token
// endpoints, is not documented: here it is the oldest, and both in turn.
type inventory360 struct {
	h               *house
	url, id, secret string // url ends in /api
	client          *http.Client
	tokens          int
	pause           func() // after each device; nil = none
}

// inventory360 makes the client for an address. Every name in it leads to the gateway.
func (h *house) inventory360(address string) *inventory360 {
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, h.gateway.PublicAddr())
	}}
	h.t.Cleanup(transport.CloseIdleConnections)
	return &inventory360{h: h, url: address, id: "inventory360", secret: clientSecret, client: &http.Client{Transport: transport}}
}

func (v *inventory360) send(method, path string, form url.Values, bearer string) (reply, error) {
	rq, err := http.NewRequestWithContext(v.h.t.Context(), method, v.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		return reply{}, err
	}
	if form != nil {
		rq.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if bearer != "" {
		rq.Header.Set("Authorization", "Bearer "+bearer)
	}
	rs, err := v.client.Do(rq)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = rs.Body.Close() }()
	body, err := io.ReadAll(rs.Body)
	if err != nil {
		return reply{}, fmt.Errorf("read the answer to %s: %w", path, err)
	}
	r := reply{rs.StatusCode, rs.Header, body}
	v.h.described(method, "/api"+path, r)
	return r, nil
}

// ask asks with a new token and returns whatever comes.
func (v *inventory360) ask(path string) (reply, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {v.id}, "client_secret": {v.secret}}
	v.tokens++
	r, err := v.send(http.MethodPost, []string{"/oauth/token", "/v1/oauth/token"}[v.tokens%2], form, "")
	if err != nil {
		return reply{}, err
	}
	var token struct {
		Token string `json:"access_token"`
	}
	if r.status != http.StatusOK || json.Unmarshal(r.body, &token) != nil || token.Token == "" {
		return reply{}, fmt.Errorf("token: %d %.300s", r.status, r.body)
	}
	return v.send(http.MethodGet, path, nil, token.Token)
}

// read asks for what must be there.
func (v *inventory360) read(path string, into any) (http.Header, error) {
	r, err := v.ask(path)
	if err != nil {
		return nil, err
	}
	if r.status != http.StatusOK {
		return nil, fmt.Errorf("%s: %d %.300s", path, r.status, r.body)
	}
	return r.header, json.Unmarshal(r.body, into)
}

// testConnection is what its button does: a token, the rights, one query of mobile devices. It returns how many there are.
func (v *inventory360) testConnection() (mobiles int, err error) {
	var auth struct {
		Account struct{ PrivilegesBySite map[string][]string }
	}
	if _, err := v.read("/v1/auth", &auth); err != nil {
		return 0, err
	}
	rights := slices.Sorted(slices.Values(auth.Account.PrivilegesBySite["-1"]))
	if !slices.Equal(rights, []string{fakejamf.ReadComputers, fakejamf.ReadMobileDevices}) {
		return 0, fmt.Errorf("the rights are %v", rights)
	}
	var list struct {
		Total   int `json:"totalCount"`
		Results []struct{ ID string }
	}
	if _, err := v.read("/v2/mobile-devices?page=0&page-size=1", &list); err != nil {
		return 0, err
	}
	if len(list.Results) != 1 {
		return 0, fmt.Errorf("%d mobile devices in a page of one", len(list.Results))
	}
	return list.Total, nil
}

// books says how a kind is read: a list with its sections, then each device. Names are paths into the answers.
type books struct {
	kind                   fakejamf.Kind
	list, listID, listName string
	detail, detailName     string
}

func computerBooks() books {
	return books{
		kind: fakejamf.Computer,
		list: "/v1/computers-inventory?section=GENERAL&section=HARDWARE&section=OPERATING_SYSTEM", listID: "id", listName: "general.name",
		detail: "/v1/computers-inventory-detail/%s", detailName: "general.name",
	}
}

func mobileBooks() books {
	return books{
		kind: fakejamf.Mobile,
		list: "/v2/mobile-devices/detail?section=GENERAL&section=HARDWARE", listID: "mobileDeviceId", listName: "general.displayName",
		detail: "/v2/mobile-devices/%s/detail", detailName: "name",
	}
}

// bookPage is so large that a fleet has several pages, and meanwhile falls between the details of the first one.
const bookPage = 100

// sync reads one kind as its sync does, and returns the name of each device by id with the states that the pages told
// ("" = fresh). What happens meanwhile happens after half of the first page's details. It errs on anything that is not one snapshot.
func (v *inventory360) sync(b books, meanwhile func()) (names map[string]string, states []string, err error) {
	names = map[string]string{}
	first := -1
	for page := 0; page == 0 || page*bookPage < first; page++ {
		var list struct {
			Total   int `json:"totalCount"`
			Results []map[string]any
		}
		header, err := v.read(fmt.Sprintf("%s&page=%d&page-size=%d", b.list, page, bookPage), &list)
		if err != nil {
			return nil, nil, err
		}
		if states = append(states, header.Get("X-Jamf-Gateway-State")); page == 0 {
			first = list.Total
		}
		if list.Total != first {
			return nil, nil, fmt.Errorf("page %d is one of %d devices, the first was one of %d", page, list.Total, first)
		}
		for i, device := range list.Results {
			if page == 0 && i == bookPage/2 && meanwhile != nil {
				meanwhile()
			}
			if err := v.detail(b, device, names); err != nil {
				return nil, nil, fmt.Errorf("device %d of page %d: %w", i, page, err)
			}
		}
	}
	if len(names) != first {
		return nil, nil, fmt.Errorf("%d devices, totalCount %d", len(names), first)
	}
	return names, states, nil
}

// detail reads one device of a list and enters its name.
func (v *inventory360) detail(b books, listed map[string]any, names map[string]string) error {
	id, name := text(listed, b.listID), text(listed, b.listName)
	if _, twice := names[id]; twice || id == "" { // a device may have no name
		return fmt.Errorf("the list shows it twice or without id: %q %q", id, name)
	}
	var device map[string]any
	if _, err := v.read(fmt.Sprintf(b.detail, id), &device); err != nil {
		return err
	}
	if text(device, "id") != id || text(device, b.detailName) != name {
		return fmt.Errorf("the list says %s %q, the detail %s %q", id, name, text(device, "id"), text(device, b.detailName))
	}
	names[id] = name
	if v.pause != nil {
		v.pause()
	}
	return nil
}

// text is the text at a path like general.name; "" when there is none.
func text(device map[string]any, path string) string {
	at, rest, deeper := strings.Cut(path, ".")
	if deeper {
		inner, _ := device[at].(map[string]any)
		return text(inner, rest)
	}
	s, _ := device[at].(string)
	return s
}
