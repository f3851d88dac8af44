package jamf_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"jamf-gateway/gateway/jamf"
)

func TestAHostileServerCannotFillTheCookieJar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{api: func(w http.ResponseWriter, _ *http.Request, n int) {
			http.SetCookie(w, &http.Cookie{Name: "jpro-ingress", Value: fmt.Sprint(n), Path: "/"})
			http.SetCookie(w, &http.Cookie{Name: "huge", Value: strings.Repeat("x", 5<<10), Path: "/"})
			for i := range 30 {
				http.SetCookie(w, &http.Cookie{Name: fmt.Sprintf("c%d-%d", n, i), Value: "x", Path: "/"})
			}
			givePage(w, 1)
		}}
		w := connect(t, u, fast, nil).src.NewWalk()
		for range 3 {
			if _, err := page(t, w, jamf.MobileDetail); err != nil {
				t.Fatal(err)
			}
		}
		var sent []string
		for _, s := range u.requests() {
			if c := s.header.Get("Cookie"); c != "" {
				sent = append(sent, c)
			}
		}
		if len(sent) != 2 {
			t.Fatalf("cookies were sent %d times", len(sent))
		}
		for i, c := range sent {
			if n := strings.Count(c, "="); n != 20 || len(c) > 4<<10 {
				t.Errorf("%d cookies in %d bytes", n, len(c))
			}
			if !strings.Contains(c, fmt.Sprintf("jpro-ingress=%d", i+1)) {
				t.Errorf("the cookie of the node is not the newest one: %s", c)
			}
		}
	})
}
