package server_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
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

// Every value of every record of this fleet says whose it is: "zq." source "q" field "q" managed (m, u) site (n, s) "q". What a client may
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

// crossRecord is one device with its tags.
func crossRecord(source int, k device.Kind, id int) string {
	managed, site, siteID := id%3 != 0, "South", 2
	if id%2 == 0 {
		site, siteID = "North", 1
	}
	tag := func(field string) string {
		return fmt.Sprintf("zq.%dq%sq%c%cq%d", source, field, map[bool]byte{true: 'm', false: 'u'}[managed], site[0]|0x20, id)
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
		if err != nil || len(parts) < 4 || len(parts[2]) != 2 || !c.sources[source] || !c.fields[parts[1]] ||
			c.managedOnly && parts[2][0] != 'm' || c.site != 0 && parts[2][1] != c.site {
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
		c := &crossClient{id: fmt.Sprintf("client-%02d", n), sources: make([]bool, crossSources), fields: map[string]bool{"name": true}}
		so := server.ClientOptions{ID: c.id, Secrets: [][32]byte{sum(c.id)}}
		for i := range crossSources {
			if r.IntN(3) == 0 || i == n%crossSources {
				c.sources[i] = true
				so.Sources = append(so.Sources, fmt.Sprintf("quelle-%d", i))
			}
		}
		kept := []string{"name", "identity.jamfId"}
		for field, name := range crossFields {
			if r.IntN(2) == 0 || n < 4 {
				c.fields[field] = true
				kept = append(kept, name)
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
		o.Clients = append(o.Clients, so)
		out = append(out, c)
	}
	return out
}

// crossPath is a question about any source, whether it is the client's or not.
func crossPath(r *rand.Rand) string {
	source, id := fmt.Sprintf("quelle-%d", r.IntN(crossSources)), 1+r.IntN(crossDevices)
	facade := "/jamf/" + source + "/api/"
	sections := []string{"", "&section=GENERAL", "&section=USER_AND_LOCATION&section=HARDWARE", "&section=GENERAL,OPERATING_SYSTEM"}[r.IntN(4)]
	switch r.IntN(12) {
	case 0:
		return fmt.Sprintf("/v1/devices?limit=%d", 1+r.IntN(20))
	case 1:
		return fmt.Sprintf("/v1/devices?source=%s&limit=%d", source, 1+r.IntN(20))
	case 2:
		return fmt.Sprintf("/v1/devices?kind=mobile&limit=%d&sort=name:desc", 1+r.IntN(20))
	case 3:
		return fmt.Sprintf("/v1/devices/%s:computer:%d", source, id)
	case 4:
		return fmt.Sprintf("/v1/devices/%s:mobile:%d", source, id)
	case 5:
		return "/v1/devices?limit=9&fields=name,user,identity"
	case 6:
		return fmt.Sprintf("%sv%d/computers-inventory?page=%d&page-size=%d%s", facade, 1+r.IntN(4), r.IntN(3), 1+r.IntN(7), sections)
	case 7:
		return fmt.Sprintf("%sv%d/computers-inventory/%d", facade, 1+r.IntN(4), id)
	case 8:
		return fmt.Sprintf("%sv%d/computers-inventory-detail/%d", facade, 1+r.IntN(4), id)
	case 9:
		return fmt.Sprintf("%sv2/mobile-devices?page=%d&page-size=%d", facade, r.IntN(3), 1+r.IntN(7))
	case 10:
		return fmt.Sprintf("%sv2/mobile-devices/detail?page=%d&page-size=%d%s", facade, r.IntN(3), 1+r.IntN(7), strings.Replace(sections, "OPERATING_SYSTEM", "HARDWARE", 1))
	}
	return fmt.Sprintf("%sv2/mobile-devices/%d/detail", facade, id)
}

// TestNoByteOfOthersIsAnsweredToFiftyRandomClients asks CROSS=n times (3,000) by 64 goroutines as 50 clients with random sources, profiles, views
// and policies, over sockets and kept connections, some of them given up in the middle, some answers compressed, cursors of others tried.
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
		o.Sources = nil
		for i := range crossSources {
			o.Sources = append(o.Sources, server.SourceOptions{Name: fmt.Sprintf("quelle-%d", i), Kinds: both, Profile: full(t)})
		}
		clients = crossScopes(t, rand.New(rand.NewPCG(seed, 0)), o)
	})
	w.terms = device.Filter{ManagedOnly: true, Sites: []string{"North", "South"}}.Terms()
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
		c.token = w.token(c.id)
	}
	var left, answered, values, bytesRead atomic.Int64
	left.Store(total)
	var group sync.WaitGroup
	for worker := range 64 {
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
			for left.Add(-1) >= 0 && !t.Failed() {
				c, path := clients[r.IntN(len(clients))], crossPath(r)
				if cursor != "" && r.IntN(8) == 0 {
					path = "/v1/devices?limit=5&cursor=" + cursor
				}
				if r.IntN(200) == 0 {
					w.ask(path, c.token, true)
				}
				rq.Reset()
				rs.Reset()
				rq.SetRequestURI(w.base + path)
				rq.Header.Set("Authorization", "Bearer "+c.token)
				if r.IntN(6) == 0 {
					rq.Header.Set("Accept-Encoding", "gzip")
				}
				if err := errors.Join(rq.Write(out), out.Flush(), rs.Read(in)); err != nil {
					t.Errorf("%s asked %s: %v", c.id, path, err)
					return
				}
				body, err := rs.BodyUncompressed()
				if tag := c.foreign(body); err != nil || tag != "" {
					t.Errorf("%s asked %s and saw %s (%v; sources %v, fields %v, managed only %t, site %q): %.600s", c.id, path, tag, err, c.sources, c.fields, c.managedOnly, c.site, body)
					return
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
	if answered.Load() < total/4 || values.Load() < total {
		t.Errorf("of %d questions %d were answered, with %d tagged values: this proves little", total, answered.Load(), values.Load())
	}
	t.Logf("seed %d: %d responses, %d of them 200, %d bytes, %d tagged values: none foreign", seed, total, answered.Load(), bytesRead.Load(), values.Load())
}
