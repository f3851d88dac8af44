package gateway

import (
	"context"

	"jamf-gateway/gateway/audit"
	"jamf-gateway/gateway/server"
)

// WeighStart does of Run what tells what clients lost by a start, and tells it.
func (g *Gateway) WeighStart(ctx context.Context) []server.Warning {
	g.remap(ctx)
	g.weighStart(ctx)
	return g.warnings()
}

// Audit is where acts are written down.
func (g *Gateway) Audit() *audit.Log { return g.audit }
