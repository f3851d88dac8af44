package gateway_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
)

// A release with another mapping opens its doors at once and maps what is kept behind them, before anything is read from Jamf.
func TestAnotherMappingKeepsNoDoorShut(t *testing.T) {
	t.Parallel()
	all := []cache.Series{series("a", device.Computer), series("a", device.Mobile), series("b", device.Computer)}
	c := storedBy(t, device.MappingVersion-1, record, all...)
	c.Listen, c.Sources[1].Disabled = "127.0.0.1:0", true
	for i := range c.Sources {
		c.Sources[i].Profile = "full"
	}
	g := open(t, c)
	for _, q := range all {
		if info, _ := kept(t, g, c, q); info.Number != 1 || info.MappingVersion == device.MappingVersion {
			t.Errorf("%v was mapped before the doors are open", q)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := g.Listen(ctx); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	get := func(path string) int {
		rq, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.PublicAddr()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		rs, err := client.Do(rq)
		if err != nil {
			t.Fatal(err)
		}
		_ = rs.Body.Close()
		return rs.StatusCode
	}
	if status := get("/readyz"); status != http.StatusOK {
		t.Errorf("readyz is %d", status)
	}
	for _, q := range all {
		for mapped := false; !mapped; {
			select {
			case <-ctx.Done():
				t.Fatalf("%v is not mapped", q)
			case <-time.After(5 * time.Millisecond):
			}
			info, _ := kept(t, g, c, q)
			mapped = info.Number == 2 && info.MappingVersion == device.MappingVersion && info.Count == 3
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
