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
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"jamf-gateway/config"
	"jamf-gateway/gateway"
	"jamf-gateway/gateway/catalogue"
	"jamf-gateway/gateway/server"
)

type checkCommand struct {
	Config string `required:"" help:"Settings file (gateway.yaml)." placeholder:"FILE"`
	Source string `help:"Test only this source." placeholder:"NAME"`
	JSON   bool   `name:"json" help:"Print the reports as JSON."`
	Livez  bool   `help:"Only ask the running gateway of this configuration for /livez (container health check)." xor:"way"`

	AsClient         bool   `help:"Go in through public_url as Inventory360 would: certificate chain, token, rights, one list, one device." xor:"way"`
	Client           string `help:"With --as-client: as which client; needed where there are several." placeholder:"ID"`
	ClientSecretFile string `help:"With --as-client: file with the client's secret, - for standard input. Without it GATEWAY_CLIENT_SECRET, then the terminal." placeholder:"FILE"`
	CAFile           string `name:"ca-file" help:"With --as-client: certificates (PEM) of the authorities that Inventory360 trusts instead of those of this system." placeholder:"FILE"`
}

// Run checks the settings and tests every active source. Exit code 1 when a test finds something wanting.
func (c checkCommand) Run(ctx context.Context, s streams) error {
	if c.AsClient {
		return c.visit(ctx, s)
	}
	if c.Livez {
		settings, err := config.LoadOutline(c.Config, s.env) // neither secrets nor a full disk decide whether it lives
		if err != nil {
			return usageError{err}
		}
		return askLivez(ctx, settings)
	}
	settings, err := config.Load(c.Config, s.env)
	if err != nil {
		return c.refused(s, err)
	}
	reports, err := gateway.Check(ctx, settings, version, c.Source, string(s.lang))
	if errors.Is(err, server.ErrUnknownSource) {
		err = noSource("--source", c.Source, c.Config, sourceNames(settings))
	}
	if err != nil {
		return c.refused(s, err)
	}
	settings.Warnings = append(settings.Warnings, gateway.Leftovers(settings, c.Config)...)
	settings.Warnings = append(settings.Warnings, settings.ExpiryWarnings(time.Now())...)
	found := checked{file: c.Config, settings: settings, reports: reports}
	for _, src := range settings.Sources {
		if src.Disabled && (c.Source == "" || c.Source == src.Name) {
			found.disabled = append(found.disabled, src.Name)
		}
	}
	return found.print(s, c.JSON)
}

// refused says what is wrong with the settings; with --json on standard output, too, for whoever reads only that.
func (c checkCommand) refused(s streams, err error) error {
	if !c.JSON {
		return usageError{err}
	}
	said := inLanguage(err, s.lang)
	answer := checkAnswer{Problems: strings.Split(said, "\n"), Warnings: []string{}, Disabled: []string{}, Sources: []server.TestReport{}, Inventory360: []gateway.Paste{}}
	return errors.Join(usageError{err}, printJSON(s.out, answer))
}

// checkAnswer is what --json prints.
type checkAnswer struct {
	OK           bool                `json:"ok"`
	Problems     []string            `json:"problems"` // why the settings are refused; then nothing was tested
	Warnings     []string            `json:"warnings"`
	Sources      []server.TestReport `json:"sources"`
	Disabled     []string            `json:"disabled"` // sources that are neither read nor tested
	Inventory360 []gateway.Paste     `json:"inventory360"`
}

// checked is what a check found.
type checked struct {
	file     string
	settings *config.Config
	reports  []server.TestReport
	disabled []string
	client   string // who went in through public_url; "" = Jamf was tested
}

func (c checked) good() bool {
	return !slices.ContainsFunc(c.reports, func(r server.TestReport) bool { return !r.OK })
}

// pastes are the values for Inventory360 of a source that was found good.
func (c checked) pastes(r server.TestReport) []gateway.Paste {
	i := slices.IndexFunc(c.settings.Sources, func(src config.Source) bool { return src.Name == r.Source })
	if !r.OK || i < 0 {
		return nil
	}
	return slices.DeleteFunc(gateway.Pastes(c.settings, c.settings.Sources[i]), func(p gateway.Paste) bool {
		return c.client != "" && p.ClientID != c.client
	})
}

func (c checked) print(s streams, asJSON bool) error {
	var err error
	if asJSON {
		err = c.printJSON(s)
	} else {
		_, err = io.WriteString(s.out, c.text(s))
	}
	if err == nil && !c.good() {
		err = errFoundWanting
	}
	return err
}

func (c checked) printJSON(s streams) error {
	warnings, pastes := []string{}, []gateway.Paste{}
	for _, w := range c.settings.Warnings {
		warnings = append(warnings, problemText(w, s))
	}
	for _, r := range c.reports {
		pastes = append(pastes, c.pastes(r)...)
	}
	return printJSON(s.out, checkAnswer{
		OK: c.good(), Problems: []string{}, Warnings: warnings, Sources: append([]server.TestReport{}, c.reports...),
		Disabled: append([]string{}, c.disabled...), Inventory360: pastes,
	})
}

func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func problemText(p config.Problem, s streams) string {
	if s.lang == catalogue.DE {
		return p.German()
	}
	return p.String()
}

func (c checked) text(s streams) string {
	var b strings.Builder
	b.WriteString(s.say(text{"Settings: good", "Einstellungen: in Ordnung"}) + "\n")
	for _, w := range c.settings.Warnings {
		fmt.Fprintf(&b, "  %s: %s\n", s.say(text{"WARNING", "WARNUNG"}), problemText(w, s))
	}
	for _, r := range c.reports {
		fmt.Fprintf(&b, "\n%s\n", r.Source)
		writeSteps(&b, s, r.Steps)
		list := func(label text, names []string) {
			if len(names) > 0 {
				fmt.Fprintf(&b, "  %s: %s\n", s.say(label), strings.Join(names, ", "))
			}
		}
		list(text{"rights present", "Rechte vorhanden"}, r.RightsPresent)
		list(text{"rights missing", "Rechte fehlen"}, r.RightsMissing)
		list(text{"rights too many", "Rechte zu viel"}, r.RightsSurplus)
		list(text{"rights for names only", "Rechte nur für Namen"}, r.RightsNames)
		list(text{"optional rights, without them ids stay without names", "freiwillige Rechte, ohne sie bleiben Ids ohne Namen"}, r.RightsUnnamed)
		c.writePastes(&b, s, r)
	}
	for _, name := range c.disabled {
		fmt.Fprintf(&b, "\n%s\n  %s\n", name, s.say(text{"disabled: neither read nor tested, what was read last is served", "deaktiviert: wird weder gelesen noch geprüft, das zuletzt Gelesene wird ausgeliefert"}))
	}
	b.WriteString("\n")
	if c.good() {
		return b.String() + s.say(text{"Result: good", "Ergebnis: in Ordnung"}) + "\n"
	}
	return b.String() + s.say(text{"Result: something is missing, see above", "Ergebnis: Es fehlt etwas, siehe oben"}) + "\n"
}

// writePastes prints what to enter in Inventory360 for a source that can be served.
func (c checked) writePastes(b *strings.Builder, s streams, r server.TestReport) {
	pastes := c.pastes(r)
	if len(pastes) == 0 {
		return
	}
	fmt.Fprintf(b, "\n  %s\n", s.say(text{"Enter in Inventory360 (Admin > Discovery > External sources > Jamf Pro):", "In Inventory360 eintragen (Adminbereich > Discovery > Externe Quellen > Jamf Pro):"}))
	if slices.ContainsFunc(pastes, func(p gateway.Paste) bool { return strings.Contains(p.URL+p.Also, gateway.NoHost) }) {
		fmt.Fprintf(b, "    %s: %s\n", s.say(text{"WARNING", "WARNUNG"}), s.say(text{"public_url is not set: replace https://HOST by the address by which Inventory360 reaches this gateway, and set it.", "public_url ist nicht gesetzt: Ersetzen Sie https://HOST durch die Adresse, unter der Inventory360 dieses Gateway erreicht, und setzen Sie sie."}))
	}
	for i, p := range pastes {
		if i > 0 {
			fmt.Fprintf(b, "    %s\n", s.say(text{"or, for another client:", "oder, für einen anderen Client:"}))
		}
		fmt.Fprintf(b, "    %-14s %s\n    %-14s %s\n", "Name:", p.Name, "URL:", p.URL)
		if p.Also != "" {
			also := text{"or, shorter: %s", "oder kürzer: %s"}
			if !strings.HasPrefix(p.URL, strings.TrimSuffix(p.Also, "api")) { // the source has a host name of its own
				also = text{"or, by public_url: %s", "oder über public_url: %s"}
			}
			fmt.Fprintf(b, "    %-14s %s\n", "", s.say(also, p.Also))
		}
		fmt.Fprintf(b, "    %-14s %s\n    %-14s %s\n", "Client ID:", p.ClientID, "Client Secret:", s.say(text{
			"shown once when it was made; if it is lost: jamf-gateway client rotate %s --config %s",
			"wurde beim Erzeugen einmal angezeigt; falls verloren: jamf-gateway client rotate %s --config %s",
		}, shellQuote(p.ClientID), shellQuote(c.file)))
	}
}

// writeSteps prints the steps of a test, a line each, and what to do about the ones that went wrong.
func writeSteps(b *strings.Builder, s streams, steps []server.TestStep) {
	results := map[string]string{"ok": "ok", "warning": s.say(text{"WARNING", "WARNUNG"}), "failed": s.say(text{"FAILED", "FEHLER"}), "skipped": s.say(text{"skipped", "entfällt"})}
	for _, step := range steps {
		name := step.Name
		if label, ok := stepNames()[step.Name]; ok {
			name = s.say(label)
		}
		line := fmt.Sprintf("  %s %s %8.1f ms  %s", padded(name, 26), padded(results[step.Result], 9), step.LatencyMS, step.Detail)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		if step.Action != "" && step.Result != "ok" {
			fmt.Fprintf(b, "      [%s] %s\n", step.Code, step.Action)
		}
	}
}

// padded fills a word with spaces to a width counted in letters.
func padded(word string, width int) string {
	return word + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(word)))
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
	if files, settings := c.CertificateFiles(); len(files) > 0 {
		scheme = "https"
		if transport.TLSClientConfig, err = pinned(settings[0], files[0]); err != nil {
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

// pinned trusts the certificate in the file of a setting, by whatever name it holds. A key may stand before it.
func pinned(setting, certFile string) (*tls.Config, error) {
	rest, err := os.ReadFile(certFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(rest) {
		return nil, fmt.Errorf("%s: %s holds no certificate", setting, certFile)
	}
	block, rest := pem.Decode(rest)
	for block != nil && block.Type != "CERTIFICATE" {
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, fmt.Errorf("%s: %s holds no certificate", setting, certFile)
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
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

// stepNames are the names of the steps of both tests.
func stepNames() map[string]text {
	return map[string]text{
		"url": {"URL", "URL"}, "dns": {"DNS", "DNS"}, "tcp": {"TCP connection", "TCP-Verbindung"}, "proxy": {"proxy", "Proxy"}, "tls": {"TLS", "TLS"},
		"token": {"token", "Token"}, "rights": {"rights", "Rechte"}, "version": {"version of Jamf Pro", "Version von Jamf Pro"},
		"visit_token": {"token", "Token"}, "visit_auth": {"rights (v1/auth)", "Rechte (v1/auth)"},
		"visit_list": {"list of devices", "Liste der Geräte"}, "visit_detail": {"one device", "ein Gerät"},
		"mobile_devices": {"query of mobile devices", "Abfrage Mobilgeräte"}, "data_dir": {"space in data_dir", "Platz in data_dir"}, "computers": {"query of computers", "Abfrage Computer"}, "other_client": {"other API client", "anderer API-Client"},
	}
}
