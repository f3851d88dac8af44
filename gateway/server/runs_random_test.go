package server_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/server"
)

// aList is one list as a client may walk it: no two walks of one client over the same one overlap, because nothing in
// their requests would tell them apart.
type aList struct {
	name  string
	path  string // of a page: "%d" is its number; "" = a cursor walk over /v1/devices
	query string
	size  int
}

func listsToWalk() []aList {
	var out []aList
	for _, version := range []string{"v1", "v4"} {
		for _, size := range []int{1, 3, 7} {
			for name, query := range map[string]string{
				"by name": "", "by id": "&sort=id:desc", "filtered": "&filter=id=gt=0&sort=general.assetTag:desc", "one section": "&section=HARDWARE",
			} {
				out = append(out, aList{
					name: fmt.Sprintf("%s %s by %d", version, name, size), size: size,
					path: fmt.Sprintf("/jamf/schule-a/api/%s/computers-inventory?page-size=%d%s&page=", version, size, query),
				})
			}
		}
	}
	for _, query := range []string{"?source=schule-a&kind=computer&limit=3", "?source=schule-a&kind=computer&limit=5&sort=name:desc"} {
		out = append(out, aList{name: "devices " + query, query: query})
	}
	slices.SortFunc(out, func(a, b aList) int { return cmp.Compare(a.name, b.name) })
	return out
}

// aWalk is one client's walk over a list, and what it has seen.
type aWalk struct {
	list   aList
	client string
	token  string // "" = one for each request
	total  int    // what its first page said: it names the generation
	next   int
	cursor *string
	uids   []string
	asked  time.Time
	slow   bool // it once rested for so long that its run let go
}

// simulation is a server, clients that walk, and generations that are told apart by how many devices they hold.
type simulation struct {
	*world
	random  *rand.Rand
	walks   []*aWalk
	current int // devices in the current generation
	file    string
	used    map[string]time.Time // client -> last request
}

// Walks of two clients, interleaved as chance has it: whatever is published, however long they rest, whether the program
// starts again, a walk sees one generation or is told that it cannot go on. RUNS=n plays n seeds.
func TestInterleavedWalksEachSeeOneGeneration(t *testing.T) {
	seeds := 3
	if raceEnabled {
		seeds = 1
	}
	if n, err := strconv.Atoi(os.Getenv("RUNS")); err == nil {
		seeds = n
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "runs.json")
			w := newWorld(t, func(o *server.Options) { o.RunsFile = file })
			s := &simulation{world: w, random: rand.New(rand.NewPCG(uint64(seed), 1)), current: 9, file: file, used: map[string]time.Time{}}
			s.publishNext()
			for range 120 {
				s.step(t)
			}
		})
	}
}

func (s *simulation) publishNext() {
	s.current++
	// Every second id goes with each, so that a page of another generation is another page.
	s.publish("schule-a", device.Computer, computers("AC", s.current, 2*s.current-1))
}

func (s *simulation) step(t *testing.T) {
	switch n := s.random.IntN(100); {
	case n < 15:
		s.begin(t)
	case n < 70 && len(s.walks) > 0:
		s.goOn(t, s.walks[s.random.IntN(len(s.walks))])
	case n < 80:
		s.publishNext()
	case n < 97:
		s.clock.Add([]time.Duration{time.Second, time.Minute, 3 * time.Minute, 6 * time.Minute, 31 * time.Minute, 61 * time.Minute}[s.random.IntN(6)])
		s.server.Sweep()
	case n < 98:
		s.server.Sweep()
		for _, k := range s.walks {
			k.slow = true // what only the old process held open is gone
		}
		s.world = s.restart(t, func(o *server.Options) { o.RunsFile = s.file })
	default:
		s.used["only-a"] = s.clock.Now()
		s.get("only-a", fmt.Sprintf("/v1/devices/schule-a:computer:%d", s.current))
	}
}

// begin asks for the first page of a list that the client is not walking.
func (s *simulation) begin(t *testing.T) {
	lists := listsToWalk()
	k := &aWalk{list: lists[s.random.IntN(len(lists))], client: []string{"all", "only-a"}[s.random.IntN(2)]}
	for _, other := range s.walks {
		if other.client == k.client && other.list.name == k.list.name {
			return
		}
	}
	idle := s.clock.Now().Sub(s.used[k.client])
	if s.random.IntN(2) == 0 {
		k.token = s.token(k.client)
	}
	status, total, uids, cursor := s.page(k, 0, nil)
	if status != http.StatusOK {
		t.Fatalf("%s of %s begins with %d", k.list.name, k.client, status)
	}
	if idle >= 5*time.Minute && total != s.current {
		t.Errorf("%s of %s, after a rest, begins with %d devices, not %d", k.list.name, k.client, total, s.current)
	}
	s.used[k.client] = s.clock.Now()
	k.total, k.next, k.cursor, k.uids, k.asked = total, 1, cursor, uids, s.clock.Now()
	s.walks = append(s.walks, k)
}

// goOn asks for the next page, for several at once, or for the last one again.
func (s *simulation) goOn(t *testing.T, k *aWalk) {
	rest := s.clock.Now().Sub(k.asked)
	k.slow = k.slow || rest >= 5*time.Minute
	if rest >= 2*time.Hour {
		s.end(k) // it was left: nothing is promised any more
		return
	}
	if k.token != "" && s.random.IntN(3) == 0 {
		k.token = s.token(k.client)
	}
	k.asked = s.clock.Now()
	s.used[k.client] = k.asked
	again, pages := s.random.IntN(6) == 0, 1
	if k.list.path != "" && !again && s.random.IntN(4) == 0 {
		pages = 4
	}
	type answer struct {
		status, total int
		uids          []string
		cursor        *string
	}
	answers := make([]answer, pages)
	var all sync.WaitGroup
	from := k.next
	if again && k.list.path != "" && from > 1 {
		from--
	}
	for i := range answers {
		all.Go(func() {
			a := &answers[i]
			a.status, a.total, a.uids, a.cursor = s.page(k, from+i, k.cursor)
		})
	}
	all.Wait()
	for _, a := range answers {
		switch {
		case a.status == http.StatusServiceUnavailable || a.status == http.StatusGone:
			if !k.slow {
				t.Errorf("%s of %s never rested and cannot go on", k.list.name, k.client)
			}
			s.end(k)
			return
		case a.status != http.StatusOK:
			t.Fatalf("%s of %s: %d", k.list.name, k.client, a.status)
		case a.total != k.total:
			t.Errorf("%s of %s began with %d devices; page %d is one of %d", k.list.name, k.client, k.total, from, a.total)
			s.end(k)
			return
		}
		if from == k.next {
			k.uids = append(k.uids, a.uids...)
		}
	}
	if from == k.next {
		k.next, k.cursor = from+pages, answers[0].cursor
		if k.list.path == "" && k.cursor == nil || k.list.path != "" && k.next*k.list.size >= k.total {
			s.whole(t, k)
		}
	}
}

// whole checks that a walk that is at its end found each device once.
func (s *simulation) whole(t *testing.T, k *aWalk) {
	slices.Sort(k.uids)
	if len(k.uids) != k.total || len(slices.Compact(k.uids)) != k.total {
		t.Errorf("%s of %s found %v of %d devices", k.list.name, k.client, k.uids, k.total)
	}
	s.end(k)
}

func (s *simulation) end(k *aWalk) {
	s.walks = slices.DeleteFunc(s.walks, func(o *aWalk) bool { return o == k })
}

// page asks for one page; total is how many devices the whole list has.
func (s *simulation) page(k *aWalk, n int, cursor *string) (status, total int, uids []string, next *string) {
	path := k.list.path + strconv.Itoa(n)
	if k.list.path == "" {
		path = "/v1/devices" + k.list.query
		if cursor != nil {
			path += "&cursor=" + *cursor
		}
	}
	token := k.token
	if token == "" {
		token = s.token(k.client)
	}
	r := s.do(http.MethodGet, s.base+path, "", "Authorization", "Bearer "+token)
	if r.status == http.StatusUnauthorized { // the walk took longer than a token lives
		r = s.do(http.MethodGet, s.base+path, "", "Authorization", "Bearer "+s.token(k.client))
	}
	if r.status != http.StatusOK {
		return r.status, 0, nil, nil
	}
	if k.list.path == "" {
		var l list
		r.decode(s.t, &l)
		return r.status, *l.Sources[0].Count, l.uids(), l.NextCursor
	}
	var p struct {
		TotalCount int
		Results    []struct{ ID string }
	}
	r.decode(s.t, &p)
	for _, one := range p.Results {
		uids = append(uids, one.ID)
	}
	return r.status, p.TotalCount, uids, nil
}
