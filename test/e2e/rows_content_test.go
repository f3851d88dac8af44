package e2e_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"jamf-gateway/config"
	"jamf-gateway/gateway/jamf"
	"jamf-gateway/test/fakejamf"
)

func contentRows() map[string]play {
	return map[string]play{
		"C1":  {simulated: rowTruncatedAnywhere},
		"C2":  {simulated: rowTexts},
		"C3":  {simulated: rowDates},
		"C4":  {simulated: rowTypes},
		"C5":  {simulated: rowUnknown},
		"C6":  {simulated: rowNumbers},
		"C7":  {simulated: rowHuge},
		"C8":  {simulated: rowEncodings},
		"C9":  {simulated: rowManyAttributes},
		"C11": {simulated: rowInjections},
	}
}

// rowTruncatedAnywhere: a page of a few devices, cut at every byte, with a length that fits the cut: none is a page.
func rowTruncatedAnywhere(b *board) {
	h := b.prepare(fakejamf.Options{Computers: 2, Mobiles: 2, Faults: fakejamf.Faults{RetryAfter: time.Second}}, nil)
	var cut atomic.Int64
	var whole atomic.Int64
	h.bender.bytes(func(body []byte) []byte {
		whole.Store(int64(len(body)))
		return body[:min(int(cut.Load()), len(body))]
	})
	cut.Store(1 << 30)
	read := func() (int, error) {
		host := jamf.NewHost(h.address(), jamf.Limits{Connections: 2, RequestsPerSecond: 10_000, Burst: 10_000}, jamf.Telemetry{})
		src, err := jamf.NewSource(host, jamf.SourceOptions{
			Name: "a", URL: h.upstream.URL + "/api", ClientID: "gw", ClientSecret: func() string { return jamfSecret },
			AllowInsecureLoopback: true, Dial: b.net.Dial,
		})
		if err != nil {
			b.Fatal(err)
		}
		defer src.Close()
		page, err := src.NewWalk().Page(b.Context(), jamf.Computers, []string{"GENERAL"}, 0, 100)
		if err != nil {
			return 0, err
		}
		return len(page.Rows), nil
	}
	if n, err := read(); err != nil || n != 2 {
		b.Fatalf("the whole page: %d rows, %v", n, err)
	}
	size, taken := whole.Load(), 0
	for at := range size - 1 { // the last byte is the newline or brace that may be missing
		cut.Store(at)
		if n, err := read(); err == nil {
			taken++
			b.wrong("cut at byte %d of %d it is a page of %d rows", at, size, n)
		}
	}
	b.slack = int(3 * size)
	b.note("%d of %d cuts were taken for a page", taken, size-1)
}

// changed publishes what Jamf answers when f has bent its records, and holds that every computer is there and the answer is strict JSON.
func (b *board) changed(h *house, what string, f func(i int, d map[string]any)) (list []byte) {
	b.Helper()
	h.bender.pages(func(_ *http.Request, page map[string]any) {
		for i, d := range rowsOf(page) {
			f(i, d)
		}
	})
	b.nextSync(h)
	if k := h.gateway.Status()[0].Kinds[0]; k.LastResult != "ok" && k.LastResult != "held" {
		b.wrong("%s: %s (%s)", what, k.ErrorCode, k.ErrorDetail)
	}
	b.forgetWalks(h)
	list = h.get("/v1/devices?limit=1000&kind=computer").body
	for _, body := range [][]byte{list, h.call(http.MethodGet, "/api/v4/computers-inventory?page-size=500", nil, "Authorization", "Bearer "+h.token()).body} {
		if !json.Valid(body) || !utf8.Valid(body) {
			b.wrong("%s: the answer is no JSON in UTF-8", what)
		}
		var page struct{ Items, Results []json.RawMessage }
		if err := json.Unmarshal(body, &page); err != nil || len(page.Items)+len(page.Results) != 120 {
			b.wrong("%s: %d devices of 120, %v", what, len(page.Items)+len(page.Results), err)
		}
	}
	return list
}

func general(d map[string]any) map[string]any {
	g, _ := d["general"].(map[string]any)
	if g == nil {
		g = map[string]any{}
		d["general"] = g
	}
	return g
}

// wide opens a house that keeps everything.
func (b *board) wide() *house {
	b.Helper()
	return b.open(small(), func(c *config.Config) { c.Sources[0].Profile = "full" })
}

func (b *board) wellAgain(h *house) {
	b.Helper()
	h.bender.to(nil)
	b.healed()
	b.recovered(h, 2*time.Hour)
	b.judge(h)
}

func rowTexts(b *board) {
	h := b.wide()
	texts := []string{"\x00", "a\x00b", "\u202eRTL\u202c", "😀🏫", "\ufeffBOM", strings.Repeat("ä", 1<<19), "\ud7ff\ue000", "\u2028\u2029", strings.Repeat("😀", 1000)}
	b.changed(h, "texts", func(i int, d map[string]any) { general(d)["name"] = texts[i%len(texts)] })
	for _, bad := range []string{`"\ud800"`, `"\udc00x"`, "\"\xff\xfe\"", "\"\xc0\xaf\""} { // no strict JSON: they cost their record only
		n := 0
		h.bender.bytes(func(body []byte) []byte {
			n++
			return bytes.Replace(body, []byte(`"name"`), []byte(`"x":`+bad+`,"name"`), 1)
		})
		b.nextSync(h)
		b.forgetWalks(h)
		body := h.get("/v1/devices?limit=1000&kind=computer").body
		if n == 0 || !utf8.Valid(body) || !json.Valid(body) {
			b.wrong("%q: what is served is no UTF-8", bad)
		}
	}
	b.wellAgain(h)
}

func rowDates(b *board) {
	h := b.wide()
	dates := []any{"0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "2026-11-27T10:00:00+14:00", "", 1764230400000, "2026-13-40T25:61:61Z", "soon", nil, "2099-01-01T00:00:00Z", true}
	b.sleep(3 * time.Hour) // from the dates of the fleet
	now := time.Now().UTC().Format("2006-01-02T15")
	list := b.changed(h, "dates", func(i int, d map[string]any) {
		g := general(d)
		g["lastContact"], g["lastContactTime"], g["reportDate"], g["lastEnrolledDate"] = dates[i%len(dates)], dates[i%len(dates)], dates[(i+1)%len(dates)], dates[(i+2)%len(dates)]
	})
	var page struct{ Items []json.RawMessage }
	if err := json.Unmarshal(list, &page); err != nil {
		b.wrong("%v", err)
	}
	for _, d := range page.Items {
		if bytes.Contains(d, []byte(now)) || bytes.Contains(d, []byte("2026-13")) || bytes.Contains(d, []byte(`"soon"`)) {
			b.wrong("a date is now, or none: %s", d)
			break
		}
	}
	b.wellAgain(h)
}

func rowTypes(b *board) {
	h := b.wide()
	others := []any{nil, 7, "text", true, []any{1}, map[string]any{"a": 1}}
	dice := rand.New(rand.NewPCG(b.score.Seed, 4))
	var bent func(v any, depth int) any
	bent = func(v any, depth int) any { // every field becomes each of the others somewhere
		switch v := v.(type) {
		case map[string]any:
			for k, member := range v {
				switch {
				case depth == 0 && (k == "id" || k == "udid"):
				case dice.IntN(12) == 0:
					delete(v, k)
				case dice.IntN(6) == 0:
					v[k] = others[dice.IntN(len(others))]
				default:
					v[k] = bent(member, depth+1)
				}
			}
		case []any:
			for i := range v {
				v[i] = bent(v[i], depth+1)
			}
		}
		return v
	}
	h.settings.Sources[0].Guard = config.DefaultGuard()
	for range 4 {
		h.bender.pages(func(_ *http.Request, page map[string]any) {
			for _, d := range rowsOf(page) {
				bent(d, 0)
			}
		})
		b.nextSync(h)
		if n := h.gateway.Status()[0].Kinds[0]; n.ErrorCode == "internal" {
			b.wrong("a panic: %s", n.ErrorDetail)
		}
		b.forgetWalks(h)
		for _, path := range []string{"/v1/devices?limit=1000&kind=computer"} {
			var page struct{ Items []json.RawMessage }
			if body := h.get(path).body; json.Unmarshal(body, &page) != nil || len(page.Items) != 120 {
				b.wrong("%s: %d devices", path, len(page.Items))
			}
		}
	}
	b.note("last result: %s %s", h.gateway.Status()[0].Kinds[0].LastResult, h.gateway.Status()[0].Kinds[0].ErrorCode)
	b.wellAgain(h)
}

func rowUnknown(b *board) {
	h := b.open(small(), nil)
	list := b.changed(h, "unknown", func(_ int, d map[string]any) {
		d["canarySection"] = map[string]any{"canary": "canary-unlisted-1"}
		general(d)["canaryField"] = "canary-unlisted-2"
		general(d)["platform"] = "canaryOS"
		if hw, ok := d["hardware"].(map[string]any); ok {
			hw["canaryField"] = []any{"canary-unlisted-3"}
		}
	})
	disk := readTree(b.T, h.settings.DataDir)
	facade := h.get("/api/v4/computers-inventory?page-size=500&section=GENERAL&section=HARDWARE").body
	for _, c := range []string{"canary-unlisted", "canarySection", "canaryField"} {
		if bytes.Contains(list, []byte(c)) || bytes.Contains(facade, []byte(c)) || strings.Contains(disk, c) {
			b.wrong("%s is kept or shown, and stands in no profile", c)
		}
	}
	b.wellAgain(h)
}

func rowNumbers(b *board) {
	h := b.wide()
	numbers := []string{"1e400", "-0", "9007199254740993", "-1e-400", "18446744073709551616", "0.1", "1E5", "-9223372036854775809"}
	h.settings.Clients[0].Profile = ""
	list := b.changed(h, "numbers", func(i int, d map[string]any) {
		if hw, ok := d["hardware"].(map[string]any); ok {
			for _, f := range []string{"totalRamMegabytes", "batteryCapacityPercent", "coreCount", "processorSpeedMhz", "busSpeedMhz", "cacheSizeKilobytes"} {
				hw[f] = json.Number(numbers[i%len(numbers)])
			}
		}
	})
	for _, lossy := range []string{"9007199254740992", "18446744073709552000", "1.8446744073709552", "Infinity", "NaN", "1e+400"} {
		if bytes.Contains(list, []byte(lossy)) {
			b.wrong("%s is served: Jamf said another number", lossy)
		}
	}
	b.wellAgain(h)
}

// manyLong is a page whose every record is just short enough: it may fill the 64 MiB of a page.
const manyLong = "many of almost 4 MiB"

// hugeAnswers are pages that are too deep, too wide or never end.
func hugeAnswers() map[string]func(w http.ResponseWriter) {
	endless := func(w http.ResponseWriter, head, again string, total int) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, head)
		for n := 0; n < total; n += len(again) {
			if _, err := io.WriteString(w, again); err != nil {
				return
			}
		}
	}
	many := strings.Repeat(`"k":1,`, 1000)
	return map[string]func(w http.ResponseWriter){
		"20,000 deep": func(w http.ResponseWriter) {
			endless(w, `{"totalCount":1,"results":[{"id":"1","x":`, strings.Repeat("[", 20_000), 20_000)
		},
		"a million keys": func(w http.ResponseWriter) { endless(w, `{"totalCount":1,"results":[{"id":"1",`, many, 6<<20) },
		"keys twice": func(w http.ResponseWriter) {
			endless(w, `{"totalCount":0,"totalCount":120,"results":[],"results":[`, `{"id":"1"},`, 11)
		},
		"an endless page": func(w http.ResponseWriter) {
			endless(w, `{"totalCount":1,"results":[`, `{"id":"1","general":{"name":"`+strings.Repeat("x", 4000)+`"}},`, 1<<30)
		},
		"50 MiB a device": func(w http.ResponseWriter) {
			endless(w, `{"totalCount":1,"results":[{"id":"1","general":{"name":"`, strings.Repeat("x", 1<<16), 50<<20)
		},
		manyLong: func(w http.ResponseWriter) {
			endless(w, `{"totalCount":200,"results":[`, `{"id":"1","general":{"name":"`+strings.Repeat("x", 4<<20-1000)+`"}},`, 100*4<<20)
		},
		"endless spaces": func(w http.ResponseWriter) { endless(w, ``, strings.Repeat(" ", 1<<16), 1<<30) },
	}
}

// rowHuge: what is too deep, too wide or never ends is refused under a bound of memory.
func rowHuge(b *board) {
	h := b.open(small(), nil)
	before, peaks := peakMemory(b.T), []string(nil)
	for name, answer := range hugeAnswers() {
		_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
		h.bender.to(func(w http.ResponseWriter, r *http.Request) bool {
			if isPage(r) {
				answer(w)
			}
			return isPage(r)
		})
		b.unpublished(h, name, "answer_too_large", "unexpected_answer", "jamf_cannot_render", "count_mismatch", "not_a_page", "too_large", "no_progress")
		peaks = append(peaks, fmt.Sprintf("%s %d", name, peakMemory(b.T)))
	}
	b.note("%d MiB before; at most %s", before, strings.Join(peaks, ", "))
	b.judge(h)
}

// zipped packs what is read, a little at a time.
func zipped(from io.Reader) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = io.Copy(w, from)
	_ = w.Close()
	return out.Bytes()
}

// zeros are many characters that take no memory.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

// encodedAnswers are pages that are packed in another way than was asked for, or too well.
func encodedAnswers() map[string]func(w http.ResponseWriter) {
	const page = `{"totalCount":1,"results":[{"id":"1","general":{"name":"x"},"hardware":{"serialNumber":"C02"}}]}`
	bomb := zipped(io.MultiReader(strings.NewReader(`{"totalCount":1,"results":[{"id":"1","x":"`), io.LimitReader(zeros{}, 1<<30)))
	whole := zipped(strings.NewReader(page))
	answers := map[string]func(http.ResponseWriter){}
	for name, c := range map[string]struct {
		encoding string
		body     []byte
	}{
		"a bomb":           {"gzip", bomb},
		"a bomb in a bomb": {"gzip", zipped(bytes.NewReader(bomb))},
		"said to be two":   {"gzip, gzip", zipped(bytes.NewReader(whole))},
		"truncated":        {"gzip", whole[:len(whole)-9]},
		"trailing garbage": {"gzip", append(bytes.Clone(whole), "garbage"...)},
		"no gzip":          {"gzip", []byte(page)},
		"gzip unsaid":      {"", whole},
		"zstd":             {"zstd", []byte(page)},
		"br":               {"br", []byte(page)},
		"unknown":          {"x-canary", []byte(page)},
	} {
		answers[name] = func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			if c.encoding != "" {
				w.Header().Set("Content-Encoding", c.encoding)
			}
			_, _ = w.Write(c.body)
		}
	}
	return answers
}

func rowEncodings(b *board) {
	h := b.open(small(), nil)
	for name, answer := range encodedAnswers() {
		h.bender.to(func(w http.ResponseWriter, r *http.Request) bool {
			if isPage(r) {
				answer(w)
			}
			return isPage(r)
		})
		b.unpublished(h, name, "answer_too_large", "unexpected_answer", "not_a_page", "too_large", "jamf_unavailable", "count_mismatch", "jamf_cannot_render", "breaker_open")
	}
	b.judge(h)
}

func rowManyAttributes(b *board) {
	h := b.open(fakejamf.Options{Computers: 60, Mobiles: 10}, nil)
	attributes, applications := make([]any, 10_000), make([]any, 5_000)
	for i := range attributes {
		attributes[i] = map[string]any{"definitionId": fmt.Sprint(i), "name": "attribute", "values": []any{"canary-of-an-attribute"}}
	}
	for i := range applications {
		applications[i] = map[string]any{"name": fmt.Sprintf("App %d", i), "version": "1.0"}
	}
	h.bender.pages(func(_ *http.Request, page map[string]any) {
		for _, d := range rowsOf(page)[:min(2, len(rowsOf(page)))] { // unasked: the profile is minimal
			d["extensionAttributes"], d["applications"] = attributes, applications
		}
	})
	b.nextSync(h)
	if k := h.gateway.Status()[0].Kinds[0]; k.LastResult != "ok" {
		b.wrong("%s: %s", k.ErrorCode, k.ErrorDetail)
	}
	if strings.Contains(readTree(b.T, h.settings.DataDir), "canary-of-an-attribute") {
		b.wrong("what no profile keeps is on the disk")
	}
	b.note("2 devices a page, of 60; not 100,000")
	b.wellAgain(h)
}

func rowInjections(b *board) {
	h := b.open(small(), nil)
	bad := []string{"=cmd|' /C calc'!A0", "<script>alert(1)</script>", "a\r\nX-Injected: 1", "\x1b[31mred\x1b[0m", "'; drop table device; --", `{"level":"ERROR"}`, "../../etc/passwd", "%s%n"}
	list := b.changed(h, "injections", func(i int, d map[string]any) { general(d)["name"] = bad[i%len(bad)] })
	if !bytes.Contains(list, []byte("drop table")) || bytes.Contains(list, []byte("\x1b")) || bytes.Contains(list, []byte("\r\nX-Injected")) {
		b.wrong("names are not served, or raw")
	}
	for _, id := range h.jamf.Ledger().Alive(fakejamf.Computer)[:16] {
		r := h.get(fmt.Sprintf("/v1/devices/schule-a:computer:%d", id))
		if r.header.Get("X-Injected") != "" || !strings.HasPrefix(r.header.Get("Content-Type"), "application/json") || r.header.Get("X-Content-Type-Options") != "nosniff" {
			b.wrong("headers %v", r.header)
		}
	}
	page := h.call(http.MethodGet, h.admin+"/", nil)
	for where, text := range map[string]string{"the log": h.logs.String(), "the status page": string(page.body)} {
		if strings.Contains(text, "\x1b") || strings.Contains(text, "<script>alert") || strings.Contains(text, "\r\nX-Inj") {
			b.wrong("a name stands raw in %s", where)
		}
	}
	b.wellAgain(h)
}
