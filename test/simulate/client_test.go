package simulate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// client reads through the doors, as an asset system does, and holds what it gets against the oracle.
type client struct {
	w     *world
	name  string
	id    string
	rng   *rand.Rand
	http  *http.Client
	began time.Time // of the run
	step  int64     // how far the clock was off when it got its token
	ends  time.Time // when the token ends that it got
}

// live goes on until the life is over.
func (c *client) live(ctx context.Context) {
	for rest(ctx, time.Duration(c.rng.Int64N(int64(c.w.plan.interval/2)))+time.Minute) {
		u := c.w.upstreams[c.rng.IntN(len(c.w.upstreams))]
		k := kinds()[c.rng.IntN(2)]
		q := cache.Series{Source: u.name, Kind: k}
		c.began = time.Now()
		what := c.rng.IntN(4)
		var end string
		switch what {
		case 0, 1:
			end = c.walkFacade(ctx, q)
		case 2:
			end = c.walkDevices(ctx, q)
		default:
			end = c.one(ctx, q)
		}
		c.w.log.note(c.name, "%d %s %s: %s", what, q.Source, q.Kind, end)
		c.w.log.count("client runs", 1)
		c.w.log.count("client: "+strings.SplitN(end, " ", 2)[0], 1)
	}
}

func (c *client) wrong(format string, args ...any) { c.w.log.wrong(c.name, format, args...) }

// reply is one answer; status 0: there was none, because the gateway was away.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (c *client) send(ctx context.Context, method, path, token string, form url.Values) reply {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+publicDoor+path, strings.NewReader(form.Encode()))
	if err != nil {
		panic(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return reply{}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return reply{}
	}
	c.w.log.count("client requests", 1)
	if age := resp.Header.Get("Age"); age != "" {
		if n, err := strconv.ParseInt(age, 10, 64); err != nil || n < 0 {
			c.wrong("%s has Age %q", path, age)
		}
	}
	if resp.StatusCode >= http.StatusInternalServerError && resp.StatusCode != http.StatusServiceUnavailable {
		c.wrong("%s answers %d %.200s", path, resp.StatusCode, body)
	}
	return reply{resp.StatusCode, resp.Header, body}
}

func (c *client) token(ctx context.Context) string {
	r := c.send(ctx, http.MethodPost, "/oauth/token", "", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {c.id}, "client_secret": {secret},
	})
	var t struct {
		Token   string `json:"access_token"`
		Seconds int    `json:"expires_in"`
	}
	if r.status == 0 {
		return ""
	}
	if json.Unmarshal(r.body, &t) != nil || t.Token == "" || t.Seconds < 60 {
		c.wrong("no token: %d %.200s", r.status, r.body)
	}
	c.step, c.ends = c.w.step.Load(), time.Now().Add(time.Duration(t.Seconds)*time.Second)
	return t.Token
}

// codes of a 503 that an answer names.
func (r reply) code() string {
	for _, code := range []string{"never_synced", "stale_limit", "not_fresh", "list_expired", "cursor_expired", "store_lost", "store_corrupt"} {
		if strings.Contains(string(r.body), code) {
			return code
		}
	}
	return fmt.Sprintf("%.120s", r.body)
}

// refused holds an answer that is no 200 against what is known of the series.
func (c *client) refused(q cache.Series, r reply, path string) string {
	if r.status == http.StatusUnauthorized && c.w.step.Load() != c.step {
		return "token of another day" // the clock has jumped since: it has ended, or would live for a year
	}
	if r.status == http.StatusUnauthorized && !time.Now().Before(c.ends) {
		return "token of before" // the run took longer than it lived
	}
	code := r.code()
	k := c.w.oracle.knows(q)
	age := c.w.now().Sub(k.asOf)
	good := false
	switch code {
	case "never_synced":
		good = k.newest == 0
	case "stale_limit":
		good = k.newest > 0 && !k.held && c.w.oracle.mayBeTooOld(q)
	case "not_fresh":
		good = c.id == "strict" && (k.newest == 0 || !k.surelyFresh)
	case "list_expired", "cursor_expired":
		good = time.Since(c.began) > 2*time.Hour
	}
	if !good {
		c.wrong("%s: %d %s after %v; known is %+v, age %v", path, r.status, code, time.Since(c.began), k, age)
	}
	if code != "list_expired" && code != "cursor_expired" && r.header.Get("Retry-After") == "" {
		c.wrong("%s: %s without Retry-After", path, code)
	}
	return code
}

// walkFacade reads a list in Jamf's shape from the first page to the last.
func (c *client) walkFacade(ctx context.Context, q cache.Series) string {
	token := c.token(ctx)
	if token == "" {
		return "away"
	}
	path := "/jamf/" + q.Source + "/api/v4/computers-inventory?section=GENERAL&section=HARDWARE&sort=id:asc"
	if q.Kind == device.Mobile {
		path = "/jamf/" + q.Source + "/api/v2/mobile-devices/detail?section=GENERAL&section=HARDWARE&sort=mobileDeviceId:asc"
	}
	size := 5 + c.rng.IntN(80)
	rows, total, begun := map[int64]row{}, -1, c.w.oracle.candidates(q)
	for page := 0; ; page++ {
		r := c.send(ctx, http.MethodGet, path+fmt.Sprintf("&page=%d&page-size=%d", page, size), token, nil)
		if r.status != http.StatusOK {
			if r.status == 0 {
				return "away"
			}
			return c.refused(q, r, path)
		}
		var l struct {
			Total   int              `json:"totalCount"`
			Results []map[string]any `json:"results"`
		}
		if err := json.Unmarshal(r.body, &l); err != nil {
			c.wrong("page %d: %v", page, err)
			return "broken"
		}
		if total >= 0 && l.Total != total {
			c.wrong("page %d counts %d, the one before %d", page, l.Total, total)
		}
		total = l.Total
		c.answered(q, r.header.Get("X-Jamf-Gateway-State"))
		for _, tree := range l.Results {
			id, _ := strconv.ParseInt(fmt.Sprint(or(tree["id"], tree["mobileDeviceId"])), 10, 64)
			if _, twice := rows[id]; twice {
				c.wrong("device %d of %s comes twice in one run", id, q.Kind)
			}
			rows[id] = rowOf("", tree)
		}
		if (page+1)*size >= total {
			break
		}
		if !rest(ctx, c.pause()) {
			return "away"
		}
	}
	return c.matches(q, rows, begun)
}

func or(a, b any) any {
	if a != nil {
		return a
	}
	return b
}

// pause lies between two pages.
func (c *client) pause() time.Duration {
	if c.rng.IntN(12) == 0 {
		return time.Duration(c.rng.Int64N(int64(40 * time.Minute)))
	}
	return time.Duration(c.rng.Int64N(int64(time.Minute)))
}

// matches: the run is one published generation, that was served when it began or is remembered from a run before.
func (c *client) matches(q cache.Series, rows map[int64]row, begun []*snapshot) string {
	for _, s := range begun {
		if len(s.rows) != len(rows) {
			continue
		}
		equal := true
		for id, have := range s.rows {
			got, there := rows[id]
			equal = equal && there && got.name == have.name && got.serial == have.serial
		}
		if equal {
			return fmt.Sprintf("whole %d of generation %d", len(rows), s.number)
		}
	}
	var known []string
	for _, s := range begun {
		known = append(known, fmt.Sprintf("%d: %d", s.number, len(s.rows)))
	}
	c.wrong("a run over %s gives %d devices, which are no generation of then (%s)", q.Kind, len(rows), strings.Join(known, ", "))
	return "mixed"
}

// walkDevices reads the normalized list by its cursor.
func (c *client) walkDevices(ctx context.Context, q cache.Series) string {
	token := c.token(ctx)
	if token == "" {
		return "away"
	}
	path := fmt.Sprintf("/v1/devices?source=%s&kind=%s&limit=%d", q.Source, q.Kind, 5+c.rng.IntN(80))
	rows, begun, cursor, generation := map[int64]row{}, c.w.oracle.candidates(q), "", uint64(0)
	for {
		r := c.send(ctx, http.MethodGet, path+cursor, token, nil)
		if r.status != http.StatusOK {
			if r.status == 0 {
				return "away"
			}
			return c.refused(q, r, path)
		}
		var l deviceList
		if err := json.Unmarshal(r.body, &l); err != nil || len(l.Sources) != 1 || !l.Complete {
			c.wrong("%s: %v, complete %t, %d sources", path, err, l.Complete, len(l.Sources))
			return "broken"
		}
		s := l.Sources[0]
		if generation != 0 && s.Generation != generation {
			c.wrong("a run by cursor goes from generation %d to %d", generation, s.Generation)
		}
		generation = s.Generation
		c.answered(q, s.State)
		if l.Stale != (s.State != "fresh") || l.Stale && s.Reason == "" {
			c.wrong("%s: stale %t with state %q, reason %q", path, l.Stale, s.State, s.Reason)
		}
		for _, item := range l.Items {
			rows[item.id()] = row{name: item.Identity.Name, serial: item.Identity.SerialNumber}
		}
		if l.Next == "" {
			break
		}
		cursor = "&cursor=" + url.QueryEscape(l.Next)
		if !rest(ctx, c.pause()) {
			return "away"
		}
	}
	for _, s := range begun {
		if s.number == generation && len(s.rows) == len(rows) {
			return fmt.Sprintf("whole %d of generation %d", len(rows), generation)
		}
	}
	c.wrong("a run by cursor gives %d devices of generation %d", len(rows), generation)
	return "mixed"
}

type deviceList struct {
	Complete, Stale bool
	Sources         []struct {
		State, Reason string
		Generation    uint64
	}
	Items []deviceItem
	Next  string `json:"nextCursor"`
}

type deviceItem struct {
	UID      string
	Identity struct{ JamfID, Name, SerialNumber string }
}

func (d deviceItem) id() int64 {
	n, _ := strconv.ParseInt(d.UID[strings.LastIndexByte(d.UID, ':')+1:], 10, 64)
	return n
}

// answered holds the state that an answer tells against what the last sync was.
func (c *client) answered(q cache.Series, state string) {
	k := c.w.oracle.knows(q)
	told := "fresh"
	if state != "" && !strings.HasPrefix(state, "fresh") {
		told = "stale"
	}
	switch {
	case k.newest == 0:
		c.wrong("%s %s was never read and is answered", q.Source, q.Kind)
	case told == "fresh" && k.surelyStale, told == "stale" && k.surelyFresh:
		c.wrong("%s %s is told to be %q; known is %+v", q.Source, q.Kind, state, k)
	case c.id == "strict" && k.surelyStale:
		c.wrong("%s %s is stale and answered to who wants fresh data only; known is %+v", q.Source, q.Kind, k)
	case c.w.now().Sub(k.asOf) > c.w.plan.maxStale+time.Minute && !k.held:
		c.wrong("%s %s is older than max_stale and answered", q.Source, q.Kind)
	}
}

// one asks for a device that is there and for one that is not.
func (c *client) one(ctx context.Context, q cache.Series) string {
	token := c.token(ctx)
	if token == "" {
		return "away"
	}
	begun := c.w.oracle.candidates(q)
	var some int64
	if n := len(begun); n > 0 {
		some = anyOf(begun[n-1].rows, c.rng)
	}
	if some > 0 {
		path := fmt.Sprintf("/v1/devices/%s:%s:%d", q.Source, q.Kind, some)
		r := c.send(ctx, http.MethodGet, path, token, nil)
		if r.status != 0 && r.status != http.StatusOK && allHave(begun, some) {
			return c.refused(q, r, path)
		}
	}
	path := fmt.Sprintf("/v1/devices/%s:%s:%d", q.Source, q.Kind, 900_000_000)
	r := c.send(ctx, http.MethodGet, path, token, nil)
	k := c.w.oracle.knows(q)
	switch {
	case r.status == 0:
		return "away"
	case r.status == http.StatusNotFound && k.surelyStale, r.status == http.StatusNotFound && k.newest == 0, r.status == http.StatusOK:
		c.wrong("%s: %d; known is %+v", path, r.status, k)
	case r.status == http.StatusServiceUnavailable && k.surelyFresh:
		c.wrong("%s: %d %s; known is %+v", path, r.status, r.code(), k)
	}
	return fmt.Sprintf("one %d", r.status)
}
