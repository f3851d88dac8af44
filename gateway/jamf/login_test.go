package jamf_test

import (
	"cmp"
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
	life   int // of a token in seconds; 0 = 60
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
	giveToken(w, k.tokens, cmp.Or(k.life, 60))
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
		r.src.SecretChanged("client-1")
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
		r.src.SecretChanged("client-1")
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

func TestAWrongSecretIsNotTriedOverAndOverBecauseTheTokenBeforeIsStillGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keyring{good: map[string]string{"client-1": "CANARY-1"}, life: 7200}
		h := &held{current: "CANARY-1", was: "CANARY-1"}
		r := connect(t, k, fast, func(o *jamf.SourceOptions) { o.ClientSecret, o.Reread = h.secret, h.reread })
		w := r.src.NewWalk()
		ask := func() {
			if _, err := page(t, w, jamf.MobilePlain); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		ask()
		time.Sleep(time.Minute)
		h.write("CANARY-typo")
		h.reread()
		r.src.SecretChanged("client-1")
		for range 200 {
			ask()
			time.Sleep(time.Second)
		}
		if n := k.count("client-1"); n > 1+3 {
			t.Errorf("%d calls of the token endpoint in 200 s of a wrong secret, want one and at most 3 refusals", n)
		}
		if st := r.src.Status().Logins[0]; st.Refused.IsZero() || !st.Proved.IsZero() {
			t.Errorf("%+v: a page that the old token brought says nothing of the new secret", st)
		}
	})
}

// two gives a source a second API client with the secret CANARY-B.
func two(k *keyring, first *held) func(o *jamf.SourceOptions) {
	k.good = map[string]string{"client-1": "CANARY-1", "client-2": "CANARY-B"}
	return func(o *jamf.SourceOptions) {
		o.ClientSecret, o.Reread = first.secret, first.reread
		o.Second = &jamf.Login{ID: "client-2", Secret: func() string { return "CANARY-B" }}
	}
}

func TestTheSecondClientTakesOverInMidWalkAndStaysUntilItIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, h := &keyring{}, &held{current: "CANARY-1", was: "CANARY-1"}
		r := connect(t, k, fast, two(k, h))
		w := r.src.NewWalk()
		next := func(what string) {
			t.Helper()
			time.Sleep(2 * time.Minute)
			if _, err := page(t, w, jamf.MobilePlain); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}
		next("the first client")
		if k.count("client-2") != 0 {
			t.Error("the second client is asked for without need")
		}
		k.rotate("client-1", "CANARY-2")
		next("the first is refused")
		next("the second stays")
		if k.count("client-1") != 2 || k.count("client-2") != 2 {
			t.Errorf("%d and %d token calls, want 2 and 2: who is refused is not asked for each token", k.count("client-1"), k.count("client-2"))
		}
		st := r.src.Status()
		if st.Token != "valid" || len(st.Logins) != 2 || st.Logins[0].Refused.IsZero() || st.Logins[0].InUse || !st.Logins[1].InUse || !st.Logins[1].Refused.IsZero() {
			t.Errorf("status %+v", st)
		}
		h.write("CANARY-2")
		k.rotate("client-2", "other")
		next("the second is refused, and the first has its new secret")
		if st := r.src.Status(); !st.Logins[0].InUse || !st.Logins[0].Refused.IsZero() || st.Logins[1].Refused.IsZero() {
			t.Errorf("status %+v", st.Logins)
		}
		if !strings.Contains(r.logs.String(), "refused=client-1 used=client-2") {
			t.Errorf("log: %s", r.logs)
		}
	})
}

func TestTheSecondClientTakesOverWhenTokensOfTheFirstAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, h := &keyring{}, &held{current: "CANARY-1", was: "CANARY-1"}
		k.api = func(w http.ResponseWriter, _ int) {
			if k.asked["client-2"] == 0 {
				giveEnvelope(w, 401)
				return
			}
			givePage(w, 1)
		}
		r := connect(t, k, fast, two(k, h))
		w := r.src.NewWalk()
		var err error
		for range 3 {
			if _, err = page(t, w, jamf.MobilePlain); err == nil {
				break
			}
		}
		if err != nil || k.count("client-1") > 3 {
			t.Errorf("%v after %d tokens of the first client", err, k.count("client-1"))
		}
	})
}

func TestBothClientsRefusedAreAuthFailedWithinTheLimitOfEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, h := &keyring{}, &held{current: "wrong", was: "wrong"}
		r := connect(t, k, fast, two(k, h))
		k.rotate("client-2", "other")
		w := r.src.NewWalk()
		for range 90 {
			_, err := page(t, w, jamf.MobilePlain)
			must(t, err, jamf.ErrAuthFailed, "auth_failed")
			time.Sleep(10 * time.Second)
		}
		if st := r.src.Status().Token; st != "auth_failed" || k.count("client-1") > 4 || k.count("client-2") > 4 {
			t.Errorf("state %q, %d and %d calls in 15 minutes", st, k.count("client-1"), k.count("client-2"))
		}
	})
}

func TestHeartbeatsProveTheClientThatIsNotInUseOnceADayAndOneThatIsRefusedHourly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, h := &keyring{}, &held{current: "CANARY-1", was: "CANARY-1"}
		k.api = func(w http.ResponseWriter, _ int) {
			giveJSON(w, 200, `{"account":{"privileges":["Read Computers"]},"totalCount":0,"results":[]}`)
		}
		r := connect(t, k, fast, two(k, h))
		day := func() int {
			before := k.count("client-2")
			for range 24 * 12 {
				if b := r.src.Beat(t.Context(), jamf.MobilePlain); b.Err != nil {
					t.Fatal(b.Err)
				}
				time.Sleep(5 * time.Minute)
			}
			return k.count("client-2") - before
		}
		if n := day(); n != 1 {
			t.Errorf("%d proofs of the second client on a good day, want 1", n)
		}
		if st := r.src.Status().Logins; !st[1].Rights.Has("Read Computers") || st[1].Proved.IsZero() || st[1].InUse {
			t.Errorf("status %+v", st)
		}
		k.rotate("client-2", "other")
		if n := day(); n < 23 || n > 25 || r.src.Status().Logins[1].Refused.IsZero() {
			t.Errorf("%d proofs of a refused client a day, want 24; %+v", n, r.src.Status().Logins)
		}
	})
}
