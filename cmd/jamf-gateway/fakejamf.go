package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"jamf-gateway/gateway"
	"jamf-gateway/test/fakejamf"
)

// fleetFlags describe the simulated Jamf Pro of demo and fakejamf.
type fleetFlags struct {
	Computers    int    `default:"1200" help:"Simulated computers; 0 = none."`
	Mobiles      int    `default:"800" help:"Simulated mobile devices; 0 = none."`
	Seed         uint64 `default:"1" help:"The same seed makes the same fleet."`
	Faults       string `default:"calm" enum:"calm,hostile" help:"calm, or hostile: refused tokens, 500 and HTML pages, latency, a record that never renders."`
	ClientID     string `default:"demo" help:"Client id of the API client."`
	ClientSecret string `default:"demo-secret" help:"Client secret of the API client."`
}

// Validate refuses a fleet that cannot be.
func (f fleetFlags) Validate() error {
	if f.Computers < 0 || f.Mobiles < 0 {
		return errors.New("--computers and --mobiles count devices: give 0 or more")
	}
	return nil
}

func (f fleetFlags) options() fakejamf.Options {
	o := fakejamf.Options{
		Computers: orNone(f.Computers), Mobiles: orNone(f.Mobiles), Seed: f.Seed, ClientID: f.ClientID, ClientSecret: f.ClientSecret,
		Epoch: time.Now(),
	}
	if f.Faults == "hostile" {
		o = o.Hostile()
	}
	return o
}

// orNone says none as the options of fakejamf do: their 0 is a fleet of their own choice.
func orNone(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

type fakejamfCommand struct {
	Listen string `default:"127.0.0.1:8081" help:"Address of the simulated Jamf Pro."`
	fleetFlags
}

// Run serves the simulated Jamf Pro until a signal comes.
func (c fakejamfCommand) Run(ctx context.Context, s streams) error {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return closedDoor(&gateway.ListenError{Setting: "listen", Address: c.Listen, Err: err}, true)
	}
	_, _ = fmt.Fprintln(s.out, s.say(text{
		"simulated Jamf Pro at http://%s/api (%d computers, %d mobile devices, %s)", "simuliertes Jamf Pro unter http://%s/api (%d Computer, %d Mobilgeräte, %s)",
	}, ln.Addr(), c.Computers, c.Mobiles, c.Faults))
	return serveHTTP(ctx, ln, fakejamf.New(c.options()))
}

// serveHTTP serves until ctx ends, then drains.
func serveHTTP(ctx context.Context, ln net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := srv.Shutdown(drain)
	if served := <-failed; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
