package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"jamf-gateway/config"
	"jamf-gateway/gateway"
)

type initCommand struct {
	Config           string `default:"gateway.yaml" help:"Settings file to write, mode 0600; without it gateway.yaml." placeholder:"FILE"`
	Force            bool   `help:"Replace files that exist."`
	URL              string `name:"url" help:"Address of Jamf Pro, as you have it." placeholder:"URL"`
	Name             string `help:"Name of the source: small letters, digits, dashes. Without it the first part of the host." placeholder:"NAME"`
	ClientID         string `name:"client-id" help:"Client ID of the API client in Jamf Pro." placeholder:"ID"`
	ClientSecretFile string `name:"client-secret-file" help:"File with its client secret, - for standard input. Without it JAMF_CLIENT_SECRET, then the terminal." placeholder:"FILE"`
	SecretEnv        string `name:"secret-env" help:"Refer to this variable in the settings instead of keeping Jamf's secret in a file beside them." placeholder:"NAME"`
	PublicURL        string `name:"public-url" help:"Address by which Inventory360 reaches the gateway." placeholder:"URL"`
	TLSCert          string `name:"tls-cert" help:"Certificate of the gateway with its chain (PEM); without it a proxy does TLS." placeholder:"FILE"`
	TLSKey           string `name:"tls-key" help:"Its private key." placeholder:"FILE"`
	InsecureHTTP     bool   `name:"insecure-http" help:"A proxy does TLS: listen without a certificate where other machines can reach it."`
	Listen           string `help:"Address to listen on; without it :8443 with a certificate, else 127.0.0.1:8080." placeholder:"ADDRESS"`
	AdminListen      string `name:"admin-listen" help:"Address of the admin door; without it 127.0.0.1:9480." placeholder:"ADDRESS"`
	DataDir          string `name:"data-dir" help:"Directory for what the gateway keeps: devices and its key. Without it data and gateway.key beside the settings." placeholder:"DIR"`
	Client           string `default:"inventory360" help:"Client id that Inventory360 will use at the gateway; without it inventory360." placeholder:"ID"`
	Loopback         bool   `name:"allow-insecure-loopback" help:"Allow http to a loopback address, for a simulated Jamf Pro."`
	Test             bool   `help:"Test the connection to Jamf afterwards without asking."`
}

// jamfSecretVariable gives init the secret of Jamf in scripts.
const jamfSecretVariable = "JAMF_CLIENT_SECRET" //nolint:gosec // the name of a variable, no secret

// Run asks what the flags do not say, writes the settings and the secret of Jamf beside them, and shows the secret for
// Inventory360 once. Nothing is asked of Jamf without a yes.
func (c initCommand) Run(ctx context.Context, s streams) error {
	a := newAsker(s)
	if err := c.free(c.Config); err != nil {
		return usageError{err}
	}
	c.tellWhatEnds(s)
	answers, err := c.answers(a)
	if err != nil {
		return usageError{err}
	}
	secret := config.NewClientSecret()
	settings, err := c.write(s, answers, secret)
	if err != nil {
		return usageError{err}
	}
	if err := c.report(s, settings, answers, secret); err != nil {
		return err
	}
	if !c.Test {
		yes, err := a.yes(text{"Test the connection to Jamf now?", "Verbindung zu Jamf jetzt testen?"})
		if err != nil || !yes {
			return err
		}
	}
	reports, err := gateway.Check(ctx, settings, version, "", string(s.lang))
	if err != nil {
		return err
	}
	return checked{file: c.Config, settings: settings, reports: reports}.print(s, false)
}

// free tells whether a file may be written.
func (c initCommand) free(file string) error {
	if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) || (err == nil && c.Force) {
		return nil
	} else if err != nil {
		return err
	}
	return spoken(text{"%s exists already: --force replaces it, --config names another one", "%s gibt es schon: --force ersetzt die Datei, --config nennt eine andere"}, file)
}

// initAnswers are what the settings are made of.
type initAnswers struct {
	url, pasted, name, clientID, secret string
	secretEnv, publicURL, cert, key     string
	insecure                            bool // plain HTTP where other machines can reach it
}

var firstLabel = regexp.MustCompile(`[^a-z0-9-]+`)

// answers takes the flags, and asks for what they leave open.
func (c initCommand) answers(a *asker) (initAnswers, error) {
	var out initAnswers
	var err error
	out.pasted, err = a.ask("--url", c.URL, "", text{"Address of Jamf Pro (as in the browser): ", "Adresse von Jamf Pro (wie im Browser): "}, func(v string) error {
		var problem string
		if out.url, problem = config.CompleteURL(v, c.Loopback); problem != "" {
			return spokenError{text{flagged(problem), flagged(config.Problem{Text: problem}.GermanText())}}
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	if out.url != out.pasted {
		a.say(text{"  completed to %s\n", "  vervollständigt zu %s\n"}, out.url)
	}
	out.name, err = a.ask("--name", c.Name, suggestedName(out.url), text{"Short name of this Jamf Pro [%s]: ", "Kurzname dieser Jamf-Pro-Instanz [%s]: "}, goodName)
	if err != nil {
		return out, err
	}
	out.clientID, err = a.ask("--client-id", c.ClientID, "", text{
		"Client ID of the API client in Jamf Pro (Settings > System > API roles and clients): ",
		"Client ID des API-Clients in Jamf Pro (Einstellungen > System > API-Rollen und -Clients): ",
	}, nil)
	if err != nil {
		return out, err
	}
	if out.secret, err = c.jamfSecret(a); err != nil {
		return out, err
	}
	out.secretEnv = c.SecretEnv
	out.publicURL, err = a.optional(c.PublicURL, text{
		"Address by which Inventory360 reaches the gateway, like https://gateway.example.com (empty: later): ",
		"Adresse, unter der Inventory360 das Gateway erreicht, wie https://gateway.example.com (leer: später): ",
	})
	if err != nil {
		return out, err
	}
	if address, ok := config.CompletePublicURL(out.publicURL); ok && address != out.publicURL {
		a.say(text{"  completed to %s\n", "  vervollständigt zu %s\n"}, address)
		out.publicURL = address
	}
	out.cert, err = a.optional(c.TLSCert, text{"File with its TLS certificate and chain (empty: a proxy does TLS): ", "Datei mit seinem TLS-Zertifikat und der Kette (leer: Ein Proxy übernimmt TLS): "})
	if err == nil && out.cert == "" {
		out.insecure, err = c.withoutTLS(a)
	}
	if err != nil || out.cert == "" {
		return out, err
	}
	out.key, err = a.ask("--tls-key", c.TLSKey, "", text{"File with its private key: ", "Datei mit dem privaten Schlüssel: "}, nil)
	return out, err
}

func (c initCommand) jamfSecret(a *asker) (string, error) {
	if c.ClientSecretFile != "" {
		return a.s.secretFile(c.ClientSecretFile)
	}
	if value := variable(a.s.env, jamfSecretVariable); value != "" {
		return value, nil
	}
	if c.SecretEnv != "" {
		return variable(a.s.env, c.SecretEnv), nil // it may be set for the service alone
	}
	return a.hidden(text{"Client Secret of this API client (is not shown): ", "Client Secret dieses API-Clients (wird nicht angezeigt): "}, text{
		"the client secret of Jamf is needed: --client-secret-file FILE (- for standard input), the variable " + jamfSecretVariable + ", or a terminal to ask at",
		"das Client Secret von Jamf fehlt: --client-secret-file DATEI (- für die Standardeingabe), die Variable " + jamfSecretVariable + " oder ein Terminal zum Fragen",
	})
}

// suggestedName is the first part of the host, as a source can be called.
func suggestedName(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "jamf"
	}
	host := u.Hostname()
	label, _, _ := strings.Cut(host, ".")
	label = strings.Trim(firstLabel.ReplaceAllString(label, "-"), "-")
	if label == "" || regexp.MustCompile(`^[0-9.:\[\]]+$`).MatchString(host) || len(label) > 32 {
		return "jamf"
	}
	return label
}

func goodName(name string) error {
	if regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`).MatchString(name) {
		return nil
	}
	return spoken(text{"a name has 1 to 32 small letters, digits and dashes", "ein Name hat 1 bis 32 Kleinbuchstaben, Ziffern und Bindestriche"})
}

// write makes the files: first the secret of Jamf, then the settings, which are read back as serve will read them.
func (c initCommand) write(s streams, a initAnswers, secret string) (*config.Config, error) {
	dir := filepath.Dir(c.Config)
	reference, env := "env:"+a.secretEnv, s.env
	made := ""
	if a.secretEnv == "" {
		// Everything else must be right before a file is touched.
		probe := c.yaml(s, a, "env:INIT_SECRET", config.HashSecret(secret))
		if _, err := config.Parse([]byte(probe), c.Config, dir, append(append([]string{}, env...), "INIT_SECRET="+a.secret)); err != nil {
			return nil, err
		}
		reference = "file:" + a.name + ".secret"
		made = filepath.Join(dir, a.name+".secret")
		if err := c.free(made); err != nil {
			return nil, err
		}
		if err := writePrivate(made, a.secret+"\n"); err != nil {
			return nil, err
		}
	} else if variable(env, a.secretEnv) == "" {
		env = append(append([]string{}, env...), a.secretEnv+"="+orElse(a.secret, "not set in this terminal"))
	}
	yaml := c.yaml(s, a, reference, config.HashSecret(secret))
	settings, err := config.Parse([]byte(yaml), c.Config, dir, env)
	if err == nil {
		err = writePrivate(c.Config, yaml)
	}
	if err != nil && made != "" {
		err = errors.Join(err, os.Remove(made))
	}
	return settings, err
}

// writePrivate writes a file with mode 0600, whole or not at all.
func writePrivate(path, content string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // has mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.WriteString(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}

// yaml is the settings file, with its comments in the language of the reader.
func (c initCommand) yaml(s streams, a initAnswers, reference string, hash [32]byte) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# %s", s.say(text{"Settings of the Jamf Gateway, written by `jamf-gateway init`. docs/configuration.md explains every setting.", "Einstellungen des Jamf Gateway, geschrieben von `jamf-gateway init`. docs/configuration.md erklärt jede Einstellung."}))
	if c.Listen != "" {
		line("listen: %q", c.Listen)
	}
	if c.AdminListen != "" {
		line("admin_listen: %q", c.AdminListen)
	}
	if c.DataDir != "" {
		line("data_dir: %q\nkey_file: %q", filepath.Join(absolute(c.DataDir), "data"), filepath.Join(absolute(c.DataDir), "gateway.key"))
	}
	if a.insecure {
		line("insecure_http: true # %s", s.say(text{"a proxy does TLS", "ein Proxy übernimmt TLS"}))
	}
	if a.publicURL != "" {
		line("public_url: %q", a.publicURL)
	} else {
		line("# %s", s.say(text{"The address by which Inventory360 reaches the gateway:", "Die Adresse, unter der Inventory360 das Gateway erreicht:"}))
		line("# public_url: https://gateway.example.com")
	}
	if a.cert != "" {
		line("tls:\n  cert_file: %q\n  key_file: %q", absolute(a.cert), absolute(a.key))
	}
	line("\nsources:\n  - name: %s\n    url: %s\n    client_id: %q\n    client_secret: %q", a.name, a.url, a.clientID, reference)
	if c.Loopback {
		line("    allow_insecure_loopback: true")
	}
	line("    # %s", s.say(text{
		"What is kept: minimal, standard, with-user, with-software, full or a profile of your own.",
		"Was aufbewahrt wird: minimal, standard, with-user, with-software, full oder ein eigenes Profil.",
	}))
	line("    profile: minimal")
	line("\nclients:\n  # %s", s.say(text{"The next secret of this client: jamf-gateway client rotate", "Das nächste Secret dieses Clients: jamf-gateway client rotate"}))
	b.WriteString(clientEntry{id: c.Client, secrets: []string{secretLine(hash)}}.yaml())
	return b.String()
}

// absolute is where a file is, seen from anywhere.
func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}

// report says what was made, what to enter in Inventory360 and what comes next.
func (c initCommand) report(s streams, settings *config.Config, a initAnswers, secret string) error {
	var b strings.Builder
	written := c.Config
	if a.secretEnv == "" {
		written += ", " + filepath.Join(filepath.Dir(c.Config), a.name+".secret")
	}
	fmt.Fprintf(&b, "%s %s\n", s.say(text{"Written (mode 0600):", "Geschrieben (Modus 0600):"}), written)
	for _, w := range settings.Warnings {
		fmt.Fprintf(&b, "  %s: %s\n", s.say(text{"WARNING", "WARNUNG"}), problemText(w, s))
	}
	fmt.Fprintf(&b, "\n%s\n", s.say(text{
		"Enter in Inventory360 (Admin > Discovery > External sources > Jamf Pro). The secret is shown only now:",
		"In Inventory360 eintragen (Adminbereich > Discovery > Externe Quellen > Jamf Pro). Das Secret wird nur jetzt angezeigt:",
	}))
	for _, p := range gateway.Pastes(settings, settings.Sources[0]) {
		fmt.Fprintf(&b, "  Name:          %s\n  URL:           %s\n  Client ID:     %s\n  Client Secret: %s\n", p.Name, p.URL, p.ClientID, secret)
	}
	file := shellQuote(c.Config)
	fmt.Fprintf(&b, "\n%s\n  jamf-gateway check --config %s\n  jamf-gateway serve --config %s\n", s.say(text{"Next:", "Als Nächstes:"}), file, file)
	if settings.PublicURL != "" {
		fmt.Fprintf(&b, "  jamf-gateway check --as-client --config %s\n", file)
	}
	if a.secretEnv != "" {
		fmt.Fprintf(&b, "%s\n", s.say(text{"The variable %s must hold the client secret of Jamf for each of them.", "Die Variable %s muss dafür das Client Secret von Jamf enthalten."}, a.secretEnv))
	}
	_, err := s.out.Write([]byte(b.String()))
	return err
}

// flagged says what is wrong with an address to somebody who has flags and no settings yet.
func flagged(problem string) string {
	return strings.ReplaceAll(problem, "allow_insecure_loopback: true", "--allow-insecure-loopback")
}
