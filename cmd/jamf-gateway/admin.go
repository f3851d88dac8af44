package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"jamf-gateway/config"
	"jamf-gateway/gateway/catalogue"
)

// adminFlags name the admin door of a running gateway.
type adminFlags struct {
	Config string `help:"Settings file whose admin_listen is used." placeholder:"FILE" xor:"door"`
	Admin  string `help:"Address of the admin door; without it and --config http://127.0.0.1:9480." placeholder:"URL" xor:"door"`

	AdminTokenFile string `name:"admin-token-file" help:"File of the admin token; without it $JAMF_GATEWAY_ADMIN_TOKEN, or admin_token_file of the settings." placeholder:"FILE"`
}

const defaultAdmin = "http://127.0.0.1:9480"

// base is the address of the door, without a slash at its end, and the settings where they are named.
func (f adminFlags) base(s streams) (string, *config.Config, error) {
	switch {
	case f.Admin != "":
		address := f.Admin
		if !strings.Contains(address, "://") {
			address = "http://" + address
		}
		u, err := url.Parse(address)
		if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return "", nil, usageError{spoken(text{"--admin must be an address like %s, not %q", "--admin muss eine Adresse wie %s sein, nicht %q"}, defaultAdmin, f.Admin)}
		}
		return u.Scheme + "://" + u.Host, nil, nil
	case f.Config != "":
		settings, err := config.LoadOutline(f.Config, s.env)
		if err != nil {
			return "", nil, usageError{err}
		}
		if settings.AdminListen == "" {
			return "", nil, usageError{spoken(text{"the admin door is off in %s (admin_listen)", "der Verwaltungszugang ist in %s abgeschaltet (admin_listen)"}, f.Config)}
		}
		return "http://" + reachable(settings.AdminListen), settings, nil
	}
	return defaultAdmin, nil, nil
}

// again are the flags that let a command which is told to the operator find the same door and its token: for him to copy.
func (f adminFlags) again() string {
	var out strings.Builder
	for _, flag := range [][2]string{{"config", f.Config}, {"admin", f.Admin}, {"admin-token-file", f.AdminTokenFile}} {
		if flag[1] != "" {
			out.WriteString(" --" + flag[0] + " " + shellQuote(flag[1]))
		}
	}
	return out.String()
}

// reachable is an address at which what listens on every interface is reached from this machine.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if ip, bad := netip.ParseAddr(host); err == nil && (host == "" || (bad == nil && ip.IsUnspecified())) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return listen
}

// adminDoor is the way to a running gateway.
type adminDoor struct {
	base   string
	client *http.Client
	token  string
	by     string // who acts, of commands that change something
	lack   error  // why there is no token; said where the gateway asks for it
	s      streams
}

func (f adminFlags) open(s streams) (adminDoor, error) {
	base, settings, err := f.base(s)
	if err != nil {
		return adminDoor{}, err
	}
	d := adminDoor{base: base, s: s, client: &http.Client{
		Timeout:       15 * time.Second,
		Transport:     &http.Transport{}, // loopback as a rule; a proxy of the environment is for the way out
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	d.token, d.lack = f.token(s, settings)
	return d, nil
}

// ask sends a request and reads the JSON of a good answer.
func (d adminDoor) ask(ctx context.Context, method, path string, into any) error {
	body, err := d.fetch(ctx, method, path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return d.stranger(http.StatusOK)
	}
	return nil
}

// fetch sends a request and reads a good answer. What the gateway refuses is said with the catalogue's sentences.
func (d adminDoor) fetch(ctx context.Context, method, path string) ([]byte, error) {
	rq, err := http.NewRequestWithContext(ctx, method, d.base+path, nil)
	if err != nil {
		return nil, err
	}
	if d.token != "" && path != "/metrics" {
		rq.Header.Set("Authorization", "Bearer "+d.token)
	}
	rs, err := d.client.Do(rq)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, gone{spoken(text{
			"no gateway answers at %s: it is not running, or its admin_listen is another one (name it with --config FILE or --admin URL)",
			"unter %s antwortet kein Gateway: Es läuft nicht, oder sein admin_listen ist ein anderes (nennen Sie es mit --config DATEI oder --admin URL)",
		}, d.base)}
	}
	defer rs.Body.Close() //nolint:errcheck // read whole or not wanted
	body, err := io.ReadAll(io.LimitReader(rs.Body, 64<<20))
	if err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", d.base, err)
	}
	if rs.StatusCode >= http.StatusMultipleChoices {
		return nil, d.refusal(rs.StatusCode, body)
	}
	return body, nil
}

// gone means that nobody answers at the admin door.
type gone struct{ error }

// Unwrap returns the sentence.
func (e gone) Unwrap() error { return e.error }

func (d adminDoor) stranger(status int) error {
	return spoken(text{
		"what answers at %s is not the admin door of a gateway (status %d)", "was unter %s antwortet, ist nicht der Verwaltungszugang eines Gateways (Status %d)",
	}, d.base, status)
}

// refusedError is a refusal of the gateway by its code.
type refusedError struct {
	error
	code string
}

// Unwrap returns the sentence.
func (e refusedError) Unwrap() error { return e.error }

func (d adminDoor) refusal(status int, body []byte) error {
	var problem struct {
		Code    string `json:"code"`
		Refused *struct {
			EN string `json:"en"`
			DE string `json:"de"`
		} `json:"refused"` // of settings_refused
	}
	_ = json.Unmarshal(body, &problem) // what is no problem has no code
	e, ok := catalogue.Lookup(problem.Code)
	switch {
	case problem.Code == "admin_token" && d.lack != nil:
		return d.lack
	case problem.Code == "admin_token":
		return spoken(text{
			"the gateway at %s refuses this admin token: it is another gateway's, or its admin_token_file was made anew [admin_token]",
			"das Gateway unter %s lehnt dieses Verwaltungstoken ab: Es gehört zu einem anderen Gateway, oder dessen admin_token_file wurde neu erzeugt [admin_token]",
		}, d.base)
	}
	if !ok || status == http.StatusUnauthorized || status < http.StatusBadRequest { // tokens of clients are asked for elsewhere
		return d.stranger(status)
	}
	if r := problem.Refused; r != nil {
		return refusedError{spoken(text{e.Title.EN + " [" + e.Code + "]:\n" + r.EN, e.Title.DE + " [" + e.Code + "]:\n" + r.DE}), e.Code}
	}
	return refusedError{spoken(text{e.Title.EN + ". " + e.Action.EN + " [" + e.Code + "]", e.Title.DE + ". " + e.Action.DE + " [" + e.Code + "]"}), e.Code}
}

// refusedAs tells that the gateway refused with this code.
func refusedAs(err error, code string) bool {
	var r refusedError
	return errors.As(err, &r) && r.code == code
}

// The answer of GET /v1/admin/sources, as far as the commands show it.
type (
	sourcesAnswer struct {
		Version  string         `json:"version"`
		Items    []sourceStatus `json:"items"`
		Warnings []struct {
			EN string `json:"en"`
			DE string `json:"de"`
		} `json:"warnings"` // about certificates and secrets
	}
	apiClient struct {
		ID      string     `json:"clientId"`
		InUse   bool       `json:"inUse"`
		Refused *time.Time `json:"refusedSince"`
	}
	sourceStatus struct {
		Name      string       `json:"name"`
		Status    string       `json:"status"` // ok, waiting, syncing, degraded, failing, disabled
		Breaker   string       `json:"breaker"`
		NotBefore *time.Time   `json:"notBefore"`
		LastError *codeStatus  `json:"lastError"`
		Heartbeat *signOfLife  `json:"heartbeat"`
		Kinds     []kindStatus `json:"kinds"`
		Views     []viewStatus `json:"views"`            // of clients with filters
		Expected  *expected    `json:"expectedRemovals"` // null = none are announced
		Logins    []apiClient  `json:"apiClients"`
	}
	expected struct {
		Left  int        `json:"left"`
		Until *time.Time `json:"until"`
	}
	signOfLife struct {
		DownSince *time.Time `json:"downSince"` // null = Jamf answers, as far as is known
		NextAt    *time.Time `json:"nextAt"`
	}
	kindStatus struct {
		Kind        string      `json:"kind"`
		State       string      `json:"state"`
		Reason      *string     `json:"reason"`
		AsOf        *time.Time  `json:"asOf"`
		Generation  *uint64     `json:"generation"`
		Count       *int        `json:"count"`
		Held        *string     `json:"held"`
		Undecided   int         `json:"undecided"`
		Syncing     bool        `json:"syncing"`
		Progress    *progressed `json:"progress"`
		LastAttempt *time.Time  `json:"lastAttemptAt"`
		NextSync    *time.Time  `json:"nextSyncAt"`
		LastResult  *string     `json:"lastResult"`
		LastError   *codeStatus `json:"lastError"`
	}
	viewStatus struct {
		Kind    string         `json:"kind"`
		Client  string         `json:"client"`
		Count   *int           `json:"count"` // null = not known before the next sync
		LeftOut map[string]int `json:"leftOut"`
	}
	progressed struct {
		Held  int `json:"held"`
		Total int `json:"total"`
	}
	codeStatus struct {
		Code   string     `json:"code"`
		Detail *string    `json:"detail"`
		At     *time.Time `json:"at"`
	}
)

// down tells that Jamf does not answer the heartbeat.
func (i sourceStatus) down() bool { return i.Heartbeat != nil && i.Heartbeat.DownSince != nil }

func (d adminDoor) sources(ctx context.Context) (sourcesAnswer, error) {
	var a sourcesAnswer
	err := d.ask(ctx, http.MethodGet, "/v1/admin/sources", &a)
	return a, err
}

// kindWord is how people call a kind.
func (s streams) kindWord(kind string) string {
	if kind == "computer" {
		return s.say(text{"computers", "Computer"})
	}
	return s.say(text{"mobile devices", "Mobilgeräte"})
}

// kindsOf is the word behind a number of them ("3 von 7 Mobilgeräten").
func (s streams) kindsOf(kind string) string {
	if kind == "computer" {
		return s.say(text{"computers", "Computern"})
	}
	return s.say(text{"mobile devices", "Mobilgeräten"})
}

// explained is what happened and what to do, by a code of the catalogue.
func (s streams) explained(code string) string {
	e, ok := catalogue.Lookup(code)
	if !ok {
		return "[" + code + "]"
	}
	return e.Title.In(s.lang) + ". " + e.Action.In(s.lang) + " [" + code + "]"
}
