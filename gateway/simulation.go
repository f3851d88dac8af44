package gateway

import (
	"context"
	"math/rand/v2"
	"time"
)

// Simulation stands in for what a simulation decides by itself, so that the same seed lives the same life. The zero value is
// chance, and calls that go side by side.
type Simulation struct {
	Jitter func(most time.Duration) time.Duration                           // in [0, most)
	Turn   func(ctx context.Context, source, question string) (done func()) // before each attempt towards Jamf
}

func (s Simulation) jitter(most time.Duration) time.Duration {
	if s.Jitter == nil {
		return rand.N(most) //nolint:gosec // jitter needs no secrecy
	}
	return s.Jitter(most)
}

func (s Simulation) turnOf(source string) func(ctx context.Context, question string) (done func()) {
	if s.Turn == nil {
		return nil
	}
	return func(ctx context.Context, question string) (done func()) { return s.Turn(ctx, source, question) }
}
