package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway/device"
	"jamf-gateway/test/fakejamf"
)

func completeRows() map[string]play {
	return map[string]play{
		"B1":  {simulated: rowChangesWhileRead},
		"B2":  {simulated: rowTwoNodes},
		"B3":  {simulated: rowWrongCounts},
		"B4":  {simulated: rowTwice},
		"B5":  {simulated: rowOddPages},
		"B6":  {simulated: rowClamped},
		"B7":  {simulated: rowFalseEmpty},
		"B8":  {simulated: rowNoLists},
		"B14": {simulated: rowBadDetails},
		"B15": {simulated: rowOneBadRecord},
		"B16": {simulated: rowOverlappingSyncs},
		"B17": {simulated: rowPublishBetweenPages},
		"B18": {simulated: rowUnreadableStore},
	}
}

// rowChangesWhileRead: seeds of a fleet that changes after every page, before a Jamf that fails, with and without a sort.
func rowChangesWhileRead(b *board) {
	again := 0
	for i := range 12 {
		o := gentle(fakejamf.Options{Computers: 300, Mobiles: 150, Seed: uint64(i), MutateRate: 3})
		o.Faults.PoisonComputers, o.Faults.BrokenMobiles, o.Faults.Throttle = 0, 0, 0
		h := b.prepare(o, nil)
		from := h.jamf.Mark()
		h.start()
		b.healed()
		b.recovered(h, 2*time.Hour) // a list that changes too fast is refused, and read again
		b.compare(h, from)
		from = h.jamf.Mark()
		h.jamf.SetMutate(true, 0.5)
		h.syncNow() // with deletions that must be confirmed
		if h.published() {
			again++
			b.compare(h, from)
		}
		h.stop()
	}
	b.note("12 seeds, 3 changes a page; %d second syncs published, the others were held", again)
}

func rowTwoNodes(b *board) {
	for i := range 3 {
		o := fakejamf.Options{Computers: 300, Mobiles: 100, Seed: uint64(20 + i), Nodes: 2, NodeLag: time.Minute, Mutate: true, MutateRate: 1}
		h := b.prepare(o, nil)
		from := h.jamf.Mark()
		h.start()
		h.waitSynced()
		b.compare(h, from)
		for range 3 {
			b.sleep(10 * time.Second)
			from = h.jamf.Mark()
			h.syncNow()
			if h.published() {
				b.compare(h, from)
			}
		}
		h.stop()
	}
}

// published tells that the last sync of every kind was good.
func (h *house) published() bool {
	for _, k := range h.gateway.Status()[0].Kinds {
		if k.LastResult != "ok" {
			return false
		}
	}
	return true
}

// unpublished lets each fault meet a due sync: none publishes, what was there is served on, and Jamf well again is read alone.
func (b *board) unpublished(h *house, what string, codes ...string) {
	b.Helper()
	before := h.generation(device.Computer).Number
	b.nextSync(h)
	b.failed(h, what, codes...)
	if n := h.generation(device.Computer).Number; n != before {
		b.wrong("%s: generation %d was published", what, n)
	}
	h.bender.to(nil)
	h.jamf.BreakTotalCount(0)
	h.jamf.SetFaults(rough())
	b.healed()
	b.recovered(h, 2*time.Hour)
}

func rowWrongCounts(b *board) {
	h := b.open(small(), nil)
	var n atomic.Int64
	for name, f := range map[string]func(page map[string]any){
		"one too high":      func(p map[string]any) { p["totalCount"] = 121 },
		"one too low":       func(p map[string]any) { p["totalCount"] = 119 },
		"thousand too high": func(p map[string]any) { p["totalCount"] = 1120 },
		"changing":          func(p map[string]any) { p["totalCount"] = 125 + n.Add(1) },
		"negative":          func(p map[string]any) { p["totalCount"] = -120 },
		"2^63":              func(p map[string]any) { p["totalCount"] = json.Number("9223372036854775808") },
		"a text":            func(p map[string]any) { p["totalCount"] = "120" },
		"half":              func(p map[string]any) { p["totalCount"] = 0.5 },
		"missing":           func(p map[string]any) { delete(p, "totalCount") },
		"null":              func(p map[string]any) { p["totalCount"] = nil },
	} {
		h.bender.pages(func(_ *http.Request, page map[string]any) { f(page) })
		b.unpublished(h, name, "count_mismatch", "not_a_page", "unexpected_answer", "too_many_devices")
	}
	b.judge(h)
}

func rowNoLists(b *board) {
	h := b.open(small(), nil)
	for _, body := range []string{
		`{}`, `null`, `[]`, `{"TotalCount":0,"Results":[]}`, `{"totalCount":0,"results":null}`, `{"totalCount":120,"results":{}}`, `""`, `0`, ``, ` `,
		`{"totalCount":0}`, `{"results":[]}`,
	} {
		h.bender.to(func(w http.ResponseWriter, r *http.Request) bool {
			if !isList(r) {
				return false
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(body))
			return true
		})
		b.unpublished(h, strconv.Quote(body), "not_a_page", "unexpected_answer", "count_mismatch")
	}
	b.judge(h)
}

func rowFalseEmpty(b *board) {
	h := b.open(small(), nil)
	h.jamf.SetFaults(fakejamf.Faults{FalseEmpty: true})
	began := time.Now()
	b.nextSync(h)
	b.failed(h, "a false empty", "empty_unconfirmed", "count_mismatch")
	b.note("told %v after the sync was due", time.Since(began).Round(time.Second)%time.Hour)
	h.jamf.SetFaults(rough())
	b.healed()
	b.recovered(h, 16*time.Minute)
	h.jamf.Empty(fakejamf.Mobile) // and one that Jamf confirms
	b.nextSync(h)
	if k := h.gateway.Status()[0].Kinds[1]; k.LastResult != "held" || k.Hold == nil {
		b.wrong("an empty list that Jamf confirms is %+v", k)
	}
	if r := h.get("/api/v2/mobile-devices"); r.status != http.StatusOK || !strings.Contains(string(r.body), `"totalCount":60`) {
		b.wrong("the list before is not served: %d %.200s", r.status, r.body)
	}
}

func rowTwice(b *board) {
	h := b.open(small(), nil)
	first := func(page map[string]any) (rows []any) { rows, _ = page["results"].([]any); return rows }
	h.bender.pages(func(_ *http.Request, page map[string]any) { // an id twice on a page
		if rows := first(page); len(rows) > 3 {
			page["results"] = append(slices.Clone(rows[:2]), append([]any{rows[1]}, rows[2:]...)...)
		}
	})
	b.nextSync(h)
	b.forgetWalks(h)
	if n := len(h.walk("/api/v4/computers-inventory", "id", 50)); n != 120 {
		b.wrong("%d computers with ids twice", n)
	}
	h.bender.to(nil)
	b.healed()
	b.recovered(h, 2*time.Hour)

	ids := h.jamf.Ledger().Alive(fakejamf.Computer)
	h.jamf.Reserial(fakejamf.Computer, ids[3], "C02TWICE") // one serial under two ids: both are kept
	h.jamf.Reserial(fakejamf.Computer, ids[9], "C02TWICE")
	b.nextSync(h)
	b.forgetWalks(h)
	twins := 0
	for _, serial := range h.serials() {
		if serial == "C02TWICE" {
			twins++
		}
	}
	if twins != 2 {
		b.wrong("%d computers with one serial number, both are to be kept", twins)
	}
	for i, id := range ids[20:40] { // ids with other hardware: more than a board swap here and there
		h.jamf.Reserial(fakejamf.Computer, id, fmt.Sprintf("C02OTHER%02d", i))
	}
	b.nextSync(h)
	if k := h.gateway.Status()[0].Kinds[0]; k.LastResult != "held" || k.State != "stale" {
		b.wrong("20 ids with other hardware: %s, %s", k.LastResult, k.State)
	}
	for _, serial := range h.serials() {
		if strings.HasPrefix(serial, "C02OTHER") {
			b.wrong("other hardware is served")
			break
		}
	}
}

func rowOddPages(b *board) {
	h := b.open(fakejamf.Options{Computers: 240, Mobiles: 20}, nil)
	pageOf := func(r *http.Request) int { n, _ := strconv.Atoi(r.URL.Query().Get("page")); return n }
	before := h.bender.since(time.Time{})
	h.bender.to(func(_ http.ResponseWriter, r *http.Request) bool { // the same page for ever
		if isPage(r) {
			q := r.URL.Query()
			q.Set("page", "0")
			r.URL.RawQuery = q.Encode()
		}
		return false
	})
	b.unpublished(h, "the same page for ever", "count_mismatch", "no_progress", "order_not_rising")
	if n := h.bender.since(time.Time{}) - before; n > 150 {
		b.wrong("the same page was asked for %d times", n)
	}
	h.bender.pages(func(r *http.Request, page map[string]any) { // the end too early
		rows, _ := page["results"].([]any)
		size, _ := strconv.Atoi(r.URL.Query().Get("page-size"))
		page["results"] = rows[:min(len(rows), max(0, 130-pageOf(r)*size))]
	})
	b.unpublished(h, "the end too early", "count_mismatch", "no_progress", "not_a_page", "unexpected_answer")
	h.bender.pages(func(r *http.Request, page map[string]any) { // a short page in the middle loses nothing
		if rows, _ := page["results"].([]any); pageOf(r) == 1 && len(rows) > 10 {
			page["results"] = rows[:len(rows)/2]
		}
	})
	b.nextSync(h)
	if k := h.gateway.Status()[0].Kinds[0]; k.LastResult == "ok" {
		b.compare(h, h.jamf.Mark())
	} else {
		b.failed(h, "short in the middle", "count_mismatch", "no_progress", "order_not_rising")
	}
	h.bender.to(nil)
	b.healed()
	b.recovered(h, 2*time.Hour)
	b.judge(h)
}

func rowClamped(b *board) {
	for _, most := range []int{7, 33, 50} {
		h := b.prepare(fakejamf.Options{Computers: 240, Mobiles: 20}, func(c *config.Config) { c.Sources[0].Sync.PageSize = 400 })
		h.bender.to(func(_ http.ResponseWriter, r *http.Request) bool {
			q := r.URL.Query()
			if size, err := strconv.Atoi(q.Get("page-size")); err == nil && size > most {
				q.Set("page-size", strconv.Itoa(most))
				r.URL.RawQuery = q.Encode()
			}
			return false
		})
		from := h.jamf.Mark()
		h.start()
		h.waitFor("a first sync", func() bool { return h.gateway.Status()[0].Kinds[0].Tried && h.gateway.Status()[0].Kinds[1].Tried })
		if k := h.gateway.Status()[0].Kinds[0]; k.LastResult == "ok" {
			b.compare(h, from)
		} else {
			b.wrong("clamped to %d: %s (%s)", most, k.ErrorCode, k.ErrorDetail)
		}
		h.stop()
	}
}

// hide takes rows out of a page, and out of its count, although they live.
func hide(page map[string]any, hidden map[string]bool) {
	rows, _ := page["results"].([]any)
	page["results"] = slices.DeleteFunc(rows, func(d any) bool {
		m, _ := d.(map[string]any)
		return hidden[fmt.Sprint(m["id"])]
	})
	if n, err := strconv.Atoi(fmt.Sprint(page["totalCount"])); err == nil {
		page["totalCount"] = n - len(hidden)
	}
}

// rowBadDetails: what is not listed is asked for by id; where that fails, nothing is deleted.
func rowBadDetails(b *board) {
	h := b.open(small(), nil)
	hidden := map[string]bool{}
	for _, id := range h.jamf.Ledger().Alive(fakejamf.Computer)[10:13] {
		hidden[strconv.FormatInt(id, 10)] = true
	}
	for _, answer := range []string{"500", "timeout", "200"} {
		h.bender.pages(func(_ *http.Request, page map[string]any) { hide(page, hidden) })
		lists := h.bender.bend
		h.bender.to(func(w http.ResponseWriter, r *http.Request) bool {
			byID := strings.Contains(r.URL.Path, "/computers-inventory/") || strings.Contains(r.URL.Path, "/computers-inventory-detail/")
			switch {
			case !byID || answer == "200":
				return lists(w, r)
			case answer == "timeout":
				<-r.Context().Done()
			default:
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusInternalServerError)
				_, _ = w.Write([]byte(`{"httpStatus":500,"errors":[]}`))
			}
			return true
		})
		b.nextSync(h)
		b.forgetWalks(h)
		if n := len(h.walk("/api/v4/computers-inventory", "id", 50)); n != 120 {
			b.wrong("by id %s: %d computers are served, 120 live", answer, n)
		}
	}
	h.bender.to(nil)
	b.healed()
	b.recovered(h, 2*time.Hour)
	b.judge(h)
}

func rowOneBadRecord(b *board) {
	h := b.open(small(), nil)
	id := strconv.FormatInt(h.jamf.Ledger().Alive(fakejamf.Computer)[50], 10)
	names, of := h.serials(), `"id":"`+id+`"`
	written := regexp.MustCompile(`"id"\s*:\s*"` + id + `"(,\s*"udid")`)
	for _, bad := range []string{of + ",\"x\":\"\xff\"", of + `,"x":{"a":1,"a":2}`} {
		h.bender.to(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, "/computers-inventory") {
				return false
			}
			rec := h.bender.record(r)
			copyHeader(w, rec.Header())
			w.WriteHeader(rec.Code)
			_, _ = w.Write(written.ReplaceAll(rec.Body.Bytes(), []byte(bad+"$1")))
			return true
		})
		b.nextSync(h)
		if k := h.gateway.Status()[0].Kinds[0]; k.LastResult != "ok" {
			b.wrong("one bad record in 120: %s (%s)", k.ErrorCode, k.ErrorDetail)
		}
		b.forgetWalks(h)
		if !maps.Equal(h.serials(), names) {
			b.wrong("the record that cannot be decoded, or another one, is served as something else")
		}
		var list struct{ Sources []struct{ Quarantined int } }
		if h.get("/v1/devices?kind=computer").decode(b.T, &list); list.Sources[0].Quarantined != 1 {
			b.wrong("%q: %d records are flagged, 1 is bad", bad, list.Sources[0].Quarantined)
		}
	}
	h.bender.to(nil)
	b.healed()
	b.recovered(h, 2*time.Hour)
	b.judge(h)
}

func rowOverlappingSyncs(b *board) {
	h := b.open(small(), nil)
	f := rough()
	f.MaxLatency = 2 * time.Second
	h.jamf.SetFaults(f)
	last, published := h.generation(device.Computer).Number, 0
	for round := range 6 {
		codes := map[int]int{}
		for range 20 {
			codes[h.call(http.MethodPost, h.admin+"/v1/admin/sources/schule-a/sync", nil).status]++
			b.sleep(200 * time.Millisecond)
		}
		if codes[http.StatusAccepted]+codes[http.StatusConflict] != 20 {
			b.wrong("answers to 20 demands: %v", codes)
		}
		if round == 3 {
			h.stop() // in mid-sync
			h.start()
		}
		b.sleep(59 * time.Minute) // the schedule comes as well
		if n := h.generation(device.Computer).Number; n < last {
			b.wrong("generation %d after %d", n, last)
		} else {
			published += int(n - last)
			last = n
		}
	}
	if st := h.jamf.Stats(); st.PeakConcurrency > 2 || published == 0 {
		b.wrong("%d requests at once, %d generations", st.PeakConcurrency, published)
	}
	b.note("%d generations, in order", published)
	b.healed()
	b.recovered(h, time.Hour)
	b.judge(h)
}

func rowPublishBetweenPages(b *board) {
	h := b.open(fakejamf.Options{Computers: 200, Mobiles: 20}, nil)
	for round := range 5 {
		b.sleep(6 * time.Minute)
		var ids []string
		total := 0
		for page := range 4 {
			var out struct {
				Total   int `json:"totalCount"`
				Results []struct{ ID string }
			}
			h.get(fmt.Sprintf("/api/v4/computers-inventory?page=%d&page-size=50", page)).decode(b.T, &out)
			for _, d := range out.Results {
				ids = append(ids, d.ID)
			}
			if page == 0 {
				total = out.Total
			}
			if out.Total != total {
				b.wrong("round %d: page %d says %d devices, page 0 said %d", round, page, out.Total, total)
			}
			h.jamf.Delete(fakejamf.Computer, h.jamf.Ledger().Alive(fakejamf.Computer)[0])
			h.jamf.Add(fakejamf.Computer)
			h.syncNow()
		}
		slices.Sort(ids)
		if n := len(slices.Compact(ids)); n != total || len(h.walk("/api/v2/mobile-devices", "id", 7)) != 20 {
			b.wrong("round %d: %d different devices of %d", round, n, total)
		}
	}
	b.judge(h)
}

// rowUnreadableStore: a file breaks under the gateway while clients read: whole lists or errors, never less.
func rowUnreadableStore(b *board) {
	b.failures = true
	for name, harm := range map[string]func(path string) error{
		"truncated": func(p string) error { return os.Truncate(p, 8192) },
		"garbage": func(p string) error {
			data, err := os.ReadFile(p)
			for i := 8192; i < len(data); i++ {
				data[i] ^= 0x5a
			}
			return errorsOf(err, os.WriteFile(p, data, 0o600))
		},
		"one byte": func(p string) error {
			data, err := os.ReadFile(p)
			data[len(data)/2] ^= 0x01
			return errorsOf(err, os.WriteFile(p, data, 0o600))
		},
	} {
		h := b.open(small(), nil)
		h.syncNow()
		files, err := filepath.Glob(filepath.Join(h.settings.DataDir, "schule-a", "computer", "*.sqlite"))
		if err != nil || len(files) < 2 {
			b.Fatalf("files %v, %v", files, err)
		}
		slices.Sort(files)
		if err := harm(files[len(files)-1]); err != nil {
			b.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 20 {
			h.gateway.Store().Flush()
			for i := range 6 {
				wg.Go(func() { (&reader{b: b, h: h}).read(b.Context(), i) })
			}
			wg.Wait()
			b.sleep(time.Second)
		}
		b.healed()
		b.recovered(h, 2*time.Hour)
		b.judge(h)
		b.unwatch()
		if b.Failed() {
			b.wrong("%s", name)
		}
		h.stop()
	}
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
