// Command load asks a gateway for devices as fast as 16 connections allow and prints how many answers a second came.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	connections = 16
	lasting     = 5 * time.Second
	spread      = 1000 // different devices that are asked for
)

func main() {
	base := flag.String("url", "http://127.0.0.1:8080", "the gateway")
	client := flag.String("client", "demo", "client id")
	secret := flag.String("secret", "demo-secret", "client secret")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *base, *client, *secret); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, base, client, secret string) error {
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}, Timeout: 30 * time.Second}
	var token struct {
		Access string `json:"access_token"`
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {client}, "client_secret": {secret}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if err := read(c, req, &token); err != nil {
		return fmt.Errorf("get a token: %w", err)
	}
	ask := func(path string, into any) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, http.NoBody)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+token.Access)
		return read(c, req, into)
	}
	var list struct {
		Items []struct {
			UID string `json:"uid"`
		} `json:"items"`
	}
	if err := ask(fmt.Sprintf("/v1/devices?limit=%d", spread), &list); err != nil {
		return fmt.Errorf("list devices: %w", err)
	}
	if len(list.Items) == 0 {
		return errors.New("the gateway lists no devices")
	}
	one := func(i int) string { return "/v1/devices/" + list.Items[i%len(list.Items)].UID }
	page := func(int) string { return "/v1/devices?limit=100" }
	for _, w := range []struct {
		name string
		path func(i int) string
	}{{"one device (1000 different ones)", one}, {"page of 100", page}} {
		rate, middle, late, err := hammer(func(i int) error { return ask(w.path(i), nil) })
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		_, _ = fmt.Fprintf(out, "%s: %.0f requests/s, p50 %v, p99 %v\n", w.name, rate, middle, late)
	}
	return nil
}

// read sends a request and reads its answer whole; into may be nil.
func read(c *http.Client, req *http.Request, into any) error {
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", req.URL.Path, resp.Status)
	}
	if into == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// hammer asks over all connections for a while. One error is an error.
func hammer(ask func(i int) error) (perSecond float64, p50, p99 time.Duration, err error) {
	var (
		mu   sync.Mutex
		took []time.Duration
		wg   sync.WaitGroup
	)
	began := time.Now()
	for w := range connections {
		wg.Go(func() {
			var mine []time.Duration
			var failed error
			for i := w; failed == nil && time.Since(began) < lasting; i += connections {
				at := time.Now()
				failed = ask(i)
				mine = append(mine, time.Since(at))
			}
			mu.Lock()
			took, err = append(took, mine...), errors.Join(err, failed)
			mu.Unlock()
		})
	}
	wg.Wait()
	if err != nil || len(took) == 0 {
		return 0, 0, 0, err
	}
	slices.Sort(took)
	return float64(len(took)) / time.Since(began).Seconds(), took[len(took)/2], took[len(took)*99/100], nil
}
