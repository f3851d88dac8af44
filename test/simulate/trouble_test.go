package simulate_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// trouble is one thing that goes wrong with some of the calls, while it lasts.
type trouble struct {
	name string
	p    float64
}

// The vocabulary, after groups A and B of the matrix. These strike any call.
const (
	tooMany      = "429"
	tooManyOdd   = "429 odd" // Retry-After as a date, in the past, in ten years, as garbage, or none
	sick500      = "500"
	sick502      = "502"
	sick503      = "503"
	sick504      = "504"
	html200      = "html with 200"
	reset        = "reset"
	hang         = "hang"
	truncated    = "truncated"
	tokenRefused = "token refused"
	slow         = "slow" // ten times the latency
)

// These strike pages.
const (
	page500     = "page 500"
	emptyObject = "{}"
	bareNull    = "null"
	nullResults = "results null"
	wrongCase   = "Results"
	falseEmpty  = "false empty"
	totalHigh   = "total high"
	totalLow    = "total low"
	totalGone   = "total missing"
	totalOdd    = "total odd"
	doubled     = "row doubled"
	lostRow     = "row lost"
	unsorted    = "unsorted"
	shortPage   = "short page"
	blankAll    = "blank section"
	blankSome   = "blank section of some"
	unreadable  = "undecodable"
	hiddenTail  = "tail not listed" // the last devices are known by id alone, as to an index that lags
)

func callTroubles() []string {
	return []string{tooMany, tooManyOdd, sick500, sick502, sick503, sick504, html200, reset, hang, truncated, tokenRefused, slow}
}

func pageTroubles() []string {
	return []string{
		page500, emptyObject, bareNull, nullResults, wrongCase, falseEmpty, totalHigh, totalLow, totalGone, totalOdd, doubled, lostRow,
		unsorted, shortPage, blankAll, blankSome, unreadable, hiddenTail, hiddenTail,
	}
}

// retryAfter throws what stands in Retry-After.
func retryAfter(name string, rng *rand.Rand) string {
	if name == tooMany {
		return strconv.Itoa(1 + rng.IntN(120))
	}
	odd := []string{
		time.Now().Add(time.Minute).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"), "Mon, 01 Jan 2001 00:00:00 GMT", "315360000", "soon", "-5", "",
	}
	return odd[rng.IntN(len(odd))]
}

// list is a page as it is bent.
type list struct {
	Total   json.RawMessage   `json:"totalCount,omitempty"`
	Results []json.RawMessage `json:"results"`
}

// bend makes of a good page the bad one that a trouble says.
func bend(name string, body []byte, asked url.Values, rng *rand.Rand) []byte {
	switch name {
	case emptyObject:
		return []byte("{}")
	case bareNull:
		return []byte("null")
	case nullResults:
		return bytes.Join([][]byte{[]byte(`{"totalCount":`), totalOf(body), []byte(`,"results":null}`)}, nil)
	case wrongCase:
		return bytes.Replace(body, []byte(`"results"`), []byte(`"Results"`), 1)
	case falseEmpty:
		return []byte(`{"totalCount":0,"results":[]}`)
	}
	var l list
	if json.Unmarshal(body, &l) != nil {
		return body
	}
	if bendTotal(name, &l, rng) || bendRows(name, &l, rng) || name == hiddenTail && hideTail(&l, asked) {
		out, err := json.Marshal(l)
		if err != nil {
			panic(err)
		}
		if name == unreadable { // no encoder writes that
			out = bytes.Replace(out, []byte(unfit), []byte("\xff\xfe"), 1)
		}
		return out
	}
	return body
}

// tail is how many devices hiddenTail hides.
const tail = 2

func hideTail(l *list, asked url.Values) bool {
	total, err := strconv.Atoi(string(l.Total))
	page, _ := strconv.Atoi(asked.Get("page"))
	size, _ := strconv.Atoi(asked.Get("page-size"))
	if err != nil || total <= 2*tail {
		return false
	}
	total -= tail
	l.Total = json.RawMessage(strconv.Itoa(total))
	l.Results = l.Results[:max(0, min(len(l.Results), total-page*size))]
	return true
}

// unfit marks where a record is broken.
const unfit = "broken-here"

func totalOf(body []byte) []byte {
	var l list
	_ = json.Unmarshal(body, &l)
	return l.Total
}

func bendTotal(name string, l *list, rng *rand.Rand) bool {
	n, err := strconv.Atoi(string(l.Total))
	if err != nil {
		return false
	}
	switch name {
	case totalHigh:
		n += 1 + rng.IntN(3)
	case totalLow:
		n -= 1 + rng.IntN(3)
	case totalGone:
		l.Total = nil
		return true
	case totalOdd:
		l.Total = json.RawMessage([]string{`-1`, `9223372036854775808`, `"60"`, `null`, `1e3`}[rng.IntN(5)])
		return true
	default:
		return false
	}
	l.Total = json.RawMessage(strconv.Itoa(n))
	return true
}

func bendRows(name string, l *list, rng *rand.Rand) bool {
	n := len(l.Results)
	if n == 0 {
		return false
	}
	i := rng.IntN(n)
	switch name {
	case doubled:
		l.Results = slices.Insert(l.Results, rng.IntN(n+1), l.Results[i])
	case lostRow:
		l.Results = slices.Delete(l.Results, i, i+1)
	case shortPage:
		l.Results = l.Results[:n/2]
	case unsorted:
		rng.Shuffle(n, func(a, b int) { l.Results[a], l.Results[b] = l.Results[b], l.Results[a] })
	case blankAll, blankSome:
		section := rng.IntN(100)
		for at := range l.Results {
			if name == blankAll || rng.IntN(2) == 0 {
				l.Results[at] = blank(l.Results[at], section)
			}
		}
	case unreadable:
		l.Results[i] = breakName(l.Results[i])
	default:
		return false
	}
	return true
}

// blank takes a section away from a record: the n-th of those that are no ids.
func blank(record json.RawMessage, n int) json.RawMessage {
	var sections map[string]json.RawMessage
	if json.Unmarshal(record, &sections) != nil {
		return record
	}
	var names []string
	for name, value := range sections {
		if value[0] == '{' {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return record
	}
	slices.Sort(names)
	if name := names[n%len(names)]; n%2 == 0 {
		sections[name] = json.RawMessage("null")
	} else { // Jamf's lenient lists leave it out
		delete(sections, name)
	}
	out, err := json.Marshal(sections)
	if err != nil {
		panic(err)
	}
	return out
}

// breakName gives a record a member that no strict reader takes.
func breakName(record json.RawMessage) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`%s,"simulated":"%s"}`, bytes.TrimSuffix(record, []byte("}")), unfit))
}
