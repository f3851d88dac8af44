package compat_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// target is a gateway as a Jamf client is told about it. computers and mobiles are 0 when nobody knows how many there are.
type target struct {
	url, id, secret    string // url without /api: the SDK adds it
	computers, mobiles int
	binary             string // of the demo
}

// No multiples of a page.
const (
	fleet   = 137
	mobiles = 20
)

// demo is the gateway of this run: started by the first test that asks, ended by TestMain.
var demo = sync.OnceValues(startDemo)

var ended []func() // what TestMain does at the end

func TestMain(m *testing.M) {
	resolveHere()
	code := m.Run()
	for _, end := range ended {
		end()
	}
	os.Exit(code)
}

// gateway is GATEWAY_URL (http://HOST:PORT/jamf/SOURCE) with CLIENT_ID and CLIENT_SECRET, else a demo of the real binary.
func gateway(t *testing.T) target {
	t.Helper()
	if u := os.Getenv("GATEWAY_URL"); u != "" {
		return target{url: strings.TrimSuffix(u, "/"), id: os.Getenv("CLIENT_ID"), secret: os.Getenv("CLIENT_SECRET")}
	}
	g, err := demo()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// startDemo builds and starts `jamf-gateway demo` on free ports and waits until its first sync has ended.
func startDemo() (target, error) {
	dir, err := os.MkdirTemp("", "jamf-gateway-compat-")
	if err != nil {
		return target{}, err
	}
	ended = append(ended, func() { _ = os.RemoveAll(dir) })
	binary := filepath.Join(dir, "jamf-gateway")
	build := exec.Command("go", "build", "-o", binary, "./cmd/jamf-gateway")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return target{}, fmt.Errorf("build jamf-gateway: %w\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	cmd := exec.CommandContext(ctx, binary, "demo", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--jamf-listen", "127.0.0.1:0",
		"--computers", strconv.Itoa(fleet), "--mobiles", strconv.Itoa(mobiles), "--client-id", "compat", "--client-secret", "compat-secret", "--data-dir", filepath.Join(dir, "data"))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		cancel()
		return target{}, err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		cancel()
		return target{}, err
	}
	ended = append([]func(){func() { cancel(); _ = cmd.Wait() }}, ended...)
	base, err := ready(stdout)
	if err != nil {
		return target{}, err
	}
	return target{url: base + "/jamf/demo", id: "compat", secret: "compat-secret", computers: fleet, mobiles: mobiles, binary: binary}, nil
}

// ready reads what the demo prints until it says what to try: then the first sync has ended.
func ready(out io.Reader) (base string, err error) {
	address := regexp.MustCompile(`^Gateway: +(http://\S+)$`)
	var said strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if found := address.FindStringSubmatch(lines.Text()); found != nil {
			base = found[1]
		}
		if strings.HasPrefix(lines.Text(), "Copy these lines") {
			go func() { _, _ = io.Copy(io.Discard, out) }() // so that it never waits for its reader
			if base == "" {
				return "", errors.New("the demo did not say where it listens:\n" + said.String())
			}
			return base, nil
		}
	}
	return "", errors.New("the demo ended before its first sync:\n" + said.String())
}
