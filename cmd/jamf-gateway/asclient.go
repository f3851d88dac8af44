package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway"
	"jamf-gateway/gateway/catalogue"
	"jamf-gateway/gateway/server"
	"jamf-gateway/gateway/visitor"
)

// secretVariable holds the secret of a client for --as-client. It has not the prefix of the settings, which know no such value.
const secretVariable = "GATEWAY_CLIENT_SECRET"

// visit goes in through public_url as a client, once for each source that it may see. It needs neither Jamf nor its secret.
func (c checkCommand) visit(ctx context.Context, s streams) error {
	settings, err := config.LoadOutline(c.Config, s.env)
	if err != nil {
		return usageError{err}
	}
	if settings.PublicURL == "" {
		e, _ := catalogue.Lookup("public_url_missing")
		return usageError{spoken(text{c.Config + ": " + e.Cause.EN + " " + e.Action.EN, c.Config + ": " + e.Cause.DE + " " + e.Action.DE})}
	}
	client, err := c.client(settings)
	if err != nil {
		return usageError{err}
	}
	roots, err := readRoots(c.CAFile)
	if err != nil {
		return usageError{err}
	}
	if client.Endpoints != nil && !slices.Contains(client.Endpoints, config.EndpointFacade) {
		return usageError{spoken(text{
			"client %s may not use Jamf's API (endpoints), which a visit asks", "Client %s darf die Jamf-API nicht benutzen (endpoints), die ein Besuch fragt",
		}, client.ID)}
	}
	sources := c.visible(settings, client)
	if len(sources) == 0 {
		return usageError{spoken(text{
			"client %s sees no such active source in %s", "Client %s sieht keine solche aktive Quelle in %s",
		}, client.ID, c.Config)}
	}
	secret, err := s.secret(c.ClientSecretFile, secretVariable, text{"Client Secret of " + client.ID + ": ", "Client Secret von " + client.ID + ": "},
		text{
			"the client's secret is needed: --client-secret-file FILE (- for standard input), the variable " + secretVariable + ", or a terminal to ask at",
			"das Secret des Clients fehlt: --client-secret-file DATEI (- für die Standardeingabe), die Variable " + secretVariable + " oder ein Terminal zum Fragen",
		})
	if err != nil {
		return usageError{err}
	}
	hash, elsewhere := config.HashSecret(secret), slices.Contains(client.Secrets, [32]byte{}) // a secret that this machine may not read
	if ends := client.Terms[hash].Expires; !ends.IsZero() && !time.Now().Before(ends) {
		e, _ := catalogue.Lookup("client_secret_expired")
		return spoken(text{e.Cause.EN + " " + e.Action.EN + " [" + e.Code + "]", e.Cause.DE + " " + e.Action.DE + " [" + e.Code + "]"})
	}
	if !elsewhere && !slices.Contains(client.Secrets, hash) {
		code := "client_secret_wrong"
		if config.Mistyped(secret) {
			code = "client_secret_mistyped"
		}
		e, _ := catalogue.Lookup(code)
		return spoken(text{e.Cause.EN + " " + e.Action.EN + " [" + e.Code + "]", e.Cause.DE + " " + e.Action.DE + " [" + e.Code + "]"})
	}
	var reports []server.TestReport
	for _, src := range sources {
		reports = append(reports, visited(src.Name, visitor.Visit(ctx, visitor.Options{
			PublicURL: settings.PublicURL, API: gateway.APIAddress(settings, src), ClientID: client.ID, ClientSecret: secret,
			Mobile: slices.Contains(src.Kinds, "mobile"), Computers: slices.Contains(src.Kinds, "computer"), UserAgent: "jamf-gateway-check/" + version, Roots: roots,
		}), s))
	}
	return checked{file: c.Config, settings: settings, reports: reports, client: client.ID}.print(s, c.JSON)
}

// visible are the active sources that a client sees, with the kinds that it is shown.
func (c checkCommand) visible(settings *config.Config, client config.Client) (sources []config.Source) {
	for _, src := range settings.Sources {
		visible := client.Sources == nil || slices.Contains(client.Sources, src.Name)
		if client.Kinds != nil {
			src.Kinds = slices.DeleteFunc(slices.Clone(src.Kinds), func(k string) bool { return !slices.Contains(client.Kinds, k) })
		}
		if visible && len(src.Kinds) > 0 && !src.Disabled && (c.Source == "" || c.Source == src.Name) {
			sources = append(sources, src)
		}
	}
	return sources
}

// client is the one that was named, or the only one.
func (c checkCommand) client(settings *config.Config) (config.Client, error) {
	var ids []string
	for _, cl := range settings.Clients {
		if cl.ID == c.Client || (c.Client == "" && len(settings.Clients) == 1) {
			return cl, nil
		}
		ids = append(ids, cl.ID)
	}
	if c.Client == "" {
		return config.Client{}, spoken(text{"name the client: --client with one of %s", "nennen Sie den Client: --client mit einem von %s"}, strings.Join(ids, ", "))
	}
	return config.Client{}, spoken(text{"there is no client %q in %s", "es gibt keinen Client %q in %s"}, c.Client, c.Config)
}

// readRoots reads the authorities to trust; nil = those of the system.
func readRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // nil roots are those of the system (crypto/tls)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--ca-file: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		return nil, spoken(text{"--ca-file: %s holds no certificate", "--ca-file: %s enthält kein Zertifikat"}, file)
	}
	return roots, nil
}

// visited is a visit in the shape of a connection test.
func visited(source string, r visitor.Report, s streams) server.TestReport {
	out := server.TestReport{OK: r.OK, Source: source, StartedAt: r.Started.UTC(), RightsPresent: []string{}, RightsMissing: []string{}, RightsSurplus: []string{}, Computers: r.Computers, MobileDevices: r.MobileDevices}
	for _, step := range r.Steps {
		st := server.TestStep{
			Name: step.Name, Result: step.Result, Code: step.Code, Detail: text{step.Detail.EN, step.Detail.DE}.in(s.lang),
			LatencyMS: float64(step.Latency.Microseconds()) / 1000,
		}
		if e, ok := catalogue.Lookup(step.Code); ok {
			st.Action = e.Action.In(s.lang)
		}
		out.Steps = append(out.Steps, st)
	}
	return out
}
