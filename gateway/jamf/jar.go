package jamf

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"sync"
)

// What a walk keeps of a server's cookies. It needs the one or two that hold it to a node of a cluster; whoever
// answers in Jamf's place must fill neither memory nor the headers of the next request.
const (
	maxCookies     = 20
	maxCookieBytes = 4 << 10
)

// jar is a cookie jar that drops what is beyond its bounds. Safe for concurrent use.
type jar struct {
	cookies *cookiejar.Jar

	mu    sync.Mutex
	known map[string]bool // domain, path and name of what was ever taken
}

func newJar() http.CookieJar {
	cookies, err := cookiejar.New(nil)
	if err != nil {
		return nil // cannot happen: New fails on its options only, and there are none
	}
	return &jar{cookies: cookies, known: map[string]bool{}}
}

// SetCookies keeps what is small enough, and no more than so many different ones.
func (j *jar) SetCookies(u *url.URL, all []*http.Cookie) {
	var kept []*http.Cookie
	j.mu.Lock()
	for _, c := range all {
		key := c.Domain + "\x00" + c.Path + "\x00" + c.Name
		if len(key)+len(c.Value) > maxCookieBytes || !j.known[key] && len(j.known) >= maxCookies {
			continue
		}
		j.known[key] = true
		kept = append(kept, c)
	}
	j.mu.Unlock()
	j.cookies.SetCookies(u, kept)
}

// Cookies are those that go with a request.
func (j *jar) Cookies(u *url.URL) []*http.Cookie { return j.cookies.Cookies(u) }
