package fakejamf_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"jamf-gateway/test/fakejamf"
)

// Whatever a filter, a sort or a name holds: an answer is 200 or 400, and is JSON.
func FuzzListQueries(f *testing.F) {
	for _, q := range [][3]string{
		{`general.name=="*Mac*"`, "id:asc", "Mac"},
		{`(id==1 or id=in=(2,"3")) and general.reportDate>="2026-11-19T00:00:00Z"`, "general.name:desc,id:asc", "\u202Eoben"},
		{`udid=out=('a',b);general.supervised!=true`, "", `"quoted" \ and` + "\x00\x1f"},
		{"((((((((((", ":", "\xff\xfe"},
		{`id=="1`, "id:asc:asc,,", "👩🏽‍🏫"},
		{`id<-9223372036854775809`, "hardware.make:asc", ""},
	} {
		f.Add(q[0], q[1], q[2])
	}
	s := fakejamf.New(fakejamf.Options{Computers: 8, Mobiles: 4, Seed: 1})
	c := newClient(f, s)
	id := s.Ledger().Alive(fakejamf.Computer)[0]
	f.Fuzz(func(t *testing.T, filter, sort, name string) {
		s.Rename(fakejamf.Computer, id, name)
		v := url.Values{"filter": {filter}, "sort": {sort}}
		for _, path := range []string{"/api/v4/computers-inventory?", "/api/v2/mobile-devices/detail?"} {
			res := c.get(path + v.Encode())
			if res.Code != 200 && res.Code != 400 || !json.Valid(res.Body.Bytes()) {
				t.Errorf("%s%s: %d %q", path, v.Encode(), res.Code, res.Body)
			}
		}
		if !json.Valid(s.Record(fakejamf.Computer, id)) {
			t.Errorf("the name %q breaks the record", name)
		}
	})
}
