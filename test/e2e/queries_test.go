//go:build e2e

package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"jamf-gateway/config"
	"jamf-gateway/test/fakejamf"
)

const querySeed = 2026

// TestRandomFiltersAndSortsAreAnsweredAsTheEvaluatorAnswersThem asks 500 questions, or QUERIES of them (make queries).
func TestRandomFiltersAndSortsAreAnsweredAsTheEvaluatorAnswersThem(t *testing.T) {
	t.Parallel()
	questions := 500
	if n := os.Getenv("QUERIES"); n != "" {
		var err error
		if questions, err = strconv.Atoi(n); err != nil || questions < 1 {
			t.Fatalf("QUERIES=%s is no number of questions", n)
		}
	}
	h := newHouse(t, calm("its own answers are compared with", fakejamf.Options{Computers: 400, Mobiles: 300, Seed: 11}), func(c *config.Config) { c.Sources[0].Profile = "full" })
	h.start()
	h.waitSynced()
	w := &witness{house: h, dice: rand.New(rand.NewPCG(querySeed, 1)), gateway: h.asker(h.base, h.token()), jamf: h.asker(h.upstream.URL, h.upstreamToken())}
	w.readLists()
	begin := time.Now()
	for i := range questions {
		w.ask(i)
		if t.Failed() && w.wrong >= 10 {
			t.Fatal("and so on")
		}
	}
	t.Logf("%d questions in %s: %d with a filter, of these %d found some devices, not none and not all; %d with a sort; "+
		"%d also compared with the simulated Jamf (%d of them in order), %d not because of a known difference",
		questions, time.Since(begin).Round(time.Second/10), w.filtered, w.telling, w.sorted, w.compared, w.ordered, w.different)
	if w.telling*3 < w.filtered || w.compared*12 < questions {
		t.Error("too few questions tell anything")
	}
}

// asker sends requests over kept connections.
type asker struct {
	base, token string
	client      *http.Client
}

func (h *house) asker(base, token string) *asker {
	a := &asker{base: base, token: token, client: &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}}
	h.t.Cleanup(a.client.CloseIdleConnections)
	return a
}

func (a *asker) get(t *testing.T, target string) (status int, body []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.base+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	resp, err := a.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if body, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, body
}

// shownPage is one page of a list.
type shownPage struct {
	Total   int              `json:"totalCount"`
	Results []map[string]any `json:"results"`
}

// shownIDs is one page of a list of which the ids alone matter.
type shownIDs struct {
	Total   int `json:"totalCount"`
	Results []struct {
		ID       int64 `json:"id,string"`
		MobileID int64 `json:"mobileDeviceId,string"`
	} `json:"results"`
}

func (p shownIDs) ids() []int64 {
	ids := make([]int64, len(p.Results))
	for i, r := range p.Results {
		ids[i] = r.ID + r.MobileID // a record has one of them
	}
	return ids
}

// read reads a page into a shownPage or a shownIDs.
func (a *asker) read(t *testing.T, target string, into any) {
	t.Helper()
	status, body := a.get(t, target)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %.500s", readably(target), status, body)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", readably(target), err)
	}
}

func readably(target string) string {
	if text, err := url.QueryUnescape(target); err == nil {
		return text
	}
	return target
}

// witness asks and judges.
type witness struct {
	*house
	dice          *rand.Rand
	gateway, jamf *asker
	lists         []listed

	filtered, telling, sorted, compared, ordered, different, wrong int
}

// readLists reads each list once, whole, in the order of ids.
func (w *witness) readLists() {
	w.t.Helper()
	sections := "GENERAL,DISK_ENCRYPTION,PURCHASING,USER_AND_LOCATION,HARDWARE,SECURITY,OPERATING_SYSTEM"
	for version := 1; version <= 4; version++ {
		own := computerNamesUpTo3
		if version == 4 {
			own = computerNamesOf4
		}
		l := listed{path: fmt.Sprintf("/api/v%d/computers-inventory", version), idKey: "id", standard: "general.name", section: "DISK_ENCRYPTION", names: namesOf(computerNames, own)}
		w.lists = append(w.lists, w.readList(l, "?page-size=2000&sort=id&section="+sections))
	}
	detail := listed{path: "/api/v2/mobile-devices/detail", idKey: "mobileDeviceId", standard: "displayName", section: "GROUPS", names: namesOf(detailNames)}
	sections = "GENERAL,HARDWARE,USER_AND_LOCATION,PURCHASING,SECURITY,NETWORK,GROUPS"
	w.lists = append(w.lists, w.readList(detail, "?page-size=2000&sort=mobileDeviceId&section="+sections))
	plain := listed{path: "/api/v2/mobile-devices", idKey: "id", standard: "id", names: namesOf(plainNames)}
	w.lists = append(w.lists, w.readList(plain, "?page-size=2000&sort=id"))
}

func (w *witness) readList(l listed, query string) listed {
	w.t.Helper()
	var p shownPage
	w.gateway.read(w.t, l.path+query, &p)
	for _, r := range p.Results {
		text, _ := r[l.idKey].(string)
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			w.t.Fatalf("%s: %s is %v", l.path, l.idKey, r[l.idKey])
		}
		l.records = append(l.records, record{id, r, map[string][]string{}})
	}
	if len(l.records) < 300 || p.Total != len(l.records) {
		w.t.Fatalf("%s: %d devices of %d", l.path, len(l.records), p.Total)
	}
	return l
}

// ask makes one question, and holds the answer against the evaluator's and the simulated Jamf's.
func (w *witness) ask(i int) {
	w.t.Helper()
	l := w.lists[w.dice.IntN(len(w.lists))]
	filter, text := w.filter(l)
	by := w.criteria(l)
	query := url.Values{"section": {l.section}} // a small one: filters and sorts see what the page does not show
	if filter != nil {
		query.Set("filter", text)
		w.filtered++
	}
	if len(by) > 0 {
		query.Set("sort", w.spellSort(by))
		w.sorted++
	}
	want := l.answer(filter, by)
	if filter != nil && len(want) > 0 && len(want) < len(l.records) {
		w.telling++
	}
	size, page := 2000, 0
	if len(want) > 60 && w.dice.IntN(10) > 0 { // to show all takes the most time
		size = pick(w, 1, 7, 40)
		page = w.dice.IntN(len(want)/size + 1)
	}
	from := min(page*size, len(want))
	target := fmt.Sprintf("%s?page=%d&page-size=%d&%s", l.path, page, size, query.Encode())
	var got shownIDs
	w.gateway.read(w.t, target, &got)
	if diff := cmp.Diff(want[from:min(from+size, len(want))], got.ids()); diff != "" || got.Total != len(want) {
		w.wrong++
		w.t.Errorf("question %d: %s\ntotalCount %d, want %d (-want +got)\n%.2000s", i, readably(target), got.Total, len(want), diff)
	}
	if w.dice.IntN(4) == 0 {
		w.askJamf(l, filter, by, query, want)
	}
}

// askJamf asks the simulated Jamf the same.
func (w *witness) askJamf(l listed, filter *asked, by []criterion, query url.Values, want []int64) {
	w.t.Helper()
	if filter != nil && filter.differs() || slices.ContainsFunc(by, func(k criterion) bool { return unknownToFakejamf(k.name.name) }) {
		w.different++
		return
	}
	inOrder := !slices.ContainsFunc(by, func(k criterion) bool { return k.differs(l) })
	if len(by) > 0 && inOrder { // of ties it promises no order
		query.Set("sort", query.Get("sort")+","+l.idKey+":asc")
	}
	var got shownIDs
	w.jamf.read(w.t, l.path+"?page-size=2000&"+query.Encode(), &got)
	ids := got.ids()
	w.compared++
	if inOrder && len(by) > 0 && !slices.ContainsFunc(by, func(k criterion) bool { return k.name.reads == "id" }) {
		w.ordered++
	} else {
		want = slices.Sorted(slices.Values(want))
		slices.Sort(ids)
	}
	if diff := cmp.Diff(want, ids, cmpopts.EquateEmpty()); diff != "" || got.Total != len(want) {
		w.wrong++
		w.t.Errorf("the simulated Jamf differs on %s: totalCount %d, want %d (-evaluator +fakejamf)\n%.2000s", readably(query.Encode()), got.Total, len(want), diff)
	}
}

// unknownToFakejamf are names of Jamf's document that the simulated Jamf does not filter or sort by.
func unknownToFakejamf(name string) bool {
	return slices.Contains([]string{
		"groupId", "groupName", "lastLoggedInUsernameMdmTimestamp", "lastLoggedInUsernameSelfServiceTimestamp",
	}, name)
}

// difference is a known way in which the simulated Jamf answers a comparison otherwise than the gateway. What a real Jamf
// does is not confirmed by any wire.
type difference struct {
	how string
	is  func(a asked) bool
}

func differences() []difference {
	value := func(is func(pattern) bool) func(asked) bool {
		return func(a asked) bool { return slices.ContainsFunc(a.values, is) }
	}
	ordered := func(a asked) bool { return slices.Contains([]string{"=lt=", "=le=", "=gt=", "=ge="}, a.op) }
	return []difference{
		{"null and the empty text are two", value(func(p pattern) bool { return strings.Join(p, "") == "" })},
		{"an escaped star is still a star", value(func(p pattern) bool { return strings.Contains(strings.Join(p, ""), "*") })},
		{"numbers and times are equal where their texts are", func(a asked) bool { return (a.name.reads == "number" || a.name.reads == "time") && !ordered(a) }},
		{"a date alone is no time", func(a asked) bool {
			return a.name.reads == "time" && ordered(a) && len(a.values[0][0]) == len(time.DateOnly)
		}},
		{"< finds the empty text", func(a asked) bool { return a.name.reads == "text" && (a.op == "=lt=" || a.op == "=le=") }},
		{"texts that are both numbers are compared as such", func(a asked) bool { return a.name.reads == "text" && ordered(a) && isNumber(a.values[0][0]) }},
	}
}

func isNumber(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}

// differs tells that a comparison of the filter is known to be answered otherwise.
func (a asked) differs() bool {
	if a.joint != "" {
		return slices.ContainsFunc(a.of, asked.differs)
	}
	return unknownToFakejamf(a.name.name) || slices.ContainsFunc(differences(), func(d difference) bool { return d.is(a) })
}

// differs tells that the simulated Jamf orders otherwise: by a name with texts that are whole numbers or times, with numbers
// that are not whole, or with empty texts, which it puts behind null.
func (k criterion) differs(l listed) bool {
	return slices.ContainsFunc(l.records, func(r record) bool {
		if l.standard == "id" && k.name.name == "managementId" {
			return true // of a device of unknown type the detail list, which the gateway reads, does not have it
		}
		return slices.ContainsFunc(r.all(k.name), func(v string) bool {
			_, notWhole := strconv.ParseInt(v, 10, 64)
			_, noTime := time.Parse(time.RFC3339, v)
			number := k.name.reads == "number" || k.name.reads == "id"
			return v == "" || len(v) > 18 && notWhole == nil || (notWhole == nil) != number || (noTime == nil) != (k.name.reads == "time")
		})
	})
}

// TestTheEvaluatorKnowsEveryNameAndTheOthersAreRefused holds the witness's names against the gateway's table.
func TestTheEvaluatorKnowsEveryNameAndTheOthersAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t, calm("its own answers are compared with", fakejamf.Options{Computers: 400, Mobiles: 300, Seed: 11}), func(c *config.Config) { c.Sources[0].Profile = "full" })
	h.start()
	h.waitSynced()
	w := &witness{house: h, gateway: h.asker(h.base, h.token())}
	w.readLists()
	lists := map[rune]listed{}
	for i, letter := range "1234dl" {
		lists[letter] = w.lists[i]
	}
	table, err := os.ReadFile("../../gateway/device/selectors.tsv")
	if err != nil {
		t.Fatal(err)
	}
	known, refused := map[string]bool{}, 0
	for line := range strings.Lines(string(table)) {
		col := strings.Split(line, "\t")
		for _, letter := range col[0] {
			l, jamfs := lists[letter]
			if !jamfs || strings.HasPrefix(line, "#") {
				continue
			}
			n, ok := l.names[col[1]]
			if ok != (col[4] != "-") || ok && (n.filter != strings.Contains(col[2], "f") || n.sort != strings.Contains(col[2], "s")) {
				t.Errorf("%s: the witness knows %+v, the table says %q", l.path, n, line)
			}
			known[string(letter)+col[1]] = true
			for param, text := range map[string]string{"filter": col[1] + "==*", "sort": col[1]} {
				if ok || !strings.Contains(col[2], param[:1]) {
					continue
				}
				refused++
				if status, body := w.gateway.get(t, l.path+"?"+param+"="+text); status != http.StatusBadRequest || !strings.Contains(string(body), col[1]) {
					t.Errorf("%s by %s of %s: %d %.300s", param, col[1], l.path, status, body)
				}
			}
		}
	}
	for letter, l := range lists {
		for name := range l.names {
			if !known[string(letter)+name] {
				t.Errorf("%s: the gateway does not know %s", l.path, name)
			}
		}
	}
	if refused < 15 {
		t.Errorf("%d names refused", refused)
	}
}
