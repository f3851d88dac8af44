//go:build e2e

package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"jamf-gateway/test/fakejamf"
)

// rowBadSettings: settings that are broken in many ways, each with a storm of SIGHUP, while clients read all the time. The log names the
// line, the settings of before stay in force, and good ones are taken afterwards.
func rowBadSettings(b *board) {
	bend := &bender{next: fakejamf.New(fakejamf.Options{Computers: 200, Seed: 7, ClientID: "gw", ClientSecret: jamfSecret, Faults: rough()})}
	v := newVictim(b.T, bend, "    limits: {connections: 2, requests_per_second: 50}", "max_page_size: 10000")
	log, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = log.Close() })
	v.log = log
	v.start()
	v.synced(kindState{})
	raw, err := os.ReadFile(v.settings)
	if err != nil {
		b.Fatal(err)
	}
	good := string(raw)
	// Whatever is wrong, another client stands beside it: who got in by it would see that half of the settings was taken.
	bad := good + "  - id: late\n    secrets: [\"sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\"]\n"
	calls := bend.since(time.Time{})
	stop := v.readers(b, 4)
	storms, hups := 0, 0
	for name, c := range map[string]struct{ text, says string }{
		"an unknown setting":      {bad + "sauces: []\n", fmt.Sprintf("gateway.yaml:%d: ", strings.Count(bad, "\n")+1)},
		"no number":               {strings.Replace(bad, "kinds: [computer]", "kinds: [computer]\n    page: x", 1), fmt.Sprintf("gateway.yaml:%d: ", lineOf(bad, "kinds: [computer]")+1)},
		"no YAML":                 {strings.Replace(bad, "sources:", "sources: [", 1), "gateway.yaml:"},
		"half of the file":        {good[:strings.Index(good, "client_secret")], "gateway.yaml:"},
		"nothing":                 {"", "gateway.yaml"},
		"bytes":                   {"\x00\xff\xfe" + bad, "gateway.yaml"},
		"a source that is gone":   {strings.Replace(bad, "name: a", "name: z", 1), "is not in the settings any more"},
		"a filter that hides all": {strings.Replace(bad, "  - id: i360", "  - id: i360\n    view: {prefixes: [no-such-name]}", 1), "would take devices away"},
	} {
		from, err := log.Seek(0, 2)
		if err != nil {
			b.Fatal(err)
		}
		write(b.T, v.settings, c.text)
		storms++
		hups += v.storm(100)
		if said, ok := v.said(log.Name(), from, c.says); !ok {
			b.wrong("%s: the log does not say %q but %.600s", name, c.says, said)
		}
		if status := v.enters("late"); status != http.StatusUnauthorized {
			b.wrong("%s: a client of refused settings is answered %d", name, status)
		}
	}
	write(b.T, v.settings, bad) // which is good
	b.healed()
	hups += v.storm(100)
	for v.enters("late") != http.StatusOK {
		if time.Since(b.mended) > 10*time.Second {
			b.wrong("good settings are not taken")
			break
		}
		b.sleep(20 * time.Millisecond)
	}
	b.score.Recovered = time.Since(b.mended).Seconds()
	stop()
	if more := bend.since(time.Time{}) - calls; more > 0 {
		b.wrong("%d calls of Jamf for settings in which no source changed", more)
	}
	b.score.Expected, b.score.Served = 200, len(v.names())
	b.score.UpstreamCalls, b.score.Peak, b.score.RSSPeak = bend.since(time.Time{}), bend.peak, v.memory("VmHWM:")
	v.ended()
	b.note("%d kinds of broken settings, %d SIGHUP", storms, hups)
}

func lineOf(text, word string) int { return strings.Count(text[:strings.Index(text, word)], "\n") + 1 }

// storm sends so many SIGHUP as fast as it can.
func (v *victim) storm(n int) int {
	v.t.Helper()
	for range n {
		if err := v.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			v.t.Fatal(err)
		}
	}
	return n
}

// said waits until the last refusal in the log since from has these words; one of the storm before may come late. It gives that line.
func (v *victim) said(path string, from int64, words string) (last string, ok bool) {
	v.t.Helper()
	for deadline := time.Now().Add(15 * time.Second); ; <-time.After(20 * time.Millisecond) {
		raw, err := os.ReadFile(path)
		if err != nil {
			v.t.Fatal(err)
		}
		for line := range strings.Lines(string(raw[from:])) {
			if strings.Contains(line, "the settings were not taken") {
				last = line
			}
		}
		if ok = strings.Contains(last, words); ok || time.Now().After(deadline) {
			return last, ok
		}
	}
}

// enters is the status with which a client gets a token.
func (v *victim) enters(client string) int {
	v.t.Helper()
	rs, err := web().PostForm("http://"+v.listen+"/oauth/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {client}, "client_secret": {"secret"}})
	if err != nil {
		v.t.Fatal(err)
	}
	_ = rs.Body.Close()
	return rs.StatusCode
}

// readers reads the whole list all the time, with tokens of the first client, and counts what is not whole.
func (v *victim) readers(b *board, n int) (stop func()) {
	b.Helper()
	var over atomic.Bool
	var wg sync.WaitGroup
	for range n {
		token := v.token()
		wg.Go(func() {
			for !over.Load() {
				a, err := v.page(token, 0)
				b.said.Lock()
				b.score.Reads++
				switch {
				case err != nil || a.status != http.StatusOK:
					b.score.FailedReads++
					b.wrong("a read fails: %d, %v", a.status, err)
				case a.rows == 0:
					b.score.FalseEmpties++
				case a.rows < 200:
					b.score.ShortLists++
				}
				b.said.Unlock()
				b.sleep(5 * time.Millisecond)
			}
		})
	}
	return func() { over.Store(true); wg.Wait() }
}
