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

// Remove is what the admin door does of a source.
func (g *Gateway) Remove(ctx context.Context, source string) (server.Removed, error) {
	return g.remove(ctx, source)
}

// CloseRetired closes the clients of Jamf that nothing uses any more.
func (g *Gateway) CloseRetired() { g.closeRetired(false) }

// Audit is where acts are written down.
func (g *Gateway) Audit() *audit.Log { return g.audit }
