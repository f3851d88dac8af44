package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway"
	"jamf-gateway/gateway/server"
)

type checkCommand struct {
	Config string `required:"" help:"Settings file (gateway.yaml)." placeholder:"FILE"`
	Source string `help:"Test only this source." placeholder:"NAME"`
	Lang   string `default:"en" enum:"en,de" help:"Language of the sentences: en or de."`
	JSON   bool   `name:"json" help:"Print the reports as JSON."`
	Livez  bool   `help:"Only ask the running gateway of this configuration for /livez (container health check)."`
}

// words are the labels of a report in one language.
type words struct {
	settingsGood, good, wanting, warning, failed, skipped, rights, missing, surplus, paste string
	steps                                                                                  map[string]string
}

func wordsIn(lang string) words {
	if lang == "de" {
		return words{
			settingsGood: "Einstellungen: in Ordnung", good: "Ergebnis: in Ordnung", wanting: "Ergebnis: Es fehlt etwas, siehe oben",
			warning: "WARNUNG", failed: "FEHLER", skipped: "entfällt", rights: "Rechte vorhanden", missing: "Rechte fehlen",
			surplus: "Rechte zu viel", paste: "URL für Inventory360", steps: map[string]string{
				"url": "URL", "dns": "DNS", "tcp": "TCP-Verbindung", "tls": "TLS", "token": "Token", "rights": "Rechte",
				"mobile_devices": "Abfrage Mobilgeräte", "computers": "Abfrage Computer", "version": "Version von Jamf Pro",
			},
		}
	}
	return words{
		settingsGood: "Settings: good", good: "Result: good", wanting: "Result: something is missing, see above",
		warning: "WARNING", failed: "FAILED", skipped: "skipped", rights: "rights present", missing: "rights missing",
		surplus: "rights too many", paste: "URL for Inventory360", steps: map[string]string{
			"url": "URL", "dns": "DNS", "tcp": "TCP connection", "tls": "TLS", "token": "token", "rights": "rights",
			"mobile_devices": "query of mobile devices", "computers": "query of computers", "version": "version of Jamf Pro",
		},
	}
}

// Run checks the settings and tests every active source. Exit code 1 when a test finds something wanting.
func (c checkCommand) Run(ctx context.Context, s streams) error {
	settings, err := config.Load(c.Config, s.env)
	if err != nil {
		return usageError{err}
	}
	if c.Livez {
		return askLivez(ctx, settings)
	}
	w := wordsIn(c.Lang)
	reports, err := gateway.Check(ctx, settings, version, c.Source, c.Lang)
	if errors.Is(err, server.ErrUnknownSource) {
		return usageError{fmt.Errorf("there is no source %q in %s", c.Source, c.Config)}
	}
	if err != nil {
		return usageError{err}
	}
	good := true
	for _, r := range reports {
		good = good && r.OK
	}
	if c.JSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		err = e.Encode(struct {
			OK       bool                `json:"ok"`
			Warnings []string            `json:"warnings"`
			Sources  []server.TestReport `json:"sources"`
		}{good, append([]string{}, settings.Warnings...), append([]server.TestReport{}, reports...)})
	} else {
		err = printReports(s.out, w, settings, reports, good)
	}
	if err == nil && !good {
		err = errFoundWanting
	}
	return err
}

func printReports(out io.Writer, w words, settings *config.Config, reports []server.TestReport, good bool) error {
	var b strings.Builder
	b.WriteString(w.settingsGood + "\n")
	for _, line := range settings.Warnings {
		fmt.Fprintf(&b, "  %s: %s\n", w.warning, line)
	}
	for _, r := range reports {
		fmt.Fprintf(&b, "\n%s\n", r.Source)
		for _, step := range r.Steps {
			result := map[string]string{"ok": "ok", "warning": w.warning, "failed": w.failed, "skipped": w.skipped}[step.Result]
			fmt.Fprintf(&b, "  %-24s %-9s %8.1f ms", w.steps[step.Name], result, step.LatencyMS)
			if step.Detail != "" {
				fmt.Fprintf(&b, "  %s", step.Detail)
			}
			b.WriteString("\n")
			if step.Action != "" && step.Result != "ok" {
				fmt.Fprintf(&b, "      [%s] %s\n", step.Code, step.Action)
			}
		}
		list := func(label string, names []string) {
			if len(names) > 0 {
				fmt.Fprintf(&b, "  %s: %s\n", label, strings.Join(names, ", "))
			}
		}
		list(w.rights, r.RightsPresent)
		list(w.missing, r.RightsMissing)
		list(w.surplus, r.RightsSurplus)
		if settings.PublicURL != "" {
			fmt.Fprintf(&b, "  %s: %s/jamf/%s/api\n", w.paste, strings.TrimSuffix(settings.PublicURL, "/"), r.Source)
		}
	}
	verdict := w.good
	if !good {
		verdict = w.wanting
	}
	_, err := fmt.Fprintf(out, "%s\n%s\n", b.String(), verdict)
	return err
}

// askLivez asks the gateway that runs with these settings on this machine whether it lives. With TLS the certificate
// must be the configured one.
func askLivez(ctx context.Context, c *config.Config) error {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return usageError{fmt.Errorf("listen: %w", err)}
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	scheme, transport := "http", &http.Transport{}
	if c.TLS.CertFile != "" {
		scheme = "https"
		if transport.TLSClientConfig, err = pinned(c.TLS.CertFile); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+net.JoinHostPort(host, port)+"/livez", nil)
	if err != nil {
		return err
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return fmt.Errorf("ask livez: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("livez answers %d", resp.StatusCode)
	}
	return errors.Join(err, resp.Body.Close())
}

// pinned trusts the certificate in a file, by whatever name it holds.
func pinned(certFile string) (*tls.Config, error) {
	data, err := os.ReadFile(certFile)
	if err != nil {
		return nil, fmt.Errorf("tls.cert_file: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("tls.cert_file %s holds no certificate", certFile)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("tls.cert_file %s holds no certificate", certFile)
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("tls.cert_file: %w", err)
	}
	name := leaf.Subject.CommonName
	switch {
	case len(leaf.DNSNames) > 0:
		name = strings.Replace(leaf.DNSNames[0], "*.", "livez.", 1)
	case len(leaf.IPAddresses) > 0:
		name = leaf.IPAddresses[0].String()
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: name}, nil
}
