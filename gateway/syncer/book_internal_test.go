package syncer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"jamf-gateway/gateway/device"
)

func TestWhoAsksTheBookNeverWaitsForTheDisk(t *testing.T) {
	t.Parallel()
	b, err := openBook(nil, t.TempDir(), "a")
	if err != nil {
		t.Fatal(err)
	}
	entered, disk := make(chan struct{}), make(chan struct{})
	var written [][]byte
	b.write = func(_ string, data []byte) error {
		entered <- struct{}{}
		<-disk
		written = append(written, data)
		return nil
	}
	done := make(chan error, 2)
	for n := range 2 {
		go func() {
			done <- b.update(func(p *bookPage) { p.kindOf(device.Computer).Failures += n + 1 })
		}()
	}
	<-entered // one write hangs, the other waits for it
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		if b.kind(device.Computer).Failures == 0 {
			t.Error("the change that is being written is not seen")
		}
		b.source()
	}()
	select {
	case <-asked:
	case <-time.After(10 * time.Second):
		t.Fatal("it waits for the disk")
	}
	close(disk)
	<-entered
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	var last bookPage
	if err := json.Unmarshal(written[1], &last); err != nil || last.Kinds[device.Computer].Failures != 3 {
		t.Errorf("written last: %s, %v", written[1], err)
	}
}

func TestABookOfAnOlderReleaseIsRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := `{"format": 1, "rights": ["Read Computers"], "credentialsRefused": false, "jamfVersion": "11.20.0", "kinds": {"computer": {
		"anchor": "2026-11-20T04:00:00Z", "lastAttempt": "2026-11-23T04:00:00Z", "lastSuccess": "2026-11-22T04:00:00Z",
		"failures": 1, "lastResult": "failed", "errorCode": "timeout", "errorDetail": ""}}}`
	if err := os.WriteFile(filepath.Join(dir, "a.json"), []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := openBook(nil, dir, "a")
	if err != nil {
		t.Fatal(err)
	}
	r := b.kind(device.Computer)
	now := r.LastAttempt.Add(time.Minute)
	if due := nextDue(now, r, 24*time.Hour, "", stock{any: true}); r.Failures != 1 || due.Sub(now) != 4*time.Minute {
		t.Errorf("%+v is due in %v", r, due.Sub(now))
	}
}
