package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"sync"
	"syscall"

	"jamf-gateway/config"
	"jamf-gateway/gateway"
)

type serveCommand struct {
	Config string `required:"" help:"Settings file (gateway.yaml)." placeholder:"FILE"`
}

// Run serves until a signal comes.
func (c serveCommand) Run(ctx context.Context, s streams) error {
	first, _ := digestOf(c.Config) // of a file that changes from here on, the next look tells
	settings, err := config.Load(c.Config, s.env)
	if err != nil {
		return usageError{err}
	}
	signal.Ignore(syscall.SIGPIPE) // a reader of the log that has gone costs its lines, not the process
	waiting := newBacklog(s.err)
	go waiting.run()
	defer waiting.end()
	s.err = waiting
	log := newLogger(s, settings.Telemetry.LogLevel)
	for _, w := range settings.Warnings {
		log.WarnContext(ctx, w.String())
	}
	tel, err := newTelemetry(ctx, s.env, log)
	if err != nil {
		return err
	}
	defer tel.shutdown()
	if err := waiting.publish(tel.meters); err != nil {
		return fmt.Errorf("count dropped lines: %w", err)
	}
	follow := newFollower(c.Config, first, s, log, nil)
	g, err := gateway.New(ctx, gateway.Options{
		Config: settings, Version: version, Metrics: tel.metrics, Logger: log, StartJitter: s.startJitter, Follower: follow,
		TracerProvider: tel.tracers, MeterProvider: tel.meters,
	})
	if taken, ok := errors.AsType[*gateway.InUseError](err); ok {
		return inUse(taken)
	}
	if _, wrong := errors.AsType[*config.InvalidError](err); wrong {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	if err := g.Listen(ctx); err != nil {
		return errors.Join(closedDoor(err, false), g.Close())
	}
	log.InfoContext(ctx, "jamf-gateway is running", "version", version, "listen", g.PublicAddr(), "admin_listen", g.AdminAddr(),
		"sources", len(settings.Sources), "clients", len(settings.Clients))
	follow.load, follow.unread = g.Reload, g.Unread
	follow.secretsOf(settings)
	if err := follow.publish(tel.meters); err != nil {
		return errors.Join(fmt.Errorf("count reloads: %w", err), g.Close())
	}
	following, stop := context.WithCancel(ctx)
	var followed sync.WaitGroup
	followed.Go(func() { follow.run(following) })
	err = g.Run(ctx)
	stop()
	followed.Wait()
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	log.InfoContext(context.WithoutCancel(ctx), "jamf-gateway has drained and stopped")
	return nil
}
