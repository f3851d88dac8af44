package e2e_test

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"jamf-gateway/config"
)

// nameserver answers every question for an address as it is told to; it speaks DNS over a pipe.
type nameserver struct {
	mu        sync.Mutex
	code      dnsmessage.RCode
	wait      time.Duration
	addresses []string
	questions atomic.Int64
}

// says sets the answers from now on.
func (n *nameserver) says(code dnsmessage.RCode, wait time.Duration, addresses ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.code, n.wait, n.addresses = code, wait, addresses
}

func (n *nameserver) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		client, server := net.Pipe()
		go n.answer(context.WithoutCancel(ctx), server)
		return client, nil
	}}
}

// answer reads one question, framed as over TCP.
func (n *nameserver) answer(ctx context.Context, c net.Conn) {
	defer func() { _ = c.Close() }()
	head := make([]byte, 2)
	if _, err := io.ReadFull(c, head); err != nil {
		return
	}
	question := make([]byte, int(head[0])<<8|int(head[1]))
	var m dnsmessage.Message
	if _, err := io.ReadFull(c, question); err != nil || m.Unpack(question) != nil {
		return
	}
	n.questions.Add(1)
	n.mu.Lock()
	wait := n.wait
	m.Response, m.RCode, m.Additionals = true, n.code, nil
	if m.Questions[0].Type == dnsmessage.TypeA {
		for _, a := range n.addresses {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET},
				Body:   &dnsmessage.AResource{A: [4]byte(net.ParseIP(a).To4())},
			})
		}
	}
	n.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
	packed, err := m.Pack()
	if err != nil {
		return
	}
	_, _ = c.Write(append([]byte{byte(len(packed) >> 8), byte(len(packed))}, packed...))
}

// named puts the Jamf of a house behind a name, with TLS, at 127.0.0.2; 127.0.0.3 is allowed as well and dead. A listener on
// 127.0.0.1 with the same port stands for the machine itself and counts who comes.
func (b *board) named(dns *nameserver) (h *house, jamf *httptest.Server, rebound *atomic.Int64) {
	b.Helper()
	trusted := newAuthority(b.T)
	var listen net.ListenConfig
	ln, err := listen.Listen(b.Context(), "tcp", "127.0.0.2:0")
	if err != nil {
		b.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	self, err := listen.Listen(b.Context(), "tcp", "127.0.0.1:"+port)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = self.Close() })
	rebound = &atomic.Int64{}
	go func() {
		for {
			c, err := self.Accept()
			if err != nil {
				return
			}
			rebound.Add(1)
			_ = c.Close()
		}
	}()
	h = b.prepare(small(), func(c *config.Config) {
		c.Sources[0].URL = "https://jamf.school.example:" + port + "/api"
		c.Sources[0].CAFile = trusted.file()
		c.Sources[0].Networks = []string{"127.0.0.2/32", "127.0.0.3/32"}
	})
	jamf = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.bender.ServeHTTP(w, r) }))
	jamf.Config.ErrorLog = log.New(io.Discard, "", 0)
	_ = jamf.Listener.Close()
	jamf.Listener = ln
	jamf.TLS = &tls.Config{Certificates: []tls.Certificate{trusted.issue("jamf.school.example", time.Now().Add(1000*time.Hour))}, MinVersion: tls.VersionTLS12}
	jamf.StartTLS()
	b.Cleanup(jamf.Close)
	h.resolver = dns.resolver()
	return h, jamf, rebound
}

// rowNames: what a name server can say. The gateway is started again before each, so that no breaker of the one before answers.
func rowNames(b *board) {
	dns := &nameserver{}
	dns.says(dnsmessage.RCodeSuccess, 0, "127.0.0.2")
	h, jamf, rebound := b.named(dns)
	h.start()
	h.waitSynced()
	b.settled(h)
	b.watch(h)
	slowest := time.Duration(0)
	for _, c := range []struct {
		what string
		say  func()
		code string // of the failure; "" = the sync is good
	}{
		{"no such name", func() { dns.says(dnsmessage.RCodeNameError, 0) }, "dns_failed"},
		{"the name server fails", func() { dns.says(dnsmessage.RCodeServerFailure, 0) }, "dns_failed"},
		{"ten slow seconds", func() { dns.says(dnsmessage.RCodeSuccess, 10*time.Second, "127.0.0.2") }, "dns_failed"},
		{"a dead address and a living one", func() { dns.says(dnsmessage.RCodeSuccess, 0, "127.0.0.3", "127.0.0.2") }, ""},
		{"the machine itself", func() { dns.says(dnsmessage.RCodeSuccess, 0, "127.0.0.1") }, "address_refused"},
		{"the machine itself, or Jamf", func() { dns.says(dnsmessage.RCodeSuccess, 0, "127.0.0.1", "127.0.0.2") }, ""},
	} {
		h.stop()
		jamf.CloseClientConnections()
		h.start()
		c.say()
		asked, began := dns.questions.Load(), time.Now()
		h.syncNow()
		slowest = max(slowest, time.Since(began))
		if k := h.gateway.Status()[0].Kinds[0]; k.ErrorCode != c.code || (k.LastResult == "ok") != (c.code == "") {
			b.wrong("%s: %s, %q (%s)", c.what, k.LastResult, k.ErrorCode, k.ErrorDetail)
		}
		if n := dns.questions.Load() - asked; n > 60 {
			b.wrong("%s: %d questions to the name server for one sync", c.what, n)
		}
		if n := rebound.Load(); n > 0 {
			b.wrong("%s: %d connections to the machine itself", c.what, n)
		}
	}
	dns.says(dnsmessage.RCodeSuccess, 0, "127.0.0.2")
	b.healed()
	h.syncNow()
	b.recovered(h, time.Minute)
	b.note("the slowest sync ended after %v", slowest.Round(time.Second))
	b.judge(h)
}
