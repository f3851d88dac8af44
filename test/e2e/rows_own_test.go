package e2e_test

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway"
	"jamf-gateway/gateway/device"
)

func ownRows() map[string]play {
	return map[string]play{
		"C10": {sockets: rowCorpora},
		"E1":  {notRun: "it kills the real binary: make scoreboard and make e2e run it, with the tag e2e"},
		"E2": {sockets: func(b *board) {
			b.proven("./cache", "TestNoFailingWriteHurtsWhatIsServed|TestAFullDiskAtAnyPageOfAGenerationIsSaid|TestAStartOnAFailingDiskFailsOrWorks")
			b.proven("./gateway/syncer", "TestASyncOutlivesAnyFailingWrite")
		}},
		"E3": {simulated: rowFullDisk},
		"E4": {simulated: rowDamagedFiles},
		"E5": {simulated: rowTwoProcesses},
		"E6": {notRun: "it needs the real binary: make scoreboard and make e2e build it, with the tag e2e"},
		"E7": {simulated: rowWallClock},
		"E8": {notRun: "it needs the real binary: make scoreboard and make e2e build it, with the tag e2e"},
		"E9": {simulated: rowStoppedInASync},
		"E10": {sockets: func(b *board) {
			b.proven("./gateway/server", "TestAPanicEndsOneRequestAndTellsItsPlaceAndNoValue")
			b.proven("./gateway/syncer", "TestPanicInAWalkIsAFailedSyncAndIsBooked")
			b.proven("./cache", "TestFailedAndPanickingRenderingsAreNotKept")
		}},
		"E11": {sockets: func(b *board) {
			b.proven("./cache", "TestAFileOfAnOlderProgramHasNoNamesAndIsRead|TestANewerFormatIsLeftAlone|TestANewerManifestIsNotWrittenOver")
			b.proven("./gateway/syncer", "TestDataOfANewerVersionIsLeftAloneAndJamfIsNotAsked|TestABookOfAnOlderReleaseIsRead")
		}},
		"E12": {simulated: rowBackup},
		"E13": {simulated: rowSoak},
		"E14": {notRun: "it needs the real binary: make scoreboard and make e2e build it, with the tag e2e"},
		"E15": {notRun: "it needs the real binary: make scoreboard and make e2e build it, with the tag e2e"},
		"E16": {simulated: rowKeyFile},
	}
}

// proven runs tests of a room that prove a row, and holds that some ran and all passed.
func (b *board) proven(room, tests string) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), "go", "test", "-count=1", "-v", "-run", tests, room)
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.CombinedOutput()
	passed := len(regexp.MustCompile(`(?m)^--- PASS`).FindAll(out, -1))
	if skipped := len(regexp.MustCompile(`(?m)^--- SKIP`).FindAll(out, -1)); err != nil || passed == 0 || skipped > 0 {
		b.wrong("%s of %s: %d passed, %d skipped, %v %s", tests, room, passed, skipped, err, tail(string(out), 500))
	}
	if b.score.Note != "" {
		b.score.Note += ", "
	}
	b.score.Note += strings.TrimPrefix(room, "./") + ": " + plural(passed, "test")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// rowCorpora runs every fuzz target over its seeds. make fuzz looks for new ones.
func rowCorpora(b *board) {
	for _, room := range []string{"./config", "./gateway/rsql", "./gateway/jamf", "./gateway/server", "./gateway/device"} {
		b.proven(room, "^Fuzz")
	}
	b.score.Note += "; seeds only: make fuzz looks for new ones"
}

// rowFullDisk: every write of the store fails for three hours.
func rowFullDisk(b *board) {
	h := b.prepare(small(), nil)
	var full atomic.Bool
	h.disk = &cache.Disk{Fail: func(cache.Op, string) error {
		if full.Load() {
			return syscall.ENOSPC
		}
		return nil
	}}
	h.start()
	h.waitSynced()
	b.settled(h)
	b.watch(h)
	before := h.generation(device.Computer).Number
	full.Store(true)
	b.nextSync(h)
	b.failed(h, "a full disk", "store_full", "store_error")
	b.sleep(2 * time.Hour)
	if n := h.generation(device.Computer).Number; n != before {
		b.wrong("generation %d was published on a full disk", n)
	}
	full.Store(false)
	b.healed()
	b.recovered(h, 61*time.Minute)
	b.judge(h)
}

// rowDamagedFiles harms the newest file while the gateway is down and Jamf is away: the generation before serves, marked stale.
func rowDamagedFiles(b *board) {
	for name, harm := range map[string]func(path string) error{
		"a byte": func(p string) error {
			data, err := os.ReadFile(p)
			if err == nil {
				data[len(data)/2] ^= 1
				err = os.WriteFile(p, data, 0o600)
			}
			return err
		},
		"a page of zeros": func(p string) error {
			data, err := os.ReadFile(p)
			if err == nil {
				clear(data[8192:16384])
				err = os.WriteFile(p, data, 0o600)
			}
			return err
		},
		"truncated": func(p string) error { return os.Truncate(p, 8192) },
		"0 bytes":   func(p string) error { return os.Truncate(p, 0) },
		"garbage":   func(p string) error { return os.WriteFile(p, []byte(strings.Repeat("garbage", 5000)), 0o600) },
		"deleted":   os.Remove,
		"the other kind's": func(p string) error {
			data, err := os.ReadFile(strings.Replace(p, "/computer/", "/mobile/", 1))
			if err == nil {
				err = os.WriteFile(p, data, 0o600)
			}
			return err
		},
	} {
		h := b.open(small(), nil)
		h.syncNow()
		b.unwatch()
		h.stop()
		files, err := filepath.Glob(filepath.Join(h.settings.DataDir, "schule-a", "computer", "*.sqlite"))
		if err != nil || len(files) < 2 {
			b.Fatalf("files %v, %v", files, err)
		}
		slices.Sort(files)
		if err := harm(files[len(files)-1]); err != nil {
			b.Fatal(err)
		}
		h.jamf.Down(true)
		h.start()
		b.watch(h)
		b.sleep(30 * time.Minute)
		if k := h.gateway.Status()[0].Kinds[0]; k.State != "stale" {
			b.wrong("%s: the generation before is %s", name, k.State)
		}
		h.jamf.Down(false)
		b.healed()
		b.recovered(h, 2*time.Hour)
		b.judge(h)
		b.unwatch()
		h.stop()
	}
	b.note("7 harms to the newest file, Jamf away")
	b.baseline.goroutines = 0 // of houses that are gone
}

func rowTwoProcesses(b *board) {
	h := b.open(small(), nil)
	began := time.Now()
	g, err := gateway.New(b.Context(), gateway.Options{Config: h.settings, Dial: b.net.Dial, Listen: b.net.Listen})
	if err == nil {
		_ = g.Close()
		b.wrong("a second gateway opened the data directory")
	}
	if took := time.Since(began); took > 2*time.Second {
		b.wrong("the second one was refused after %v", took)
	}
	b.judge(h)
}

// rowWallClock: the clock of the gateway steps by a year and back; a day has as many syncs as ever, and no age is negative.
func rowWallClock(b *board) {
	steps := &calendar{}
	h := b.prepare(small(), nil)
	h.settings.Sources[0].Heartbeat = 0
	h.settings.Sources[0].Sync.Interval = 24 * time.Hour
	h.now = steps.now
	h.start()
	h.waitSynced()
	b.settled(h)
	b.every.Store(int64(10 * time.Minute))
	b.watch(h)
	b.sleep(time.Hour)
	for _, step := range []time.Duration{0, 365 * 24 * time.Hour, -365 * 24 * time.Hour, -400 * 24 * time.Hour, 400 * 24 * time.Hour, time.Hour, -time.Hour} {
		before := h.generation(device.Computer).Number
		b.failures = step > 300*24*time.Hour // older than max_stale until it is read again
		steps.pass(step)
		b.sleep(48 * time.Hour)
		b.failures = false
		if n := h.generation(device.Computer).Number - before; n < 1 || n > 3 {
			b.wrong("after a step of %v: %d syncs in two days", step, n)
		}
		r := h.get("/api/v4/computers-inventory")
		if strings.HasPrefix(r.header.Get("Age"), "-") || r.status != http.StatusOK {
			b.wrong("after a step of %v: %d, Age %s", step, r.status, r.header.Get("Age"))
		}
	}
	b.healed()
	b.recovered(h, time.Hour)
	b.judge(h)
}

// rowStoppedInASync: the gateway ends while a sync and 100 readers are under way: an answer is whole or none.
func rowStoppedInASync(b *board) {
	b.failures = true
	h := b.open(small(), nil)
	f := rough()
	f.MaxLatency = 2 * time.Second
	h.jamf.SetFaults(f)
	for range 5 {
		before := h.generation(device.Computer).Number
		h.call(http.MethodPost, h.admin+"/v1/admin/sources/schule-a/sync", nil)
		b.sleep(time.Second)
		var wg sync.WaitGroup
		for i := range 100 { // some are done before the end, some while the doors drain, some never
			wg.Go(func() {
				(&reader{b: b, h: h, pace: []time.Duration{0, 10, 100, 1000}[i%4] * time.Millisecond}).read(b.Context(), i/4)
			})
		}
		b.sleep(20 * time.Millisecond)
		began := time.Now()
		h.stop()
		if took := time.Since(began); took > 25*time.Second {
			b.wrong("the end took %v", took)
		}
		wg.Wait()
		h.start()
		if n := h.generation(device.Computer).Number; n < before || n > before+1 {
			b.wrong("generation %d after %d", n, before)
		}
	}
	b.judge(h)
}

func rowBackup(b *board) {
	h := b.open(small(), nil)
	f := rough()
	f.MaxLatency = time.Second
	h.jamf.SetFaults(f)
	h.call(http.MethodPost, h.admin+"/v1/admin/sources/schule-a/sync", nil)
	b.sleep(time.Second) // while a sync runs
	copied := b.TempDir()
	if err := os.CopyFS(copied, os.DirFS(filepath.Dir(h.settings.DataDir))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		b.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(copied, "gateway.key"), 0o600); err != nil {
		b.Fatal(err)
	}
	token := h.token()
	b.unwatch()
	h.stop()
	h.settings.DataDir, h.settings.KeyFile = filepath.Join(copied, "data"), filepath.Join(copied, "gateway.key")
	h.jamf.Down(true)
	h.start()
	b.watch(h)
	if r := h.call(http.MethodGet, "/v1/devices?limit=1000", nil, "Authorization", "Bearer "+token); r.status != http.StatusOK {
		b.wrong("the copy does not know a token of before: %d", r.status)
	}
	b.sleep(10 * time.Minute)
	h.jamf.Down(false)
	b.healed()
	b.recovered(h, 2*time.Hour)
	b.judge(h)
}

// rowSoak: a day of hourly syncs of a Jamf that fails and flaps.
func rowSoak(b *board) {
	b.every.Store(int64(2 * time.Minute))
	h := b.open(small(), nil)
	for range 4 { // as many generations as are kept
		b.nextSync(h)
	}
	b.settled(h)
	var memory []int
	for hour := range 24 {
		if hour%6 == 3 {
			b.net.breakTo(h.address(), refuse)
			b.sleep(20 * time.Minute)
			b.net.breakTo(h.address(), nil)
		}
		b.sleep(time.Hour)
		memory = append(memory, heapNow())
	}
	b.note("heap after 1 h %d MiB, 12 h %d MiB, 24 h %d MiB, with the traces of the test", memory[0], memory[11], memory[23])
	b.healed()
	b.recovered(h, 2*time.Hour)
	b.judge(h)
}

// heapNow is what lives on the heap, in MiB.
func heapNow() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc >> 20)
}

// rowKeyFile: the key of the tokens is damaged, another one, or gone: a refusal to start or new tokens, never other data.
func rowKeyFile(b *board) {
	h := b.open(small(), nil)
	b.unwatch()
	h.stop()
	good, err := os.ReadFile(h.settings.KeyFile)
	if err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string][]byte{"empty": {}, "short": good[:len(good)/2], "garbage": []byte("no key\n")} {
		if err := os.WriteFile(h.settings.KeyFile, text, 0o600); err != nil {
			b.Fatal(err)
		}
		g, err := gateway.New(context.Background(), gateway.Options{Config: h.settings, Dial: b.net.Dial, Listen: b.net.Listen})
		if err == nil {
			_ = g.Close()
			b.wrong("%s: the gateway starts", name)
		}
		if now, rerr := os.ReadFile(h.settings.KeyFile); rerr != nil || string(now) != string(text) {
			b.wrong("%s: the key file was changed, %v", name, rerr)
		}
	}
	if err := os.Remove(h.settings.KeyFile); err != nil { // gone: a new one, and the data is as it was
		b.Fatal(err)
	}
	h.start()
	b.watch(h)
	b.sleep(time.Hour)
	b.healed()
	b.recovered(h, 2*time.Hour)
	b.judge(h)
}
