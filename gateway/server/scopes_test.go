package server_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/valyala/fasthttp"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// Every value of every record of this fleet says whose it is: "zq." source "q" field "q" managed (m, u) site (n, s) kind (c, p) "q". What a client may
// read is told from that and from its settings alone, never from the code under test.
const (
	crossSources = 6
	crossDevices = 12 // of each kind of each source
	crossClients = 50
)

// crossFields are the tags of fields and the normalized names by which a profile keeps them.
var crossFields = map[string]string{
	"serial": "identity.serialNumber", "asset": "identity.assetTag", "user": "user.username", "email": "user.email", "phone": "user.phone",
	"build": "os.build", "name": "name",
}

// crossKinds are the tags of kinds.
var crossKinds = map[device.Kind]byte{device.Computer: 'c', device.Mobile: 'p'}

// crossNetworks are from where clients may ask, and crossPeers from where they do: one of each, and one of nobody's.
var (
	crossNetworks = []string{"203.0.113.0/24", "2001:db8:7::/48", "198.51.100.64/26"}
	crossPeers    = []string{"203.0.113.7", "2001:db8:7::7", "198.51.100.100", "192.0.2.1"}
)

// crossRecord is one device with its tags.
func crossRecord(source int, k device.Kind, id int) string {
	managed, site, siteID := id%3 != 0, "South", 2
	if id%2 == 0 {
		site, siteID = "North", 1
	}
	tag := func(field string) string {
		return fmt.Sprintf("zq.%dq%sq%c%c%cq%d", source, field, map[bool]byte{true: 'm', false: 'u'}[managed], site[0]|0x20, crossKinds[k], id)
	}
	if k == device.Computer {
		return fmt.Sprintf(`{"id":"%d","udid":"U%d","general":{"name":%q,"platform":"Mac","assetTag":%q,"remoteManagement":{"managed":%t},"site":{"id":"%d","name":%q},`+
			`"reportDate":"2026-11-20T09:00:00Z"},"hardware":{"serialNumber":%q,"model":"MacBook Pro"},"operatingSystem":{"name":"macOS","version":"15.5","build":%q},`+
			`"userAndLocation":{"username":%q,"email":%q,"phone":%q}}`, id, id, tag("name"), tag("asset"), managed, siteID, site, tag("serial"), tag("build"), tag("user"), tag("email"), tag("phone"))
	}
	return fmt.Sprintf(`{"mobileDeviceId":"%d","deviceType":"iOS","general":{"udid":"M%d","displayName":%q,"assetTag":%q,"osVersion":"18.5","osBuild":%q,"managed":%t,"siteId":"%d",`+
		`"lastInventoryUpdateDate":"2026-11-20T09:00:00Z"},"hardware":{"serialNumber":%q,"model":"iPad"},"userAndLocation":{"username":%q,"emailAddress":%q,"phoneNumber":%q}}`,
		id, id, tag("name"), tag("asset"), tag("build"), managed, siteID, tag("serial"), tag("user"), tag("email"), tag("phone"))
}

// crossClient is a client, and what it may read.
type crossClient struct {
	id          string
	token       string
	sources     []bool
	fields      map[string]bool
	managedOnly bool
	site        byte // 0 = both
	kind        byte // 0 = both
	network     int  // of crossNetworks; -1 = from anywhere
	noFacade    bool
	noNormal    bool
}

// refused is how a question is answered of which nothing at all may be: of another API, from another place or about another kind; 0 = it may be
// answered. A source that is not the client's is unknown to it.
func (c *crossClient) refused(q crossQuestion) int {
	own := strings.HasPrefix(q.path, "/v1/")
	switch {
	case own && c.noNormal, !own && c.noFacade, c.network >= 0 && c.network != q.peer:
		return http.StatusForbidden
	case q.kind == 0 || c.kind == 0 || q.kind == c.kind:
		return 0
	case own && q.source >= 0 && !c.sources[q.source]:
		return http.StatusNotFound
	case q.source >= 0 && !c.sources[q.source]: // as in a Jamf Pro that did not issue the token
		return http.StatusUnauthorized
	}
	return http.StatusForbidden
}

// otherKind is what names a device or a series of the kind that the client is not shown.
func (c *crossClient) otherKind(body []byte) bool {
	name := map[byte]string{'c': "mobile", 'p': "computer"}[c.kind]
	return name != "" && (bytes.Contains(body, []byte(`"kind":"`+name+`"`)) || bytes.Contains(body, []byte(":"+name+":")))
}

// foreign is the first tag in a body that the client may not read.
func (c *crossClient) foreign(body []byte) string {
	for rest := body; ; {
		i := bytes.Index(rest, []byte("zq."))
		if i < 0 {
			return ""
		}
		rest = rest[i+3:]
		parts := strings.SplitN(string(rest[:min(len(rest), 24)]), "q", 4)
		source, err := strconv.Atoi(parts[0])
		if err != nil || len(parts) < 4 || len(parts[2]) != 3 || !c.sources[source] || !c.fields[parts[1]] ||
			c.managedOnly && parts[2][0] != 'm' || c.site != 0 && parts[2][1] != c.site || c.kind != 0 && parts[2][2] != c.kind {
			return "zq." + strings.Join(parts, "q")
		}
	}
}

// crossScopes makes random clients, as the server is told and as the oracle knows them.
func crossScopes(t *testing.T, r *rand.Rand, o *server.Options) []*crossClient {
	t.Helper()
	var out []*crossClient
	o.Clients = nil
	for n := range crossClients {
		c := &crossClient{id: fmt.Sprintf("client-%02d", n), sources: make([]bool, crossSources), fields: map[string]bool{"name": true}, network: -1}
		so := server.ClientOptions{ID: c.id, Secrets: [][32]byte{sum(c.id)}}
		for i := range crossSources {
			if r.IntN(3) == 0 || i == n%crossSources {
				c.sources[i] = true
				so.Sources = append(so.Sources, fmt.Sprintf("quelle-%d", i))
			}
		}
		kept := []string{"name", "identity.jamfId"}
		for _, field := range slices.Sorted(maps.Keys(crossFields)) { // in one order: a seed is one set of clients
			if r.IntN(2) == 0 || n < 4 {
				c.fields[field] = true
				kept = append(kept, crossFields[field])
			}
		}
		slices.Sort(kept)
		p, err := device.NewProfile(c.id, nil, kept)
		if err != nil {
			t.Fatal(err)
		}
		so.Profile = p
		c.managedOnly = r.IntN(3) == 0
		so.Filter.ManagedOnly = c.managedOnly
		if site := r.IntN(4); site < 2 {
			c.site, so.Filter.Sites = "ns"[site], []string{[]string{"North", "South"}[site]}
		}
		if r.IntN(4) == 0 {
			so.Policy.Users = device.UsersDropped
			for _, field := range []string{"user", "email", "phone"} {
				c.fields[field] = false
			}
		}
		if c.fields["serial"] && r.IntN(4) == 0 {
			so.Policy.Names = device.NamesSerial
			c.fields["name"] = false
		}
		if k := r.IntN(6); k < 2 {
			so.Kinds = []device.Kind{[]device.Kind{device.Computer, device.Mobile}[k]}
			c.kind = crossKinds[so.Kinds[0]]
		}
		if api := r.IntN(8); api < 2 {
			c.noFacade, c.noNormal = api == 0, api == 1
			so.NoFacade, so.NoNormalized = c.noFacade, c.noNormal
		}
		if r.IntN(4) == 0 {
			c.network = r.IntN(len(crossNetworks))
			so.Networks = prefixes(crossNetworks[c.network])
		}
		o.Clients = append(o.Clients, so)
		out = append(out, c)
	}
	return out
}

// crossQuestion is one question from one place.
type crossQuestion struct {
	path   string
	source int  // that its path names; -1 = none
	kind   byte // that it is about alone; 0 = about both
	peer   int  // of crossPeers
}

// ask makes a question about any source, whether it is the client's or not; mostly from where the client may ask.
func (c *crossClient) ask(r *rand.Rand) crossQuestion {
	q := crossQuestion{peer: c.network, source: r.IntN(crossSources)}
	if c.network < 0 || r.IntN(4) == 0 {
		q.peer = r.IntN(len(crossPeers))
	}
	source, id := fmt.Sprintf("quelle-%d", q.source), 1+r.IntN(crossDevices)
	facade := "/jamf/" + source + "/api/"
	sections := []string{"", "&section=GENERAL", "&section=USER_AND_LOCATION&section=HARDWARE", "&section=GENERAL,OPERATING_SYSTEM"}[r.IntN(4)]
	of := func(kind byte, format string, values ...any) crossQuestion {
		if q.kind, q.path = kind, fmt.Sprintf(format, values...); !strings.Contains(q.path, source) {
			q.source = -1
		}
		return q
	}
	switch r.IntN(13) {
	case 0:
		return of(0, "/v1/devices?limit=%d", 1+r.IntN(20))
	case 1:
		return of(0, "/v1/devices?source=%s&limit=%d", source, 1+r.IntN(20))
	case 2:
		return of('p', "/v1/devices?kind=mobile&limit=%d&sort=name:desc", 1+r.IntN(20))
	case 3:
		return of('c', "/v1/devices/%s:computer:%d", source, id)
	case 4:
		return of('p', "/v1/devices/%s:mobile:%d", source, id)
	case 5:
		return of(0, "/v1/devices?limit=9&fields=name,user,identity")
	case 6:
		return of('c', "%sv%d/computers-inventory?page=%d&page-size=%d%s", facade, 1+r.IntN(4), r.IntN(3), 1+r.IntN(7), sections)
	case 7:
		return of('c', "%sv%d/computers-inventory/%d", facade, 1+r.IntN(4), id)
	case 8:
		return of('c', "%sv%d/computers-inventory-detail/%d", facade, 1+r.IntN(4), id)
	case 9:
		return of('p', "%sv2/mobile-devices?page=%d&page-size=%d", facade, r.IntN(3), 1+r.IntN(7))
	case 10:
		return of('p', "%sv2/mobile-devices/detail?page=%d&page-size=%d%s", facade, r.IntN(3), 1+r.IntN(7), strings.Replace(sections, "OPERATING_SYSTEM", "HARDWARE", 1))
	case 11:
		return of(0, "/v1/sources/%s", source)
	}
	return of('p', "%sv2/mobile-devices/%d/detail", facade, id)
}

// TestNoByteOfOthersIsAnsweredToFiftyRandomClients asks CROSS=n times (3,000) by 64 goroutines as 50 clients with random sources, kinds, APIs, networks,
// profiles, views and policies, over sockets and kept connections, some of them given up in the middle, some answers compressed, cursors of others tried.
func TestNoByteOfOthersIsAnsweredToFiftyRandomClients(t *testing.T) {
	total, seed := int64(3000), uint64(11)
	if raceEnabled {
		total = 200
	}
	if n, err := strconv.ParseInt(os.Getenv("CROSS"), 10, 64); err == nil {
		total = n
	}
	if n, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		seed = n
	}
	var clients []*crossClient
	both := []device.Kind{device.Computer, device.Mobile}
	w := newWorld(t, func(o *server.Options) {
		o.Sources, o.Proxies = nil, prefixes("127.0.0.0/8")
		for i := range crossSources {
			o.Sources = append(o.Sources, server.SourceOptions{Name: fmt.Sprintf("quelle-%d", i), Kinds: both, Profile: full(t)})
		}
		clients = crossScopes(t, rand.New(rand.NewPCG(seed, 0)), o)
	})
	w.terms = device.Filter{ManagedOnly: true, Sites: []string{"North", "South"}}.Terms()
	w.sites = device.NewNames(slices.Values([]device.Name{{List: device.Sites, ID: 1, Text: "North"}, {List: device.Sites, ID: 2, Text: "South"}}))
	for i := range crossSources {
		for _, k := range both {
			f := fleet{}
			for id := 1; id <= crossDevices; id++ {
				f[id] = crossRecord(i, k, id)
			}
			w.publish(fmt.Sprintf("quelle-%d", i), k, f)
		}
	}
	for _, c := range clients {
		form := url.Values{"client_id": {c.id}, "client_secret": {secretOf(c.id)}, "grant_type": {"client_credentials"}}
		var answer struct {
			AccessToken string `json:"access_token"`
		}
		w.do(http.MethodPost, w.base+"/api/oauth/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "X-Forwarded-For", crossPeers[max(c.network, 0)]).decode(t, &answer)
		c.token = answer.AccessToken
	}
	const workers = 64
	var answered, refused, values, bytesRead atomic.Int64
	var group sync.WaitGroup
	for worker := range int64(workers) {
		group.Go(func() {
			r, cursor := rand.New(rand.NewPCG(seed, uint64(worker)+1)), ""
			var rq fasthttp.Request
			var rs fasthttp.Response
			conn, err := net.Dial("tcp", strings.TrimPrefix(w.base, "http://"))
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			out, in := bufio.NewWriter(conn), bufio.NewReader(conn)
			for asked := worker; asked < total && !t.Failed(); asked += workers { // each its share, whoever is faster: a seed is one set of questions
				c := clients[r.IntN(len(clients))]
				q := c.ask(r)
				if cursor != "" && r.IntN(8) == 0 {
					q.kind, q.path = 0, "/v1/devices?limit=5&cursor="+cursor
				}
				if r.IntN(200) == 0 {
					w.ask(q.path, c.token, true)
				}
				rq.Reset()
				rs.Reset()
				rq.SetRequestURI(w.base + q.path)
				rq.Header.Set("Authorization", "Bearer "+c.token)
				rq.Header.Set("X-Forwarded-For", crossPeers[q.peer])
				if r.IntN(6) == 0 {
					rq.Header.Set("Accept-Encoding", "gzip")
				}
				if err := errors.Join(rq.Write(out), out.Flush(), rs.Read(in)); err != nil {
					t.Errorf("%s asked %s: %v", c.id, q.path, err)
					return
				}
				body, err := rs.BodyUncompressed()
				if tag := c.foreign(body); err != nil || tag != "" || c.otherKind(body) {
					t.Errorf("asked %+v and saw %s (%v; %+v): %.600s", q, tag, err, c, body)
					return
				}
				if status := c.refused(q); status != 0 {
					refused.Add(1)
					if rs.StatusCode() != status || bytes.Contains(body, []byte("zq.")) {
						t.Errorf("asked %+v and was not refused with %d (%+v): %d %.600s", q, status, c, rs.StatusCode(), body)
						return
					}
				}
				if rs.StatusCode() == fasthttp.StatusOK {
					answered.Add(1)
				}
				values.Add(int64(bytes.Count(body, []byte("zq."))))
				bytesRead.Add(int64(len(body)))
				if _, at, ok := bytes.Cut(body, []byte(`"nextCursor":"`)); ok {
					cursor = string(at[:bytes.IndexByte(at, '"')])
				}
			}
		})
	}
	group.Wait()
	if answered.Load() < 3*total/10 || refused.Load() < total/10 || values.Load() < total {
		t.Errorf("of %d questions %d were answered and %d refused, with %d tagged values: this proves little", total, answered.Load(), refused.Load(), values.Load())
	}
	t.Logf("seed %d: %d responses, %d of them 200, %d refused by scope, %d bytes, %d tagged values: none foreign",
		seed, total, answered.Load(), refused.Load(), bytesRead.Load(), values.Load())
}
