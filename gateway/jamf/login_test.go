package jamf_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"jamf-gateway/gateway/jamf"
)

// keyring is a Jamf that takes one secret of each API client, and nothing else.
type keyring struct {
	mu     sync.Mutex
	good   map[string]string // client id -> its secret
	asked  map[string]int    // client id -> calls of the token endpoint
	tokens int
	calls  int
	api    func(w http.ResponseWriter, n int) // nil = a page
}

func (k *keyring) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !strings.HasSuffix(r.URL.Path, "/oauth/token") {
		if k.calls++; k.api != nil {
			k.api(w, k.calls)
			return
		}
		givePage(w, 1)
		return
	}
	id := r.PostFormValue("client_id")
	if k.asked == nil {
		k.asked = map[string]int{}
	}
	k.asked[id]++
	if want := k.good[id]; want == "" || r.PostFormValue("client_secret") != want {
		giveJSON(w, 401, `{"error":"invalid_client"}`)
		return
	}
	k.tokens++
	giveToken(w, k.tokens, 60)
}

func (k *keyring) rotate(id, secret string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.good[id] = secret
}

func (k *keyring) count(id string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.asked[id]
}

// held is a secret as the settings' side keeps it: what a file holds is taken over when somebody looks.
type held struct {
	mu           sync.Mutex
	current, was string // was = what the file holds
}

func (h *held) secret() string { h.mu.Lock(); defer h.mu.Unlock(); return h.current }
func (h *held) reread()        { h.mu.Lock(); defer h.mu.Unlock(); h.current = h.was }
func (h *held) write(s string) { h.mu.Lock(); defer h.mu.Unlock(); h.was = s }

func TestASecretThatWasChangedIsReadAnewInTheCallThatIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keyring{good: map[string]string{"client-1": "CANARY-1"}}
		h := &held{current: "CANARY-1", was: "CANARY-1"}
		r := connect(t, k, fast, func(o *jamf.SourceOptions) { o.ClientSecret, o.Reread = h.secret, h.reread })
		w := r.src.NewWalk()
		for i := range 4 { // in mid-walk
			if i == 2 {
				k.rotate("client-1", "CANARY-2")
				h.write("CANARY-2")
			}
			if _, err := page(t, w, jamf.MobilePlain); err != nil {
				t.Fatalf("page %d: %v", i, err)
			}
			time.Sleep(2 * time.Minute)
		}
		if n := k.count("client-1"); n != 5 {
			t.Errorf("%d calls of the token endpoint, want 4 tokens and one refusal", n)
		}
		if st := r.src.Status(); st.Token == "auth_failed" {
			t.Errorf("status %+v", st)
		}
	})
}

func TestAChangedSecretIsTriedAtOnceAfterAuthFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keyring{good: map[string]string{"client-1": "CANARY-2"}}
		h := &held{current: "CANARY-1", was: "CANARY-1"}
		r := connect(t, k, fast, func(o *jamf.SourceOptions) { o.ClientSecret, o.Reread = h.secret, h.reread })
		w := r.src.NewWalk()
		for range 10 {
			_, err := page(t, w, jamf.MobilePlain)
			must(t, err, jamf.ErrAuthFailed, "auth_failed")
		}
		if n := k.count("client-1"); n != 3 || r.src.Status().Token != "auth_failed" {
			t.Fatalf("%d calls of the token endpoint, state %q", n, r.src.Status().Token)
		}
		h.write("CANARY-2")
		if _, err := page(t, w, jamf.MobilePlain); err == nil {
			t.Error("nobody has looked at the file: the pause must hold")
		}
		h.reread()
		r.src.SecretChanged()
		if _, err := page(t, w, jamf.MobilePlain); err != nil {
			t.Errorf("after the change: %v", err)
		}
		if st := r.src.Status().Token; st != "valid" {
			t.Errorf("state %q", st)
		}
	})
}

func TestAChangedSecretIsProvedWhileTheTokenBeforeIsStillGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keyring{good: map[string]string{"client-1": "CANARY-1"}}
		h := &held{current: "CANARY-1", was: "CANARY-1"}
		r := connect(t, k, fast, func(o *jamf.SourceOptions) { o.ClientSecret, o.Reread = h.secret, h.reread })
		w := r.src.NewWalk()
		if _, err := page(t, w, jamf.MobilePlain); err != nil {
			t.Fatal(err)
		}
		h.write("CANARY-typo")
		h.reread()
		r.src.SecretChanged()
		for range 2 {
			if _, err := page(t, w, jamf.MobilePlain); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if n := k.count("client-1"); n < 2 || !strings.Contains(r.logs.String(), "renew access token: the old one is still used") {
			t.Errorf("%d calls of the token endpoint; log: %s", n, r.logs)
		}
	})
}
